import type { Column, Known, Relation, Span, Table, Taint, WrittenName } from '../model.ts';
import { nameEnd, sourceSpan } from '../sql/span.ts';
import type { Alias, JoinExpr, Node, RangeVar } from '../sql/tree.ts';
import { conjuncts, equalitiesOf, strictIds } from './conditions.ts';
import { value, visit, type Place } from './expression.ts';
import { functionSource, jsonTableSource, tableFunctionSource } from './from-functions.ts';
import { isExact, isParent, joinKeys, tableKeys, type Side } from './keys.ts';
import { strings } from './names.ts';
import { applyOperator } from './operators.ts';
import {
  isHole, isJudging, isSelectable, isUnknown, itemSpan, newId, unionTaints, unknown, type CteList, type Entry, type Env, type Key,
  type ReadBuilder, type Run, type Scope, type ScopeColumn, type Shape, type Source, type Value,
} from './scope.ts';
import { analyze } from './select.ts';
import { typesIn } from './sql-type.ts';
import { commonType } from './types.ts';
import { useCoercion, useModifier } from './uses.ts';

/** A source with what keys need to know of it. */
export interface Item extends Source {
  readonly perRow: boolean;
}

const emptyScope = (sources: readonly Source[], outer: Scope | undefined): Scope =>
  ({ sources, ...(outer === undefined ? {} : { outer }), strict: new Set(), mentioned: new Set(), groupingSets: false, grouped: false });

/** Where an expression inside FROM stands: it sees what is to its left, and what is around the query. */
export function lateralPlace(run: Run, env: Env, left: readonly Source[]): Place {
  return { run, scope: emptyScope(left, env.outer), env };
}

/** The items of FROM, in order. */
export function fromItems(nodes: readonly Node[] | undefined, run: Run, env: Env): readonly Item[] {
  const items: Item[] = [];
  for (const node of nodes ?? []) items.push(fromItem(node, run, env, items));
  return items;
}

const openItem = (alias: string | undefined, reads: readonly ReadBuilder[] = []): Item =>
  ({ columns: [], open: true, entries: [{ alias: alias ?? '', columns: [], open: true, reads }], keys: [], perRow: true });

function fromItem(node: Node, run: Run, env: Env, left: readonly Source[]): Item {
  if (env.depth > 250) {
    run.truncated = true;
    return openItem(undefined);
  }
  const below: Env = { ...env, depth: env.depth + 1 };
  if ('RangeVar' in node) return relationItem(node.RangeVar, run, env);
  if ('JoinExpr' in node) return joinItem(node.JoinExpr, run, below, left);
  if ('RangeSubselect' in node) {
    const { subquery, lateral, alias } = node.RangeSubselect;
    const outer = lateral === true ? emptyScope(left, env.outer) : env.outer;
    if (subquery === undefined) return openItem(alias?.aliasname);
    return shapeItem(analyze(subquery, run, { ...below, outer }), alias?.aliasname, alias, run, lateral === true, 'sub-select');
  }
  if ('RangeFunction' in node) return functionSource(node.RangeFunction, lateralPlace(run, below, left));
  if ('RangeTableSample' in node) {
    const { relation, args, repeatable } = node.RangeTableSample;
    visit(args, lateralPlace(run, below, left));
    if (repeatable !== undefined) value(repeatable, lateralPlace(run, below, left));
    return relation === undefined ? openItem(undefined) : fromItem(relation, run, below, left);
  }
  if ('RangeTableFunc' in node) return tableFunctionSource(node.RangeTableFunc, lateralPlace(run, below, left));
  if ('JsonTable' in node) return jsonTableSource(node.JsonTable, lateralPlace(run, below, left));
  visit(node, lateralPlace(run, below, left));
  return openItem(undefined);
}

