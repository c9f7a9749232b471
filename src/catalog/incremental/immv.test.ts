import { PGlite } from '@electric-sql/pglite';
import { pg_ivm } from '@electric-sql/pglite-pg_ivm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { memoryFiles } from '../../read/files.ts';
import { readHistories } from '../../read/read.ts';
import { replay } from '../replay.ts';

let db: PGlite;
const schema = [
  'create extension pg_ivm', 'create table o (id bigint primary key, c text, n numeric, j json, p point, at timestamptz)', 'create table k (id bigint primary key, c text collate "C")',
  'create temporary table tt (id int)', 'create sequence s', 'create view pv as select id from o', 'create table taken_index (id int)',
  'create table plain as select id, c from o', 'create table registered as select id, c from o', `select pgivm.restore_immv('registered', 'select id, c from o')`,
  `select pgivm.create_immv('live', 'select id, c from o')`, 'create view over as select id from live',
];
beforeAll(async () => {
  db = await PGlite.create({ extensions: { pg_ivm } });
  for (const sql of schema) await db.exec(sql);
});
afterAll(() => db.close());

/** The SQLSTATE that Postgres answers; `ran` when it does not refuse. What ran is undone. */
async function seen(sql: string): Promise<string> {
  try {
    await db.exec(`BEGIN; ${sql}; ROLLBACK`);
    return 'ran';
  } catch (error) {
    await db.exec('ROLLBACK');
    return (error as { readonly code: string }).code;
  }
}

function predicted(sql: string): string {
  const text = [...schema, sql].map(statement => `${statement};\n`).join('');
  const run = replay(readHistories(memoryFiles({ 'db/001.sql': text }), { tool: 'psql' }).histories[0]!, { role: 'postgres' });
  for (let next = run.next(); !next.done; next = run.next()) return next.value.steps.at(-1)?.refusal?.sqlstate ?? 'ran';
  return 'nothing';
}

const immv = (query: string, name = 'v'): string => `select pgivm.create_immv('${name}', $q$${query}$q$)`;

test.each([
  // The name argument.
  immv('select id from o', 'v('), immv('select id from o', 'v()'), immv('select id from o', 'v(a,b)'), immv('select id from o', 'a.b.c.d'), immv('select id from o', ''),
  immv('select id from o', 'Mixed'), immv('select id from o', '"Mixed"(x)'), immv('select id from o', 'o'), immv('select id from o', 'taken'), immv('select id, c from o', 'v(a)'),
  // The text.
  immv(''), immv('select id from o; select 1'), immv('selec id from o'), immv('insert into o values (1)'), immv('select id from o; '), immv('-- nothing\nselect id from o -- end'),
  immv('select id into x from o'), immv('select id from tt'), immv('with x as (insert into o values (1) returning id) select id from x'), immv('select $1 as a from o'),
  immv('select distinct j from o'), immv('select nope from o'),
  // The checks.
  immv('select id, now() as t from o'), immv('select c from o group by c'), immv('select c, count(*) from o group by c having count(*) > 1'), immv('select id from o order by id'),
  immv('select id from o limit 3'), immv('select id from pv'), immv('select id, j from o'), immv('select id, p from o'), immv('select id from o union select id from k'),
  immv('select id, id from o'), immv('select o as x from o'), immv('select row(id, c) as r from o'), immv('select o.id, o.c || k.c as x from o join k on k.id = o.id'), immv('select last_value from s'),
  immv('select id from live'), immv('select id, sum(n) as __ivm_x from o group by id'), immv('select n, count(*) from o group by id'),
  // What else is called and done.
  `select pgivm.refresh_immv('plain')`, `select pgivm.refresh_immv('live', false)`, `select pgivm.restore_immv('plain', 'select id, c from o')`,
  `select pgivm.restore_immv('registered', 'select id, c from o')`, `select pgivm.restore_immv('plain', 'select id from o order by id')`, `select pgivm.create_immv(null, 'select 1')`,
  'drop materialized view live', 'drop materialized view if exists live', 'refresh materialized view live', 'refresh materialized view concurrently live', 'alter materialized view live rename to x',
  `comment on materialized view live is 'x'`, 'insert into live values (1)', 'update live set c = null', 'delete from live', 'truncate live', 'drop view live', 'drop table live', 'drop table live cascade',
  'alter table o drop column c', 'alter table o alter column c type varchar(20)', 'alter table o drop column at', 'alter table o alter column at type text', 'drop table o', 'drop table o cascade',
  'alter table o rename column c to d', 'drop extension pg_ivm', 'drop extension pg_ivm cascade', 'create index on live (c)', 'drop index live_index', 'alter table live rename to x',
])('%s', async sql => {
  expect(predicted(sql)).toBe(await seen(sql));
});

test('what DROP EXTENSION … CASCADE leaves behind are tables that nobody maintains', async () => {
  await db.exec(`BEGIN; drop extension pg_ivm cascade; insert into o (id) values (99)`);
  const { rows } = await db.query('select id from live');
  await db.exec('ROLLBACK');
  expect(rows).toEqual([]);
});
