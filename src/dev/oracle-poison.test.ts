import { PGlite } from '@electric-sql/pglite';
import { expect, test } from 'vitest';
import { byCause, precision, recall } from './poison-figures.ts';
import { judgePoison, type Judged } from './poison-oracle.ts';
import { judgeOnServer } from './poison-server.ts';
import { hasServer } from './server.ts';

const wrong = (judged: readonly Judged[]): readonly string[] => judged.filter(({ verdict }) => verdict !== 'agreed')
  .map(({ verdict, cause, target, stages, query }) => `${verdict} (${cause}; ${target}: ${stages.join()}): ${query}`);

test('what is tainted differs after a concurrent refresh and what is clean does not, on forty generated views', { timeout: 240_000 }, async () => {
  const db = await PGlite.create();
  try {
    const { judged, depths } = await judgePoison({ exec: sql => db.exec(sql), rows: async sql => (await db.query<Record<string, string | null>>(sql)).rows }, 11, 40);
    expect(wrong(judged)).toEqual([]);
    expect(depths.filter(number => number > 0)).toHaveLength(6);
    const figures = byCause(judged);
    expect(figures.length).toBeGreaterThan(20);
    // Where nothing is claimed and nothing differs, both shares are whole: something must have shown.
    expect(figures.filter(({ shown }) => shown > 0).length).toBeGreaterThan(18);
    expect(figures.every(item => recall(item) === 1 && precision(item) === 1)).toBe(true);
  } finally {
    await db.close();
  }
});

test('a difference that nothing was claimed for is missed, and a claim that does not show is an alarm', () => {
  const one = (rest: Partial<Judged>): Judged => ({ query: '', target: 'a', cause: 'clock', planted: true, claimed: true, shown: true, verdict: 'agreed', stages: [], ...rest });
  const [clock] = byCause([one({}), one({ claimed: false, verdict: 'missed' }), one({ planted: false, shown: false, verdict: 'alarm' })]);
  expect(clock).toMatchObject({ planted: 2, shown: 2, found: 1, claimed: 2, right: 1 });
  expect([recall(clock!), precision(clock!)]).toEqual([0.5, 0.5]);
});

test.skipIf(!hasServer(18))('and on a server, under plans of several workers', { timeout: 120_000 }, async () => {
  const { judged } = await judgeOnServer(18, 3, 6);
  expect(wrong(judged)).toEqual([]);
  expect(judged.filter(({ claimed, shown }) => claimed && shown)).toHaveLength(6);
});
