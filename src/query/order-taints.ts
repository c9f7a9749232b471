import type { Taint } from '../model.ts';
import type { FuncCall, Node, SelectStmt, SubLink, WindowDef } from '../sql/tree.ts';
import type { Origin } from './determinism.ts';
import { Ids } from './ids.ts';
import { originTaint, type Place } from './expression.ts';
import { decidesRows } from './closure.ts';
import { strings } from './names.ts';
import { orderedByItself } from './remedies.ts';
import { boundBy, isDecided, isOneRow, meant, nothingBound, sortNodes, type Bound, type RowOrder } from './row-order.ts';
import { isUnknown, type Shape, type Value } from './scope.ts';

/** What depends on the order in which rows come: none of it is said by the volatility of a function (measured, facts C2). */
const keepers = new Set([
  'array_agg', 'string_agg', 'json_agg', 'jsonb_agg', 'json_agg_strict', 'jsonb_agg_strict', 'json_object_agg', 'json_object_agg_strict',
  'json_object_agg_unique', 'json_object_agg_unique_strict', 'xmlagg', 'any_value',
]);
const lastKeyWins = new Set(['jsonb_object_agg', 'jsonb_object_agg_strict']);
const sums = new Set([
  'sum', 'avg', 'stddev', 'stddev_pop', 'stddev_samp', 'variance', 'var_pop', 'var_samp', 'corr', 'covar_pop', 'covar_samp', 'regr_avgx',
  'regr_avgy', 'regr_intercept', 'regr_r2', 'regr_slope', 'regr_sxx', 'regr_sxy', 'regr_syy',
]);
const countingRows = new Set(['row_number', 'ntile', 'lag', 'lead']);
const pickingRows = new Set(['first_value', 'last_value', 'nth_value']);
/** Flags of WindowDef.frameOptions (parsenodes.h). */
const frame = { nonDefault: 0x1, rows: 0x4, startUnboundedPreceding: 0x20, endUnboundedFollowing: 0x100, startCurrentRow: 0x200, endCurrentRow: 0x400 } as const;

const inOrder = (form: 'aggregate' | 'pick', says: string): Origin => ({ cause: 'order', flips: 'when rows move', form, says });
const unordered = 'takes its rows in the order they happen to come';
const ties = 'is ordered by values that rows can share, and takes those as they happen to come';
const digits: Origin = { cause: 'order', flips: 'when rows move', form: 'float',
  says: 'adds floating-point numbers, whose last digits depend on the order of the rows' };

/** The order taint of a call of a built-in function, by its name and the types of its arguments. */
export function orderTaint(node: FuncCall, name: string, isAggregate: boolean, values: readonly Value[], place: Place): readonly Taint[] {
  const { order } = place.scope;
  if (order === undefined) return [];
  if (node.over !== undefined) return windowTaint(node, name, isAggregate, values, place, order);
  if (!isAggregate) return [];
  const float = floats(name, node, values, place);
  if (float.length > 0) return float;
  const keyWins = lastKeyWins.has(name);
  if ((!keepers.has(name) && !keyWins) || node.agg_distinct === true || node.agg_within_group === true) return [];
  return aggregateTaint(name === 'any_value' ? 'pick' : 'aggregate', node.args ?? [], node.agg_order, keyWins, node.location, place, order,
    name === 'any_value' ? undefined : () => orderedByItself(node, values, place));
}

/** An aggregate that keeps the order of its input; `keyWins`: of two equal keys (its first argument) the last one stays. */
export function aggregateTaint(form: 'aggregate' | 'pick', args: readonly Node[], sort: readonly Node[] | undefined, keyWins: boolean,
  location: number | undefined, place: Place, order: RowOrder, remedy?: () => Taint['remedy']): readonly Taint[] {
  const sorted = sortNodes(sort);
  if (order.ordered && sorted.length === 0) return [];
  const bound = boundBy(keyWins ? [...sorted, ...args.slice(0, 1)] : sorted, place.scope.sources, order.groups);
  // A relation that is not known may have the key that decides.
  if (isOneRow(order, bound) !== 'no' || args.every(arg => isDecided(arg, bound, order, place.scope))) return [];
  return originTaint(place, inOrder(form, sorted.length > 0 ? ties : unordered), location, remedy);
}

