/**
 * What pg_trickle says of a query. No server of ours has it: every claim is derived from its source (0.67, 0.83 to 0.95) and the
 * documentation
 * of 0.108, and names the section of facts/ivm.md that it rests on. Between 0.67 and 0.83 the rule of volatility changed; for versions in
 * between it is not known.
 */
import type { Catalog, Eligibility } from '../../model.ts';
import type { Missing, Subject } from './inspected.ts';
import { limitRulings, isTopK } from './pg-trickle-limits.ts';
import { nodeRulings } from './pg-trickle-nodes.ts';
import { shapeRulings } from './pg-trickle-shape.ts';
import { sourceRulings } from './pg-trickle-sources.ts';
import { volatilityRulings } from './pg-trickle-volatility.ts';
import { inlined } from './pieces.ts';
import { decide, type Mode, type Ruling } from './rulings.ts';

export type { Mode } from './rulings.ts';

export interface PgTrickleOptions {
  /** What `refresh_mode` asks for; AUTO by default, as in create_stream_table. */
  readonly mode?: Mode;
  /** `0.108` by default. */
  readonly version?: string;
}

/** What one part of the analysis finds; `missing` are facts without which nothing is claimed. */
export interface Findings {
  readonly rulings: readonly Ruling[];
  readonly missing?: readonly Missing[];
}

/** The numbers of a version, as one that can be compared: 0.83.2 is 83. */
export const minorOf = (version: string): number => {
  const [major = 0, minor = 0] = version.split(/\D+/).map(Number);
  return major * 1000 + minor;
};

/** Whether pg_trickle takes the query, in which mode, and everything that stands in the way, in its own order of decisions (facts §2.2). */
export function pgTrickleEligibility(subject: Subject, catalog: Catalog, options: PgTrickleOptions = {}): Eligibility {
  const { mode = 'AUTO', version = catalog.engineVersions?.pg_trickle ?? '0.108' } = options;
  const query = inlined(subject, catalog);
  if ('because' in query) {
    const evidence = [{ span: query.span, says: query.because }] as const;
    return { engine: 'pg_trickle', is: 'refused', hazards: [], obstacles: [{ code: 'no-query',
      says: `it is not read as a query: ${query.because}`, evidence }] };
  }
  const minor = minorOf(version);
  const found: Findings[] = [
    limitRulings(query, minor), shapeRulings(query, minor), nodeRulings(query), sourceRulings(query), volatilityRulings(query, minor,
      catalog),
  ];
  const missing = [...found.flatMap(part => part.missing ?? []), ...query.missing];
  return decide('pg_trickle', found.flatMap(part => part.rulings), missing, mode, isTopK(query.root));
}
