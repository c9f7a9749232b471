import type { Gap, History, LoadProblem, Span } from '../model.ts';

/** What a history collects while it is read, beside its migrations. */
export interface Ledger {
  readonly gaps: Gap[];
  readonly ignored: History['ignored'][number][];
  /** What is wrong with the files themselves: findings of the reader's own rules. */
  readonly problems: LoadProblem[];
  /** Names without a value that were already said: one gap each. */
  readonly holes: Set<string>;
}

export const newLedger = (): Ledger => ({ gaps: [], ignored: [], problems: [], holes: new Set() });

export const gap = (ledger: Ledger, span: Span, because: string): void => void ledger.gaps.push({ span, because });
export const fileGap = (ledger: Ledger, path: string, because: string): void => gap(ledger, { path, start: 0, end: 0 }, because);
/** A file that is plainly no migration. One that somebody meant to run is `unreached`. */
export const ignore = (ledger: Ledger, path: string, because: string): void => void ledger.ignored.push({ path, because });

/** A placeholder or variable without a value: said once a name. */
export function hole(ledger: Ledger, span: Span, written: string, cure: string): void {
  if (ledger.holes.has(written)) return;
  ledger.holes.add(written);
  gap(ledger, span, `${written} has no value here, so what it names is unknown; ${cure}.`);
}
