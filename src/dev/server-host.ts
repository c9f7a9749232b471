/** A real server as the place where experiments run: every state is a database, every copy a database made from a template. */
import type { Client } from 'pg';
import type { Rows, SqlFailure } from '../model.ts';
import { reasonNotToSend, refusedUnsent } from '../live/boundary.ts';
import type { Host, Server, ServerOptions, Snapshot } from '../live/host.ts';
import type { ScratchServer } from './server.ts';

const usualLimit = 10_000;
/** CREATE DATABASE … TEMPLATE copies no grants on the database. */
const sameGrants = (from: string, to: string): string => `UPDATE pg_database AS d SET datacl = t.datacl FROM pg_database AS t WHERE t.datname = '${from}' AND d.datname = '${to}'`;
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** One session in a database of its own. `ask` runs as the superuser in another database, for what a session cannot do to itself. */
class Database implements Server {
  readonly missing: readonly string[];
  private readonly client: Client;
  private readonly name: string;
  private readonly ask: (sql: string) => Promise<unknown>;
  private readonly limit: number;
  private readonly pid: number;
  private snapshots = 0;
  alive = true;

  constructor(client: Client, name: string, pid: number, ask: (sql: string) => Promise<unknown>, missing: readonly string[], limit: number) {
    this.client = client;
    this.name = name;
    this.pid = pid;
    this.ask = ask;
    this.missing = missing;
    this.limit = limit;
  }

  async run(sql: string, { limit = this.limit }: { readonly limit?: number } = {}): Promise<Rows | SqlFailure> {
    // `pg` does not speak COPY, so the rows of a COPY are left out here.
    const reason = reasonNotToSend(sql);
    if (reason !== undefined) return refusedUnsent(reason);
    if (!this.alive) return { sqlstate: '57P01', message: 'the session has ended' };
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      void this.ask(`SELECT pg_terminate_backend(${this.pid})`);
    }, limit);
    try {
      const answer = await this.client.query<Record<string, unknown>>(this.here(sql)) as { rows: Rows['rows'] } | { rows: Rows['rows'] }[];
      return { rows: (Array.isArray(answer) ? answer.at(-1)?.rows : answer.rows) ?? [] };
    } catch (error) {
      const code = error instanceof Error && 'code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
      if (late || code === undefined || code === '57P01') this.alive = false;
      return late ? { sqlstate: '57014', message: `mvlint ended the statement after ${limit / 1000} s` } : { sqlstate: code ?? '57P01', message: textOf(error) };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Histories call the database postgres, as the embedded server does. */
  private here(sql: string): string {
    return sql.replaceAll(/\bdatabase\s+postgres\b/gi, `DATABASE ${this.name}`);
  }

  /** From this very session: no other may be connected to a template (55006). Undefined inside a transaction, and as a role that may not. */
  async dump(): Promise<Snapshot | undefined> {
    const template = `${this.name}_at_${++this.snapshots}`;
    const answer = await this.run(`CREATE DATABASE ${template} TEMPLATE ${this.name}`);
    if ('sqlstate' in answer) return undefined;
    await this.ask(sameGrants(this.name, template));
    return { template };
  }

  async close(): Promise<void> {
    this.alive = false;
    await this.client.end().catch(() => undefined);
    await this.ask(`DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`);
  }
}

/** Databases and roles that a history or an experiment leaves behind: what is named so belongs to the tests. */
const leftOvers = `SELECT format('DROP DATABASE %I WITH (FORCE)', datname) AS sql FROM pg_database WHERE datname LIKE 'mvlint\\_%' OR (datname NOT IN ('postgres', 'template0', 'template1'))
  UNION ALL SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'`;

/** A host over a scratch cluster. */
export interface ServerHost extends Host {
  /** The extensions whose files the server has. */
  readonly available: ReadonlySet<string>;
  /** Brings the cluster back to what it was, between two histories. */
  tidy(): Promise<void>;
}

export async function serverHost(server: ScratchServer): Promise<ServerHost> {
  const admin = await server.connect();
  const ask = async (sql: string): Promise<readonly Record<string, unknown>[]> => {
    const { rows } = await admin.query<Record<string, unknown>>(sql);
    return rows;
  };
  const available = new Set((await ask('SELECT name::text FROM pg_available_extensions')).map(row => String(row['name'])));
  let made = 0;
  return {
    major: server.major, name: `PostgreSQL ${server.major}`, sharesRoles: true, available,
    async open({ from, statementTimeout = usualLimit, extensions = [] }: ServerOptions) {
      const name = `mvlint_${++made}`;
      const template = from && 'template' in from ? from.template : 'template1';
      await ask(`CREATE DATABASE ${name} TEMPLATE ${template}`);
      if (template !== 'template1') await ask(sameGrants(template, name));
      // Roles of an earlier experiment would be in the way of the same one on another copy.
      for (const { rolname } of await ask("SELECT rolname FROM pg_roles WHERE rolname LIKE 'mvlint\\_%'")) await ask(`DROP ROLE IF EXISTS ${String(rolname)}`).catch(() => undefined);
      const client = await server.connect(name);
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      return new Database(client, name, rows[0]?.pid ?? 0, ask, extensions.filter(extension => !available.has(extension)), statementTimeout);
    },
    async tidy() {
      await ask('DROP OWNED BY CURRENT_USER').catch(() => undefined);
      for (const { sql } of await ask(leftOvers)) await ask(String(sql)).catch(() => undefined);
    },
  };
}
