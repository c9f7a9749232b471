import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { emptyCatalog, type Store } from '../catalog/store.ts';
import type { Column, Constraint, Index, IndexColumn, Matview, ObjectId, Statement, Table, View } from '../model.ts';
import { parse } from '../sql/parse.ts';
import type { Node } from '../sql/tree.ts';
import { factsOf } from './facts.ts';
import { builtins, majors } from '../builtins/builtins.ts';
import { classified } from './change-classes.ts';
import { lowerQuery, queryRange, type Lowered } from './lower.ts';
import { queries, rows, schema, views } from './oracle-cases.ts';
import { isUnknown } from './scope.ts';

/** Every known claim about a query is compared with what Postgres says about the same query, over adversarial rows. */

let db: PGlite;
let catalog: Store;
const ids = new Map<string, ObjectId>();

function statementOf(sql: string): Statement {
  const span = { path: 'q.sql', start: 0, end: sql.length };
  return { sql, span, ignores: [] };
}
function queryOf(node: Node): { select: Node; names: string[] } {
  if ('ViewStmt' in node) return { select: node.ViewStmt.query!,
    names: (node.ViewStmt.aliases ?? []).map(item => ('String' in item ? item.String.sval ?? '' : '')) };
  if ('CreateTableAsStmt' in node) return { select: node.CreateTableAsStmt.query!,
    names: (node.CreateTableAsStmt.into?.colNames ?? []).map(item => ('String' in item ? item.String.sval ?? '' : '')) };
  throw new Error('not a view');
}
function lower(sql: string, inside: Store = catalog): Lowered {
  const parsed = parse(sql);
  if (!parsed.ok) throw new Error(`${parsed.message}: ${sql}`);
  const { select: node, names } = queryOf(parsed.node);
  return lowerQuery(statementOf(sql), node, inside, names);
}
function viewOf(sql: string, name: string, kind: 'view' | 'matview', inside: Store = catalog): View | Matview {
  const lowered = lower(sql, inside);
  const base = { id: inside.newId(), name: { schema: 'public', name }, owner: 'postgres', columns: lowered.columns, query: lowered.query,
    options: new Map<string, string>(), grants: new Map<string, Set<string>>() };
  return kind === 'view' ? { kind, ...base } : { kind, ...base, populated: true, everPopulated: true, statistics: new Map() };
}

beforeAll(async () => {
  db = await PGlite.create();
  await db.exec(schema);
  await db.exec(rows);
  catalog = emptyCatalog();
  catalog.complete = true;
  const tables = (await db.query<{ oid: number; name: string; kind: string; parents: string[] | null }>(`
    select c.oid::int as oid, relname as name, relkind as kind, (select array_agg(p.relname::text) from pg_inherits i join pg_class p on p.oid = i.inhparent where i.inhrelid = c.oid) as parents
    from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'S') order by c.oid`)).rows;
  for (const { name, kind } of tables) {
    const id = catalog.newId();
    ids.set(name, id);
    if (kind === 'S') catalog.put({ kind: 'sequence', id, name: { schema: 'public', name }, owner: 'postgres', options: new Map(),
      grants: new Map() });
  }
  for (const { oid, name, kind, parents } of tables.filter(table => table.kind !== 'S')) {
    const columns = (await db.query<{ name: string; type: string; notnull: boolean }>(`
      select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as notnull from pg_attribute where attrelid = ${oid} and attnum > 0 and not attisdropped order by attnum`)).rows
      .map((row): Column => ({ name: row.name, type: row.type, notNull: row.notnull }));
    const constraints = (await db.query<{ name: string; type: string; columns: string[]; target: string | null }>(`
      select conname as name, contype as type, confrelid::regclass::text as target,
        array(select attname::text from unnest(conkey) with ordinality k(n, o) join pg_attribute on attrelid = conrelid and attnum = k.n order by o) as columns
      from pg_constraint where conrelid = ${oid} and contype in ('p', 'u', 'f')`)).rows
      .map((row): Constraint => ({ name: row.name, columns: row.columns, kind: row.type === 'p' ? 'primary key' : row.type === 'u'
        ? 'unique' : 'foreign key',
        ...(row.type === 'f' ? { references: ids.get(row.target!)! } : {}) }));
    const table: Table = {
      kind: 'table', id: ids.get(name)!, name: { schema: 'public', name }, owner: 'postgres', columns, constraints, options: new Map(),
        grants: new Map(), persistence: 'permanent',
      inherits: (parents ?? []).map(parent => ids.get(parent)!), partitioned: kind === 'p', rowSecurity: false,
    };
    catalog.put(table);
    for (const on of table.inherits) catalog.depend({ dependent: table.id, on, strength: 'normal' });
    const indexes = (await db.query<{ name: string; unique: boolean; predicate: string | null; columns: string[]; own: string | null }>(`
      select c.relname as name, indisunique as unique, pg_get_expr(indpred, indrelid) as predicate,
        array(select a.attname::text from pg_attribute a where a.attrelid = indexrelid order by attnum) as columns, (select conname from pg_constraint where conindid = indexrelid and contype in ('p','u') limit 1) as own
      from pg_index join pg_class c on c.oid = indexrelid where indrelid = ${oid}`)).rows;
    for (const index of indexes) {
      const object: Index = {
        kind: 'index', id: catalog.newId(), name: { schema: 'public', name: index.name }, owner: 'postgres', options: new Map(),
          on: table.id, method: 'btree', include: [], unique: index.unique,
        nullsNotDistinct: false, valid: true, columns: index.columns.map((column): IndexColumn =>
          ({ column, descending: false, nullsFirst: false })),
        ...(index.predicate === null ? {} : { predicate: index.predicate }), ...(index.own === null ? {} : { constraint: index.own }),
      };
      catalog.put(object);
      catalog.depend({ dependent: object.id, on: table.id, strength: 'auto' });
    }
  }
  for (const sql of views) {
    await db.exec(sql);
    const [, kind, name] = /^create (materialized )?view (\w+)/.exec(sql)!;
    const view = viewOf(sql, name!, kind === undefined ? 'view' : 'matview');
    ids.set(name!, view.id);
    catalog.put(view);
  }
}, 120_000);
afterAll(() => db.close());

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

