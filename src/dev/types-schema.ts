/**
 * The schema of the types oracle: a column of every built-in type an expression is likely to meet, and user types, functions and
 * aggregates around it. Data only.
 */

/** Column of table `w` → its type as declared. */
export const columns: Readonly<Record<string, string>> = {
  b: 'boolean', i2: 'smallint', i4: 'integer not null', i8: 'bigint', f4: 'real', f8: 'double precision', num: 'numeric',
    num2: 'numeric(10,2)',
  t: 'text', t2: 'text not null', vc: 'varchar(10)', vcu: 'varchar', ch: 'char(5)', bp: 'bpchar', nm: 'name', qc: '"char"', by: 'bytea',
  d: 'date', ti: 'time', tiz: 'timetz', ts: 'timestamp', ts3: 'timestamp(3)', tz: 'timestamptz not null', tz0: 'timestamptz(0)',
    iv: 'interval',
  ivh: 'interval hour to minute', iv2: 'interval(2)', u: 'uuid', j: 'json', jb: 'jsonb', m: 'money', o: 'oid', ip: 'inet', cd: 'cidr',
    mac: 'macaddr',
  mac8: 'macaddr8', bt: 'bit(4)', vb: 'varbit', pt: 'point', ls: 'lseg', bx: 'box', pa: 'path', pg: 'polygon', ci: 'circle', ln: 'line',
  tv: 'tsvector', tq: 'tsquery', r4: 'int4range', r8: 'int8range', rn: 'numrange', rd: 'daterange', rts: 'tsrange', rtz: 'tstzrange',
  mr4: 'int4multirange', mrd: 'datemultirange', ai2: 'smallint[]', ai4: 'integer[]', ai8: 'bigint[]', at: 'text[]', avc: 'varchar(5)[]',
  an: 'numeric(6,2)[]', atz: 'timestamptz[]', ad: 'date[]', ajb: 'jsonb[]', ab: 'boolean[]', af8: 'double precision[]', rc: 'regclass',
    rt: 'regtype',
  lsn: 'pg_lsn', jp: 'jsonpath', xi: 'xid', ss: 'pg_snapshot', ti_d: 'tid',
  e: 'mood', ae: 'mood[]', p: 'pair', ap: 'pair[]', dp: 'posint', dl: 'label', dn: 'price', ds: 'small_price', di: 'ints', de: 'good_mood',
};

export const schema = [
  `create type mood as enum ('sad', 'ok', 'happy')`,
  'create type pair as (a int, b text, c numeric(8,2))',
  'create domain posint as int check (value > 0)',
  'create domain label as varchar(20)',
  'create domain price as numeric(10,2)',
  'create domain small_price as price check (value < 100)',
  'create domain ints as int[]',
  `create domain good_mood as mood check (value <> 'sad')`,
  `create table w (${Object.entries(columns).map(([name, type]) => `${name} ${type}`).join(', ')})`,
  'create table k (id int primary key, name varchar(30), at timestamp, amount numeric(12,2), kind mood)',
  `create function f(int) returns int language sql immutable as 'select 1'`,
  `create function f(text) returns text language sql stable as 'select null::text'`,
  `create function f(numeric) returns numeric language sql immutable as 'select 1.0'`,
  `create function lo(timestamp) returns date language sql immutable as 'select null::date'`,
  `create function lo(timestamptz) returns timestamp language sql stable as 'select null::timestamp'`,
  `create function same(anyelement) returns anyelement language sql immutable as 'select $1'`,
  `create function pick(anycompatible, anycompatible) returns anycompatible language sql immutable as 'select $1'`,
  `create function firstof(anyarray) returns anyelement language sql immutable as 'select $1[1]'`,
  `create function listof(anyelement) returns anyarray language sql immutable as 'select array[$1]'`,
  `create function total(variadic int[]) returns bigint language sql immutable as 'select 1::bigint'`,
  `create function joined(sep text, variadic anyarray) returns text language sql immutable as 'select null::text'`,
  `create function opt(a int, b int default 1, c text default 'x') returns text language sql immutable as 'select c'`,
  `create function feel(mood) returns mood language sql immutable as 'select $1'`,
  `create function weigh(posint) returns price language sql immutable as 'select 1::price'`,
  `create function lower(mood) returns text language sql immutable as 'select null::text'`,
  `create function pairs(n int) returns setof pair language sql stable as 'select null::pair'`,
  `create function table_of(n int) returns table (id int, label varchar(7)) language sql stable as 'select 1, null::varchar'`,
  `create function outs(x int, out y bigint, out z text) language sql immutable as 'select 1::bigint, null::text'`,
  `create function shapeof(w) returns text language sql immutable as 'select null::text'`,
  'create aggregate total_of(int) (sfunc = int4pl, stype = int, initcond = 0)',
];

/** A text that each type reads: an unknown literal is turned into a value when the view is made. */
export const samples: Readonly<Record<string, string>> = {
  bool: 'true', int2: '1', int4: '2', int8: '3', float4: '1.5', float8: '2.5', numeric: '3.25', text: 'a', varchar: 'b', bpchar: 'c',
    name: 'n', char: 'q',
  bytea: '\\x01', date: '2024-01-02', time: '10:00', timetz: '10:00+00', timestamp: '2024-01-02 10:00', timestamptz: '2024-01-02 10:00+00',
    interval: '1 day',
  uuid: '00000000-0000-0000-0000-000000000001', json: '{"a": 1}', jsonb: '{"a": 1}', money: '1.00', oid: '1', inet: '10.0.0.1',
    cidr: '10.0.0.0/8',
  macaddr: '08:00:2b:01:02:03', macaddr8: '08:00:2b:01:02:03:04:05', bit: '1010', varbit: '101', point: '(1,2)', lseg: '[(0,0),(1,1)]',
    box: '(1,1),(0,0)',
  path: '((0,0),(1,1))', polygon: '((0,0),(1,1),(1,0))', circle: '<(0,0),1>', line: '{1,-1,0}', tsvector: 'a b', tsquery: 'a & b',
    int4range: '[1,3)',
  int8range: '[1,3)', numrange: '[1,3)', daterange: '[2024-01-01,2024-02-01)', tsrange: '[2024-01-01,2024-02-01)',
    tstzrange: '[2024-01-01,2024-02-01)',
  int4multirange: '{[1,3)}', datemultirange: '{}', regclass: 'k', regtype: 'int4', pg_lsn: '0/1', jsonpath: '$.a', xid: '1', tid: '(0,1)',
    mood: 'ok',
  pair: '(1,a,2)', posint: '5', label: 'x', price: '1.5', small_price: '2.5', ints: '{1,2}', good_mood: 'ok', regconfig: 'simple',
    xid8: '1',
};
