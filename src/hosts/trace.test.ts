import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { serverForTests, testedMajors } from '../dev/lock-sessions.ts';
import schema from '../report/trace.schema.json' with { type: 'json' };
import { shapeError, type Schema } from './shape.ts';

/** `mvlint trace` as people run it: on the embedded server, and on databases of real ones. */
const cli = join(import.meta.dirname, '../../dist/cli.cjs');
let scratch = '';
beforeAll(() => {
  if (!existsSync(cli)) throw new Error('dist/cli.cjs is not built: npm run build');
  scratch = mkdtempSync(join(tmpdir(), 'mvlint-trace-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(scratch, path)), { recursive: true });
    writeFileSync(join(scratch, path), text);
  }
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const files = {
  'db/001_sales.sql': `create role reporting;
create table orders (id int primary key, placed date not null, note text);
insert into orders select n, date '2024-01-01' + n % 7, '|<b>@x' from generate_series(1, 70) n;
create materialized view sales as select placed, count(*) as orders, now() as at from orders group by placed;
create unique index sales_key on sales (placed);
`,
  'db/002_refresh.sql': `refresh materialized view concurrently sales;
begin;
drop materialized view sales;
create materialized view sales as select placed, count(*) as orders from orders group by placed;
commit;
refresh materialized view concurrently sales;
`,
};

const environment: NodeJS.ProcessEnv = Object.fromEntries(Object.entries(process.env)
  .filter(([name]) => !/^(?:GIT_|GITHUB_|CI|NO_COLOR|FORCE_COLOR|INPUT_|VITEST|NODE_OPTIONS|PG|MVLINT_DATABASE)/.test(name)));

interface Run { readonly status: number | null; readonly out: string; readonly err: string }
function mvlint(...words: readonly string[]): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'trace', ...words], { cwd: scratch, encoding: 'utf8', env: environment });
  return { status, out: stdout, err: stderr };
}
const oneLine = (run: Run, ...says: readonly string[]): void => {
  expect(run.status, run.err).toBe(2);
  expect(run.err).toMatch(/^mvlint: [^\n]+\n$/);
  for (const words of says) expect(run.err).toContain(words);
};

interface Statement {
  readonly sql: string;
  readonly fate: { readonly is: string };
  readonly span: { readonly path: string; readonly start: { readonly line: number } };
  readonly locks: readonly { readonly relation: string; readonly mode: string }[];
  readonly rows: readonly object[];
}
interface Traces { readonly traces: readonly { readonly server: string; readonly migrations: readonly { readonly path: string; readonly statements: readonly Statement[] }[] }[] }
function parsed({ out, err }: Run): Traces {
  expect(out, err).not.toBe('');
  const traces = JSON.parse(out) as Traces;
  expect(shapeError(traces, schema as Schema, schema.definitions as unknown as Record<string, Schema>)).toBeUndefined();
  return traces;
}

