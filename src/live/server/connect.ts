import { connect as openSocket } from 'node:net';
import type { Client } from 'pg';
import { readTarget, withoutSecrets, type Surroundings, type Target } from './parameters.ts';
import { connectionProblem, failureOf, noPassword, ServerUnavailable } from './problems.ts';
import { channelsOf, type Channel } from './tls.ts';

/** Milliseconds. */
export interface Bounds {
  /** For one statement. */
  readonly statement: number;
  /** For a lock that somebody else holds: a plain refresh locks its view for as long as it runs. */
  readonly lock: number;
  /** After which the server ends a transaction in which nothing happens. */
  readonly idle: number;
}
export const usualBounds: Bounds = { statement: 10_000, lock: 2_000, idle: 30_000 };

/** An open connection. `layers`: 3 when the server took default_transaction_read_only at the start, 2 when a pooler refused it. */
export interface Connection {
  readonly client: Client;
  readonly layers: 2 | 3;
  readonly notes: readonly string[];
  /** Text without the URL and the passwords. */
  readonly clean: (text: string) => string;
  /** Asks the server to end what is running, over a connection of its own; resolves when that is sent, or after a second. */
  cancel(): Promise<void>;
  close(): Promise<void>;
}

/** `-c name=value` items of the startup packet. */
function startupOptions(own: string, bounds: Bounds): string {
  if (bounds === unbounded) return own;
  const given = { default_transaction_read_only: 'on', statement_timeout: bounds.statement, lock_timeout: bounds.lock, idle_in_transaction_session_timeout: bounds.idle };
  return [own, ...Object.entries(given).map(([name, value]) => `-c ${name}=${value}`)].filter(part => part !== '').join(' ');
}

type Host = Target['hosts'][number];
const named = ({ host, port }: Host): string => (host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

async function load(): Promise<typeof import('pg')> {
  try {
    return await import('pg');
  } catch {
    throw new ServerUnavailable('the client for PostgreSQL is not installed: npm install pg@8.23.1');
  }
}

/** One attempt: one host, one channel, one set of startup options. Rejects with what `pg` says. */
async function attempt(pg: typeof import('pg'), target: Target, host: Host, channel: Channel, options: string, bounds: Bounds): Promise<Client> {
  const tls = channel.tls ? { ...channel.options, ...(host.address === undefined || host.host === host.address ? {} : { host: host.host, servername: host.host }) } : false;
  const client = new pg.Client({
    host: host.address ?? host.host, port: host.port, user: target.user, database: target.database, ssl: tls, connectionTimeoutMillis: target.timeout,
    // A server that hangs keeps no statement_timeout; this one is ours.
    ...(bounds === unbounded ? {} : { query_timeout: bounds.statement + 5_000 }), application_name: target.applicationName, ...(options === '' ? {} : { options }), keepAlive: true,
    ...(channel.tls && channel.direct ? { sslnegotiation: 'direct' as const } : { sslnegotiation: 'postgres' as const }),
    password: () => {
      const password = target.password(host.host, host.port);
      if (password === undefined) throw new Error(noPassword);
      return password;
    },
  });
  // `pg` reads PGOPTIONS where it is given none; the target has that already.
  if (options === '') (client as unknown as { connectionParameters: { options?: string } }).connectionParameters.options = '';
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.end().catch(() => undefined);
    throw error;
  }
}

/** pgbouncer refuses startup options that it does not know, with this SQLSTATE (and says which). */
const isRefusedOption = (error: unknown): boolean => {
  const { code, message } = failureOf(error);
  return code === '08P01' && /unsupported startup parameter/i.test(message);
};

/** Failures that another channel to the same host may not have: the TLS handshake, and a server that wants the other kind of connection. */
const wantsOtherChannel = (error: unknown): boolean => {
  const { code = '', message } = failureOf(error);
  return code === '28000' || /SSL connection|^CERT_|_CERT|ERR_SSL|ERR_TLS|EPROTO|ECONNRESET/.test(`${message} ${code}`) || message === 'Connection terminated unexpectedly';
};

/** No bounds: a connection that may write, for a database that somebody gave away. */
export const unbounded: Bounds = { statement: 0, lock: 0, idle: 0 };

/** Opens a connection for reads, unless it is `unbounded`. Rejects with ServerUnavailable, one line without secrets. */
export async function connect(uri: string, bounds: Bounds = usualBounds, surroundings?: Surroundings): Promise<Connection> {
  const read = surroundings === undefined ? readTarget(uri) : readTarget(uri, surroundings);
  if (!read.ok) throw new ServerUnavailable(`the database URL cannot be used: ${read.problem}`);
  const { target } = read;
  const clean = (text: string): string => withoutSecrets(text, target.secrets);
  const pg = await load();
  const problems: string[] = [];
  for (const host of target.hosts) {
    const channels = channelsOf(target.tls, host.host);
    if (!channels.ok) throw new ServerUnavailable(`the database URL cannot be used: ${channels.problem}`);
    let failure: unknown;
    for (const channel of channels.channels) {
      let client: Client | undefined;
      let layers: 2 | 3 = 3;
      try {
        client = await attempt(pg, target, host, channel, startupOptions(target.options, bounds), bounds);
      } catch (error) {
        failure = error;
        if (isRefusedOption(error)) {
          layers = 2;
          client = await attempt(pg, target, host, channel, target.options, bounds).catch((second: unknown) => {
            failure = second;
            return undefined;
          });
        }
      }
      if (client !== undefined) return opened(client, layers, host, target, clean);
      if (!wantsOtherChannel(failure)) break;
    }
    problems.push(clean(connectionProblem(failure, named(host), target.timeout / 1_000)));
  }
  throw new ServerUnavailable([...new Set([...problems, ...target.notes])].join('; ').replace(/\s*\n\s*/g, ' '));
}

function opened(client: Client, layers: 2 | 3, host: Host, target: Target, clean: (text: string) => string): Connection {
  return {
    client, layers, notes: target.notes, clean,
    cancel: () => cancelRequest(client, host),
    async close() {
      await Promise.race([client.end().catch(() => undefined), new Promise(done => setTimeout(done, 1_000).unref())]);
    },
  };
}

/**
 * CancelRequest of the protocol (https://www.postgresql.org/docs/18/protocol-message-formats.html): it needs no role and passes poolers. Sent in the
 * clear, as libpq's PQcancel does: it holds a number that ends with the session.
 */
function cancelRequest(client: Client, host: Host): Promise<void> {
  const { processID, secretKey } = client as unknown as { readonly processID: number | null; readonly secretKey: number | null };
  if (processID === null || secretKey === null) return Promise.resolve();
  const packet = Buffer.alloc(16);
  packet.writeInt32BE(16, 0);
  packet.writeInt32BE(80_877_102, 4);
  packet.writeInt32BE(processID, 8);
  packet.writeInt32BE(secretKey, 12);
  return new Promise(done => {
    const socket = host.host.startsWith('/') ? openSocket(`${host.host}/.s.PGSQL.${host.port}`) : openSocket(host.port, host.address ?? host.host);
    const end = (): void => {
      socket.destroy();
      done();
    };
    socket.setTimeout(1_000, end);
    socket.on('error', end);
    socket.on('close', end);
    socket.on('connect', () => socket.write(packet));
  });
}
