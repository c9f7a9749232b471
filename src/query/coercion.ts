import type { SqlType, Types } from './sql-type.ts';

export type Context = 'implicit' | 'assignment' | 'explicit';

/** How a value becomes another type: find_coercion_pathway in parse_coerce.c. */
export type Pathway =
  | { readonly kind: 'relabel' | 'io' }
  | { readonly kind: 'function'; readonly name: string; readonly arguments: readonly string[] }
  | { readonly kind: 'array'; readonly element: Pathway };

const rank: Readonly<Record<Context, number>> = { implicit: 0, assignment: 1, explicit: 2 };
const relabel: Pathway = { kind: 'relabel' };
const io: Pathway = { kind: 'io' };

export const isUnknownType = (type: SqlType): boolean => type.key === 'unknown';
export const isArray = (type: SqlType): boolean => type.element !== undefined;
const isComplex = (types: Types, type: SqlType): boolean => types.baseOf(type).kind === 'composite';
/** type_is_rowtype: composite types, domains over them, and record. */
export const isRow = (types: Types, type: SqlType): boolean => type.key === 'record' || isComplex(types, type);

const simple = new Set(['anyelement', 'anyarray', 'anynonarray', 'anyenum', 'anyrange', 'anymultirange']);
const compatible = new Set(['anycompatible', 'anycompatiblearray', 'anycompatiblenonarray', 'anycompatiblerange',
  'anycompatiblemultirange']);
export const isPolymorphic = (key: string): boolean => simple.has(key) || compatible.has(key);

/** The way from one type to another that a context allows; undefined when there is none. */
export function pathway(types: Types, target: SqlType, source: SqlType, context: Context): Pathway | undefined {
  const to = types.baseOf(target);
  const from = types.baseOf(source);
  if (to.key === from.key) return relabel;
  const row = from.id === undefined && to.id === undefined ? types.builtins.cast(from.key, to.key) : undefined;
  if (row !== undefined) {
    if (rank[context] < rank[row.context]) return undefined;
    if (row.method === 'function') return { kind: 'function', name: row.function!, arguments: row.functionArguments! };
    return row.method === 'binary' ? relabel : io;
  }
  if (to.key !== 'oidvector' && to.key !== 'int2vector' && to.element !== undefined && from.element !== undefined) {
    const element = pathway(types, to.element, from.element, context);
    if (element !== undefined) return { kind: 'array', element };
  }
  if (context !== 'implicit' && to.category === 'S') return io;
  return context === 'explicit' && from.category === 'S' ? io : undefined;
}

/** can_coerce_type for one value and a target that is not polymorphic. */
export function canCoerceOne(types: Types, input: SqlType, target: SqlType, context: Context): boolean {
  if (input.key === target.key || target.key === 'any' || isUnknownType(input)) return true;
  if (pathway(types, target, input, context) !== undefined) return true;
  if (input.key === 'record' && isComplex(types, target)) return true;
  if (target.key === 'record' && isComplex(types, input)) return true;
  return target.key === 'record[]' && input.element !== undefined && isComplex(types, input.element);
}

/** can_coerce_type: every input becomes its target, and the polymorphic ones agree. */
export function canCoerce(types: Types, inputs: readonly SqlType[], targets: readonly SqlType[], context: Context): boolean {
  let generic = false;
  for (const [at, input] of inputs.entries()) {
    const target = targets[at]!;
    if (isPolymorphic(target.key)) generic = generic || input.key !== target.key;
    else if (!canCoerceOne(types, input, target, context)) return false;
  }
  return !generic || agree(types, inputs, targets) !== undefined;
}

/** select_common_type: the type that all the inputs become, or undefined where Postgres finds none. */
export function selectCommon(types: Types, inputs: readonly SqlType[]): SqlType | undefined {
  const [first] = inputs;
  if (first === undefined) return undefined;
  if (!isUnknownType(first) && inputs.every(input => input.key === first.key)) return first;
  let chosen = types.baseOf(first);
  for (const input of inputs.slice(1)) {
    const next = types.baseOf(input);
    if (isUnknownType(next) || next.key === chosen.key) continue;
    if (isUnknownType(chosen)) chosen = next;
    else if (next.category !== chosen.category) return undefined;
    else if (!chosen.preferred && canCoerceOne(types, chosen, next, 'implicit') && !canCoerceOne(types, next, chosen,
      'implicit')) chosen = next;
  }
  return isUnknownType(chosen) ? types.named('text') : chosen;
}

/** What the polymorphic types of a signature stand for in one call. */
export interface Agreement {
  readonly element?: SqlType;
  readonly array?: SqlType;
  readonly range?: SqlType;
  readonly multirange?: SqlType;
  readonly common?: SqlType;
  readonly commonRange?: SqlType;
  readonly commonMultirange?: SqlType;
}

const isArrayDomain = (types: Types, type: SqlType): boolean => types.baseOf(type).element !== undefined;

/**
 * check_generic_type_consistency: undefined when the inputs cannot agree. Unknown literals say nothing; the second half, what a call whose
 * inputs are all such literals means, is in `settle`.
 */
