import { canCoerce, isUnknownType } from './coercion.ts';
import type { SqlType, Types } from './sql-type.ts';

/** One way to call a name: the types of the arguments of this call, VARIADIC spread out and defaults left off, and how it got there. */
export interface Candidate<T> {
  readonly of: T;
  readonly arguments: readonly SqlType[];
  /** Position of its schema in the search path: pg_catalog comes first. */
  readonly path: number;
  readonly spread: boolean;
}

/** No, several that Postgres calls ambiguous, or the one. */
export type Chosen<T> = { readonly is: 'one'; readonly candidate: Candidate<T> } | { readonly is: 'none' | 'ambiguous' };

const keysOf = (list: readonly SqlType[]): string => list.map(type => type.key).join();

/**
 * Candidates with the same arguments: the earlier schema wins, then the one that need not be spread; else the call is ambiguous
 * (FuncnameGetCandidates in namespace.c).
 */
export function distinct<T>(candidates: readonly Candidate<T>[]): readonly (Candidate<T> | 'ambiguous')[] {
  if (candidates.length < 2) return candidates;
  const best = new Map<string, { readonly candidate: Candidate<T>; ambiguous: boolean }>();
  for (const candidate of candidates) {
    const key = keysOf(candidate.arguments);
    const before = best.get(key);
    const order = before === undefined ? -1
      : candidate.path - before.candidate.path || Number(candidate.spread) - Number(before.candidate.spread);
    if (order < 0) best.set(key, { candidate, ambiguous: false });
    else if (order === 0) before!.ambiguous = true;
  }
  return [...best.values()].map(({ candidate, ambiguous }) => (ambiguous ? 'ambiguous' : candidate));
}

/** The candidate that takes exactly these types. */
export function exactly<T>(candidates: readonly Candidate<T>[], inputs: readonly SqlType[]): Candidate<T> | undefined {
  return candidates.find(candidate => candidate.arguments.every((type, at) => type.key === inputs[at]!.key));
}

/** func_match_argtypes and func_select_candidate (parse_func.c): the best of the candidates that the inputs fit, none of which is exact. */
export function select<T>(types: Types, candidates: readonly Candidate<T>[], inputs: readonly SqlType[]): Chosen<T> {
  const fitting = candidates.filter(candidate => canCoerce(types, inputs, candidate.arguments, 'implicit'));
  if (fitting.length === 0) return { is: 'none' };
  const chosen = fitting.length === 1 ? fitting[0] : narrow(types, fitting, inputs);
  return chosen === undefined ? { is: 'ambiguous' } : { is: 'one', candidate: chosen };
}

/** The candidates for which `score` is greatest. */
function greatest<T>(candidates: readonly Candidate<T>[], score: (candidate: Candidate<T>) => number): readonly Candidate<T>[] {
  const scores = candidates.map(score);
  const top = Math.max(...scores);
  return candidates.filter((_, at) => scores[at] === top);
}

function narrow<T>(types: Types, fitting: readonly Candidate<T>[], inputs: readonly SqlType[]): Candidate<T> | undefined {
  const bases = inputs.map(input => (isUnknownType(input) ? input : types.baseOf(input)));
  const known = bases.flatMap((base, at) => (isUnknownType(base) ? [] : [at]));
  const exact = greatest(fitting, candidate => known.filter(at => candidate.arguments[at]!.key === bases[at]!.key).length);
  if (exact.length === 1) return exact[0];
  const preferred = greatest(exact, candidate => known.filter(at => {
    const type = candidate.arguments[at]!;
    return type.key === bases[at]!.key || (type.preferred && type.category === bases[at]!.category);
  }).length);
  if (preferred.length === 1) return preferred[0];
  if (known.length === bases.length) return undefined;
  const byCategory = ofCategories(preferred, bases);
  return byCategory.length === 1 ? byCategory[0] : likeTheKnown(types, byCategory, bases, known);
}

/** What the unknown literals are by category: string where any candidate takes one, else the one category that all candidates name. */
function ofCategories<T>(candidates: readonly Candidate<T>[], bases: readonly SqlType[]): readonly Candidate<T>[] {
  const slots: { readonly at: number; readonly category: string; readonly preferred: boolean }[] = [];
  for (const [at, base] of bases.entries()) {
    if (!isUnknownType(base)) continue;
    let [category, preferred, conflict] = ['', false, false];
    for (const { arguments: args } of candidates) {
      const type = args[at]!;
      if (category === '') [category, preferred] = [type.category, type.preferred];
      else if (type.category === category) preferred ||= type.preferred;
      else if (type.category === 'S') [category, preferred] = ['S', type.preferred];
      else conflict = true;
    }
    if (conflict && category !== 'S') return candidates;
    slots.push({ at, category, preferred });
  }
  const left = candidates.filter(({ arguments: args }) => slots.every(({ at, category, preferred }) =>
    args[at]!.category === category && (!preferred || args[at]!.preferred)));
  return left.length === 0 ? candidates : left;
}

/** The last resort: if all known inputs are of one type, the unknown ones are taken for it too. */
function likeTheKnown<T>(types: Types, candidates: readonly Candidate<T>[], bases: readonly SqlType[],
  known: readonly number[]): Candidate<T> | undefined {
  const [first, ...others] = known.map(at => bases[at]!);
  if (first === undefined || others.some(type => type.key !== first.key)) return undefined;
  const filled = bases.map(() => first);
  const left = candidates.filter(candidate => canCoerce(types, filled, candidate.arguments, 'implicit'));
  return left.length === 1 ? left[0] : undefined;
}