/** Sums of floating-point numbers: the order decides their last digits. One row has one order. */
function floats(name: string, node: FuncCall, values: readonly Value[], place: Place): readonly Taint[] {
  const { order } = place.scope;
  if (!sums.has(name) || order === undefined) return [];
  const isFloat = values.some(({ type }) => type === 'double precision' || type === 'real');
  if (!isFloat || order.ordered || isOneRow(order, boundBy(sortNodes(node.agg_order), place.scope.sources, order.groups)) !== 'no') return [];
  if (node.args?.every(arg => isDecided(arg, order.groups, order, place.scope)) === true) return [];
  return originTaint(place, digits, node.location);
}

function windowTaint(node: FuncCall, name: string, isAggregate: boolean, values: readonly Value[], place: Place,
  order: RowOrder): readonly Taint[] {
  const window = resolved(node.over, order);
  // Over groups the rows are those of GROUP BY, whose key is what it groups by.
  if (window === undefined) return [];
  const sorted = sortNodes(window.orderClause);
  const options = window.frameOptions ?? 0;
  const isRows = (options & frame.nonDefault) !== 0 && (options & frame.rows) !== 0;
  const isWhole = (options & frame.startUnboundedPreceding) !== 0 && (options & frame.endUnboundedFollowing) !== 0;
  // The frame begins or ends with the row itself.
  if (isRows && ((name === 'last_value' && (options & frame.endCurrentRow) !== 0) || (name === 'first_value' && (options & frame.startCurrentRow) !== 0))) return [];
  const counts = countingRows.has(name) || (isAggregate && isRows && !isWhole);
  const keeps = pickingRows.has(name) || (isAggregate && keepers.has(name));
  const adds = isAggregate && sums.has(name) && values.some(({ type }) => type === 'double precision' || type === 'real');
  if (!counts && !keeps && !adds) return [];
  const bound = boundBy([...window.partitionClause ?? [], ...sorted], place.scope.sources, fixedOnly(place, order));
  if (oneRowOf(bound, place, order) !== 'no') return [];
  if (keeps && !isRows && (node.args ?? []).every(arg => isDecided(arg, bound, order, place.scope))) return [];
  if (order.ordered && sorted.length === 0) return [];
  if (adds && !counts) return originTaint(place, digits, node.location);
  return originTaint(place, inOrder('pick', sorted.length > 0 ? ties : unordered), node.location);
}

/** Without GROUP BY every row counts; with it, one per group. */
const fixedOnly = (place: Place, order: RowOrder): Bound => (place.scope.grouped ? nothingBound : order.groups);

/** Whether rows that agree in the bound values are one row, after GROUP BY: then all that it groups by must be decided. */
function oneRowOf(bound: Bound, place: Place, order: RowOrder): 'yes' | 'no' | 'unknown' {
  if (!place.scope.grouped) return isOneRow(order, bound);
  if (order.known.decides(bound.ids)) return 'yes';
  const { ids, texts } = order.groups;
  const known = order.known.from(bound.ids);
  return [...texts].every(text => bound.texts.has(text)) && [...ids].every(id => known.has(id)) ? 'yes' : isOneRow(order, bound);
}

/** A window by name, or one that adds to a named one. */
function resolved(over: WindowDef | undefined, order: RowOrder, depth = 0): WindowDef | undefined {
  if (over === undefined || depth > 10) return undefined;
  const name = over.refname ?? (over.partitionClause === undefined && over.orderClause === undefined ? over.name : undefined);
  if (name === undefined) return over;
  const named = order.windows.get(name);
  const base = named === undefined ? undefined : named.refname === undefined ? named : resolved({ ...named }, order, depth + 1);
  if (base === undefined) return undefined;
  const { partitionClause = base.partitionClause, orderClause = base.orderClause, frameOptions } = over;
  return { ...(partitionClause === undefined ? {} : { partitionClause }), ...(orderClause === undefined ? {} : { orderClause }),
    frameOptions: over.refname === undefined ? base.frameOptions ?? 0 : frameOptions ?? 0 };
}

