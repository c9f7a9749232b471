import type { Column, Known, Matview, QueryFacts, Relation, Span, Table, Taint, View, WrittenName } from '../model.ts';
import { nameEnd, sourceSpan } from '../sql/span.ts';
import type { Alias, JoinExpr, Node, RangeVar } from '../sql/tree.ts';
import { conjuncts, strictIds } from './conditions.ts';
import { placeIn, value, visit, type Place } from './expression.ts';
import { functionSource, jsonTableSource, tableFunctionSource } from './from-functions.ts';
import { shapeBehind } from './behind.ts';
import { Ids } from './ids.ts';
import { joinFacts, type JoinKind, type Merged } from './join-laws.ts';
import { isExact, isParent, matviewLaws, tableFacts } from './keys.ts';
import { anyRows, law, oneRow, perRun, withLaws, type Law, type RowFacts } from './laws.ts';
import { strings } from './names.ts';
import { applyOperator } from './operators.ts';
import {
  deeper, envWithin, isHole, isJudging, isSelectable, isUnknown, itemSpan, newId, scopeOver, unionTaints, unknown, type CteList, type Entry, type Env,
  type ReadBuilder, type Run, type ScopeColumn, type Shape, type Source, type Value,
} from './scope.ts';
import { analyze } from './select.ts';
import { typesIn } from './sql-type.ts';
import { highestOf, occurrence, summed, type Occurrence } from './summary.ts';
import { commonType } from './types.ts';
import { useCoercion, useModifier } from './uses.ts';

/** One item of FROM. */
export type Item = Source;

/** Where an expression inside FROM stands: it sees what is to its left, and what is around the query. */
export function lateralPlace(run: Run, env: Env, left: readonly Source[]): Place {
  return placeIn(run, scopeOver(left, env.outer), env);
}

/** The items of FROM, in order. */
export function fromItems(nodes: readonly Node[] | undefined, run: Run, env: Env): readonly Item[] {
  const items: Item[] = [];
  for (const node of nodes ?? []) items.push(fromItem(node, run, env, items));
  return items;
}

const openItem = (alias: string | undefined, run: Run, reads: readonly ReadBuilder[] = []): Item =>
  ({ columns: [], open: true, entries: [{ alias: alias ?? '', columns: [], open: true, reads }], facts: anyRows(newId(run)) });

/** The rows of everything to the left, which a LATERAL item runs for. */
const rowsOf = (left: readonly Source[]): readonly number[] => left.flatMap(source => source.facts.rows);

function fromItem(node: Node, run: Run, env: Env, left: readonly Source[]): Item {
  const { inspection } = run;
  if (inspection === undefined) return itemOf(node, run, env, left);
  const around = inspection.at;
  inspection.at = node;
  const item = itemOf(node, run, env, left);
  inspection.at = around;
  inspection.items.set(node, item);
  return item;
}

function itemOf(node: Node, run: Run, env: Env, left: readonly Source[]): Item {
  if (env.depth > 250) {
    run.truncated = true;
    return openItem(undefined, run);
  }
  if ('RangeVar' in node) return relationItem(node.RangeVar, run, env);
  const below = deeper(env);
  if ('JoinExpr' in node) return joinItem(node.JoinExpr, run, below, left);
  if ('RangeSubselect' in node) {
    const { subquery, lateral, alias } = node.RangeSubselect;
    const outer = lateral === true ? scopeOver(left, env.outer) : env.outer;
    if (subquery === undefined) return openItem(alias?.aliasname, run);
    const mark = run.lastId;
    const whole = analyze(subquery, run, envWithin(outer, below.ctes, below.depth, below.asksOrder));
    const { shape } = summed(whole, mark, run.lastId);
    return shapeItem(shape, alias?.aliasname, alias, run, lateral === true ? perRun(shape.facts, rowsOf(left)) : shape.facts, 'sub-select');
  }
  if ('RangeFunction' in node) return functionSource(node.RangeFunction, lateralPlace(run, below, left));
  if ('RangeTableSample' in node) {
    const { relation, args, repeatable } = node.RangeTableSample;
    visit(args, lateralPlace(run, below, left));
    if (repeatable !== undefined) value(repeatable, lateralPlace(run, below, left));
    return relation === undefined ? openItem(undefined, run) : fromItem(relation, run, below, left);
  }
  if ('RangeTableFunc' in node) return tableFunctionSource(node.RangeTableFunc, lateralPlace(run, below, left));
  if ('JsonTable' in node) return jsonTableSource(node.JsonTable, lateralPlace(run, below, left));
  visit(node, lateralPlace(run, below, left));
  return openItem(undefined, run);
}

