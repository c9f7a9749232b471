import { beforeAll, describe, expect, test } from 'vitest';
import type { Trace, TracedStatement } from '../../model.ts';
import { memoryFiles } from '../../read/files.ts';
import { readHistories } from '../../read/read.ts';
import { traceHistory, type TraceOptions } from './trace.ts';

/** Traces files of plain SQL on the embedded server. */
async function traced(files: Readonly<Record<string, string>>, options: TraceOptions = {}): Promise<Trace> {
  const [history] = readHistories(memoryFiles(files), { tool: 'psql' }).histories;
  if (history === undefined) throw new Error('no history');
  return traceHistory(history, options);
}

const statementsOf = (trace: Trace): readonly TracedStatement[] => trace.migrations.flatMap(({ statements }) => statements);
const found = (trace: Trace, sql: string): TracedStatement => {
  const statement = statementsOf(trace).find(one => one.sql.startsWith(sql));
  if (statement === undefined) throw new Error(`no statement ${sql}`);
  return statement;
};
const locks = ({ locks: seen }: TracedStatement): unknown => ('unseen' in seen ? seen : seen.map(({ relation, mode }) => `${relation} ${mode}`));
const rows = ({ rows: seen }: TracedStatement): unknown =>
  ('unseen' in seen ? seen : seen.map(({ relation, rewritten, inserted, updated, deleted }) => `${relation} ${rewritten ? 'anew ' : ''}+${inserted ?? '?'} ~${updated} -${deleted}`));
const changes = ({ changes: seen }: TracedStatement): unknown => ('unseen' in seen ? seen : seen.map(({ action, kind, name, says }) => `${action} ${kind} ${name}${says === undefined ? '' : `: ${says}`}`));

