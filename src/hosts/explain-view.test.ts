import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** The command as people run it: the bundle (`npm run build` makes it). */
const cli = join(import.meta.dirname, '../../dist/cli.cjs');
let folder = '';

const files = {
  '001_shop.sql': `create table customer (id int primary key, email text unique, region text);
create table orders (id int primary key, customer_id int not null references customer, amount numeric not null, placed_on date not null);`,
  '002_sales.sql': `create materialized view daily_sales as
  select placed_on, c.region, sum(amount) as total, now() as seen
  from orders o left join customer c on c.id = o.customer_id group by 1, 2;
create unique index daily_sales_key on daily_sales (placed_on);
create materialized view order_customer as select o.id, c.id as cid from orders o join customer c on c.id = o.customer_id with no data;
create view by_region as select region from daily_sales;
create function refresh_all() returns void language plpgsql as $$ begin refresh materialized view concurrently daily_sales; end $$;
create schema old;
create view old.by_region as select 1 as a;`,
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mvlint-view-'));
  mkdirSync(join(folder, 'migrations'));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, 'migrations', path), text);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...words: readonly string[]): { readonly status: number | null; readonly out: string; readonly err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'explain-view', ...words], { cwd: folder, encoding: 'utf8',
    env: { PATH: process.env['PATH'] } });
  return { status, out: stdout, err: stderr };
}

test('the page of a view says what its columns, keys and indexes are, with places', () => {
  const { status, out, err } = run('daily_sales', 'migrations');
  expect(err).toBe('');
  expect(status).toBe(0);
  for (const line of [
    'materialized view daily_sales  migrations/002_sales.sql:1:1', 'Populated.', '  placed_on  date                      never NULL',
    '  region     text                      can be NULL',
      'now() reads the clock, which every refresh sees anew  migrations/002_sales.sql:2:53',
    '  (placed_on, region)  region may be NULL', '  table customer (id, region)', '  view by_region',
      '  function refresh_all(), concurrently',
    'CONCURRENTLY can use it, but rows can repeat its columns',
      'But rows can repeat (placed_on): a refresh fails on the day they do (23505).',
  ]) expect(out).toContain(line);
});

test('the key that the query proves is written as a statement', () => {
  const { out } = run('order_customer');
  expect(out).toContain('Not populated: reading it fails (55000).');
  expect(out).toContain('CREATE UNIQUE INDEX ON public.order_customer (id);');
});

test('machines get the same with lines and columns', () => {
  const { status, out } = run('public.daily_sales', 'migrations', '--format', 'json');
  expect(status).toBe(0);
  const { view } = JSON.parse(out) as { view: Record<string, unknown> };
  expect(view).toMatchObject({
    name: 'daily_sales', kind: 'materialized view', populated: true, keys: [{ columns: ['placed_on', 'region'], nullable: ['region'] }],
    concurrently: { possible: true, statement: null }, indexes: [{ usable: true, holds: 'no' }],
    columns: [{ name: 'placed_on', type: 'date', nullable: false, taints: [] }, { name: 'region', nullable: true }, { name: 'total' },
      { name: 'seen', taints: [{ cause: 'clock' }] }],
  });
  expect(view['madeAt']).toMatchObject({ path: 'migrations/002_sales.sql', start: { line: 1, column: 1 } });
});

test.each([
  [['nope'], `there is no view 'nope' at the end of the migrations`], [['dayly_sales'], `did you mean 'daily_sales'?`], [['by_region'],
    'public.by_region, old.by_region; name its schema'],
  [['orders'], 'table orders is no view'], [[], 'takes the name of a view'], [['a.b.c'], 'is not the name of a view'],
    [['daily_sales', 'missing.sql'], 'missing.sql'],
])('%j is an error of use', (words, says) => {
  const { status, out, err } = run(...words);
  expect(status, err).toBe(2);
  expect(out).toBe('');
  expect(err).toContain(says);
  expect(err.trim().split('\n')).toHaveLength(1);
});
