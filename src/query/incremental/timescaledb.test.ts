import { beforeAll, describe, expect, test } from 'vitest';
import { replayedCatalog, statementOf } from '../../dev/replayed.ts';
import type { Catalog } from '../../model.ts';
import { timescaleEligibility } from './timescaledb.ts';

let catalog: Catalog;
beforeAll(async () => {
  catalog = replayedCatalog([
    'create table m (at timestamptz not null, device bigint, v double precision, day date)', `select create_hypertable('m', 'at')`,
    'create table m2 (at timestamptz not null, v double precision)', `select create_hypertable('m2', by_range('at', interval '1 day'))`,
    'create table m3 (at timestamptz not null, v double precision) with (timescaledb.hypertable, timescaledb.partition_column = \'at\')',
    'create table devices (id bigint primary key, name text)', 'create view pv as select at, v from m', 'create materialized view mv as select at, v from m',
    `create materialized view hourly with (timescaledb.continuous) as select time_bucket('1 hour', at) as hour, device, avg(v) as v from m group by 1, 2`,
    'create table secret (at timestamptz not null, v int)', `select create_hypertable('secret', 'at')`, 'alter table secret enable row level security',
  ]);
});

function answer(sql: string, version?: string): string {
  const { obstacles, ...rest } = timescaleEligibility(statementOf(sql), catalog, version === undefined ? {} : { version });
  const codes = obstacles.map(({ code }) => code).join(', ');
  return rest.is === 'unknown' ? `unknown (${rest.because})` : `${rest.is}${codes === '' ? '' : `: ${codes}`}`;
}
const bucket = `time_bucket('1 hour', at)`;

test.each([
  `select ${bucket} as hour, avg(v) as v from m group by 1`, `select ${bucket} as hour, device, count(*) from m where v > 1 group by hour, device having count(*) > 3`,
  `select ${bucket} as hour, max(v) from m2 group by ${bucket}`, `select ${bucket} as hour, max(v) from m3 group by ${bucket}`, `select ${bucket} as hour, avg(v) as v from m where at > now() - interval '1 day' group by 1`,
  `select ${bucket} as hour, avg(v) as v from m group by 1 order by 1`, `select time_bucket('1 day', hour) as day, avg(v) from hourly group by 1`,
  `select time_bucket(interval '1 hour', at) as hour, jsonb_agg(v) from m group by 1`,
])('eligible: %s', sql => expect(answer(sql)).toBe('eligible'));

test.each([
  [`select 1 as one`, 'no-from, no-group-by'], [`select ${bucket} as hour, row_number() over () from m group by 1`, 'window'], [`select distinct ${bucket} as hour from m group by 1`, 'distinct'],
  [`select ${bucket} as hour, avg(v) from m group by 1 limit 3`, 'limit'], [`with x as (select 1 as one) select ${bucket} as hour, avg(v) from m group by 1`, 'cte'],
  [`select ${bucket} as hour, avg(v) from m where device in (select id from devices) group by 1`, 'sub-query'], [`select ${bucket} as hour, avg(v) from secret group by 1`, 'row-security'],
  [`select ${bucket} as hour, avg(v) from m group by rollup (1)`, 'grouping-sets, no-time-bucket'], [`select ${bucket} as hour, avg(v) from m group by 1 union all select at, v from m`, 'set-operation'],
  [`select at, v from m`, 'no-group-by'], [`select ${bucket} as hour, avg(v) from devices, m, m2 x group by 1`, 'several-hypertables'],
  [`select ${bucket} as hour, avg(v) from pv group by 1`, 'view'], [`select ${bucket} as hour, avg(v) from mv group by 1`, 'matview'], [`select ${bucket} as hour, avg(v) from (select * from m) x group by 1`, 'from-item'],
  [`select ${bucket} as hour, avg(v) from only m group by 1`, 'only'], [`select ${bucket} as hour, avg(v) from m tablesample system (1) group by 1`, 'tablesample'],
  [`select date_trunc('hour', at) as hour, avg(v) from m group by 1`, 'no-time-bucket, mutable-function'], [`select ${bucket} as hour, time_bucket('1 day', at) as d, avg(v) from m group by 1, 2`, 'several-time-buckets'],
  [`select time_bucket(v * interval '1 hour', at) as hour, count(*) from m group by 1`, 'bucket-width'], [`select time_bucket('1 day', day) as d, count(*) from m group by 1`, 'bucket-column'],
  [`select ${bucket} as hour, max(at)::text as last from m group by 1`, 'mutable-function'], [`select time_bucket('1 day', at + interval '1 hour') as d, count(*) from m group by 1`, 'bucket-column, mutable-function'],
])('refused: %s', (sql, codes) => expect(answer(sql)).toBe(`refused: ${codes}`));

describe('what a version decides', () => {
  const joined = `select ${bucket} as hour, d.name, avg(v) from m join devices d on d.id = m.device group by 1, 2`;
  test('up to 2.12 one inner join on one equality', () => {
    expect(answer(joined, '2.11')).toBe('eligible');
    expect(answer(joined.replace('join', 'left join'), '2.11')).toBe('refused: join');
    expect(answer(joined.replace('d.id = m.device', 'd.id = m.device and d.id > 3'), '2.11')).toBe('refused: join');
  });
  test('later nothing is claimed of joins', () => expect(answer(joined)).toBe('unknown (which joins this version of TimescaleDB takes)'));
});

test('a table that the history does not make a hypertable is none in a closed world', () => {
  expect(answer(`select ${bucket} as hour, count(*) from (select 1) x group by 1`)).toContain('refused');
  expect(answer(`select time_bucket('1 hour', name) as hour, count(*) from devices group by 1`)).toBe('refused: no-hypertable');
});
