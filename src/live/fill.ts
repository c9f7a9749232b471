import type { Name, Rows, SqlFailure } from '../model.ts';
import { quoteIdent, quoteLiteral } from '../sql/print.ts';
import { searched, type Condition } from './fill-search.ts';
import { hintsOf, valueOf, type FillColumn, type Hints } from './fill-values.ts';

type Run = (sql: string) => Promise<Rows | SqlFailure>;
type Row = Readonly<Record<string, unknown>>;

const rowsOf = async (run: Run, sql: string): Promise<readonly Row[]> => {
  const answer = await run(sql);
  return 'sqlstate' in answer ? [] : answer.rows;
};
const list = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

interface ForeignKey { readonly columns: readonly string[]; readonly parent: number; readonly parentColumns: readonly string[] }
interface FillTable {
  readonly oid: number;
  /** Schema-qualified, quoted. */
  readonly name: string;
  readonly columns: readonly FillColumn[];
  /** Column names of each unique index over plain columns. */
  readonly keys: readonly (readonly string[])[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly hints: Hints;
  readonly conditions: readonly Condition[];
  /** Columns that say which partition a row goes to. */
  readonly partitionedBy: readonly string[];
}

/** Everything beneath a relation: rewrite rules of views lead to what they read (pg_depend through pg_rewrite). */
const beneath = (root: string): string => `WITH RECURSIVE beneath(oid, depth) AS (
    SELECT ${root}::oid, 0
    UNION
    SELECT d.refobjid, b.depth + 1 FROM beneath b JOIN pg_rewrite r ON r.ev_class = b.oid
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> b.oid
    WHERE b.depth < 50),
  -- Reading a table reads the tables that inherit from it; partitions get their rows through their parent.
  reached(oid, depth) AS (
    SELECT oid, depth FROM beneath
    UNION SELECT i.inhrelid, b.depth FROM beneath b JOIN pg_inherits i ON i.inhparent = b.oid JOIN pg_class p ON p.oid = b.oid WHERE p.relkind = 'r')
  SELECT c.oid::int AS oid, c.relkind::text AS kind, c.relispopulated AS populated, max(b.depth)::int AS depth,
    format('%I.%I', n.nspname, c.relname) AS name, CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS definition
  FROM reached b JOIN pg_class c ON c.oid = b.oid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') GROUP BY c.oid, n.nspname ORDER BY max(b.depth) DESC, c.oid`;

async function readTable(run: Run, oid: number, name: string, definitions: readonly string[]): Promise<FillTable> {
  const columns = await rowsOf(run, `WITH RECURSIVE base(attnum, oid, typmod) AS (
      SELECT a.attnum, a.atttypid, a.atttypmod FROM pg_attribute a WHERE a.attrelid = ${oid} AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL SELECT b.attnum, t.typbasetype, t.typtypmod FROM base b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype = 'd')
    SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, format_type(t.oid, NULL) AS base, t.typtype::text AS typtype, b.typmod::int AS typmod,
      a.attnotnull AS not_null, a.attidentity::text AS identity, a.attgenerated::text AS generated, a.atthasdef AS has_default,
      pg_get_expr(d.adbin, d.adrelid) AS default_text, CASE WHEN t.typcategory = 'A' THEN format_type(t.typelem, NULL) END AS element,
      (SELECT c.relnatts::int FROM pg_class c WHERE c.oid = t.typrelid AND t.typtype = 'c') AS attributes,
      ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid IN (t.oid, t.typelem) ORDER BY e.enumsortorder) AS labels
    FROM pg_attribute a JOIN base b ON b.attnum = a.attnum JOIN pg_type t ON t.oid = b.oid AND t.typtype <> 'd'
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = ${oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`);
  // Of an index over expressions the columns in them count, as its dependencies tell.
  const keys = await rowsOf(run, `SELECT CASE WHEN 0 = ANY (i.indkey::int2[])
      THEN ARRAY(SELECT DISTINCT a.attname::text FROM pg_depend d JOIN pg_attribute a ON a.attrelid = ${oid} AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = ${oid} AND d.refobjsubid > 0)
      ELSE ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(num, at) JOIN pg_attribute a ON a.attrelid = ${oid} AND a.attnum = k.num
        WHERE k.at <= i.indnkeyatts ORDER BY k.at) END AS columns
    FROM pg_index i WHERE i.indrelid = ${oid} AND i.indisunique`);
  const foreign = await rowsOf(run, `SELECT confrelid::int AS parent,
      ARRAY(SELECT a.attname::text FROM unnest(conkey) WITH ORDINALITY k(num, at) JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.num ORDER BY k.at) AS columns,
      ARRAY(SELECT a.attname::text FROM unnest(confkey) WITH ORDINALITY k(num, at) JOIN pg_attribute a ON a.attrelid = confrelid AND a.attnum = k.num ORDER BY k.at) AS parent_columns
    FROM pg_constraint WHERE conrelid = ${oid} AND contype = 'f' ORDER BY oid`);
  const checks = await rowsOf(run, `SELECT pg_get_expr(conbin, conrelid) AS text, false AS of_domain,
      ARRAY(SELECT a.attname::text FROM unnest(conkey) k(num) JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.num) AS columns
    FROM pg_constraint WHERE contype = 'c' AND conrelid = ${oid}
    UNION ALL SELECT pg_get_constraintdef(c.oid), true, ARRAY[a.attname::text] FROM pg_attribute a
      JOIN LATERAL (WITH RECURSIVE domains(oid) AS (SELECT a.atttypid UNION SELECT t.typbasetype FROM domains d JOIN pg_type t ON t.oid = d.oid WHERE t.typtype = 'd')
        SELECT oid FROM domains) d ON true JOIN pg_constraint c ON c.contypid = d.oid AND c.contype = 'c'
    WHERE a.attrelid = ${oid} AND a.attnum > 0 AND NOT a.attisdropped`);
  // The lower bound of every partition is a value that has a place to go to.
  const bounds = await rowsOf(run, `SELECT a.attname AS column, pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_partitioned_table p
    JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] JOIN pg_inherits i ON i.inhparent = p.partrelid JOIN pg_class c ON c.oid = i.inhrelid
    WHERE p.partrelid = ${oid}`);
  const hints = new Map(hintsOf([...checks.map(row => String(row['text'])), ...definitions]));
  for (const { column, bound } of bounds) {
    const values = [...String(bound).replace(/\bTO\b.*/s, '').matchAll(/'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)/g)].map(match => match[1]?.replaceAll("''", "'") ?? match[2] ?? '');
    if (!/^FOR VALUES WITH/.test(String(bound))) hints.set(String(column), [...(hints.get(`partition ${String(column)}`) ?? []), ...values]);
    hints.set(`partition ${String(column)}`, hints.get(String(column)) ?? []);
  }
  return {
    oid, name, hints, partitionedBy: [...new Set(bounds.map(({ column }) => String(column)))],
    conditions: checks.map(row => ({ text: String(row['text']), columns: list(row['columns']), ofDomain: row['of_domain'] === true })),
    columns: columns.filter(row => row['identity'] === '' && row['generated'] === '' && !/^nextval\(/.test(String(row['default_text'] ?? ''))).map((row, at) => ({
      name: String(row['name']), at, type: String(row['type']), base: String(row['base']), category: row['typtype'] === 'e' ? 'E' : '', typmod: Number(row['typmod']),
      notNull: row['not_null'] === true, labels: list(row['labels']), attributes: Number(row['attributes'] ?? 0), ...(typeof row['element'] === 'string' ? { element: row['element'] } : {}),
    })),
    keys: keys.map(row => list(row['columns'])),
    foreignKeys: foreign.map(row => ({ columns: list(row['columns']), parent: Number(row['parent']), parentColumns: list(row['parent_columns']) })),
  };
}

/** Which column of each unique key carries the row number: one that is no foreign key and has enough values; keys made of foreign keys alone use the parents' rows. */
function keyColumns(table: FillTable): ReadonlySet<string> {
  const foreign = new Set(table.foreignKeys.flatMap(key => key.columns));
  const chosen = new Set<string>();
  for (const key of table.keys) {
    const free = key.filter(name => !foreign.has(name)).map(name => table.columns.find(column => column.name === name)).filter(column => column !== undefined);
    const roomy = free.filter(column => column.category !== 'E' && column.base !== 'boolean');
    const wide = roomy.filter(column => column.base !== 'date');
    const best = wide.find(column => !table.partitionedBy.includes(column.name)) ?? wide[0] ?? roomy[0] ?? free[0];
    if (best) chosen.add(best.name);
  }
  return chosen;
}

/** Rows that are made for each that is wanted, where the table's checks throw some away. */
const oversampling = 40;

/**
 * INSERT … SELECT of `rows` rows (one by one: of row `row_number`). `only`: columns take nothing but the values that conditions mention. `found`: expressions
 * that were looked for. What a check refuses is thrown away before.
 */
function insertion(
  table: FillTable, parents: ReadonlyMap<number, string>, rows: number | 'row_number', only: boolean, found: ReadonlyMap<string, string> = new Map(),
): string {
  const keys = keyColumns(table);
  const inKey = new Set(table.keys.flat());
  const expressions = new Map<string, string>();
  const joins: string[] = [];
  const itself = new Map<string, string>();
  table.foreignKeys.forEach((key, at) => {
    const parent = parents.get(key.parent);
    if (key.parent === table.oid) {
      const own = key.columns.every(name => table.columns.find(column => column.name === name)?.notNull !== true);
      if (own && found.size === 0) for (const name of key.columns) expressions.set(name, 'NULL');
      // A row may be its own parent.
      else key.columns.forEach((name, k) => itself.set(name, key.parentColumns[k] ?? name));
      return;
    }
    if (parent === undefined || key.columns.some(name => expressions.has(name))) return;
    const source = `(SELECT row_number() OVER () AS n, count(*) OVER () AS total, ${key.parentColumns.map((name, k) => `${quoteIdent(name)} AS k${k}`).join(', ')} FROM ${parent})`;
    // Outside of keys a few parents get many rows each, as in life; in a key every row has a parent of its own.
    const modulus = key.columns.some(name => inKey.has(name)) ? `p${at}.total` : `least(p${at}.total, 10)`;
    joins.push(`LEFT JOIN ${source} p${at} ON p${at}.n = (i - 1) % ${modulus} + 1`);
    key.columns.forEach((name, k) => expressions.set(name, `p${at}.k${k}`));
  });
  const columns: string[] = [];
  const values: string[] = [];
  const valueFor = (name: string): string | undefined => {
    const column = table.columns.find(each => each.name === name);
    return column && (expressions.get(name) ?? found.get(name) ?? valueOf(column, keys.has(name) ? 'key' : 'few', table.hints, only));
  };
  for (const column of table.columns) {
    const value = valueFor(itself.get(column.name) ?? column.name);
    if (value === undefined) continue;
    columns.push(quoteIdent(column.name));
    values.push(value);
  }
  const checks = table.conditions
    .filter(({ ofDomain, columns: names }) => !ofDomain && names.every(name => columns.includes(quoteIdent(name))))
    .map(({ text }) => `(${text}) IS NOT FALSE`);
  const series = (count: number): string => (rows === 'row_number' ? 'row_number, row_number' : `1::bigint, ${rows * count}`);
  if (columns.length === 0) return `INSERT INTO ${table.name} SELECT FROM generate_series(${series(1)})`;
  const made = `FROM generate_series(${series(checks.length > 0 ? oversampling : 1)}) AS i ${joins.join(' ')}`;
  const into = `INSERT INTO ${table.name} (${columns.join(', ')})`;
  if (checks.length === 0) return `${into} SELECT ${values.join(', ')} ${made} ON CONFLICT DO NOTHING`;
  const named = values.map((value, at) => `${value} AS ${columns[at] ?? ''}`).join(', ');
  return `${into} SELECT * FROM (SELECT ${named} ${made}) AS t WHERE ${checks.join(' AND ')}${rows === 'row_number' ? '' : ` LIMIT ${rows}`} ON CONFLICT DO NOTHING`;
}

/** Row by row, each on its own: what a constraint or trigger refuses is left out. */
const oneByOne = (statement: string, rows: number): string =>
  `DO ${quoteLiteral(`DECLARE row_number bigint; BEGIN FOR row_number IN 1..${rows} LOOP BEGIN ${statement}; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END`)}`;

const isEmpty = async (run: Run, name: string): Promise<boolean> => (await rowsOf(run, `SELECT 1 FROM ${name} LIMIT 1`)).length === 0;
const count = async (run: Run, name: string): Promise<number> => Number((await rowsOf(run, `SELECT count(*) AS n FROM ${name}`))[0]?.['n'] ?? 0);

async function fillTable(run: Run, table: FillTable, parents: ReadonlyMap<number, string>, rows: number): Promise<number> {
  await run(insertion(table, parents, rows, false));
  if (!await isEmpty(run, table.name)) return count(run, table.name);
  const keys = keyColumns(table);
  const found = new Map<string, string>();
  for (const column of table.columns) {
    const expression = await searched(run, column, keys.has(column.name) ? 'key' : 'few', table.hints, table.conditions);
    if (expression !== undefined) found.set(column.name, expression);
  }
  const few = Math.min(rows, 500);
  const attempts = [
    (): string => insertion(table, parents, rows, false, found), (): string => insertion(table, parents, rows, true),
    (): string => oneByOne(insertion(table, parents, 'row_number', false, found), few), (): string => oneByOne(insertion(table, parents, 'row_number', true), few),
  ];
  for (const attempt of attempts) {
    await run(attempt());
    if (!await isEmpty(run, table.name)) break;
  }
  return count(run, table.name);
}

/** Parents before children; a cycle is cut where it is met. */
async function withParents(run: Run, tables: readonly { oid: number; name: string }[], definitions: readonly string[]): Promise<readonly FillTable[]> {
  const ordered: FillTable[] = [];
  const seen = new Set<number>();
  const visit = async (oid: number, name: string): Promise<void> => {
    if (seen.has(oid)) return;
    seen.add(oid);
    const table = await readTable(run, oid, name, definitions);
    for (const { parent } of table.foreignKeys) {
      const found = (await rowsOf(run, `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ${parent}`))[0];
      if (found) await visit(parent, String(found['name']));
    }
    ordered.push(table);
  };
  for (const { oid, name } of tables) await visit(oid, name);
  return ordered;
}

/**
 * Fills the empty base tables beneath a relation (tables that inherit from them, and parents of their foreign keys, too) with `rows` rows each, then refreshes the populated materialized
 * views strictly beneath it. Answers the number of rows that each of these tables holds afterwards, by qualified name: 0 where checks or triggers
 * refused everything mvlint tried. Tables that have rows are left alone. Left out: foreign tables; types without a known value take their default or NULL.
 */
export async function fillBeneath(run: Run, relation: Name, rows: number): Promise<Readonly<Record<string, number>>> {
  const role = String((await rowsOf(run, "SELECT current_setting('role') AS role"))[0]?.['role'] ?? 'none');
  if (role !== 'none') await run('RESET ROLE');
  const root = quoteLiteral(`${quoteIdent(relation.schema)}.${quoteIdent(relation.name)}`);
  const found = await rowsOf(run, beneath(`${root}::regclass`));
  const bases = found.filter(row => row['kind'] === 'r' || row['kind'] === 'p').map(row => ({ oid: Number(row['oid']), name: String(row['name']) }));
  const definitions = found.map(row => row['definition']).filter(text => typeof text === 'string');
  const tables = await withParents(run, bases, definitions);
  const filled: Record<string, number> = {};
  const parents = new Map<number, string>();
  for (const table of tables) {
    filled[table.name] = await isEmpty(run, table.name) ? await fillTable(run, table, parents, rows) : await count(run, table.name);
    parents.set(table.oid, table.name);
  }
  for (const row of found) if (row['kind'] === 'm' && row['populated'] === true && Number(row['depth']) > 0) await run(`REFRESH MATERIALIZED VIEW ${String(row['name'])}`);
  if (role !== 'none') await run(`SET ROLE ${quoteIdent(role)}`);
  return filled;
}
