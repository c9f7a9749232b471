import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type pg from 'pg';
import { serverForTests } from '../dev/lock-sessions.ts';
import { lint, memoryFiles, open, type Finding, type LintOptions, type Report } from '../index.ts';
import { openSession } from '../live/server/session.ts';
import { observe, weightOf } from './observe.ts';

const files: Readonly<Record<string, string>> = {
  'db/001_orders.sql': `
CREATE TABLE orders (id bigint PRIMARY KEY, customer text NOT NULL, total numeric NOT NULL, placed date);
INSERT INTO orders SELECT i, 'c' || i % 100, i, CASE WHEN i % 4 > 0 THEN '2026-01-01'::date + i % 30 END FROM generate_series(1, 4000) i;
`,
  'db/002_views.sql': `
CREATE MATERIALIZED VIEW by_customer AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;
CREATE UNIQUE INDEX by_customer_key ON by_customer (customer);
GRANT SELECT ON by_customer TO report;
CREATE MATERIALIZED VIEW by_day AS SELECT placed, count(*) AS orders FROM orders GROUP BY placed;
CREATE UNIQUE INDEX by_day_key ON by_day (placed);
CREATE MATERIALIZED VIEW totals AS SELECT sum(total) AS total, 1 AS one FROM orders;
`,
  'db/003_pending.sql': `
DROP MATERIALIZED VIEW by_customer;
CREATE MATERIALIZED VIEW by_customer AS SELECT customer, count(*) AS orders FROM orders GROUP BY customer;
`,
};
const sizes = { small: 10_000, huge: 1_000_000_000 };

test('a view is weighed in words and numbers', () => {
  const weight = weightOf({
    name: { schema: 'public', name: 'v' }, owner: 'o', populated: true, rows: 1_234_567, bytes: 12 * 1024 ** 3, indexes: [], nulls: [], dependants: [{ schema: 'public', name: 'w' }],
    grants: [], unreadable: [], ownerMakesTemporary: true, routines: [], analyzed: { unknown: 'never' }, scans: { unknown: 'none' }, readers: 2, waiting: 0, locked: false,
    cost: { tables: 1, bytes: 3 * 1024 ** 2, rows: 5 }, plan: { cost: 1234.5, rows: 7 },
  }, 1, sizes);
  expect(weight.says).toBe('There it is huge (12 GB), with 1,234,567 rows, 2 sessions reading it now, 1 view over it, 1 standby; a refresh reads 3.0 MB at a planned cost of 1,235.');
  expect(weight.numbers).toEqual({ bytes: 12 * 1024 ** 3, rows: 1_234_567, readers: 2, dependants: 1, replicas: 1, 'refresh reads bytes': 3 * 1024 ** 2 });
});

