import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ViewAnswers } from '../index.ts';

/** The command as people run it: the bundle (`npm run build` makes it). */
const cli = join(import.meta.dirname, '../../dist/cli.cjs');
let folder = '';

const migration = `create extension pg_ivm;
create schema app;
create table orders (id bigint primary key, customer_id bigint not null, placed_at timestamptz not null, total numeric not null);
create materialized view daily_sales as
  select placed_at::date as day, count(*) as orders, sum(total) as total
  from orders group by 1 having count(*) > 3 order by 1;
create materialized view app.spread as select customer_id, stddev(total) as s from orders group by 1;
create materialized view strange as select id from somewhere_else;
create view plain as select id, total from orders;
select pgivm.create_immv('totals', 'select customer_id, sum(total) as total from orders group by customer_id');
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mvlint-ivm-'));
  mkdirSync(join(folder, 'migrations'));
  writeFileSync(join(folder, 'migrations/001_shop.sql'), migration);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...words: readonly string[]): { readonly status: number | null; readonly out: string; readonly err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'ivm', ...words], { cwd: folder, encoding: 'utf8', env: { PATH: process.env['PATH'] } });
  return { status, out: stdout, err: stderr };
}
const json = (...words: readonly string[]): readonly ViewAnswers[] => (JSON.parse(run(...words, '--format', 'json').out) as { readonly views: readonly ViewAnswers[] }).views;

test('one table of every view and engine, then each view with its obstacles and places', () => {
  const { status, out, err } = run('migrations');
  expect({ status, err }).toEqual({ status: 0, err: '' });
  expect(out.split('\n').slice(0, 5).map(line => line.replace(/ {2,}/g, ' | ').trim())).toEqual([
    '| pg_ivm | pg_trickle | TimescaleDB', 'daily_sales | no, rewritten yes | full, rewritten yes | no', 'app.spread | no | yes (differential) | no',
    'strange | unknown | unknown | no', 'totals | yes | yes (differential) | no',
  ]);
  expect(out).toContain('1 date(timestamp with time zone) is not immutable  migrations/001_shop.sql:5:10');
  expect(out).toContain('? not known: the relation somewhere_else');
  expect(out).toContain('it makes a unique index on (customer_id)');
  expect(out).not.toContain('create_immv');
});

test('a named view comes with the statements of its rewriting', () => {
  const { out } = run('daily_sales', 'migrations');
  expect(out).toContain("SELECT pgivm.create_immv('public.daily_sales_base', $$");
  expect(out).toContain("select (placed_at AT TIME ZONE 'UTC')::date as day, count(*) as orders, sum(total) as total");
  expect(out).toContain('SELECT day, orders, total FROM public.daily_sales_base WHERE orders > 3');
  expect(out).not.toContain('app.spread');
});

test('JSON holds the same answers, places in lines and columns', () => {
  const [view, ...others] = json('daily_sales', 'migrations');
  expect(others).toEqual([]);
  expect(view).toMatchObject({ name: 'daily_sales', kind: 'materialized view', madeAt: { path: 'migrations/001_shop.sql', start: { line: 4, column: 1 } } });
  const [ivm, trickle] = view!.engines;
  expect(ivm).toMatchObject({ engine: 'pg_ivm', is: 'refused', mode: null, because: null });
  expect(ivm!.obstacles.map(({ code }) => code)).toEqual(['mutable-function', 'having', 'order-by']);
  expect(ivm!.obstacles[0]).toMatchObject({ message: 'mutable function is not supported on incrementally maintainable materialized view', at: { start: { line: 5 } } });
  expect(ivm!.rewriting?.statements).toHaveLength(2);
  expect(trickle).toMatchObject({ is: 'eligible', mode: 'full', rewriting: { mode: 'differential', onTop: null } });
  expect(json('migrations').map(({ name, kind }) => `${kind} ${name}`)).toEqual([
    'materialized view daily_sales', 'materialized view app.spread', 'materialized view strange', 'IMMV totals',
  ]);
  expect(json('plain', 'migrations').map(({ kind, engines }) => [kind, engines[0]?.is])).toEqual([['view', 'eligible']]);
});

test('what is asked wrongly is said in one line', () => {
  for (const [words, says] of [[['daily_sale', 'migrations'], "did you mean 'daily_sales'?"], [['nowhere/'], 'nowhere'], [['a.b.c', 'migrations'], "'a.b.c' is neither a path nor the name of a view"],
    [['--changed', 'migrations'], '--changed']] as const) {
    const { status, out, err } = run(...words);
    expect([status, out, err.trim().split('\n').length]).toEqual([2, '', 1]);
    expect(err).toContain(says);
  }
});

test('the version of pg_trickle decides', () => {
  writeFileSync(join(folder, 'mvlint.config.json'), JSON.stringify({ migrations: ['migrations'], ivm: { pg_trickle: { version: '0.67' } } }));
  expect(json('daily_sales')[0]?.engines[1]).toMatchObject({ is: 'eligible', mode: 'differential' });
  rmSync(join(folder, 'mvlint.config.json'));
});
