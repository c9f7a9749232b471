import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as openSocket, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serverForTests } from '../../dev/lock-sessions.ts';
import type { Store } from '../../catalog/store.ts';
import { introspect } from '../introspect.ts';
import { readCatalog } from './catalog.ts';
import { openSession, refused, tooOld } from './session.ts';
import type { Surroundings } from './parameters.ts';
import { allStatements, statements } from './statements.ts';

const nothing: Surroundings = { environment: {}, home: '/nowhere', read: () => undefined };
const password = "p@ss:w/ö rd%'\"";
const encoded = encodeURIComponent(password);

/** What goes wrong, in one line without the URL or the password. */
async function problem(uri: string, surroundings = nothing): Promise<string> {
  const error: unknown = await openSession(uri, undefined, surroundings).then(async session => {
    await session.close();
    return new Error('it opened');
  }, (caught: unknown) => caught);
  if (!(error instanceof Error)) throw new Error('no error');
  const everything = `${error.message}\n${error.stack ?? ''}\n${JSON.stringify(error)}`;
  for (const secret of [uri, password, encoded]) expect(everything).not.toContain(secret);
  expect(error.name).toBe('ServerUnavailable');
  expect(error.message).not.toContain('\n');
  return error.message;
}

/** A server that speaks as it is told to. */
async function talking(answer: (bytes: Buffer, write: (bytes: Buffer | string) => void, end: () => void) => void): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer(socket => {
    socket.on('error', () => undefined);
    socket.on('data', bytes => answer(bytes, data => socket.write(data), () => socket.destroy()));
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  return { port: (server.address() as AddressInfo).port, server };
}

const words = (sql: string): string => sql.replaceAll(/\s+/g, ' ').trim();
const allowed = new Set(allStatements().map(({ sql }) => words(sql)));

/** The statements of mvlint in a log whose lines begin with `application|`; what follows a statement's first line is indented. */
function logged(log: string): readonly string[] {
  const entries = log.split(/\n(?!\t)/).filter(entry => entry.startsWith('mvlint|LOG:'));
  return entries.flatMap(entry => /^mvlint\|LOG: {2}(?:statement|execute [^:]*): ([\s\S]*)$/.exec(entry)?.[1] ?? []).map(words);
}

describe('servers that are none', () => {
  test('nobody listens, no such host, no such socket', async () => {
    const { port, server } = await talking(() => undefined);
    await new Promise(done => server.close(done));
    expect(await problem(`postgres://u:${encoded}@127.0.0.1:${port}/d`)).toBe(`no server listens on 127.0.0.1:${port}`);
    expect(await problem(`postgres://u:${encoded}@no-such-host.invalid/d`)).toContain('has no address');
    expect(await problem(`postgres://u:${encoded}@/d?host=/no/such/folder`)).toContain('there is no such socket');
  });
  test('one that never answers', async () => {
    const { port, server } = await talking(() => undefined);
    expect(await problem(`postgres://u:${encoded}@127.0.0.1:${port}/d?connect_timeout=2`)).toBe(`127.0.0.1:${port} does not answer within 2 s`);
    server.close();
  });
  test('one that is something else, and one without TLS', async () => {
    const http = await talking((_, write, end) => (write('HTTP/1.1 400 Bad Request\r\n\r\n'), end()));
    expect(await problem(`postgres://u:${encoded}@127.0.0.1:${http.port}/d?sslmode=require`)).toContain(`127.0.0.1:${http.port}`);
    expect(await problem(`postgres://u:${encoded}@127.0.0.1:${http.port}/d?sslmode=disable`)).toContain(`127.0.0.1:${http.port}`);
    const plain = await talking((_, write) => write('N'));
    expect(await problem(`postgres://u:${encoded}@127.0.0.1:${plain.port}/d?sslmode=require`)).toContain('speaks no TLS');
    http.server.close();
    plain.server.close();
  });
  test('one that takes encrypted connections only, as PostgreSQL says it', async () => {
    const message = 'no pg_hba.conf entry for host "10.0.0.1", user "u", database "d", no encryption';
    const body = Buffer.from(`SFATAL\0VFATAL\0C28000\0M${message}\0\0`);
    const head = Buffer.alloc(5);
    head.write('E');
    head.writeInt32BE(body.length + 4, 1);
    const { port, server } = await talking((_, write, end) => (write(Buffer.concat([head, body])), end()));
    expect(await problem(`postgres://u:${encoded}@127.0.0.1:${port}/d?sslmode=disable`)).toBe(`127.0.0.1:${port} refuses the role: ${message} (it demands TLS: sslmode=require)`);
    server.close();
  });
  test('a URL that cannot be read', async () => {
    expect(await problem(`postgres://u:${password}@h/d`)).toContain('percent-encoded');
    expect(await problem(`postgres://u:${encoded}@h/d?sslmode=maybe`)).toContain('sslmode');
  });
});

/** A door with TLS before a server's socket: the server that was fetched has none of its own. */
async function tlsDoor(folder: string, key: string, cert: string): Promise<{ readonly port: number; readonly server: Server; readonly sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write('S');
      const inner = new TLSSocket(socket, { isServer: true, key, cert });
      const behind = openSocket(join(folder, '.s.PGSQL.5432'));
      for (const [from, to] of [[inner, behind], [behind, inner]] as const) from.on('error', () => to.destroy()).on('close', () => to.destroy());
      inner.pipe(behind).pipe(inner);
    });
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  return { port: (server.address() as AddressInfo).port, server, sockets };
}

