import type { Node } from '../sql/tree.ts';
import type { Place } from './expression.ts';
import { columnOf, idsIn, inputsOf, typeWord } from './inputs.ts';
import { isExact, isFixable } from './keys.ts';
import { closure } from './closure.ts';
import { Ids } from './ids.ts';
import { law, perhaps, same, tangled, together, type Law } from './laws.ts';
import { strings } from './names.ts';
import { partsOf, plainText } from './parts.ts';
import { isUnknown, type ScopeColumn } from './scope.ts';

const orders = new Set(['<', '>', '<=', '>=']);
/** What a condition can become without rounding: a column compared with it has one value. */
const exactCasts = new Set(['int2', 'int4', 'int8', 'numeric', 'text', 'varchar', 'bool', 'date', 'timestamp', 'timestamptz', 'uuid']);
const exactCalls = new Set(['date_trunc', 'lower', 'upper', 'date', 'btrim', 'md5', 'now', 'make_date']);

/**
 * What conditions that must all hold say of the rows that pass: equal columns, columns of one value. `rows` are all rows of the sources:
 * what is not understood may decide anything. Comparisons with `<` and `>` leave many values, unless two of them close in on one.
 */
export function conditionLaws(parts: readonly Node[], place: Place, rows: readonly number[]): readonly Law[] {
  const laws: Law[] = [];
  const bounded = new Set<ScopeColumn>();
  const bound = new Map<ScopeColumn, boolean>();
  // What has one value follows from a law without a condition, and most sources have none.
  const hasSingle = place.scope.sources.some(({ facts }) => facts.laws.some(item => item.from.length === 0 && !item.possible));
  const single = hasSingle ? closure(together(...place.scope.sources.map(source => source.facts)), []) : Ids.none;
  for (const part of parts) {
    laws.push(...ofPart(part, place, rows, bounded));
    if ((hasSingle || parts.length > 1) && contradicts(part, single, bound, place)) laws.push(perhaps([], rows));
  }
  return laws;
}

/**
 * Whether two conditions on one column may let no row pass. Two that only bound it leave values; `single`: columns that have one value
 * already; `bound`: the columns of the conditions before, and whether one of those was for certain values.
 */
function contradicts(part: Node, single: Ids, bound: Map<ScopeColumn, boolean>, place: Place): boolean {
  if ('NullTest' in part && part.NullTest.nulltesttype === 'IS_NOT_NULL') return false;
  const column = onlyColumn(part, place);
  if (column === undefined) return false;
  const isLoose = 'A_Expr' in part && part.A_Expr.kind === 'AEXPR_OP' && /^[<>]/.test(strings(part.A_Expr.name).join('.'));
  const before = bound.get(column);
  bound.set(column, !isLoose || before === true);
  return column.ids.some(id => single.has(id)) || (before !== undefined && (!isLoose || before));
}

/** The one column that a condition names. */
function onlyColumn(part: Node, place: Place): ScopeColumn | undefined {
  let only: ScopeColumn | undefined;
  for (const name of partsOf(part).columns) {
    const column = columnOf(name, place);
    if (column === undefined || column === only) continue;
    if (only !== undefined) return undefined;
    only = column;
  }
  return only;
}

function ofPart(part: Node, place: Place, rows: readonly number[], bounded: Set<ScopeColumn>): readonly Law[] {
  if ('A_Const' in part) return part.A_Const.boolval?.boolval === true ? [] : [perhaps([], rows)];
  if ('ColumnRef' in part) return fixed(columnOf(part, place), rows);
  if ('BoolExpr' in part && part.BoolExpr.boolop === 'NOT_EXPR' && part.BoolExpr.args?.length === 1) {
    const column = columnOf(part.BoolExpr.args[0], place);
    if (column !== undefined) return fixed(column, rows);
  }
  if ('BooleanTest' in part) {
    const { booltesttype, arg } = part.BooleanTest;
    if (booltesttype === 'IS_TRUE' || booltesttype === 'IS_FALSE') return fixed(columnOf(arg, place), rows);
  }
  if ('NullTest' in part) {
    const column = columnOf(part.NullTest.arg, place);
    if (column !== undefined) return part.NullTest.nulltesttype === 'IS_NOT_NULL' ? []
      // An index over a value that is always NULL forbids nothing; and no row passes where it is never NULL.
      : [...fixed(column, rows), perhaps(column.nullable === false ? [] : column.ids, rows)];
  }
  if ('A_Expr' in part) {
    const known = ofComparison(part.A_Expr, place, bounded);
    if (known !== undefined) return known;
  }
  const inputs = inputsOf(part, place);
  return inputs.whole && inputs.pure && inputs.columns.length > 0 ? tangled(idsIn(inputs)) : [perhaps([], rows)];
}

const fixed = (column: ScopeColumn | undefined, rows: readonly number[]): readonly Law[] =>
  (column === undefined ? [perhaps([], rows)] : [law([], column.ids)]);

