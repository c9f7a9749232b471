import type { EngineAnswer } from '../index.ts';

/** The engines as people write them. */
export const engineNames = { pg_ivm: 'pg_ivm', pg_trickle: 'pg_trickle', timescaledb: 'TimescaleDB' } as const;

/** The answer in a word or two. */
export function verdictOf({ is, mode, rewriting, hazards }: EngineAnswer): string {
  const helps = rewriting === null ? '' : ', rewritten yes';
  if (is === 'unknown') return 'unknown';
  if (is === 'refused') return `no${helps}`;
  if (mode === 'full') return `full${helps}`;
  return `yes${mode === null ? '' : ` (${mode})`}${hazards.length === 0 ? '' : ', with a but'}`;
}
