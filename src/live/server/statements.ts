import { queries } from '../introspect-sql.ts';

/** A statement that mvlint may send to somebody's database, and why. */
export interface ListedStatement {
  readonly sql: string;
  readonly why: string;
}

/**
 * Every statement that mvlint can send to somebody's database. There is no other door: `Asker` takes names of this list, and the page that
 * documents it is generated from it. What differs from run to run travels as a parameter, except in `explain`, whose text is the view's own query.
 */
export const statements = {
  begin: { sql: 'BEGIN READ ONLY', why: 'One transaction a view, so that a pooler may hand out another connection for the next one.' },
  bounds: {
    sql: `SELECT pg_catalog.set_config('search_path', '', true), pg_catalog.set_config('statement_timeout', $1, true), pg_catalog.set_config('lock_timeout', $2, true),
      pg_catalog.set_config('idle_in_transaction_session_timeout', $3, true), pg_catalog.set_config('default_transaction_read_only', 'on', true), pg_catalog.set_config('jit', 'off', true)`,
    why: 'For this transaction alone (SET LOCAL): names mean pg_catalog, and nothing runs or waits for long.',
  },
  commit: { sql: 'COMMIT', why: 'The end of a transaction.' },
  rollback: { sql: 'ROLLBACK', why: 'The end of a transaction in which a statement was refused.' },
  server: {
    sql: `SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version, pg_catalog.version() AS product, pg_catalog.pg_is_in_recovery() AS standby,
      session_user::pg_catalog.text AS role, pg_catalog.current_database()::pg_catalog.text AS database,
      (SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'search_path') AS search_path`,
    why: 'Whom mvlint talks to: the version, a standby or not, the role and its search path.',
  },
  defaultPrivileges: {
    sql: `SELECT pg_get_userbyid(d.defaclrole)::text AS role, n.nspname::text AS schema, d.defaclobjtype::text AS objects,
      coalesce(g.rolname, 'public')::text AS grantee, to_jsonb(array_agg(x.privilege_type ORDER BY x.privilege_type)) AS privileges
    FROM pg_default_acl d CROSS JOIN aclexplode(d.defaclacl) x LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace LEFT JOIN pg_roles g ON g.oid = x.grantee
    WHERE x.grantee <> d.defaclrole GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
    why: 'What ALTER DEFAULT PRIVILEGES gives to objects made later.',
  },
  engines: {
    sql: "SELECT extname::text AS name, extversion AS version FROM pg_extension WHERE extname IN ('pg_ivm', 'pg_trickle', 'timescaledb', 'pg_cron') ORDER BY 1",
    why: 'Engines of incremental maintenance and the scheduler, with their versions.',
  },
  mayReadJobs: {
    sql: `SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS may
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'cron' AND c.relname = 'job'`,
    why: "Whether pg_cron's jobs can be read.",
  },
  jobs: {
    sql: 'SELECT jobid::text AS id, command::text AS command FROM cron.job WHERE active AND database = current_database() ORDER BY jobid',
    why: "Jobs of pg_cron in this database: they refresh views. Only where the role may read them, and only the role's own (pg_cron's row security).",
  },
} as const satisfies Readonly<Record<string, ListedStatement>>;

export type StatementName = keyof typeof statements;

/** What the catalog is read with, by `introspect`. */
const catalogWords: Readonly<Record<keyof typeof queries, string>> = {
  session: 'The role and its search path.', roles: 'Roles, without their passwords.', extensions: 'Extensions.', schemas: 'Schemas and their grants.',
  relations: 'Tables, views, materialized views and sequences, with the queries of views.', columns: 'Their columns.', constraints: 'Their constraints.', indexes: 'Their indexes.',
  sequenceOwners: 'The columns that own sequences.', types: 'Types.', routines: 'Functions and procedures, with their bodies.', triggers: 'Triggers.', policies: 'Row security policies.',
  reads: 'What views read.',
};

/** The statements of `introspect`, by their text. */
export const catalogStatements: ReadonlyMap<string, ListedStatement> = new Map(
  Object.entries(queries).map(([name, sql]) => [sql, { sql, why: catalogWords[name as keyof typeof queries] }]),
);

/** The whole list, for the page and for the test that holds a server's log against it. */
export function allStatements(): readonly ListedStatement[] {
  return [...Object.values(statements), ...catalogStatements.values()];
}
