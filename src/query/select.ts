import type { Known } from '../model.ts';
import type { Node, SelectStmt } from '../sql/tree.ts';
import { agreed } from './casts.ts';
import { conditionLaws, literalsOf } from './condition-laws.ts';
import { conjuncts, mentionedBy, peek, strictIds } from './conditions.ts';
import { withCtes } from './ctes.ts';
import { narrowed, placeIn, value, visit, type Place } from './expression.ts';
import { fromItems, type Item } from './from.ts';
import { Ids } from './ids.ts';
import { oneRow, solidWith, together, unknownRows, withLaws, type RowFacts } from './laws.ts';
import { keysReliedOn } from './grouped-keys.ts';
import { lastName, outputName, strings } from './names.ts';
import type { Output } from './output-identities.ts';
import { hasAggregate, limitedFacts, listedFacts } from './output-keys.ts';
import { deeper, depthLimit, isJudging, isUnknown, lookupEntry, noScope, unionTaints, unknown, use, type Branch, type Env, type Run, type Scope, type Shape,
  type ShapeColumn, type Value } from './scope.ts';
import { combinedFacts, valuesFacts } from './set-facts.ts';
import { typesIn } from './sql-type.ts';
import { noOrder, picksOfSet } from './order-taints.ts';
import { partialLaws } from './partial-keys.ts';
import { decidedBy } from './row-known.ts';
import { judgeRows } from './row-judgement.ts';
import { rowOrderOf, type RowOrder } from './row-order.ts';
import { comesOrdered } from './row-taints.ts';
import { commonType, typeOfValue } from './types.ts';
import { useCoercion } from './uses.ts';

/** A result of which nothing is known. */
export const openShape: Shape = { columns: [], open: true, facts: unknownRows };

/** What a query (a SELECT, VALUES or set operation; the RETURNING of a CTE) puts out, and the marking of all it uses. Never throws. */
export function analyze(node: Node, run: Run, env: Env): Shape {
  if (!('SelectStmt' in node)) {
    visit(node, placeIn(run, noScope(env), env));
    return openShape;
  }
  return selectShape(node.SelectStmt, run, env);
}

export function selectShape(select: SelectStmt, run: Run, outerEnv: Env): Shape {
  const shape = shapeOf(select, run, outerEnv);
  run.notes?.shapes.set(select, shape);
  return shape;
}

function shapeOf(select: SelectStmt, run: Run, outerEnv: Env): Shape {
  if (outerEnv.depth > 200) {
    run.truncated = true;
    return openShape;
  }
  const env = deeper(outerEnv, withCtes(select.withClause, run, outerEnv));
  if (select.op === 'SETOP_UNION' || select.op === 'SETOP_INTERSECT' || select.op === 'SETOP_EXCEPT') return setOperation(select, run, env);
  if (select.valuesLists !== undefined && select.valuesLists.length > 0) return valuesShape(select, run, env);
  return plainSelect(select, run, env);
}

/** UNION chains are as deep on the left as they are long, so the left side is walked in a loop. */
function setOperation(select: SelectStmt, run: Run, env: Env): Shape {
  const steps: SelectStmt[] = [];
  let at: SelectStmt = select;
  while (at.op !== undefined && at.op !== 'SETOP_NONE' && at.larg !== undefined && (at === select || isBare(at))) {
    steps.push(at);
    at = at.larg;
  }
  const place = placeIn(run, noScope(env), env);
  const first = branchOf(at, run, env);
  let { shape } = first;
  let branches: readonly Branch[] | undefined = [first];
  for (const step of steps.reverse()) {
    const next = step.rarg === undefined ? undefined : branchOf(step.rarg, run, env);
    shape = combine(step, shape, next?.shape ?? openShape, place);
    branches = branches === undefined || next === undefined || step.op !== 'SETOP_UNION' ? undefined
      : step.all === true ? [...branches, next] : [...branches, next].map(branch => ({ ...branch, distinct: true }));
  }
  limits(select, place);
  if (!isJudging(run)) return shape;
  const picks = picksOfSet(select, shape, judged(place));
  const chosen = { rows: unionTaints(shape.rows ?? [], picks.rows), ordered: picks.ordered === true };
  if (shape.open) return { ...shape, ...chosen };
  const facts = limitedFacts(select, shape.facts);
  return { ...shape, ...chosen, facts, ...(branches === undefined || facts !== shape.facts ? {} : { branches }) };
}