/** One output of a select list as the choice of rows sees it. */
interface Shown {
  readonly column?: { readonly ids: readonly number[] } | undefined;
  readonly node?: Node | undefined;
}

/** What ORDER BY and DISTINCT ON bind, output names and numbers resolved. */
function boundByLists(lists: readonly (readonly Node[])[], select: SelectStmt, place: Place, order: RowOrder): Bound {
  const nodes = lists.flatMap(list => list.map(node => meant(node, select, place.scope.sources, 'order')));
  return boundBy(nodes, place.scope.sources, place.scope.grouped ? nothingBound : order.groups);
}

function decidedOutput(output: Shown, bound: Bound, place: Place, order: RowOrder): boolean {
  if (output.node !== undefined) return isDecided(output.node, bound, order, place.scope);
  const known = order.known.from(bound.ids);
  return output.column?.ids.some(id => known.has(id)) === true;
}

/** What a SELECT leaves to the order of its rows. */
export interface Picks {
  /** LIMIT and OFFSET: which rows. */
  readonly rows: readonly Taint[];
  /** DISTINCT ON: the outputs that it takes from one row of several. */
  readonly columns: ReadonlyMap<number, readonly Taint[]>;
  readonly ordered: boolean | undefined;
}

/** What LIMIT, OFFSET and DISTINCT ON take from rows that their ORDER BY does not tell apart. `isOne`: the query gives one row by itself. */
export function picksOf(select: SelectStmt, outputs: readonly Shown[], place: Place, isOne: boolean): Picks {
  const { order } = place.scope;
  const none: Picks = { rows: [], columns: new Map(), ordered: isOne };
  if (order === undefined || isOne) return none;
  const distinct = (select.distinctClause ?? []).filter(item => Object.keys(item).length > 0);
  const sorted = sortNodes(select.sortClause);
  const isLimited = select.limitCount !== undefined || select.limitOffset !== undefined;
  if (sorted.length === 0 && distinct.length === 0 && !isLimited) return { ...none, ordered: unsortedOrder(select, false, place, order) };
  const bound = boundByLists([sorted, distinct], select, place, order);
  const decided = outputs.map(output => decidedOutput(output, bound, place, order));
  const total = totalBy(bound, decided, place, order);
  const alone = boundByLists([sorted], select, place, order);
  const isSorted = sorted.length === 0 ? 'no' : totalBy(alone, outputs.map(output => decidedOutput(output, alone, place, order)), place, order);
  const ordered = sorted.length === 0 ? unsortedOrder(select, distinct.length > 0, place, order) : isSorted === 'yes' || (isSorted === 'unknown' ? undefined : false);
  const columns = new Map<number, readonly Taint[]>();
  if (distinct.length > 0 && total === 'no') {
    const start = (Object.values(distinct[0]!)[0] as { location?: number }).location ?? 0;
    const taints = originTaint(place, { ...inOrder('pick', sorted.length > distinct.length
      ? 'is the group of DISTINCT ON, and its ORDER BY leaves ties between the rows of a group'
      : 'is the group of DISTINCT ON, and no ORDER BY says which row of a group stays') }, start);
    decided.forEach((is, at) => { if (!is) columns.set(at, taints); });
  }
  return { rows: ordered === true || total !== 'no' ? [] : limitTaint(select, sorted, place), columns, ordered };
}

/** Whether rows come in order without ORDER BY: those of one ordered sub-select do, and one row does. That they do not is only found where it is asked. */
function unsortedOrder(select: SelectStmt, isDistinct: boolean, place: Place, order: RowOrder): boolean | undefined {
  if (order.ordered && (select.groupClause ?? []).length === 0 && !isDistinct) return true;
  if (place.env.asksOrder !== true) return undefined;
  return oneRowOf(nothingBound, place, order) === 'no' ? false : undefined;
}

