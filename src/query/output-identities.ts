import type { Known } from '../model.ts';
import type { Node } from '../sql/tree.ts';
import { isAggregateCall } from './call.ts';
import { literalText } from './condition-laws.ts';
import { peek } from './conditions.ts';
import { narrowed, type Place } from './expression.ts';
import { Ids } from './ids.ts';
import { columnOf, idsIn, inputsOf, type Inputs } from './inputs.ts';
import { law, perhaps, same, type Law } from './laws.ts';
import { strings } from './names.ts';
import { partsOf, plainText } from './parts.ts';
import { isUnknown, newId, type ScopeColumn, type ShapeColumn } from './scope.ts';
import { withoutModifier } from './types.ts';

/** One column of a select list: what it is and what it was written as. */
export interface Output extends ShapeColumn {
  readonly column?: ScopeColumn | undefined;
  readonly node?: Node | undefined;
}

interface Identified {
  readonly outputs: readonly Output[];
  readonly laws: readonly Law[];
  readonly solid: Ids;
}

/** Gives every output its identities: a column of this query keeps its own, anything else gets one, and what decides it. */
export function identified(given: readonly Output[], place: Place): Identified {
  const { run, scope } = place;
  const isOwn = (column: ScopeColumn): boolean => scope.sources.some(({ columns, entries }) => columns.includes(column)
    || entries.some(entry => entry.columns !== columns && entry.columns.includes(column)));
  const laws: Law[] = [];
  const solid: number[] = [];
  const seen = new Map<string, Pure[]>();
  const outputs = given.map((output): Output => {
    const { node, column } = output;
    const literal = node === undefined ? undefined : literalText(node);
    const rest: { literals?: ReadonlySet<string>; fromOne?: true } = literal === undefined ? {} : { literals: new Set([literal]) };
    if (column !== undefined && isOwn(column)) return withIds(output, column.ids, column);
    const inputs = node === undefined ? undefined : inputsOf(node, place);
    const alike = inputs?.pure === true ? likeIt(inputs, seen) : undefined;
    const known = alike === undefined ? undefined : sameText(node!, alike);
    if (known !== undefined) return withIds(output, known, rest);
    const merged = node === undefined ? undefined : mergedBy(node, place);
    if (merged !== undefined) return withIds(output, [merged]);
    const ids = [newId(run)];
    if (node !== undefined && isNumbering(node)) rest.fromOne = true;
    alike?.push({ node: node!, ids });
    if (output.nullable === false) solid.push(...ids);
    if (node !== undefined && inputs !== undefined) laws.push(...expressionLaws(node, inputs, ids, output, place));
    return withIds(output, ids, rest);
  });
  return { outputs, laws, solid: Ids.of(solid) };
}

/** An output whose columns decide it. */
interface Pure {
  readonly node: Node;
  readonly ids: readonly number[];
}

/** The outputs that the same columns decide: only those can be the same expression, and few are. */
function likeIt(inputs: Inputs, seen: Map<string, Pure[]>): Pure[] {
  const key = idsIn(inputs).join();
  const alike = seen.get(key) ?? [];
  seen.set(key, alike);
  return alike;
}

/** The identities of an expression that is written alike. */
function sameText(node: Node, alike: readonly Pure[]): readonly number[] | undefined {
  const text = alike.length === 0 ? undefined : plainText(node);
  return text === undefined ? undefined : alike.find(other => plainText(other.node) === text)?.ids;
}

/** The output with its identities; those that it has already stay. */
function withIds(output: Output, ids: readonly number[], { literals, fromOne }: Pick<Output, 'literals' | 'fromOne'> = {}): Output {
  const { name, type, literal, nullable, taints, start, column, node } = output;
  return { name, type, literal, nullable, taints, start, ids: output.ids ?? ids, literals, fromOne, column, node };
}

const isNumbering = (node: Node): boolean => 'FuncCall' in node && node.FuncCall.over !== undefined
  && ['row_number', 'pg_catalog.row_number'].includes(strings(node.FuncCall.funcname).join('.'));

/** `coalesce(a.id, b.id)` over FULL JOIN … ON a.id = b.id: what USING would have made of the two. */
function mergedBy(node: Node, { scope }: Place): number | undefined {
  if (!('CoalesceExpr' in node) || node.CoalesceExpr.args?.length !== 2) return undefined;
  const [a, b] = node.CoalesceExpr.args.map(arg => peek(arg, scope.sources)?.ids[0]);
  if (a === undefined || b === undefined) return undefined;
  return scope.sources.flatMap(source => source.facts.merges).find(({ of }) => of.includes(a) && of.includes(b))?.id;
}