/** A source of one entry, its columns renamed by the alias list from the left. */
export function singleItem(
  columns: readonly ScopeColumn[], alias: Alias | undefined, defaultName: string | undefined,
  rest: {
    readonly open: boolean; readonly reads: readonly ReadBuilder[]; readonly keys: readonly Key[]; readonly perRow: boolean;
    readonly relation?: Relation; readonly schema?: string; readonly record?: boolean;
  },
): Item {
  const names = strings(alias?.colnames);
  const renamed = columns.map((column, at) => (names[at] === undefined ? column : { ...column, name: names[at] }));
  const entry: Entry = {
    alias: alias?.aliasname ?? defaultName ?? '', columns: renamed, open: rest.open, reads: rest.reads,
    ...(rest.relation === undefined ? {} : { relation: rest.relation }), ...(rest.record === true ? { record: true } : {}),
      ...(alias === undefined && rest.schema !== undefined ? { schema: rest.schema } : {}),
  };
  return { columns: renamed, open: rest.open, entries: [entry], keys: rest.keys, perRow: rest.perRow };
}

/** The output of a sub-select, CTE or VALUES as a FROM item. */
export function shapeItem(shape: Shape, name: string | undefined, alias: Alias | undefined, run: Run, perRow: boolean, what: string): Item {
  const columns = shape.columns.map((column): ScopeColumn => ({
    name: column.name, type: column.type, literal: false, nullable: column.nullable, ids: [newId(run)], uses: [],
    taints: column.taints.map(taint => passOn(taint, itemSpan(run.statement, column.start),
      `column ${column.name} of ${what} ${name ?? ''}`.trimEnd())),
  }));
  const keys = shape.open ? [] : shape.keys.map(key => key.map(at => columns[at]!.ids[0]!));
  return singleItem(columns, alias, name, { open: shape.open, reads: [], keys, perRow, record: true });
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
  if (cte !== undefined) return shapeItem(cte.shape, alias, range.alias ?? { aliasname: alias }, run, false, 'CTE');
  const start = range.location ?? 0;
  const span = sourceSpan(run.statement, start, nameEnd(run.statement.sql, start));
  const written: WrittenName = { ...(schema === undefined ? {} : { schema }), name };
  const found = run.relation(written, span);
  if (found.is === 'present') return presentItem(found.object, range, span, run);
  const system = schema === 'pg_catalog' || schema === 'information_schema' || schema === 'pg_toast'
    || (schema === undefined && name.startsWith('pg_'));
  if (!system || isHole(name)) run.missing.push({ name: written, span, found: isHole(name) ? 'unknown' : found.is });
  return openItem(alias);
}

const notAsked = unknown('NULLs are not asked for');

function presentItem(object: Relation, range: RangeVar, span: Span, run: Run): Item {
  const alias = range.alias?.aliasname ?? object.name.name;
  if (object.kind === 'index') return openItem(alias);
  const read: ReadBuilder = { id: object.id, span, columns: new Set() };
  run.reads.push(read);
  const given: Known<readonly Column[]> = isSelectable(object) ? object.columns : sequenceColumns;
  const facts = object.kind === 'view' || object.kind === 'matview' ? run.viewFacts?.(object) : undefined;
  const known = isUnknown(given) ? [] : given;
  const rest = { open: isUnknown(given), reads: [read], perRow: false, relation: object, schema: range.schemaname ?? object.name.schema };
  const parent = isJudging(run) && object.kind === 'table' && range.inh === true && isParent(object, run.catalog);
  const output = facts === undefined || isUnknown(facts.columns) ? [] : facts.columns;
  const columns = known.map((column): ScopeColumn => {
    const { name, type } = column;
    const fact = output.find(candidate => candidate.name === name);
    const nullable = !isJudging(run) ? notAsked : object.kind !== 'table' ? fact?.nullable ?? unknown(`whether ${name} is NULL`)
      : isUnknown(column.notNull) || parent ? unknown(`whether ${name} is NULL`) : !column.notNull;
    return { name, type, literal: false, nullable, taints: fact?.taints ?? [], ids: [newId(run)], uses: [{ read, column: name }] };
  });
  if (!isJudging(run)) return singleItem(columns, range.alias, alias, { ...rest, keys: [] });
  const lists = object.kind === 'table' ? tableKeys(object, run.catalog, range.inh !== true) : facts === undefined || isUnknown(facts.keys)
    ? [] : facts.keys;
  const keys = isUnknown(given) ? [] : lists.map(list => list.map(column => columns.find(candidate => candidate.name === column)?.ids[0]))
    .filter((key): key is number[] => key.every(id => id !== undefined));
  return singleItem(columns, range.alias, alias, { ...rest, keys });
}