export function agree(types: Types, inputs: readonly SqlType[], declared: readonly SqlType[]): Agreement | undefined {
  const found: { -readonly [K in keyof Agreement]: Agreement[K] } = {};
  const commons: SqlType[] = [];
  let [nonArray, enumeration, commonNonArray] = [false, false, false];
  const same = (slot: keyof Agreement, type: SqlType): boolean => {
    const before = found[slot];
    found[slot] = type;
    return before === undefined || before.key === type.key;
  };
  for (const [at, { key }] of declared.entries()) {
    const input = inputs[at];
    if (key === 'anynonarray') nonArray = true;
    else if (key === 'anyenum') enumeration = true;
    else if (key === 'anycompatiblenonarray') commonNonArray = true;
    if (input === undefined || isUnknownType(input) || !isPolymorphic(key)) continue;
    const base = types.baseOf(input);
    switch (key) {
      case 'anyelement': case 'anynonarray': case 'anyenum':
        if (!same('element', input)) return undefined;
        break;
      case 'anyarray':
        if (!same('array', base)) return undefined;
        break;
      case 'anyrange':
        if (base.kind !== 'range' || !same('range', base)) return undefined;
        break;
      case 'anymultirange':
        if (base.kind !== 'multirange' || !same('multirange', base)) return undefined;
        break;
      case 'anycompatiblearray':
        if (base.element === undefined) return undefined;
        commons.push(base.element);
        break;
      case 'anycompatiblerange': case 'anycompatiblemultirange': {
        if (base.range === undefined || base.kind !== (key === 'anycompatiblerange' ? 'range' : 'multirange')) return undefined;
        if (!same(key === 'anycompatiblerange' ? 'commonRange' : 'commonMultirange', base)) return undefined;
        commons.push(types.named(base.range.subtype));
        break;
      }
      default:
        commons.push(input);
    }
  }
  if (!agreeOnElement(types, found)) return undefined;
  const { element } = found;
  if (element !== undefined && (nonArray && isArrayDomain(types, element) || enumeration
    && types.baseOf(element).kind !== 'enum')) return undefined;
  if (commons.length === 0) return found;
  const common = selectCommon(types, commons);
  if (common === undefined || !commons.every(type => canCoerceOne(types, type, common, 'implicit'))) return undefined;
  if (commonNonArray && isArrayDomain(types, common)) return undefined;
  const ranged = found.commonRange ?? found.commonMultirange;
  if (ranged !== undefined && ranged.range!.subtype !== common.key) return undefined;
  return { ...found, common };
}

/** Arrays, ranges and multiranges of a call are of its one element type. */
function agreeOnElement(types: Types, found: { -readonly [K in keyof Agreement]: Agreement[K] }): boolean {
  const implied: SqlType[] = [];
  if (found.array !== undefined) {
    if (found.array.element === undefined) return false;
    implied.push(found.array.element);
  }
  for (const ranged of [found.range, found.multirange]) if (ranged !== undefined) implied.push(types.named(ranged.range!.subtype));
  if (found.range !== undefined && found.multirange !== undefined && found.range.range!.multirange !== found.multirange.key) return false;
  for (const type of implied) {
    if (found.element !== undefined && found.element.key !== type.key) return false;
    found.element = type;
  }
  return true;
}

/** A signature with its polymorphic types replaced. */
export interface Settled {
  readonly arguments: readonly SqlType[];
  readonly result: SqlType;
}

/**
 * enforce_generic_type_consistency: what a signature is in one call; undefined where Postgres refuses it. Polymorphic types whose inputs
 * are all
 * unknown literals are text.
 */
export function settle(types: Types, inputs: readonly SqlType[], declared: readonly SqlType[], result: SqlType): Settled | undefined {
  if (!isPolymorphic(result.key) && !declared.some(type => isPolymorphic(type.key))) return { arguments: declared, result };
  const agreed = agree(types, inputs, declared);
  if (agreed === undefined) return undefined;
  const text = types.named('text');
  const anySimple = declared.some(type => simple.has(type.key));
  const anyCommon = declared.some(type => compatible.has(type.key));
  const element = agreed.element ?? (anySimple ? text : undefined);
  const common = agreed.common ?? (anyCommon ? text : undefined);
  if (agreed.element === undefined && declared.some(type => type.key === 'anyenum')) return undefined;
  const replaced = (type: SqlType): SqlType | undefined => {
    switch (type.key) {
      case 'anyelement': case 'anynonarray': case 'anyenum': return element;
      case 'anyarray': return agreed.array ?? (element === undefined ? undefined : types.arrayOf(element));
      case 'anyrange': return agreed.range ?? (agreed.multirange === undefined ? undefined : types.named(agreed.multirange.range!.range));
      case 'anymultirange': return agreed.multirange ?? (agreed.range === undefined ? undefined
        : types.named(agreed.range.range!.multirange));
      case 'anycompatible': case 'anycompatiblenonarray': return common;
      case 'anycompatiblearray': return common === undefined ? undefined : types.arrayOf(common);
      case 'anycompatiblerange':
        return agreed.commonRange ?? (agreed.commonMultirange === undefined ? undefined
          : types.named(agreed.commonMultirange.range!.range));
      case 'anycompatiblemultirange':
        return agreed.commonMultirange ?? (agreed.commonRange === undefined ? undefined
          : types.named(agreed.commonRange.range!.multirange));
      default: return type;
    }
  };
  const settled = declared.map(replaced);
  const returned = replaced(result);
  if (returned === undefined || settled.includes(undefined)) return undefined;
  return { arguments: settled as SqlType[], result: returned };
}
