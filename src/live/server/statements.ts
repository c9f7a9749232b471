import { queries } from '../introspect-sql.ts';

/** A statement that mvlint may send to somebody's database, and why. */
export interface ListedStatement {
  readonly sql: string;
  readonly why: string;
}

/** The rule of a view, with the rules of the plain views beneath it: `$1` is its oid. */
const beneath = `beneath(oid) AS (
      SELECT $1::oid UNION SELECT d.refobjid FROM beneath b JOIN pg_class v ON v.oid = b.oid AND (v.relkind = 'v' OR v.oid = $1::oid)
        JOIN pg_rewrite r ON r.ev_class = v.oid
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid)`;

/** What one materialized view is asked; `$1` is its oid unless it says otherwise. */
const ofViews = {
  matviews: {
    sql: `SELECT n.nspname::text AS schema, c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'm' AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2`,
    why: 'The materialized views of the database.',
  },
  replicas: { sql: 'SELECT count(*)::float8 AS replicas FROM pg_stat_replication', why: 'How many standbys stream from it.' },
  view: {
    sql: `SELECT c.oid::text AS oid, pg_get_userbyid(c.relowner)::text AS owner, c.relispopulated AS populated, c.reltuples::float8 AS rows,
      (s.seq_scan + coalesce(s.idx_scan, 0))::float8 AS scans, greatest(s.last_analyze, s.last_autoanalyze)::text AS analyzed,
      has_schema_privilege(n.oid, 'USAGE') AS usage, has_table_privilege(c.oid, 'SELECT') AS readable,
      has_database_privilege(c.relowner, (SELECT oid FROM pg_database WHERE datname = current_database()), 'TEMP') AS temporary
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
    WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'm'`,
    why: 'One view, by schema and name: owner, populated, rows, scans, last analyze, and what the role may do with it.',
  },
  viewSize: { sql: 'SELECT pg_total_relation_size($1::oid)::float8 AS bytes', why: 'Its size with indexes; waits for a lock on the view, for lock_timeout at most.' },
  viewIndexes: {
    sql: `SELECT c.relname::text AS name, i.indisunique AS unique, i.indisvalid AS valid, s.idx_scan::float8 AS scans,
      i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AS usable,
      (SELECT jsonb_agg(a.attname ORDER BY x.at) FROM unnest(i.indkey::int2[]) WITH ORDINALITY x(num, at)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = x.num WHERE x.at <= i.indnkeyatts) AS columns
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_stat_all_indexes s ON s.indexrelid = i.indexrelid WHERE i.indrelid = $1::oid ORDER BY 1`,
    why: 'Its indexes: unique, valid, usable for a concurrent refresh, how often used.',
  },
  viewNulls: {
    sql: 'SELECT attname::text AS column, null_frac::float8 AS fraction FROM pg_stats WHERE schemaname = $1 AND tablename = $2 ORDER BY 1',
    why: 'The share of NULLs in its columns, by schema and name; shows only what the role may read.',
  },
  viewDependants: {
    sql: `SELECT DISTINCT n.nspname::text AS schema, c.relname::text AS name FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
      JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::oid AND r.ev_class <> $1::oid ORDER BY 1, 2`,
    why: 'The views that read it.',
  },
  viewGrants: {
    sql: `SELECT coalesce(g.rolname, 'public')::text AS grantee, to_jsonb(array_agg(x.privilege_type ORDER BY x.privilege_type)) AS privileges
    FROM pg_class c CROSS JOIN aclexplode(c.relacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee WHERE c.oid = $1::oid AND x.grantee <> c.relowner GROUP BY 1 ORDER BY 1`,
    why: 'Who may do what with it.',
  },
  viewSources: {
    sql: `SELECT DISTINCT n.nspname::text AS schema, c.relname::text AS name
    FROM pg_class v JOIN pg_rewrite r ON r.ev_class = v.oid
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid
      JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE v.oid = $1::oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT has_table_privilege(v.relowner, c.oid, 'SELECT') AND NOT has_any_column_privilege(v.relowner, c.oid, 'SELECT') ORDER BY 1, 2`,
    why: 'What it reads and its owner may not: every refresh fails there.',
  },
  viewRoutines: {
    sql: `WITH RECURSIVE ${beneath}, called(oid) AS (
      SELECT DISTINCT (regexp_matches(r.ev_action::text, ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\\d+)', 'g'))[1]::oid
        FROM beneath b JOIN pg_class v ON v.oid = b.oid AND (v.relkind = 'v' OR v.oid = $1::oid) JOIN pg_rewrite r ON r.ev_class = v.oid)
    SELECT n.nspname::text AS schema, p.proname::text AS name, p.provolatile::text AS volatility, bool_and(p.oid < 16384) AS builtin
    FROM called JOIN pg_proc p ON p.oid = called.oid JOIN pg_namespace n ON n.oid = p.pronamespace GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
    why: 'Every function in its stored rule tree and those of the plain views beneath, with its volatility; oids below 16384 are built in.',
  },
  viewReaders: {
    sql: `SELECT count(DISTINCT pid) FILTER (WHERE granted AND mode = 'AccessShareLock')::float8 AS readers, count(DISTINCT pid) FILTER (WHERE NOT granted)::float8 AS waiting,
      coalesce(bool_or(granted AND mode IN ('ExclusiveLock', 'AccessExclusiveLock')), false) AS locked
    FROM pg_locks WHERE locktype = 'relation' AND relation = $1::oid AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    why: 'Sessions that read it now, that wait for it, or that hold a lock as a refresh does.',
  },
  viewCost: {
    sql: `WITH RECURSIVE ${beneath}, parts(oid) AS (SELECT oid FROM beneath UNION SELECT i.inhrelid FROM parts p JOIN pg_inherits i ON i.inhparent = p.oid)
    SELECT count(*)::float8 AS tables, coalesce(sum(c.relpages), 0)::float8 * current_setting('block_size')::float8 AS bytes,
      coalesce(sum(greatest(c.reltuples, 0)), 0)::float8 AS rows, coalesce(bool_and(c.reltuples >= 0), true) AS analyzed, coalesce(bool_or(c.relrowsecurity), false) AS secured
    FROM parts JOIN pg_class c ON c.oid = parts.oid WHERE c.oid <> $1::oid AND c.relkind IN ('r', 'm', 'f')`,
    why: 'What one refresh reads: the tables beneath, with partitions and children, by the estimates of pg_class.',
  },
  viewDefinition: { sql: 'SELECT pg_get_viewdef($1::oid) AS definition', why: 'Its query; only for pg_trickle and for --live-explain.' },
  mayValidate: {
    sql: `SELECT has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE') AS may
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'pgtrickle'
      JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pg_trickle'
    WHERE p.proname = 'validate_query' AND p.pronargs = 1`,
    why: "Whether pg_trickle's own check can be asked: only where the extension owns it.",
  },
  validate: { sql: 'SELECT check_name, result, severity FROM pgtrickle.validate_query($1)', why: 'What pg_trickle says of a query; `$1` is the query.' },
} as const satisfies Readonly<Record<string, ListedStatement>>;

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
  ...ofViews,
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

/** EXPLAIN takes no parameter for what it explains: the view's own query, as Postgres prints it, follows these words. */
export const explainPrefix = 'EXPLAIN (FORMAT JSON) ';

/** The whole list, for the page and for the test that holds a server's log against it. */
export function allStatements(): readonly ListedStatement[] {
  return [
    ...Object.values(statements),
    {
      sql: `${explainPrefix}…`,
      why: "The plan of a view's query; planning runs STABLE functions, so only with --live-explain, only if every routine in the rule tree is built in, and only over tables without row security.",
    },
    ...catalogStatements.values(),
  ];
}
