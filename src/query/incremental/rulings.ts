import type { Eligibility, Engine, Evidence, Obstacle } from '../../model.ts';
import type { Missing } from './inspected.ts';

/**
 * Which modes a fact about a query shuts out. `explicit modes`: AUTO alone takes it, as FULL. `all but FULL`: AUTO does not even fall back.
 * `nothing`: it is taken, and something is worth a word.
 */
export type Bar = 'every mode' | 'incremental modes' | 'explicit modes' | 'all but FULL' | 'IMMEDIATE' | 'nothing';

/** One thing that an engine says of a query. */
export interface Ruling {
  readonly code: string;
  readonly bar: Bar;
  /** The step of the engine's order of decisions in which it is met; the first one is what the engine reports. */
  readonly step: number;
  readonly says: string;
  readonly message?: string;
  readonly evidence: readonly [Evidence, ...Evidence[]];
}

/** What is asked of pg_trickle. */
export type Mode = 'AUTO' | 'DIFFERENTIAL' | 'IMMEDIATE' | 'FULL';

const barred: Readonly<Record<Mode, readonly Bar[]>> = {
  AUTO: ['every mode', 'all but FULL'],
  DIFFERENTIAL: ['every mode', 'all but FULL', 'explicit modes', 'incremental modes'],
  IMMEDIATE: ['every mode', 'all but FULL', 'explicit modes', 'incremental modes', 'IMMEDIATE'],
  FULL: ['every mode', 'explicit modes'],
};
/** What makes AUTO choose FULL (facts §2.2: failures of steps 4, 6, 7, 8, 10, 11 and 12). */
const fallsBack: readonly Bar[] = ['incremental modes', 'explicit modes'];

const obstacleOf = ({ code, says, message, evidence }: Ruling): Obstacle => ({ code, says, evidence, ...(message === undefined ? {}
  : { message }) });

/** The answer for a mode: refused, eligible in some mode, or not known because a fact is missing. */
export function decide(engine: Engine, rulings: readonly Ruling[], missing: readonly Missing[], mode: Mode, isTopK: boolean): Eligibility {
  const sorted = rulings.toSorted((a, b) => a.step - b.step);
  const refusing = sorted.filter(({ bar }) => barred[mode].includes(bar));
  const falling = mode === 'AUTO' ? sorted.filter(({ bar }) => fallsBack.includes(bar)) : [];
  const hazards = sorted.filter(({ bar }) => bar === 'nothing').map(obstacleOf);
  if (refusing.length > 0) return { engine, is: 'refused', obstacles: [...refusing, ...falling].map(obstacleOf), hazards };
  const obstacles = falling.map(obstacleOf);
  const [first] = missing;
  if (first !== undefined) return { engine, is: 'unknown', because: first.what, obstacles, hazards };
  const isFull = mode === 'FULL' || falling.length > 0;
  return { engine, is: 'eligible', mode: isFull ? 'full' : isTopK ? 'topk' : mode === 'IMMEDIATE' ? 'immediate' : 'differential',
    obstacles, hazards };
}
