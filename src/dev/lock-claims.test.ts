/** The locks that the replay claims equal those in pg_locks, statement kind by statement kind. */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ready } from '../sql/parse.ts';
import { claimedLocks, heldLocks, locksTaken, relationNames, schemaCatalog } from './lock-claims.ts';
import { serverForTests, testedMajors, untilWaiting } from './lock-sessions.ts';
import { lockSchema, lockStatements, lockStatementsAlone } from './lock-statements.ts';

beforeAll(ready);

describe.each(testedMajors)('PostgreSQL %i', major => {
  const server = serverForTests(major);
  let client: pg.Client;
  let other: pg.Client;
  let observer: pg.Client;

  beforeAll(async () => {
    if (server.missing) return;
    await server.start();
    [client, other, observer] = [await server.connect(), await server.connect(), await server.connect()];
    for (const sql of lockSchema) await client.query(sql);
  });
  afterAll(() => server.stop());

  test.skipIf(server.missing)('in a transaction', async () => {
    const names = await relationNames(client);
    const catalog = schemaCatalog(major);
    const wrong = [];
    for (const sql of lockStatements) {
      const held = await locksTaken(client, sql, names);
      const claimed = claimedLocks(sql, catalog);
      if (JSON.stringify(held) !== JSON.stringify(claimed)) wrong.push({ sql, held, claimed });
    }
    expect(wrong).toEqual([]);
  });

  test.skipIf(server.missing).each(lockStatementsAlone)('outside of one: $sql', async ({ sql, behind }) => {
    const names = await relationNames(client);
    await other.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await other.query(behind);
    const { rows: [own] } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const done = client.query(sql);
    try {
      await untilWaiting(observer, own!.pid);
      expect(await heldLocks(observer, own!.pid, names)).toEqual(claimedLocks(sql, schemaCatalog(major), false));
    } finally {
      await other.query('ROLLBACK');
      await done;
    }
  });
});

test('claims without a server', () => {
  const catalog = schemaCatalog(18);
  const reads = { open_orders: 'AccessShareLock', orders: 'AccessShareLock' };
  expect(claimedLocks('REFRESH MATERIALIZED VIEW daily', catalog)).toEqual({ daily: 'AccessExclusiveLock', ...reads });
  expect(claimedLocks('DROP TABLE orders', catalog)).toBeUndefined();
});
