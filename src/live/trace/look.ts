import { lockModes, strongest } from '../../catalog/locks.ts';
import type { LockMode, Rows, SqlFailure, TracedKind } from '../../model.ts';

/** One object of the catalog as a look finds it: `properties` are compared one by one, as text. */
export interface SeenObject {
  readonly kind: string;
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** Rows that this session wrote, since its counters were last handed to the server's statistics. */
export interface Written {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

export interface SeenRelation {
  readonly name: string;
  readonly kind: TracedKind;
  /** Of an index: the relation it stands on. */
  readonly on?: string;
  /** The number of its file; a new one means that all of it was written anew. */
  readonly file: string;
  readonly written: Written;
}

/** What one look at a throwaway server sees. Keys are oids, with the catalog's name before them. */
export interface Look {
  /** Bytes of write-ahead log since the server was made. */
  readonly wal: number;
  readonly objects: ReadonlyMap<string, SeenObject>;
  readonly relations: ReadonlyMap<string, SeenRelation>;
  /** The strongest mode that this session holds on each of them. */
  readonly locks: ReadonlyMap<string, LockMode>;
}

const user = (namespace: string): string => `${namespace} !~ '^pg_' AND ${namespace} <> 'information_schema'`;
const name = (schema: string, object: string): string => `pg_catalog.format('%I.%I', ${schema}, ${object})`;
/** Rights of others than the owner, `reader SELECT`. */
const grants = (acl: string, owner: string): string => `(SELECT pg_catalog.string_agg(pg_catalog.format('%s %s', coalesce(g.rolname, 'PUBLIC'), x.privilege_type), ', ' ORDER BY g.rolname, x.privilege_type)
  FROM pg_catalog.aclexplode(${acl}) x LEFT JOIN pg_catalog.pg_roles g ON g.oid = x.grantee WHERE x.grantee <> ${owner})`;
/** The objects of an extension come and go with it. */
const own = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.${catalog}'::pg_catalog.regclass AND e.objid = ${oid} AND e.deptype = 'e')`;

const kinds = `CASE c.relkind WHEN 'm' THEN 'materialized view' WHEN 'v' THEN 'view' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' WHEN 'S' THEN 'sequence'
  WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' ELSE 'table' END`;

/**
 * Everything in one query: a look between two statements is to cost little beside them. A rule's or a body's place in its table stands for its text: it moves
 * when the text changes. Names are qualified, for the session's search path is the migration's own.
 */
const query = `
WITH relation AS (
  SELECT c.*, n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE ${user('n.nspname')} AND c.relkind IN ('r', 'p', 'v', 'm', 'i', 'I', 'S', 'f', 'c') AND ${own('pg_class', 'c.oid')}
), object(key, kind, name, properties) AS (
  SELECT 'c' || c.oid, ${kinds}, ${name('c.nspname', 'c.relname')}, pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
      'owner', CASE WHEN c.relkind NOT IN ('i', 'I') THEN pg_catalog.pg_get_userbyid(c.relowner) END,
      'grants', ${grants('c.relacl', 'c.relowner')},
      'options', pg_catalog.array_to_string(c.reloptions, ', '),
      'populated', CASE WHEN c.relkind = 'm' THEN c.relispopulated END,
      'persistence', CASE c.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' ELSE 'permanent' END,
      'row security', CASE WHEN c.relkind IN ('r', 'p') THEN c.relrowsecurity END,
      'tablespace', nullif(c.reltablespace::text, '0'),
      'comment', d.description,
      'columns', (SELECT pg_catalog.string_agg(pg_catalog.format('%I %s%s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' not null' END), ', ' ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')),
      'query', (SELECT r.ctid::text FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename = '_RETURN'),
      'valid', i.indisvalid, 'clustered', i.indisclustered, 'on', CASE WHEN i.indexrelid IS NOT NULL THEN i.indrelid::pg_catalog.regclass::text END))
    FROM relation c LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
      LEFT JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid = 0
    WHERE c.relkind <> 'c' OR EXISTS (SELECT 1 FROM pg_catalog.pg_type t WHERE t.typrelid = c.oid AND t.typtype = 'c')
  UNION ALL SELECT 'n' || n.oid, 'schema', pg_catalog.quote_ident(n.nspname), pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('owner', pg_catalog.pg_get_userbyid(n.nspowner), 'grants', ${grants('n.nspacl', 'n.nspowner')}))
    FROM pg_catalog.pg_namespace n WHERE ${user('n.nspname')} AND ${own('pg_namespace', 'n.oid')}
  UNION ALL SELECT 'e' || e.oid, 'extension', pg_catalog.quote_ident(e.extname), pg_catalog.jsonb_build_object('version', e.extversion) FROM pg_catalog.pg_extension e
  UNION ALL SELECT 'p' || p.oid, CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
      pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.oidvectortypes(p.proargtypes)), pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
      'owner', pg_catalog.pg_get_userbyid(p.proowner), 'grants', ${grants('p.proacl', 'p.proowner')}, 'settings', pg_catalog.array_to_string(p.proconfig, ', '),
      'volatility', CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END, 'body', pg_catalog.md5(p.prosrc)))
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE ${user('n.nspname')} AND ${own('pg_proc', 'p.oid')}
  UNION ALL SELECT 't' || t.oid, CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, ${name('n.nspname', 't.typname')}, pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
      'owner', pg_catalog.pg_get_userbyid(t.typowner), 'labels', (SELECT pg_catalog.string_agg(l.enumlabel, ', ' ORDER BY l.enumsortorder) FROM pg_catalog.pg_enum l WHERE l.enumtypid = t.oid)))
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype IN ('d', 'e', 'r') AND ${user('n.nspname')} AND ${own('pg_type', 't.oid')}
  -- Keys are told as their indexes, NOT NULL with its column.
  UNION ALL SELECT 'k' || k.oid, CASE k.contype WHEN 'f' THEN 'foreign key' ELSE 'check' END, pg_catalog.format('%I on %s', k.conname, ${name('c.nspname', 'c.relname')}),
      pg_catalog.jsonb_build_object('validated', k.convalidated)
    FROM pg_catalog.pg_constraint k JOIN relation c ON c.oid = k.conrelid WHERE k.contype IN ('f', 'c')
  UNION ALL SELECT 'g' || g.oid, 'trigger', pg_catalog.format('%I on %s', g.tgname, ${name('c.nspname', 'c.relname')}), pg_catalog.jsonb_build_object('enabled', g.tgenabled)
    FROM pg_catalog.pg_trigger g JOIN relation c ON c.oid = g.tgrelid WHERE NOT g.tgisinternal
  UNION ALL SELECT 'o' || o.oid, 'policy', pg_catalog.format('%I on %s', o.polname, ${name('c.nspname', 'c.relname')}), pg_catalog.jsonb_build_object('place', o.ctid::text)
    FROM pg_catalog.pg_policy o JOIN relation c ON c.oid = o.polrelid
)
SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::text AS wal,
  (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(key, kind, name, properties)) FROM object) AS objects,
  (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array('c' || c.oid, c.relkind, ${name('c.nspname', 'c.relname')},
      CASE WHEN t.oid IS NOT NULL THEN ${name('t.nspname', 't.relname')} END, c.relfilenode::text,
      pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid), pg_catalog.pg_stat_get_xact_tuples_updated(c.oid), pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)))
    FROM relation c LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid LEFT JOIN relation t ON t.oid = i.indrelid WHERE c.relkind <> 'c') AS relations,
  (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array('c' || l.relation, l.mode)) FROM pg_catalog.pg_locks l
    WHERE l.locktype = 'relation' AND l.granted AND l.pid = pg_catalog.pg_backend_pid()) AS locks`;

const kindOf = (relkind: string): TracedKind => (relkind === 'm' ? 'matview' : relkind === 'v' ? 'view' : relkind === 'S' ? 'sequence' : /^i$/i.test(relkind) ? 'index' : 'table');

const listOf = (value: unknown): readonly (readonly unknown[])[] => (Array.isArray(value) ? value as readonly (readonly unknown[])[] : []);

const isMode = (mode: string): mode is LockMode => (lockModes as readonly string[]).includes(mode);

/** Everything is compared as text. */
function textual(properties: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(properties as Readonly<Record<string, unknown>>).map(([key, value]) => [key, String(value)]));
}

type Ask = (sql: string) => Promise<Rows | SqlFailure>;

/** Asks something of the session without harm to it. `inside`: a transaction is open, and goes on whatever becomes of the question. */
export async function aside(ask: Ask, sql: string, inside: boolean): Promise<Rows | SqlFailure> {
  if (!inside) return ask(sql);
  await ask('SAVEPOINT mvlint_look');
  const answer = await ask(sql);
  if ('sqlstate' in answer) await ask('ROLLBACK TO SAVEPOINT mvlint_look');
  await ask('RELEASE SAVEPOINT mvlint_look');
  return answer;
}

/** One look, from within the session that is looked at; undefined when the server refuses it (the migration's own statement_timeout). `inside` as above. */
export async function look(ask: Ask, inside: boolean): Promise<Look | undefined> {
  const answer = await aside(ask, query, inside);
  const row = 'sqlstate' in answer ? undefined : answer.rows[0];
  if (row === undefined) return undefined;
  const locks = new Map<string, LockMode>();
  for (const [key, mode] of listOf(row['locks'])) {
    const [at, taken] = [String(key), String(mode)];
    const held = locks.get(at);
    if (isMode(taken)) locks.set(at, strongest(held === undefined ? [taken] : [held, taken]) ?? taken);
  }
  return {
    wal: Number(row['wal']), locks,
    objects: new Map(listOf(row['objects']).map(([key, kind, called, properties]) => [String(key), { kind: String(kind), name: String(called), properties: textual(properties) }])),
    relations: new Map(listOf(row['relations']).map(([key, kind, called, on, file, inserted, updated, deleted]) => [String(key), {
      name: String(called), kind: kindOf(String(kind)), file: String(file), written: { inserted: Number(inserted), updated: Number(updated), deleted: Number(deleted) },
      ...(kindOf(String(kind)) === 'index' ? { on: String(on) } : {}),
    }])),
  };
}
