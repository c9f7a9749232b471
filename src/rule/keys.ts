import type { Evidence, QueryFacts } from '../model.ts';
import { known } from './facts.ts';

/** A key that a query proves, and those of its columns that are not surely filled: their rows every concurrent refresh rewrites. */
export interface ProvedKey {
  readonly columns: readonly string[];
  readonly nullable: readonly string[];
}

/** The keys that a query proves, the best for a unique index first: without NULLs, then short. */
export function provedKeys(facts: QueryFacts): readonly ProvedKey[] {
  const columns = known(facts.columns) ?? [];
  const filled = new Set(columns.filter(column => column.nullable === false).map(column => column.name));
  return (known(facts.keys) ?? [])
    .map(key => ({ columns: key, nullable: key.filter(column => !filled.has(column)) }))
    .toSorted((a, b) => Number(a.nullable.length > 0) - Number(b.nullable.length > 0) || a.columns.length - b.columns.length);
}

/** Why no list of a query's columns is a key: what lets whole rows repeat. Empty when that is not known. */
export function whyNoKey(facts: QueryFacts): readonly Evidence[] {
  const columns = known(facts.columns) ?? [];
  const { is, why } = facts.unique(columns.map(column => column.name));
  return is === 'no' ? why : [];
}