test('what is claimed of a query is what Postgres says of it', async () => {
  const wrong: string[] = [];
  const count = { columns: 0, types: 0, unknownTypes: 0, unknownColumns: 0, reads: 0, wholeReads: 0, notNull: 0, isNull: 0, unknownNull: 0,
    keys: 0, unknownKeys: 0, refused: 0 };
  for (const query of queries) {
    let sql = `create view q as ${query}`;
    let labels: readonly string[];
    try {
      labels = (await db.query(query)).fields.map(field => field.name);
      // A view refuses equal names, so it gets names of its own.
      if (new Set(labels).size < labels.length) sql = `create view q (${labels.map((_, at) => `c${at}`).join()}) as ${query}`;
      await db.exec(sql);
    } catch (error) {
      wrong.push(`Postgres refuses ${query}: ${String(error)}`);
      continue;
    }
    const lowered = lower(sql);
    const say = (text: string): number => wrong.push(`${query}\n    ${text}`);
    const columns = (await db.query<{ name: string; type: string }>(
      `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute where attrelid = 'q'::regclass and attnum > 0 order by attnum`)).rows;
    if (isUnknown(lowered.columns)) count.unknownColumns += 1;
    else {
      count.columns += columns.length;
      const plain = lower(`create view q as ${query}`).columns;
      if (!isUnknown(plain)
        && plain.map(column =>
        column.name).join() !== labels.join()) say(`labels ${plain.map(column => column.name).join()} are ${labels.join()}`);
      if (lowered.columns.map(column => column.name).join() !== columns.map(column =>
        column.name).join()) say(`names ${lowered.columns.map(column => column.name).join()} are ${columns.map(column => column.name).join()}`);
      lowered.columns.forEach((column, at) => {
        if (isUnknown(column.type)) {
          count.unknownTypes += 1;
          if (process.env['SHOW']) console.log(`unknown type ${columns[at]?.name}: ${columns[at]?.type} in ${query}`);
        } else {
          count.types += 1;
          if (column.type !== columns[at]?.type) say(`type of ${column.name}: ${column.type} is ${columns[at]?.type}`);
        }
      });
    }
    if (lowered.missing.length > 0) say(`missing ${JSON.stringify(lowered.missing)}`);
    if (lowered.missingColumns.length > 0) say(`missing columns ${JSON.stringify(lowered.missingColumns)}`);
    const depends = (await db.query<{ name: string; columns: string[] }>(`
      select c.relname as name, coalesce(array_agg(a.attname::text order by a.attname) filter (where a.attname is not null), '{}') as columns
      from pg_depend d join pg_rewrite w on w.oid = d.objid and d.classid = 'pg_rewrite'::regclass and w.ev_class = 'q'::regclass
      join pg_class c on c.oid = d.refobjid and d.refclassid = 'pg_class'::regclass and c.relname <> 'q' and c.relnamespace = 'public'::regnamespace
      left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid and d.refobjsubid > 0 group by 1 order by 1`)).rows;
    const mine = new Map<string, Set<string> | undefined>();
    for (const read of lowered.query.reads) {
      const [name] = [...ids].find(([, id]) => id === read.id)!;
      expect(sql.slice(read.span.start, read.span.end).replaceAll('"', '').replace('public.', '')).toBe(name);
      mine.set(name, read.columns === undefined || (mine.has(name) && mine.get(name) === undefined) ? undefined
        : new Set([...(mine.get(name) ?? []), ...read.columns]));
    }
    const names = [...mine.keys()].sort().join();
    if (names !== depends.map(row => row.name).sort().join()) say(`reads ${names} are ${depends.map(row => row.name).join()}`);
    for (const { name, columns: used } of depends) {
      const claimed = mine.get(name);
      if (claimed === undefined) count.wholeReads += 1;
      else {
        count.reads += 1;
        // Postgres drops the dependency on the columns of a sequence and on system columns.
        const own = [...claimed].filter(column => !['last_value', 'ctid', 'tableoid'].includes(column)).sort().join();
        if (own !== used.filter(column => column !== 'last_value').sort().join()) say(`columns of ${name}: ${own} are ${used.join()}`);
      }
    }
    const facts = factsOf(viewOf(sql, 'q', 'view'), catalog);
    if (!isUnknown(facts.columns)) {
      for (const column of facts.columns) {
        if (isUnknown(column.nullable)) count.unknownNull += 1;
        else {
          count[column.nullable ? 'isNull' : 'notNull'] += 1;
          if (!column.nullable) {
            const { n } = (await db.query<{ n: number }>(`select count(*)::int as n from q where not (${quote(column.name)} is distinct from null)`)).rows[0]!;
            if (n > 0) say(`${column.name} is NULL ${n} times`);
          }
        }
      }
    }
    if (isUnknown(facts.keys)) count.unknownKeys += 1;
    else {
      for (const key of facts.keys) {
        count.keys += 1;
        const group = key.length === 0 ? '()' : key.map(quote).join();
        const { n } = (await db.query<{ n: number }>(`select count(*)::int as n from (select 1 from q group by ${group} having count(*) > 1) d`)).rows[0]!;
        if (n > 0) say(`key (${key.join()}) repeats`);
      }
    }
    await db.exec('drop view q');
  }
  if (process.env['SHOW']) console.log(queries.length, count);
  expect(wrong).toEqual([]);
  expect(queries.length).toBeGreaterThanOrEqual(200);
  // The claims must not vanish: what is known today stays known.
  expect(count.types).toBeGreaterThan(300);
  expect(count.keys).toBeGreaterThan(50);
}, 300_000);

