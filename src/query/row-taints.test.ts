import { expect, test } from 'vitest';
import { replay } from '../catalog/replay.ts';
import type { Catalog, Matview, QueryFacts, Taint } from '../model.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { factsOf } from './facts.ts';
import { isUnknown } from './scope.ts';

/** What Postgres does is tried by the fixtures of the rules and by `npm run oracle:poison`; here is what flows where. */

const tables = `
  create table customers (id bigint primary key, name text not null, region text);
  create table orders (id bigint primary key, customer_id bigint not null references customers, placed_at timestamptz not null, note text,
    amount double precision, total numeric not null, due date, number int unique);
  create view recent as select * from orders where placed_at > now() - interval '1 day';
  create view newest as select distinct on (customer_id) customer_id, note from orders order by customer_id, placed_at desc;
  create function stable_now() returns timestamptz language sql stable as 'select now()';
  create function luck(p double precision default random()) returns double precision language sql as $$ select p * 2 $$;
  create function later(a int) returns timestamptz language plpgsql as $$
    declare x timestamptz := '2020-01-01';
    begin
      if a > 1 then x := stable_now(); end if;
      return x;
    end $$;
  create function chosen(a int) returns int language plpgsql as $$ begin if random() < 0.5 then return a; end if; return 0; end $$;
  create function looped() returns text language plpgsql as $$
    declare r record; a text := ''; b text := '';
    begin
      for r in select note, now() as n from orders loop a := b; b := r.n::text; end loop;
      return a;
    end $$;
  create function pairs(a int) returns table (x int, y double precision) language plpgsql as $$ begin return query select 1, random(); end $$;
  create function given(out x timestamptz, out y int) language plpgsql as $$ begin y := 1; x := clock_timestamp(); end $$;
  create function returned(a int) returns timestamptz language sql return now();
  create function same(a timestamptz) returns timestamptz language sql immutable as 'select a';
  create function same_second(a int, b timestamptz) returns timestamptz language sql immutable as 'select $2';
  create function zero(a timestamptz) returns int language sql immutable as 'select 1';
  create function self(a int) returns int language sql as 'select self(a - 1)';
  create function todays() returns setof orders language sql stable as 'select * from orders where due = current_date';
`;

function catalogOf(text: string): Catalog {
  const replayed = replay(readHistories(memoryFiles({ 'db/001.sql': text }), { tool: 'psql' }).histories[0]!, { postgres: 18 });
  for (let next = replayed.next(); ; next = replayed.next()) if (next.done) return next.value;
}

function facts(query: string): QueryFacts {
  const catalog = catalogOf(`${tables};create materialized view v as ${query};`);
  const found = catalog.find({ name: 'v' });
  if (found.is !== 'present') throw new Error(`not made: ${query}`);
  return factsOf(found.object as Matview, catalog);
}

const word = ({ cause, form, flips, setting }: Taint): string =>
  [form ?? cause, ...(cause === 'clock' && flips === 'each day' ? ['day'] : []), ...(setting === undefined ? [] : [setting])].join(' ');
const words = (taints: readonly Taint[]): string => [...new Set(taints.map(word))].sort().join(', ');

/** `rows; column: taints; …`, the empty string where there is nothing. */
function said(query: string): string {
  const { rows, columns } = facts(query);
  if (isUnknown(columns)) return 'unknown';
  const parts = columns.filter(column => column.taints.length > 0).map(column => `${column.name}: ${words(column.taints)}`);
  return [words(rows), ...parts].join('; ');
}

