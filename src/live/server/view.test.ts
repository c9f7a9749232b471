import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serverForTests } from '../../dev/lock-sessions.ts';
import type { ObservedView } from '../../model.ts';
import { readCatalog } from './catalog.ts';
import type { Surroundings } from './parameters.ts';
import { openSession, type ReadSession } from './session.ts';
import { allStatements, explainPrefix } from './statements.ts';
import { observedServer, viewNames } from './view.ts';

const nothing: Surroundings = { environment: {}, home: '/nowhere', read: () => undefined };

const schema = `
CREATE ROLE app NOLOGIN; CREATE ROLE poor NOLOGIN; CREATE ROLE reader LOGIN; CREATE ROLE blind LOGIN; CREATE ROLE report NOLOGIN;
REVOKE TEMP ON DATABASE postgres FROM PUBLIC; GRANT TEMP ON DATABASE postgres TO app;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA shop AUTHORIZATION app; GRANT USAGE ON SCHEMA shop TO reader, poor;
SET ROLE app;
CREATE TABLE shop.orders (id bigint PRIMARY KEY, customer text NOT NULL, total numeric NOT NULL, placed date);
INSERT INTO shop.orders SELECT i, 'c' || i % 100, i, CASE WHEN i % 4 > 0 THEN '2026-01-01'::date + i % 30 END FROM generate_series(1, 10000) i;
CREATE TABLE shop.events (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE shop.events_1 PARTITION OF shop.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO shop.events SELECT '2026-01-01'::date + i % 300 FROM generate_series(1, 5000) i;
CREATE FUNCTION shop.lucky(n bigint) RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT n % 7 = (random() * 7)::int';
CREATE VIEW shop.some AS SELECT * FROM shop.orders WHERE shop.lucky(id);
CREATE MATERIALIZED VIEW shop.by_customer AS SELECT customer, sum(total) AS total FROM shop.orders GROUP BY customer;
CREATE UNIQUE INDEX by_customer_key ON shop.by_customer (customer);
CREATE UNIQUE INDEX by_customer_some ON shop.by_customer (customer) WHERE total > 0;
GRANT SELECT ON shop.by_customer TO reader, report;
CREATE MATERIALIZED VIEW shop.by_day AS SELECT placed, count(*) AS orders FROM shop.orders GROUP BY placed;
CREATE UNIQUE INDEX by_day_key ON shop.by_day (placed);
GRANT SELECT ON shop.by_day TO reader;
CREATE MATERIALIZED VIEW shop.lucky_ones AS SELECT id, upper(customer) AS customer FROM shop.some;
CREATE VIEW shop.best AS SELECT * FROM shop.by_customer WHERE total > 10;
CREATE MATERIALIZED VIEW shop.per_day AS SELECT at, count(*) AS events FROM shop.events GROUP BY at WITH NO DATA;
RESET ROLE;
CREATE MATERIALIZED VIEW shop.stranger AS SELECT id FROM shop.orders;
ALTER MATERIALIZED VIEW shop.stranger OWNER TO poor;
ANALYZE;`;