/** Whether rows that agree in what is bound are equal: one row, or the same in all that is shown. */
function totalBy(bound: Bound, decided: readonly boolean[], place: Place, order: RowOrder): 'yes' | 'no' | 'unknown' {
  return decided.every(Boolean) ? 'yes' : oneRowOf(bound, place, order);
}

const isNothing = (node: Node | undefined, zero: boolean): boolean => node === undefined || ('A_Const' in node
  && (node.A_Const.isnull === true || (zero && node.A_Const.ival !== undefined && (node.A_Const.ival.ival ?? 0) === 0)));

/** LIMIT and OFFSET; LIMIT ALL and OFFSET 0 keep every row, WITH TIES keeps what it cannot tell apart. */
function limitTaint(select: SelectStmt, sorted: readonly Node[], place: Place): readonly Taint[] {
  if (select.limitOption === 'LIMIT_OPTION_WITH_TIES') return [];
  const part = !isNothing(select.limitCount, false) ? select.limitCount : isNothing(select.limitOffset, true) ? undefined : select.limitOffset;
  if (part === undefined) return [];
  const random = sorted.flatMap(node => place.run.notes?.taints.get(meant(node, select, place.scope.sources, 'order') ?? node) ?? []).filter(taint => taint.cause === 'random');
  if (random.length > 0) return random;
  const [first] = sorted;
  const location = first === undefined ? (Object.values(part)[0] as { location?: number }).location
    : (Object.values(first)[0] as { location?: number }).location;
  const word = part === select.limitCount ? 'LIMIT' : 'OFFSET';
  return originTaint(place, inOrder('pick', first === undefined ? `is the ${word} of rows that no ORDER BY puts in order`
    : `orders the rows for ${word} by values that rows can share`), location);
}

/** LIMIT over a set operation or VALUES: ORDER BY names output columns only. */
export function picksOfSet(select: SelectStmt, shape: Shape, place: Place): Pick<Picks, 'rows' | 'ordered'> {
  const sorted = sortNodes(select.sortClause);
  const at = (node: Node): number => ('A_Const' in node ? (node.A_Const.ival?.ival ?? 0) - 1 : 'ColumnRef' in node
    ? shape.columns.findIndex(column => column.name === strings(node.ColumnRef.fields)[0]) : -1);
  const bound = new Set(sorted.map(at));
  const ids = shape.columns.flatMap((column, index) => (bound.has(index) ? column.ids ?? [] : []));
  const ordered = !shape.open && (shape.columns.every((_, index) => bound.has(index)) || decidesRows(shape.facts, ids));
  return { rows: ordered || shape.open ? [] : limitTaint(select, sorted, place), ordered };
}

/** ARRAY(SELECT …) keeps the order of its rows. */
export function arrayTaint(node: SubLink, shape: Shape | undefined, place: Place): readonly Taint[] {
  const query = node.subselect;
  if (place.run.notes === undefined || shape === undefined || shape.ordered !== false || query === undefined || !('SelectStmt' in query)) return [];
  const { sortClause, distinctClause, op } = query.SelectStmt;
  // How DISTINCT and UNION come by their order is the plan's affair: nothing is claimed.
  if (distinctClause !== undefined || (op !== undefined && op !== 'SETOP_NONE')) return [];
  return originTaint(place, inOrder('aggregate', sortClause === undefined ? unordered : ties), node.location);
}

/** Where there are no columns of FROM. */
export const noOrder: RowOrder = { known: { from: ids => Ids.of(ids), decides: () => false, isOneRow: () => 'no' }, ordered: false, groups: nothingBound, windows: new Map() };

/** Whether a value of floating point was made exact: then its last digits are gone. */
export const isExactType = (type: Value['type']): boolean => !isUnknown(type) && /^(numeric|integer|bigint|smallint)/.test(type);