const cases: readonly (readonly [string, string])[] = [
  // The clock chooses rows, and is no value of theirs.
  ['select id from orders where placed_at > now() - interval \'1 day\'', 'clock'],
  ['select id from orders where due = current_date', 'clock day'],
  ['select * from recent', 'clock'],
  ['select count(*) from recent', 'clock'],
  ['select count(*) filter (where placed_at > now()) as c from orders', 'clock'],
  ['select count(*) filter (where random() < 0.5) as c from orders', '; c: random'],
  ['select id, placed_at < now() as late from orders', ''],
  ['with t as (select id, placed_at < now() as late from orders) select id from t where late', 'clock'],
  ['select id from orders where exists (select 1 from recent r where r.id = orders.id)', 'clock'],
  ['select id from orders where id in (select id from recent)', 'clock'],
  ['select id, (select count(*) from recent) as n from customers', ''],
  ['select c.id from customers c join orders o on o.customer_id = c.id and o.placed_at > now()', 'clock'],
  ['select customer_id, count(*) from orders group by 1 having max(placed_at) > now()', 'clock'],
  ['select id from recent union all select id from customers', 'clock'],
  ['select d::date as d from generate_series(\'2020-01-01\'::timestamp, localtimestamp, \'1 day\') d', 'clock'],
  ['select id from todays()', 'clock day'],
  ['with recursive r as (select id, placed_at from orders where placed_at > now() union all select id, placed_at from r where id < 0) select id from r', 'clock'],
  // Rows drawn at random, and what is counted of them.
  ['select id from orders where random() < 0.1', 'random'],
  ['select count(*) as n from orders where random() < 0.1', 'random; n: random'],
  ['select id from orders order by random() limit 5', 'random'],
  ['select id, random() as r from orders order by r limit 5', 'random; r: random'],
  ['select id from orders order by random()', ''],
  ['select id from orders tablesample bernoulli (10)', 'random'],
  ['select id from orders o tablesample system (10) repeatable (3)', 'physical'],
  ['select customer_id, max(id) as m from orders tablesample system (10) group by 1', 'random; m: random'],
  ['select array_agg(id order by random()) as a from orders', '; a: aggregate, random'],
  // Aggregates that keep the order of their input.
  ['select array_agg(id) as a from orders', '; a: aggregate'],
  ['select array_agg(id order by id) as a from orders', ''],
  ['select array_agg(id order by placed_at, id) as a from orders', ''],
  ['select array_agg(note order by number) as a from orders', ''],
  ['select array_agg(note order by number) as a from orders where number is not null', ''],
  ['select string_agg(note, \',\' order by note) as a from orders', ''],
  ['select string_agg(upper(note), \',\' order by note) as a from orders', ''],
  ['select string_agg(upper(note), \',\' order by upper(note)) as a from orders', ''],
  ['select string_agg(note, \',\' order by upper(note)) as a from orders', '; a: aggregate'],
  ['select string_agg(note, \',\' order by placed_at) as a from orders', '; a: aggregate'],
  ['select array_agg(distinct note) as a from orders', ''],
  ['select id, array_agg(note) as a from orders group by id', ''],
  ['select c.id, array_agg(c.name) as a from customers c join orders o on o.customer_id = c.id group by c.id', ''],
  ['select c.region, array_agg(o.note order by o.id) as a from customers c join orders o on o.customer_id = c.id group by 1', ''],
  ['select c.region, array_agg(o.note order by c.id) as a from customers c join orders o on o.customer_id = c.id group by 1', '; a: aggregate'],
  ['select array_agg(c.name order by c.id) as a from customers c join orders o on o.customer_id = c.id', ''],
  ['select array_agg(x.id) as a from (select id from orders order by id) x', ''],
  ['select array_agg(x.note) as a from (select note from orders order by placed_at) x', '; a: aggregate'],
  ['with x as (select id from orders order by id) select array_agg(id) as a from x', ''],
  ['select array(select id from orders) as a', '; a: aggregate'],
  ['select array(select id from orders order by id) as a', ''],
  ['select array(select id from orders order by note) as a', '; a: aggregate'],
  ['select jsonb_object_agg(id, note) as a from orders', ''],
  ['select jsonb_object_agg(note, id) as a from orders', '; a: aggregate'],
  ['select json_object_agg(id, note) as a from orders', '; a: aggregate'],
  ['select json_arrayagg(note) as a from orders', '; a: aggregate'],
  ['select json_arrayagg(note order by id) as a from orders', ''],
  ['select any_value(note) as a from orders', '; a: pick'],
  ['select (array_agg(note))[1] as a from orders', '; a: aggregate'],
  ['select count(*) as n, max(note) as m, sum(total) as s, bool_or(id > 1) as b from orders', ''],
  ['select array_agg(u.x) as a from unknown_table u group by u.y', ''],
  // Sums of floating-point numbers.
  ['select sum(amount) as s, avg(amount::real) as a, sum(total) as t from orders', '; s: float; a: float'],
  ['select round(sum(amount)::numeric, 2) as s from orders', ''],
  ['select id, sum(amount) as s from orders group by id', ''],
  // Picks.
  ['select id from orders limit 10', 'pick'],
  ['select id from orders offset 10', 'pick'],
  ['select id from orders limit all offset 0', ''],
  ['select id from orders order by placed_at limit 10', 'pick'],
  ['select placed_at from orders order by placed_at limit 10', ''],
  ['select id from orders order by placed_at, id limit 10', ''],
  ['select id from orders order by 1 limit 10', ''],
  ['select id as x from orders order by x limit 10', ''],
  ['select id from orders order by placed_at fetch first 10 rows with ties', ''],
  ['select max(id) as m from orders limit 1', ''],
  ['select region, count(*) as n from customers group by region order by n desc limit 3', 'pick'],
  ['select region, count(*) as n from customers group by region order by n desc, region limit 3', ''],
  ['select id from orders union all select id from customers limit 3', 'pick'],
  ['select id from orders union select id from customers order by id limit 3', ''],
  ['select distinct on (customer_id) customer_id, note from orders order by customer_id, placed_at', '; note: pick'],
  ['select distinct on (customer_id) customer_id, note from orders', '; note: pick'],
  ['select distinct on (customer_id) customer_id, note from orders order by customer_id, id', ''],
  ['select distinct on (customer_id) customer_id, placed_at from orders order by customer_id, placed_at', ''],
  ['select note from newest', '; note: pick'],
  ['select id, (select note from orders where customer_id = c.id limit 1) as n from customers c', '; n: pick'],
  ['select id, (select placed_at from orders where customer_id = c.id order by 1 desc limit 1) as n from customers c', ''],
  ['select id from customers c where exists (select 1 from orders where customer_id = c.id limit 1)', ''],
  ['select c.id, l.note from customers c cross join lateral (select note from orders where customer_id = c.id order by placed_at limit 1) l', 'pick'],
  ['select id, row_number() over () as n from orders', '; n: pick'],
  ['select id, row_number() over (order by placed_at) as n from orders', '; n: pick'],
  ['select id, row_number() over (order by placed_at, id) as n from orders', ''],
  ['select id, row_number() over (partition by id order by placed_at) as n from orders', ''],
  ['select id, rank() over (order by placed_at) as n, count(*) over (order by placed_at) as c from orders', ''],
  ['select id, sum(total) over (order by placed_at rows unbounded preceding) as n from orders', '; n: pick'],
  ['select id, sum(total) over (rows between unbounded preceding and unbounded following) as n from orders', ''],
  ['select id, lag(placed_at) over w as n from orders window w as (partition by customer_id order by placed_at)', '; n: pick'],
  ['select id, first_value(placed_at) over w as n from orders window w as (partition by customer_id order by placed_at)', ''],
  ['select id, first_value(note) over w as n from orders window w as (partition by customer_id order by placed_at)', '; n: pick'],
  ['select region, row_number() over (order by region) as n from customers group by region', ''],
  ['select region, row_number() over (order by count(*)) as n from customers group by region', '; n: pick'],
  ['select id from (select id, row_number() over (order by placed_at) as n from orders) x where n = 1', 'pick'],
  // Settings of the session.
  ['select id from orders where placed_at::date = \'2020-01-01\'', 'session TimeZone'],
  ['select date_trunc(\'day\', placed_at) as d, count(*) as n from orders group by 1', '; d: session TimeZone; n: session TimeZone'],
  // Routines.
  ['select id, stable_now() as a from orders', '; a: clock'],
  ['select luck() as a, luck(1) as b, luck(random()) as c', '; a: random; c: random'],
  ['select later(2) as a, returned(1) as b', '; a: clock; b: clock'],
  ['select chosen(1) as a', '; a: random'],
  ['select looped() as a', '; a: clock'],
  ['select * from pairs(1)', '; y: random'],
  ['select * from given()', '; x: clock'],
  ['select same(now()) as a, same(placed_at) as b, same_second(1, now()) as c, same_second(b => now(), a => 1) as d, zero(now()) as e from orders',
    '; a: clock; c: clock; d: clock'],
  ['select self(1) as a', ''],
  ['select id from orders where same(now()) > placed_at', 'clock'],
];