describe('a history, statement by statement', () => {
  let trace: Trace;
  beforeAll(async () => {
    trace = await traced({
      '001.sql': `create table orders (id int primary key, placed date not null, total numeric not null);
        insert into orders select n, date '2024-01-01' + n % 10, n from generate_series(1, 500) n;
        create materialized view sales as select placed, sum(total) as total from orders group by placed;
        create unique index sales_key on sales (placed);
        create materialized view seen as select id, now() as at from orders;
        create unique index seen_key on seen (id);`,
      '002.sql': `refresh materialized view concurrently sales;
        refresh materialized view concurrently seen;
        refresh materialized view sales;
        grant select on sales to reader;
        comment on materialized view sales is 'by day';`,
      '003.sql': `begin;
        create materialized view sales_next as select placed, sum(total) as total, count(*) as orders from orders group by placed;
        refresh materialized view sales_next;
        alter materialized view sales rename to sales_old;
        alter materialized view sales_next rename to sales;
        update orders set total = total + 1 where id <= 20;
        lock table orders in share mode;
        commit;`,
      '004.sql': `alter table orders add column note text not null default '';
        create index concurrently orders_placed on orders (placed);
        vacuum full seen;
        drop materialized view sales_old cascade;
        refresh materialized view concurrently sales;
        begin; refresh materialized view no_such; select 1; rollback;
        set statement_timeout = '1ms';
        select pg_sleep(1);
        reset statement_timeout;
        create table late (id int primary key, parent int references late deferrable initially deferred);
        insert into late values (1, 2);
        begin; set transaction isolation level serializable; delete from orders where id = 1; commit;
        alter table orders alter column id type bigint;`,
    });
  }, 60_000);

  test('a concurrent refresh writes what differs, and now() differs in every row', () => {
    expect(rows(found(trace, 'refresh materialized view concurrently sales'))).toEqual([]);
    expect(rows(found(trace, 'refresh materialized view concurrently seen'))).toEqual(['public.seen +500 ~0 -500']);
    expect(locks(found(trace, 'refresh materialized view concurrently sales'))).toEqual(['public.orders AccessShareLock', 'public.sales ExclusiveLock']);
  });
  test('a plain refresh writes all of it, in the transaction that made it, too', () => {
    expect(rows(found(trace, 'refresh materialized view sales;'.slice(0, -1)))).toEqual(['public.sales anew +10 ~0 -0']);
    expect(rows(found(trace, 'refresh materialized view sales_next'))).toEqual(['public.sales_next anew +10 ~0 -0']);
    expect(rows(found(trace, 'create materialized view sales_next'))).toEqual(['public.sales_next +10 ~0 -0']);
  });
  test('locks on what the transaction made are nobody\'s to meet; the others are held to its end', () => {
    expect(locks(found(trace, 'refresh materialized view sales_next'))).toEqual([]);
    const rename = found(trace, 'alter materialized view sales rename');
    expect(locks(rename)).toEqual(['public.sales AccessExclusiveLock']);
    expect(changes(rename)).toEqual(['renamed materialized view public.sales_old: public.sales']);
    const [lock] = 'unseen' in rename.locks ? [] : rename.locks;
    expect(lock?.held).toBeGreaterThan(rename.ms);
    expect(locks(found(trace, 'lock table'))).toEqual(['public.orders ShareLock']);
    expect(rows(found(trace, 'update orders'))).toEqual(['public.orders +0 ~20 -0']);
  });
  test('the transactions of a migration are counted', () => {
    expect(trace.migrations[2]?.statements.map(({ transaction }) => transaction)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    expect(trace.migrations[0]?.statements.map(({ transaction }) => transaction)).toEqual([1, 2, 3, 4, 5, 6]);
  });
  test('the catalog, before and after', () => {
    expect(changes(found(trace, 'create table orders'))).toEqual(['created table public.orders', 'created index public.orders_pkey on orders']);
    expect(changes(found(trace, 'grant'))).toEqual(['changed materialized view public.sales: grants +reader SELECT']);
    expect(changes(found(trace, 'comment'))).toEqual(['changed materialized view public.sales: comment none -> by day']);
    expect(changes(found(trace, 'alter table orders add'))).toEqual(['changed table public.orders: columns +note text not null']);
    expect(changes(found(trace, 'drop materialized view'))).toEqual(['dropped materialized view public.sales_old', 'dropped index public.sales_key on sales_old']);
    expect(trace.notes).toEqual([expect.stringContaining('the role reader')]);
  });
  test('what cannot run in a transaction runs without one, and its locks are not seen', () => {
    const built = found(trace, 'create index concurrently');
    expect(built.fate).toEqual({ is: 'ran' });
    expect(built.transaction).toBe(0);
    expect(built.locks).toEqual({ unseen: expect.stringContaining('cannot run in a transaction') });
    expect(changes(built)).toEqual(['created index public.orders_placed on orders']);
    expect(found(trace, 'vacuum full').fate).toEqual({ is: 'ran' });
  });
  test('refusals, what follows them, and what a COMMIT refuses', () => {
    expect(found(trace, 'refresh materialized view concurrently sales').fate).toEqual({ is: 'ran' });
    expect(statementsOf(trace).filter(({ sql }) => sql.startsWith('refresh materialized view concurrently sales'))[1]?.fate).toMatchObject({ is: 'refused', answer: { sqlstate: '55000' } });
    expect(found(trace, 'refresh materialized view no_such').fate).toMatchObject({ is: 'refused', answer: { sqlstate: '42P01' } });
    expect(found(trace, 'select 1').fate).toMatchObject({ is: 'skipped' });
    expect(found(trace, 'insert into late').fate).toMatchObject({ is: 'refused', answer: { sqlstate: '23503' } });
    expect(found(trace, 'alter table orders alter').fate).toMatchObject({ is: 'refused', answer: { sqlstate: '0A000' } });
  });
  test('what the migration sets for itself does not blind the looks', () => {
    expect(found(trace, 'set transaction').fate).toEqual({ is: 'ran' });
    expect(rows(found(trace, 'delete from orders'))).toEqual(['public.orders +0 ~0 -1']);
    expect(changes(found(trace, 'create table late'))).toContain('created table public.late');
  });
});

test('what is named is told, and what comes before it runs', async () => {
  const trace = await traced({
    '001.sql': 'create table t (id int primary key, at date not null); create materialized view v as select at, count(*) as n from t group by at;', '002.sql': 'refresh materialized view v;',
  }, { only: ({ id }) => id.startsWith('002'), rows: 40 });
  expect(trace.migrations.map(({ id }) => id)).toEqual([expect.stringContaining('002')]);
  expect(trace.notes).toEqual(['public.t: 40 made-up rows']);
  expect(statementsOf(trace)).toHaveLength(1);
  expect(rows(found(trace, 'refresh'))).toEqual([expect.stringMatching(/^public\.v anew \+[1-9]/)]);
}, 60_000);

test('of what is left out nothing is told, and the rest goes on', async () => {
  const trace = await traced({
    '001.sql': `create extension timescaledb; create table t (id int); insert into t values (1);
      begin; create table u (id int); copy t from program 'true'; insert into u values (1), (2); commit; drop table t;`,
  });
  for (const sql of ['create extension', 'copy']) expect(found(trace, sql)).toMatchObject({ fate: { is: 'leftOut' }, rows: { unseen: expect.any(String) }, changes: { unseen: expect.any(String) } });
  expect(rows(found(trace, 'insert into u'))).toEqual(['public.u +2 ~0 -0']);
  expect(locks(found(trace, 'drop table t'))).toEqual(['public.t AccessExclusiveLock']);
}, 60_000);

test('a role that may refresh and not read is not disturbed by the count', async () => {
  const trace = await traced({
    '001.sql': `create table t (id int); insert into t values (1); create materialized view v as select id from t; create role keeper; grant maintain on v to keeper;
      begin; set local role keeper; refresh materialized view v; commit; select 1;`,
  });
  const refresh = found(trace, 'refresh');
  expect([refresh.fate, refresh.rows]).toEqual([{ is: 'ran' }, [{ relation: 'public.v', kind: 'matview', rewritten: true, updated: 0, deleted: 0 }]]);
  expect(statementsOf(trace).map(({ fate }) => fate.is)).toEqual(statementsOf(trace).map(() => 'ran'));
}, 60_000);

test('code that commits runs as it would', async () => {
  const trace = await traced({
    '001.sql': `create table t (id int primary key);
      create procedure twice() language plpgsql as $$ begin insert into t values (1); commit; insert into t values (2); end $$;
      call twice();`,
  });
  const call = found(trace, 'call');
  expect(call.fate).toEqual({ is: 'ran' });
  expect(call.transaction).toBe(0);
  expect(call.rows).toEqual({ unseen: expect.any(String) });
}, 60_000);
