import type { Cause } from './poison-causes.ts';
import type { Judged } from './poison-oracle.ts';

/** How well one cause is known. */
export interface CauseFigures {
  readonly cause: Cause;
  /** Parts of views that were made to show it. */
  readonly planted: number;
  /** Of these, those that differed where it shows. */
  readonly shown: number;
  readonly found: number;
  readonly claimed: number;
  readonly right: number;
}

/** Figures by cause, in the order in which the causes came. A difference that nothing was planted for counts as `steady`. */
export function byCause(judged: readonly Judged[]): readonly CauseFigures[] {
  const causes = [...new Set(judged.map(({ cause }) => cause))];
  return causes.map(cause => {
    const own = judged.filter(item => item.cause === cause);
    const shown = own.filter(item => (item.planted && item.shown) || item.verdict === 'missed');
    const claims = own.filter(item => item.claimed && cause !== 'steady');
    return { cause, planted: own.filter(({ planted }) => planted).length, shown: shown.length, found: shown.filter(({ verdict }) => verdict !== 'missed').length,
      claimed: claims.length, right: claims.filter(({ shown }) => shown).length };
  });
}

const share = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);
const percent = (part: number, whole: number): string => (whole === 0 ? '-' : `${(100 * part / whole).toFixed(2)} %`);

export const recall = ({ found, shown }: CauseFigures): number => share(found, shown);
export const precision = ({ right, claimed }: CauseFigures): number => share(right, claimed);

/** A table of the figures. */
export function table(figures: readonly CauseFigures[]): readonly string[] {
  const head = ['cause', 'planted', 'shown', 'found', 'recall', 'claimed', 'right', 'precision'];
  const rows = figures.map(item => [item.cause, `${item.planted}`, `${item.shown}`, `${item.found}`, percent(item.found, item.shown), `${item.claimed}`, `${item.right}`,
    percent(item.right, item.claimed)]);
  return [head, ...rows].map(row => row.map((cell, at) => (at === 0 ? cell.padEnd(28) : cell.padStart(at === 4 || at === 7 ? 11 : 9))).join(''));
}
