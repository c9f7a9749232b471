/**
 * What the views of the poison oracle stand on. The rows are made so that each cause must show: several rows share what is sorted by, sums
 * of floating-point numbers depend on their order, keys repeat, some values are NULL, times lie on both sides of midnight.
 */
export const schema: readonly string[] = [
  `create table items (id int primary key, grp int not null, at timestamptz not null, ts timestamp not null, note text not null, f double precision not null,
    r real not null, n numeric not null, d date not null, gap interval not null, raw bytea not null, tag text, num int)`,
  `insert into items select g, g % 4, timestamptz '2024-03-01 00:00+00' + (g % 12) * interval '2 hours', timestamp '2024-03-01 10:00' + (g % 7) * interval '1 day',
    'note ' || g || repeat('.', 80), (case when g % 2 = 0 then 1 else -1 end) * (1 + g / 7.0) * 10.0 ^ (g * 31 % 15), (g * 7919 % 1009 - 504) / 7.0 * 10.0 ^ (g * 7 % 11), g * 1.5,
    date '2024-03-01' + g % 5, (g % 9 + 1) * interval '1 day 90 minutes', decode(md5(g::text), 'hex'), case when g % 5 <> 0 then 'tag ' || g end, nullif(g % 6, 0)
    from generate_series(1, 60) g`,
  'create table parts (id int primary key, item_id int not null, label text not null)',
  "insert into parts select g, 1 + g % 60, 'part ' || g % 7 from generate_series(1, 120) g",
  'create table ticks (id int primary key, at timestamptz not null)',
  'create table days (id int primary key, d date not null)',
  "insert into days select g, current_date + g - 10 from generate_series(1, 20) g",
  'create sequence counter',
  'create view plain_items as select * from items where id > 0',
  'create view current_items as select * from items where exists (select from ticks t where t.id = 100 + items.id * 3 and t.at < now())',
  "create function steady(x text) returns text language sql immutable as $$ select upper(x) || '!' $$",
  "create function steady_pl(x text) returns text language plpgsql as $$ declare y text := x; begin if length(x) > 3 then y := '<' || x; end if; return y; end $$",
  "create function looped(x text) returns text language plpgsql as $$ declare y text := ''; i int; begin for i in 1..2 loop y := y || x; end loop; return y; end $$",
  'create function stored(x text) returns text language sql return x || 1',
  'create function given(x text, out y text) language plpgsql as $$ begin y := x; end $$',
  'create function moment() returns text language sql stable as $$ select now()::text $$',
  'create function lying() returns timestamptz language sql immutable as $$ select now() $$',
  'create function lying_pl() returns timestamptz language plpgsql immutable as $$ begin return clock_timestamp(); end $$',
  'create function stamped(x text) returns text language plpgsql as $$ declare y text; begin y := clock_timestamp()::text; return x || y; end $$',
  'create function lucky(x text, salt double precision default random()) returns text language sql as $$ select x || salt $$',
  'create function ignored(x text) returns int language sql immutable as $$ select 1 $$',
  'create table items_kept as select * from items',
  'create table parts_kept as select * from parts',
  'create role reader',
  'grant usage on sequence counter to reader',
  'analyze',
];

/** Puts the rows back where they stood first. */
export const restored = 'begin; truncate items; insert into items select * from items_kept order by id; truncate parts; insert into parts select * from parts_kept order by id; commit';
/** Moves rows without changing any, one by one in another order: within one transaction, so that no place is used again and the file grows. */
export const moved = `do $$ declare i int; begin
  for i in select id from items_kept order by md5(id::text) loop update items set n = n where id = i; end loop;
  for i in select id from parts_kept order by md5(id::text) loop update parts set label = label where id = i; end loop;
end $$`;
/** Rows on both sides of the clock, ten milliseconds apart. */
export const ticking = "truncate ticks; insert into ticks select g, clock_timestamp() + (g - 100) * interval '10 milliseconds' from generate_series(1, 2000) g";
