import type { ObjectId } from '../model.ts';
import { pathway, type Context, type Pathway } from './coercion.ts';
import type { ResolvedOperator } from './resolve.ts';
import type { Run } from './scope.ts';
import type { Signature } from './signatures.ts';
import type { SqlType, Typed, Types } from './sql-type.ts';

/**
 * Something that Postgres would store in the tree of a query: the function it calls, the operator's function, a conversion. Collected on
 * demand
 * (`Run.uses`); the tests compare it with the trees in pg_rewrite.
 */
export type Use =
  | {
    readonly kind: 'function' | 'aggregate' | 'window' | 'operator'; readonly name: string;
    readonly arguments: readonly string[]; readonly routine?: ObjectId;
  }
  /** A change of type without a function: through text, element by element, or in name only. */
  | { readonly kind: 'io' | 'array' | 'relabel' | 'domain'; readonly target: string; /** Of `io`: the type that is printed. */ readonly from?: string }
  /** An operator of a row comparison that orders: the tree holds it without its function. */
  | { readonly kind: 'row comparison'; readonly name: string; readonly arguments: readonly string[] }
  /** A call or operator that is not known, by name. */
  | { readonly kind: 'unresolved'; readonly target: string };

/** The use with the node that it belongs to, where somebody asks. */
export function placed(run: Run, use: Use): Use {
  if (run.inspection?.at !== undefined) run.inspection.places.set(use, run.inspection.at);
  return use;
}

export function useFunction(run: Run, signature: Signature, over: boolean): void {
  run.uses?.push(placed(run, {
    kind: over ? 'window' : signature.kind === 'aggregate' ? 'aggregate' : 'function', name: signature.name,
    arguments: signature.arguments.map(type => type.key), ...(signature.routine === undefined ? {} : { routine: signature.routine }),
  }));
}

export function useOperator(run: Run, { operator }: ResolvedOperator): void {
  run.uses?.push(placed(run, { kind: 'operator', name: operator.function, arguments: operator.functionArguments }));
}

/**
 * The conversion of one value: coerce_type in parse_coerce.c. `text` is the value's type as printed, modifier included. True when it also
 * applied the
 * modifier.
 */
export function useCoercion(run: Run, types: Types, from: SqlType, to: SqlType, context: Context, hasModifier = false, text = ''): boolean {
  if (run.uses === undefined || from.key === to.key || to.key === 'any') return false;
  if (from.key === 'unknown') {
    if (types.baseOf(to).key !== to.key) toDomain(run, types, to, '');
    return false;
  }
  const way = pathway(types, to, from, context);
  if (way === undefined) return false;
  const base = types.baseOf(to);
  const applied = follow(run, types, way, types.baseOf(from), base, hasModifier);
  if (base.key !== to.key) toDomain(run, types, to, way.kind === 'relabel' ? text : '');
  else if (way.kind === 'relabel') run.uses.push(placed(run, { kind: 'relabel', target: to.key }));
  return applied;
}

function follow(run: Run, types: Types, way: Pathway, source: SqlType, target: SqlType, hasModifier: boolean): boolean {
  switch (way.kind) {
    case 'function':
      run.uses?.push(placed(run, { kind: 'function', name: way.name, arguments: way.arguments }));
      return hasModifier && way.arguments.length > 1;
    case 'io':
      run.uses?.push(placed(run, { kind: 'io', target: target.key, from: source.key }));
      return false;
    case 'array': {
      run.uses?.push(placed(run, { kind: 'array', target: target.key }));
      const element = target.element!;
      if (way.element.kind === 'relabel') run.uses?.push(placed(run, { kind: 'relabel', target: element.key }));
      // The modifier of an array is applied to its elements at once: a second pass finds it there.
      const applied = follow(run, types, way.element, source.element ?? source, types.baseOf(element), hasModifier);
      if (hasModifier && !applied) modifierFunction(run, types, element);
      return hasModifier;
    }
    case 'relabel':
      return false;
  }
}

/** CoerceToDomain, and the modifier of the type beneath. A domain over a domain is one conversion (getBaseTypeAndTypmod). */
function toDomain(run: Run, types: Types, domain: SqlType, from: string): void {
  let { base } = domain;
  for (let depth = 0; base?.type.base !== undefined && depth < 32; depth += 1) base = base.type.base;
  if (base !== undefined && base.text !== base.type.printed && base.text !== from) modifierFunction(run, types, base.type);
  run.uses?.push(placed(run, { kind: 'domain', target: domain.key }));
}

/** The function that applies a modifier: a cast of the type to itself (find_typmod_coercion_function). */
function modifierFunction(run: Run, types: Types, type: SqlType): void {
  const row = types.builtins.cast(type.key, type.key);
  if (row?.function !== undefined) run.uses?.push(placed(run, { kind: 'function', name: row.function, arguments: row.functionArguments ?? [] }));
}

/** coerce_type_typmod: the modifier of a cast, unless the value has it already; a cast without one takes away what the same type has. */
export function useModifier(run: Run, types: Types, from: Typed | undefined, to: Typed): void {
  if (run.uses === undefined || from?.text === to.text) return;
  if (to.text === to.type.printed) {
    if (from?.type.key === to.type.key) run.uses.push(placed(run, { kind: 'relabel', target: to.type.key }));
    return;
  }
  const { element } = to.type;
  if (element !== undefined && to.type.kind === 'array') {
    run.uses.push(placed(run, { kind: 'array', target: to.type.key }));
    modifierFunction(run, types, element);
  } else modifierFunction(run, types, to.type);
}
