import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serverForTests } from '../dev/lock-sessions.ts';
import inventorySchema from '../report/inventory.schema.json' with { type: 'json' };
import snapshotSchema from '../report/snapshot.schema.json' with { type: 'json' };
import { shapeError, type Schema } from './shape.ts';

/** The command line as people run it, against a real server. */
const cli = join(import.meta.dirname, '../../dist/cli.cjs');
/** It logs next to nothing: nobody empties the pipe of its log while a synchronous child runs. */
const server = serverForTests(18);
const password = "p@ss:w/ö rd%'\"?#";
const encoded = encodeURIComponent(password);
let scratch = '';
let url = '';

const schema = `
CREATE ROLE app NOLOGIN;
CREATE ROLE reader LOGIN PASSWORD '${password.replaceAll("'", "''")}';
CREATE SCHEMA shop AUTHORIZATION app;
SET ROLE app;
CREATE TABLE shop.orders (id bigint PRIMARY KEY, customer text NOT NULL, total numeric NOT NULL, placed date);
INSERT INTO shop.orders SELECT i, 'c' || i % 10, i, CASE WHEN i % 4 > 0 THEN '2026-01-01'::date + i % 30 END FROM generate_series(1, 1000) i;
CREATE MATERIALIZED VIEW shop.by_customer AS SELECT customer, sum(total) AS total FROM shop.orders GROUP BY customer;
CREATE UNIQUE INDEX by_customer_key ON shop.by_customer (customer);
CREATE MATERIALIZED VIEW shop.by_day AS SELECT placed, count(*) AS orders FROM shop.orders GROUP BY placed;
CREATE UNIQUE INDEX by_day_key ON shop.by_day (placed);
CREATE VIEW shop.best AS SELECT * FROM shop.by_customer WHERE total > 10;
CREATE FUNCTION shop.refresh_all() RETURNS void LANGUAGE plpgsql AS $$ BEGIN REFRESH MATERIALIZED VIEW CONCURRENTLY shop.by_customer; END $$;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO reader;
GRANT USAGE ON SCHEMA shop TO reader;
GRANT SELECT ON shop.by_customer TO reader;
CREATE MATERIALIZED VIEW shop.empty AS SELECT 1 AS one WITH NO DATA;
`;

beforeAll(async () => {
  if (!existsSync(cli)) throw new Error('dist/cli.cjs is not built: npm run build');
  scratch = mkdtempSync(join(tmpdir(), 'mvlint-database-'));
  if (server.missing) return;
  await server.start();
  const { folder, data } = server.scratch;
  const admin = await server.scratch.connect();
  await admin.query('CREATE DATABASE shop');
  const shop = await server.scratch.connect('shop');
  await shop.query(schema);
  const hba = join(data, 'pg_hba.conf');
  writeFileSync(hba, `local all reader scram-sha-256\n${readFileSync(hba, 'utf8')}`);
  await admin.query('SELECT pg_reload_conf()');
  await new Promise(done => setTimeout(done, 300));
  url = `postgresql://reader:${encoded}@/shop?host=${encodeURIComponent(folder)}`;
});
afterAll(async () => {
  rmSync(scratch, { recursive: true, force: true });
  if (!server.missing) await server.stop();
});

const environment: NodeJS.ProcessEnv = Object.fromEntries(Object.entries(process.env)
  .filter(([name]) => !/^(?:GIT_|GITHUB_|CI|NO_COLOR|FORCE_COLOR|INPUT_|VITEST|NODE_OPTIONS|PG|MVLINT)/.test(name)));

interface Run { readonly status: number | null; readonly out: string; readonly err: string }
/** A run; whatever it printed holds neither the URL nor the password. */
function mvlint(words: readonly string[], more: NodeJS.ProcessEnv = {}): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...words], { cwd: scratch, encoding: 'utf8', env: { ...environment, ...more } });
  for (const secret of [password, encoded, url].filter(text => text !== '')) expect(stdout + stderr).not.toContain(secret);
  return { status, out: stdout, err: stderr };
}
function put(path: string, text: string): void {
  mkdirSync(dirname(join(scratch, path)), { recursive: true });
  writeFileSync(join(scratch, path), text);
}
const oneLine = (run: Run, ...says: readonly string[]): void => {
  expect(run.status, run.err).toBe(2);
  expect(run.err.trimEnd().split('\n'), run.err).toHaveLength(1);
  for (const part of says) expect(run.err).toContain(part);
};

