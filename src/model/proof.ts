/** Claims tried on a real Postgres. */
import type { Name } from './catalog.ts';

export interface Verdict {
  readonly kind: 'unproven' | 'confirmed' | 'refuted';
  readonly says: string;
  readonly numbers?: Readonly<Record<string, number>>;
}

/** One answer of a database. */
export interface Rows {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** What Postgres said when it refused. */
export interface SqlFailure {
  readonly sqlstate: string;
  readonly message: string;
}

/** A throwaway Postgres in the state an experiment asked for. */
export interface Laboratory {
  /** Runs one statement; a refusal is an answer, not an exception. Throws only when the laboratory itself failed. */
  run(sql: string): Promise<Rows | SqlFailure>;
  /** Fills empty base tables beneath the relation with committed rows, respecting types and keys; says how many rows each got. */
  fill(relation: Name, rows: number): Promise<Readonly<Record<string, number>>>;
}

/**
 * A claim's own proof. `savepoint` only for what one transaction can show (a refusal, what CASCADE takes); everything about time,
 * transactions or a second refresh runs on a `copy` with committed rows, because now() is fixed inside a transaction.
 */
export interface Experiment {
  /** The state it starts from: before or after the statement of its step (for end-of-migration effects: the last statement). */
  readonly at: 'before' | 'after';
  readonly isolation: 'savepoint' | 'copy';
  /** Extensions that it creates: the laboratory must have their files. */
  readonly extensions?: readonly string[];
  readonly run: (lab: Laboratory) => Promise<Verdict>;
}
