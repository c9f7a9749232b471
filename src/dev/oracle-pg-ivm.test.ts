import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { pgIvmEligibility } from '../query/incremental/pg-ivm.ts';
import { hasBtreeOrder } from '../query/incremental/btree.ts';
import { surroundingsIn } from '../query/surroundings.ts';
import { typesIn } from '../query/sql-type.ts';
import type { Check } from './pg-ivm-aims.ts';
import { broken, cases, falsified, indexes } from './pg-ivm-cases.ts';
import { summed } from './pg-ivm-figures.ts';
import { Generator } from './pg-ivm-generator.ts';
import { judgeMany, judgeQuery, openBench, type Bench } from './pg-ivm-oracle.ts';
import { aimed, checks, neverAlone, pairs } from './pg-ivm-pairs.ts';
import { Dice, print } from './pg-ivm-parts.ts';
import { statementOf } from './replayed.ts';

// Each query is made, written to and rolled back on a real extension.
vi.setConfig({ testTimeout: 60_000 });

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
}, 60_000);
afterAll(() => bench.db.close());

describe('the extension says of every row what the rows say', () => {
  test.each(cases)('$code', async ({ code, refused, taken = [] }) => {
    for (const sql of refused) {
      const one = await judgeQuery(bench, sql);
      // What Postgres does not even analyse is refused too, by itself.
      if (one === undefined) continue;
      expect(`${one.verdict}: ${one.because} ${sql}`).toBe(`equal:  ${sql}`);
      expect(`${one.said.obstacles[0]?.code} ${sql}`).toBe(`${code} ${sql}`);
    }
    for (const sql of taken) expect(`${(await judgeQuery(bench, sql))?.verdict} ${sql}`).toBe(`equal ${sql}`);
  });

  test.each(Object.entries(broken))('%s: writes are refused', async (_, queries) => {
    for (const sql of queries) {
      const one = await judgeQuery(bench, sql);
      const collides = one?.seen.refusal?.message.startsWith('could not create unique index') === true;
      expect(`${one?.verdict} ${collides || (one?.seen.broken.length ?? 0) > 0} ${sql}`).toBe(`equal true ${sql}`);
    }
  });

  test.each(Object.entries(falsified))('%s: rows differ', async (_, queries) => {
    for (const sql of queries) expect(`${((await judgeQuery(bench, sql))?.seen.falsified.length ?? 0) > 0} ${sql}`).toBe(`true ${sql}`);
  });

  test('the unique index is the one that is made', async () => {
    for (const [sql, columns] of indexes) {
      const one = await judgeQuery(bench, sql);
      expect([sql, [...one?.seen.index ?? []].sort()]).toEqual([sql, [...columns].sort()]);
    }
  });
});

test('every check has queries that meet it alone, and beside others', () => {
  const dice = new Dice(7);
  const met = (check: Check, isTogether: boolean): number => Array.from({ length: 10 }, () => {
    const { obstacles, hazards } = pgIvmEligibility(statementOf(print(aimed(check, isTogether, dice))), bench.catalog);
    const codes = new Set([...obstacles, ...hazards].map(({ code }) => code));
    return codes.has(check) && codes.size > 1 === isTogether;
  }).filter(Boolean).length;
  const short = [...checks.filter(check => neverAlone[check] === undefined && met(check, false) < 7),
    ...pairs.filter(check => met(check, true) < 5).map(check => `${check} together`)];
  expect(short).toEqual([]);
  // What is exempt is so by its nature: no query shows otherwise.
  expect(Object.keys(neverAlone).map(check => met(check as Check, false))).toEqual(Object.keys(neverAlone).map(() => 0));
});

test('of generated queries none is taken that the extension refuses, and no write breaks unsaid', async () => {
  const figures = await judgeMany(bench, new Generator(4), 100);
  const { sameVerdict, sameReason, wrongHazards, unknown } = summed(figures);
  const differing = figures.judged.filter(({ verdict }) => verdict !== 'equal' && verdict !== 'unknown')
    .map(({ verdict, because, query }) => `${verdict}: ${because}\n    ${query}`);
  expect(differing.filter(text => text.startsWith('wrong')), differing.join('\n')).toEqual([]);
  expect([sameVerdict, wrongHazards]).toEqual([1, 0]);
  expect(sameReason).toBeGreaterThanOrEqual(0.98);
  expect(unknown).toBeLessThan(10);
}, 60_000);

test('the types with an order are those with a default btree operator class', async () => {
  const types = typesIn(surroundingsIn(bench.catalog));
  const wrong: string[] = [];
  for (const { name } of types.builtins.types().filter(({ kind }) => kind === 'base' || kind === 'range' || kind === 'multirange')) {
    const { rows: [row] } = await bench.db.query<{ sorts: boolean }>(`select exists (select from pg_opclass o where o.opcmethod = 403 and o.opcdefault and (o.opcintype = t.oid
      or exists (select from pg_cast c where c.castsource = t.oid and c.casttarget = o.opcintype and c.castmethod = 'b' and c.castcontext = 'i')
      or (t.typtype = 'r' and o.opcintype = 'anyrange'::regtype) or (t.typtype = 'm' and o.opcintype = 'anymultirange'::regtype) or (t.typcategory = 'A' and o.opcintype = 'anyarray'::regtype))) as sorts
      from pg_type t where t.typname = $1 and t.typnamespace = 'pg_catalog'::regnamespace`, [name]);
    if (row?.sorts !== hasBtreeOrder(types.named(name), types)) wrong.push(name);
  }
  expect(wrong).toEqual([]);
});

test('the equalities that can be neither merged nor hashed are those of the server', async () => {
  const { rows } = await bench.db.query<{ name: string }>(`select p.proname as name from pg_operator o join pg_proc p on p.oid = o.oprcode
    where o.oprname = '=' and not o.oprcanmerge and not o.oprcanhash and o.oid < 16384 order by 1`);
  expect(rows.map(({ name }) => name)).toEqual(['box_eq', 'circle_eq', 'line_eq', 'lseg_eq', 'path_n_eq', 'xideqint4']);
});
