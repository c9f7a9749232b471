import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { passwordFrom, type ReadSecret } from './passfile.ts';
import { readUri } from './uri.ts';

/** Where and as whom to connect, decided as libpq decides it. */
export interface Target {
  /** Tried in order. A host that begins with / is the folder of a socket. */
  readonly hosts: readonly { readonly host: string; readonly address?: string; readonly port: number }[];
  readonly user: string;
  readonly database: string;
  /** Asked only when the server wants one: what was given, else the password file's for that host. */
  readonly password: (host: string, port: number) => string | undefined;
  /** Of the caller's own: PGOPTIONS and the like. */
  readonly options: string;
  /** Milliseconds for one attempt. */
  readonly timeout: number;
  readonly applicationName: string;
  /** sslmode, sslrootcert, …: as they were given. */
  readonly tls: ReadonlyMap<string, string>;
  readonly primaryOnly: boolean;
  readonly notes: readonly string[];
  /** What must never be printed: the URL, the passwords, and both as they are written. */
  readonly secrets: ReadonlySet<string>;
}

export type ReadTarget = { readonly ok: true; readonly target: Target } | { readonly ok: false; readonly problem: string };

/** The environment as libpq reads it (https://www.postgresql.org/docs/18/libpq-envars.html), by keyword. */
const variables: Readonly<Record<string, string>> = {
  host: 'PGHOST', hostaddr: 'PGHOSTADDR', port: 'PGPORT', dbname: 'PGDATABASE', user: 'PGUSER', password: 'PGPASSWORD', passfile: 'PGPASSFILE', connect_timeout: 'PGCONNECT_TIMEOUT',
  options: 'PGOPTIONS', application_name: 'PGAPPNAME', sslmode: 'PGSSLMODE', sslrootcert: 'PGSSLROOTCERT', sslcert: 'PGSSLCERT', sslkey: 'PGSSLKEY', sslcrl: 'PGSSLCRL',
  sslnegotiation: 'PGSSLNEGOTIATION', service: 'PGSERVICE', target_session_attrs: 'PGTARGETSESSIONATTRS', channel_binding: 'PGCHANNELBINDING',
};

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly read: ReadSecret;
  readonly home: string;
}

/** The process, its user and its disk. */
export function ownSurroundings(): Surroundings {
  return {
    environment: process.env, home: process.env['HOME'] || homedir(),
    read(path) {
      try {
        const { mode } = statSync(path);
        return { text: readFileSync(path, 'utf8'), ...(process.platform === 'win32' ? {} : { mode: mode & 0o777 }) };
      } catch {
        return undefined;
      }
    },
  };
}

/** `[name]` and `keyword=value` lines of a connection service file. */
function serviceIn(text: string, name: string): ReadonlyMap<string, string> | undefined {
  let found: Map<string, string> | undefined;
  for (const line of text.split(/\r?\n/).map(each => each.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      if (found !== undefined) return found;
      if (line === `[${name}]`) found = new Map();
    } else if (found !== undefined) {
      const at = line.indexOf('=');
      if (at > 0) found.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
    }
  }
  return found;
}

function serviceValues(name: string, { environment, read, home }: Surroundings): ReadonlyMap<string, string> | undefined {
  const files = [environment['PGSERVICEFILE'] || join(home, '.pg_service.conf'), ...(environment['PGSYSCONFDIR'] ? [join(environment['PGSYSCONFDIR'], 'pg_service.conf')] : [])];
  for (const file of files) {
    const held = read(file);
    const found = held === undefined ? undefined : serviceIn(held.text, name);
    if (found) return found;
  }
  return undefined;
}

/** The folders that builds of PostgreSQL put their socket in: Debian's and Red Hat's, then its own default. */
const socketFolders = ['/var/run/postgresql', '/tmp'];

function defaultHost(port: number): string {
  return socketFolders.find(folder => existsSync(join(folder, `.s.PGSQL.${port}`))) ?? 'localhost';
}

const splitList = (text: string | undefined): readonly string[] => (text === undefined || text === '' ? [] : text.split(','));