/** What an expression of the select list and its columns say of each other. */
function expressionLaws(node: Node, inputs: Inputs, ids: readonly number[], output: Output, place: Place): readonly Law[] {
  const from = idsIn(inputs);
  if (isLossy(node)) return inputs.pure ? [law(from, ids, { everywhere: true })] : [];
  if (partsOf(node).calls.some(call => isAggregateCall(call, place) || call.over !== undefined)) return [];
  const inner = keptColumn(node, output, place);
  if (inner !== undefined) return same(inner.ids, ids, { everywhere: true });
  const back = inputs.whole ? [perhaps(ids, from)] : [perhaps([], ids), perhaps(ids, rowsOf(place))];
  // An index over a column that is always NULL forbids nothing.
  if (from.length === 0 && inputs.pure) return [law([], ids, { everywhere: true }), perhaps(ids, rowsOf(place))].slice(0,
    output.nullable === false ? 1 : 2);
  return inputs.pure ? [law(from, ids, { everywhere: true }), ...back] : back;
}

const rowsOf = (place: Place): readonly number[] => place.scope.sources.flatMap(source => source.facts.rows);

/** The column that an expression shows without loss: another column of an outer query, a widening cast, coalesce() of what is never NULL. */
function keptColumn(node: Node, output: Output, place: Place): ScopeColumn | undefined {
  if ('ColumnRef' in node) return columnOf(node, place);
  if ('CoalesceExpr' in node) {
    const column = columnOf(node.CoalesceExpr.args?.[0], place);
    return column !== undefined && narrowed(column, place.scope) === false && isSameType(column, output) ? column : undefined;
  }
  if ('A_Expr' in node && strings(node.A_Expr.name).join('.') === '||') {
    const [column, other] = [columnOf(node.A_Expr.lexpr, place), node.A_Expr.rexpr];
    return column !== undefined && column.type === 'text' && other !== undefined && literalText(other)?.startsWith('s') === true ? column
      : undefined;
  }
  if (!('TypeCast' in node)) return undefined;
  const column = columnOf(node.TypeCast.arg, place);
  if (column === undefined || isUnknown(column.type) || isUnknown(output.type)) return undefined;
  const [from, to] = [withoutModifier(column.type), output.type];
  return from === to || (widening[from] ?? []).includes(to) ? column : undefined;
}

const isSameType = (a: { readonly type: Known<string> }, b: { readonly type: Known<string> }): boolean =>
  !isUnknown(a.type) && !isUnknown(b.type) && withoutModifier(a.type) === withoutModifier(b.type);

/** Casts that keep different values different (integers and their texts; no modifiers). */
const widening: Readonly<Record<string, readonly string[]>> = {
  smallint: ['integer', 'bigint', 'numeric', 'text', 'character varying'], integer: ['bigint', 'numeric', 'text', 'character varying'],
  bigint: ['numeric', 'text', 'character varying'], uuid: ['text', 'character varying'],
  text: ['character varying'], 'character varying': ['text'], date: ['timestamp without time zone'],
};

const lossyCalls = new Set(['date_trunc', 'lower', 'upper', 'date_part', 'extract', 'round', 'floor', 'ceil', 'ceiling', 'trunc',
  'length', 'abs', 'left']);

/** Whether different values surely become equal: rounding, and calls that forget. */
export function isLossy(node: Node): boolean {
  if ('FuncCall' in node) {
    const { funcname, args, over } = node.FuncCall;
    return over === undefined && lossyCalls.has(strings(funcname).at(-1) ?? '')
      && (args ?? []).every(arg => 'ColumnRef' in arg || 'A_Const' in arg);
  }
  return false;
}

/** DISTINCT alone is a list of one empty node. */
export const isDistinctOn = (distinct: readonly Node[]): boolean => distinct.some(item => Object.keys(item).length > 0);

/** The identity that a GROUP BY or DISTINCT ON item has. GROUP BY means an input column first, DISTINCT ON an output name first. */
export function idOf(node: Node, outputs: readonly Output[], place: Place, names: 'group' | 'order'): number | undefined {
  if ('A_Const' in node) return node.A_Const.ival === undefined ? undefined : outputs[(node.A_Const.ival.ival ?? 0) - 1]?.ids?.[0];
  const simple = 'ColumnRef' in node ? strings(node.ColumnRef.fields) : [];
  const byName = simple.length === 1 ? outputs.find(output => output.name === simple[0])?.ids?.[0] : undefined;
  if ('ColumnRef' in node) {
    if (names === 'order' && byName !== undefined) return byName;
    const column = columnOf(node, place);
    return column !== undefined ? column.ids[0] : place.scope.sources.some(source => source.open) ? undefined : byName;
  }
  const text = plainText(node);
  return text === undefined ? undefined : outputs.find(output => output.node !== undefined && plainText(output.node) === text)?.ids?.[0];
}