const majors = [15, 18];
describe.each(majors)('PostgreSQL %i', major => {
  const server = serverForTests(major, { keepLog: true, settings: { log_statement: 'all', log_line_prefix: '%a|' } });
  let session: ReadSession;
  const open = (user: string): Promise<ReadSession> =>
    openSession(`postgres://${user}@/postgres?host=${encodeURIComponent(server.scratch.folder)}`, { statement: 5_000, lock: 300, idle: 10_000 }, { ...nothing, environment: { PGPASSWORD: 'x' } });
  beforeAll(async () => {
    if (server.missing) return;
    await server.start();
    const admin = await server.scratch.connect();
    await admin.query(schema);
    // A unique index that a failed CREATE INDEX CONCURRENTLY left behind.
    await admin.query('CREATE UNIQUE INDEX CONCURRENTLY lucky_key ON shop.by_customer ((1))').catch(() => undefined);
    session = await open('reader');
  });
  afterAll(async () => {
    if (server.missing) return;
    await session.close();
    await server.stop();
  });
  const view = async (name: string, user = session, options = {}): Promise<ObservedView> => {
    const found = await (await observedServer(user, options)).view({ schema: 'shop', name });
    if (found === undefined || 'unknown' in found) throw new Error(`${name}: ${found?.unknown ?? 'absent'}`);
    return found;
  };

  test.skipIf(server.missing)('the views, and what each is', async () => {
    expect((await viewNames(session)).map(({ name }) => name)).toEqual(['by_customer', 'by_day', 'lucky_ones', 'per_day', 'stranger']);
    const customers = await view('by_customer');
    expect(customers).toMatchObject({
      owner: 'app', populated: true, rows: 100, dependants: [{ schema: 'shop', name: 'best' }], unreadable: [], ownerMakesTemporary: true, readers: 0, waiting: 0, locked: false,
      grants: [{ grantee: 'reader', privileges: ['SELECT'] }, { grantee: 'report', privileges: ['SELECT'] }], cost: { tables: 1, rows: 10_000 },
    });
    expect(customers.bytes).toBeGreaterThan(8_000);
    expect(customers.cost.bytes).toBeGreaterThan(100_000);
    expect(customers.nulls).toContainEqual({ column: 'customer', fraction: 0 });
    expect(customers.indexes.map(index => [index.name, index.unique, index.valid, index.usable])).toEqual([
      ['by_customer_key', true, true, true], ['by_customer_some', true, true, false], ['lucky_key', true, false, false],
    ]);
    expect(customers.routines).toMatchObject([{ name: { name: 'sum' }, builtin: true, volatility: 'immutable' }]);
    expect(await view('per_day')).toMatchObject({ populated: false, cost: { tables: 1, rows: 5_000 } });
    expect((await (await observedServer(session)).view({ schema: 'shop', name: 'orders' }))).toBeUndefined();
  });

  test.skipIf(server.missing)('NULLs in a key, functions beneath a view, an owner without rights', async () => {
    const days = await view('by_day');
    expect(days.nulls).toMatchObject([{ column: 'orders', fraction: 0 }, { column: 'placed', fraction: expect.closeTo(1 / 31, 3) as number }]);
    const { routines } = await view('lucky_ones');
    expect(routines.map(({ name, volatility, builtin }) => `${name.schema}.${name.name} ${volatility} ${builtin}`))
      .toEqual(['pg_catalog.upper immutable true', 'shop.lucky volatile false']);
    const stranger = await view('stranger');
    expect(stranger).toMatchObject({ owner: 'poor', unreadable: [{ schema: 'shop', name: 'orders' }], ownerMakesTemporary: false });
    expect(stranger.nulls).toEqual({ unknown: 'the role lacks SELECT on shop.stranger' });
    // What the server itself says of that refresh.
    const admin = await server.scratch.connect();
    await expect(admin.query('REFRESH MATERIALIZED VIEW shop.stranger')).rejects.toMatchObject({ code: '42501' });
  });

  test.skipIf(server.missing)('a role that may see nothing is told which right it lacks', async () => {
    const blind = await open('blind');
    const customers = await view('by_customer', blind);
    expect(customers).toMatchObject({ rows: 100, nulls: { unknown: 'the role lacks USAGE on schema shop' } });
    await blind.close();
  });

  test.skipIf(server.missing)('readers, waiters and a refresh that is under way', async () => {
    const reader = await server.scratch.connect();
    await reader.query('BEGIN; SELECT count(*) FROM shop.by_customer');
    expect(await view('by_customer')).toMatchObject({ readers: 1, waiting: 0, locked: false });
    await reader.query('ROLLBACK; BEGIN; REFRESH MATERIALIZED VIEW shop.by_day');
    expect(await view('by_day')).toMatchObject({ locked: true, bytes: { unknown: 'somebody holds a lock on it, as a plain refresh does' }, populated: true });
    await reader.query('ROLLBACK');
  });

  test.skipIf(server.missing)('a plan is asked for only where it runs nobody\'s code', async () => {
    const admin = await server.scratch.connect();
    await admin.query('GRANT SELECT ON shop.orders TO reader');
    const { plan } = await view('by_customer', session, { explain: true });
    expect(plan).toMatchObject({ rows: 100 });
    expect((await view('lucky_ones', session, { explain: true })).plan).toEqual({ unknown: 'its query calls shop.lucky, which is not built in, and planning can run it' });
    expect((await view('per_day', session, { explain: true })).plan).toMatchObject({ unknown: expect.stringContaining('the role lacks a right: permission denied') as string });
    await admin.query('ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY');
    expect((await view('by_customer', session, { explain: true })).plan).toMatchObject({ unknown: expect.stringContaining('row security') as string });
    await admin.query('ALTER TABLE shop.orders DISABLE ROW LEVEL SECURITY; REVOKE SELECT ON shop.orders FROM reader');
    expect((await view('by_customer')).plan).toBeUndefined();
  });

  test.skipIf(server.missing)('pg_trickle is asked where the extension owns the check, and nobody else\'s function is', async () => {
    const admin = await server.scratch.connect();
    await admin.query(`CREATE SCHEMA pgtrickle; GRANT USAGE ON SCHEMA pgtrickle TO reader;
      CREATE FUNCTION pgtrickle.validate_query(query text) RETURNS TABLE (check_name text, result text, severity text) LANGUAGE sql
      AS $$ SELECT 'resolved_refresh_mode', 'DIFFERENTIAL', 'INFO' UNION ALL SELECT 'query', query, 'INFO' $$`);
    expect((await view('by_customer')).trickle).toBeUndefined();
    // The extension itself cannot be had here: plpgsql lends its name for a moment.
    await admin.query("SET allow_system_table_mods = on; ALTER EXTENSION plpgsql ADD FUNCTION pgtrickle.validate_query(text); UPDATE pg_extension SET extname = 'pg_trickle' WHERE extname = 'plpgsql'");
    const { trickle } = await view('by_customer');
    expect(trickle).toMatchObject([{ check: 'resolved_refresh_mode', result: 'DIFFERENTIAL' }, { result: expect.stringContaining('FROM shop.orders') as string }]);
    expect((await observedServer(session)).extensions).toHaveProperty('pg_trickle');
    await admin.query("UPDATE pg_extension SET extname = 'plpgsql' WHERE extname = 'pg_trickle'; ALTER EXTENSION plpgsql DROP FUNCTION pgtrickle.validate_query(text); DROP SCHEMA pgtrickle CASCADE");
  });

  test.skipIf(server.missing)('the log of the server holds all statements of the list and no other', async () => {
    await readCatalog(session);
    const admin = await server.scratch.connect();
    await admin.query(`CREATE SCHEMA cron; CREATE TABLE cron.job (jobid bigint, command text, active boolean, database text); GRANT USAGE ON SCHEMA cron TO reader; GRANT SELECT ON cron.job TO reader`);
    await readCatalog(session);
    const words = (sql: string): string => sql.replaceAll(/\s+/g, ' ').trim();
    const entries = server.scratch.log().split(/\n(?!\t)/).filter(entry => entry.startsWith('mvlint|LOG:'));
    const sent = new Set(entries.flatMap(entry => /^mvlint\|LOG: {2}(?:statement|execute [^:]*): ([\s\S]*)$/.exec(entry)?.[1] ?? []).map(words)
      .map(sql => (sql.startsWith(explainPrefix) ? `${explainPrefix}…` : sql)));
    expect([...sent].toSorted()).toEqual(allStatements().map(({ sql }) => words(sql)).toSorted());
    // Nothing of it was refused for want of a right to write: nothing of it writes.
    expect(server.scratch.log()).not.toMatch(/mvlint\|ERROR: {2}.*read-only transaction/);
  });
});
