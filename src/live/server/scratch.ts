import type { Rows, SqlFailure } from '../../model.ts';
import { reasonNotToSend, refusedUnsent } from '../boundary.ts';
import type { Host, Sending, Server, ServerOptions } from '../host.ts';
import { connect, unbounded, type Connection } from './connect.ts';
import { failureOf, ServerUnavailable } from './problems.ts';
import { tooOld } from './session.ts';
import type { Surroundings } from './parameters.ts';

/** A database that somebody gave away: mvlint writes to it. */
export interface Scratch {
  readonly host: Host;
  /** Text without the URL and the passwords. */
  readonly clean: (text: string) => string;
  /** Asks the server to end what is running. */
  cancel(): Promise<void>;
  close(): Promise<void>;
}

/** Names of databases that say what they are for. */
const saysSo = /_scratch$/;

const about = `SELECT pg_catalog.current_database() AS name, pg_catalog.current_setting('server_version_num')::int AS version, pg_catalog.pg_is_in_recovery() AS standby,
    ARRAY(SELECT name::text FROM pg_catalog.pg_available_extensions) AS extensions,
    (SELECT pg_catalog.count(*)::int FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid AND e.deptype = 'e')) AS relations`;

/** The one session there is. It has no state to go back to: what it did stays in the database. */
class Database implements Server {
  readonly missing: readonly string[];
  private readonly connection: Connection;
  alive = true;

  constructor(connection: Connection, missing: readonly string[]) {
    this.connection = connection;
    this.missing = missing;
  }

  /** `limit` is not kept: on a real server a statement may take the time that it takes. */
  async run(sql: string, _sending: Sending = {}): Promise<Rows | SqlFailure> {
    // `pg` sends no rows of a COPY: it is left out, and said.
    const reason = reasonNotToSend(sql, { shared: true });
    if (reason !== undefined) return refusedUnsent(reason);
    if (!this.alive) return { sqlstate: '57P01', message: 'the connection to the database has ended' };
    try {
      const answer = await this.connection.client.query<Record<string, unknown>>(sql) as { rows: Rows['rows'] } | readonly { rows: Rows['rows'] }[];
      return { rows: ('rows' in answer ? answer : answer.at(-1))?.rows ?? [] };
    } catch (error) {
      const { code, message } = failureOf(error);
      const isAnswer = code !== undefined && /^[0-9A-Z]{5}$/.test(code) && code !== '57P01';
      if (!isAnswer) this.alive = false;
      return { sqlstate: isAnswer ? code : '57P01', message: this.connection.clean(message) };
    }
  }

  dump(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async close(): Promise<void> {
    this.alive = false;
    await this.connection.close();
  }
}

/** Why this database may not be written to; undefined when it may. */
function objection(row: Readonly<Record<string, unknown>>, disposable: boolean): string | undefined {
  const name = String(row['name']);
  const old = tooOld(Number(row['version']));
  if (old !== undefined) return old;
  if (row['standby'] === true) return 'the server is a standby, which takes no writes';
  if (!disposable && !saysSo.test(name))
    return `the database ${name} may be somebody's: trace writes to it, so its name has to end in _scratch (or say --i-know-this-database-is-disposable)`;
  const relations = Number(row['relations']);
  if (relations > 0) return `the database ${name} holds ${relations} ${relations === 1 ? 'relation' : 'relations'} already; the migrations begin with an empty one: dropdb ${name} && createdb ${name}`;
  return undefined;
}

/**
 * Connects to a database that may be written to, and makes sure of it: it says so in its own name (asked of the server, for a pooler may call it otherwise) or
 * `disposable` does, and it is empty. Rejects with ServerUnavailable: one line, without URL and passwords. Roles, databases and settings of the server are left
 * alone, and what the migrations made stays.
 */
export async function openScratch(uri: string, disposable: boolean, surroundings?: Surroundings): Promise<Scratch> {
  const connection = await connect(uri, unbounded, surroundings);
  const give = async (because: string): Promise<never> => {
    await connection.close();
    throw new ServerUnavailable(connection.clean(because.replace(/\s*\n\s*/g, ' ')));
  };
  let row: Readonly<Record<string, unknown>> | undefined;
  try {
    row = (await connection.client.query<Record<string, unknown>>(about)).rows[0];
  } catch (error) {
    return give(`the server does not say what it is: ${failureOf(error).message}`);
  }
  if (row === undefined) return give('the server does not say what it is');
  const because = objection(row, disposable);
  if (because !== undefined) return give(because);
  const major = Math.floor(Number(row['version']) / 10_000);
  const available = new Set(Array.isArray(row['extensions']) ? row['extensions'].map(String) : []);
  let opened = false;
  return {
    host: {
      major, name: `PostgreSQL ${major}`, sharesRoles: true,
      open({ extensions = [] }: ServerOptions) {
        if (opened) return Promise.reject(new ServerUnavailable('the connection to the database ended while the migrations ran'));
        opened = true;
        return Promise.resolve(new Database(connection, extensions.filter(extension => !available.has(extension))));
      },
    },
    clean: connection.clean, cancel: () => connection.cancel(), close: () => connection.close(),
  };
}
