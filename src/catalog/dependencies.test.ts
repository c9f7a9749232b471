import { PGlite } from '@electric-sql/pglite';
import { citext } from '@electric-sql/pglite/contrib/citext';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { parse } from '../sql/parse.ts';
import { isUnknown } from './change.ts';
import { replay } from './replay.ts';

let db: PGlite;
beforeAll(async () => {
  db = await PGlite.create({ extensions: { citext } });
});
afterAll(() => db.close());

/** What became of every statement (`ok` or its SQLSTATE), and what relations there are at the end, with their columns. */
interface Seen {
  readonly states: readonly string[];
  readonly left: readonly string[];
}

async function measured(statements: readonly string[]): Promise<Seen> {
  const states: string[] = [];
  await db.exec('begin');
  for (const sql of statements) {
    await db.exec('savepoint s');
    try {
      await db.exec(sql);
      states.push('ok');
    } catch (error) {
      states.push((error as { code?: string }).code ?? String(error));
      await db.exec('rollback to s');
    }
  }
  const { rows } = await db.query<{ kind: string; name: string; columns: string }>(`SELECT c.relkind::text AS kind, c.relname AS name,
      coalesce(string_agg(a.attname, ',' ORDER BY a.attnum) FILTER (WHERE c.relkind <> 'i'), '') AS columns
    FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'i', 'S') AND c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
    GROUP BY 1, 2`);
  await db.exec('rollback');
  return { states, left: rows.map(({ kind, name, columns }) => `${kind === 'p' ? 'r' : kind} ${name}(${columns})`).sort() };
}

const letters: Readonly<Record<string, string>> = { table: 'r', view: 'v', matview: 'm', index: 'i', sequence: 'S' };

/** The same by the replay; a relation of which nothing is claimed ends in `?`. */
function replayed(statements: readonly string[]): Seen & { readonly effects: readonly string[]; readonly gaps: number } {
  const files = Object.fromEntries(statements.map((sql, at) => [`db/${String(at + 1).padStart(3, '0')}.sql`, `${sql};`]));
  const { histories } = readHistories(memoryFiles(files), { tool: 'psql' });
  const run = replay(histories[0]!, { role: 'postgres' });
  const states: string[] = [];
  const effects: string[] = [];
  let gaps = 0;
  for (let next = run.next(); ; next = run.next()) {
    if (next.done) {
      const left = [...next.value.relations()].map(relation => {
        const columns = 'query' in relation || relation.kind === 'table' ? (isUnknown(relation.columns) ? ['?'] : relation.columns.map(({ name }) => name)) : [];
        return `${letters[relation.kind]} ${relation.name.name}(${columns.join(',')})${next.value.isCertain(relation.id) ? '' : '?'}`;
      });
      return { states, left: left.sort(), effects, gaps };
    }
    gaps += next.value.gaps.length;
    for (const step of next.value.steps) {
      states.push(step.refusal?.sqlstate ?? 'ok');
      for (const effect of step.effects) if (effect.kind === 'dropObject' && effect.cascade)
        effects.push([...(effect.columns ?? []).map(({ table, column }) => `${table.name.name}.${column}`), ...effect.takes.map(object => `${object.kind} ${typeof object.name === 'string' ? object.name : object.name.name}`)].join(', '));
    }
  }
}

/** Both see the same, and the answer of the replay for more. */
async function agree(...statements: readonly string[]): Promise<ReturnType<typeof replayed>> {
  expect(statements.filter(sql => !parse(sql).ok)).toEqual([]);
  const ours = replayed(statements);
  const theirs = await measured(statements);
  expect({ states: ours.states, left: ours.left }).toEqual(theirs);
  return ours;
}

const st = "create type st as enum ('a', 'b')";

test('DROP TYPE … CASCADE takes the columns of the type, and what uses those, not the table', async () => {
  const { effects } = await agree(st, 'create table u (id int primary key, st st not null)', 'create materialized view m as select id from u', 'create unique index m_id on m (id)',
    'create materialized view n as select st, count(*) from u group by st', 'create index u_st on u (st)', 'create view o as select st from n',
    'drop type st', 'drop type st cascade', 'refresh materialized view concurrently m', 'drop table u');
  expect(effects).toEqual(['u.st, matview n, view o']);
});