/** One branch of a set operation, with the relations that it reads. */
function branchOf(select: SelectStmt, run: Run, env: Env): Branch {
  const before = run.reads.length;
  const shape = selectShape(select, run, env);
  const ids = run.reads.slice(before).map(read => read.id);
  const objects = ids.map(id => run.catalog.get(id));
  // A CTE was read where it stands, and a view reads what it reads.
  const sure = env.ctes === undefined && select.withClause === undefined && !shape.open
    && objects.every(object => object?.kind === 'table');
  const { fromClause, whereClause, groupClause, havingClause, distinctClause, limitCount, limitOffset } = select;
  const [only] = objects;
  const plain = fromClause?.length === 1 && 'RangeVar' in fromClause[0]!
    && [whereClause, groupClause, havingClause, distinctClause, limitCount, limitOffset]
    .every(clause => clause === undefined);
  const wholeTable = plain && objects.length === 1 && only?.kind === 'table'
    && only.constraints.every(({ kind }) => kind !== 'check' && kind !== 'exclude') && only.inherits.length === 0;
  return { shape, distinct: false, tables: sure ? ids : unknown('what the branch reads'), wholeTable };
}

/** LIMIT over a set operation asks for no columns of FROM. */
const judged = ({ run, scope, env }: Place): Place => placeIn(run, { ...scope, order: noOrder }, env);

/** LIMIT and OFFSET are bigint (transformLimitClause). */
function limits(select: SelectStmt, place: Place): void {
  const types = typesIn(place.run.catalog);
  for (const part of [select.limitCount, select.limitOffset]) {
    const from = part === undefined ? undefined : typeOfValue(value(part, place), types);
    if (from === undefined) continue;
    const { inspection } = place.run;
    const around = inspection?.at;
    if (inspection !== undefined) inspection.at = part;
    useCoercion(place.run, types, from, types.named('int8'), 'implicit');
    if (inspection !== undefined) inspection.at = around;
  }
}

const isBare = (select: SelectStmt): boolean =>
  select.withClause === undefined && select.sortClause === undefined && select.limitCount === undefined && select.limitOffset === undefined;

function combine(step: SelectStmt, left: Shape, right: Shape, place: Place): Shape {
  const rows = unionTaints(left.rows ?? [], right.rows ?? []);
  if (left.open) return { ...openShape, rows };
  const columns = left.columns.map((column, at): ShapeColumn => {
    const other = right.open ? undefined : right.columns[at];
    if (other === undefined) return { ...column, type: unknown(`type of ${column.name}`), literal: false,
      nullable: unknown(`whether ${column.name} is NULL`) };
    const union = step.op === 'SETOP_UNION';
    return { ...column, type: commonType([column, other], column.name, typesIn(place.run.catalog)).type, literal: false,
      nullable: eitherNull(column.nullable, other.nullable, column.name, step.op ?? ''), taints: union
        ? unionTaints(column.taints, other.taints) : column.taints };
  });
  if (!isJudging(place.run)) return { columns, open: false, facts: oneRow };
  const { facts, ids, literals } = combinedFacts(step.op as 'SETOP_UNION', step.all === true, left, right, columns, place.run);
  return { open: false, facts, rows, columns: columns.map((column, at) => withIds(column, ids[at]!, literals[at])) };
}

