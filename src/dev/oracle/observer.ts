/**
 * What Postgres itself says while a history runs: an event trigger writes down every DDL command, those inside DO blocks and functions too, with
 * the text of its statement and the state of the catalog after it. Nothing here knows the replay, nor the model of the rules.
 */

/** A table, view, materialized view or partitioned table in `pg_class`. */
export interface Rel {
  readonly oid: number;
  readonly kind: 'r' | 'p' | 'v' | 'm' | 'f';
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly super: boolean;
  readonly populated: boolean;
  readonly file: number;
  readonly options: readonly string[];
  /** Of the list itself, without the owner's own. */
  readonly grants: readonly (readonly [grantee: string, privilege: string])[];
  readonly comment: string | null;
  readonly rowSecurity: boolean;
  readonly tablespace: number;
  readonly columns: readonly Col[];
  /** pg_get_viewdef of views and materialized views. */
  readonly query: string | null;
}
export interface Col {
  readonly name: string;
  readonly type: string;
  readonly comment: string | null;
  readonly statistics: number | null;
  readonly grants: readonly (readonly [grantee: string, privilege: string])[];
}
export interface Idx {
  readonly oid: number;
  readonly on: number;
  readonly schema: string;
  readonly name: string;
  /** What REFRESH … CONCURRENTLY takes: unique, valid, immediate, no predicate, plain columns (matview.c, is_usable_unique_index). */
  readonly usable: boolean;
  readonly unique: boolean;
  readonly valid: boolean;
  readonly clustered: boolean;
  readonly columns: readonly string[];
  /** pg_get_indexdef without the names of the index and of its relation. */
  readonly shape: string;
}
export interface State {
  readonly rels: readonly Rel[];
  readonly indexes: readonly Idx[];
  /** Who depends on which relation (pg_depend, deptype n): views and materialized views through their rules. */
  readonly links: readonly { readonly kind: 'relation' | 'routine' | 'policy'; readonly by: number; readonly on: number }[];
  readonly routines: readonly { readonly oid: number; readonly name: string; readonly source: string }[];
  readonly triggers: readonly { readonly oid: number; readonly name: string; readonly on: number; readonly routine: number }[];
  /** Relations on which this session holds ACCESS EXCLUSIVE. */
  readonly exclusive: readonly number[];
  readonly lockTimeout: string;
}
export interface Dropped {
  readonly oid: number;
  readonly type: string;
  readonly identity: string;
  readonly part: number;
  /** The statement named it. */
  readonly original: boolean;
  /** It went because it depends (deptype n) on something that went. */
  readonly normal: boolean;
}
export interface LogRow {
  readonly id: number;
  readonly tag: string;
  readonly context: string;
  readonly state: State;
  readonly objects: readonly number[];
  readonly dropped: readonly Dropped[];
  /** For a CREATE MATERIALIZED VIEW IF NOT EXISTS that did nothing: what its own query would print as. */
  readonly ignored: string | null;
}

const user = (oid: string): string => `${oid} NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema', 'pg_toast', 'mvlint_oracle')
  OR nspname LIKE 'pg\\_temp%' OR nspname LIKE 'pg\\_toast%')`;
const grants = (acl: string, owner: string): string => `coalesce((SELECT jsonb_agg(jsonb_build_array(coalesce(g.rolname, 'public'), x.privilege_type))
  FROM aclexplode(${acl}) x LEFT JOIN pg_roles g ON g.oid = x.grantee WHERE x.grantee <> ${owner}), '[]')`;

const state = `SELECT jsonb_build_object(
  'rels', coalesce((SELECT jsonb_agg(jsonb_build_object('oid', c.oid::int, 'kind', c.relkind, 'schema', n.nspname, 'name', c.relname, 'owner', o.rolname, 'super', o.rolsuper,
      'populated', c.relispopulated, 'file', c.relfilenode::int, 'options', coalesce(to_jsonb(c.reloptions), '[]'), 'grants', ${grants('c.relacl', 'c.relowner')},
      'comment', obj_description(c.oid, 'pg_class'), 'rowSecurity', c.relrowsecurity, 'tablespace', c.reltablespace::int,
      'query', CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
      'columns', coalesce((SELECT jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'comment', col_description(c.oid, a.attnum),
          'statistics', nullif(a.attstattarget, -1), 'grants', ${grants('a.attacl', 'c.relowner')}) ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]')) ORDER BY c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = c.relowner
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ${user('c.relnamespace')}), '[]'),
  'indexes', coalesce((SELECT jsonb_agg(jsonb_build_object('oid', i.indexrelid::int, 'on', i.indrelid::int, 'schema', n.nspname, 'name', c.relname,
      'usable', i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL,
      'unique', i.indisunique, 'valid', i.indisvalid, 'clustered', i.indisclustered,
      'columns', (SELECT coalesce(jsonb_agg(a.attname), '[]') FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[]) AND a.attnum > 0),
      'shape', regexp_replace(pg_get_indexdef(i.indexrelid), 'INDEX \\S+ ON (ONLY )?\\S+ ', 'INDEX ON ')) ORDER BY i.indexrelid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${user('c.relnamespace')}), '[]'),
  'links', coalesce((SELECT jsonb_agg(DISTINCT jsonb_build_object('kind', CASE WHEN r.oid IS NOT NULL THEN 'relation' WHEN d.classid = 'pg_proc'::regclass THEN 'routine' ELSE 'policy' END,
      'by', coalesce(r.ev_class, d.objid)::int, 'on', d.refobjid::int))
    FROM pg_depend d LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    WHERE d.refclassid = 'pg_class'::regclass AND d.deptype = 'n' AND d.refobjid >= 16384 AND d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_policy'::regclass)
      AND r.ev_class IS DISTINCT FROM d.refobjid), '[]'),
  'routines', coalesce((SELECT jsonb_agg(jsonb_build_object('oid', p.oid::int, 'name', p.proname, 'source', p.prosrc)) FROM pg_proc p WHERE ${user('p.pronamespace')}), '[]'),
  'triggers', coalesce((SELECT jsonb_agg(jsonb_build_object('oid', t.oid::int, 'name', t.tgname, 'on', t.tgrelid::int, 'routine', t.tgfoid::int)) FROM pg_trigger t WHERE NOT t.tgisinternal), '[]'),
  'exclusive', coalesce((SELECT jsonb_agg(DISTINCT l.relation::int) FROM pg_locks l WHERE l.relation >= 16384 AND l.mode = 'AccessExclusiveLock' AND l.granted AND l.pid = pg_backend_pid()), '[]'),
  'lockTimeout', current_setting('lock_timeout'))`;