test('servers that are too old', () => {
  expect([140_000, 180_004].map(tooOld)).toEqual([undefined, undefined]);
  expect([130_012, 90_624].map(tooOld)).toEqual(['the server is PostgreSQL 13; mvlint reads 14 and later', 'the server is PostgreSQL 9.6; mvlint reads 14 and later']);
});

describe('a standby', () => {
  const server = serverForTests(18, { standby: true });
  beforeAll(() => (server.missing ? undefined : server.start()));
  afterAll(() => (server.missing ? undefined : server.stop()));
  test.skipIf(server.missing)('is read, and said to be one', async () => {
    const session = await openSession(`postgres://postgres@/postgres?host=${server.scratch.folder}`, undefined, { ...nothing, environment: { PGPASSWORD: 'unused' } });
    expect(session).toMatchObject({ standby: true, notes: ['the server is a standby: scans and readers are those of the standby'] });
    expect((await session.read(({ listed }) => introspect(listed, { searchPath: session.searchPath }))).findSchema('public').is).toBe('present');
    await session.close();
  });
});

const majors = [15, 18];
describe.each(majors)('PostgreSQL %i', major => {
  const server = serverForTests(major, { keepLog: true, settings: { log_statement: 'all', log_line_prefix: '%a|' } });
  let folder = '';
  const url = (user: string, secret: string, more = ''): string => `postgres://${user}:${secret}@/shop?host=${encodeURIComponent(folder)}${more}`;

  beforeAll(async () => {
    if (server.missing) return;
    await server.start();
    folder = server.scratch.folder;
    const { run } = await server.session();
    await run(
      'CREATE DATABASE shop', `CREATE ROLE reader LOGIN PASSWORD '${password.replaceAll("'", "''")}'`, 'CREATE ROLE nobody NOLOGIN', 'CREATE DATABASE closed', 'REVOKE CONNECT ON DATABASE closed FROM PUBLIC', 'ALTER DATABASE shop CONNECTION LIMIT 50', 'REVOKE TEMP ON DATABASE shop FROM PUBLIC', 'ALTER ROLE reader SET search_path = app, public',
    );
    const hba = join(server.scratch.data, 'pg_hba.conf');
    writeFileSync(hba, `local all reader scram-sha-256\n${readFileSync(hba, 'utf8')}`);
    await run('SELECT pg_reload_conf()');
    await new Promise(done => setTimeout(done, 300));
  });
  afterAll(() => (server.missing ? undefined : server.stop()));

  test.skipIf(server.missing)('the connection is read only in three layers, bounded and named', async () => {
    const session = await openSession(url('reader', encoded), undefined, nothing);
    expect(session).toMatchObject({ major, role: 'reader', database: 'shop', standby: false, searchPath: 'app, public', notes: [] });
    const seen = await session.read(({ ask }) => ask('server'));
    expect(refused(seen)).toBe(false);
    const { client } = await server.session();
    const { rows } = await client.query<Record<string, unknown>>("SELECT application_name, query, state FROM pg_stat_activity WHERE usename = 'reader'");
    expect(rows).toMatchObject([{ application_name: 'mvlint', state: 'idle', query: 'COMMIT' }]);
    await session.close();
  });

  test.skipIf(server.missing)('what stands in the password file opens the door, too', async () => {
    const files: Surroundings = { ...nothing, read: path => (path === '/nowhere/.pgpass' ? { text: `*:*:shop:reader:${password.replaceAll(/[\\:]/g, '\\$&')}`, mode: 0o600 } : undefined) };
    const session = await openSession(`postgres://reader@/shop?host=${folder}`, undefined, files);
    expect(session.role).toBe('reader');
    await session.close();
  });

  test.skipIf(server.missing)('a server that turns somebody away is told in one line', async () => {
    expect(await problem(url('reader', 'wrong%40word'))).toContain('refuses the role: password authentication failed for user "reader"');
    expect(await problem(`postgres://reader@/shop?host=${folder}`)).toContain('asks for a password');
    expect(await problem(url('nobody', encoded))).toContain('is not permitted to log in');
    expect(await problem(url('reader', encoded).replace('/shop?', '/nothing?'))).toContain('database "nothing" does not exist');
    expect(await problem(url('reader', encoded).replace('/shop?', '/closed?'))).toContain('refuses the role: permission denied for database "closed"');
  });

  test.skipIf(server.missing)('waits for no lock and no statement for long, and a killed connection is one line', async () => {
    const session = await openSession(url('reader', encoded), { statement: 5_000, lock: 100, idle: 300 }, nothing);
    const admin = await server.scratch.connect('shop');
    await admin.query('CREATE MATERIALIZED VIEW busy AS SELECT 1 AS id');
    await admin.query('BEGIN; LOCK TABLE pg_catalog.pg_class IN ACCESS EXCLUSIVE MODE');
    await expect(session.read(({ listed }) => introspect(listed, { searchPath: '' }))).rejects.toThrow('canceling statement due to lock timeout');
    await admin.query('ROLLBACK');
    // The refused transaction is over: the next one works.
    expect(refused(await session.read(({ ask }) => ask('server')))).toBe(false);
    await expect(session.read(async ({ ask }) => {
      await ask('server');
      await new Promise(done => setTimeout(done, 600));
      return ask('server');
    })).rejects.toThrow('the connection to the database ended');
    await admin.query('DROP MATERIALIZED VIEW busy');
    await session.close();
  });

  test.skipIf(server.missing || major !== 18)('a server that hangs is given up', async () => {
    const session = await openSession(url('reader', encoded), { statement: 1_000, lock: 500, idle: 60_000 }, nothing);
    const admin = await server.scratch.connect();
    const { rows: [backend] } = await admin.query<{ pid: number }>("SELECT pid FROM pg_stat_activity WHERE usename = 'reader'");
    process.kill(backend!.pid, 'SIGSTOP');
    await expect(session.read(({ ask }) => ask('server'))).rejects.toThrow('the server takes too long to answer');
    await session.close();
    process.kill(backend!.pid, 'SIGCONT');
  });

  test.skipIf(server.missing)('cancel ends what runs', async () => {
    const session = await openSession(url('reader', encoded), { statement: 20_000, lock: 15_000, idle: 20_000 }, nothing);
    const admin = await server.scratch.connect('shop');
    await admin.query('BEGIN; LOCK TABLE pg_catalog.pg_class IN ACCESS EXCLUSIVE MODE');
    const started = performance.now();
    const running = session.read(({ listed }) => introspect(listed, { searchPath: '' })).catch((error: unknown) => String(error));
    await new Promise(done => setTimeout(done, 300));
    await session.cancel();
    expect(await running).toContain('canceling statement due to user request');
    expect(performance.now() - started).toBeLessThan(5_000);
    await admin.query('ROLLBACK');
    await session.close();
  });

  test.skipIf(server.missing)('a server without TLS is reached in the clear, unless sslmode demands more', async () => {
    const door = createServer(socket => {
      const behind = openSocket(join(folder, '.s.PGSQL.5432'));
      for (const [from, to] of [[socket, behind], [behind, socket]] as const) from.on('error', () => to.destroy()).on('close', () => to.destroy());
      socket.pipe(behind).pipe(socket);
    });
    await new Promise<void>(done => door.listen(0, '127.0.0.1', done));
    const at = `127.0.0.1:${(door.address() as AddressInfo).port}`;
    for (const mode of ['', '?sslmode=prefer', '?sslmode=allow', '?sslmode=disable']) {
      const session = await openSession(`postgres://reader:${encoded}@${at}/shop${mode}`, undefined, nothing);
      expect(session.role).toBe('reader');
      await session.close();
    }
    expect(await problem(`postgres://reader:${encoded}@${at}/shop?sslmode=require`)).toBe(`${at} speaks no TLS, which sslmode demands`);
    // The second of two hosts answers.
    const second = await openSession(`postgres://reader:${encoded}@127.0.0.1:1,${at}/shop`, undefined, nothing);
    await second.close();
    door.close();
  });

  test.skipIf(server.missing)('behind TLS: by sslmode and certificate', async () => {
    const keys = mkdtempSync(join(tmpdir(), 'mvlint-tls-'));
    const openssl = (...words: string[]): void => {
      const { status, stderr } = spawnSync('openssl', words, { cwd: keys, encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
    };
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=mvlint test authority');
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'db.key', '-out', 'db.csr', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost');
    openssl('x509', '-req', '-in', 'db.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-out', 'db.crt', '-copy_extensions', 'copy');
    const { port, server: door, sockets } = await tlsDoor(folder, readFileSync(join(keys, 'db.key'), 'utf8'), readFileSync(join(keys, 'db.crt'), 'utf8'));
    const at = (host: string, more: string): string => `postgres://reader:${encoded}@${host}:${port}/shop?${more}`;
    const root = `sslrootcert=${encodeURIComponent(join(keys, 'ca.crt'))}`;
    for (const uri of [at('127.0.0.1', ''), at('127.0.0.1', 'sslmode=require'), at('127.0.0.1', `sslmode=verify-ca&${root}`), at('localhost', `sslmode=verify-full&${root}&hostaddr=127.0.0.1`)]) {
      const session = await openSession(uri, undefined, nothing);
      expect(session.role).toBe('reader');
      await session.close();
    }
    expect(await problem(at('127.0.0.1', `sslmode=verify-full&${root}`))).toContain('is for another host');
    expect(await problem(at('localhost', 'sslmode=verify-full&sslrootcert=system&hostaddr=127.0.0.1'))).toContain('unknown authority');
    expect(await problem(at('localhost', 'sslmode=verify-full&hostaddr=127.0.0.1'))).toContain('needs a root certificate');
    door.close();
    for (const socket of sockets) socket.destroy();
    rmSync(keys, { recursive: true });
  });

  test.skipIf(server.missing)('the catalog has refresh sites, jobs, default privileges and the versions of engines', async () => {
    const admin = await server.scratch.connect('shop');
    await admin.query(`CREATE SCHEMA app; CREATE SCHEMA cron; CREATE ROLE maker; ALTER DEFAULT PRIVILEGES FOR ROLE maker IN SCHEMA app GRANT SELECT ON TABLES TO reader;
      ALTER DEFAULT PRIVILEGES FOR ROLE maker REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
      CREATE MATERIALIZED VIEW app.daily AS SELECT 1 AS id;
      CREATE FUNCTION app.again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN REFRESH MATERIALIZED VIEW CONCURRENTLY app.daily; RETURN NULL; END $$;
      CREATE FUNCTION app.plain() RETURNS void LANGUAGE sql AS 'REFRESH MATERIALIZED VIEW app.daily';
      CREATE TABLE cron.job (jobid bigint, command text, active boolean, database text);
      INSERT INTO cron.job VALUES (7, 'REFRESH MATERIALIZED VIEW app.daily', true, 'shop'), (8, 'REFRESH MATERIALIZED VIEW app.daily', false, 'shop');`);
    const session = await openSession(url('reader', encoded), undefined, nothing);
    const before = await readCatalog(session);
    expect(before.sites.map(({ by, holder, concurrently }) => `${by} ${holder} ${concurrently}`))
      .toEqual(['trigger function again() true', 'routine function plain() false']);
    expect(session.notes).toEqual(['jobs of pg_cron are not seen: the role may not read cron.job']);
    await admin.query('GRANT USAGE ON SCHEMA cron TO reader; GRANT SELECT ON cron.job TO reader');
    const after = await readCatalog(session);
    expect(after.sites.map(({ by, holder }) => `${by} ${holder}`)).toEqual(['trigger function again()', 'routine function plain()', 'job job 7']);
    expect(after).toMatchObject({ postgres: major, world: 'closed', engineVersions: {}, session: { searchPath: ['app', 'public'] } });
    expect((after as Store).defaultPrivileges).toEqual([{ role: 'maker', schema: 'app', objects: 'tables', grantee: 'reader', privileges: ['SELECT'] }]);
    await session.close();
  });

  test.skipIf(server.missing)('only listed statements can be sent, and the log has nothing else', async () => {
    const session = await openSession(url('reader', encoded), undefined, nothing);
    await readCatalog(session);
    await expect(session.read(({ listed }) => listed('SELECT 1'))).rejects.toThrow('not a listed statement');
    await session.close();
    expect(logged(server.scratch.log()).filter(sql => !allowed.has(sql))).toEqual([]);
    expect(logged(server.scratch.log()).length).toBeGreaterThan(20);
    expect(Object.values(statements).every(({ sql }) => /^(?:BEGIN READ ONLY$|COMMIT$|ROLLBACK$|SELECT |WITH RECURSIVE )/.test(sql))).toBe(true);
  });
});