describe('embedded', () => {
  test('text says who waits, and how long', () => {
    const { status, out, err } = mvlint('db');
    expect([status, err]).toEqual([0, '']);
    expect(out).toContain('PostgreSQL 18, history psql');
    expect(out).toMatch(/db\/002_refresh\.sql {2}6 statements, .*, 1 refused/);
    expect(out).toMatch(/EXCLUSIVE on public\.sales for [\d.]+ ms: refreshes, index builds, VACUUM and DDL wait/);
    expect(out).toMatch(/ACCESS EXCLUSIVE on public\.sales for [\d.]+ ms: everybody waits/);
    expect(out).toContain('public.sales: 7 inserted, 7 deleted');
    expect(out).toContain('refused: 55000 cannot refresh materialized view "public.sales" concurrently');
  }, 60_000);

  test('json follows its schema; a named file is told alone', () => {
    const { traces: [trace] } = parsed(mvlint('db/002_refresh.sql', '--format', 'json'));
    expect(trace?.migrations.map(({ path }) => path)).toEqual(['db/002_refresh.sql']);
    const [first] = trace?.migrations[0]?.statements ?? [];
    expect(first).toMatchObject({ span: { path: 'db/002_refresh.sql', start: { line: 1, column: 1, offset: 0 } }, fate: { is: 'ran' } });
  }, 60_000);

  test('markdown is a table, and nothing of a migration becomes markup in it', () => {
    const { out } = mvlint('--since', '001_sales.sql', '--format', 'markdown', 'db');
    const rows = out.split('\n').filter(line => line.startsWith('| ') && !line.startsWith('| line'));
    expect(rows).toHaveLength(11);
    for (const row of rows) expect(row.replaceAll('\\|', '').split('|')).toHaveLength(8);
    // What stands in a code span is text.
    expect(out.replace(/`[^`]*`/g, '')).not.toMatch(/<b>|@x/);
  }, 60_000);

  test('errors of use are one line', () => {
    oneLine(mvlint('--rows', 'many', 'db'), '--rows', "'many'");
    oneLine(mvlint('nowhere'), 'nowhere');
    oneLine(mvlint('-'), 'stdin');
    oneLine(mvlint('--i-know-this-database-is-disposable', 'db'), '--db');
    oneLine(mvlint('--live', 'db'), '--live');
    oneLine(mvlint('--db', 'postgresql://nobody:secret@127.0.0.1:1/x_scratch', 'db'), '127.0.0.1:1');
    expect(mvlint('--db', 'postgresql://nobody:secret@127.0.0.1:1/x_scratch', 'db').err).not.toContain('secret');
  });
});

describe.each(testedMajors)('PostgreSQL %i', major => {
  const server = serverForTests(major);
  beforeAll(async () => {
    if (!server.missing) await server.start();
  });
  afterAll(async () => {
    if (!server.missing) await server.stop();
  });
  const urlOf = (database: string): string => `postgresql://postgres:s3cr3t@/${database}?host=${encodeURIComponent(server.scratch.folder)}`;
  beforeEach(async () => {
    if (server.missing) return;
    const admin = await server.scratch.connect();
    for (const name of ['app_scratch', 'app']) {
      await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await admin.query(`CREATE DATABASE ${name}`);
    }
  });

  test.skipIf(server.missing)('sees what the embedded server sees, and leaves what belongs to the server alone', async () => {
    const real = parsed(mvlint('db', '--db', urlOf('app_scratch'), '--format', 'json'));
    const embedded = parsed(mvlint('db', '--format', 'json'));
    expect(real.traces[0]?.server).toBe(`PostgreSQL ${major}`);
    const told = ({ traces }: Traces): unknown => traces.flatMap(({ migrations }) => migrations.flatMap(({ statements }) => statements))
      .filter(({ sql }) => !sql.startsWith('create role')).map(({ sql, fate, locks, rows }) => ({ sql, fate, locks: locks.map?.(({ relation, mode }) => [relation, mode]) ?? locks, rows }));
    expect(told(real)).toEqual(told(embedded));
    const [role] = real.traces[0]?.migrations[0]?.statements ?? [];
    expect(role?.fate).toMatchObject({ is: 'leftOut', because: expect.stringContaining('roles belong to the whole server') });
    const admin = await server.scratch.connect();
    expect((await admin.query("SELECT FROM pg_roles WHERE rolname = 'reporting'")).rowCount).toBe(0);
  }, 120_000);

  test.skipIf(server.missing)('writes to nothing that did not say it may', async () => {
    oneLine(mvlint('db', '--db', urlOf('app')), 'the database app', '_scratch', '--i-know-this-database-is-disposable');
    expect(mvlint('db', '--db', urlOf('app')).err).not.toContain('s3cr3t');
    const app = await server.scratch.connect('app');
    expect((await app.query("SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace")).rowCount).toBe(0);
    expect(mvlint('db', '--db', urlOf('app'), '--i-know-this-database-is-disposable').status).toBe(0);
    oneLine(mvlint('db', '--db', urlOf('app'), '--i-know-this-database-is-disposable'), 'holds 2 relations already', 'createdb app');
  }, 120_000);

  test.skipIf(server.missing)('Ctrl-C ends what the server runs', async () => {
    writeFileSync(join(scratch, 'slow.sql'), 'select pg_sleep(60);');
    const child = spawn(process.execPath, [cli, 'trace', 'slow.sql', '--db', urlOf('app_scratch')], { cwd: scratch, env: environment, stdio: 'ignore' });
    const admin = await server.scratch.connect();
    const running = async (): Promise<boolean> => ((await admin.query("SELECT FROM pg_stat_activity WHERE query LIKE 'select pg_sleep%' AND state = 'active'")).rowCount ?? 0) > 0;
    for (const until = Date.now() + 20_000; Date.now() < until && !await running();) await new Promise(done => setTimeout(done, 50));
    child.kill('SIGINT');
    expect(await new Promise(done => child.once('exit', done))).toBe(130);
    for (const until = Date.now() + 5_000; Date.now() < until && await running();) await new Promise(done => setTimeout(done, 50));
    expect(await running()).toBe(false);
  }, 60_000);
});
