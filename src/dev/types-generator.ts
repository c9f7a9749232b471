import { builtins, type Builtins, type BuiltinFunction, type BuiltinOperator } from '../builtins/builtins.ts';
import { random } from './history.ts';
import { columns, samples } from './types-schema.ts';

/** A query of one output column `x`, and the form it was made from. */
export interface Generated {
  readonly form: string;
  readonly query: string;
}

/** Declared type → key: `varchar(10)` → varchar, `numeric(6,2)[]` → numeric[]. */
const declaredKeys: Readonly<Record<string, string>> = {
  boolean: 'bool', smallint: 'int2', integer: 'int4', bigint: 'int8', real: 'float4', 'double precision': 'float8', '"char"': 'char',
    'char(5)': 'bpchar',
};
const keyOf = (declared: string): string => {
  const bare = declared.replace(' not null', '');
  const array = bare.endsWith('[]') ? '[]' : '';
  const element = bare.slice(0, bare.length - array.length);
  return (declaredKeys[element] ?? element.replace(/\(.*\)| hour to minute/, '')) + array;
};

const pool = new Map<string, string[]>();
for (const [name, type] of Object.entries(columns)) pool.set(keyOf(type), [...(pool.get(keyOf(type)) ?? []), name]);
const keys = [...pool.keys()];

/** Types that a cast writes, with modifiers where there are any. */
const targets = [
  'int', 'smallint', 'bigint', 'numeric', 'numeric(8,3)', 'numeric(5)', 'real', 'float8', 'text', 'varchar', 'varchar(4)', 'char(3)',
    'bpchar', 'name', '"char"',
  'date', 'time', 'time(2)', 'timetz', 'timestamp', 'timestamp(1)', 'timestamptz', 'timestamptz(3)', 'interval', 'interval(3)',
    'interval day to hour', 'bool',
  'json', 'jsonb', 'uuid', 'bytea', 'oid', 'regclass', 'money', 'inet', 'cidr', 'bit(3)', 'varbit(5)', 'int[]', 'bigint[]', 'text[]',
    'varchar(3)[]', 'numeric(4,1)[]',
  'date[]', 'timestamptz[]', 'int4range', 'int4multirange', 'point', 'box', 'tsvector', 'mood', 'mood[]', 'posint', 'label', 'price',
    'small_price', 'ints',
  'good_mood', 'pair', 'xid', 'jsonb[]', 'float4[]', 'path', 'polygon', 'circle',
];

/** Functions that are none of a query's business, or that would refuse in most calls. */
const skipped = /^(pg_|binary_upgrade|lo_|has_|txid_|brin|gin|gist|spg|hash|bt|RI_|query_to|table_to|schema_to|database_to|cursor_to|inet_|currval|nextval|setval|ts_stat|dblink|_pg)|(_in|_out|_send|_recv|in|out|sel|joinsel|typmodin|typmodout|_transfn|_finalfn|_accum|_combine|_serialize|_deserialize|_support|_handler|_canonical|_subdiff|_sortsupport|_validator)$/;
const wanted = /^(min|join|asin|sin|begin|margin|date_bin|within|json.*|.*_join|regexp.*|range_contain.*|asinh|sinh|asind|sind)$/;

export class Generator {
  readonly #random: () => number;
  readonly #table: Builtins;
  readonly #functions: readonly BuiltinFunction[];
  readonly #aggregates: readonly BuiltinFunction[];
  readonly #windows: readonly BuiltinFunction[];
  readonly #operators: readonly BuiltinOperator[];