/** What a comparison says; undefined when it is not one of those that are understood. */
function ofComparison(node: Extract<Node, { A_Expr: unknown }>['A_Expr'], place: Place,
  bounded: Set<ScopeColumn>): readonly Law[] | undefined {
  const { kind, lexpr, rexpr } = node;
  const name = strings(node.name);
  const operator = name.length === 1 ? name[0]! : '';
  const left = columnOf(lexpr, place);
  const right = columnOf(rexpr, place);
  if (kind === 'AEXPR_IN') {
    const items = rexpr !== undefined && 'List' in rexpr ? rexpr.List.items ?? [] : [];
    if (left === undefined || !items.every(isLiteral)) return undefined;
    if (operator === '<>' || new Set(items.map(plainText)).size > 1) return [];
    return isFixable(left) ? [law([], left.ids)] : undefined;
  }
  if (kind === 'AEXPR_BETWEEN' && left !== undefined) return [perhaps([], left.ids)];
  if (kind === 'AEXPR_NOT_DISTINCT' && left !== undefined && right !== undefined && isExact(left, right)) return same(left.ids, right.ids);
  if (kind !== 'AEXPR_OP') return undefined;
  if (operator === '=') {
    if (left !== undefined && right !== undefined) return isExact(left, right) ? same(left.ids, right.ids) : undefined;
    const [column, other] = left !== undefined ? [left, rexpr] : [right, lexpr];
    return column === undefined || other === undefined ? undefined : bound(column, other, place);
  }
  const simple = (column: ScopeColumn | undefined, other: Node | undefined): boolean =>
    column !== undefined && other !== undefined && isLiteral(other);
  if (operator === '<>' && (simple(left, rexpr) || simple(right, lexpr) || (left !== undefined && right !== undefined))) return [];
  if (!orders.has(operator)) return undefined;
  const top = left?.fromOne === true ? onlyOne(operator, rexpr) : right?.fromOne === true ? onlyOne(turned[operator]!, lexpr) : false;
  if (top) return [law([], (left ?? right)!.ids)];
  const columns = [left, right].filter(column => column !== undefined);
  if (columns.length === 0 || !(columns.length === 2 || simple(left, rexpr) || simple(right, lexpr))) return undefined;
  const closing = columns.filter(column => bounded.has(column));
  columns.forEach(column => bounded.add(column));
  return closing.map(column => perhaps(columns.length === 1 ? [] : columns.filter(other => other !== column).flatMap(other => other.ids),
    column.ids));
}

const turned: Readonly<Record<string, string>> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=' };

/** `n <= 1`, `n < 2` of what counts from one. */
const onlyOne = (operator: string, other: Node | undefined): boolean => other !== undefined && 'A_Const' in other
  && other.A_Const.ival !== undefined && ((operator === '<=' && other.A_Const.ival.ival === 1) || (operator === '<' && other.A_Const.ival.ival === 2));

/** `column = expression`: what decides the expression decides the column, where the comparison rounds nothing. */
function bound(column: ScopeColumn, other: Node, place: Place): readonly Law[] | undefined {
  const inputs = inputsOf(other, place);
  if (!inputs.pure || !isFixable(column)) return undefined;
  const exact = isLiteral(other) || 'SQLValueFunction' in other
    || ('TypeCast' in other && exactCasts.has(typeWord(other.TypeCast.typeName) ?? ''))
    || ('FuncCall' in other && exactCalls.has(strings(other.FuncCall.funcname).at(-1) ?? ''));
  if (!exact) return undefined;
  const ids = idsIn(inputs);
  return [law(ids, column.ids), ...tangled([...ids, ...column.ids])];
}

const isLiteral = (node: Node): boolean => 'A_Const' in node && node.A_Const.isnull !== true;

/** Columns that a condition binds to a constant that is written out: what tells the branches of UNION ALL apart. */
export function literalsOf(parts: readonly Node[], place: Place): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const part of parts) {
    if (!('A_Expr' in part) || part.A_Expr.kind !== 'AEXPR_OP' || strings(part.A_Expr.name).join('.') !== '=') continue;
    const { lexpr, rexpr } = part.A_Expr;
    const column = columnOf(lexpr, place);
    const text = rexpr === undefined ? undefined : literalText(rexpr);
    if (column !== undefined && text !== undefined && !isUnknown(column.type)) column.ids.forEach(id => found.set(id, text));
  }
  return found;
}

/** A constant as text, so that two different texts are two different values: integers and strings only; a cast of one to text keeps it. */
export function literalText(node: Node): string | undefined {
  if ('TypeCast' in node) {
    const { arg, typeName } = node.TypeCast;
    return arg !== undefined && 'A_Const' in arg && arg.A_Const.sval !== undefined && typeWord(typeName) === 'text' ? literalText(arg)
      : undefined;
  }
  if (!('A_Const' in node)) return undefined;
  const { ival, sval, boolval, isnull } = node.A_Const;
  if (isnull === true) return undefined;
  if (ival !== undefined) return `i${ival.ival ?? 0}`;
  if (boolval !== undefined) return `b${String(boolval.boolval === true)}`;
  return sval === undefined ? undefined : `s${sval.sval ?? ''}`;
}
