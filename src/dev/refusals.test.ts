/** Statements that Postgres refuses for what the history shows, one at a time: the replay says the same SQLSTATE, or nothing where it runs. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refusalBench } from './refusal.ts';

const schema = `
  create table t1 (id int, k int); create table t2 (id int); create index i2 on t2 (id); create index ip on t1 (k) where k > 0;
  create index gone on t1 (id); drop index gone; create table dropped (id int); drop table dropped;
  create materialized view m1 as select * from t1; create index m1_id on m1 (id); create index mp on m1 (id) where id > 0;
  create materialized view mu as select * from t1 with no data; create index mu_id on mu (id); create view v1 as select 1 as a;
  create sequence s1; create function tf() returns trigger language plpgsql as $$ begin return new; end $$;`;

const statements = [
  'cluster t1 using i2', 'cluster t1 using gone', 'cluster t1 using t2', 'cluster t1 using ip', 'cluster m1 using i2', 'cluster m1 using mp',
  'cluster m1 using m1_id', 'cluster mu using mu_id', 'cluster v1 using i2', 'cluster dropped using i2',
  'insert into m1 select * from t1', 'insert into m1 select * from mu', 'insert into m1 select 1, 2 where exists (select from mu)',
  'insert into m1 select 1, (select id from mu)', 'update m1 set id = 1 where exists (select from mu)', 'insert into m1 values ((select id from mu), 2)',
  'delete from m1 where id in (select id from mu)', 'delete from m1 where exists (select from mu where mu.id = m1.id)', 'delete from m1',
  'truncate m1', 'truncate t1, m1', 'truncate m1, dropped', 'truncate dropped, m1', 'truncate mu cascade', 'truncate v1', 'truncate s1', 'truncate t1',
  'lock table m1', 'lock table t1, m1 in share mode', 'lock table v1',
  'select * from m1 for update', 'select * from mu for share', 'select * from m1 where false for key share', 'select * from m1, t1 for update',
  'select * from m1, t1 for update of t1', 'select * from m1 x join t1 on true for no key update of x', 'select * from m1 for update skip locked',
  'with m1 as (select * from t1) select * from m1 for update', 'select * from m1 limit 1',
  'do $$ begin perform 1 from m1 for update; end $$', 'select exists (select from t1) from m1 for update', 'insert into t1 select id, k from m1 for update',
  'create trigger tr after insert on m1 for each row execute function tf()', 'create trigger tr before truncate on m1 execute function nowhere()',
  'create trigger tr after insert on s1 execute function tf()', 'create trigger tr after insert on t1 for each row execute function tf()',
  'update t2 set id = (select max(id) from mu)', 'update t2 set id = mu.id from mu', 'delete from t2 where id in (select id from mu)', 'delete from t2 using mu where mu.id = t2.id',
  'copy (select * from mu) to stdout', 'copy (select * from m1) to stdout', 'update t2 set id = 1', 'delete from t2 where id = (select max(id) from m1)',
];
/** Refused by Postgres, and known to be left alone by the replay: what the lock reaches through, and what is refused for another reason first. */
const left = [
  'select * from (select * from m1) m for update of m', 'select count(*) from m1 for update', 'select * from t1 left join m1 on true for update',
  'with c as (select * from m1 for update) select * from c',
];

const bench = refusalBench(schema);
beforeAll(() => bench.start(), 60_000);
afterAll(() => bench.end());

test.each(statements)('%s', async sql => {
  const { came, said } = await bench.ask(sql);
  expect(said).toBe(came);
});

test.each(left)('%s is refused, and nothing is said of it', async sql => {
  const { came, said } = await bench.ask(sql);
  expect([typeof came, said]).toEqual(['string', undefined]);
});
