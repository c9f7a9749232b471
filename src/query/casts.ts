import type { Known, Taint } from '../model.ts';
import type { A_Const, Node, TypeCast } from '../sql/tree.ts';
import { lateClock, ofCast } from './determinism.ts';
import { originTaint, recordType, value, type Place } from './expression.ts';
import { settle } from './frozen.ts';
import { lastName } from './names.ts';
import { isUnknown, unionTaints, unknown, type Value } from './scope.ts';
import { castInZone } from './remedies.ts';
import { conversionSetting, settingOrigin } from './settings.ts';
import { typesIn, type Typed, type Types } from './sql-type.ts';
import { commonType, elementText, isBuiltinType, numberType, typeOfValue } from './types.ts';
import { useCoercion, useModifier } from './uses.ts';

/** A constant as make_const types it (parse_node.c); strings and NULL wait for what the context says. */
export function constant(node: A_Const): Value {
  const plain = (type: string): Value => ({ type, literal: false, nullable: false, taints: [], constant: true });
  if (node.isnull === true) return { type: 'text', literal: true, nullable: true, taints: [] };
  if (node.ival !== undefined) return plain('integer');
  if (node.fval !== undefined) return plain(numberType(node.fval.fval ?? ''));
  if (node.boolval !== undefined) return plain('boolean');
  if (node.bsval !== undefined) return plain('"bit"');
  return { type: 'text', literal: true, nullable: false, taints: [], constant: true,
    word: { text: node.sval?.sval ?? '', start: (node as { readonly location?: number }).location ?? 0 } };
}

const textual = new Set(['text', 'varchar', 'bpchar', 'json', 'jsonb']);

/** `x::t`: an explicit conversion, then the modifier (transformTypeCast, coerce_to_target_type). */
export function cast(node: TypeCast, place: Place): Value {
  const types = typesIn(place.run.catalog);
  const type = recordType(node.typeName, place);
  const target = types.parse(type);
  const base = target === undefined ? undefined : baseTyped(target, types);
  if (node.arg !== undefined && 'A_ArrayExpr' in node.arg && target !== undefined && base?.type.element !== undefined) {
    const inner = arrayOfElements(node.arg.A_ArrayExpr.elements, place, base);
    useCoercion(place.run, types, base.type, target.type, 'explicit');
    return { type, literal: false, nullable: false, taints: ofCast(inner, type) };
  }
  const inner = value(node.arg, place);
  convert(inner, target, place);
  const builtin = !isUnknown(type) && isBuiltinType(type.replace(/\[\]$/, ''));
  const from = typeOfValue(inner, types);
  // The conversions of built-in types give NULL for NULL only, but for that of the JSON null to a scalar (18 and later, measured in the tests).
  const isJson = from === undefined || from.key === 'jsonb';
  const nullable = builtin && (inner.nullable === true || (inner.nullable === false && (!isJson || textual.has(target?.type.key ?? '')))) ? inner.nullable : unknown('whether the cast is NULL');
  const setting = from === undefined || target === undefined ? undefined : conversionSetting(types, from, target.type, 'explicit');
  return { type, literal: false, nullable,
    taints: unionTaints(ofCast(inner, type), lateClockTaint(node, type, place), originTaint(place, settingOrigin(setting),
      leftmost(node.arg) ?? node.location, () => (setting === 'TimeZone' ? castInZone(node, inner, isUnknown(type) ? undefined : type, place) : undefined))),
    ...(inner.constant === true ? { constant: true } : {}) };
}

/** Where a cast begins: before its `::` stands the value. */
function leftmost(node: Node | undefined): number | undefined {
  const inner = node === undefined ? undefined : (Object.values(node)[0] as { readonly location?: number });
  return inner?.location;
}

function convert(inner: Value, target: Typed | undefined, place: Place): void {
  const types = typesIn(place.run.catalog);
  const from = typeOfValue(inner, types);
  if (from === undefined || target === undefined) return;
  settle(place.run, inner, target.type);
  const hasModifier = target.text !== target.type.printed;
  const applied = useCoercion(place.run, types, from, target.type, 'explicit', hasModifier, isUnknown(inner.type) ? '' : inner.type);
  // An interval literal takes its modifier as it is read.
  if (!applied && !(inner.literal && target.type.key === 'interval')) {
    useModifier(place.run, types, inner.literal ? undefined : types.parse(inner.type), target);
  }
}

/** A domain's type at last, with its modifier. */
function baseTyped(typed: Typed, types: Types): Typed {
  let at = typed;
  for (let depth = 0; at.type.base !== undefined && depth < 32; depth += 1) at = at.type.base;
  return types.parse(at.text) ?? at;
}

/**
 * ARRAY[…]: the common type of its elements; arrays as elements make an array of more dimensions. Under a cast the elements are cast one
 * by one, to the
 * array type where any of them is an array (transformArrayExpr).
 */
export function arrayOfElements(elements: readonly Node[] | undefined, place: Place, target?: Typed): Value {
  const types = typesIn(place.run.catalog);
  const values = (elements ?? []).map(item =>
    (target !== undefined && 'A_ArrayExpr' in item ? arrayOfElements(item.A_ArrayExpr.elements, place, target) : value(item, place)));
  const taints = unionTaints(...values.map(item => item.taints));
  if (target === undefined) return { type: arrayType(values, place, types), literal: false, nullable: false, taints };
  const isNested = values.some(item => typeOfValue(item, types)?.kind === 'array');
  const inside = isNested ? target : types.parse(elementText(target) ?? unknown('element'));
  for (const item of values) convert(item, inside, place);
  return { type: target.text, literal: false, nullable: false, taints };
}

function arrayType(values: readonly Value[], place: Place, types: Types): Known<string> {
  const what = unknown('type of the array');
  if (values.length === 0) return what;
  const { type } = commonType(values, 'the array', types);
  const common = types.parse(type);
  if (common === undefined) return what;
  useCommon(values, common.type.printed, place);
  if (types.baseOf(common.type).element !== undefined && common.type.kind === 'array') return common.text;
  const array = types.arrayOf(common.type);
  return array === undefined ? what : common.text === common.type.printed ? array.printed : `${common.text}[]`;
}

/** The conversions to the type that CASE, COALESCE and others agreed on. */
export function useCommon(values: readonly Value[], type: Known<string>, place: Place): void {
  if (place.run.uses === undefined) return;
  const types = typesIn(place.run.catalog);
  const target = types.parse(type);
  if (target === undefined) return;
  for (const item of values) {
    const from = typeOfValue(item, types);
    if (from !== undefined) useCoercion(place.run, types, from, target.type, 'implicit');
  }
}

function lateClockTaint(node: TypeCast, type: Known<string>, place: Place): readonly Taint[] {
  const arg = node.arg;
  if (arg === undefined || !('TypeCast' in arg)) return [];
  const innermost = arg.TypeCast.arg;
  const through = lastName(arg.TypeCast.typeName?.names);
  if (innermost === undefined || !('A_Const' in innermost) || innermost.A_Const.sval === undefined
    || (through !== 'text' && through !== 'varchar')) return [];
  return originTaint(place, lateClock(innermost.A_Const.sval.sval ?? '', type), innermost.A_Const.location);
}

/** The type of a value whose parts agree on one, their conversions recorded. */
export function agreed(values: readonly Value[], what: string, place: Place): Pick<Value, 'type' | 'literal'> {
  const types = typesIn(place.run.catalog);
  const common = commonType(values, what, types);
  useCommon(values, common.type, place);
  const target = types.parse(common.type);
  for (const item of values) settle(place.run, item, target?.type);
  return common;
}
