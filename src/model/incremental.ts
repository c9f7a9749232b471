/** Incremental maintenance: what an engine says to a query. */
import type { Evidence } from './text.ts';

/** The engines that keep a materialized view up to date by what changed. */
export type Engine = 'pg_ivm' | 'pg_trickle' | 'timescaledb';

/** One reason why an engine does not take a query, or not in the wanted mode. */
export interface Obstacle {
  /** Stable, of ours: `order-by`, `mutable-function`. */
  readonly code: string;
  /** The engine's own message, where it is known. */
  readonly message?: string;
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
} & (
  | { readonly is: 'eligible'; /** `differential`, `full`, `topk`, `immediate`, where the engine knows modes. */ readonly mode?: string }
  | { readonly is: 'refused' }
  | { readonly is: 'unknown'; readonly because: string }
);
