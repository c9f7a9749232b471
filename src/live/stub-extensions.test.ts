import { expect, test } from 'vitest';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { proveClaims } from './prove.ts';
import { hasStub, stubSql, withoutTimescale } from './stub-extensions.ts';

test('the options of TimescaleDB go, and nothing else', () => {
  expect(withoutTimescale(`create materialized view a with (timescaledb.continuous, timescaledb.materialized_only = false) as select 1`)).toBe('create materialized view a  as select 1');
  expect(withoutTimescale('create table t (at timestamptz) with (timescaledb.hypertable);')).toBe('create table t (at timestamptz) ;');
  for (const sql of [`select 'with (timescaledb.continuous)'`, 'create table t (a int) with (fillfactor = 70)', 'select 1', 'create materialized view a with (timescaledb.continuous as select 1'])
    expect(withoutTimescale(sql)).toBe(sql);
});

test('there is a stand-in for what no embedded server has, and for nothing else', () => {
  expect(['pg_trickle', 'timescaledb', 'pg_ivm', 'postgis', 'constructor'].map(name => [hasStub(name), stubSql(name) !== undefined])).toEqual([
    [true, true], [true, true], [false, false], [false, false], [false, false],
  ]);
});

test('what follows runs, and the report says that a stand-in did it', async () => {
  const sql = `create extension pg_trickle; create extension timescaledb;
    create table m (at timestamptz not null, v int); select create_hypertable('m', 'at');
    select pgtrickle.create_stream_table('sums', 'select sum(v) as v from m', schedule => '1m');
    create view over_sums as select v from sums; select pgtrickle.alter_stream_table('sums', refresh_mode => 'FULL');
    create materialized view hourly with (timescaledb.continuous) as select time_bucket('1 hour', at) as hour, max(v) as v from m group by 1;
    create view over_hours as select hour from hourly; drop materialized view hourly cascade; select pgtrickle.drop_stream_table('sums', true);`;
  const [history] = readHistories(memoryFiles({ 'db/001.sql': sql.replaceAll('; ', ';\n') }), { tool: 'psql' }).histories;
  const { gaps, surprises } = await proveClaims(history!, [], new Map(), { budget: 60_000, postgres: 18 });
  expect(surprises).toEqual([]);
  expect(gaps.map(({ because }) => because)).toEqual(['pg_trickle', 'timescaledb'].map(name => expect.stringContaining(`the laboratory has no extension ${name}; a stand-in keeps its tables`)));
}, 60_000);