function hostsOf(get: (key: string) => string | undefined): Target['hosts'] | string {
  const [hosts, addresses, ports] = [splitList(get('host')), splitList(get('hostaddr')), splitList(get('port'))];
  if (hosts.length > 0 && addresses.length > 0 && hosts.length !== addresses.length) return 'host and hostaddr name different numbers of hosts';
  const length = Math.max(hosts.length, addresses.length, 1);
  if (ports.length > 1 && ports.length !== length) return 'there are not as many ports as hosts';
  const found: { host: string; address?: string; port: number }[] = [];
  for (let at = 0; at < length; at += 1) {
    const portText = (ports.length > 1 ? ports[at] : ports[0]) || '5432';
    const port = Number(portText);
    if (!/^\s*\d+\s*$/.test(portText) || port < 1 || port > 65_535) return 'a port is no number between 1 and 65535';
    const address = addresses[at];
    found.push({ host: hosts[at] || address || defaultHost(port), port, ...(address ? { address } : {}) });
  }
  return found;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}

/**
 * Reads a connection URI with the environment behind it: what the URI says wins over a service, that over PG* variables, those over libpq's defaults.
 * A problem never repeats what was given.
 */
export function readTarget(uri: string, surroundings: Surroundings = ownSurroundings()): ReadTarget {
  const wrong = (problem: string): ReadTarget => ({ ok: false, problem });
  const given = readUri(uri);
  if (!given.ok) return wrong(given.problem);
  const { environment, read, home } = surroundings;
  const serviceName = given.values.get('service') ?? (environment['PGSERVICE'] || undefined);
  const service = serviceName === undefined ? undefined : serviceValues(serviceName, surroundings);
  if (serviceName !== undefined && service === undefined) return wrong('the connection service that is named stands in no service file');
  const get = (key: string): string | undefined => given.values.get(key) ?? service?.get(key) ?? (environment[variables[key] ?? ''] || undefined);

  const hosts = hostsOf(get);
  if (typeof hosts === 'string') return wrong(hosts);
  const user = get('user') ?? userName();
  const database = get('dbname') ?? user;
  const seconds = get('connect_timeout');
  if (seconds !== undefined && !/^\s*-?\d+\s*$/.test(seconds)) return wrong('connect_timeout is no number of seconds');
  const attributes = get('target_session_attrs') ?? 'any';
  if (!['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'].includes(attributes)) return wrong('target_session_attrs has no such value');
  if (get('channel_binding') === 'require') return wrong('mvlint cannot promise channel_binding=require');
  const notes: string[] = [];
  const own = get('password');
  const file = get('passfile') ?? join(home, '.pgpass');
  const secrets = new Set([uri, ...(own === undefined ? [] : [own, encodeURIComponent(own)]), ...splitUserInfo(uri)].filter(text => text !== ''));
  return {
    ok: true,
    target: {
      hosts, user, database, options: get('options') ?? '', notes,
      // libpq waits for ever by default and for at least 2 s otherwise; somebody who waits for a linter is told after ten.
      timeout: seconds === undefined || Number(seconds) <= 0 ? 10_000 : Math.max(2, Number(seconds)) * 1_000,
      applicationName: get('application_name') ?? 'mvlint',
      tls: new Map([...['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword', 'sslcrl', 'sslnegotiation'].flatMap((key): [string, string][] => {
        const value = get(key);
        return value === undefined ? [] : [[key, value]];
      }), ['home', home]]),
      primaryOnly: attributes === 'read-write' || attributes === 'primary',
      secrets,
      password(host, port) {
        if (own !== undefined) return own;
        const held = read(file);
        if (held === undefined) return undefined;
        const found = passwordFrom(held, { host: socketFolders.includes(host) ? 'localhost' : host, port, database, user });
        if (found.ignored !== undefined && !notes.includes(found.ignored)) notes.push(found.ignored);
        if (found.password) secrets.add(found.password);
        return found.password;
      },
    },
  };
}

/** The password of a URI as it is written. */
function splitUserInfo(uri: string): readonly string[] {
  const [, written] = /^[a-z]+:\/\/[^:@/?]*:([^@]*)@/.exec(uri) ?? [];
  return written === undefined ? [] : [written];
}

/** Puts `…` in place of every secret of four characters or more, longest first; shorter ones would blot out ordinary words. */
export function withoutSecrets(text: string, secrets: Iterable<string>): string {
  return [...secrets].filter(secret => secret.length >= 4).toSorted((a, b) => b.length - a.length).reduce((left, secret) => left.replaceAll(secret, '…'), text);
}
