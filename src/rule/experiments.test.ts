import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Experiment, Laboratory, Matview, Name, Step, Verdict, View } from '../model.ts';
import {
  keepsDefinition, missingBefore, nameGone, printsAnother, refusedAfter, refusedInTransaction, staleAfterRefreshes, takesAlong,
} from './experiments.ts';
import { firesRefresh, holdsLock, locksOut, waitsWithoutLimit } from './lock-experiments.ts';
import { failsPrepared, rewritesNullKeys, showsHiddenRows } from './session-experiments.ts';
import { readsOldGeneration } from './swap-experiments.ts';
import { rowsSlide } from './window-experiment.ts';

/** Every experiment is tried where its claim is true and where it is false: one that cannot refute proves nothing. */
let db: PGlite;
beforeAll(async () => {
  db = await PGlite.create();
});
afterAll(() => db.close());

beforeEach(() => db.exec(`
  ROLLBACK; RESET ROLE; RESET ALL; DEALLOCATE ALL; DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public; DROP TABLE IF EXISTS mvlint_row;
  DROP SCHEMA IF EXISTS mvlint_twins CASCADE;
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

/** A laboratory in which no twin can be made: what it does not see, it does not refute. */
const blind: Laboratory = {
  ...lab,
  run: sql => (sql.includes('mvlint_twin') || sql.startsWith('SET LOCAL') ? Promise.resolve({ sqlstate: '42501', message: 'no twins here' }) : lab.run(sql)),
};

/** What an experiment says, in a transaction of its own where it asks for a savepoint. */
async function says({ isolation, run }: Experiment, where = lab): Promise<Verdict['kind']> {
  if (isolation === 'copy') return (await run(where)).kind;
  await db.exec('BEGIN');
  const guarded: Laboratory = {
    ...where,
    async run(sql) {
      await db.exec('SAVEPOINT one');
      const answer = await where.run(sql);
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

test('the same false claims are refuted by nobody who cannot make a twin', async () => {
  const view = { kind: 'view', name: name('v') } as View;
  const swap = ['CREATE MATERIALIZED VIEW other AS SELECT id, k FROM t WHERE id > 0', 'ALTER MATERIALIZED VIEW mv RENAME TO old', 'ALTER MATERIALIZED VIEW other RENAME TO mv'];
  const none = { schema: 'public', name: 'none' };
  const claims: readonly Experiment[] = [
    refusedAfter('SELECT * FROM mv', '55000'), refusedInTransaction(sending('CREATE INDEX ON mv (k)'), '25001'), nameGone(name('mv')), missingBefore(name('mv')),
    printsAnother(sending('CREATE OR REPLACE VIEW v AS SELECT id, k FROM public.t'), view), keepsDefinition(sending('SELECT 1'), name('mv'), 'SELECT id, k FROM v', []),
    waitsWithoutLimit(name('mv'), 'ANALYZE mv'), locksOut(name('mv'), 'ANALYZE mv', 'before'), holdsLock(name('mv'), 'ExclusiveLock'),
    takesAlong(sending('ANALYZE mv'), [view]), failsPrepared(name('mv'), swap.map(sending)),
  ];
  for (const [at, claim] of claims.entries()) {
    const seen = await says(claim);
    await db.exec("RESET ALL; DEALLOCATE ALL; DROP SCHEMA IF EXISTS mvlint_twins CASCADE; DROP MATERIALIZED VIEW IF EXISTS old CASCADE; DROP MATERIALIZED VIEW IF EXISTS mv CASCADE; CREATE MATERIALIZED VIEW mv AS SELECT id, k FROM v");
    const unseen = await says(claim, blind);
    await db.exec("DEALLOCATE ALL; DROP MATERIALIZED VIEW IF EXISTS old CASCADE; DROP MATERIALIZED VIEW IF EXISTS mv CASCADE; CREATE MATERIALIZED VIEW mv AS SELECT id, k FROM v");
    expect([at, seen, unseen]).toEqual([at, 'refuted', 'unproven']);
  }
  expect(await says(nameGone(none), blind)).toBe('confirmed');
});

test('after a swap a view shows the old rows; one that was made over the new view does not', async () => {
  await db.exec(`CREATE VIEW reader AS SELECT id FROM mv WHERE id > 3; CREATE MATERIALIZED VIEW mv_next AS SELECT id, k FROM t;
    ALTER MATERIALIZED VIEW mv RENAME TO mv_old; ALTER MATERIALIZED VIEW mv_next RENAME TO mv; CREATE VIEW fresh AS SELECT id FROM mv`);
  const over = (view: string): Experiment => readsOldGeneration(name('mv_old'), name('mv'), [{ kind: 'view', name: name(view) } as View], 'by the record');
  expect(await over('fresh').run(lab)).toMatchObject({ kind: 'unproven' });
  expect(await over('reader').run(lab)).toEqual({ kind: 'confirmed', says: 'mv has 10 rows now; reader shows what mv_old holds instead.', numbers: { rows: 10 } });
});

test('a swap whose readers cannot be read is shown by what Postgres records', async () => {
  await db.exec(`CREATE VIEW reader AS SELECT id FROM mv WHERE false; ALTER MATERIALIZED VIEW mv RENAME TO mv_old; CREATE MATERIALIZED VIEW mv AS SELECT id, k FROM t`);
  const reader = { kind: 'view', name: name('reader') } as View;
  expect(await readsOldGeneration(name('mv_old'), name('mv'), [reader], 'by the record').run(lab)).toEqual({ kind: 'confirmed', says: 'by the record' });
});

test('rows leave a window when time passes; a view without one keeps its rows', async () => {
  await db.exec(`CREATE TABLE e (id int, at timestamptz, due date); CREATE VIEW late AS SELECT * FROM e WHERE due < current_date;
    INSERT INTO e SELECT n, now() - n * interval '1 day', current_date + n FROM generate_series(1, 20) AS n;
    CREATE MATERIALIZED VIEW recent AS SELECT id FROM e WHERE at > now() - interval '10 days'; CREATE MATERIALIZED VIEW overdue AS SELECT id FROM late;
    CREATE MATERIALIZED VIEW everything AS SELECT id, at FROM e WHERE at IS NOT NULL`);
  const slides = (view: string): Promise<Verdict> => rowsSlide({ name: name(view) } as Matview).run({ ...lab, fill: () => Promise.resolve({}) });
  const again = "UPDATE e SET at = now() - id * interval '1 day', due = current_date + id";
  expect(await slides('recent')).toEqual({ kind: 'confirmed', says: 'recent has 2 rows instead of 9 when 7 days pass.', numbers: { before: 9, after: 2 } });
  await db.exec(again);
  expect(await slides('overdue')).toMatchObject({ kind: 'confirmed', numbers: { before: 0, after: 6 } });
  await db.exec(again);
  expect(await slides('everything')).toMatchObject({ kind: 'unproven' });
});
