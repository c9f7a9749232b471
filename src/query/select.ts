import type { Known } from '../model.ts';
import type { Node, SelectStmt } from '../sql/tree.ts';
import { agreed } from './casts.ts';
import { conjuncts, equalitiesOf, mentionedIds, peek, strictIds } from './conditions.ts';
import { withCtes } from './ctes.ts';
import { narrowed, value, visit, type Place } from './expression.ts';
import { fromItems, type Item } from './from.ts';
import { filterKeys, joinKeys, minimal } from './keys.ts';
import { lastName, outputName, strings } from './names.ts';
import { hasAggregate, outputKeys, type Output } from './output-keys.ts';
import { depthLimit, isJudging, isUnknown, lookupEntry, unionTaints, unknown, use, type Env, type Key, type Run, type Scope, type Shape,
  type ShapeColumn, type Value } from './scope.ts';
import { typesIn } from './sql-type.ts';
import { noOrder, picksOfSet } from './order-taints.ts';
import { decidedIn } from './row-known.ts';
import { judgeRows } from './row-judgement.ts';
import { rowOrderOf } from './row-order.ts';
import { comesOrdered } from './row-taints.ts';
import { commonType, typeOfValue } from './types.ts';
import { useCoercion } from './uses.ts';

export const openShape: Shape = { columns: [], open: true, keys: [] };

/** What a query (a SELECT, VALUES or set operation; the RETURNING of a CTE) puts out, and the marking of all it uses. Never throws. */
export function analyze(node: Node, run: Run, env: Env): Shape {
  if (!('SelectStmt' in node)) {
    visit(node, { run, scope: noScope(env), env });
    return openShape;
  }
  return selectShape(node.SelectStmt, run, env);
}

const noScope = (env: Env): Scope =>
  ({ sources: [], ...(env.outer === undefined ? {} : { outer: env.outer }), strict: new Set(), mentioned: new Set(), groupingSets: false,
    grouped: false });

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
  const env: Env = { ...outerEnv, ctes: withCtes(select.withClause, run, outerEnv), depth: outerEnv.depth + 1 };
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
  const place: Place = { run, scope: noScope(env), env };
  let shape = selectShape(at, run, env);
  for (const step of steps.reverse()) shape = combine(step, shape, step.rarg === undefined ? openShape : selectShape(step.rarg, run, env), place);
  limits(select, place);
  if (!isJudging(run)) return shape;
  const picks = picksOfSet(select, shape, judged(place));
  return { ...shape, rows: unionTaints(shape.rows ?? [], picks.rows), ordered: picks.ordered === true };
}

/** LIMIT over a set operation asks for no columns of FROM. */
const judged = (place: Place): Place => ({ ...place, scope: { ...place.scope, order: noOrder } });

/** LIMIT and OFFSET are bigint (transformLimitClause). */
function limits(select: SelectStmt, place: Place): void {
  const types = typesIn(place.run.catalog);
  for (const part of [select.limitCount, select.limitOffset]) {
    const from = part === undefined ? undefined : typeOfValue(value(part, place), types);
    if (from !== undefined) useCoercion(place.run, types, from, types.named('int8'), 'implicit');
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
  // Without ALL the result has no two equal rows (measured, facts H); UNION ALL proves nothing.
  return { columns, open: false, keys: step.all === true ? [] : [columns.map((_, at) => at)], rows };
}

function eitherNull(left: Known<boolean>, right: Known<boolean>, name: string, operation: string): Known<boolean> {
  if (left === false && (right === false || operation !== 'SETOP_UNION')) return false;
  return operation === 'SETOP_UNION' && (left === true || right === true) ? true : unknown(`whether ${name} is NULL`);
}

function valuesShape(select: SelectStmt, run: Run, env: Env): Shape {
  const place: Place = { run, scope: noScope(env), env };
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
  return { columns, open: false, keys: rows.length === 1 ? [[]] : [] };
}

/** Where an expression begins: its own location may be that of its operator, so its leftmost part is asked. */
function locationOf(node: Node | undefined, depth = 0): number {
  const inner = node === undefined ? undefined : (Object.values(node)[0] as { location?: number; lexpr?: Node; arg?: Node } | undefined);
  if (inner === undefined) return 0;
  const own = inner.location ?? 0;
  const deeper = inner.lexpr ?? ('TypeCast' in node! ? inner.arg : undefined);
  return deeper === undefined || depth > 100 ? own : Math.min(own, locationOf(deeper, depth + 1));
}

function plainSelect(select: SelectStmt, run: Run, env: Env): Shape {
  const items = fromItems(select.fromClause, run, env);
  const groups = select.groupClause ?? [];
  const conditions = isJudging(run) ? [...conjuncts(select.whereClause), ...conjuncts(select.havingClause)] : [];
  const scope: Scope = {
    ...noScope(env), sources: items, strict: strictIds(conditions, items), mentioned: mentionedIds(conditions, items),
    grouped: groups.length > 0, groupingSets: groups.some(group => 'GroupingSet' in group),
  };
  const own = sourceKeys(items, select);
  const place: Place = { run, env, scope: isJudging(run)
    ? { ...scope, order: rowOrderOf(select, items, decidedIn(select, items, own, run), comesOrdered(select, run, env)) } : scope };
  const outputs: Output[] = [];
  let open = false;
  for (const target of select.targetList ?? []) {
    if ('ResTarget' in target) open = targetOutputs(target.ResTarget, place, outputs) || open;
  }
  const aliases = new Set(outputs.map(output => output.name));
  if (select.whereClause !== undefined) value(select.whereClause, place);
  if (select.havingClause !== undefined) value(select.havingClause, place);
  for (const group of groups) groupItem(group, { ...place, aliases });
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
  limits(select, { ...place, scope: noScope(env) });
  if (!isJudging(run)) return { columns: outputs.map(({ column: _, node: __, ...rest }) => rest), open, keys: [] };
  const aggregates = hasAggregate(select, place);
  const keys = open ? [] : outputKeys(select, outputs, own, place, aggregates);
  const judged = judgeRows(select, outputs, place, aggregates && groups.length === 0);
  return { columns: outputs.map(({ column: _, node: __, ...rest }, at) => ({ ...rest, taints: judged.columns[at]! })), open, keys,
    rows: judged.rows, ...(judged.ordered === undefined ? {} : { ordered: judged.ordered }) };
}

/** The keys of everything in FROM, joined by the commas and filtered by WHERE. */
function sourceKeys(items: readonly Item[], select: SelectStmt): readonly Key[] {
  const first = items[0];
  if (first === undefined) return [[]];
  const condition = equalitiesOf(conjuncts(select.whereClause), items);
  let side = { keys: first.keys, columns: allColumns(first), perRow: first.perRow };
  for (const item of items.slice(1)) {
    const other = { keys: item.keys, columns: allColumns(item), perRow: item.perRow };
    side = { keys: joinKeys('inner', side, other, condition), columns: [...side.columns, ...other.columns], perRow: side.perRow
      || other.perRow };
  }
  return minimal(filterKeys(side.keys, condition.fixed));
}

const allColumns = (item: Item): Item['columns'] => [...item.columns, ...item.entries.flatMap(entry => entry.columns)];

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
