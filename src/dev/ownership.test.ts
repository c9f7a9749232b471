/** What a role may not do to somebody else's relations: each statement is sent as that role, and refused as the replay says. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refusalBench } from './refusal.ts';

const schema = `
  create role reader; create role boss; grant create, usage on schema public to reader;
  create table t1 (id bigint primary key, k int, v numeric); create table t2 (id bigint primary key);
  create materialized view m1 as select id, k, v from t1; create unique index m1_id on m1 (id);
  create view v1 as select id from t1; create sequence q1; create schema s1;
  create table gone (id int); drop table gone;`;

/** What is done as the superuser first, and the statements that the role then sends, one at a time. */
const cases: readonly (readonly [string, readonly string[]])[] = [
  ['', [
    'alter table t1 owner to reader', 'alter table t1 add column z int', 'alter table t1 rename to t9', 'alter table t1 rename column k to kk',
    'alter table t1 drop column nope', 'alter table t1 set schema s1', 'alter table t1 set (fillfactor = 80)', 'alter table if exists t1 rename to t9',
    'alter view t1 rename to x', 'alter table m1 rename to x', 'alter table gone owner to reader', 'alter table if exists gone owner to reader',
    'alter materialized view m1 rename to m9', 'alter materialized view m1 set (fillfactor = 80)', 'alter index m1_id rename to x',
    'alter view v1 set (security_barrier = true)', 'alter sequence q1 owned by none', 'alter table t1 enable row level security',
    'create policy p on t1', 'create index i1 on t1 (k)', 'create index i1 on t1 (nope)', 'create index if not exists m1_id on m1 (id)',
    'create index m1_id on t1 (k)', 'create index concurrently i1 on t1 (k)', 'create index i1 on v1 (id)',
    'drop table t1', 'drop table if exists t1 cascade', 'drop table t1, gone', 'drop table gone, t1', 'drop table if exists gone, t1', 'drop table m1',
    'drop materialized view m1', 'drop view v1', 'drop index m1_id', 'drop sequence q1',
    'refresh materialized view m1', 'refresh materialized view concurrently m1', 'refresh materialized view concurrently m1 with no data',
    'refresh materialized view t1', 'refresh materialized view v1',
    "comment on table t1 is 'x'", "comment on materialized view m1 is 'x'", "comment on table m1 is 'x'", "comment on index m1_id is 'x'",
    'grant select on t1 to boss', 'grant select on m1 to boss', 'revoke select on t1 from boss', 'grant select on t1 to reader',
    'insert into t1 values (1)', 'insert into m1 values (1)', 'insert into v1 values (1)', 'update t1 set k = 1', 'delete from t1', 'delete from m1',
    'select * from t1', 'select count(*) from m1', 'create view v2 as select id from t1', 'create or replace view v1 as select id from t1',
    'create materialized view m2 as select id from t1', 'create materialized view m2 as select id from t1 with no data',
    'create materialized view m2 as select id from m1', 'create materialized view m1 as select id from t1', 'create table t5 as select id from t1',
    'create table t1 (id int)', 'create table if not exists t1 (id int)', 'create sequence q1', 'reset role', 'set role postgres',
    'do $$ begin alter table t1 rename to t9; end $$', 'do $$ begin alter table t1 rename to t9; exception when insufficient_privilege then null; end $$',
  ]],
  ['grant select on t1 to reader', [
    'create materialized view m2 as select id from t1', 'grant select on t1 to boss', 'revoke select on t1 from boss', 'update t1 set k = 1', 'select * from t1',
  ]],
  ['grant select (id) on t1 to reader', ['create materialized view m2 as select id from t1', 'create materialized view m2 as select id, k from t1', 'select k from t1']],
  ['grant update (k) on t1 to reader', ['update t1 set k = 1']],
  ['grant insert on t1 to reader', ['insert into t1 select 1']],
  ['grant maintain on m1 to reader', ['refresh materialized view m1', 'alter materialized view m1 rename to x']],
  ['alter schema public owner to reader', ['drop table t1 cascade', 'drop index m1_id', 'alter table t1 rename to t5']],
  ['alter table t1 owner to reader', ['alter table t1 rename to y', 'alter index t1_pkey rename to z', 'create index i1 on t1 (k)', 'alter materialized view m1 rename to x']],
  ['alter materialized view m1 owner to reader', ['refresh materialized view m1', 'comment on materialized view m1 is null']],
  ['grant boss to reader; alter table t1 owner to boss', ['alter table t1 rename to y', 'select * from t1']],
  ['alter role reader superuser', ['alter table t1 rename to y', 'drop materialized view m1']],
  ['create view v3 as select id from t1; grant select on v3 to reader', ['select * from v3', 'create materialized view m4 as select * from v3']],
  ['create table s1.t (id int, k int); grant select on s1.t to reader; create view s1.v as select id from s1.t; create materialized view s1.m as select id from s1.t; create index t_k on s1.t (k)', [
    'select * from s1.t', 'select * from t1, s1.t', 'select * from gone, s1.t', 'create table s1.u (id int)', 'create table if not exists s1.t (id int)', 'create table s1.t (id int)', 'create view s1.w as select 1 as a',
    'create view w as select id from s1.t', 'create materialized view s1.n as select 1 as a', 'create materialized view n as select id from s1.t', 'create materialized view s1.m as select 1 as a',
    'create materialized view if not exists s1.m as select 1 as a', 'create materialized view s1.n as select id from gone', 'refresh materialized view s1.m', 'drop table s1.t', 'drop table if exists s1.t', 'drop view s1.v', 'drop index s1.t_k',
    'drop materialized view if exists s1.nothing', 'comment on table s1.t is null', 'alter table s1.t add column x int', 'alter table s1.t rename to u', 'create index on s1.t (id)', 'insert into s1.t values (1)',
    'grant select on s1.t to boss', 'create sequence s1.q', 'create temporary table q (id int)', 'set search_path = s1, public; select * from t', 'set search_path = s1, public; create table fresh (id int)',
    'set search_path = s1; create table fresh (id int)', 'truncate s1.t', "do $$ begin perform 1 from s1.t; exception when insufficient_privilege then null; end $$", 'select * from s1.nothing',
  ]],
  ['grant usage on schema s1 to reader; create table s1.t (id int); grant select on s1.t to reader; alter table t1 owner to reader; create table s1.own (id int); alter table s1.own owner to reader', [
    'select * from s1.t', 'create table s1.u (id int)', 'create view s1.w as select id from s1.t', 'create materialized view n as select id from s1.t', 'alter table t1 set schema s1', 'create index on s1.own (id)', 'alter table s1.own rename to owned',
    'alter table s1.own add column x int', 'alter table s1.own rename column id to x', 'create materialized view s1.n as select id from s1.t', 'set search_path = s1, public; select * from t', 'set search_path = s1; create table fresh (id int)',
  ]],
  ['grant create on schema s1 to reader; create table s1.t (id int)', ['create table s1.u (id int)', 'select * from s1.t', 'create view s1.w as select 1 as a', 'alter table t1 set schema s1']],
  ['alter schema s1 owner to reader; create table s1.t (id int)', ['create table s1.u (id int)', 'select * from s1.t', 'drop table s1.t']],
  ['revoke create on schema public from reader', ['create table fresh (id int)', 'create materialized view fresh as select 1 as a', 'create or replace view fresh as select 1 as a', 'select * from v1']],
  ['revoke usage on schema public from public, reader', ['select * from t1', 'create table fresh (id int)', 'select * from public.t1', 'drop table if exists t1']],
  ['grant usage on schema s1 to public; create table s1.t (id int); grant select on s1.t to public', ['select * from s1.t']],
  ['alter default privileges grant usage on schemas to reader; create schema s2; create table s2.t (id int); grant select on s2.t to reader', ['select * from s2.t', 'create table s2.u (id int)']],
  ['create table s1.t (id int); create view v5 as select id from s1.t; grant select on v5 to reader; create materialized view m5 as select id from s1.t; grant select on s1.t to reader; alter materialized view m5 owner to reader', ['select * from v5', 'refresh materialized view m5']],
  ["create function g() returns void language plpgsql security definer as 'begin alter table t1 rename to y; end'", ['select g()']],
  ["create function g() returns void language plpgsql as 'begin alter table t1 rename to y; end'", ['select g()']],
];

const bench = refusalBench(schema);
beforeAll(() => bench.start(), 60_000);
afterAll(() => bench.end());

test.each(cases)('as reader after: %s', async (first, statements) => {
  const wrong: unknown[] = [];
  for (const sql of statements) {
    const { came, said } = await bench.ask(sql, `${first}; set local role reader`);
    if (came !== said) wrong.push({ sql, came, said });
  }
  expect(wrong).toEqual([]);
}, 60_000);
