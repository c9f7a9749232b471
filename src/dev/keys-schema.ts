import { random } from './history.ts';

/** The schema of the keys oracle, and random rows that respect it: few values, so that what may repeat does. */

export type ColumnType = 'integer' | 'text' | 'boolean' | 'integer[]';
export interface KnownColumn {
  readonly name: string;
  readonly type: ColumnType;
}

export const schema = [
  'create table region (id int primary key, code text not null unique, name text)',
  'create table customer (id int primary key, email text unique, region_id int references region, tier text not null)',
  'create table product (sku text, edition int check (edition > 0), title text not null, alias text, primary key (sku, edition))',
  'create unique index product_alias on product (alias) where alias is not null',
  `create table orders (id int primary key, customer_id int not null references customer, status text not null, qty int, ref text not null unique,
    active boolean not null)`,
  'create unique index orders_active on orders (customer_id) where active',
  'create table line (order_id int not null references orders, n int not null, sku text not null, edition int not null, qty int, primary key (order_id, n), foreign key (sku, edition) references product)',
  'create table profile (customer_id int not null unique references customer, bio text, score int)',
  'create table memo (order_id int, body text, tags int[] not null)',
  'create table slot (a int, b int, unique nulls not distinct (a, b), c text not null)',
  'create unique index slot_lower on slot (lower(c), a)',
  'create table animal (id int primary key, name text not null)',
  'create table dog (breed text, primary key (id)) inherits (animal)',
  'create table event (id int not null, at int not null, kind text, primary key (id, at)) partition by range (at)',
  'create table event_low partition of event for values from (0) to (3)',
  'create table event_high partition of event for values from (3) to (100)',
  'create view totals as select customer_id, count(*) as n, sum(qty)::int as total from orders group by customer_id',
  'create view order_lines as select o.id, l.n, l.sku, l.edition, o.status from orders o join line l on l.order_id = o.id',
  'create materialized view latest as select distinct on (customer_id) customer_id, id, status from orders order by customer_id, id desc',
  'create unique index latest_key on latest (customer_id)',
];

const of = (text: string): readonly KnownColumn[] => text.split(' ').map(item => {
  const [name = '', type = 'i'] = item.split(':');
  return { name, type: type === 't' ? 'text' : type === 'b' ? 'boolean' : type === 'a' ? 'integer[]' : 'integer' };
});

export const tables: Readonly<Record<string, readonly KnownColumn[]>> = {
  region: of('id code:t name:t'), customer: of('id email:t region_id tier:t'), product: of('sku:t edition title:t alias:t'),
  orders: of('id customer_id status:t qty ref:t active:b'), line: of('order_id n sku:t edition qty'),
    profile: of('customer_id bio:t score'),
  memo: of('order_id body:t tags:a'), slot: of('a b c:t'), animal: of('id name:t'), 'only animal': of('id name:t'),
    dog: of('id name:t breed:t'),
  event: of('id at kind:t'), event_low: of('id at kind:t'), totals: of('customer_id n total'),
    order_lines: of('id n sku:t edition status:t'),
  latest: of('customer_id id status:t'),
};

/** Columns that meet: foreign keys, and keys of the same things. */
export const links: readonly (readonly [string, readonly string[], string, readonly string[]])[] = [
  ['customer', ['region_id'], 'region', ['id']], ['orders', ['customer_id'], 'customer', ['id']], ['line', ['order_id'], 'orders', ['id']],
  ['line', ['sku', 'edition'], 'product', ['sku', 'edition']], ['profile', ['customer_id'], 'customer', ['id']], ['memo', ['order_id'],
    'orders', ['id']],
  ['totals', ['customer_id'], 'customer', ['id']], ['totals', ['customer_id'], 'profile', ['customer_id']], ['order_lines', ['id'],
    'orders', ['id']],
  ['latest', ['customer_id'], 'customer', ['id']], ['latest', ['id'], 'orders', ['id']], ['orders', ['customer_id'], 'profile',
    ['customer_id']],
  ['line', ['order_id', 'n'], 'order_lines', ['id', 'n']], ['animal', ['id'], 'dog', ['id']],
];

/** One data set as statements. Sizes, the number of values and the share of NULLs differ from set to set. */
export function dataSet(seed: number): readonly string[] {
  const next = random(seed * 7919 + 13);
  const upTo = (limit: number): number => Math.floor(next() * limit);
  const size = [40, 4, 16, 30, 60, 30, 0][seed % 7]!;
  const values = 2 + upTo(3);
  // Every other set has few keys, so that conditions on constants meet rows in every table.
  const dense = seed % 2 === 1;
  const nulls = [0.1, 0, 0.4, 0.2, 0][seed % 5]!;
  const number = (): string => String(1 + upTo(values));
  const wide = (): string => String(1 + (dense ? upTo(4) : upTo(size * 0.8 + 2)));
  const word = (): string => `'${'abcdABCD'[upTo(values + 2)]}'`;
  const orNull = (text: string): string => (next() < nulls ? 'null' : text);
  const flag = (): string => (next() < 0.5 ? 'true' : 'false');
  const tags = (): string => `'{${Array.from({ length: upTo(4) }, number).join()}}'`;
  const text = (): string => `'${'abcdABCDefghijklmnopqrstuvwxyzEFGHIJKLMNOP'[dense ? upTo(5) : upTo(Math.min(42, size + 4))]}'`;
  const rows: [string, number, () => readonly string[]][] = [
    ['region', size, () => [wide(), text(), orNull(word())]],
    ['customer', size, () => [wide(), orNull(text()), orNull(`(select id from region order by md5(id::text || ${upTo(99)}) limit 1)`),
      word()]],
    ['product', size, () => [word(), number(), word(), orNull(text())]],
    ['orders', size * 1.5, () => [wide(), `(select id from customer order by md5(id::text || ${upTo(99)}) limit 1)`, word(),
      orNull(number()), `'${'abcdABCD'[upTo(dense ? 4 : 8)]}${dense ? '' : upTo(9) || ''}'`, flag()]],
    ['profile', size, () => [`(select id from customer order by md5(id::text || ${upTo(99)}) limit 1)`, orNull(word()), orNull(number())]],
    ['memo', size, () => [orNull(wide()), orNull(word()), tags()]],
    ['slot', size, () => [orNull(number()), orNull(number()), word()]],
    ['only animal', size, () => [wide(), word()]],
    ['dog', size, () => [wide(), word(), orNull(word())]],
    ['event', size, () => [wide(), number(), orNull(word())]],
  ];
  const insert = (table: string, list: readonly string[]): string =>
    `insert into ${table.replace('only ', '')} select ${list.join(', ')} on conflict do nothing`;
  const made = rows.flatMap(([table, count, row]) => Array.from({ length: Math.ceil(count) }, () => insert(table, row())));
  const lines = Array.from({ length: size * 2 }, () => `insert into line select o.id, ${number()}, p.sku, p.edition, ${orNull(number())}
    from (select id from orders order by md5(id::text || ${upTo(
      99)}) limit 1) o, (select sku, edition from product order by md5(sku || edition || ${upTo(99)}) limit 1) p on conflict do nothing`);
  return ['truncate region, customer, product, orders, line, profile, memo, slot, animal, event cascade', ...made, ...lines,
    'refresh materialized view latest'];
}
