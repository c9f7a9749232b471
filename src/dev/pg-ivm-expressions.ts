/**
 * Pools of the pg_ivm oracle's generator: expressions over the columns of each source, by what the extension makes of them. `@` stands for the
 * alias of the source. Data only.
 */
export interface Source {
  readonly sql: string;
  readonly alias: string;
  /** The key, then plain columns whose types have an order. */
  readonly key: readonly string[];
  readonly plain: readonly string[];
  /** Columns to join by, all of them numbers. */
  readonly links: readonly string[];
}

const own = (sql: string, alias: string, key: string, plain: string, links = key): Source =>
  ({ sql, alias, key: key.split(' '), plain: plain.split(' '), links: links.split(' ') });

/** Tables that pg_ivm takes as they are. */
export const tables: readonly Source[] = [
  own('customers', 'c', 'id', 'name email city vip created born feel profile score weight balance tags spent rank code extra ip span'),
  own('customers', 'c', 'id', 'name city vip feel balance rank code'),
  own('orders', 'o', 'id', 'customer_id amount qty state placed shipped note total due', 'customer_id id qty'),
  own('orders', 'o', 'id', 'customer_id amount qty state due', 'customer_id id qty'),
  own('items', 'i', 'order_id line', 'sku price', 'order_id line'),
  own('keyless', 'k', 'a', 'b c'),
  own('uniq', 'u', 'k', 'v'),
  own('deferred', 'd', 'id', 'v', 'id v'),
  own('scratch', 's', 'id', 'v', 'id v'),
  own('"Upper"', 'p', 'id', '"Odd Column"', 'id "Odd Column"'),
  own('stored_one', 'st', 'id', 'base twice', 'id base twice'),
  own('other.away', 'w', 'id', 'v', 'id v'),
];

/** Sources that it refuses, or takes and breaks. */
export const strange: Readonly<Record<string, readonly Source[]>> = {
  partitioned: [own('parted', 'x', 'id', 'v', 'id v')],
  partition: [own('parted_1', 'x', 'id', 'v', 'id v'), own('child', 'x', 'id', 'v extra', 'id v')],
  parent: [own('parent', 'x', 'id', 'v', 'id v'), own('only parent', 'x', 'id', 'v', 'id v')],
  foreign: [own('afar', 'x', 'id', 'v', 'id v')],
  view: [own('v_customers', 'x', 'id', 'name'), own('mv_orders', 'x', 'id', 'amount')],
  immv: [own('kept', 'x', 'id', 'name')],
  temporary: [own('passing', 'x', 'id', 'v', 'id v')],
  sequence: [own('counter', 'x', 'last_value', 'is_called')],
  quoted: [own('"Mixed Case"', 'x', 'id', 'v', 'id v'), own('"order"', 'x', 'id', 'v', 'id v')],
  virtual: [own('virtual_one', 'x', 'id', 'base twice', 'id base')],
};

