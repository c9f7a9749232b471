import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { factsOf } from '../query/facts.ts';
import type { Catalog, Fix, Matview } from '../model.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { replay } from '../catalog/replay.ts';
import { random } from '../dev/history.ts';
import { clockOut } from './clock-out.ts';

const tables = `
create table customers (id bigint primary key, name text not null, born date not null, "Since" timestamptz not null);
create table orders (id bigint primary key, customer_id bigint references customers, placed_at timestamptz not null, due_on date, total numeric not null, note text);
insert into customers values (1, 'Ada', '1990-02-03', '2001-01-01'), (2, 'Bob', '1985-05-06', '2011-01-01'), (3, 'Cyd', '1970-12-31', '2021-01-01');
insert into orders select i, 1 + i % 3, '2024-01-01'::timestamptz + i * interval '36 hours', case when i % 4 > 0 then date '2024-02-01' + i end, i * 1.5, case when i % 5 > 0 then 'note ' || i end
  from generate_series(1, 24) i;
create function half(n numeric) returns numeric immutable language sql as $$ select n / 2 $$;
`;

let db: PGlite;
beforeAll(async () => {
  db = await PGlite.create();
});
afterAll(() => db.close());

/** The fix for the view m of a history, its text before and after. */
function fixed(...statements: readonly string[]): { readonly fix: Fix | undefined; readonly text: string; readonly end: Catalog } {
  const file = `${tables}${statements.map(sql => `${sql};\n`).join('')}`;
  const history = readHistories(memoryFiles({ 'db/1.sql': file }), { tool: 'psql' }).histories[0]!;
  const run = replay(history, { postgres: 18 });
  let next = run.next();
  while (next.done !== true) next = run.next();
  const end = next.value;
  const found = end.find({ name: 'm' });
  const matview = (found.is === 'present' ? found.object : undefined) as Matview;
  const { columns } = factsOf(matview, end);
  if ('unknown' in columns) throw new Error(columns.unknown);
  const clocked = columns.filter(({ taints }) => taints.some(({ cause }) => cause === 'clock')).map(({ name }) => name);
  const fix = clockOut(matview, clocked, end);
  const edits = fix !== undefined && 'edits' in fix ? [...fix.edits].sort((a, b) => b.span.start - a.span.start) : [];
  return { fix, end, text: edits.reduce((text, { span, text: given }) => text.slice(0, span.start) + given + text.slice(span.end), file) };
}

/** What each of these selections shows after the script, all at one moment. */
async function shown(script: string, ...selections: readonly string[]): Promise<readonly unknown[]> {
  await db.exec('begin');
  try {
    await db.exec(script);
    const found: unknown[] = [];
    for (const selection of selections) found.push((await db.query<{ all: unknown }>(`select coalesce(json_agg(x order by x::text), '[]') as all from (select ${selection}) x`)).rows[0]?.all);
    return found;
  } finally {
    await db.exec('rollback');
  }
}