test('through arrays, domains and ranges, with the constraints of the columns', async () => {
  await agree(st, 'create domain d as st', 'create table u (a st[], b d, c d[], id int, check (id > 0 and b is not null), unique (id, a))', 'create view v as select b from u',
    'create view w as select id from u', 'drop type st', 'drop domain d', 'drop type st cascade', 'alter table u add constraint u_id_a_key unique (id)');
  await agree('create domain n as int', 'create type r as range (subtype = n)', 'create table u (id int, r r)', 'drop domain n', 'drop domain n cascade');
});

test('a schema takes the columns of its types, and its own tables whole', async () => {
  const { effects } = await agree('create schema types', "create type types.st as enum ('a')", 'create table u (id int, s types.st)', 'create table types.x (s types.st)',
    'create view v as select s from u', 'create view x2 as select s from types.x', 'drop schema types', 'drop schema types cascade');
  expect(effects).toEqual(['u.s, type st, table x, view x2, view v']);
});

test('the columns of copies, heirs and partitions go on their own account', async () => {
  await agree(st, 'create table p (id int, s st)', 'create table c (x int) inherits (p)', 'create view v as select s from c', 'create table l (like p)',
    'create table a as select * from p', 'drop type st cascade');
  await agree(st, 'create table p (id int, s st) partition by range (id)', 'create table c partition of p for values from (1) to (2)', 'create view v as select s from c',
    'drop type st', 'drop type st cascade');
});

test('tables of the type, and those partitioned by it, go whole', async () => {
  await agree(st, 'create table p (id int, s st) partition by list (s)', "create table c partition of p for values in ('a')", 'create view v as select id from c', 'drop type st cascade');
  await agree('create type one as (id int)', 'create table p of one', 'create view v as select id from p', 'drop type one', 'drop type one cascade');
});

test('the type of a column follows ALTER TABLE', async () => {
  await agree(st, 'create table t (id int, k text)', 'alter table t alter k type st using k::st', 'create table t2 (id int, k st)', 'alter table t2 alter k type text',
    'create table t3 (id int, k st)', 'alter table t3 rename k to kk', 'create view v as select kk from t3', 'alter table t2 add column s st', 'drop type st', 'drop type st cascade');
  await agree(st, 'create table t (id int, k st)', 'alter table t drop column k', 'drop type st', 'create table u (id int, k int, check (id > k))', 'alter table u drop column k',
    'alter table u add constraint u_check check (id > 0)');
});

test('routines with the type go, and what calls them', async () => {
  const { effects } = await agree(st, "create function f(st) returns int language sql as 'select 1'", "create function g() returns st language sql as 'select null::st'",
    'create view m as select g() as k', "create function h() returns int language sql as 'select 1'", 'create view n as select h() as k', 'drop type st', 'drop type st cascade', 'select h()');
  expect(effects[0]).toContain('view m');
});

test('a composite type loses its attribute; of the views that read it nothing is claimed', async () => {
  const statements = [st, 'create type c as (x st, y int)', 'create table u (id int, c c)', 'create view v as select (c).y from u', 'create view w as select (c).x from u', 'create view i as select id from u',
    'drop type st', 'drop type st cascade'];
  const ours = replayed(statements);
  const theirs = await measured(statements);
  expect(ours.states).toEqual(theirs.states);
  expect(theirs.left).toEqual(['r u(id,c)', 'v i(id)', 'v v(y)']);
  expect(ours.left).toEqual(['r u(id,c)', 'v i(id)', 'v v(y)?', 'v w(x)?']);
});