const none: readonly never[] = [];

/** A source of one entry, its columns renamed by the alias list from the left. */
export function singleItem(
  columns: readonly ScopeColumn[], alias: Alias | undefined, defaultName: string | undefined,
  rest: {
    readonly open: boolean; readonly reads: readonly ReadBuilder[]; readonly facts: RowFacts;
    readonly relation?: Relation; readonly schema?: string; readonly record?: boolean;
  },
): Item {
  const names = strings(alias?.colnames);
  const renamed = names.length === 0 ? columns : columns.map((column, at) => (names[at] === undefined ? column : { ...column, name: names[at] }));
  const entry: Entry = {
    alias: alias?.aliasname ?? defaultName ?? '', columns: renamed, open: rest.open, reads: rest.reads,
    ...(rest.relation === undefined ? {} : { relation: rest.relation }), ...(rest.record === true ? { record: true } : {}),
      ...(alias === undefined && rest.schema !== undefined ? { schema: rest.schema } : {}),
  };
  return { columns: renamed, open: rest.open, entries: [entry], facts: rest.facts };
}

/** The output of a sub-select or VALUES as a FROM item. `facts`: of its rows, with the identities that its columns have; `ids`: those of another occurrence. */
export function shapeItem(shape: Shape, name: string | undefined, alias: Alias | undefined, run: Run, facts: RowFacts, what: string,
  ids: Occurrence['ids'] = []): Item {
  const columns = shape.columns.map((column, at): ScopeColumn => ({
    name: column.name, type: column.type, literal: false, nullable: column.nullable, ids: ids[at] ?? column.ids ?? [newId(run)], uses: [],
    taints: column.taints.map(taint => passOn(taint, itemSpan(run.statement, column.start),
      `column ${column.name} of ${what} ${name ?? ''}`.trimEnd())),
    ...(column.literals === undefined ? {} : { literals: column.literals }), ...(column.fromOne === undefined ? {} : { fromOne: column.fromOne }),
  }));
  return singleItem(columns, alias, name, { open: shape.open, reads: [], facts: shape.open ? anyRows(newId(run)) : facts, record: true });
}

/** One occurrence of a CTE: each has rows of its own. */
function cteItem({ shape, mark = 0, until = mark }: CteList, alias: string, given: Alias | undefined, run: Run): Item {
  const { facts, ids } = occurrence({ shape, mark, until }, run);
  return shapeItem(shape, alias, given ?? { aliasname: alias }, run, facts, 'CTE', ids);
}

/** The taint one step further along. */
export function passOn(taint: Taint, span: Span, says: string): Taint {
  const last = taint.path.at(-1)!;
  if (last.span.path === span.path && last.span.start === span.start && last.span.end === span.end) return taint;
  return { ...taint, path: [...taint.path, { span, says }] };
}

const findCte = (list: CteList | undefined, name: string): CteList | undefined => {
  for (let at = list; at !== undefined; at = at.next) if (at.name === name) return at;
  return undefined;
};

function relationItem(range: RangeVar, run: Run, env: Env): Item {
  const name = range.relname ?? '';
  const schema = range.schemaname;
  const alias = range.alias?.aliasname ?? name;
  const cte = schema === undefined ? findCte(env.ctes, name) : undefined;
  if (cte !== undefined) {
    run.inspection?.cteReads.set(range, cte.node);
    return cteItem(cte, alias, range.alias, run);
  }
  const start = range.location ?? 0;
  const span = sourceSpan(run.statement, start, nameEnd(run.statement.sql, start));
  const written: WrittenName = { ...(schema === undefined ? {} : { schema }), name };
  const found = run.relation(written, span);
  if (found.is === 'present') return presentItem(found.object, range, span, run);
  const system = schema === 'pg_catalog' || schema === 'information_schema' || schema === 'pg_toast'
    || (schema === undefined && name.startsWith('pg_'));
  if (!system || isHole(name)) run.missing.push({ name: written, span, found: isHole(name) ? 'unknown' : found.is });
  return openItem(alias, run);
}

