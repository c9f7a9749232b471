/** Incremental maintenance: what an engine says to a query. */
import type { Evidence, Known, Span } from './text.ts';
import type { Query } from './query.ts';

/** The engines that keep a materialized view up to date by what changed. */
export type Engine = 'pg_ivm' | 'pg_trickle' | 'timescaledb';

/** One reason why an engine does not take a query, or not in the wanted mode. */
export interface Obstacle {
  /** Stable, of ours: `order-by`, `mutable-function`. */
  readonly code: string;
  /** The engine's own message, where it is known. */
  readonly message?: string;
  /** The hint below the message: several reasons share one message. */
  readonly hint?: string;
  /** Why, in a sentence for people, with the names of the query. */
  readonly says: string;
  /** From the cause (a view beneath, a routine) to the place in the query; the last one is that place. */
  readonly evidence: readonly [Evidence, ...Evidence[]];
}

/** What a query is to an engine. `unknown` names the missing fact; nothing is eligible by default. */
export type Eligibility = {
  readonly engine: Engine;
  /** What the engine refuses or warns of, the first one it meets first. */
  readonly obstacles: readonly Obstacle[];
  /** What it takes and then does wrong: writes that fail, rows that drift. */
  readonly hazards: readonly Obstacle[];
  /** The columns of the unique index that the engine makes by itself; none of them: it makes no index. Absent where the engine makes none ever. */
  readonly index?: Known<readonly string[]>;
} & (
  | { readonly is: 'eligible'; /** `differential`, `full`, `topk`, `immediate`, where the engine knows modes. */ readonly mode?: string }
  | { readonly is: 'refused' }
  | { readonly is: 'unknown'; readonly because: string }
);

/** Who keeps the rows of a relation equal to a query, and how it was told to. */
export interface Maintenance {
  readonly engine: Engine;
  readonly query: Query;
  /** What the call gave by the name of its parameter (`refresh_mode`), or WITH by its key (`materialized_only`), as text; NULL is the empty text. */
  readonly options: ReadonlyMap<string, Known<string>>;
  /** False while the engine was told to keep it empty (`refresh_immv(…, false)`, `initialize => false`). */
  readonly filled: Known<boolean>;
}

/** Something that an engine does not have or cannot do, in the words of the statement. */
export interface Misuse {
  readonly engine: Engine;
  readonly code: 'no-function' | 'unqualified' | 'arguments' | 'null-argument' | 'value' | 'kind' | 'extension' | 'no-column' | 'by-hand' | 'version';
  /** A sentence about what happens, without its full stop. */
  readonly says: string;
  /** What holds instead: the function's signature, the columns that there are, the statement that works. */
  readonly instead?: string;
  readonly span: Span;
  /** The relation that it is about. */
  readonly relation?: number;
}