describe.each([15, 18])('PostgreSQL %i', major => {
  const server = serverForTests(major);
  let admin: pg.Client;
  let serial = 0;
  let database = '';
  beforeAll(() => (server.missing ? undefined : server.start()));
  afterAll(() => (server.missing ? undefined : server.stop()));
  /** A database that has seen the first two migrations, anew for each test. */
  beforeEach(async () => {
    if (server.missing) return;
    const postgres = await server.scratch.connect();
    await postgres.query('DO $$ BEGIN CREATE ROLE report; CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN END $$');
    database = `shop_${serial += 1}`;
    await postgres.query(`CREATE DATABASE ${database}`);
    admin = await server.scratch.connect(database);
    await admin.query(`${files['db/001_orders.sql'] ?? ''}${files['db/002_views.sql'] ?? ''} ANALYZE; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;`);
    await admin.query('ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM reader');
  });

  async function observed(options: Partial<LintOptions> = {}, history: Readonly<Record<string, string>> = files): Promise<Report> {
    const session = await open(memoryFiles(history), { paths: ['db'], tool: 'psql' });
    const result = lint(session, { postgres: major, preset: 'all', ...options });
    const reading = await openSession(`postgres://reader@/${database}?host=${encodeURIComponent(server.scratch.folder)}`, undefined, {
      environment: { PGPASSWORD: 'x' }, home: '/nowhere', read: () => undefined,
    });
    try {
      return await observe(result, reading, { budget: 20_000, sizes });
    } finally {
      await reading.close();
    }
  }
  const of = (report: Report, rule: string): readonly Finding[] => report.findings.flatMap(finding => [finding, ...finding.also]).filter(finding => finding.rule === rule);
  const drift = (report: Report): readonly string[] => of(report, 'no-drift').map(({ message }) => message);
  /** The grants of the reading role are the test's own doing, and real drift. */
  const granted = (name: string): string => `${name} in the database is not what the migrations make: it gives SELECT to reader.`;

  test.skipIf(server.missing)('a database that stands before a pending migration has not drifted from it', async () => {
    await admin.query('REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM reader');
    expect(drift(await observed())).toEqual([]);
    const [lost] = of(await observed(), 'no-lost-index');
    expect(lost?.verdict).toMatchObject({ kind: 'unproven', says: expect.stringContaining('The database has not seen this migration yet. There it') as string });
    expect(lost?.severity).toBe('error');
  });

  test.skipIf(server.missing)('what was done by hand is drift, a problem a view, at the statement that makes it', async () => {
    await admin.query(`DROP INDEX by_day_key; CREATE INDEX mine ON by_day (orders); REVOKE SELECT ON by_customer FROM report, reader; COMMENT ON MATERIALIZED VIEW by_customer IS 'x';
      REFRESH MATERIALIZED VIEW totals WITH NO DATA; CREATE MATERIALIZED VIEW stranger AS SELECT 1 AS one`);
    const report = await observed();
    expect(drift(report)).toEqual([
      'by_customer in the database is not what the migrations make: it has comment x and does not give SELECT to report.',
      'by_day in the database is not what the migrations make: it has no index by_day_key, has an index mine that no migration makes and gives SELECT to reader.',
      'stranger is in the database, and no migration makes it.',
      'totals in the database is not what the migrations make: it gives SELECT to reader and is not populated.',
    ]);
    const [first] = of(report, 'no-drift');
    expect(first).toMatchObject({
      severity: 'warning', span: { path: 'db/002_views.sql' }, verdict: { kind: 'confirmed', says: expect.stringContaining('which stands after 002_views') as string },
    });
    expect(first?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  test.skipIf(server.missing)('another definition shows by its columns and by what it reads; a view that is gone is gone', async () => {
    await admin.query('DROP MATERIALIZED VIEW totals; CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS total, 1 AS one FROM by_day; DROP MATERIALIZED VIEW by_customer');
    const report = await observed();
    expect(drift(report)).toContain('by_customer in the database is not what the migrations make: it does not exist.');
    expect(drift(report).find(message => message.startsWith('totals'))).toMatch(/has column total type bigint, not numeric.*reads public\.by_day/);
    expect(drift(report)).toContain(granted('by_day'));
  });

  test.skipIf(server.missing)('an ignore with a reason silences it, and is no idle one without a database', async () => {
    await admin.query('REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM reader; DROP INDEX by_day_key');
    const ignored = { ...files, 'db/002_views.sql': `-- mvlint-ignore-file no-drift: repaired by hand\n${files['db/002_views.sql'] ?? ''}` };
    const report = await observed({}, ignored);
    expect(drift(report)).toEqual([]);
    expect(of(report, 'no-unused-ignore')).toEqual([]);
    expect(drift(await observed({ rules: { 'no-drift': 'off' } }))).toEqual([]);
  });

  test.skipIf(server.missing)('claims about what the database has seen are confirmed or refuted there, and weighed', async () => {
    const seen = await observed();
    const nulls = of(seen, 'no-nullable-unique-key').find(({ relation }) => relation === 'by_day');
    expect(nulls?.verdict).toMatchObject({ kind: 'confirmed', says: expect.stringMatching(/^3\.2 % of placed are NULL there, about 1 rows/) as string, numbers: { rows: 31, dependants: 0 } });
    const index = of(seen, 'require-unique-index').find(({ relation }) => relation === 'totals');
    expect(index).toMatchObject({ severity: 'warning', verdict: { kind: 'confirmed' } });
    await admin.query('CREATE UNIQUE INDEX by_hand ON totals (one)');
    const repaired = of(await observed(), 'require-unique-index').find(({ relation }) => relation === 'totals');
    expect(repaired).toMatchObject({ severity: 'note', verdict: { kind: 'refuted', says: expect.stringContaining('The database has by_hand, which a concurrent refresh can use. There it has ') as string } });
    // Once the third migration is there, its damage is seen.
    await admin.query(files['db/003_pending.sql'] ?? '');
    expect(of(await observed(), 'no-lost-index')[0]?.verdict).toMatchObject({ kind: 'confirmed', says: expect.stringContaining('The database has no index over (customer) on by_customer.') as string });
    expect(of(await observed(), 'no-recreate-in-place')[0]?.verdict).toMatchObject({ kind: 'unproven', says: expect.stringContaining('There it') as string });
  });

  test.skipIf(server.missing)('a database of something else is said to be one', async () => {
    await admin.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE other (id int)');
    const report = await observed();
    expect(drift(report)).toEqual([]);
    expect(report.gaps).toMatchObject([{ because: 'the database holds nothing of what these migrations make, so nothing was compared' }]);
  });
});