const notAsked = unknown('NULLs are not asked for');

function presentItem(object: Relation, range: RangeVar, span: Span, run: Run): Item {
  const alias = range.alias?.aliasname ?? object.name.name;
  if (object.kind === 'index') return openItem(alias, run);
  const read: ReadBuilder = { id: object.id, span, columns: new Set() };
  run.reads.push(read);
  const given: Known<readonly Column[]> = isSelectable(object) ? object.columns : sequenceColumns;
  const facts = object.kind === 'view' || object.kind === 'matview' ? run.viewFacts?.(object) : undefined;
  const known = isUnknown(given) ? [] : given;
  const rest = { open: isUnknown(given), reads: [read], relation: object, schema: range.schemaname ?? object.name.schema };
  const parent = isJudging(run) && object.kind === 'table' && range.inh === true && isParent(object, run.catalog);
  const output = facts === undefined || isUnknown(facts.columns) ? [] : facts.columns;
  const columns = known.map((column): ScopeColumn => {
    const { name, type } = column;
    const fact = output.find(candidate => candidate.name === name);
    const nullable = !isJudging(run) ? notAsked : object.kind !== 'table' ? fact?.nullable ?? unknown(`whether ${name} is NULL`)
      : isUnknown(column.notNull) || parent ? unknown(`whether ${name} is NULL`) : !column.notNull;
    return { name, type, literal: false, nullable, taints: fact?.taints ?? none, ids: [newId(run)], uses: [{ read, column: name }] };
  });
  if (!isJudging(run)) return singleItem(columns, range.alias, alias, { facts: oneRow, ...rest });
  if (object.kind === 'table') {
    const note = { span, says: `several rows of ${alias} go with the same %` };
    return singleItem(columns, range.alias, alias, { facts: tableFacts(object, columns, run, range.inh !== true, note), ...rest });
  }
  if (object.kind === 'sequence') return singleItem(columns, range.alias, alias, { facts: oneRow, ...rest });
  const [behind, own] = viewFactsOf(object, facts, columns, run);
  return singleItem(own, range.alias, alias, { facts: behind, ...rest });
}

/** What the query of a view says of its rows, and its columns with the identities that they have there. */
function viewFactsOf(view: View | Matview, facts: QueryFacts | undefined, columns: readonly ScopeColumn[], run: Run): [RowFacts,
  readonly ScopeColumn[]] {
  const shape = facts === undefined ? undefined : shapeBehind(facts);
  if (shape === undefined || shape.columns.length !== columns.length) {
    const row = newId(run);
    const any = anyRows(row);
    return [view.kind === 'matview' ? withLaws(any, [...matviewLaws(view, columns, [row], run.catalog), toAll(row, columns)]) : any,
      columns];
  }
  const behind = occurrence(summed(shape, 0, highestOf(shape)), run);
  const own = columns.map((column, at) => ({ ...column, ids: behind.ids[at] ?? column.ids }));
  return [view.kind === 'matview' ? withLaws(behind.facts, matviewLaws(view, own, behind.facts.rows, run.catalog)) : behind.facts, own];
}

const toAll = (row: number, columns: readonly ScopeColumn[]): Law => law([row], columns.flatMap(column => column.ids), { missingToo: true });

/** A sequence can be selected from (measured in the tests). */
const sequenceColumns: readonly Column[] = [
  { name: 'last_value', type: 'bigint', notNull: true }, { name: 'log_cnt', type: 'bigint', notNull: true },
    { name: 'is_called', type: 'boolean', notNull: true },
];

