/** Statements that Postgres refuses for what the history shows, one at a time: the replay says the same SQLSTATE, or nothing where it runs. */
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { replay } from '../catalog/replay.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { ready } from '../sql/parse.ts';

const schema = `
  create table t1 (id int, k int); create table t2 (id int); create index i2 on t2 (id); create index ip on t1 (k) where k > 0;
  create index gone on t1 (id); drop index gone; create table dropped (id int); drop table dropped;
  create materialized view m1 as select * from t1; create index m1_id on m1 (id); create index mp on m1 (id) where id > 0;
  create materialized view mu as select * from t1 with no data; create index mu_id on mu (id); create view v1 as select 1 as a;`;

const statements = [
  'cluster t1 using i2', 'cluster t1 using gone', 'cluster t1 using t2', 'cluster t1 using ip', 'cluster m1 using i2', 'cluster m1 using mp',
  'cluster m1 using m1_id', 'cluster mu using mu_id', 'cluster v1 using i2', 'cluster dropped using i2',
  'insert into m1 select * from t1', 'insert into m1 select * from mu', 'insert into m1 select 1, 2 where exists (select from mu)',
  'insert into m1 select 1, (select id from mu)', 'update m1 set id = 1 where exists (select from mu)', 'insert into m1 values ((select id from mu), 2)',
  'delete from m1 where id in (select id from mu)', 'delete from m1 where exists (select from mu where mu.id = m1.id)', 'delete from m1',
  'update t2 set id = (select max(id) from mu)', 'update t2 set id = mu.id from mu', 'delete from t2 where id in (select id from mu)', 'delete from t2 using mu where mu.id = t2.id',
  'copy (select * from mu) to stdout', 'copy (select * from m1) to stdout', 'update t2 set id = 1', 'delete from t2 where id = (select max(id) from m1)',
];

let server: PGlite;
beforeAll(async () => {
  await ready();
  server = await PGlite.create();
  await server.exec(schema);
}, 60_000);
afterAll(() => server.close());

test.each(statements)('%s', async sql => {
  await server.exec('begin');
  const came = await server.exec(sql).then(() => undefined, (error: { code?: string }) => error.code);
  await server.exec('rollback');
  const [history] = readHistories(memoryFiles({ 'db/001.sql': schema, 'db/002.sql': `${sql};` }), { tool: 'psql' }).histories;
  const said = [...replay(history!, { role: 'postgres' })].flatMap(migration => migration.steps).findLast(step => step.refusal !== undefined)?.refusal?.sqlstate;
  expect(said).toBe(came);
});