test('every classified function is a built-in one that is not immutable', () => {
  const wrong = classified.filter(entry => {
    const [name = '', args] = entry.replace(')', '').split('(');
    const overloads = majors.flatMap(major => builtins(major).functions(name)).filter(row => args === undefined || row.arguments.join() === args);
    return overloads.length === 0 || overloads.every(row => row.volatility === 'immutable');
  });
  expect(wrong).toEqual([]);
});

test('what is missing is said with its place, and only what is proved', () => {
  const missing = (query: string): string[] => {
    const sql = `create view q as ${query}`;
    const lowered = lower(sql);
    return [...lowered.missing.map(item => `${item.found} ${sql.slice(item.span.start, item.span.end)}`),
      ...lowered.missingColumns.map(item => `column ${sql.slice(item.span.start, item.span.end)}`)];
  };
  expect(missing(`select * from public.nowhere n join orders o on o.id = n.id`)).toEqual(['absent public.nowhere']);
  expect(missing(`select zzz from orders`)).toEqual(['column zzz']);
  expect(missing(`select o.zzz, id from orders o where o.yyy = 1`)).toEqual(['column o.zzz', 'column o.yyy']);
  expect(missing(`select id from orders order by zzz`)).toEqual(['column zzz']);
  expect(missing(`select id as zzz from orders group by zzz order by zzz`)).toEqual([]);
  expect(missing(`select (select zzz from line) from orders`)).toEqual(['column zzz']);
  expect(missing(`select zzz from orders, nowhere`)).toEqual(['absent nowhere']);
  expect(missing(`select o.count, o.row_to_json, o.text from orders o`)).toEqual([]);
  expect(missing(`select mvlint_hole_1, o.mvlint_hole_2 from orders o`)).toEqual([]);
  expect(missing(`select * from mvlint_hole_1`)).toEqual(['unknown mvlint_hole_1']);
  expect(missing(`with nowhere as (select 1 as id) select * from nowhere`)).toEqual([]);
  expect(missing(`select * from pg_catalog.pg_class, pg_stat_activity, information_schema.columns`)).toEqual([]);
});