const kinds: Readonly<Record<string, JoinKind>> = { JOIN_INNER: 'inner', JOIN_LEFT: 'left', JOIN_RIGHT: 'right', JOIN_FULL: 'full' };

function joinItem(node: JoinExpr, run: Run, env: Env, outerLeft: readonly Source[]): Item {
  const kind = kinds[node.jointype ?? 'JOIN_INNER'] ?? 'inner';
  if (node.larg === undefined || node.rarg === undefined) return openItem(undefined, run);
  const from = run.lastId;
  const left = fromItem(node.larg, run, env, outerLeft);
  const between = run.lastId;
  const right = fromItem(node.rarg, run, env, [...outerLeft, left]);
  const until = run.lastId;
  const both = [left, right];
  const names = node.isNatural === true ? naturalNames(left, right) : strings(node.usingClause);
  const condition = names === undefined ? undefined : usingCondition(names, left, right);
  if (node.quals !== undefined) value(node.quals, lateralPlace(run, env, [...outerLeft, ...both]));
  const parts = conjuncts(node.quals);
  if (isJudging(run) && kind === 'inner') narrowJoin(parts, both, condition ?? []);
  const merged = names === undefined ? [] : mergedColumns(names, left, right, kind, run);
  let facts: RowFacts = oneRow;
  if (isJudging(run)) {
    const pairs = (condition ?? []).map(([a, b]): Merged => ({ left: a, right: b,
      ids: merged.find(column => column.name === a.name)!.ids }));
    facts = names === undefined ? anyRows(newId(run)) : joinFacts(kind, { facts: left.facts, from, until: between },
      { facts: right.facts, from: between, until }, parts, pairs, lateralPlace(run, env, both));
    extendWithNulls(kind, left, right);
    if (kind === 'inner') for (const item of both) eachColumn(item, column => {
      if (column.nullable !== false && hasOne(facts.solid, column.ids)) column.nullable = false;
    });
  }
  const rest = (item: Item): readonly ScopeColumn[] => (merged.length === 0 ? item.columns : item.columns.filter(column => names?.includes(column.name) !== true));
  const columns = merged.concat(rest(left), rest(right));
  run.inspection?.joins.set(node, { columns, merged: merged.map(column => {
    const side = (item: Item): ScopeColumn | undefined => item.columns.find(candidate => candidate.name === column.name);
    return { column, left: side(left), right: side(right) };
  }) });
  const open = left.open || right.open || names === undefined;
  if (node.alias !== undefined) {
    const reads = both.flatMap(item => item.entries.flatMap(entry => entry.reads));
    return singleItem(columns, node.alias, undefined, { open, reads, facts, record: true });
  }
  const entries = left.entries.concat(right.entries);
  if (node.join_using_alias?.aliasname !== undefined) entries.push({ alias: node.join_using_alias.aliasname, columns: merged,
    open: names === undefined, reads: [] });
  return { columns, open, entries, facts };
}

function hasOne(set: Ids, ids: readonly number[]): boolean {
  for (const id of ids) if (set.has(id)) return true;
  return false;
}

/** An inner join's conditions prove columns not NULL. */
function narrowJoin(parts: readonly Node[], both: readonly Item[], using: readonly (readonly [ScopeColumn, ScopeColumn])[]): void {
  const strict = strictIds(parts, both);
  if (strict.isEmpty && using.length === 0) return;
  for (const item of both) eachColumn(item, column => {
    if (column.nullable !== false && (hasOne(strict, column.ids) || (using.length > 0 && using.some(pair => pair.includes(column))))) column.nullable = false;
  });
}

/** An outer join gives NULLs in every column of the side that need not match. */
function extendWithNulls(kind: JoinKind, left: Item, right: Item): void {
  for (const item of kind === 'left' ? [right] : kind === 'right' ? [left] : kind === 'full' ? [left, right] : []) {
    const sure = !referenced(item === right ? left : right, item);
    eachColumn(item, column => {
      column.nullable = sure || column.nullable === true ? true : unknown(`whether every row of the join finds ${column.name}`);
    });
  }
}