const moved: readonly (readonly [query: string, columns: string])[] = [
  ['select id, placed_at, now() - placed_at as age from orders', 'id, placed_at, age'],
  ['select now() - placed_at as age, id, placed_at from orders', 'age, id, placed_at'],
  ['select id, now() - placed_at as age, total from orders', 'id, age, total'],
  ['select now() - o.placed_at age, o.id from orders o', 'age, id'],
  ['select o.id, (current_date - o.due_on) * 2 as days, o.due_on as due from orders as o', 'id, days, due'],
  ['select *, now() - placed_at as age from orders', 'id, placed_at, total, age'],
  ['select o.*, age(now(), c."Since") as since, c."Since" from orders o join customers c on c.id = o.customer_id', 'id, since, "Since"'],
  ['select o.*, now() - o.placed_at as age, extract(year from age(now(), c.born)) as years from orders o join customers c on c.id = o.customer_id', 'id, age, years'],
  ["select c.name, max(o.placed_at) as last, now() - max(o.placed_at) as idle from orders o join customers c on c.id = o.customer_id group by c.name", 'name, last, idle'],
  ['select c.name, now() - max(o.placed_at) as idle, count(*) from orders o join customers c on c.id = o.customer_id group by c.name', 'name, idle, count'],
  ["select customer_id, now() - (max(placed_at) filter (where note is not null))::timestamptz as idle from orders group by customer_id", 'customer_id, idle'],
  ["select id, now() - lag(placed_at) over (order by id) as gap, total from orders", 'id, gap, total'],
  ["select id, case when note is null then now() - placed_at else coalesce(age(due_on), interval '0') end as age from orders", 'id, age'],
  ["select id, /* since it came, */ now() - placed_at /* as a length */ as age -- a comment, from the past\n, total from orders", 'id, age, total'],
  ["select id, now()::date - due_on as late, due_on is distinct from current_date as other from orders", 'id, late, other'],
  ["with recent as (select * from orders where total > 3) select r.id, now() - r.placed_at as age from recent r order by r.total", 'id, age'],
  ['select id, now() - placed_at as "Age of it", note as "order" from orders limit 5', 'id, "Age of it", "order"'],
  ['select id, greatest(now(), placed_at) as latest, to_char(now() - placed_at, \'DD\') as days from orders', 'id, latest, days'],
  ["select id, now() - placed_at from orders", 'id, "?column?"'],
];

test.each(moved)('a view on top shows the same: %s', async (query, columns) => {
  const statements = [`create materialized view m as ${query}`];
  const { fix, text } = fixed(...statements);
  expect(fix?.title).toMatch(/^Compute .* in a view on top, m_now, for the readers$/);
  const [now, was] = await shown(text, `${columns} from m_now`, `${columns} from (${query}) q`);
  expect(now).toEqual(was);
  // The view beneath has no clock any more.
  const history = readHistories(memoryFiles({ 'db/1.sql': text }), { tool: 'psql' }).histories[0]!;
  const run = replay(history, { postgres: 18 });
  let next = run.next();
  while (next.done !== true) next = run.next();
  const m = next.value.find({ schema: 'public', name: 'm' });
  const facts = factsOf((m.is === 'present' ? m.object : undefined) as Matview, next.value);
  expect('unknown' in facts.columns ? facts.columns : facts.columns.flatMap(({ taints }) => taints.filter(({ cause }) => cause === 'clock'))).toEqual([]);
});

test('the view on top stands where the view does: beside it in the search path, or in the schema that the statement names', async () => {
  const query = 'select id, placed_at, now() - placed_at as age, now() as at from public.orders';
  const unqualified = fixed('create schema app', 'set search_path to app', `create materialized view m as ${query}`);
  expect(await shown(unqualified.text, 'count(*) from app.m_now', 'view_name from app.refresh_log')).toEqual([[{ count: 24 }], [{ view_name: 'app.m' }]]);
  const count = `count(*), bool_and(age = now() - placed_at) as same from public.m_now`;
  const behind = fixed('create schema app', `create materialized view m as ${query}`, 'set search_path to app, public');
  expect(await shown(behind.text, count, 'view_name from public.refresh_log')).toEqual([[{ count: 24, same: true }], [{ view_name: 'public.m' }]]);
  const named = fixed('create schema app', 'set search_path to app, public', `create materialized view public.m as ${query}`);
  expect(await shown(named.text, count, 'view_name from public.refresh_log')).toEqual([[{ count: 24, same: true }], [{ view_name: 'public.m' }]]);
});

test('what holds nothing but the clock becomes a row in a log', async () => {
  const { fix, text } = fixed('create materialized view m as select id, now() as refreshed_at, total from orders');
  expect(fix?.title).toBe('Keep the time of the refresh in refresh_log instead of refreshed_at; each job that refreshes writes its row');
  expect(await shown(text, "count(*), min(view_name), bool_and(refreshed_at = now()) as now, bool_and(m::text like '(%,%)') as two from m, refresh_log"))
    .toEqual([[{ count: 24, min: 'public.m', now: true, two: true }]]);
  const unfilled = fixed('create materialized view m as select id, now() as refreshed_at from orders with no data');
  expect(await shown(unfilled.text, 'count(*) from refresh_log')).toEqual([[{ count: 0 }]]);
});