function withoutIds({ ids: _, literals: __, fromOne: ___, ...rest }: ShapeColumn): ShapeColumn {
  return rest;
}
const withIds = (column: ShapeColumn, ids: readonly number[], literals: ReadonlySet<string> | undefined): ShapeColumn =>
  ({ ...withoutIds(column), ids, ...(literals === undefined ? {} : { literals }) });

function eitherNull(left: Known<boolean>, right: Known<boolean>, name: string, operation: string): Known<boolean> {
  if (left === false && (right === false || operation !== 'SETOP_UNION')) return false;
  return operation === 'SETOP_UNION' && (left === true || right === true) ? true : unknown(`whether ${name} is NULL`);
}

function valuesShape(select: SelectStmt, run: Run, env: Env): Shape {
  const place = placeIn(run, noScope(env), env);
  const rows = (select.valuesLists ?? []).map(list => ('List' in list ? list.List.items ?? [] : []));
  const values = rows.map(row => row.map(item => value(item, place)));
  limits(select, place);
  const first = rows[0] ?? [];
  const columns = first.map((item, at): ShapeColumn => {
    const cells = values.flatMap(row => row[at] ?? []);
    return { name: `column${at + 1}`, ...agreed(cells, `column${at + 1}`, place), nullable: cells.every(cell => cell.nullable === false)
      ? false : unknown('VALUES'),
      taints: unionTaints(...cells.map(cell => cell.taints)), start: locationOf(item) };
  });
  if (!isJudging(run)) return { columns, open: false, facts: oneRow };
  const { facts, ids, literals } = valuesFacts(rows, columns.length, columns.map(column => column.nullable !== false), run);
  return { open: false, facts, columns: columns.map((column, at) => withIds(column, ids[at]!, literals[at])) };
}

/** Where an expression begins: its own location may be that of its operator, so its leftmost part is asked. */
function locationOf(node: Node | undefined, depth = 0): number {
  const inner = node === undefined ? undefined : (Object.values(node)[0] as { location?: number; lexpr?: Node; arg?: Node } | undefined);
  if (inner === undefined) return 0;
  const own = inner.location ?? 0;
  const deeper = inner.lexpr ?? ('TypeCast' in node! ? inner.arg : undefined);
  return deeper === undefined || depth > 100 ? own : Math.min(own, locationOf(deeper, depth + 1));
}

/** What conditions prove not NULL, and what more is not NULL where the row of an outer join is there because of that. */
function neverNull(items: readonly Item[], strict: Ids): Ids {
  if (strict.isEmpty || !items.some(item => item.facts.sides.length > 0)) return strict;
  const known = items.reduce((all, item) => all.union(item.facts.solid), strict);
  return solidWith(items.flatMap(item => item.facts.sides), known);
}

