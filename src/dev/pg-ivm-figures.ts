import type { Figures, Judged } from './pg-ivm-oracle.ts';

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
  readonly hits: ReadonlyMap<string, { readonly alone: number; readonly first: number; readonly all: number }>;
  readonly good: boolean;
}

const share = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);
const percent = (part: number, whole: number): string => `${(100 * share(part, whole)).toFixed(2)} %`;

export function summed({ judged, refusedByPostgres }: Figures): Summary {
  const of = (verdict: Judged['verdict']): number => judged.filter(item => item.verdict === verdict).length;
  const known = judged.filter(({ verdict }) => verdict !== 'unknown');
  const accepted = judged.filter(({ seen }) => seen.refusal === undefined);
  const bothRefuse = known.filter(({ seen, said }) => seen.refusal !== undefined && said.is === 'refused');
  const sameVerdict = share(known.length - of('wrong verdict'), known.length);
  const sameReason = share(bothRefuse.filter(({ verdict }) => verdict === 'equal').length, bothRefuse.length);
  const hits = new Map<string, { alone: number; first: number; all: number }>();
  for (const { said } of judged) {
    const codes = [...new Set([...said.obstacles, ...said.hazards].map(({ code }) => code))];
    for (const [at, code] of codes.entries()) {
      const known = hits.get(code) ?? { alone: 0, first: 0, all: 0 };
      hits.set(code, { alone: known.alone + (codes.length === 1 ? 1 : 0), first: known.first + (at === 0 ? 1 : 0), all: known.all + 1 });
    }
  }
  const hazards = new Map<string, { said: number; seen: number }>();
  for (const { said, seen } of accepted) {
    for (const code of new Set(said.hazards.map(hazard => hazard.code))) {
      const known = hazards.get(code) ?? { said: 0, seen: 0 };
      hazards.set(code, { said: known.said + 1, seen: known.seen + (seen.broken.length + seen.falsified.length > 0 ? 1 : 0) });
    }
  }
  const quiet = accepted.filter(({ said }) => said.is === 'eligible' && said.hazards.length === 0);
  const rare = (count: (hit: { readonly alone: number; readonly all: number }) => number): string =>
    [...hits].filter(([, hit]) => count(hit) < 20).map(([code]) => code).join(', ') || 'none';
  const lines = [
    `${judged.length} queries, ${accepted.length} taken and ${judged.length - accepted.length} refused by pg_ivm; Postgres itself refused ${refusedByPostgres} more`,
    `taken or refused alike ${percent(known.length - of('wrong verdict'), known.length)}, the same first reason ${percent(Math.round(sameReason * bothRefuse.length), bothRefuse.length)} of ${bothRefuse.length}, not known ${of('unknown')}`,
    `writes: ${accepted.filter(({ seen }) => seen.broken.length > 0).length} IMMVs broke and ${accepted.filter(({ seen }) => seen.falsified.length > 0).length} held other rows; ${of('wrong hazard')} against what was said; ${quiet.length} of which nothing was said did neither`,
    `hazards, seen of said: ${[...hazards].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([code, { said, seen }]) => `${code} ${seen}/${said}`).join(', ')}`,
    `automatic indexes that differ: ${of('other index')} of ${accepted.length}`,
    `fewer than 20 alone: ${rare(({ alone }) => alone)}; fewer than 20 in all: ${rare(({ all }) => all)}`,
    'hits of each check (alone, first, all):',
    ...[...hits].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([code, { alone, first, all }]) => `    ${code} ${alone} ${first} ${all}`),
  ];
  const good = sameVerdict >= 0.995 && sameReason >= 0.98 && of('wrong hazard') === 0;
  return { lines, sameVerdict, sameReason, wrongHazards: of('wrong hazard'), unknown: of('unknown'), hits, good };
}
