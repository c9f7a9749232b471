import { isUnknown } from '../scope.ts';
import type { SqlType, Types } from '../sql-type.ts';

/**
 * Whether a type has a default btree operator class: its own, that of a type it is relabelled as, or the one of all arrays, enums, ranges
 * and rows (GetDefaultOpClass).
 */
export function hasBtreeOrder(type: SqlType, types: Types): boolean {
  const base = types.baseOf(type);
  if (base.key === 'unknown' || base.key === 'record' || base.key === 'record[]') return true;
  if (base.kind === 'array' || base.element !== undefined || ['enum', 'range', 'multirange', 'composite'].includes(base.kind)) return true;
  return ofBuiltin(base.key, types);
}

function ofBuiltin(key: string, types: Types): boolean {
  const { builtins } = types;
  if (builtins.type(key)?.btree === true) return true;
  return builtins.castsFrom(key).some(({ target, method, context }) => method === 'binary' && context === 'implicit'
    && builtins.type(target)?.btree === true);
}

/** The part of a type that has no `=` although the type itself passes for comparable: a json field, the elements of json[]. */
export function partWithoutEquality(type: SqlType, types: Types, depth = 0): string | undefined {
  const base = types.baseOf(type);
  if (depth > 8) return undefined;
  if (base.element !== undefined) return partWithoutEquality(base.element, types, depth + 1)
    ?? (isComparable(base.element, types) ? undefined : base.element.printed);
  if (base.fields === undefined || isUnknown(base.fields)) return undefined;
  for (const field of base.fields) {
    const own = types.parse(field.type)?.type;
    if (own === undefined) continue;
    const inner = partWithoutEquality(own, types, depth + 1) ?? (isComparable(own, types) ? undefined : own.printed);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** Whether `=` is there at all: a btree or hash operator class (lookup_type_cache). */
export function isComparable(type: SqlType, types: Types): boolean {
  const base = types.baseOf(type);
  return hasBtreeOrder(type, types) || types.builtins.type(base.key)?.hash === true
    || types.builtins.castsFrom(base.key).some(({ target, method, context }) => method === 'binary' && context === 'implicit'
      && types.builtins.type(target)?.hash === true);
}