/** Every column of an item, hidden by USING or not; some of them twice. */
function eachColumn(item: Item, visit: (column: ScopeColumn) => void): void {
  item.columns.forEach(visit);
  for (const { columns } of item.entries) if (columns !== item.columns) columns.forEach(visit);
}

/** The common names in the order of the left side; undefined when a side is not fully known. */
function naturalNames(left: Item, right: Item): readonly string[] | undefined {
  if (left.open || right.open) {
    for (const read of [left, right].flatMap(item => item.entries.flatMap(entry => entry.reads))) read.columns = undefined;
    return undefined;
  }
  return left.columns.map(column => column.name).filter(name => right.columns.some(column => column.name === name));
}

function usingCondition(names: readonly string[], left: Item, right: Item): [ScopeColumn, ScopeColumn][] {
  return names.flatMap(name => {
    const a = left.columns.find(column => column.name === name);
    const b = right.columns.find(column => column.name === name);
    return a === undefined || b === undefined ? [] : [[a, b] as [ScopeColumn, ScopeColumn]];
  });
}

function mergedColumns(names: readonly string[], left: Item, right: Item, kind: JoinKind, run: Run): readonly ScopeColumn[] {
  return names.map((name): ScopeColumn => {
    const a = left.columns.find(column => column.name === name);
    const b = right.columns.find(column => column.name === name);
    // A side that is not known has the column all the same, else Postgres would refuse the join.
    for (const [item, found] of [[left, a], [right, b]] as const) {
      if (found === undefined) for (const read of item.entries.flatMap(entry => entry.reads)) read.columns = undefined;
    }
    const uses = [...(a?.uses ?? []), ...(b?.uses ?? [])];
    for (const { read, column } of uses) read.columns?.add(column);
    if (a === undefined || b === undefined) {
      const none = unknown(`column ${name}`);
      return { name, type: none, literal: false, nullable: none, taints: [], ids: [newId(run)], uses };
    }
    const type = commonType([a, b], `column ${name}`, typesIn(run.catalog)).type;
    useMerge(run, a, b, type, kind);
    const nullable = kind === 'left' ? a.nullable : kind === 'right' ? b.nullable
      : kind === 'inner' || (a.nullable === false && b.nullable === false) ? false : unknown(`whether ${name} is NULL`);
    const ids = kind === 'left' ? a.ids : kind === 'right' ? b.ids : kind === 'inner' && isExact(a, b) ? [...a.ids, ...b.ids]
      : [newId(run)];
    const taints = kind === 'right' ? b.taints : kind === 'full' ? unionTaints(a.taints, b.taints) : a.taints;
    return { name, type, literal: false, nullable, taints, ids, uses };
  });
}

/** The equality of a USING column, and what the merged column is made of (transformJoinUsingClause, buildMergedJoinVar). */
function useMerge(run: Run, a: ScopeColumn, b: ScopeColumn, merged: Known<string>, kind: JoinKind): void {
  if (run.uses === undefined) return;
  const types = typesIn(run.catalog);
  const [left, right] = [a, b].map(({ type }): Value => ({ type, literal: false, nullable: notAsked, taints: [] })) as [Value, Value];
  applyOperator(run, ['='], [left, right]);
  const target = types.parse(merged);
  const sides = kind === 'full' ? [a, b] : kind === 'right' ? [b] : kind === 'left' ? [a]
    : [a, b].some(({ type }) => types.parse(type)?.text === target?.text) ? [] : [a];
  for (const { type } of sides) {
    const from = types.parse(type);
    if (from === undefined || target === undefined) continue;
    useCoercion(run, types, from.type, target.type, 'implicit');
    useModifier(run, types, from, target);
  }
}

/** Whether a foreign key may guarantee that the outer join finds its row: then its columns need not be NULL ever. */
function referenced(many: Item, one: Item): boolean {
  const targets = new Set(one.entries.flatMap(entry => (entry.relation === undefined ? [] : [entry.relation.id])));
  return many.entries.some(entry => entry.relation?.kind === 'table'
    && (entry.relation as Table).constraints.some(constraint => constraint.kind === 'foreign key' && constraint.references !== undefined
      && targets.has(constraint.references)));
}
