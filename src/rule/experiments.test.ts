import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Experiment, Laboratory, Name, Step, Verdict, View } from '../model.ts';
import { missingBefore, nameGone, printsAnother, refusedAfter, refusedInTransaction, staleAfterRefreshes } from './experiments.ts';
import { firesRefresh, holdsLock, waitsWithoutLimit } from './lock-experiments.ts';
import { failsPrepared, rewritesNullKeys, showsHiddenRows } from './session-experiments.ts';

/** Every experiment is tried where its claim is true and where it is false: one that cannot refute proves nothing. */
let db: PGlite;
beforeAll(async () => {
  db = await PGlite.create();
});
afterAll(() => db.close());

beforeEach(() => db.exec(`
  ROLLBACK; RESET ROLE; RESET ALL; DEALLOCATE ALL; DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public; DROP TABLE IF EXISTS mvlint_row;
  DROP ROLE IF EXISTS mvlint_reader;
  CREATE TABLE t (id bigint primary key, k text);
  CREATE VIEW v AS SELECT id, k FROM t;
  CREATE MATERIALIZED VIEW mv AS SELECT id, k FROM v;
  CREATE UNIQUE INDEX mv_id ON mv (id);
  CREATE MATERIALIZED VIEW over AS SELECT count(*) AS rows FROM mv;
  CREATE MATERIALIZED VIEW bare AS SELECT id FROM t WITH NO DATA;
`));

const lab: Laboratory = {
  async run(sql) {
    try {
      return { rows: (await db.query<Record<string, unknown>>(sql)).rows };
    } catch (error) {
      return { sqlstate: (error as { code: string }).code, message: (error as Error).message };
    }
  },
  async fill() {
    await db.exec(`INSERT INTO t SELECT n, CASE WHEN n % 2 = 0 THEN 'k' || n END FROM generate_series(1, 10) AS n`);
    return { 'public.t': 10 };
  },
};
const name = (relation: string): Name => ({ schema: 'public', name: relation });
const sending = (sql: string): Step => ({ statement: { sql } }) as Step;

/** What an experiment says, in a transaction of its own where it asks for a savepoint. */
async function says({ isolation, run }: Experiment): Promise<Verdict['kind']> {
  if (isolation === 'copy') return (await run(lab)).kind;
  await db.exec('BEGIN');
  const guarded: Laboratory = {
    ...lab,
    async run(sql) {
      await db.exec('SAVEPOINT one');
      const answer = await lab.run(sql);
      if ('sqlstate' in answer) await db.exec('ROLLBACK TO one');
      return answer;
    },
  };
  try {
    return (await run(guarded)).kind;
  } finally {
    await db.exec('ROLLBACK');
  }
}

test('a statement is refused after a step, or it is not', async () => {
  expect(await says(refusedAfter('SELECT * FROM bare', '55000'))).toBe('confirmed');
  expect(await says(refusedAfter('SELECT * FROM mv', '55000'))).toBe('refuted');
});

test('what is refused in a transaction only, and what is refused everywhere', async () => {
  expect(await says(refusedInTransaction(sending('CREATE INDEX CONCURRENTLY ON mv (k)'), '25001'))).toBe('confirmed');
  expect(await says(refusedInTransaction(sending('CREATE INDEX ON mv (k)'), '25001'))).toBe('refuted');
  expect(await says(refusedInTransaction(sending('SELECT * FROM bare'), '55000'))).toBe('unproven');
});

test('a name is missing, or there', async () => {
  expect([await says(missingBefore(name('none'))), await says(missingBefore(name('mv')))]).toEqual(['confirmed', 'refuted']);
  expect([await says(nameGone(name('none'))), await says(nameGone(name('mv')))]).toEqual(['confirmed', 'refuted']);
});

test('a definition changes, or stays', async () => {
  const view = { kind: 'view', name: name('v') } as View;
  expect(await says(printsAnother(sending('CREATE OR REPLACE VIEW v AS SELECT id, upper(k) AS k FROM t'), view))).toBe('confirmed');
  expect(await says(printsAnother(sending('CREATE OR REPLACE VIEW v AS SELECT id, k FROM public.t'), view))).toBe('refuted');
});

