import { expect, test } from 'vitest';
import { replay } from '../catalog/replay.ts';
import type { Catalog, Matview } from '../model.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { factsOf } from './facts.ts';
import { isUnknown } from './scope.ts';

/** Keys that only hold under a condition or a shape; `npm run oracle:keys` holds the same kinds against data. */
const tables = `
create table orders (id int primary key, customer int not null, status text not null, kind varchar(10) not null, ref text, open boolean not null);
create unique index on orders (customer) where open;
create unique index on orders (ref) where ref is not null;
create unique index on orders (customer, id) where status = 'new' and kind = 'a';
create unique index on orders (status) where status = 'new' and kind = 'a';
create table other (id int primary key, open boolean not null);
create function net(x int) returns int language sql immutable as 'select x - 1';
create function several(x int) returns setof int language sql immutable as 'select x';`;

function keysOf(query: string): string {
  const history = readHistories(memoryFiles({ 'db/001.sql': `${tables}\ncreate materialized view q as ${query};` }), { tool: 'psql' }).histories[0]!;
  const replayed = replay(history, { postgres: 18 });
  let next = replayed.next();
  while (next.done !== true) next = replayed.next();
  const catalog: Catalog = next.value;
  const found = catalog.find({ name: 'q' });
  if (found.is !== 'present') throw new Error(query);
  const { keys } = factsOf(found.object as Matview, catalog);
  return isUnknown(keys) ? 'unknown' : keys.map(key => `(${key.join()})`).join(' ');
}

test.each([
  ['select customer from orders where open', '(customer)'], ['select customer from orders o where o.open is true and o.id > 3', '(customer)'],
  ['select customer from orders where open = true', '(customer)'], ['select customer from orders where open or id > 3', 'unknown'],
  ['select customer from orders where not open', 'unknown'], ['select customer from orders', 'unknown'],
  // The condition is of the other table.
  ['select o.customer from orders o join other x on x.id = o.id where x.open', 'unknown'],
  ['select o.customer from orders o join other x on x.id = o.id where o.open', '(customer)'],
  ['select ref from orders where ref is not null', '(ref)'], ["select ref from orders where ref > 'a'", '(ref)'], ['select ref from orders where ref is null', 'unknown'],
  ["select customer, open from orders where kind = 'a' and status = 'new'", '()'], ["select customer, open from orders where status = 'new'", 'unknown'],
  // Row numbers count from one.
  ['select customer from (select customer, row_number() over (partition by customer order by id) as n from orders) r where n <= 1', '(customer)'],
  ['select customer from (select customer, row_number() over (partition by customer order by id) as n from orders) r where 2 > n', '(customer)'],
  ['select customer from (select customer, row_number() over (partition by customer order by id) as n from orders) r where n <= 2', 'unknown'],
  ['select customer from (select customer, rank() over (partition by customer order by id) as n from orders) r where n <= 1', 'unknown'],
  // What a full join makes of two keys.
  ['select coalesce(a.id, b.id) as id from orders a full join other b on b.id = a.id', '(id)'], ['select coalesce(a.id, b.id) as id from orders a full join other b on b.id > a.id', 'unknown'],
  ['select coalesce(a.customer, b.id) as id from orders a full join other b on b.id = a.customer', 'unknown'],
  // A routine that gives one value leaves the rows as they are.
  ['select id, net(customer) as net from orders', '(id)'], ['select id, several(customer) as one from orders', 'unknown'],
])('%s', (query, keys) => expect(keysOf(query)).toBe(keys));