const keyed = ['create table c (id int primary key, name text, k int not null, constraint c_k unique (k))', 'create table d (id int primary key, x int)'];
const relying: Readonly<Record<string, readonly string[]>> = {
  'select id, name, count(*) from c group by id': ['2BP01', 'ok', 'ok'],
  'select id, count(*), sum(k) from c group by id': ['ok', 'ok', 'ok'],
  'select id, name from c group by id, name': ['ok', 'ok', 'ok'],
  'select name from c group by c.id': ['2BP01', 'ok', 'ok'],
  'select c.* from c group by id': ['2BP01', 'ok', 'ok'],
  "select id as i, lower(name) || 'x' as n from c group by i": ['2BP01', 'ok', 'ok'],
  'select id, lower(name) as n from c group by id, lower(name)': ['ok', 'ok', 'ok'],
  'select id, lower(name) as n from c group by 1, 2': ['ok', 'ok', 'ok'],
  'select id from c group by id having max(k) > 1 and name is not null': ['2BP01', 'ok', 'ok'],
  'select id from c group by id order by name': ['2BP01', 'ok', 'ok'],
  'select id, row_number() over (order by name) as n from c group by id': ['2BP01', 'ok', 'ok'],
  'select id, max(name) filter (where k > 1) as m from c group by id': ['ok', 'ok', 'ok'],
  'select c.id, c.name, d.x from c join d on d.id = c.id group by c.id, d.id': ['2BP01', 'ok', '2BP01'],
  'select c.id, d.x from c join d on d.id = c.id group by c.id, d.id': ['ok', 'ok', '2BP01'],
  'select x.* from (select id, name from c group by id) x': ['2BP01', 'ok', 'ok'],
  'with x as (select id, name from c group by id) select * from x': ['2BP01', 'ok', 'ok'],
  'select distinct on (id) id, name from c': ['ok', 'ok', 'ok'],
};

test('a view whose GROUP BY relies on a primary key depends on it', async () => {
  for (const [query, expected] of Object.entries(relying)) {
    const { states } = await agree(...keyed, `create materialized view m as ${query}`, 'alter table c drop constraint c_pkey', 'alter table c drop constraint c_k', 'alter table d drop constraint d_pkey');
    expect([query, states.slice(-3)]).toEqual([query, expected]);
    await agree(...keyed, `create view v as ${query}`, 'create view w as select * from v', 'alter table c drop constraint c_pkey cascade', 'alter table d drop constraint d_pkey cascade');
  }
});

test('no view relies on a deferrable key', async () => {
  await agree('create table c (id int, name text, constraint pk primary key (id) deferrable)', 'create view v as select id, count(name) from c group by id', 'alter table c drop constraint pk');
});

const passes: Readonly<Record<string, string>> = {
  'alter a type bigint, drop column id': '2BP01', 'drop column id, alter a type bigint': '2BP01', 'add column id int, drop column z': '2BP01',
  'alter nope type bigint, drop column z': '42703', 'add column id int, alter a type bigint': '0A000', 'alter a type bigint, add column id int': '0A000',
  'add column nn int, alter nn type bigint': '42703', 'add column nn int, drop column nn': '42703', 'drop column z cascade, alter z type bigint': '42703',
  'drop column z cascade, add column z text': 'ok', 'add column z text, drop column z cascade': 'ok', 'alter a drop not null, alter a type bigint': '0A000',
  'add constraint k primary key (a), drop constraint t_pkey': 'ok', 'drop constraint t_pkey, add primary key (a)': 'ok', 'add unique (q), add column q int': 'ok',
};

test('ALTER TABLE drops first, then changes types, then adds columns', async () => {
  for (const [commands, expected] of Object.entries(passes)) {
    const { states } = await agree('create table t (id int primary key, a int, z int)', 'create view v as select id, a from t', 'create view w as select z from t', `alter table t ${commands}`);
    expect([commands, states.at(-1)]).toEqual([commands, expected]);
  }
});

test('DROP EXTENSION is refused for columns of its types, and takes them with CASCADE', async () => {
  const statements = ['create extension citext', 'create table t (id int primary key, e citext, f citext[])', 'create materialized view m as select id, e from t', 'create materialized view n as select id from t',
    "create view w as select lower('a'::citext) as b", 'create index te on t (e)', 'create index ti on t (id)', 'drop extension citext', 'drop extension citext cascade', 'refresh materialized view n'];
  const ours = replayed(statements);
  const theirs = await measured(statements);
  expect(theirs.states.slice(-3)).toEqual(['2BP01', 'ok', 'ok']);
  expect(ours.states).toEqual(theirs.states);
  expect(theirs.left).toEqual(['i t_pkey()', 'i ti()', 'm n(id)', 'r t(id)']);
  expect(ours.left).toEqual(['i t_pkey()', 'i ti()', 'm n(id)?', 'r t(id)', 'v w(b)?']);
  expect([ours.effects, ours.gaps]).toEqual([['t.e, t.f, matview m'], 1]);
});

