/** The locks that the replay claims equal those in pg_locks, statement kind by statement kind. */
import { PGlite } from '@electric-sql/pglite';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimedLocks, heldLocks, locksTaken, relationNames, schemaCatalog, type Client } from './lock-claims.ts';
import { serverForTests, testedMajors, untilWaiting } from './lock-sessions.ts';
import { lockSchema, lockStatements, lockStatementsAlone } from './lock-statements.ts';
import { hasServer } from './server.ts';

/** The statements whose claims differ from what a server holds; those that the filter leaves out are not run. */
async function wrongClaims(client: Client, major: number, only: (sql: string) => boolean = () => true): Promise<readonly unknown[]> {
  const names = await relationNames(client);
  const catalog = schemaCatalog(major);
  const wrong = [];
  for (const sql of lockStatements.filter(only)) {
    const held = await locksTaken(client, sql, names);
    const claimed = claimedLocks(sql, catalog);
    if (JSON.stringify(held) !== JSON.stringify(claimed)) wrong.push({ sql, held, claimed });
  }
  return wrong;
}

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
    expect(await wrongClaims(client, major)).toEqual([]);
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

// Where there is no server, a slower one tells the same.
test.skipIf(hasServer(18))('in a transaction of PGlite, which starts no programs', async () => {
  const client = await PGlite.create();
  try {
    for (const sql of lockSchema) await client.query(sql);
    expect(await wrongClaims(client, 18, sql => !sql.includes('PROGRAM'))).toEqual([]);
  } finally {
    await client.close();
  }
});

test('claims by name', () => {
  const catalog = schemaCatalog(18);
  const reads = { open_orders: 'AccessShareLock', orders: 'AccessShareLock' };
  expect(claimedLocks('REFRESH MATERIALIZED VIEW daily', catalog)).toEqual({ daily: 'AccessExclusiveLock', ...reads });
  expect(claimedLocks('DROP TABLE orders', catalog)).toBeUndefined();
});
