/**
 * The schema of the pg_ivm oracle: a table for every kind of source that the extension tells apart, and functions of each volatility. Data
 * only.
 */
export const schema: readonly string[] = [
  `create type mood as enum ('sad', 'ok', 'happy')`,
  `create type status as enum ('new', 'paid', 'shipped')`,
  'create type pair as (a int, b text)',
  'create type dossier as (a int, j json)',
  'create domain posint as int check (value > 0)',
  'create domain label as varchar(20)',
  'create schema other',
  `create table customers (id int primary key, name text not null, email varchar(50), city text, vip boolean, created timestamptz, born date, feel mood, profile jsonb, raw json,
    score float8, weight real, balance numeric(10,2), tags text[], spent money, loc point, rank posint, code label, extra pair, files json[], folder dossier, ip inet, span int4range)`,
  `create table orders (id bigint primary key, customer_id int, amount numeric(12,2), qty int, state status, placed timestamp, shipped timestamptz, note text collate "C", total float8, due date)`,
  `create table items (order_id bigint, line int, sku text collate "POSIX", price numeric, primary key (order_id, line))`,
  'create table keyless (a int, b text, c date)',
  'create table uniq (k int not null unique, v text)',
  'create table deferred (id int primary key deferrable, v int)',
  'create unlogged table scratch (id int primary key, v int)',
  'create table parted (id int, v int) partition by range (id)',
  'create table parted_1 partition of parted for values from (0) to (1000)',
  'create table parent (id int primary key, v int)',
  'create table child (extra int) inherits (parent)',
  'create table "Mixed Case" (id int primary key, v int)',
  'create table "order" (id int primary key, v int)',
  'create table "Upper" (id int primary key, "Odd Column" int)',
  'create table virtual_one (id int primary key, base int, twice int generated always as (base * 2) virtual)',
  'create table stored_one (id int primary key, base int, twice int generated always as (base * 2) stored)',
  'create table other.away (id int primary key, v int)',
  'create foreign data wrapper nothing',
  'create server nowhere foreign data wrapper nothing',
  'create foreign table afar (id int, v int) server nowhere',
  'create view v_customers as select id, name from customers',
  'create materialized view mv_orders as select id, amount from orders',
  'create temp table passing (id int primary key, v int)',
  'create sequence counter',
  `create function f_imm(int) returns int language sql immutable as 'select $1'`,
  `create function f_strict(int) returns int language sql immutable strict as 'select $1'`,
  `create function f_stab(int) returns int language sql stable as 'select $1'`,
  `create function f_vol(int) returns int language sql volatile as 'select $1'`,
  `create function f_ovl(int) returns int language sql immutable as 'select $1'`,
  `create function f_ovl(text) returns text language sql stable as 'select $1'`,
  `create function f_def(int, t timestamptz default now()) returns int language sql immutable as 'select $1'`,
  `create function f_rows(int) returns setof int language sql immutable as 'select 1 union all select 2'`,
  `create function f_table(int) returns table (x int, y text) language sql immutable as 'select 1, null::text'`,
  'create aggregate f_sum(int) (sfunc = int4pl, stype = int, initcond = 0)',
  'create operator === (leftarg = int, rightarg = int, function = int4eq)',
];

