import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KeysGenerator } from '../dev/keys-generator.ts';
import { schema } from '../dev/keys-schema.ts';
import { serverForTests, testedMajors } from '../dev/lock-sessions.ts';
import type { History, Matview } from '../model.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { introspect } from './introspect.ts';
import { compareQueries } from './queries.ts';

const historyOf = (sql: string): History => {
  const [history] = readHistories(memoryFiles({ '001.sql': sql }), { tool: 'psql' }).histories;
  if (history === undefined) throw new Error('no history');
  return history;
};

/** Forms that versions print in words of their own, each beside one that means something else. */
const pairs: readonly (readonly [string, string])[] = [
  ['select id, total from orders where state in (\'a\', \'b\')', 'select id, total from orders where state in (\'a\', \'c\')'],
  ['select id from orders where total between 1 and 9', 'select id from orders where total between 1 and 10'],
  ['select o.id, c.name from orders o join customers c using (id)', 'select o.id, c.name from orders o left join customers c using (id)'],
  ['select * from orders', 'select id, state, total, placed + 0 as placed from orders'],
  ['select date_trunc(\'day\', now()) as day, count(*) from orders', 'select date_trunc(\'week\', now()) as day, count(*) from orders'],
  ['select sum(total) filter (where state = \'a\') as s from orders group by placed', 'select sum(total) filter (where state <> \'a\') as s from orders group by placed'],
  ['select rank() over w as r from orders window w as (partition by state order by total desc)', 'select rank() over w as r from orders window w as (partition by state order by total)'],
  ['with recent as (select * from orders where placed > \'2024-01-01\') select count(*) from recent', 'with recent as (select * from orders where placed > \'2024-01-02\') select count(*) from recent'],
  ['select id::varchar(5) as a, total * 1.5 as b, not (state = \'x\' or state is null) as c from orders', 'select id::varchar(5) as a, total * 1.6 as b, not (state = \'x\' or state is null) as c from orders'],
  ['select x.n from generate_series(1, 3) as x(n) union all select id from orders', 'select x.n from generate_series(1, 3) as x(n) union select id from orders'],
  ['select case state when \'a\' then 1 else 2 end as k, coalesce(total, 0) as t from orders order by k limit 5', 'select case state when \'a\' then 1 else 3 end as k, coalesce(total, 0) as t from orders order by k limit 5'],
  ['select (select max(total) from orders i where i.state = o.state) as m, exists (select from customers) as e from orders o', 'select (select min(total) from orders i where i.state = o.state) as m, exists (select from customers) as e from orders o'],
];
const base = `create table orders (id int primary key, state text, total numeric, placed date); create table customers (id int primary key, name text);`;

describe.each(testedMajors)('PostgreSQL %i', major => {
  const server = serverForTests(major);
  beforeAll(async () => {
    if (!server.missing) await server.start();
  });
  afterAll(async () => {
    if (!server.missing) await server.stop();
  });
  /** The views of a database that was made by these statements. */
  async function database(statements: readonly string[]): Promise<readonly Matview[]> {
    const client = await server.connect();
    await client.query('DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public');
    for (const sql of statements) await client.query(sql);
    const catalog = await introspect(async sql => (await client.query<Record<string, unknown>>(sql)).rows);
    return [...catalog.relations()].filter(relation => relation.kind === 'matview');
  }
  const matviews = (queries: readonly string[]): readonly string[] => queries.map((query, at) => `create materialized view v${at} as ${query} with no data`);

  test.skipIf(server.missing)('the same query is the same, whoever printed it; another one is another', async () => {
    const mine = pairs.map(([query]) => query);
    const history = historyOf(`${base}${matviews(mine).join(';\n')};`);
    const same = await compareQueries(history, await database([base, ...matviews(mine)]), { applied: 1, budget: 60_000 });
    expect(same).toEqual({ other: new Set(), compared: pairs.length });
    const different = await compareQueries(history, await database([base, ...matviews(pairs.map(([, query]) => query))]), { applied: 1, budget: 60_000 });
    expect(different.other.size).toBe(pairs.length);
  }, 120_000);

  test.skipIf(server.missing)('no difference is made up over generated queries', async () => {
    const generator = new KeysGenerator(7);
    const queries = Array.from({ length: 150 }, () => generator.query());
    const history = historyOf([...schema, ...matviews(queries)].join(';\n'));
    const client = await server.connect();
    await client.query('DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public');
    for (const sql of schema) await client.query(sql);
    for (const sql of matviews(queries)) await client.query(sql).catch(() => undefined);
    const catalog = await introspect(async sql => (await client.query<Record<string, unknown>>(sql)).rows);
    const views = [...catalog.relations()].filter(relation => relation.kind === 'matview');
    const { other, compared } = await compareQueries(history, views, { applied: 1, budget: 60_000 });
    expect([...other]).toEqual([]);
    expect(compared).toBeGreaterThan(130);
  }, 120_000);
});

test('what the database has not seen yet is not held against it, and nothing is said of what is not there', async () => {
  const history = readHistories(memoryFiles({
    '001.sql': `${base} create materialized view v as select id from orders;`, '002.sql': 'drop materialized view v; create materialized view v as select id + 1 as id from orders;',
  }), { tool: 'psql' }).histories[0]!;
  const view = (name: string, sql: string): Matview => {
    const statement = { sql, span: { path: 'database', start: 0, end: sql.length }, origins: [], ignores: [] };
    return { name: { schema: 'public', name }, query: { statement, start: 0, end: sql.length, names: [], searchPath: [], reads: [] } } as unknown as Matview;
  };
  const views = [view('v', 'SELECT orders.id FROM public.orders'), view('w', 'SELECT 1 AS one')];
  expect(await compareQueries(history, views, { applied: 1, budget: 60_000 })).toEqual({ other: new Set(), compared: 1 });
  expect((await compareQueries(history, views, { applied: 2, budget: 60_000 })).other).toEqual(new Set(['public.v']));
}, 60_000);
