/** What a throwaway Postgres was seen to do, statement by statement. Plain data. */
import type { LockMode } from './steps.ts';
import type { SqlFailure } from './proof.ts';
import type { Span } from './text.ts';

export type TracedKind = 'table' | 'view' | 'matview' | 'index' | 'sequence';

/** A lock that a statement took on a relation that was there before its transaction: nobody can meet the others. */
export interface TracedLock {
  /** `schema.name`, as it was called before the statement. */
  readonly relation: string;
  readonly kind: TracedKind;
  /** The strongest mode; what the transaction held there already is not told again. */
  readonly mode: LockMode;
  /** Milliseconds from the statement's start to the end of its transaction, the time of statements alone. */
  readonly held: number;
}

/** Rows of one relation that a statement wrote. A statement's work inside triggers and routines counts. */
export interface TracedRows {
  readonly relation: string;
  readonly kind: TracedKind;
  /** The relation has new files: all its rows were written, `inserted` of them. */
  readonly rewritten: boolean;
  /** Absent where a relation was rewritten that the migration's role may not read. */
  readonly inserted?: number;
  readonly updated: number;
  readonly deleted: number;
}

/** A difference between the catalogs before and after a statement. */
export interface TracedChange {
  readonly action: 'created' | 'dropped' | 'renamed' | 'changed';
  /** `materialized view`, `index`, `function`, … */
  readonly kind: string;
  /** Its name after the statement; before it, of what was dropped. */
  readonly name: string;
  /** `owner postgres -> app`; of a rename the old name. */
  readonly says?: string;
}

/** Why something was not looked at. */
export interface Unseen {
  readonly unseen: string;
}

export interface TracedStatement {
  readonly span: Span;
  readonly sql: string;
  readonly fate:
    | { readonly is: 'ran' }
    | { readonly is: 'refused'; readonly answer: SqlFailure }
    | { readonly is: 'skipped' | 'leftOut'; readonly because: string };
  /** Milliseconds until the server answered. */
  readonly ms: number;
  /** Bytes of write-ahead log, of the whole server; a server that others write to counts theirs, too. */
  readonly wal: number | Unseen;
  readonly locks: readonly TracedLock[] | Unseen;
  readonly rows: readonly TracedRows[] | Unseen;
  readonly changes: readonly TracedChange[] | Unseen;
  /** Which of the migration's transactions it ran in, from 1; 0 outside of any (what cannot run in one). */
  readonly transaction: number;
}

export interface TracedMigration {
  readonly id: string;
  readonly path: string;
  readonly statements: readonly TracedStatement[];
}

/** A history, replayed; only the migrations that were asked for are told. */
export interface Trace {
  readonly history: string;
  /** `PostgreSQL 18, embedded`. */
  readonly server: string;
  readonly migrations: readonly TracedMigration[];
  /** What the throwaway server is not as the real one: roles that were made up, tables that were filled, statements that were left out. */
  readonly notes: readonly string[];
}
