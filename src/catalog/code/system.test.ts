import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEmbedded, type Embedded } from '../../live/embedded.ts';
import { failed } from '../../live/session.ts';
import { memoryFiles } from '../../read/files.ts';
import { readHistories } from '../../read/read.ts';
import { parse } from '../../sql/parse.ts';
import { replay } from '../replay.ts';
import { systemNames } from './questions.ts';

let server: Embedded;
beforeAll(async () => {
  server = await openEmbedded();
}, 60_000);
afterAll(() => server.close());

async function names(sql: string): Promise<readonly string[]> {
  const answer = await server.run(sql);
  if (failed(answer)) throw new Error(answer.message);
  return answer.rows.map(row => String(row['name']));
}

test('the names of information_schema are those of a new database', async () => {
  const found = await names(`SELECT relname AS name FROM pg_class WHERE relnamespace = 'information_schema'::regnamespace AND relkind IN ('v', 'r')
    AND relname !~ '^(_pg_|sql_)' ORDER BY 1`);
  expect([...systemNames].sort()).toEqual([...found].sort());
});

test('a new database has no materialized view, and information_schema.tables never lists one', async () => {
  expect(await names('SELECT matviewname AS name FROM pg_matviews')).toEqual([]);
  await server.run('CREATE MATERIALIZED VIEW listed AS SELECT 1 AS one');
  expect(await names("SELECT table_name AS name FROM information_schema.tables WHERE table_name = 'listed'")).toEqual([]);
});

test.each([['constraints', 4], ['identity', 32], ['indexes', 64]])('LIKE … INCLUDING %s is the bit that the parser sets', (what, bit) => {
  const parsed = parse(`create table a (like b including ${what})`);
  const [element] = parsed.ok && 'CreateStmt' in parsed.node ? parsed.node.CreateStmt.tableElts ?? [] : [];
  expect(element && 'TableLikeClause' in element && element.TableLikeClause.options).toBe(bit);
});

test.each(['pg_policies', 'pg_policy', 'pg_enum', 'pg_sequences', 'information_schema.sequences', 'information_schema.triggers'])('a new database has no row of its own in %s', async name => {
  const fresh = await openEmbedded();
  const answer = await fresh.run(`SELECT count(*)::int AS n FROM ${name}`);
  await fresh.close();
  expect(failed(answer) ? answer.message : answer.rows[0]?.['n']).toBe(0);
});

const schema = `create schema asked; set search_path = asked, public;
  create type mood as enum ('sad', 'glad'); create domain small as int check (value < 10);
  create table t (id bigint primary key, k int not null, name text, at timestamp(3) with time zone, m mood, l int[], constraint t_k_check check (k > 0), s serial, gone int);
  alter table t drop column gone; create table child () inherits (t); create unique index t_name on t (name) where name <> ''; create index t_lower on t (lower(name));
  create table u (id int references t (id), unique (id), g int generated always as identity);
  create materialized view mv as select id, k from t; create unique index mv_id on mv (id); create view v as select id from mv;
  create sequence q; create policy seen on t using (true); create function noted() returns trigger language plpgsql as $$ begin return null; end $$;
  create trigger changed after insert or update on t for each row execute function noted();`;