function plainSelect(select: SelectStmt, run: Run, env: Env): Shape {
  const items = fromItems(select.fromClause, run, env);
  const groups = select.groupClause ?? [];
  const conditions = isJudging(run) ? [...conjuncts(select.whereClause), ...conjuncts(select.havingClause)] : [];
  const strict = neverNull(items, strictIds(conditions, items));
  const mentions = mentionedBy(conditions, items);
  const groupingSets = groups.some(group => 'GroupingSet' in group);
  const within = (order: RowOrder | undefined): Scope => ({ sources: items, outer: env.outer, strict, mentions, groupingSets, grouped: groups.length > 0, order });
  const where = conjuncts(select.whereClause);
  let facts: RowFacts | undefined;
  // Few queries ask what decides their rows before they are read whole.
  const own = (): RowFacts => (facts ??= sourceFacts(items, where, placeIn(run, within(undefined), env)));
  const scope = within(isJudging(run) ? rowOrderOf(select, items, decidedBy(own), comesOrdered(select, run, env)) : undefined);
  const place = placeIn(run, scope, env);
  const outputs: Output[] = [];
  let open = false;
  for (const target of select.targetList ?? []) {
    if ('ResTarget' in target) open = targetOutputs(target.ResTarget, place, outputs) || open;
  }
  const aliases = groups.length === 0 && select.sortClause === undefined && select.distinctClause === undefined ? noNames : new Set(outputs.map(output => output.name));
  if (select.whereClause !== undefined) value(select.whereClause, place);
  if (select.havingClause !== undefined) value(select.havingClause, place);
  const inGroup = placeIn(run, scope, env, aliases);
  for (const group of groups) groupItem(group, inGroup);
  for (const item of [...(select.sortClause ?? []).map(sort => ('SortBy' in sort ? sort.SortBy.node : undefined)),
    ...(select.distinctClause ?? [])]) {
    const name = simpleName(item);
    // ORDER BY and DISTINCT ON mean an output column first (findTargetlistEntrySQL92).
    if (item !== undefined && (name === undefined || !aliases.has(name)) && Object.keys(item).length > 0) value(item, place);
  }
  for (const window of select.windowClause ?? []) {
    if (!('WindowDef' in window)) continue;
    visit(window.WindowDef.partitionClause, place);
    visit(window.WindowDef.orderClause, place);
    for (const offset of [window.WindowDef.startOffset, window.WindowDef.endOffset]) if (offset !== undefined) value(offset, place);
  }
  if (select.limitCount !== undefined || select.limitOffset !== undefined) limits(select, placeIn(run, noScope(env), env));
  run.inspection?.selects.set(select, { scope, outputs, open });
  if (run.keys !== undefined) for (const key of keysReliedOn(select, outputs, place)) run.keys.add(key);
  if (!isJudging(run)) return { columns: outputs.map(shown), open, facts: oneRow };
  const aggregates = groups.length === 0 && hasAggregate(select, place);
  const judged = judgeRows(select, outputs, place, aggregates);
  const tainted = outputs.map((output, at) => (judged.columns[at] === output.taints ? output : { ...output, taints: judged.columns[at]! }));
  const chosen = { rows: judged.rows, ...(judged.ordered === undefined ? {} : { ordered: judged.ordered }) };
  if (open) return { columns: tainted.map(shown), open, facts: unknownRows, ...chosen };
  const listed = listedFacts(select, tainted, own(), place, aggregates);
  // Grouping sets make NULLs of what a condition has bound.
  const bound = scope.groupingSets ? new Map<number, string>() : literalsOf(where, place);
  return { columns: listed.outputs.map(output => shown(boundOutput(output, bound))), open, facts: listed.facts, ...chosen };
}

const shown = ({ name, type, literal, nullable, taints, start, ids, literals, fromOne }: Output): ShapeColumn =>
  ({ name, type, literal, nullable, taints, start, ids, literals, fromOne });

const noNames: ReadonlySet<string> = new Set();

/** A column that WHERE binds to a constant has that value only. */
function boundOutput(output: Output, bound: ReadonlyMap<number, string>): Output {
  if (bound.size === 0 || output.column === undefined) return output;
  const text = output.column.ids.map(id => bound.get(id)).find(found => found !== undefined);
  return text === undefined ? output : { ...output, literals: new Set([text]) };
}

/** What decides the rows of everything in FROM, side by side, filtered by WHERE. */
function sourceFacts(items: readonly Item[], where: readonly Node[], place: Place): RowFacts {
  const facts = together(...items.map(item => item.facts));
  return withLaws(facts, [...conditionLaws(where, place, facts.rows), ...partialLaws(where, place)], place.scope.strict);
}

function groupItem(node: Node, place: Place): void {
  if ('GroupingSet' in node) {
    if (place.run.depth > depthLimit) {
      place.run.truncated = true;
      return;
    }
    place.run.depth += 1;
    for (const item of node.GroupingSet.content ?? []) groupItem(item, place);
    place.run.depth -= 1;
    return;
  }
  const name = simpleName(node);
  if (name !== undefined && place.aliases?.has(name) === true && !place.scope.sources.some(source => source.open)
    && peek(node, place.scope.sources) === undefined) return;
  value(node, place);
}

