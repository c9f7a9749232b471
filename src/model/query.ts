/** What a defining query means. */
import type { Edit, Evidence, Known, Span } from './text.ts';
import type { Statement } from './migrations.ts';
import type { ObjectId } from './catalog.ts';

/** A defining query as text with a place; `query/` reads it. Plain data, so that a snapshot can hold it. */
export interface Query {
  /** The statement that holds it; `start`/`end` are offsets into `statement.sql`. */
  readonly statement: Statement;
  readonly start: number;
  readonly end: number;
  /** Column names given in CREATE … VIEW v (a, b), in order. */
  readonly names: readonly string[];
  /** The path its names were resolved with, at CREATE. */
  readonly searchPath: Known<readonly string[]>;
  /** Relations it reads directly, resolved at CREATE; these follow the object, not the name. Missing ones are absent here. */
  readonly reads: readonly Read[];
}

export interface Read {
  readonly id: ObjectId;
  /** Columns used, or undefined when the whole row may be. */
  readonly columns?: readonly string[];
  readonly span: Span;
}

export interface OutputColumn {
  readonly name: string;
  readonly type: Known<string>;
  readonly nullable: Known<boolean>;
  readonly span: Span;
  readonly taints: readonly Taint[];
}

/** Why a value can differ between two refreshes. */
export interface Taint {
  readonly cause: 'clock' | 'random' | 'sequence' | 'session' | 'order' | 'physical' | 'transaction' | 'opaque-routine';
  readonly flips: 'each refresh' | 'each day' | 'when rows move' | 'when the session differs';
  /** The setting that decides, for values that depend on how the session is set (`TimeZone`). */
  readonly setting?: string;
  /** For `order`: an aggregate that keeps its input's order, a pick among rows, or the last digits of a floating-point sum. */
  readonly form?: 'aggregate' | 'pick' | 'float';
  /** A change of the text that takes it away, where one is known that means the same. */
  readonly remedy?: { readonly title: string; readonly edits: readonly Edit[] };
  /** From the origin (`now()`) to the output column. */
  readonly path: readonly [Evidence, ...Evidence[]];
}

/**
 * `yes`: no two rows agree in the columns without a NULL among them. `no`: the constraints of the tables allow rows that do. `why` leads to
 * the columns or sources that show it.
 */
export interface Unique {
  readonly is: 'yes' | 'no' | 'unknown';
  readonly why: readonly Evidence[];
}

/** What a defining query means in a catalog; computed once a view, on first asking. */
export interface QueryFacts {
  readonly columns: Known<readonly OutputColumn[]>;
  /** Candidate keys that the query proves, each a list of output column names, minimal; the shortest first. */
  readonly keys: Known<readonly (readonly string[])[]>;
  /** Whether a unique index over these columns holds whatever rows the tables have. */
  readonly unique: (columns: readonly string[]) => Unique;
  /** What decides which rows there are, and which rows an aggregate counts: conditions on the clock, random choice, picks in no fixed order. */
  readonly rows: readonly Taint[];
  /** Words such as 'now' that became a constant of the query at CREATE. */
  readonly frozen: readonly FrozenLiteral[];
  /** Calls of routines of the history, in this query itself. */
  readonly calls: readonly { readonly routine: ObjectId; readonly span: Span }[];
}

/** A text literal that Postgres reads as a date or time once, when the query is stored (measured, facts G). */
export interface FrozenLiteral {
  readonly span: Span;
  /** `now`, `today 10:00`: as it is written. */
  readonly text: string;
  /** The type it is read as, as format_type prints it. */
  readonly type: string;
}