/** A condition, and whether the replay has to decide it; what it decides has to be what Postgres says. */
const conditions: readonly (readonly [condition: string, decided: boolean])[] = [
  ["exists (select 1 from pg_attribute where attrelid = 'mv'::regclass and attname = 'k')", true],
  ["exists (select 1 from pg_attribute where attrelid = 'asked.mv'::regclass and attname = 'z' and attnum > 0 and not attisdropped)", true],
  ["exists (select 1 from pg_attribute where attrelid = 't'::regclass and attname = 'ctid')", false],
  ["exists (select 1 from pg_attribute where attrelid = 't'::regclass and attname = 'ctid' and attnum > 0)", false],
  ["exists (select 1 from pg_attribute a join pg_class c on c.oid = a.attrelid where c.relname = 'mv' and a.attname = 'xmin')", false],
  ["exists (select 1 from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'asked' and c.relname = 't' and a.attname = 'gone' and not a.attisdropped)", true],
  ["exists (select 1 from pg_attribute where attname = 'k')", true],
  ["exists (select 1 from pg_attribute where attname = 'oid')", false],
  ["(select attnotnull from pg_attribute where attrelid = 't'::regclass and attname = 'k')", true],
  ["(select attnotnull from pg_attribute where attrelid = 't'::regclass and attname = 'name')", true],
  ["(select count(*) from pg_attribute where attrelid = 't'::regclass) = 8", false],
  ["exists (select 1 from pg_constraint where conname = 't_pkey')", true],
  ["exists (select 1 from pg_constraint where conname = 't_k_check' and conrelid = 't'::regclass)", true],
  ["not exists (select 1 from pg_constraint where conname = 'u_id_fkey')", true],
  ["exists (select 1 from pg_constraint where conname = 'nothing' and conrelid = 't'::regclass)", true],
  ["exists (select 1 from pg_constraint where conname = 'small_check')", false],
  ["exists (select 1 from pg_constraint where conname = 't_k_not_null')", false],
  ["exists (select 1 from pg_constraint where conrelid = 't'::regclass and contype = 'p')", true],
  ["exists (select 1 from pg_constraint where conrelid = 'child'::regclass and contype = 'p')", false],
  ["exists (select 1 from pg_constraint where conrelid = 'child'::regclass and contype = 'n')", false],
  ["exists (select 1 from pg_constraint c join pg_class r on r.oid = c.conrelid where r.relname = 'u' and c.conname = 'u_id_key')", true],
  ["exists (select 1 from information_schema.table_constraints where table_name = 't' and constraint_name = 't_pkey' and constraint_type = 'PRIMARY KEY')", true],
  ["exists (select 1 from information_schema.table_constraints where table_schema = 'asked' and table_name = 't' and constraint_name = 'no_such')", true],
  ["exists (select 1 from information_schema.table_constraints where table_name = 't' and constraint_type = 'CHECK' and constraint_name like '%not_null')", false],
  ["exists (select 1 from pg_index where indrelid = 'mv'::regclass and indisunique)", true],
  ["exists (select 1 from pg_index where indrelid = 'mv'::regclass and indisprimary)", true],
  ["exists (select 1 from pg_index where indrelid = 't'::regclass and indisunique and indpred is null and indexprs is null and not indisprimary)", true],
  ["exists (select 1 from pg_index i join pg_class c on c.oid = i.indexrelid where c.relname = 't_lower' and i.indexprs is not null)", true],
  ["(select indisvalid from pg_index where indexrelid = 'mv_id'::regclass)", true],
  ["exists (select 1 from pg_index i join pg_class c on c.oid = i.indexrelid where c.relname = 'mv_none' and not i.indisvalid)", true],
  ["(select count(*) from pg_index where indrelid = 't'::regclass) = 3", true],
  ["exists (select 1 from pg_inherits where inhrelid = 'child'::regclass and inhparent = 't'::regclass)", true],
  ["exists (select 1 from pg_inherits where inhparent = 'u'::regclass)", true],
  ["exists (select 1 from pg_policies where tablename = 't' and policyname = 'seen')", true],
  ["exists (select 1 from pg_policies where schemaname = 'asked' and policyname = 'unseen')", true],
  ["exists (select 1 from pg_policy where polrelid = 'u'::regclass)", true],
  ["exists (select 1 from pg_enum where enumtypid = 'mood'::regtype and enumlabel = 'glad')", true],
  ["exists (select 1 from pg_enum e join pg_type t on t.oid = e.enumtypid where t.typname = 'mood' and e.enumlabel = 'angry')", true],
  ["exists (select 1 from pg_sequences where sequencename = 'q')", true],
  ["exists (select 1 from pg_sequences where schemaname = 'asked' and sequencename = 'p')", true],
  ["exists (select 1 from information_schema.sequences where sequence_name = 'u_g_seq')", false],
  ["exists (select 1 from information_schema.sequences where sequence_name = 'no_such')", true],
  ["exists (select 1 from information_schema.triggers where trigger_name = 'changed' and event_object_table = 't')", true],
  ["exists (select 1 from information_schema.triggers where trigger_name = 'unchanged')", true],
  ["(select count(*) from information_schema.triggers where trigger_name = 'changed') = 1", false],
  ["(select count(*) from information_schema.triggers where trigger_name = 'changed') > 0", true],
  ["exists (select 1 from pg_trigger where tgrelid = 't'::regclass and tgname = 'changed' and not tgisinternal)", true],
  ["exists (select 1 from pg_trigger where tgrelid = 'u'::regclass)", false],
  ["exists (select 1 from information_schema.routines where routine_name = 'noted' and routine_schema = 'asked')", true],
  ["exists (select 1 from information_schema.routines where routine_name = 'lower')", false],
  ["(select data_type from information_schema.columns where table_name = 't' and column_name = 'k') = 'integer'", true],
  ["(select data_type from information_schema.columns where table_name = 't' and column_name = 'at') = 'timestamp with time zone'", true],
  ["(select data_type from information_schema.columns where table_name = 't' and column_name = 'm') = 'USER-DEFINED'", false],
  ["(select data_type from information_schema.columns where table_name = 't' and column_name = 'l') = 'ARRAY'", false],
  ["(select is_nullable from information_schema.columns where table_name = 't' and column_name = 'id') = 'NO'", true],
  ["exists (select 1 from information_schema.columns where table_name = 'mv')", true],
];

test.each(conditions)('asked of the catalog: %s', async (condition, decided) => {
  await server.run(`BEGIN; ${schema}`);
  const answer = await server.run(`SELECT coalesce(${condition}, false) AS name`);
  await server.run('ROLLBACK; RESET search_path');
  if (failed(answer)) throw new Error(answer.message);
  const text = `${schema} do $$ begin if ${condition} then create table public.yes (x int); else create table public.no (x int); end if; end $$;`;
  const run = replay(readHistories(memoryFiles({ 'db/001.sql': text }), { tool: 'psql' }).histories[0]!, { role: 'postgres' });
  for (let next = run.next(); ; next = run.next()) {
    if (next.done !== true) continue;
    const is = (name: string): boolean => next.value.find({ schema: 'public', name }).is === 'present';
    const said = is('yes') ? true : is('no') ? false : undefined;
    expect({ said }).toEqual({ said: said === undefined && !decided ? undefined : answer.rows[0]?.['name'] });
    return;
  }
});