test('both at once, and into a log that is there', async () => {
  const { fix, text } = fixed('create table refresh_log (view_name text primary key, refreshed_at timestamptz not null)',
    'create materialized view m as select now() as refreshed_at, clock_timestamp() as written_at, id, now() - placed_at as age from orders');
  expect(fix?.title).toBe('Compute age in a view on top, m_now, for the readers; keep the time of the refresh in refresh_log instead of refreshed_at, written_at; each job that refreshes writes its row');
  expect(await shown(text, 'count(*), count(distinct age) as ages from m_now', 'view_name from refresh_log')).toEqual([[{ count: 24, ages: 24 }], [{ view_name: 'public.m' }]]);
});

/** Select lists with clocks in them, in many spellings, over plain, grouped, windowed and joined rows. */
function generated(seed: number): { readonly query: string; readonly columns: readonly string[] } {
  const next = random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  const shape = pick(['plain', 'joined', 'grouped', 'window'] as const);
  const t = pick(['o.', '', 'orders.']) || '';
  const from = { plain: 'orders', joined: 'orders', grouped: 'orders', window: 'orders' }[shape] + (t === 'o.' ? pick([' o', ' as o']) : '');
  const q = shape === 'joined' && t === '' ? 'orders.' : t;
  const instant = (): string => (shape === 'grouped' ? pick([`max(${q}placed_at)`, `min(${q}placed_at) FILTER (WHERE ${q}total > 5)`, `(${q}customer_id * interval '1 day' + max( ${q}placed_at ))`])
    : shape === 'window' ? pick([`lag(${q}placed_at) OVER (ORDER BY ${q}id)`, `max(${q}placed_at) over w`, `${q}placed_at`, `first_value(${q}placed_at) over (partition by ${q}customer_id order by ${q}id)::timestamptz`])
      : shape === 'joined' ? pick([`${q}placed_at`, 'c."Since"', `greatest(${q}placed_at, c."Since")`]) : pick([`${q}placed_at`, `(${q}placed_at)`, `coalesce(${q}placed_at, '2020-01-01')`, `date_trunc('day', ${q}placed_at)`]));
  const clock = (): string => pick(['now()', 'now( )', 'current_timestamp', 'transaction_timestamp()', 'pg_catalog.now()', 'localtimestamp::timestamptz', "(now() - interval '1 hour')"]);
  const clocked = (): string => pick([
    () => `${clock()} - ${instant()}`, () => `age(${clock()}, ${instant()})`, () => `(${clock()} - ${instant()})::text`, () => `extract(epoch from ${clock()} - ${instant()})::numeric(12,1)`,
    () => `CASE WHEN ${instant()} IS NULL THEN '-' ELSE to_char(${clock()} - ${instant()}, 'DDD') END`, () => `current_date - (${instant()})::date`, () => `array[${clock()}, ${instant()}]`,
    () => `coalesce(${clock()} - ${instant()}, interval '0') /* from, the start */ * 2`, () => `nullif(${clock()}, ${instant()})`, () => `( ${instant()} - ${clock()} ) at time zone 'UTC' is distinct from null`.replace(" at time zone 'UTC'", ''),
  ])();
  const plain: readonly string[] = shape === 'grouped' ? [`${q}customer_id`, 'count(*) as n', `sum(${q}total) total`] : [`${q}id`, `${q}total`, `${q}placed_at`, `${q}note as "Note, from"`, `upper(${q}note) as loud`];
  const names = ['age', '"Age of"', 'since', 'kind', '"from"', 'year'];
  const clocks = Array.from({ length: 1 + Math.floor(next() * 2) }, (_, at) => `${clocked()} ${pick(['as ', 'AS\n  '])}${names[(seed + at) % names.length]!}`);
  const list = [...plain.filter((_, at) => at === 0 || next() < 0.5), ...clocks].map(item => ({ item, order: next() })).sort((a, b) => a.order - b.order).map(({ item }) => item);
  const joined = list.join(pick([', ', ',\n  ', ' , -- a note, from here\n']));
  const join = shape === 'joined' ? ` join customers c on c.id = ${q}customer_id` : '';
  const end = shape === 'grouped' ? ` group by ${q}customer_id` : shape === 'window' ? ` window w as (partition by ${q}customer_id)` : pick(['', ` where ${q}total > 3`, ` order by ${q}id limit 7`]);
  return { query: `select ${joined} from ${from}${join}${end}`, columns: list.map(item => /(?:[\w.]*\.)?("[^"]*"|\w+)$/.exec(item)![1]!) };
}

test('generated views: what is moved shows the same, and nothing breaks', async () => {
  let moved = 0;
  const kept: string[] = [];
  for (let seed = 1; seed <= 250; seed += 1) {
    const { query, columns } = generated(seed);
    const { fix, text } = fixed(create(query));
    if (fix === undefined) {
      kept.push(query);
      continue;
    }
    moved += 1;
    const list = columns.join(', ');
    const [now, was] = await shown(text, `${list} from m_now`, `${list} from (${query}) q`).catch((error: unknown) => expect.fail(`${String(error)}\n${query}\n${text.slice(tables.length)}`));
    expect([query, now]).toEqual([query, was]);
  }
  expect(kept.slice(0, moved >= 200 ? 0 : 20)).toEqual([]);
}, 120_000);

const create = (query: string): string => `create materialized view m as ${query}`;
const plain = create('select id, placed_at, now() - placed_at as age from orders');
test.each([
  ['a clock inside an aggregate', create('select customer_id, max(now() - placed_at) as age from orders group by customer_id')],
  ['DISTINCT', create('select distinct customer_id, now() - placed_at as age from orders')],
  ['UNION', create('select id, now() - placed_at as age from orders union all select id, now() - "Since" from customers')],
  ['ORDER BY a place', create('select now() - placed_at as age, id from orders order by 2')],
  ['ORDER BY its name', create('select id, now() - placed_at as age from orders order by age desc limit 3')],
  ['GROUP BY a place', create('select customer_id, now() - max(placed_at) as age from orders group by 1')],
  ['names in front of AS', 'create materialized view m (id, age) as select id, now() - placed_at from orders'],
  ['a sub-select in the expression', create('select id, now() - (select max(placed_at) from orders) as age from orders')],
  ['a routine of the history', create('select id, half(total) * extract(day from now() - placed_at) as n from orders')],
  ['the clock behind a CTE', create('with o as (select id, now() - placed_at as age from orders) select id, age from o')],
  ['nothing left', create('select now() as at from orders')],
  ['no FROM', create('select 1 as id, now() as at')],
  ['an index over the column', plain, 'create index m_age on m (age)'],
  ['an index that mentions it', plain, "create index m_id on m (id) where age > interval '1 day'"],
  ['a view that reads it', plain, 'create view v as select age from m'],
  ['a comment on it', plain, "comment on column m.age is 'how old'"],
  ['a grant of it', plain, 'create role reader', 'grant select (age) on m to reader'],
  ['another definition later', plain, 'drop materialized view m', create('select id, placed_at, now() - placed_at as age from orders'), 'alter materialized view m rename column age to old_age'],
  ['a taken name', 'create view m_now as select 1 as one', plain],
  ['a log of another shape', 'create table refresh_log (at timestamptz)', create('select id, now() as at from orders')],
  ['a column whose name is taken', create('select id, note as placed_at, now() - placed_at as age from orders')],
])('no fix for %s', (_, ...statements) => {
  expect(fixed(...statements).fix).toBeUndefined();
});
