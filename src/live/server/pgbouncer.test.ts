import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serverForTests } from '../../dev/lock-sessions.ts';
import { readCatalog } from './catalog.ts';
import { openSession, refused, type ReadSession } from './session.ts';
import { observedServer, viewNames } from './view.ts';

/** A pooler between us and a server: one server connection for all, handed out a transaction at a time. */
const hasPooler = spawnSync('pgbouncer', ['--version']).status === 0;
if (!hasPooler) process.stderr.write('pgbouncer is missing; its tests are skipped: apt-get install pgbouncer\n');

const server = serverForTests(18);
const skip = !hasPooler || server.missing;
let folder = '';
let pooler: ChildProcess | undefined;
const nothing = { environment: { PGPASSWORD: 'x' }, home: '/nowhere', read: () => undefined };
const open = (more = ''): Promise<ReadSession> => openSession(`postgres://reader@/shop?host=${encodeURIComponent(folder)}&port=6432${more}`, undefined, nothing);
const connect = async (): Promise<pg.Client> => {
  const client = new pg.Client({ host: folder, port: 6432, user: 'reader', database: 'shop', password: 'x' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

beforeAll(async () => {
  if (skip) return;
  await server.start();
  const admin = await server.scratch.connect();
  await admin.query('CREATE DATABASE shop');
  await admin.query('CREATE ROLE reader LOGIN');
  const shop = await server.scratch.connect('shop');
  await shop.query(`CREATE TABLE orders (id int PRIMARY KEY); CREATE MATERIALIZED VIEW one AS SELECT id FROM orders; CREATE MATERIALIZED VIEW two AS SELECT count(*) FROM orders`);
  folder = mkdtempSync(join(tmpdir(), 'mvlint-pooler-'));
  writeFileSync(join(folder, 'pgbouncer.ini'), [
    '[databases]', `shop = host=${server.scratch.folder} port=5432 dbname=shop user=reader`, '[pgbouncer]', 'pool_mode = transaction', 'default_pool_size = 1', 'auth_type = any',
    'listen_port = 6432', 'listen_addr =', `unix_socket_dir = ${folder}`, `logfile = ${join(folder, 'log')}`, `pidfile = ${join(folder, 'pid')}`, '',
  ].join('\n'));
  // It does not run as root either; whoever runs the server may.
  const { uid, gid } = statSync(server.scratch.data);
  if (process.getuid?.() === 0) for (const path of [folder, join(folder, 'pgbouncer.ini')]) chownSync(path, uid, gid);
  pooler = spawn('pgbouncer', ['-q', join(folder, 'pgbouncer.ini')], { stdio: 'ignore', ...(process.getuid?.() === 0 ? { uid, gid } : {}) });
  for (const until = Date.now() + 10_000; ;) {
    try {
      await (await connect()).end();
      return;
    } catch (error) {
      if (Date.now() > until) throw new Error(`pgbouncer does not start: ${readFileSync(join(folder, 'log'), 'utf8')}`, { cause: error });
      await new Promise(done => setTimeout(done, 50));
    }
  }
});
afterAll(async () => {
  if (skip) return;
  pooler?.kill('SIGKILL');
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test.skipIf(skip)('it refuses startup options, so two layers of three are left, and that is said', async () => {
  // What a client is told that insists, so that this test means something.
  const client = new pg.Client({ host: folder, port: 6432, user: 'reader', database: 'shop', password: 'x', options: '-c default_transaction_read_only=on' });
  client.on('error', () => undefined);
  await expect(client.connect()).rejects.toMatchObject({ code: '08P01', message: expect.stringContaining('unsupported startup parameter') as string });
  const session = await open();
  expect(session.notes).toEqual(['read only by two layers of three: the pooler takes no default_transaction_read_only at the start']);
  await session.close();
});

test.skipIf(skip)('transactions of several clients share one server connection, and nothing of ours stays on it', async () => {
  const [one, two] = [await open(), await open()];
  const [catalog, other] = await Promise.all([readCatalog(one), readCatalog(two)]);
  expect([...catalog.relations()].length).toBe([...other.relations()].length);
  const [names, seen] = [await viewNames(one), await observedServer(two)];
  const views = await Promise.all(names.map(name => seen.view(name)));
  expect(views.map(view => view !== undefined && 'name' in view && view.name.name)).toEqual(['one', 'two']);
  const plain = await connect();
  const { rows } = await plain.query('SELECT current_setting($1) AS path, current_setting($2) AS timeout, current_setting($3) AS read_only, pg_backend_pid() AS pid',
    ['search_path', 'statement_timeout', 'default_transaction_read_only']);
  expect(rows).toMatchObject([{ path: '"$user", public', timeout: '0', read_only: 'off' }]);
  await Promise.all([one.close(), two.close(), plain.end()]);
});

test.skipIf(skip)('waits are bounded there, too, and one transaction is open at a time', async () => {
  const session = await open();
  const admin = await server.scratch.connect('shop');
  await admin.query('BEGIN; LOCK TABLE pg_catalog.pg_policy IN ACCESS EXCLUSIVE MODE');
  await expect(readCatalog(session)).rejects.toThrow('canceling statement due to lock timeout');
  await admin.query('ROLLBACK');
  const state = await server.scratch.connect('shop');
  const held = session.read(async ({ ask }) => {
    await ask('server');
    const { rows } = await state.query("SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = 'reader' AND state = 'idle in transaction'");
    return rows[0] as { readonly n: number };
  });
  expect(await held).toEqual({ n: 1 });
  expect(refused(await session.read(({ ask }) => ask('server')))).toBe(false);
  await session.close();
});

test.skipIf(skip)('options of the user\'s own are not dropped in silence', async () => {
  await expect(open(`&options=${encodeURIComponent('-c work_mem=1MB')}`)).rejects.toThrow('unsupported startup parameter');
});

test.skipIf(skip)('cancel reaches the server through it', async () => {
  const session = await openSession(`postgres://reader@/shop?host=${encodeURIComponent(folder)}&port=6432`, { statement: 20_000, lock: 15_000, idle: 20_000 }, nothing);
  const admin = await server.scratch.connect('shop');
  await admin.query('BEGIN; LOCK TABLE pg_catalog.pg_policy IN ACCESS EXCLUSIVE MODE');
  const running = readCatalog(session).catch((error: unknown) => String(error));
  await new Promise(done => setTimeout(done, 500));
  await session.cancel();
  expect(await running).toContain('canceling statement due to user request');
  await admin.query('ROLLBACK');
  await session.close();
});
