/** What a history does to objects that it never made, on a Postgres where they stand: what it refuses afterwards, the replay says, and nothing else. */
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Catalog } from '../model.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { replay } from './replay.ts';

let db: PGlite;
beforeAll(async () => {
  db = await PGlite.create();
  await db.exec(`create table flags (raised boolean); insert into flags values (true);
    create table old (id int primary key, k int); create materialized view legacy as select id, k from old; create unique index legacy_id on legacy (id);
    create schema aside; create table aside.t (id int); create table aside.old (id int); create view spare as select 1 as one; create view taken as select 1 as one`);
}, 60_000);
afterAll(() => db.close());

async function measured(statements: readonly string[]): Promise<readonly (string | undefined)[]> {
  const came: (string | undefined)[] = [];
  await db.exec('begin');
  for (const sql of statements) {
    await db.exec('savepoint s');
    came.push(await db.exec(sql).then(() => undefined, (error: { code?: string }) => error.code));
    if (came.at(-1) !== undefined) await db.exec('rollback to s');
  }
  await db.exec('rollback');
  return came;
}

function replayed(statements: readonly string[]): { readonly end: Catalog; readonly said: readonly (string | undefined)[] } {
  const [history] = readHistories(memoryFiles({ 'db/001.sql': statements.map(sql => `${sql};`).join('\n') }), { tool: 'psql' }).histories;
  const run = replay(history!, { role: 'postgres' });
  const said: (string | undefined)[] = [];
  for (let next = run.next(); ; next = run.next()) {
    if (next.done) return { end: next.value, said };
    said.push(...next.value.steps.map(step => step.refusal?.sqlstate));
  }
}

const block = (body: string): string => `do $$ begin ${body} end $$`;

test.each<readonly [string, ...string[]]>([
  ['drop materialized view legacy', 'refresh materialized view legacy', 'drop materialized view legacy', 'drop materialized view if exists legacy', 'create materialized view legacy as select 1 as id', 'refresh materialized view legacy'],
  ['drop materialized view if exists legacy', 'create index i on legacy (k)'],
  ['drop index legacy_id', 'drop index legacy_id', 'drop index if exists legacy_id', 'alter index legacy_id rename to x', 'create table n (id int)', 'create index n_id on n (id)', 'drop index n_id', 'drop index n_id'],
  ['drop sequence if exists q', 'drop sequence q', 'drop view if exists v', 'drop view v', 'alter view v rename to w', 'alter view if exists v rename to w'],
  ['drop materialized view public.legacy', 'comment on materialized view legacy is null', 'select * from legacy'],
  ['drop table if exists never', 'alter table never add column x int', 'create table never (id int)', 'alter table never add column x int'],
  ['alter materialized view legacy rename to legacy_old', 'refresh materialized view legacy', 'refresh materialized view legacy_old', 'drop materialized view legacy_old', 'refresh materialized view legacy_old'],
  ['drop view spare', 'alter view taken rename to spare', 'select * from taken', 'select * from spare', 'drop view spare', 'select * from spare'],
  ['alter materialized view legacy set schema aside', 'refresh materialized view legacy', 'refresh materialized view aside.legacy', 'alter materialized view aside.legacy set schema public', 'refresh materialized view legacy', 'refresh materialized view aside.legacy'],
  ['alter materialized view legacy rename column k to kk', 'refresh materialized view legacy'],
  ['alter table old rename constraint old_pkey to old_key', 'select * from old'],
  ["set search_path = aside, public", 'drop table old', 'select * from old', 'drop materialized view legacy', 'drop table if exists old'],
  ['create table aside.mine (id int)', 'create materialized view mv as select id from aside.mine', 'drop schema aside', 'drop schema aside cascade', 'refresh materialized view mv', 'select * from aside.mine'],
  [block("if exists (select from flags where raised) then drop materialized view legacy; end if;"), 'create table if not exists a (id int)', 'drop table a'],
  [block("if not exists (select from flags where raised) then drop materialized view legacy; end if;"), 'refresh materialized view legacy', 'drop materialized view legacy', 'refresh materialized view legacy'],
  [block("begin drop materialized view legacy; raise exception 'no'; exception when others then null; end;"), 'refresh materialized view legacy'],
  [block("if not exists (select from flags where raised) then create table mine (id int); end if;"), 'drop table if exists mine', 'create table mine (id int)', 'select * from mine'],
])('%s', async (...statements) => {
  const came = await measured(statements);
  const { said } = replayed(statements);
  expect({ statements, said }).toEqual({ statements, said: came });
});

test('with several schemas in the search path nobody can tell which object went', () => {
  const is = (sql: string): string => replayed(['set search_path = aside, public', sql]).end.find({ name: 'old' }).is;
  expect([is('drop table old'), is('drop table public.old'), is('drop table aside.old')]).toEqual(['unknown', 'absent', 'absent']);
});

test('what went in a branch that did not run is not gone', () => {
  const is = (body: string): string => replayed([block(body)]).end.find({ name: 'legacy' }).is;
  expect(is('if (select raised from flags) then drop materialized view legacy; end if;')).toBe('unknown');
  expect(is('if (select raised from flags) then drop materialized view legacy; else drop materialized view if exists legacy; end if;')).toBe('absent');
});