describe('how a database is named', () => {
  test('what is wrong with it is one line, and none of it is repeated', () => {
    oneLine(mvlint(['snapshot']), '--db needs a database URL');
    oneLine(mvlint(['snapshot', '--db', 'env']), 'MVLINT_DATABASE_URL is not set');
    oneLine(mvlint(['snapshot', '--db', `mysql://u:${encoded}@h/d`]), 'begins with postgresql://');
    oneLine(mvlint(['snapshot', `postgres://u:${encoded}@h/d`]), 'a database URL is no path');
    oneLine(mvlint(['--live', `postgres://u:${encoded}@h/d`]), 'a database URL is no path');
    oneLine(mvlint(['snapshot', '--db', `postgres://u:${password}@h/d`]), 'percent-encoded');
    oneLine(mvlint(['snapshot', '--db', `postgres://u:${encoded}@127.0.0.1:1/d`]), 'no server listens on 127.0.0.1:1');
    oneLine(mvlint(['snapshot', '--db', 'env'], { MVLINT_DATABASE_URL: `postgres://u:${encoded}@127.0.0.1:1/d` }), 'no server listens');
    expect(mvlint(['snapshot', '--debug', '--db', `postgres://u:${encoded}@127.0.0.1:1/d`]).status).toBe(2);
    oneLine(mvlint(['check', '--db', `postgres://u:${encoded}@h/d`]), 'no option --db for this command');
  });
});

describe.skipIf(server.missing)('inventory', () => {
  test('one table for people', () => {
    const run = mvlint(['inventory', '--db', url]);
    expect(run).toMatchObject({ status: 0, err: '' });
    const lines = run.out.split('\n');
    expect(lines.slice(0, 4).map(line => line.replaceAll(/ +/g, ' ').replace(/ \d+ kB/, ' … kB'))).toEqual([
      'view size rows populated concurrently dependants readers scans a refresh reads eligible for',
      expect.stringMatching(/^shop\.by_customer … kB \? yes by_customer_key 1 0 \d+ /),
      expect.stringMatching(/^shop\.by_day … kB \? yes by_day_key 0 0 \d+ /),
      expect.stringMatching(/^shop\.empty \d+ bytes \? no no 0 0 \d+ 0 bytes /),
    ]);
    expect(run.out).toContain('shop.by_day: the share of NULLs in its key is not known: the role lacks SELECT on shop.by_day');
    expect(run.out).toContain('shop.empty: it is not populated: every reader is refused');
    expect(run.out).toContain('PostgreSQL 18; 0 standbys stream from it.');
  });
  test('JSON that the schema describes; the plan when it is asked for', () => {
    const run = mvlint(['inventory', '--db', url, '--format', 'json', '--live-explain']);
    expect(run).toMatchObject({ status: 0, err: '' });
    const value: unknown = JSON.parse(run.out);
    expect(shapeError(value, inventorySchema as unknown as Schema, inventorySchema.definitions as unknown as Record<string, Schema>)).toBeUndefined();
    const { views } = value as { readonly views: readonly { readonly engines: readonly { readonly engine: string; readonly is: string; readonly says?: string }[] }[] };
    expect(views[0]?.engines.map(({ engine, is }) => `${engine} ${is}`)).toEqual(['pg_ivm eligible', 'pg_trickle eligible', 'timescaledb refused']);
    expect(views[0]?.engines[2]?.says).toMatch(/\S/);
    expect(value).toMatchObject({ version: 1, postgres: 18, standby: false, views: [{ name: { schema: 'shop', name: 'by_customer' }, plan: { unknown: expect.stringContaining('permission denied') as string } }, {}, {}] });
  });
  test('errors of use', () => {
    oneLine(mvlint(['inventory', 'db/migrations', '--db', 'env']), 'inventory takes no paths');
    oneLine(mvlint(['inventory', '--db', 'env', '--format', 'sarif']), '--format is text or json');
  });
});