/** Rows: NULLs, repeated values, keys that match and keys that do not, floating-point numbers that do not add up exactly. */
export const rows: readonly string[] = [
  `insert into customers (id, name, email, city, vip, created, born, feel, profile, raw, score, weight, balance, tags, spent, loc, rank, code, extra, files, folder, ip, span)
   select g, 'n' || g % 3, 'e' || g, case when g % 2 = 0 then 'Bonn' end, g % 2 = 0, timestamptz '2024-01-01 10:00+00' + g * interval '1 day', date '1990-01-01' + g,
    case g % 3 when 0 then 'ok'::mood when 1 then 'sad' end, jsonb_build_object('a', g, 'b', 'x'), '{"a": 1}', g * 0.1, g * 0.1, g * 1.5, array['a', 'b'], '2.50', '(1,2)', g, 'c' || g, row(g, 'p')::pair,
    array['{}'::json], row(g, '{}')::dossier, '10.0.0.1', int4range(g, g + 5) from generate_series(1, 4) g`,
  `insert into orders select g, g % 4 + 1, g * 10.5, g % 3, case g % 3 when 0 then 'new'::status when 1 then 'paid' else 'shipped' end, timestamp '2024-01-01 10:00' + g * interval '1 day',
    timestamptz '2024-01-02 10:00+00' + g * interval '1 day', case when g % 2 = 0 then 'note' end, g * 0.1, date '2024-02-01' + g from generate_series(1, 6) g`,
  `insert into items select g, 1, 's' || g, g * 0.3 from generate_series(1, 4) g`,
  `insert into keyless values (1, 'x', '2024-01-01'), (1, 'x', '2024-01-01'), (2, null, null)`,
  ...['uniq', 'deferred', 'scratch', 'parted', 'parent', '"Mixed Case"', '"order"', '"Upper"', 'other.away', 'passing'].map(table =>
    `insert into ${table} values (1, 1), (2, 2)`),
  'insert into virtual_one values (1, 1), (2, 2)', 'insert into stored_one values (1, 1), (2, 2)',
];

/** The sources that a write can go to, and writes to each: rows that join, rows that do not, NULLs, a change of key, a change of value. */
export const writes: Readonly<Record<string, readonly string[]>> = {
  customers: [
    `insert into customers (id, name, email, city, vip, created, born, feel, profile, raw, score, weight, balance, tags, spent, rank, code, extra, files, folder, ip, span)
     select 10 + id, name, email, city, vip, created, born, feel, profile, raw, score + 0.2, weight + 0.7, balance, tags, spent, rank, code, extra, files, folder, ip, span from customers where id < 4`,
    `insert into customers (id, name) values (5, 'lonely'), (6, 'n1')`,
    `update customers set city = 'Rom', balance = balance + 1, score = score * 3, weight = 0.7, feel = 'happy' where id in (1, 2, 11)`,
      'update customers set id = 77 where id = 2',
    'delete from customers where id in (1, 11, 12)', `update customers set name = 'z'`,
  ],
  orders: [
    `insert into orders select 10 + id, customer_id + 1, amount, qty, state, placed, shipped, note, total + 0.7, due from orders where id < 5`, 'insert into orders (id, customer_id) values (50, null), (51, 5)',
    `update orders set amount = amount + 1, qty = 2, total = total / 3, note = 'w' where id in (1, 2, 11)`,
      'update orders set customer_id = 3', 'delete from orders where id in (1, 3, 12)', 'delete from orders where customer_id is null',
  ],
  items: [`insert into items values (1, 2, 's1', 7), (6, 1, null, null), (9, 9, 'x', 1)`,
    'update items set price = price + 1, sku = null where line = 1', 'update items set order_id = 8 where order_id = 2',
    'delete from items where order_id in (1, 3)'],
  keyless: [`insert into keyless values (1, 'x', '2024-01-01'), (4, 'y', null)`, `update keyless set a = a + 1, b = 'q' where a = 1`,
    'delete from keyless where a = 2'],
  uniq: [`insert into uniq values (5, '5')`, 'update uniq set v = null where k = 1', 'delete from uniq where k = 2'],
  deferred: ['insert into deferred values (5, 5)', 'update deferred set v = null where id = 1', 'delete from deferred where id = 2'],
  ...Object.fromEntries(['scratch', '"Mixed Case"', '"order"', 'other.away'].map(table =>
    [table, [`insert into ${table} values (5, 5)`, `update ${table} set v = null where id = 1`, `delete from ${table} where id = 2`]])),
  '"Upper"': ['insert into "Upper" values (5, 5)', 'update "Upper" set "Odd Column" = null where id = 1',
    'delete from "Upper" where id = 2'],
  virtual_one: ['insert into virtual_one values (5, 5)', 'update virtual_one set base = 7 where id = 1',
    'delete from virtual_one where id = 2'],
  stored_one: ['insert into stored_one values (5, 5)', 'update stored_one set base = 7 where id = 1',
    'delete from stored_one where id = 2'],
};
