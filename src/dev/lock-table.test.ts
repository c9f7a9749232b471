/** The lock table of the catalog, tried on real servers: one session holds, another asks. */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { activitiesOn, conflicts, lockModes, modeName, waiting, type Lockable } from '../catalog/locks.ts';
import type { LockMode } from '../model.ts';
import { serverForTests, sqlstateOf, testedMajors } from './lock-sessions.ts';

const schema = [
  'CREATE TABLE sales (day date, total numeric)',
  "INSERT INTO sales SELECT date '2024-01-01' + n, n FROM generate_series(1, 5) AS n",
  'CREATE VIEW big_sales AS SELECT * FROM sales WHERE total > 1',
  'CREATE MATERIALIZED VIEW daily_sales AS SELECT day, total FROM big_sales',
  'CREATE UNIQUE INDEX daily_sales_key ON daily_sales (day)',
  'CREATE MATERIALIZED VIEW monthly_sales AS SELECT sum(total) FROM daily_sales',
];

const kinds: readonly Lockable[] = ['table', 'view', 'matview'];
const names: Readonly<Record<Lockable, string>> = { table: 'sales', view: 'big_sales', matview: 'daily_sales' };

/** Statements that take the mode on the relation: LOCK TABLE refuses a materialized view, and locks what is beneath a view as well. */
const holders: Readonly<Record<Lockable, Partial<Record<LockMode, string>>>> = {
  table: Object.fromEntries(lockModes.map(mode => [mode, `LOCK TABLE sales IN ${modeName(mode)} MODE`])),
  view: { AccessShareLock: 'SELECT FROM big_sales', AccessExclusiveLock: 'ALTER VIEW big_sales RENAME TO other_sales' },
  matview: {
    AccessShareLock: 'SELECT FROM daily_sales', ShareUpdateExclusiveLock: "COMMENT ON MATERIALIZED VIEW daily_sales IS 'x'",
    ShareLock: 'CREATE INDEX ON daily_sales (total)', ExclusiveLock: 'REFRESH MATERIALIZED VIEW CONCURRENTLY daily_sales',
    AccessExclusiveLock: 'REFRESH MATERIALIZED VIEW daily_sales',
  },
};

/** What the people of the table do, statement by statement; VACUUM runs outside of a transaction. */
const deeds: Readonly<Record<Lockable, Readonly<Record<string, readonly string[]>>>> = {
  table: {
    'readers': ['SELECT FROM sales'],
    'refreshes of views over it': ['REFRESH MATERIALIZED VIEW daily_sales'],
    'writers': ['INSERT INTO sales VALUES (now(), 1)', 'UPDATE sales SET total = 0', 'DELETE FROM sales'],
    'index builds': ['CREATE INDEX ON sales (day)'], 'VACUUM': ['VACUUM sales', 'ANALYZE sales'],
    'DDL': [
      'ALTER TABLE sales ADD COLUMN note text', 'DROP TABLE sales CASCADE', 'TRUNCATE sales', 'ALTER TABLE sales RENAME TO old_sales',
    ],
  },
  view: {
    'readers': ['SELECT FROM big_sales'], 'refreshes of views over it': ['REFRESH MATERIALIZED VIEW daily_sales'],
    'DDL': [
      'DROP VIEW big_sales CASCADE', 'ALTER VIEW big_sales RENAME TO old_sales', 'CREATE OR REPLACE VIEW big_sales AS SELECT * FROM sales',
    ],
  },
  matview: {
    'readers': ['SELECT FROM daily_sales'], 'refreshes of views over it': ['REFRESH MATERIALIZED VIEW monthly_sales'],
    'plain refreshes': ['REFRESH MATERIALIZED VIEW daily_sales', 'REFRESH MATERIALIZED VIEW daily_sales WITH NO DATA'],
    'concurrent refreshes': ['REFRESH MATERIALIZED VIEW CONCURRENTLY daily_sales'],
    'index builds': ['CREATE INDEX ON daily_sales (day)'], 'VACUUM': ['VACUUM daily_sales', 'ANALYZE daily_sales'],
    'DDL': [
      'DROP MATERIALIZED VIEW daily_sales CASCADE', 'ALTER MATERIALIZED VIEW daily_sales RENAME TO old_sales',
      'ALTER MATERIALIZED VIEW daily_sales SET SCHEMA other', 'DROP INDEX daily_sales_key',
    ],
  },
};

describe.each(testedMajors)('PostgreSQL %i', major => {
  const server = serverForTests(major);
  let holder: pg.Client;
  let asker: pg.Client;

  beforeAll(async () => {
    if (server.missing) return;
    await server.start();
    [holder, asker] = [await server.connect(), await server.connect()];
    for (const sql of ['CREATE SCHEMA other', ...schema]) await holder.query(sql);
    await asker.query("SET lock_timeout = '25ms'");
  });
  afterAll(() => server.stop());

  /** Whether the statement has to wait while the other one's transaction is open. Nothing of either is kept. */
  async function waits(held: string, asked: string): Promise<boolean> {
    await holder.query('BEGIN');
    await holder.query(held);
    const block = !asked.startsWith('VACUUM');
    if (block) await asker.query('BEGIN');
    try {
      const sqlstate = await sqlstateOf(asker, asked);
      expect([undefined, '55P03']).toContain(sqlstate);
      return sqlstate === '55P03';
    } finally {
      if (block) await asker.query('ROLLBACK');
      await holder.query('ROLLBACK');
    }
  }

  test.skipIf(server.missing)('the conflicts of every pair of modes', async () => {
    for (const held of lockModes) {
      await holder.query('BEGIN');
      await holder.query(`LOCK TABLE sales IN ${modeName(held)} MODE`);
      const refused: LockMode[] = [];
      for (const asked of lockModes) {
        await asker.query('BEGIN');
        if (await sqlstateOf(asker, `LOCK TABLE sales IN ${modeName(asked)} MODE NOWAIT`) === '55P03') refused.push(asked);
        await asker.query('ROLLBACK');
      }
      await holder.query('ROLLBACK');
      expect({ held, refused }).toEqual({ held, refused: lockModes.filter(asked => conflicts(asked, held)) });
    }
  });

  test.skipIf(server.missing).each(kinds)('who waits for a %s', async kind => {
    for (const [mode, held] of Object.entries(holders[kind]) as [LockMode, string][]) {
      const seen = [];
      for (const { who } of activitiesOn(kind)) {
        const answers = new Set<boolean>();
        for (const asked of deeds[kind][who]!) answers.add(await waits(held, asked));
        if (answers.size > 1) seen.push(`some of ${who}`);
        else if (answers.has(true)) seen.push(who);
      }
      expect({ kind, mode, waiting: seen }).toEqual({ kind, mode, waiting: waiting(mode, kind).map(({ who }) => who) });
    }
  });

  test.skipIf(server.missing).each(kinds)('the holders of the test before hold what they say: %s', async kind => {
    for (const [mode, held] of Object.entries(holders[kind])) {
      await holder.query('BEGIN');
      const { rows: [{ oid }] } = await holder.query(`SELECT '${names[kind]}'::regclass::oid AS oid`);
      await holder.query(held);
      const { rows } = await holder.query('SELECT mode FROM pg_locks WHERE relation = $1 AND pid = pg_backend_pid()', [oid]);
      await holder.query('ROLLBACK');
      expect(rows.map(row => row.mode)).toContain(mode);
    }
  });
});