test('columns that are missing are missing in Postgres', async () => {
  for (const query of [`select zzz from orders`, `select o.zzz from orders o`, `select id from orders order by zzz`,
    `select (select zzz from line) from orders`, `select id from orders where zzz = 1`]) {
    await expect(db.exec(`create view q as ${query}`), query).rejects.toMatchObject({ code: '42703' });
    expect(lower(`create view q as ${query}`).missingColumns, query).toHaveLength(1);
  }
});

test('the range of the query in its statement', () => {
  const range = (sql: string): string => {
    const { start, end } = queryRange(sql);
    return sql.slice(start, end);
  };
  expect(range(`create materialized view if not exists a.v (x, y) with (fillfactor = 70) as\n  select 1 as "as", 2 with no data`)).toBe('select 1 as "as", 2');
  expect(range(`create materialized view v as (with t as (select 1) select * from t) with data -- end`)).toBe('(with t as (select 1) select * from t)');
  expect(range(`create or replace view v with (security_barrier) as values (1) with cascaded check option`)).toBe('values (1)');
  expect(range(`create table t as table u with no data`)).toBe('table u');
  expect(range(`with x as (select 1) select * from x`)).toBe('with x as (select 1) select * from x');
});

test('deep nesting and odd input never throw', () => {
  const deep = (n: number): string => `create view q as select ${'('.repeat(n)}id${' + 1)'.repeat(n)} as x from orders`;
  expect(isUnknown(lower(deep(900)).columns)).toBe(false);
  expect(lower(`create view q as select * from unnest(array(select id from region)) u`).query.reads).toHaveLength(1);
  expect(lower(deep(900)).query.reads[0]?.columns).toBeUndefined();
  expect(lower(deep(50)).query.reads[0]?.columns).toEqual(['id']);
  const union = `create view q as ${Array.from({ length: 1500 }, () => 'select id from orders').join(' union all ')}`;
  expect(lower(union).query.reads).toHaveLength(1500);
  expect(lower(union).columns).toMatchObject([{ name: 'id', type: 'integer' }]);
  const nested = `create view q as ${'select * from ('.repeat(150)}select id from orders${') x'.repeat(150)}`;
  expect(isUnknown(lower(nested).columns)).toBe(true);
  const joins = `create view q as select count(*) from orders o0 ${Array.from({ length: 600 }, (_, i) => `join orders o${i + 1} on o${i + 1}.id = o${i}.id`).join(' ')}`;
  expect(lower(joins).columns).toMatchObject([{ name: 'count', type: 'bigint' }]);
});

test('the shapes of keys that are proved, and those that are not', () => {
  const keys = (query: string): string => {
    const found = factsOf(viewOf(`create view q as ${query}`, 'q', 'view'), catalog).keys;
    return isUnknown(found) ? 'unknown' : found.map(key => `(${key.join()})`).join(' ');
  };
  const shapes: readonly (readonly [string, string])[] = [
    [`select id, status from orders where status = 'new'`, '(id)'], [`select id, email from customer`, '(id) (email)'],
    [`select alias from product`, 'unknown'], [`select sku from line`, 'unknown'], [`select id from animal`, 'unknown'],
    [`select id from only animal`, '(id)'], [`select id, at from event`, '(id,at)'], [`select sku from product where edition = 1`, '(sku)'],
    [`select customer_id, status, count(*) from orders group by 1, 2`, '(customer_id,status)'],
    [`select status in ('a', 'b') as early, count(*) from orders group by status in ('a', 'b')`, '(early)'],
    [`select customer_id, count(*) from orders group by customer_id, status`, 'unknown'],
    [`select status, count(*) from orders group by rollup(status)`, '(status)'], [`select count(*) from orders`, '()'],
    [`select distinct status, qty from orders`, '(status,qty)'], [`select distinct on (status) status, id from orders`, '(status) (id)'],
    [`select o.id, c.id as cid from orders o join customer c on c.id = o.customer_id`, '(id)'],
    [`select o.id, c.id as cid from customer c left join orders o on o.customer_id = c.id`, '(id,cid)'],
    [`select c.id, r.code from customer c left join region r on r.id = c.region_id`, '(id)'],
    [`select l.order_id, l.n from orders o join line l on l.order_id = o.id`, '(order_id,n)'], [`select a.id from orders a, orders b`, 'unknown'],
    [`select o.id from orders o join customer c on c.id::text = o.note`, 'unknown'], [`select o.id from orders o join customer c on c.id > o.id`, 'unknown'],
    [`select o.id from orders o join customer c on c.id = o.customer_id or o.id = 1`, 'unknown'],
    [`select id from orders union all select id from orders`, 'unknown'], [`select id from orders union select id from line l(id)`, '(id)'],
    [`select * from totals`, '(customer_id)'], [`select id, unnest(tags) from customer`, 'unknown'], [`select id, my_set(id) from orders`, 'unknown'],
    [`select id from orders limit 1`, '()'], [`select id from orders order by status fetch first 1 row with ties`, '(id)'],
    [`select c.id, l.x from customer c left join lateral (select o.id as x from orders o where o.customer_id = c.id limit 1) l on true`, '(id)'],
    [`with t as (select id, status from orders) select status, id as k from t`, '(k)'],
  ];
  expect(shapes.map(([query]) => [query, keys(query)])).toEqual(shapes);
});