describe.skipIf(server.missing)('--live=<url>', () => {
  const history = {
    'live/001_orders.sql': `CREATE SCHEMA shop;\nCREATE TABLE shop.orders (id bigint PRIMARY KEY, customer text NOT NULL, total numeric NOT NULL, placed date);
CREATE MATERIALIZED VIEW shop.by_day AS SELECT placed, count(*) AS orders FROM shop.orders GROUP BY placed;\nCREATE UNIQUE INDEX by_day_index ON shop.by_day (placed);\n`,
  };
  const run = (...words: readonly string[]): Run => {
    for (const [path, text] of Object.entries(history)) put(path, text);
    return mvlint(['live', ...words], { MVLINT_DATABASE_URL: url });
  };
  test('verdicts and drift stand in every format, and no URL', () => {
    const json = run('--live=env', '--format', 'json', '--rule', 'no-nullable-unique-key=error', '--stats', '--debug');
    expect(json.status, json.err).toBe(1);
    const { findings } = JSON.parse(json.out) as { readonly findings: readonly { readonly rule: string; readonly message: string; readonly verdict?: { readonly says: string } }[] };
    const drift = findings.filter(({ rule }) => rule === 'no-drift');
    expect(drift.map(({ message }) => message)).toEqual([
      'shop.by_day in the database is not what the migrations make: it has no index by_day_index and has an index by_day_key that no migration makes.',
      'shop.by_customer is in the database, and no migration makes it.', 'shop.empty is in the database, and no migration makes it.',
    ]);
    expect(findings.find(({ rule }) => rule === 'no-nullable-unique-key')?.verdict?.says)
      .toMatch(/^The share of NULLs is not known: the role lacks SELECT on shop\.by_day\. There it is small \(\d+ kB\), with/);
    const text = run(`--live=${url}`, '--live-explain');
    expect(text.out).toContain('confirmed: Seen in the database, which stands after 001_orders');
    expect(run('--live=env', '--format', 'sarif').out).toContain('no-drift');
  });
  test('another query is drift, however each side prints it', () => {
    const [text = ''] = Object.values(history);
    put('other/001_orders.sql', text.replace('by_day_index', 'by_day_key').replace('shop.orders GROUP BY', "shop.orders WHERE total > 10 AND customer IN ('a', 'b') GROUP BY"));
    const { findings } = JSON.parse(mvlint(['other', '--live=env', '--format', 'json'], { MVLINT_DATABASE_URL: url }).out) as { readonly findings: readonly { readonly rule: string; readonly message: string }[] };
    expect(findings.filter(({ rule }) => rule === 'no-drift').map(({ message }) => message)[0])
      .toBe('shop.by_day in the database is not what the migrations make: it has another query and reads other columns of shop.orders.');
  });
  test('a size of the configuration counts, and one that is none is an error of use', () => {
    put('sizes.json', '{ "sizes": { "small": "1 bytes", "huge": "2kB" } }');
    expect(run('--live=env', '--config', 'sizes.json', '--preset', 'all').out).toMatch(/There it is huge \(\d+ kB\)/);
    put('sizes.json', '{ "sizes": { "small": "tiny" } }');
    const wrong = run('--live=env', '--config', 'sizes.json');
    expect(wrong.status).toBe(2);
    expect(wrong.err).toContain("sizes.small is a size such as 100MB or 10GB, not 'tiny'");
  });
  test('a database out of reach is one line and status 2, and the report is written all the same', () => {
    put('live/001_orders.sql', history['live/001_orders.sql']);
    const away = mvlint(['live', `--live=postgres://u:${encoded}@127.0.0.1:1/d`, '--format', 'json']);
    oneLine(away, '--live: no server listens on 127.0.0.1:1');
    expect((JSON.parse(away.out) as { findings: unknown[] }).findings).not.toBe(undefined);
    oneLine(mvlint(['live', `--live=ftp://u:${encoded}@h`]), 'begins with postgresql://');
    oneLine(mvlint(['live', '--live=embeded']), "did you mean 'embedded'?");
  });
});

