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
