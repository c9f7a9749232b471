/**
 * Stand-ins for pg_trickle and TimescaleDB, which no embedded server has: what the history makes with them is there for the statements that
 * follow, as ordinary tables and views. They maintain nothing and refuse nothing, so that no verdict may rest on them.
 */
import { engineFunctions } from '../catalog/incremental/functions.ts';
import { quoteLiteral } from '../sql/print.ts';
import { tokenize } from '../sql/tokens.ts';

const bodies: Readonly<Record<string, string>> = {
  create_stream_table: `EXECUTE format('CREATE TABLE %s AS %s', name, rtrim(query, '; '));`,
  create_stream_table_if_not_exists: `EXECUTE format('CREATE TABLE IF NOT EXISTS %s AS %s', name, rtrim(query, '; '));`,
  create_or_replace_stream_table: `EXECUTE format('DROP TABLE IF EXISTS %s CASCADE', name); EXECUTE format('CREATE TABLE %s AS %s', name, rtrim(query, '; '));`,
  alter_stream_table: `IF query IS NOT NULL THEN EXECUTE format('DROP TABLE IF EXISTS %s CASCADE', name); EXECUTE format('CREATE TABLE %s AS %s', name, rtrim(query, '; ')); END IF;`,
  drop_stream_table: `EXECUTE format('DROP TABLE %s %s', name, CASE WHEN cascade THEN 'CASCADE' ELSE 'RESTRICT' END);`,
  reinitialize_stream_table: `RETURN 'a stand-in';`, repair_stream_table: `RETURN 'a stand-in';`,
};

/** The functions of pg_trickle, by the signatures that the replay knows. */
function trickle(): readonly string[] {
  return [
    'CREATE SCHEMA pgtrickle',
    ...engineFunctions('pg_trickle').map(({ name, parameters, returns }) => {
      const list = parameters.map(each => `"${each.name}" ${each.type}${each.default === undefined ? '' : ` DEFAULT ${each.default}`}`);
      return `CREATE FUNCTION pgtrickle.${name}(${list.join(', ')}) RETURNS ${returns} LANGUAGE plpgsql AS $stub$
        #variable_conflict use_variable
        BEGIN ${bodies[name] ?? ''} ${returns === 'text' || bodies[name] !== undefined ? '' : 'RETURN;'} END $stub$`;
    }),
    `CREATE TABLE pgtrickle.pgt_stream_tables (pgt_id bigint, pgt_name text, status text, last_refresh_at timestamptz)`,
    `CREATE TABLE pgtrickle.pgt_refresh_history (pgt_id bigint, rows_inserted bigint, rows_updated bigint, rows_deleted bigint)`,
  ];
}

/** Of TimescaleDB what stands in migrations: making hypertables, and the bucket. */
function timescale(): readonly string[] {
  const bucket = (type: string, origin: string): string =>
    `CREATE FUNCTION public.time_bucket(bucket_width interval, ts ${type}) RETURNS ${type} LANGUAGE sql IMMUTABLE AS $stub$ SELECT date_bin($1, $2, '2000-01-03${origin}') $stub$`;
  return [
    `CREATE FUNCTION public.create_hypertable(relation regclass, time_column_name text, chunk_time_interval interval DEFAULT NULL, if_not_exists boolean DEFAULT false,
      migrate_data boolean DEFAULT false, create_default_indexes boolean DEFAULT true) RETURNS void LANGUAGE sql AS $stub$ SELECT $stub$`,
    'CREATE FUNCTION public.by_range(column_name name, partition_interval interval DEFAULT NULL) RETURNS text LANGUAGE sql AS $stub$ SELECT column_name::text $stub$',
    bucket('timestamp', ''), bucket('timestamptz', '+00'),
    `CREATE FUNCTION public.time_bucket(bucket_width interval, ts date) RETURNS date LANGUAGE sql IMMUTABLE AS $stub$ SELECT date_bin($1, $2::timestamp, '2000-01-03')::date $stub$`,
    `CREATE FUNCTION public.time_bucket(bucket_width bigint, ts bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $stub$ SELECT ts - ts % bucket_width $stub$`,
  ];
}

const makers: Readonly<Record<string, () => readonly string[]>> = { pg_trickle: trickle, timescaledb: timescale };

/** Whether there is a stand-in for an extension. */
export const hasStub = (extension: string): boolean => Object.hasOwn(makers, extension);

/**
 * The statements that stand in for CREATE EXTENSION: one DO block, so that they are one statement in its transaction. Everything in it
 * belongs to
 * an extension of that name, as if it had been created: catalogs that are compared see the extension and not its parts.
 */
export function stubSql(extension: string): string | undefined {
  const made = Object.hasOwn(makers, extension) ? makers[extension]?.() : undefined;
  if (made === undefined) return undefined;
  const name = quoteLiteral(extension);
  const own = extension === 'pg_trickle' ? `nspname = 'pgtrickle'` : 'false';
  const functions = extension === 'pg_trickle' ? `pronamespace = 'pgtrickle'::regnamespace`
    : `pronamespace = 'public'::regnamespace AND proname IN ('create_hypertable', 'by_range', 'time_bucket')`;
  const link = (catalog: string, where: string): string => `INSERT INTO pg_depend SELECT '${catalog}'::regclass, oid, 0, 'pg_extension'::regclass, extension, 0, 'e' FROM ${catalog} WHERE ${where};`;
  return `DO $mvlint$
    DECLARE extension oid;
    BEGIN
      IF EXISTS (SELECT FROM pg_extension WHERE extname = ${name}) THEN RETURN; END IF;
      ${made.map(sql => `EXECUTE ${quoteLiteral(sql)};`).join('\n      ')}
      extension := (SELECT max(oid)::bigint + 1 FROM (SELECT oid FROM pg_proc UNION ALL SELECT oid FROM pg_class UNION ALL SELECT oid FROM pg_extension) AS x);
      INSERT INTO pg_extension VALUES (extension, ${name}, (SELECT oid FROM pg_roles WHERE rolname = current_user),
        'public'::regnamespace, false, 'stand-in', NULL, NULL);
      ${link('pg_namespace', own)}
      ${link('pg_proc', functions)}
      ${extension === 'pg_trickle' ? link('pg_class', `relkind = 'r' AND relnamespace = 'pgtrickle'::regnamespace`) : ''}
    END $mvlint$`;
}

/**
 * A statement without the options of TimescaleDB: a continuous aggregate becomes a materialized view and a hypertable a table. Every other
 * statement stays as it is.
 */
export function withoutTimescale(sql: string): string {
  if (!/\btimescaledb\s*\./i.test(sql)) return sql;
  const tokens = tokenize(sql).filter(token => token.kind !== 'lineComment' && token.kind !== 'blockComment');
  const text = (at: number): string => sql.slice(tokens[at]?.start ?? sql.length, tokens[at]?.end ?? sql.length).toLowerCase();
  for (let at = 0; at < tokens.length; at += 1) {
    if (text(at) !== 'with' || text(at + 1) !== '(' || text(at + 2) !== 'timescaledb' || text(at + 3) !== '.') continue;
    let depth = 0;
    for (let end = at + 1; end < tokens.length; end += 1) {
      depth += text(end) === '(' ? 1 : text(end) === ')' ? -1 : 0;
      if (depth === 0) return `${sql.slice(0, tokens[at]!.start)}${sql.slice(tokens[end]!.end)}`;
    }
  }
  return sql;
}