/** Expressions that are immutable, by table. */
export const steady: Readonly<Record<string, readonly string[]>> = {
  c: [
    '@.id + 1', 'upper(@.name)', 'lower(@.city)', `@.name || 'x'`, 'length(@.name)', '@.id::text', '@.balance::text', `@.profile ->> 'a'`,
      `(@.profile ->> 'a')::int`, `@.profile -> 'b'`,
    `@.created at time zone 'UTC'`, `(@.created at time zone 'UTC')::date`, `date_trunc('day', @.created, 'UTC')`, 'f_imm(@.id)',
      'f_strict(@.id)', 'f_ovl(@.id)', 'f_def(@.id)', '@.tags[1]',
    `case when @.vip then 'v' else 'n' end`, 'coalesce(@.city, @.name)', `nullif(@.city, 'Bonn')`, 'greatest(@.id, 2)', '@.vip is true',
      '@.city is null', 'not @.vip', '@.id between 1 and 3',
    '@.id in (1, 2, 3)', `@.name like 'n%'`, `@.name ilike 'N%'`, `@.name ~ '1'`, `md5(@.name)`, `@.born + 1`, `@.created > '2024-01-02'`,
      `@.feel = 'ok'`, `extract(year from @.born)`,
    `array[@.id, 2]`, `'x'`, '1', '@.rank + 1', '@.code', `'now'::timestamptz > @.created`, 'jsonb_array_length(\'[]\'::jsonb)',
      `@.id is distinct from 2`, 'abs(@.id)', `@.score * 2`, `@.profile @> '{}'`,
    `lower(@.span)`, `(@.extra).a`, `@.name collate "C"`, `@.balance::int`, `@.id::bigint`, `@.id::numeric(10,2)`, `@.name::varchar(3)`,
      `to_tsvector('english', @.name)`, `@.feel > 'sad'`, '@.id = any(array[1, 2])',
  ],
  o: [
    '@.amount * 2', '@.qty + 1', '@.id % 2', '@.amount::text', `coalesce(@.qty, 0)`, `@.placed + interval '1 day'`,
      `date_trunc('month', @.placed)`, `extract(day from @.placed)`, '@.due + 1', 'round(@.amount)',
    `@.state = 'paid'`, `@.shipped at time zone 'UTC'`, `upper(@.note)`, 'f_strict(@.qty)', 'f_imm(@.qty)', '@.amount > 10',
      '@.qty::bigint', '-@.qty', `@.placed::date`, `case when @.qty = 1 then 1 end`,
    `date_bin('1 day', @.placed, timestamp '2024-01-01')`, `@.note is not null`, 'md5(@.note)', `@.state < 'shipped'`,
      '@.customer_id::int8', '@.qty * @.amount', `@.qty is null or @.qty > 0`,
  ],
  i: ['@.price * 2', 'upper(@.sku)', '@.line + 1', '@.price::text', '@.order_id::int', `coalesce(@.sku, 'x')`, 'round(@.price)'],
  k: ['@.a + 1', 'upper(@.b)', '@.c + 1', 'coalesce(@.b, \'x\')', '@.a::text'],
  u: ['@.k + 1', 'upper(@.v)', `coalesce(@.v, 'q')`, 'f_strict(@.k)'],
  d: ['@.v + 1', '@.id * 2', 'f_strict(@.v)'], s: ['@.v + 1', '@.id * 2'], p: ['@.id + 1', '@."Odd Column" * 2'],
    st: ['@.twice + 1', '@.base'], w: ['@.v + 1', '@.id * 2'], x: ['@.id + 1'],
};

/** Expressions with something in them that is not immutable. */
export const mutable: Readonly<Record<string, readonly string[]>> = {
  c: [
    'now()', 'current_date', 'current_user', 'random()', '@.created::date', '@.created::text', '@.born::text', '@.feel::text',
      `@.name::mood`, 'f_stab(@.id)', 'f_vol(@.id)', 'f_ovl(@.name)', `f_def(@.id, now())`,
    `age(@.born, @.born)`, `date_trunc('day', @.created)`, `extract(hour from @.created)`, `to_char(@.balance, '9')`,
      `@.created + interval '1 day'`, `@.created > @.born`, `concat(@.name, 'x')`, `format('%s', @.name)`,
    `@.name || @.id`, `array_to_string(@.tags, ',')`, 'to_json(@.name)', `jsonb_build_object('a', @.id)`, 'to_tsvector(@.name)',
      'pg_typeof(@.id)', `@.name::timestamp`, `current_setting('TimeZone')`, '@.tags::text', '@.spent::numeric',
    `clock_timestamp()`, `case when false then now() end`, `nextval('counter')`, 'localtimestamp', '@.born::timestamptz', '@.extra::text',
      `enum_first(@.feel)`, 'quote_literal(@.id)', 'uuidv7()', `(@.name, now()) < ('a', current_timestamp)`,
    'gen_random_uuid()', `json_object('a': @.created)`, `@.name::regclass`, `to_number(@.name, '9')`,
  ],
  o: ['now()', 'f_vol(@.qty)', 'f_stab(@.qty)', '@.placed::timestamptz', '@.placed::text', '@.shipped::date', '@.state::text',
    '@.shipped > @.placed', '@.due::text', `to_char(@.placed, 'YYYY')`, `date_trunc('day', @.due)`, '@.note || @.id', 'random() * @.amount',
    `concat(@.id, @.note)`],
  '': ['now()', 'random()', 'current_timestamp', 'f_vol(1)', 'clock_timestamp()', `f_stab(2)`],
};