  constructor(seed: number, major: number) {
    this.#random = random(seed);
    this.#table = builtins(major);
    const all = this.#table.names('functions').filter(name => !skipped.test(name)
      || wanted.test(name)).flatMap(name => this.#table.functions(name))
      .filter(row => !row.arguments.includes('cstring') && row.result !== 'cstring' && row.result !== 'void');
    this.#functions = all.filter(row => row.kind === 'function' && !row.returnsSet);
    this.#aggregates = all.filter(row => row.kind === 'aggregate');
    this.#windows = all.filter(row => row.kind === 'window');
    this.#operators = this.#table.names('operators').flatMap(name => this.#table.operators(name));
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!;
  }
  #chance(share: number): boolean {
    return this.#random() < share;
  }

  column(key?: string): string {
    return this.#pick(pool.get(key ?? this.#pick(keys)) ?? ['i4']);
  }
  literal(key: string): string {
    if (this.#chance(0.12)) return 'null';
    const text = key.endsWith('[]') ? `{${samples[key.slice(0, -2)] ?? ''}}` : samples[key] ?? '1';
    return `'${text}'`;
  }
  typedLiteral(key: string): string {
    const numbers: Readonly<Record<string, readonly string[]>> = { int4: ['1', '-7', '0'], int8: ['3000000000'],
      numeric: ['1.5', '99999999999999999999'], bool: ['true'] };
    const plain = numbers[key];
    return plain !== undefined ? this.#pick(plain) : `${this.literal(key)}::${key === 'char' ? '"char"' : key}`;
  }

  /** An expression that can stand where a value of the type is wanted: of the type itself, or one that converts. */
  argument(key: string, depth: number): string {
    const concrete = this.#concrete(key);
    const roll = this.#random();
    if (roll < 0.4 && pool.has(concrete)) return this.column(concrete);
    if (roll < 0.55) return this.literal(concrete);
    if (roll < 0.65) return this.typedLiteral(concrete);
    if (roll < 0.8) {
      const from = keys.filter(other => this.#table.cast(other, concrete)?.context === 'implicit');
      if (from.length > 0) return this.column(this.#pick(from));
    }
    if (depth > 0) return this.of(concrete, depth - 1);
    return pool.has(concrete) ? this.column(concrete) : this.literal(concrete);
  }

  #concrete(key: string): string {
    switch (key) {
      case 'any': case 'anyelement': case 'anycompatible': case 'anynonarray': case 'anycompatiblenonarray': return this.#pick(keys);
      case 'anyarray': case 'anycompatiblearray': return this.#pick(keys.filter(name => name.endsWith('[]')));
      case 'anyenum': return this.#pick(['mood', 'good_mood']);
      case 'anyrange': case 'anycompatiblerange': return this.#pick(['int4range', 'int8range', 'numrange', 'daterange', 'tsrange',
        'tstzrange']);
      case 'anymultirange': case 'anycompatiblemultirange': return this.#pick(['int4multirange', 'datemultirange']);
      case 'record': return 'pair';
      default: return key;
    }
  }

  /** An expression whose result is of the type, as far as the tables say. */
  of(key: string, depth: number): string {
    const functions = this.#functions.filter(row => row.result === key);
    const operators = this.#operators.filter(row => row.result === key);
    const roll = this.#random();
    if (roll < 0.45 && functions.length > 0) return this.call(this.#pick(functions), depth);
    if (roll < 0.75 && operators.length > 0) return this.operator(this.#pick(operators), depth);
    if (roll < 0.85) return `${this.any(depth)}::${key === 'char' ? '"char"' : key}`;
    if (roll < 0.93) return `coalesce(${this.argument(key, depth - 1)}, ${this.argument(key, depth - 1)})`;
    return `case when b then ${this.argument(key, depth - 1)} else ${this.argument(key, depth - 1)} end`;
  }

  any(depth: number): string {
    return depth > 0 && this.#chance(0.5) ? this.of(this.#pick(keys), depth - 1) : this.#chance(0.2) ? this.literal(this.#pick(keys))
      : this.column();
  }

  #arguments(row: BuiltinFunction, depth: number): readonly string[] {
    const cut = row.defaults > 0 ? row.arguments.length - Math.floor(this.#random() * (row.defaults + 1)) : row.arguments.length;
    const shared = this.#pick(keys);
    const args = row.arguments.slice(0, cut).map(key => this.argument(/^any(element|compatible)$/.test(key) && this.#chance(0.7) ? shared
      : key, depth));
    if (row.variadic !== undefined && cut === row.arguments.length) {
      if (row.variadic === 'any' || this.#chance(0.7)) {
        args.pop();
        for (let more = 1 + Math.floor(this.#random() * 3); more > 0; more -= 1) args.push(this.argument(row.variadic, depth));
      } else args.push(`variadic ${args.pop()}`);
    }
    return args;
  }

  call(row: BuiltinFunction, depth: number): string {
    const args = this.#arguments(row, depth);
    const isNamed = row.names !== undefined && row.names.every(name => /^[a-z_]\w*$/.test(name)) && this.#chance(0.5);
    const written = isNamed && args.length <= row.names.length ? args.map((arg, at) => `${row.names![at]} => ${arg}`) : args;
    return `"${row.name}"(${written.join(', ')})`;
  }

  operator(row: BuiltinOperator, depth: number): string {
    const right = this.argument(row.right, depth);
    return row.left === undefined ? `(${row.name} ${right})` : `(${this.argument(row.left, depth)} ${row.name} ${right})`;
  }

  /** Two values that may well be compared: of one type, or of two of one kind. */
  #pair(depth: number): readonly [string, string, string] {
    const key = this.#pick(keys);
    return [this.argument(key, depth), this.argument(key, depth), this.argument(key, depth)];
  }

  #aggregate(depth: number): string {
    const row = this.#pick(this.#aggregates);
    if (row.aggregate?.kind === 'normal') {
      const args = this.#arguments(row, depth);
      const inner = row.arguments.length === 0 ? '*' : `${this.#chance(0.15) && args.length === 1 ? 'distinct ' : ''}${args.join(', ')}`;
      return `${row.name}(${inner})${this.#chance(0.2) ? ' filter (where b)' : ''}`;
    }
    const direct = row.aggregate?.direct ?? 0;
    if (row.aggregate?.kind === 'hypothetical') return `${row.name}(${this.argument('int4', 0)}) within group (order by i4)`;
    const args = row.arguments.map(key => this.argument(key, 0));
    return `${row.name}(${args.slice(0, direct).join(', ')}) within group (order by ${args.slice(direct).join(', ')})`;
  }

  #form(): readonly [string, string] {
    const depth = this.#chance(0.35) ? 2 : this.#chance(0.5) ? 1 : 0;
    const roll = this.#random();
    if (roll < 0.3) return ['function', this.call(this.#pick(this.#functions), depth)];
    if (roll < 0.52) return ['operator', this.operator(this.#pick(this.#operators), depth)];
    if (roll < 0.6) return ['cast', `${this.any(depth)}::${this.#pick(targets)}`];
    if (roll < 0.66) return ['aggregate', this.#aggregate(depth > 0 ? 1 : 0)];
    if (roll < 0.69) {
      const row = this.#chance(0.5) ? this.#pick(this.#windows)
        : this.#pick(this.#aggregates.filter(one => one.aggregate?.kind === 'normal'));
      return ['window', `${row.name}(${row.arguments.length === 0 && row.kind === 'aggregate' ? '*' : this.#arguments(row, 0).join(', ')}) over (order by i4)`];
    }
    const [a, b, c] = this.#pair(depth);
    if (roll < 0.72) return ['coalesce', `coalesce(${a}, ${b}, ${this.#chance(0.3) ? this.column() : c})`];
    if (roll < 0.75) return ['case', this.#chance(0.5) ? `case when b then ${a} when true then ${b} end`
      : `case ${a} when ${b} then ${c} else ${this.any(0)} end`];
    if (roll < 0.77) return ['extreme', `${this.#chance(0.5) ? 'greatest' : 'least'}(${a}, ${b}, ${c})`];
    if (roll < 0.8) return ['nullif', `nullif(${a}, ${b})`];
    if (roll < 0.84) return ['in',
      `${a} ${this.#chance(0.3) ? 'not ' : ''}in (${[b, c, ...(this.#chance(0.4) ? [this.any(0)] : [])].join(', ')})`];
    if (roll < 0.86) return ['between',
      `${a} ${this.#chance(0.3) ? 'not ' : ''}between ${this.#chance(0.2) ? 'symmetric ' : ''}${b} and ${c}`];
    if (roll < 0.88) return ['distinct', `${a} is ${this.#chance(0.5) ? 'not ' : ''}distinct from ${b}`];
    if (roll < 0.9) return ['any',
      `${this.column()} ${this.#pick(['=', '<>', '<', '~~', '>='])} ${this.#pick(['any', 'all'])} (${this.#chance(0.6) ? this.column(this.#pick(keys.filter(key => key.endsWith('[]')))) : `array[${b}, ${c}]`})`];
    if (roll < 0.93) return ['array',
      `array[${a}, ${b}, ${c}]${this.#chance(0.3) ? `::${this.#pick(targets.filter(target => target.endsWith('[]')
      || target === 'ints'))}` : ''}`];
    if (roll < 0.95) return ['part', this.#pick(['ai4[1]', 'avc[i4]', 'an[1:2]', 'at[i2]', 'di[1]', `jb['a']`, `jb['a'][1]`, 'pt[0]',
      '(p).a', '(p).b', '(p).c', '(ap)[1].b', '(w).num2', '(ai4)[i8]', 'w', 'w.*::text', 'row(i4, t)', '(array[i4])[1]', 'ae[1]',
      'an[1]'])];
    if (roll < 0.98) return ['special', this.#special(a)];
    return ['own', this.#own()];
  }

  #special(value: string): string {
    const stamp = this.#pick(['ts', 'tz', 'd', 'ts3', 'tz0', 'ti', 'tiz', 'iv', "'2024-01-01'", "timestamp '2024-01-01'",
      "date '2024-01-01'"]);
    const text = this.#pick(['t', 'vc', 'ch', 'nm', "'abc'", 'by', 'dl', 'vcu', 'bt']);
    return this.#pick([
      `extract(${this.#pick(['day', 'epoch', 'month', 'hour'])} from ${stamp})`,
        `${stamp} at time zone ${this.#pick(["'UTC'", 't', 'iv', 'vc'])}`,
      `date_trunc('day', ${stamp})`, `date_trunc('day', ${stamp}, 'UTC')`, `age(${stamp})`, `age(${stamp}, tz)`,
        `to_char(${stamp}, 'YYYY')`,
      `position(${text} in ${text})`, `substring(${text} from 2)`, `substring(${text} from 1 for 2)`, `overlay(${text} placing 'x' from 2)`,
        `trim(both 'x' from ${text})`,
      `trim(${text})`, `${text} like 'a%'`, `${text} ilike ${text}`, `${text} similar to 'a'`, `${text} like 'a' escape '!'`,
        `${text} || ${value}`, `${value} || ${text}`,
      `(tz, iv) overlaps (ts, ts)`, `(d, d) overlaps (${stamp}, iv)`, `current_date`, `current_timestamp(2)`, `localtime`, `current_user`,
        `session_user`,
      `(i4, t) = (i2, vc)`, `(i4, i8) in ((1, 2), (3, 4))`, `(i4, num) <> (1, 2)`, `exists (select 1 from k where id = i4)`,
        `i8 in (select id from k)`,
      `(i4, t) in (select id, name from k)`, `(select max(at) from k)`, `array(select name from k)`,
        `(select amount from k where k.id = i2 limit 1)`,
      `num > all (select id from k)`, `t collate "C"`, `(t || 'x') collate "C" < 'b'`, `b is true`, `b and ${value} is not null`, `not b`,
        `b or 't'`,
      `(select 'x')`, `(select null)`, `(select x from (select i4 union select i8) s(x))`,
        `(select x from (values (1), (2.5), (null)) v(x))`,
      `(select x from (select 'a' union all select vc) s(x))`, `(select x from (select null union select null union select 1) s(x))`,
        `b'101'`, `0x1f`, `1_000`,
      `interval '1' day`, `- ${this.column(this.#pick(['int2', 'int4', 'int8', 'numeric', 'float8', 'interval', 'money']))}`,
        `i4 operator(pg_catalog.+) i8`,
      `text(${value})`, `int4(${value})`, `date(${stamp})`, `"numeric"(${value})`, `varchar(${text})`,
        `(select count(*) from k group by ())`,
      `grouping(i4)`, `nullif(vc, 'x')`, `nullif('x', t)`, `count(w)`, `to_json(w)`, `w is null`, `json_agg(w)`, `${value} is null`,
        `jsonb_build_object('a', ${value})`,
      `concat(${value}, 1)`, `format('%s', ${value})`, `make_interval(days => i4)`, `make_interval(hours => i2, days => 3)`,
        `percentile_cont(0.5) within group (order by i4)`,
      `percentile_disc(array[0.1, 0.9]) within group (order by tz)`, `mode() within group (order by vc)`, `string_agg(vc, ',' order by i4)`,
        `array_agg(vc)`, `array_agg(ai4)`,
      `(select x from json_to_record(j) as r(x int, y text))`, `(select key from jsonb_each(jb) limit 1)`,
        `(select u from unnest(avc) u limit 1)`,
      `(select g from generate_series(1, i8) g limit 1)`, `(select g from generate_series(ts, ts, '1 day') g limit 1)`,
        `(select g from generate_series(d, d, '1 day') g limit 1)`,
      `json_value(jb, '$.a')`, `json_value(jb, '$.a' returning int)`, `json_query(jb, '$.a')`, `json_exists(jb, '$.a')`,
        `json_array(i4, t)`, `json_object('a': i4)`,
      `json_object('a': jb)`, `json_object('a': t returning jsonb)`, `json_array(jb, i4)`, `json_arrayagg(i4)`, `json_objectagg(t: i4)`,
        `t is json`, `json(t)`,
      `json_scalar(i4)`, `json_serialize(j)`, `json_array(select id from k)`, `json_arrayagg(jb returning jsonb)`, `xmlelement(name a, t)`,
        `xmlforest(t)`,
      `(select id from k k1 join k k2 using (id, name))`,
        `(select x from (select i4 as x, t) a join (select i8 as x, vc) b2 using (x) limit 1)`,
      `(select x from (select i4 as x) a full join (select num as x) b2 using (x))`,
        `(select y from (select vc as y) a natural join (select t as y) b2)`,
      `(with recursive r(n) as (select 1 union all select n + 1 from r where n < 3) select max(n) from r)`,
        `(select x from (select vc union select vc) s(x))`,
      `(select x from (select num2 union all select num2 intersect select num) s(x))`,
        `(select max(x) from (values ('a', 1), (t, i8)) v(x, y))`,
      `(select c from (table k) z(a, b, c))`, `(select s from (select k.* from k) s limit 1)`, `(select count(s) from (select 1) s)`,
        `(select x from xmltable('/a' passing null::xml columns x int) z)`,
      `(select x from json_table(jb, '$[*]' columns (x numeric(5,1) path '$')) z)`,
      `(select v from unnest(ai4, at) with ordinality z(u, v, o) limit 1)`, `(select o from unnest(ad) with ordinality z(u, o) limit 1)`,
        `unnest(ad)`, `generate_series(1, 3)`,
    ]);
  }

  #own(): string {
    const value = this.column();
    return this.#pick([
      `f(${this.#pick(['i4', 'i2', 'i8', 'num', 'f8', "'1'", 't', 'vc', 'null', 'dp', 'dn', '1', '1.5'])})`,
        `lo(${this.#pick(['ts', 'tz', 'd', "'2024-01-01'", 'ts3'])})`,
      `same(${value})`, `same('a')`, `pick(${value}, ${this.column()})`, `pick(i4, num)`, `pick('1', i8)`,
        `firstof(${this.#pick(['ai4', 'at', 'ae', 'di', 'ap', 'avc'])})`,
      `listof(${value})`, `total(1, i2, 3)`, `total(i4)`, `total(variadic ai4)`, `joined(',', i4, 2)`, `joined(',', 'a', t)`, `opt(1)`,
        `opt(i4, 2)`, `opt(a => 1, c => t)`,
      `opt(1, c => 'z')`, `feel(e)`, `feel('ok')`, `feel(de)`, `weigh(dp)`, `weigh(1)`, `weigh(i4)`, `lower(e)`, `lower('x')`, `lower(vc)`,
        `public.lower(e)`, `(pairs(1)).b`,
      `(select label from table_of(1))`, `(select z from outs(1))`, `(outs(i4)).y`, `shapeof(w)`, `total_of(i2)`, `total_of(i4) over ()`,
        `(select b from pairs(2) limit 1)`,
      `e = 'ok'`, `e < de`, `e::text`, `ae || e`, `ae @> array['ok'::mood]`, `enum_range(e)`, `p = row(1, 'a', 2)`, `p::text`, `dp + 1`,
        `dn * i4`, `dl || 'x'`, `di || 1`, `coalesce(dp, 1)`,
      `coalesce(ds, dn)`, `greatest(dp, i4)`, `'ok'::mood = any (ae)`, `dp = 3`, `max(e)`, `max(dp)`, `sum(dn)`, `min(dl)`, `array_agg(de)`,
        `1::posint`, `'ok'::good_mood`, `array[dp, i4]`,
      `dl like 'a%'`, `length(dl)`, `di[1]`, `array_length(di, 1)`, `nullif(dp, 1)`, `dn between 1 and i4`, `dl in ('a', 'b')`,
        `e in ('ok', 'sad')`,
    ]);
  }

  next(): Generated {
    const [form, expression] = this.#form();
    return { form, query: `select ${expression} as x from w` };
  }
}