function simpleName(node: Node | undefined): string | undefined {
  if (node === undefined || !('ColumnRef' in node) || node.ColumnRef.fields?.length !== 1) return undefined;
  return strings(node.ColumnRef.fields)[0];
}

/** Adds what one select-list item puts out; true when that is not known. */
function targetOutputs(target: { readonly name?: string; readonly val?: Node; readonly location?: number }, place: Place,
  outputs: Output[]): boolean {
  const node = target.val;
  const start = target.location ?? 0;
  if (node !== undefined && 'ColumnRef' in node && (node.ColumnRef.fields ?? []).some(field => 'A_Star' in field)) {
    return starOutputs(strings(node.ColumnRef.fields), place, start, outputs);
  }
  if (node !== undefined && 'A_Indirection' in node && (node.A_Indirection.indirection ?? []).some(field => 'A_Star' in field)) {
    const inner = node.A_Indirection.arg;
    const row = simpleName(inner);
    const own = row !== undefined && peek(inner, place.scope.sources) === undefined && !place.scope.sources.some(source => source.open);
    if (own && lookupEntry(place.scope, row) !== undefined) return starOutputs([row], place, start, outputs);
    value(inner, place);
    return true;
  }
  const name = target.name ?? outputName(node, firstName);
  const worth: Value = value(node, place);
  if (name === undefined) return true;
  const { type, literal, nullable, taints, column } = worth;
  outputs.push({ name, type, literal, nullable, taints, start, ...(column === undefined ? {} : { column }),
    ...(node === undefined ? {} : { node }) });
  return false;
}

/** The first output name of a sub-select by its text alone; undefined for `*`. */
function firstName(node: Node): string | undefined {
  let select = 'SelectStmt' in node ? node.SelectStmt : undefined;
  while (select?.larg !== undefined) select = select.larg;
  if (select?.valuesLists !== undefined && select.valuesLists.length > 0) return 'column1';
  const target = select?.targetList?.[0];
  if (target === undefined || !('ResTarget' in target)) return undefined;
  if (target.ResTarget.name !== undefined) return target.ResTarget.name;
  const inner = target.ResTarget.val;
  if (inner !== undefined && 'ColumnRef' in inner && lastName(inner.ColumnRef.fields) === undefined) return undefined;
  if (inner !== undefined && 'ColumnRef' in inner && (inner.ColumnRef.fields ?? []).some(field => 'A_Star' in field)) return undefined;
  return outputName(inner, firstName);
}

function starOutputs(qualifier: readonly string[], place: Place, start: number, outputs: Output[]): boolean {
  const { scope } = place;
  const entry = qualifier.length === 0 ? undefined : lookupEntry(scope, qualifier.at(-1)!, qualifier.length > 1 ? qualifier.at(-2)
    : undefined)?.entry;
  const columns = qualifier.length === 0 ? scope.sources.flatMap(source => source.columns) : entry?.columns ?? [];
  const open = qualifier.length === 0 ? scope.sources.some(source => source.open) : entry === undefined || entry.open;
  if (open) {
    const entries = qualifier.length === 0 ? scope.sources.flatMap(source => source.entries) : entry === undefined ? [] : [entry];
    for (const read of entries.filter(candidate => candidate.open).flatMap(candidate => candidate.reads)) read.columns = undefined;
  }
  for (const column of columns) {
    use(column);
    outputs.push({ name: column.name, type: column.type, literal: false, nullable: narrowed(column, scope), taints: column.taints, start,
      column });
  }
  return open;
}

/** A literal in a select list is text at last. */
export const finalType = (column: ShapeColumn): Known<string> =>
  (isUnknown(column.type) ? column.type : column.literal ? 'text' : column.type);
