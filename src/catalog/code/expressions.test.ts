/** What the sub-queries of PL/pgSQL's expressions read refuses the code: each block is sent to Postgres, and the replay says the same SQLSTATE. */
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { memoryFiles } from '../../read/files.ts';
import { readHistories } from '../../read/read.ts';
import { replay } from '../replay.ts';

const schema = `create table t (id int primary key, k int); create table gone (id int); drop table gone;
  create materialized view mv as select id from t; create materialized view mu as select id from t with no data; create view vu as select id from mu; create view vv as select id from mv;`;

let db: PGlite;
beforeAll(async () => {
  db = await PGlite.create();
  await db.exec(schema);
}, 60_000);
afterAll(() => db.close());

async function came(sql: string): Promise<string | undefined> {
  await db.exec('begin');
  const state = await db.exec(sql).then(() => undefined, (error: { code?: string }) => error.code);
  await db.exec('rollback');
  return state;
}

function said(sql: string): string | undefined {
  const [history] = readHistories(memoryFiles({ 'db/001.sql': schema, 'db/002.sql': `${sql};` }), { tool: 'psql' }).histories;
  const steps = [...replay(history!, { role: 'postgres' })].flatMap(migration => migration.steps);
  return steps.findLast(step => step.refusal !== undefined)?.refusal?.sqlstate;
}

const block = (body: string): string => `do $$ declare n int; v boolean := true; r record; begin ${body} end $$`;
const unpopulated = [
  'if exists (select 1 from mu) then null; end if;', 'if not exists (select from mu where id = 1) then null; end if;', 'if (select count(*) from mu) > 0 then null; end if;',
  'if (select id from vu limit 1) is null then null; end if;', 'n := (select max(id) from mu);', 'if exists (with w as (select * from mu) select from w) then null; end if;',
  'n := 1 + coalesce((select max(id) from t), 0) + (select count(*) from mu);', 'if 1 in (select id from mu) then null; end if;',
  'for r in select * from mu loop null; end loop;', 'perform 1 from mu;', 'execute (select max(id)::text from mu);',
];
const missing = [
  'if exists (select 1 from gone) then null; end if;', 'if v or exists (select from gone) then null; end if;', 'n := (select id from public.gone);', 'if (case when v then true else exists (select from gone) end) then null; end if;',
];
const fine = [
  'if exists (select 1 from mv) then null; end if;', 'if exists (select from vv) then null; end if;', 'if exists (with mu as (select 1 as id) select from mu) then null; end if;',
  'if exists (with gone as (select 1 as id) select from gone) then null; end if;', 'if exists (select from t) then null; end if;', 'if true then null; elsif exists (select from mu) then null; end if;',
  'if exists (select from pg_matviews) then null; end if;', 'begin if exists (select from gone) then null; end if; exception when undefined_table then null; end;',
  'begin n := (select max(id) from mu); exception when object_not_in_prerequisite_state then null; end;',
];

test.each([...unpopulated, ...missing, ...fine])('%s', async body => {
  const sql = block(body);
  expect([body, said(sql)]).toEqual([body, await came(sql)]);
});

test.each([['v or exists (select from mu)', undefined], ['v and exists (select from mu)', '55000'], ['coalesce(n, (select max(id) from mu)) > 0', '55000'], ['not v and exists (select from mu)', undefined]])(
  'nothing is said of a sub-query that the planner may leave out: %s', async (condition, state) => {
    const sql = block(`if ${condition} then null; end if;`);
    expect([await came(sql), said(sql)]).toEqual([state, undefined]);
  },
);

test('nothing is said of the condition of WHILE, nor of one that comes after another that only the data decides', async () => {
  for (const body of ['while exists (select from mu) loop exit; end loop;', 'if exists (select from vv) then null; elsif exists (select from mu) then null; end if;'])
    expect([await came(block(body)), said(block(body))]).toEqual(['55000', undefined]);
});