describe.skipIf(server.missing)('snapshot and --catalog', () => {
  test('a role without a right in the database takes one that the schema describes', () => {
    const run = mvlint(['snapshot', '--db', url]);
    expect(run).toMatchObject({ status: 0, err: '' });
    const value = JSON.parse(run.out) as { readonly postgres: number; readonly objects: readonly { readonly kind: string }[] };
    expect(shapeError(value, snapshotSchema as unknown as Schema, snapshotSchema.definitions as unknown as Record<string, Schema>)).toBeUndefined();
    expect(value.postgres).toBe(18);
    expect(value.objects.filter(({ kind }) => kind === 'matview')).toHaveLength(3);
    expect(mvlint(['snapshot', '--db', url]).out).toBe(run.out);
  });

  test('pending migrations are linted against it, without their history', () => {
    expect(mvlint(['snapshot', '--db', 'env', '--output', 'db/catalog.json'], { MVLINT_DATABASE_URL: url })).toMatchObject({ status: 0, out: '', err: '' });
    put('pending/007_swap.sql', [
      'BEGIN;', 'DROP MATERIALIZED VIEW shop.by_customer CASCADE;',
      'CREATE MATERIALIZED VIEW shop.by_customer AS SELECT customer, count(*) AS orders FROM shop.orders GROUP BY customer;', 'COMMIT;',
      'REFRESH MATERIALIZED VIEW CONCURRENTLY shop.empty;', 'DROP MATERIALIZED VIEW shop.nothing;', '',
    ].join('\n'));
    const run = mvlint(['pending/007_swap.sql', '--catalog', 'db/catalog.json', '--format', 'json']);
    expect(run.status, run.err).toBe(1);
    const report = JSON.parse(run.out) as { readonly histories: readonly { readonly world: string }[];
      readonly findings: readonly { readonly rule: string; readonly message: string; readonly also: readonly { readonly rule: string; readonly message: string }[] }[] };
    expect(report.histories).toMatchObject([{ world: 'closed', migrations: 1 }]);
    const all = report.findings.flatMap(finding => [finding, ...finding.also]);
    const about = (rule: string): string => all.find(finding => finding.rule === rule)?.message ?? `no ${rule} among ${all.map(finding => finding.rule).join(', ')}`;
    expect(about('no-drop-cascade')).toContain('best');
    expect(about('no-lost-index')).toContain('by_customer');
    expect(about('no-broken-refresh')).toContain('by_customer');
    expect(about('no-impossible-refresh')).toContain('empty');
    // The same file without the catalog knows none of this.
    const alone = mvlint(['pending/007_swap.sql', '--isolated', '--format', 'json']);
    expect(alone.out).not.toContain('no-lost-index');
  });

  test('of a folder only what is reported on is replayed', () => {
    put('history/001_orders.sql', 'CREATE TABLE shop.orders (id bigint);\nCREATE MATERIALIZED VIEW shop.by_customer AS SELECT id FROM shop.orders;\n');
    put('history/002_drop.sql', 'DROP MATERIALIZED VIEW shop.by_day;\n');
    const run = mvlint(['history', '--since', '002_drop', '--catalog', 'db/catalog.json', '--format', 'json']);
    expect(JSON.parse(run.out)).toMatchObject({ histories: [{ migrations: 1 }], gaps: [] });
  });

  test('a file that is none is one line', () => {
    put('broken.json', '{"version": 9, "objects": []}');
    oneLine(mvlint(['pending', '--catalog', 'broken.json']), 'broken.json', 'version 9');
    oneLine(mvlint(['pending', '--catalog', 'absent.json']), 'absent.json cannot be read: ENOENT');
  });

  test('Ctrl-C cancels what the server runs and ends with 130', async () => {
    const admin = await server.scratch.connect('shop');
    await admin.query('BEGIN; LOCK TABLE pg_catalog.pg_policy IN ACCESS EXCLUSIVE MODE');
    const observer = await server.scratch.connect();
    const child = spawn(process.execPath, [cli, 'snapshot', '--db', url], { cwd: scratch, env: environment, stdio: 'ignore' });
    const waiting = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'mvlint' AND wait_event_type = 'Lock'";
    const count = async (): Promise<unknown> => (await observer.query<{ n: number }>(waiting)).rows[0]?.n;
    for (let tries = 0; tries < 100 && await count() !== 1; tries += 1) await new Promise(done => setTimeout(done, 20));
    expect(await count()).toBe(1);
    child.kill('SIGINT');
    expect(await new Promise(done => child.once('exit', done))).toBe(130);
    expect(await count()).toBe(0);
    await admin.query('ROLLBACK');
  });
});