/** A sequence can be selected from (measured in the tests). */
const sequenceColumns: readonly Column[] = [
  { name: 'last_value', type: 'bigint', notNull: true }, { name: 'log_cnt', type: 'bigint', notNull: true },
    { name: 'is_called', type: 'boolean', notNull: true },
];

type JoinKind = 'inner' | 'left' | 'right' | 'full';
const kinds: Readonly<Record<string, JoinKind>> = { JOIN_INNER: 'inner', JOIN_LEFT: 'left', JOIN_RIGHT: 'right', JOIN_FULL: 'full' };

function joinItem(node: JoinExpr, run: Run, env: Env, outerLeft: readonly Source[]): Item {
  const kind = kinds[node.jointype ?? 'JOIN_INNER'] ?? 'inner';
  if (node.larg === undefined || node.rarg === undefined) return openItem(undefined);
  const left = fromItem(node.larg, run, env, outerLeft);
  const right = fromItem(node.rarg, run, env, [...outerLeft, left]);
  const both = [left, right];
  const names = node.isNatural === true ? naturalNames(left, right) : strings(node.usingClause);
  const condition = names === undefined ? undefined : usingCondition(names, left, right);
  if (node.quals !== undefined) value(node.quals, lateralPlace(run, env, [...outerLeft, ...both]));
  const keys = isJudging(run) ? judgeJoin(kind, left, right, conjuncts(node.quals), condition ?? []) : [];
  const merged = names === undefined ? [] : mergedColumns(names, left, right, kind, run);
  if (isJudging(run)) extendWithNulls(kind, left, right);
  const rest = (item: Item): readonly ScopeColumn[] => item.columns.filter(column => names?.includes(column.name) !== true);
  const columns = [...merged, ...rest(left), ...rest(right)];
  const open = left.open || right.open || names === undefined;
  const perRow = left.perRow || right.perRow;
  if (node.alias !== undefined) {
    const reads = both.flatMap(item => item.entries.flatMap(entry => entry.reads));
    return singleItem(columns, node.alias, undefined, { open, reads, keys, perRow, record: true });
  }
  const entries: Entry[] = both.flatMap(item => item.entries);
  if (node.join_using_alias?.aliasname !== undefined) entries.push({ alias: node.join_using_alias.aliasname, columns: merged,
    open: names === undefined, reads: [] });
  return { columns, open, entries, keys, perRow };
}

/** The keys of the join; an inner join's conditions also prove columns not NULL. */
function judgeJoin(
  kind: JoinKind, left: Item, right: Item, parts: readonly Node[], using: readonly (readonly [ScopeColumn, ScopeColumn])[],
): readonly Key[] {
  const both = [left, right];
  const on = equalitiesOf(parts, both);
  const keys = joinKeys(kind, side(left), side(right), {
    equalities: [...on.equalities, ...using.filter(([a, b]) => isExact(a, b))], fixed: on.fixed,
  });
  if (kind !== 'inner') return keys;
  const strict = strictIds(parts, both);
  for (const column of columnsOf(both)) {
    if (column.ids.some(id => strict.has(id)) || using.some(pair => pair.includes(column))) column.nullable = false;
  }
  return keys;
}

/** An outer join gives NULLs in every column of the side that need not match. */
function extendWithNulls(kind: JoinKind, left: Item, right: Item): void {
  for (const item of kind === 'left' ? [right] : kind === 'right' ? [left] : kind === 'full' ? [left, right] : []) {
    const sure = !referenced(item === right ? left : right, item);
    for (const column of columnsOf([item])) column.nullable = sure ? true : unknown(`whether every row of the join finds ${column.name}`);
  }
}

const side = (item: Item): Side => ({ keys: item.keys, columns: columnsOf([item]), perRow: item.perRow });
/** Every column of the items, hidden by USING or not, once. */
const columnsOf = (items: readonly Item[]): readonly ScopeColumn[] =>
  [...new Set(items.flatMap(item => [...item.columns, ...item.entries.flatMap(entry => entry.columns)]))];

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
    const ids = kind === 'left' ? a.ids : kind === 'right' ? b.ids : kind === 'inner' ? [...a.ids, ...b.ids] : [newId(run)];
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
