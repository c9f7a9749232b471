import type { BuiltinOperator } from '../builtins/builtins.ts';
import { once } from '../memo.ts';
import type { Routine } from '../model.ts';
import { pathway, settle } from './coercion.ts';
import { distinct, exactly, select, type Candidate } from './overloads.ts';
import { builtinSignature, routineSignature, type Signature } from './signatures.ts';
import type { SqlType, Types } from './sql-type.ts';

/** A call as it is written: the types of its arguments in order, undefined where one is not known. */
export interface Call {
  readonly name: string;
  /** `pg_catalog`, another schema, or none. */
  readonly schema?: string;
  readonly inputs: readonly (SqlType | undefined)[];
  /** For named notation: the name of each argument, undefined for the positional ones; empty where none is named. */
  readonly names: readonly (string | undefined)[];
  /** The last argument is given as VARIADIC array. */
  readonly variadic: boolean;
  /** `f(x)` without DISTINCT, ORDER BY and the like, which may also be a cast: the cast's target. */
  readonly mayCast: boolean;
}

/** What a call means. */
export type Resolved =
  | { readonly is: 'function'; readonly signature: Signature; readonly arguments: readonly SqlType[]; readonly result: SqlType | undefined }
  /** `text(x)`, where no function of the name fits. */
  | { readonly is: 'cast'; readonly target: SqlType }
  /** Not known which one; they are what it can be. `result` is what all of them give. */
  | { readonly is: 'unknown'; readonly among: readonly Signature[]; readonly result?: SqlType };

const nothing: Resolved = { is: 'unknown', among: [] };

/** Pure caches: what built-in names mean over built-in types is the same in every analysis. A full one starts anew. */
const calls = new Map<string, Resolved>();
const operators = new Map<string, ResolvedOperator | undefined>();
const most = 5_000;
function keep<T>(cache: Map<string, T>, key: string, made: T): T {
  if (cache.size >= most) cache.clear();
  cache.set(key, made);
  return made;
}

/** The cache's key; undefined where a type is not known or is the history's own, and for calls too long to be written twice. */
function keyOf(types: Types, name: string, inputs: readonly (SqlType | undefined)[]): string | undefined {
  if (inputs.length > 12) return undefined;
  let key = `${types.builtins.major} ${name}`;
  for (const input of inputs) {
    if (input === undefined || (input.element ?? input).id !== undefined) return undefined;
    key += ` ${input.key}`;
  }
  return key;
}

/** What a call means. `mine`: what the history calls so. */
export function resolveCall(types: Types, call: Call, mine: readonly Routine[]): Resolved {
  const isPlain = !call.variadic && (call.schema === undefined || call.schema === 'pg_catalog' || mine.length > 0) && call.names.every(name => name === undefined);
  const written = `${call.schema === undefined || mine.length === 0 ? '' : `${call.schema}.`}${call.name}${call.mayCast ? '?' : ''}`;
  const key = isPlain ? keyOf(types, written, call.inputs) : undefined;
  if (key === undefined) return resolveAnew(types, call, mine);
  const cache = mine.length === 0 ? calls : ownCallsIn(types);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = resolveAnew(types, call, mine);
  // A cast may be to a type of the history, and what is not found now a later routine may bring.
  return made.is === 'function' ? keep(cache, key, made) : made;
}

/** Calls that may be of the history's own routines mean the same within one analysis. */
const ownCallsIn = once((_: Types) => new Map<string, Resolved>());

/** The function that a call means, as ParseFuncOrColumn and func_get_detail find it (parse_func.c). */
function resolveAnew(types: Types, call: Call, mine: readonly Routine[]): Resolved {
  const isSystem = call.schema === undefined || call.schema === 'pg_catalog';
  const rows = isSystem ? types.builtins.functions(call.name) : [];
  const own = call.schema === 'pg_catalog' ? [] : mine.map(routine => routineSignature(routine, types));
  // pg_catalog is searched first unless the path names it; the routines come in the order of the path.
  const schemas = ['pg_catalog', ...new Set(mine.map(routine => routine.name.schema))];
  const candidates = [
    ...rows.flatMap(row => candidatesOf(builtinSignature(row, types), call, types, 0)),
    ...own.flatMap((signature, at) => (signature === undefined ? [] : candidatesOf(signature, call, types,
      schemas.indexOf(mine[at]!.name.schema)))),
  ];
  const inputs = call.inputs;
  if (inputs.some(input => input === undefined)) return own.includes(undefined) ? nothing : partly(candidates);
  return whole(types, call, inputs as readonly SqlType[], candidates, own.includes(undefined));
}

function whole(types: Types, call: Call, inputs: readonly SqlType[], all: readonly Candidate<Signature>[], isOpen: boolean): Resolved {
  const once = distinct(all);
  const candidates = once.filter(candidate => candidate !== 'ambiguous');
  const exact = exactly(candidates, inputs);
  // An exact match of pg_catalog is out of reach for whatever else has the name.
  if (exact !== undefined && (!isOpen || exact.path === 0)) return settled(types, exact, inputs);
  if (isOpen) return { is: 'unknown', among: candidates.map(candidate => candidate.of) };
  if (exact === undefined && call.mayCast && inputs.length === 1) {
    const target = castByName(types, call, inputs[0]!);
    if (target !== undefined) return { is: 'cast', target };
  }
  if (candidates.length < once.length) return { is: 'unknown', among: candidates.map(candidate => candidate.of) };
  const chosen = select(types, candidates, inputs);
  return chosen.is === 'one' ? settled(types, chosen.candidate, inputs) : nothing;
}