test('types and routines of the history are named by id, and overloads told apart as Postgres does', async () => {
  const store = catalog.fork();
  const type = store.newId();
  store.put({ kind: 'type', id: type, name: { schema: 'public', name: 'mood' }, owner: 'postgres', form: 'enum', detail: ['ok'] });
  const made: string[] = [];
  const routine = (name: string, args: readonly string[], returns: string): ObjectId => {
    const id = store.newId();
    const sql = `create function ${name}(${args.join()}) returns ${returns} language sql as 'select null::${returns}'`;
    made.push(sql);
    store.put({ kind: 'routine', id, name: { schema: 'public', name }, owner: 'postgres', form: 'function', arguments: args, returns,
      language: 'sql', volatility: 'volatile', settings: new Map(), statement: statementOf(sql) });
    return id;
  };
  const tax = routine('tax', ['numeric'], 'numeric');
  const over = routine('over', ['integer'], 'bigint');
  routine('over', ['text'], 'text');
  routine('lower', ['mood'], 'mood');
  const query = `select 'ok'::mood as m, tax(amount) as t, public.tax(1) as t2, over(id) as o, lower('x') as l, '{}'::mood[] as ms from orders`;
  const lowered = lower(`create view q as ${query}`, store);
  await db.exec(`create type mood as enum ('ok'); ${made.join(';')}; create view q as ${query}`);
  const { rows: wanted } = await db.query<{ type: string }>(`select format_type(atttypid, atttypmod) as type from pg_attribute
    where attrelid = 'q'::regclass and attnum > 0 order by attnum`);
  await db.exec('drop view q; drop type mood cascade; drop function tax, over(integer), over(text)');
  expect(lowered.held).toEqual([type]);
  expect(lowered.routines).toEqual([tax, over]);
  expect(isUnknown(lowered.columns) ? [] : lowered.columns.map(column => column.type)).toEqual(wanted.map(row => row.type));
  // What Postgres refuses means nothing.
  const refused = lower(`create view q as select tax(1, 2) as none from orders`, store).columns;
  expect(isUnknown(refused) ? [] : refused.map(column => isUnknown(column.type))).toEqual([true]);
});

test('facts follow the objects the query was bound to', () => {
  const store = catalog.fork();
  const view = viewOf(`create materialized view q as select o.id, o.status from orders o`, 'q', 'matview', store);
  const orders = store.get(ids.get('orders')!) as Table;
  const swapped = store.fork();
  swapped.put({ ...orders, name: { schema: 'public', name: 'orders_old' } });
  swapped.put({ ...orders, id: swapped.newId(), name: { schema: 'public', name: 'orders' }, constraints: [] });
  expect(factsOf(view, swapped).keys).toEqual([['id']]);
  const grown = store.fork();
  const star = viewOf(`create materialized view q as select * from region`, 'q', 'matview', store);
  const region = grown.get(ids.get('region')!) as Table;
  grown.put({ ...region, columns: [...(region.columns as Column[]), { name: 'extra', type: 'integer', notNull: false }] });
  const facts = factsOf(star, grown);
  expect(isUnknown(facts.columns) ? [] : facts.columns.map(column => column.name)).toEqual(['id', 'code', 'name', 'parent']);
  expect(isUnknown(facts.keys)).toBe(true);
  expect(factsOf(star, grown)).toBe(facts);
});
