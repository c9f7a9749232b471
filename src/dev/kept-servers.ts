/** Embedded servers that are used again: emptying one costs a few milliseconds, starting one half a second of processor. */
import { openEmbedded, type Embedded } from '../live/embedded.ts';
import type { Host, Server, ServerOptions } from '../live/host.ts';
import { failed, LiveSession } from '../live/session.ts';
import { extensionsOf } from '../live/stubs.ts';
import type { History } from '../model.ts';

/** Statements that bring a server back to what a new database holds: no schema but public, no role but the superuser. */
export const emptying: readonly string[] = [
  'ROLLBACK', 'DISCARD ALL',
  `DO $$ DECLARE it text; BEGIN
    FOR it IN SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' LOOP EXECUTE format('DROP EXTENSION %I CASCADE', it); END LOOP;
    FOR it IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP EXECUTE format('DROP SCHEMA %I CASCADE', it); END LOOP;
    CREATE SCHEMA public AUTHORIZATION pg_database_owner;
    GRANT USAGE ON SCHEMA public TO PUBLIC;
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO PUBLIC', current_database());
    FOR it IN SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres' LOOP EXECUTE format('DROP OWNED BY %I', it); EXECUTE format('DROP ROLE %I', it); END LOOP;
  END $$`,
];

const counted = [
  'class', 'proc', 'type', 'authid', 'auth_members', 'cast', 'collation', 'conversion', 'database', 'db_role_setting', 'default_acl', 'event_trigger', 'extension', 'foreign_data_wrapper',
  'foreign_server', 'language', 'largeobject_metadata', 'opclass', 'operator', 'parameter_acl', 'prepared_statements', 'publication', 'rewrite', 'shdescription', 'statistic_ext', 'subscription',
  'tablespace', 'trigger', 'ts_config', 'user_mapping',
];
const granted = [['class', 'relname', 'relacl'], ['proc', 'proname', 'proacl'], ['type', 'typname', 'typacl'], ['namespace', 'nspname', 'nspacl'], ['database', 'datname', "coalesce(datacl, acldefault('d', datdba))"], ['language', 'lanname', 'lanacl']] as const;

/** What is left over changes one of these: how many objects of each kind there are, what is granted on which, and who the session is. */
const state = `SELECT ${[
  ...counted.map(name => `(SELECT count(*) FROM pg_${name})`),
  // The schemas of temporary tables stay once they were needed.
  ...granted.map(([name, column, acl]) => `(SELECT md5(string_agg(${column} || ' ' || coalesce(${acl}::text, ''), ' ' ORDER BY ${column}, oid)) FROM pg_${name} WHERE ${column} !~ '^pg_(toast_)?temp_')`),
  'current_user', 'session_user', `(SELECT string_agg(name || setting, ' ' ORDER BY name) FROM pg_settings WHERE source NOT IN ('default', 'override', 'client'))`,
].join(` || ' ' || `)} AS state`;

/** Where throwaway servers come from: each is emptied when it is closed and given out again, unless something is left over. */
export class KeptServers implements Host {
  readonly major = 18;
  readonly name = 'PostgreSQL 18';
  readonly sharesRoles = false;
  private readonly idle = new Map<string, Embedded[]>();
  private clean: string | undefined;

  async open(options: ServerOptions): Promise<Server> {
    if (options.from) return openEmbedded(options);
    const wanted = [...options.extensions ?? []].sort().join();
    const kept = this.idle.get(wanted) ?? [];
    this.idle.set(wanted, kept);
    const server = kept.pop() ?? await openEmbedded({ extensions: options.extensions ?? [] });
    this.clean ??= await stateOf(server);
    let closed = false;
    return {
      missing: server.missing,
      get alive() {
        return !closed && server.alive;
      },
      run: async (sql, sending = {}) => (closed ? { sqlstate: '57P01', message: 'the server was given back' }
        : server.run(sql, { ...(options.statementTimeout === undefined ? {} : { limit: options.statementTimeout }), ...sending })),
      dump: async () => (closed ? undefined : server.dump()),
      close: async () => {
        if (closed) return;
        closed = true;
        for (const sql of emptying) await server.run(sql);
        if (await stateOf(server) === this.clean) kept.push(server);
        else await server.close();
      },
    };
  }

  /** A session for a history, on a server with the extensions that it creates; its end gives the server back. */
  session(history: History): Promise<LiveSession> {
    return LiveSession.open({ extensions: extensionsOf(history) }, this);
  }

  async close(): Promise<void> {
    const all = [...this.idle.values()].flat();
    this.idle.clear();
    await Promise.all(all.map(server => server.close()));
  }
}

async function stateOf(server: Embedded): Promise<string | undefined> {
  const answer = await server.run(state);
  if (!failed(answer)) return String(answer.rows[0]?.['state']);
  if (server.alive) throw new Error(`${answer.message}\n${state}`);
  return undefined;
}
