/**
 * The queries of `introspect`, for PostgreSQL 14 to 18: columns that came later are read through to_jsonb, so that one text serves all.
 * User objects only: not those of pg_catalog, information_schema, temporary schemas of others, or extensions (pg_depend deptype e).
 */
const userSchema = (namespace: string): string =>
  `${namespace} NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema', 'pg_toast') OR nspname LIKE 'pg\\_toast\\_temp\\_%')`;
const notOfExtension = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = '${catalog}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;
/** `acl` → rows of grantee, privilege, grantable, the owner's own rights and the built-in defaults left out (those of PUBLIC on routines and types too). */
const grants = (acl: string, owner: string): string => `(SELECT jsonb_agg(jsonb_build_array(coalesce(g.rolname, 'public'), x.privilege_type))
  FROM aclexplode(${acl}) x LEFT JOIN pg_roles g ON g.oid = x.grantee WHERE x.grantee <> ${owner})`;
const role = (oid: string): string => `pg_get_userbyid(${oid})`;

export const queries = {
  session: `SELECT current_user::text AS role, current_setting('search_path') AS search_path`,

  roles: `SELECT oid::text AS oid, rolname AS name, rolsuper AS superuser FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%' ORDER BY rolname`,

  extensions: `SELECT oid::text AS oid, extname AS name, ${role('extowner')} AS owner FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY extname`,

  schemas: `SELECT oid::text AS oid, nspname AS name, ${role('nspowner')} AS owner, ${grants('nspacl', 'nspowner')} AS grants
    FROM pg_namespace n WHERE ${userSchema('oid')} AND nspname NOT LIKE 'pg\\_temp%' AND ${notOfExtension('pg_namespace', 'n.oid')} ORDER BY nspname`,

  relations: `SELECT c.oid::text AS oid, c.relkind::text AS kind, n.nspname AS schema, c.relname AS name, ${role('c.relowner')} AS owner, c.relpersistence::text AS persistence,
      c.relispopulated AS populated, c.relrowsecurity AS row_security, to_jsonb(c.reloptions) AS options, t.spcname AS tablespace, obj_description(c.oid, 'pg_class') AS comment,
      ${grants('c.relacl', 'c.relowner')} AS grants, CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS definition,
      (SELECT jsonb_agg(i.inhparent::text ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid) AS parents
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND ${userSchema('c.relnamespace')} AND ${notOfExtension('pg_class', 'c.oid')} ORDER BY c.oid`,

  columns: `SELECT a.attrelid::text AS relation, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
      col_description(a.attrelid, a.attnum) AS comment, ${grants('a.attacl', 'c.relowner')} AS grants, to_jsonb(a)->>'attstattarget' AS statistics,
      a.attgenerated::text AS generated, CASE WHEN a.attcollation <> y.typcollation THEN l.collname END AS collation
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ${userSchema('c.relnamespace')} ORDER BY a.attrelid, a.attnum`,

  constraints: `SELECT k.conrelid::text AS relation, k.conname AS name, k.contype::text AS kind, k.conindid::text AS index, k.confrelid::text AS parent, k.condeferrable AS deferrable,
      (SELECT jsonb_agg(a.attname ORDER BY x.at) FROM unnest(k.conkey) WITH ORDINALITY x(num, at) JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.num) AS columns
    FROM pg_constraint k WHERE k.conrelid <> 0 AND k.contype IN ('p', 'u', 'f', 'c', 'x') AND ${userSchema('k.connamespace')} ORDER BY k.oid`,

  indexes: `SELECT i.indexrelid::text AS oid, i.indrelid::text AS relation, n.nspname AS schema, c.relname AS name, ${role('c.relowner')} AS owner, m.amname AS method,
      i.indisunique AS unique, i.indisvalid AS valid, i.indisclustered AS clustered, coalesce((to_jsonb(i)->>'indnullsnotdistinct')::boolean, false) AS nulls_not_distinct,
      pg_get_expr(i.indpred, i.indrelid) AS predicate, to_jsonb(c.reloptions) AS options, t.spcname AS tablespace, obj_description(c.oid, 'pg_class') AS comment,
      (SELECT k.conname FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x') LIMIT 1) AS constraint, i.indnkeyatts::int AS keys,
      (SELECT jsonb_agg(jsonb_build_object('column', a.attname, 'expression', CASE WHEN a.attname IS NULL THEN pg_get_indexdef(i.indexrelid, x.at::int, false) END,
          'option', i.indoption[x.at - 1], 'opclass', CASE WHEN NOT o.opcdefault THEN o.opcname END,
          'collation', CASE WHEN l.oid <> coalesce(y.typcollation, 0) AND a.attname IS NOT NULL AND l.oid <> a.attcollation THEN l.collname END) ORDER BY x.at)
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY x(num, at) LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = x.num AND x.num <> 0
          LEFT JOIN pg_opclass o ON o.oid = i.indclass[x.at - 1] LEFT JOIN pg_collation l ON l.oid = i.indcollation[x.at - 1]
          LEFT JOIN pg_type y ON y.oid = a.atttypid) AS columns
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am m ON m.oid = c.relam
      LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
    WHERE ${userSchema('c.relnamespace')} AND ${notOfExtension('pg_class', 'c.oid')} AND ${notOfExtension('pg_class', 'i.indrelid')} ORDER BY i.indexrelid`,

  sequenceOwners: `SELECT d.objid::text AS sequence, d.refobjid::text AS relation, a.attname AS column FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
      JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')`,

  types: `SELECT t.oid::text AS oid, n.nspname AS schema, t.typname AS name, ${role('t.typowner')} AS owner, t.typtype::text AS kind, t.typisdefined AS defined,
      (SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels,
      CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END AS base,
      (SELECT jsonb_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS fields
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c') OR NOT t.typisdefined) AND ${userSchema('t.typnamespace')} AND ${notOfExtension('pg_type', 't.oid')} ORDER BY t.oid`,

  routines: `SELECT p.oid::text AS oid, n.nspname AS schema, p.proname AS name, ${role('p.proowner')} AS owner, p.prokind::text AS kind, l.lanname AS language, p.provolatile::text AS volatility,
      to_jsonb(ARRAY(SELECT format_type(x.type, NULL) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY x(type, at) ORDER BY x.at)) AS arguments,
      CASE WHEN p.prokind <> 'p' THEN pg_get_function_result(p.oid) END AS returns, to_jsonb(p.proconfig) AS settings,
      CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END AS definition
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE ${userSchema('p.pronamespace')} AND ${notOfExtension('pg_proc', 'p.oid')}
      -- The constructors of a range type are made with it and belong to it.
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i') ORDER BY p.oid`,

  triggers: `SELECT t.oid::text AS oid, t.tgname AS name, t.tgrelid::text AS relation, t.tgfoid::text AS routine, ${role('c.relowner')} AS owner
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND ${userSchema('c.relnamespace')} ORDER BY t.oid`,

  policies: `SELECT p.oid::text AS oid, p.polname AS name, p.polrelid::text AS relation, ${role('c.relowner')} AS owner
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid ORDER BY p.oid`,

  /** What views read, by column (refobjsubid; 0 is the whole relation), through their rewrite rules; keys that a GROUP BY relies on by their index. */
  reads: `SELECT DISTINCT r.ev_class::text AS dependent, d.refclassid::regclass::text AS catalog, coalesce(k.conindid, d.refobjid)::text AS on, d.refobjsubid::int AS number, a.attname AS column
    FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.deptype = 'n'
      JOIN pg_class c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm')
      LEFT JOIN pg_attribute a ON d.refclassid = 'pg_class'::regclass AND a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND d.refobjsubid <> 0
      LEFT JOIN pg_constraint k ON d.refclassid = 'pg_constraint'::regclass AND k.oid = d.refobjid
    WHERE NOT (d.refclassid = 'pg_class'::regclass AND d.refobjid = r.ev_class) AND ${userSchema('c.relnamespace')}
    ORDER BY 1, 2, 3, 4`,
} as const;

export type QueryName = keyof typeof queries;