/** Conditions that are immutable. */
export const conditions: Readonly<Record<string, readonly string[]>> = {
  c: [
    '@.id > 1', `@.city = 'Bonn'`, `@.name like 'n%'`, '@.vip', 'not @.vip', '@.city is not null', '@.city is null', '@.id in (1, 2, 11)',
      '@.balance between 1 and 4', `@.city = 'Bonn' or @.id = 1`, `coalesce(@.city, 'x') = 'x'`,
    `@.feel = 'ok'`, `@.profile @> '{"b": "x"}'`, '1 = 1', `not (@.id = 1)`, `(@.id > 1) is true`, `@.city is distinct from 'Bonn'`,
      'f_strict(@.id) = 1', 'f_imm(@.id) = 1', `upper(@.name) = 'N1'`, '@.id = any(array[1, 2])', `@.id not in (1, 2)`,
    `nullif(@.city, 'x') = 'y'`, '@.id::bigint = 2', `case when @.vip then true else false end`, `@.tags[1] = 'a'`,
      `@.id not between 2 and 3`, '(@.id, @.balance) = (1, 2)', `@.rank = 1`, '@.vip is not null', `@.created > '2024-01-01'`,
    `@.name ~ '1' and @.id > 0`, `@.name = 'n1' and (@.city = 'a' or @.city = 'b')`,
  ],
  o: ['@.amount > 10', '@.qty = 1', '@.qty is null', `@.state = 'paid'`, 'coalesce(@.qty, 1) = 1', '@.qty is not null', '@.id < 5',
    `@.note like 'n%'`, '@.amount > 5 or @.qty = 2', '@.qty in (1, 2)', 'not (@.qty = 2)', `@.placed > '2024-01-02'`,
    `@.due >= date '2024-02-02'`],
  '': ['true', '1 = 1', '2 > 1'],
};

/** Aggregates that pg_ivm maintains, and some that it does not; `count(*)` goes with every table. */
export const maintained: Readonly<Record<string, readonly string[]>> = {
  c: ['count(*)', 'count(@.city)', 'sum(@.balance)', 'sum(@.id)', 'avg(@.balance)', 'min(@.name)', 'max(@.created)', 'max(@.feel)',
    'min(@.code)', 'max(@.spent)', 'max(@.tags)', 'avg(@.id)', 'min(@.ip)', 'sum(@.spent)', 'count(@.raw)', 'max(@.email)', 'sum(@.id + 1)',
    'sum(@.rank)', 'sum(@.score)', 'avg(@.weight)', 'count(1)'],
  o: ['count(*)', 'sum(@.amount)', 'avg(@.qty)', 'max(@.placed)', 'min(@.state)', 'count(@.note)', 'sum(@.qty)', 'max(@.due)',
    'sum(@.amount * @.qty)', 'sum(@.total)', 'avg(@.amount)'],
  i: ['count(*)', 'sum(@.price)', 'max(@.sku)', 'avg(@.price)', 'sum(@.line)'], '': ['count(*)', 'count(1)', 'sum(1)'],
};
export const unmaintained: Readonly<Record<string, readonly string[]>> = {
  c: ['bool_and(@.vip)', `string_agg(@.name, ',')`, 'array_agg(@.id)', 'stddev(@.balance)', 'any_value(@.city)', 'f_sum(@.id)',
    'bit_and(@.id)', 'jsonb_object_agg(@.name, @.id)', 'max(@.extra)', 'variance(@.id)', 'corr(@.score, @.score)', 'range_agg(@.span)',
    'every(@.vip)'],
  o: ['stddev(@.amount)', `string_agg(@.note, ',')`, 'array_agg(@.qty)', 'f_sum(@.qty)', 'bit_or(@.qty)', 'any_value(@.note)'],
    '': ['array_agg(1)', 'f_sum(1)'],
};
export const unstableAggregates: readonly string[] = ['json_agg(@.id)', 'jsonb_agg(@.id)', 'json_arrayagg(@.id)',
  'json_object_agg(@.id, @.id)', 'count(now())'];