test('a refresh out of order leaves the outer view behind; one in order does not', async () => {
  expect(await says(staleAfterRefreshes(name('over'), name('mv')))).toBe('confirmed');
  await db.exec('TRUNCATE t; REFRESH MATERIALIZED VIEW mv; REFRESH MATERIALIZED VIEW over; DROP TABLE mvlint_before');
  expect(await says(staleAfterRefreshes(name('over'), name('bare')))).toBe('unproven');
});

test('a lock is held before a step, or it is not', async () => {
  const inside = async (sql: string): Promise<Verdict['kind']> => {
    await db.exec(`BEGIN; ${sql}`);
    const verdict = await holdsLock(name('mv'), 'ExclusiveLock').run(lab);
    await db.exec('ROLLBACK');
    return verdict.kind;
  };
  expect(await inside('REFRESH MATERIALIZED VIEW CONCURRENTLY mv')).toBe('confirmed');
  expect(await inside('SELECT * FROM mv')).toBe('refuted');
});

test('a statement waits without a limit, or with one', async () => {
  expect(await says(waitsWithoutLimit(name('mv'), 'ALTER MATERIALIZED VIEW mv RENAME TO other'))).toBe('confirmed');
  expect(await says(waitsWithoutLimit(name('mv'), 'ANALYZE mv'))).toBe('refuted');
  await db.exec(`SET lock_timeout = '2s'`);
  expect(await says(waitsWithoutLimit(name('mv'), 'ALTER MATERIALIZED VIEW mv RENAME TO other'))).toBe('refuted');
});

test.each([['INSERT'], ['UPDATE'], ['DELETE']])('a trigger on %s is seen to refresh', async event => {
  await db.exec(`CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN REFRESH MATERIALIZED VIEW CONCURRENTLY mv; RETURN NULL; END $$;
    CREATE TRIGGER changed AFTER ${event} ON t FOR EACH ROW EXECUTE FUNCTION f()`);
  expect(await says(firesRefresh(name('t'), name('mv')))).toBe('confirmed');
});

test('a table without such a trigger is not', async () => {
  expect(await says(firesRefresh(name('t'), name('mv')))).toBe('unproven');
});

test('a prepared SELECT * fails when the columns change, and only then', async () => {
  const swap = (query: string): Step[] =>
    [`CREATE MATERIALIZED VIEW other AS ${query}`, 'ALTER MATERIALIZED VIEW mv RENAME TO old', 'ALTER MATERIALIZED VIEW other RENAME TO mv'].map(sending);
  expect(await says(failsPrepared(name('mv'), swap('SELECT id, k, 1 AS one FROM t')))).toBe('confirmed');
  await db.exec('DEALLOCATE ALL; DROP MATERIALIZED VIEW mv; ALTER MATERIALIZED VIEW old RENAME TO mv');
  expect(await says(failsPrepared(name('mv'), swap('SELECT id, k FROM t WHERE id > 0')))).toBe('refuted');
});

test('row security hides rows that the view shows; policies that show them prove nothing', async () => {
  await db.exec('ALTER TABLE t ENABLE ROW LEVEL SECURITY');
  expect(await says(showsHiddenRows(name('t'), name('mv')))).toBe('confirmed');
  await db.exec('RESET ROLE; DROP OWNED BY mvlint_reader; DROP ROLE mvlint_reader; TRUNCATE t; CREATE POLICY seen ON t USING (true)');
  expect(await says(showsHiddenRows(name('t'), name('mv')))).toBe('unproven');
  await db.exec('RESET ROLE; DROP OWNED BY mvlint_reader; DROP ROLE mvlint_reader');
});

test('rows with NULL in a key are rewritten; NULL beside the key is not', async () => {
  expect(await says(rewritesNullKeys(name('mv'), ['k']))).toBe('refuted');
  await db.exec('TRUNCATE t; DROP TABLE mvlint_seen; CREATE UNIQUE INDEX mv_k ON mv (k)');
  expect(await says(rewritesNullKeys(name('mv'), ['k']))).toBe('confirmed');
  await db.exec('TRUNCATE t; DROP TABLE mvlint_seen');
  expect(await says(rewritesNullKeys(name('mv'), ['id']))).toBe('unproven');
});