/** Statements that begin the observation; they need a superuser. */
export const observe: readonly string[] = [
  'CREATE SCHEMA mvlint_oracle',
  `CREATE TABLE mvlint_oracle.log (id serial, tag text, context text, state jsonb, objects jsonb NOT NULL DEFAULT '[]', dropped jsonb NOT NULL DEFAULT '[]', ignored text)`,
  `CREATE FUNCTION mvlint_oracle.state() RETURNS jsonb LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$ ${state} $$`,
  `CREATE FUNCTION mvlint_oracle.definition() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT pg_get_viewdef(to_regclass('mvlint_oracle.probe')) $$`,
  `CREATE FUNCTION mvlint_oracle.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $fn$
    DECLARE stack text; made jsonb; probe text;
    BEGIN
      IF current_setting('mvlint_oracle.off', true) = 'on' THEN RETURN; END IF;
      GET DIAGNOSTICS stack = PG_CONTEXT;
      SELECT coalesce(jsonb_agg(c.objid::int), '[]') INTO made FROM pg_event_trigger_ddl_commands() c WHERE c.objid IS NOT NULL AND c.objid <> 0;
      IF tg_tag = 'CREATE MATERIALIZED VIEW' AND made = '[]' THEN
        BEGIN
          PERFORM set_config('mvlint_oracle.off', 'on', true);
          EXECUTE regexp_replace(regexp_replace(coalesce(substring(stack FROM 'SQL statement "(.*?)"\n'), current_query()), '\\s+with\\s+no\\s+data\\s*;?\\s*$', '', 'i'),
            '^\\s*create\\s+materialized\\s+view\\s+if\\s+not\\s+exists\\s+[^\\s(]+', 'CREATE MATERIALIZED VIEW mvlint_oracle.probe', 'i') || ' WITH NO DATA';
          probe := mvlint_oracle.definition();
          DROP MATERIALIZED VIEW mvlint_oracle.probe;
        EXCEPTION WHEN OTHERS THEN probe := sqlerrm;
        END;
        PERFORM set_config('mvlint_oracle.off', '', true);
      END IF;
      INSERT INTO mvlint_oracle.log (tag, context, state, objects, ignored) VALUES (tg_tag, stack, mvlint_oracle.state(), made, probe);
    END $fn$`,
  `CREATE FUNCTION mvlint_oracle.note_drop() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $fn$
    DECLARE stack text;
    BEGIN
      IF current_setting('mvlint_oracle.off', true) = 'on' THEN RETURN; END IF;
      GET DIAGNOSTICS stack = PG_CONTEXT;
      INSERT INTO mvlint_oracle.log (tag, context, state, dropped) SELECT tg_tag, stack, mvlint_oracle.state(), coalesce(jsonb_agg(jsonb_build_object('oid', d.objid::int, 'type', d.object_type,
        'identity', d.object_identity, 'part', d.objsubid, 'original', d.original, 'normal', d.normal)), '[]') FROM pg_event_trigger_dropped_objects() d;
    END $fn$`,
  'GRANT USAGE ON SCHEMA mvlint_oracle TO PUBLIC',
  'GRANT SELECT ON mvlint_oracle.log TO PUBLIC',
  'CREATE EVENT TRIGGER mvlint_oracle_end ON ddl_command_end EXECUTE FUNCTION mvlint_oracle.note()',
  'CREATE EVENT TRIGGER mvlint_oracle_drop ON sql_drop EXECUTE FUNCTION mvlint_oracle.note_drop()',
];

/** Statements that end it and leave nothing. */
export const forget: readonly string[] = [
  'DROP EVENT TRIGGER IF EXISTS mvlint_oracle_end', 'DROP EVENT TRIGGER IF EXISTS mvlint_oracle_drop', 'DROP SCHEMA IF EXISTS mvlint_oracle CASCADE',
];

/** The statement that a piece of code was running when an event trigger fired, from PG_CONTEXT; undefined where the client sent it. */
export function innerStatement(context: string): string | undefined {
  return /SQL statement "([^]*?)"\n(?:PL\/pgSQL|SQL) function/.exec(context)?.[1];
}

/** Whether code ran it. */
export const inCode = (context: string): boolean => context.split('\n').length > 1;

/** A name as people write it: the schema only when it is not public. */
export const label = ({ schema, name }: { readonly schema: string; readonly name: string }): string => (schema === 'public' ? name : `${schema}.${name}`);