function settled(types: Types, { of, arguments: args }: Candidate<Signature>, inputs: readonly SqlType[]): Resolved {
  if (of.result === undefined) return { is: 'function', signature: of, arguments: args, result: undefined };
  const agreed = settle(types, inputs, args, of.result);
  return agreed === undefined ? nothing : { is: 'function', signature: of, arguments: agreed.arguments, result: agreed.result };
}

/** A call some of whose arguments are not known: what all candidates have in common is sure. */
function partly(candidates: readonly Candidate<Signature>[]): Resolved {
  const among = [...new Set(candidates.map(candidate => candidate.of))];
  const [first] = among;
  const results = new Set(among.map(signature => signature.result?.key));
  const common = first?.result;
  if (common === undefined || results.size !== 1 || common.kind === 'pseudo') return { is: 'unknown', among };
  return { is: 'unknown', among, result: common };
}

/** FuncNameAsType: a one-argument call of a type's name, where the cast does nothing but relabel or go through text. */
function castByName(types: Types, call: Call, input: SqlType): SqlType | undefined {
  const target = types.find(call.name, call.schema);
  if (target === undefined || target.kind === 'composite') return undefined;
  if (input.key === 'unknown') return target;
  const way = pathway(types, target, input, 'explicit');
  if (way?.kind === 'relabel') return target;
  const isRow = input.key === 'record' || types.baseOf(input).kind === 'composite';
  return way?.kind === 'io' && !(isRow && target.category === 'S') ? target : undefined;
}

/** How a function can take the arguments of a call by number and names; none when it cannot. */
function candidatesOf(signature: Signature, call: Call, types: Types, path: number): readonly Candidate<Signature>[] {
  if (signature.kind === 'procedure') return [];
  const wanted = call.inputs.length;
  const { arguments: declared, defaults, variadic } = signature;
  if (call.names.some(name => name !== undefined)) return named(signature, call, path);
  if (declared.length > wanted) {
    return wanted + defaults < declared.length ? [] : [{ of: signature, arguments: declared.slice(0, wanted), path, spread: false }];
  }
  if (variadic !== undefined && !call.variadic) {
    const args = declared.map((type, at) => (at < declared.length - 1 ? type : variadic));
    while (args.length < wanted) args.push(variadic);
    return [{ of: signature, arguments: args, path, spread: true }];
  }
  if (declared.length !== wanted) return [];
  // An array given as VARIADIC to VARIADIC "any" is taken as it is.
  const args = variadic?.key === 'any' ? declared.map((type, at) => (at < wanted - 1 ? type : types.named('any'))) : declared;
  return [{ of: signature, arguments: args, path, spread: false }];
}

/** Named notation: every name is an argument that no positional one took, and what is left out has a default (MatchNamedCall). */
function named(signature: Signature, call: Call, path: number): readonly Candidate<Signature>[] {
  const { names, arguments: declared, defaults } = signature;
  if (names.length !== declared.length || call.inputs.length > declared.length) return [];
  const slots = call.names.map((name, at) => (name === undefined ? at : names.indexOf(name)));
  if (slots.includes(-1) || new Set(slots).size < slots.length) return [];
  const missing = declared.some((_, at) => !slots.includes(at) && at < declared.length - defaults);
  if (missing || (signature.variadic !== undefined && !call.variadic)) return [];
  return [{ of: signature, arguments: slots.map(slot => declared[slot]!), path, spread: false }];
}

/** An operator with its types in one use. */
export interface ResolvedOperator {
  readonly operator: BuiltinOperator;
  /** One for a prefix operator, else two. */
  readonly arguments: readonly SqlType[];
  readonly result: SqlType;
}

/**
 * The built-in operator over these operands: oper and left_oper (parse_oper.c). Operators of extensions and of the history are not in the
 * catalog:
 * where the operands are of built-in types the built-in one is right unless somebody made one for just these types.
 */
export function resolveOperator(types: Types, name: string, operands: readonly SqlType[]): ResolvedOperator | undefined {
  const key = keyOf(types, name, operands);
  if (key !== undefined && operators.has(key)) return operators.get(key);
  const made = operatorAnew(types, name, operands);
  return key === undefined ? made : keep(operators, key, made);
}

function operatorAnew(types: Types, name: string, operands: readonly SqlType[]): ResolvedOperator | undefined {
  const prefix = operands.length === 1;
  const rows = types.builtins.operators(name).filter(row => (row.left === undefined) === prefix);
  const candidates = rows.map((of): Candidate<BuiltinOperator> =>
    ({ of, arguments: prefix ? [types.named(of.right)] : [types.named(of.left!), types.named(of.right)], path: 0, spread: false }));
  const exact = prefix ? exactly(candidates, operands) : exactBinary(types, candidates, operands);
  const chosen = exact !== undefined ? { is: 'one' as const, candidate: exact } : select(types, candidates, operands);
  if (chosen.is !== 'one') return undefined;
  const { of, arguments: args } = chosen.candidate;
  const agreed = settle(types, operands, args, types.named(of.result));
  return agreed === undefined ? undefined : { operator: of, ...agreed };
}

/** binary_oper_exact: an unknown literal is first taken for the type of the other operand, then for what that is beneath its domain. */
function exactBinary(types: Types, candidates: readonly Candidate<BuiltinOperator>[],
  operands: readonly SqlType[]): Candidate<BuiltinOperator> | undefined {
  const [left, right] = operands as readonly [SqlType, SqlType];
  const other = left.key === 'unknown' ? right : right.key === 'unknown' ? left : undefined;
  if (other === undefined) return exactly(candidates, operands);
  const base = types.baseOf(other);
  return exactly(candidates, [other, other]) ?? (base.key === other.key ? undefined : exactly(candidates, [base, base]));
}
