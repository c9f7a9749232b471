import type { Check } from './pg-ivm-aims.ts';
import type { Figures, Judged } from './pg-ivm-oracle.ts';
import { checks, neverAlone, neverTogether } from './pg-ivm-pairs.ts';

/** How many queries met a check as the only one, and beside others. */
export interface Hit {
  readonly alone: number;
  readonly together: number;
}

/** The figures of one run of the pg_ivm oracle. */
export interface Summary {
  readonly lines: readonly string[];
  /** Of all queries whose verdict is known: whether mvlint and the extension take and refuse the same. */
  readonly sameVerdict: number;
  /** Of all refusals of both: whether the first reason is the same. */
  readonly sameReason: number;
  /** Writes that broke, or did not, against what was said. */
  readonly wrongHazards: number;
  readonly unknown: number;
  readonly hits: ReadonlyMap<Check, Hit>;
  /** Checks that too few queries met alone or beside others, without those that never can be. */
  readonly missed: readonly Check[];
  readonly good: boolean;
}

const share = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);
const percent = (part: number, whole: number): string => `${(100 * share(part, whole)).toFixed(2)} %`;

/** What each check has to be met by. */
const enough = 20;

/**
 * Only queries of which the extension says the same count: a check that is claimed is not yet one that was met. It confirms the first reason;
 * that there is no other one, or which, is mvlint's own account.
 */
function hitsOf(judged: readonly Judged[]): ReadonlyMap<Check, Hit> {
  const hits = new Map<Check, Hit>(checks.map(check => [check, { alone: 0, together: 0 }]));
  for (const { said, verdict } of judged) {
    if (verdict !== 'equal') continue;
    const codes = new Set([...said.obstacles, ...said.hazards].map(({ code }) => code as Check));
    for (const code of codes) {
      const { alone, together } = hits.get(code) ?? { alone: 0, together: 0 };
      hits.set(code, codes.size === 1 ? { alone: alone + 1, together } : { alone, together: together + 1 });
    }
  }
  return hits;
}

function missedOf(hits: ReadonlyMap<Check, Hit>): readonly Check[] {
  const isShort = (hit: number, never: string | undefined): boolean => never === undefined && hit < enough;
  return [...hits].filter(([check, { alone, together }]) => isShort(alone, neverAlone[check]) || isShort(together, neverTogether[check]))
    .map(([check]) => check);
}

const count = (hit: number, never: string | undefined): string =>
  (never === undefined ? `${hit}${hit < enough ? ' MISSED' : ''}` : `${hit} (never: ${never})`);

export function summed({ judged, refusedByPostgres }: Figures): Summary {
  const of = (verdict: Judged['verdict']): number => judged.filter(item => item.verdict === verdict).length;
  const known = judged.filter(({ verdict }) => verdict !== 'unknown');
  const accepted = judged.filter(({ seen }) => seen.refusal === undefined);
  const bothRefuse = known.filter(({ seen, said }) => seen.refusal !== undefined && said.is === 'refused');
  const sameVerdict = share(known.length - of('wrong verdict'), known.length);
  const sameReason = share(bothRefuse.filter(({ verdict }) => verdict === 'equal').length, bothRefuse.length);
  const hits = hitsOf(judged);
  const missed = missedOf(hits);
  const hazards = new Map<string, { said: number; seen: number }>();
  for (const { said, seen } of accepted) {
    for (const code of new Set(said.hazards.map(hazard => hazard.code))) {
      const known = hazards.get(code) ?? { said: 0, seen: 0 };
      hazards.set(code, { said: known.said + 1, seen: known.seen + (seen.broken.length + seen.falsified.length > 0 ? 1 : 0) });
    }
  }
  const quiet = accepted.filter(({ said }) => said.is === 'eligible' && said.hazards.length === 0);
  const lines = [
    `${judged.length} queries, ${accepted.length} taken and ${judged.length - accepted.length} refused by pg_ivm; Postgres itself refused ${refusedByPostgres} more`,
    `taken or refused alike ${percent(known.length - of('wrong verdict'), known.length)}, the same first reason ${percent(Math.round(sameReason * bothRefuse.length), bothRefuse.length)} of ${bothRefuse.length}, not known ${of('unknown')}`,
    `writes: ${accepted.filter(({ seen }) => seen.broken.length > 0).length} IMMVs broke and ${accepted.filter(({ seen }) => seen.falsified.length > 0).length} held other rows; ${of('wrong hazard')} against what was said; ${quiet.length} of which nothing was said did neither`,
    `hazards, seen of said: ${[...hazards].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([code, { said, seen }]) => `${code} ${seen}/${said}`).join(', ')}`,
    `automatic indexes that differ: ${of('other index')} of ${accepted.length}`,
    `checks met fewer than ${enough} times alone or together: ${missed.join(', ') || 'none'} of ${checks.length}`,
    'hits of each check (alone, together with others):',
    ...[...hits].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([code, hit]) => `    ${code} ${count(hit.alone, neverAlone[code])} ${
      count(hit.together, neverTogether[code])}`),
  ];
  const good = sameVerdict >= 0.995 && sameReason >= 0.98 && of('wrong hazard') === 0;
  return { lines, sameVerdict, sameReason, wrongHazards: of('wrong hazard'), unknown: of('unknown'), hits, missed, good };
}