test('DROP EXTENSION of which no type is known is one gap, and without CASCADE it is none', () => {
  const made = ['create extension pg_trgm', 'create table t (id int, k text)', 'create materialized view m as select id from t'];
  expect(replayed([...made, 'drop extension pg_trgm cascade'])).toMatchObject({ states: ['ok', 'ok', 'ok', 'ok'], left: ['m m(id)?', 'r t(id,k)'], gaps: 1 });
  expect(replayed([...made, 'drop extension pg_trgm'])).toMatchObject({ left: ['m m(id)', 'r t(id,k)'], gaps: 0 });
});

test('an index goes with a column that only its expression, its condition or its INCLUDE names', async () => {
  const made = ['create table t (id bigint primary key, k int, v numeric, "K" text)', 'create index by_condition on t (id) where k > 0', 'create index by_both on t (abs(id), v) where k > 0',
    'create index by_expression on t ((k + 1))', 'create index by_call on t (lower("K"), id)', 'create index by_include on t (v) include (k)',
    'create index other on t (abs(v)) where "K" is not null', 'create index by_nothing on t ((1))'];
  for (const column of ['k', '"K"', 'v', 'id']) await agree(...made, `alter table t drop column ${column} cascade`, 'drop table t');
  await agree(...made, 'alter table t rename k to l', 'alter table t drop column l', 'create table u (like t including indexes)', 'alter table u drop column v');
  await agree('create table t (id int, k int)', 'create materialized view m as select id, k from t', 'create unique index m_id on m (id) where k > 0', 'create index m_k on m ((k + id))',
    'refresh materialized view concurrently m', 'alter materialized view m rename k to l', 'drop materialized view m');
});

test('a function that an index calls is kept by it; with CASCADE the index goes', async () => {
  await agree('create function half(n int) returns int immutable language sql as $$ select n / 2 $$', 'create function odd(n int) returns boolean immutable language sql as $$ select n % 2 = 1 $$',
    'create table t (id int, k int)', 'create index t_half on t (half(k))', 'create unique index t_odd on t (id) where odd(k)', 'create table u (like t including indexes)',
    'drop function half', 'drop function odd(int)', 'drop function half cascade', 'drop function odd(int) cascade');
  await agree(st, 'create schema app', 'create function app.half(n int) returns int immutable language sql as $$ select n / 2 $$', 'create table e (id int, s text, st st)',
    "create index e_open on e (id) where st = 'a'", 'create index e_half on e (app.half(id))', "create index e_cast on e ((s::text)) where s <> 'b'", 'drop type st', 'drop function app.half', 'drop schema app cascade', 'drop type st cascade');
});

test('a view holds on to the type that its context gives a constant', async () => {
  const made = [st, 'create domain d as st', 'create table u (id int, s text, n int)', 'create table e (id int, st st, d d)'];
  const columnGone = ['alter table e drop column st', 'alter table e drop column d cascade'];
  for (const query of ["select id from e where st = 'a'", "select id from e where st in ('a', 'b')", "select coalesce(st, 'a')::text as t from e", "select case when id > 1 then st else 'b' end is null as x from e",
    "select st = any ('{a,b}') as x from e", "select greatest(st, 'a') is null as x from e", "select id from e where st between 'a' and 'b'", "select nullif(st, 'a') is null as x from e"])
    await agree(...made, `create view v as ${query}`, 'create materialized view m as select count(*) from u', ...columnGone, 'drop type st', 'drop type st cascade', 'drop table e');
  await agree(...made, "create materialized view m as select 'a'::st::text as t from u", 'drop type st', "create view w as select null::d is null as x from u", 'drop domain d', 'drop type st cascade');
});

test('a view holds on to the relation that a constant names as a regclass', async () => {
  const made = ['create schema shop', 'create sequence s', 'create sequence shop."Order No"', 'create table t (id int)', 'create materialized view m as select id from t'];
  for (const query of ["select nextval('s') as n", "select nextval('public.S') as n", `select currval('shop."Order No"') as n`, "select 's'::regclass::oid as o", "select pg_total_relation_size('m') as size", "select 't'::text as t, nextval('s'::text) as n"]) {
    await agree(...made, `create view v as ${query}`, 'drop sequence s', 'drop sequence shop."Order No"', 'drop materialized view m', 'drop table t cascade', 'drop sequence s cascade', 'drop schema shop cascade');
  }
});