test.each(cases)('%s', (query, want) => {
  expect(said(query)).toBe(want);
});

test('words that become a constant at CREATE are found wherever the context makes a time of them', () => {
  const of = (query: string): string => facts(query).frozen.map(({ text, type }) => `${text} ${type}`).join(', ');
  expect(of(`select 'now'::timestamptz as a`)).toBe('now timestamp with time zone');
  expect(of(`select date 'Today ' as a, cast('tomorrow' as date) as b, date('now') as c`)).toBe('Today date, tomorrow date, now date');
  expect(of(`select id from orders where placed_at < 'now' and due in ('today', 'yesterday') and due between 'today' and '2020-01-01'`))
    .toBe('now timestamp with time zone, today date, yesterday date, today date');
  expect(of(`select coalesce(placed_at, 'now') as a, greatest(placed_at, 'today 10:00') as b, case when id > 1 then due else 'today' end as c from orders`))
    .toBe('now timestamp with time zone, today 10:00 timestamp with time zone, today date');
  expect(of(`select tstzrange('now', null) as a, '[now,)'::tstzrange as b, '{now}'::timestamptz[] as c`))
    .toBe('now timestamp with time zone, [now,) tstzrange, {now} timestamp with time zone[]');
  expect(of(`select 'now'::text::timestamptz as a, note = 'now' as b, 'epoch'::timestamptz as c, 'infinity'::date as d, 'now' as e from orders`)).toBe('');
});

test('the path of a row taint leads through what is read', () => {
  const sql = 'select id from recent';
  const [taint] = facts(sql).rows;
  expect(taint?.path.map(step => step.says)).toEqual(['now() reads the clock, which every refresh sees anew', 'rows of view recent']);
});

test('calls of routines are noted with their places', () => {
  expect(facts('select id, stable_now() as a, same(stable_now()) as b from orders').calls).toHaveLength(3);
});
