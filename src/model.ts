/**
 * The vocabulary of mvlint: types only, no code. Every layer speaks in these words and imports this door.
 *
 * Offsets are UTF-16 code units, half-open. Identifiers in `Name` are as the catalog stores them (already folded).
 * A fact that may be missing is `Known<T>`; whoever meets `Unknown` stays silent.
 */
export type * from './model/text.ts';
export type * from './model/migrations.ts';
export type * from './model/catalog.ts';
export type * from './model/query.ts';
export type * from './model/incremental.ts';
export type * from './model/steps.ts';
export type * from './model/proof.ts';
export type * from './model/server.ts';
export type * from './model/trace.ts';
export type * from './model/findings.ts';
