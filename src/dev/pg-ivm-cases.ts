/**
 * One row for each check of pg_ivm 1.16, in its order: queries that it refuses for this reason first, and neighbours that it takes. Over the
 * schema of the oracle. The tests ask mvlint alone, and the extension. Data only.
 */
export interface Row {
  readonly code: string;
  readonly refused: readonly string[];
  readonly taken?: readonly string[];
  /** The replay does not make this source; only introspection knows it. */
  readonly live?: true;
}

export const cases: readonly Row[] = [
  { code: 'temporary-source', live: true, refused: ['select id from passing'] },
  { code: 'modifying-cte', refused: ['with d as (delete from scratch returning id) select id from d'] },
  { code: 'parameter', refused: ['select id from customers where id = $1'] },
  {
    code: 'mutable-function',
    refused: [
      'select now()', 'select id from customers order by random()', `select id, case when false then clock_timestamp() end from customers`,
        'select id from customers where current_date > born',
      'with unused as (select random()) select 1', 'select born::text from customers', 'select feel::text from customers',
        'select jsonb_agg(id) from customers', 'select f_ovl(name) from customers',
      'select id from customers where exists (select 1 from orders where placed > now())', `select f_def(id, now()) from customers`,
        'select x.n from f_vol(1) x(n)', `select concat(name, 'a') from customers`,
      'select created + interval \'1 day\' from customers', `select json_object('a': created) from customers`,
        'select count(*) from customers tablesample system (f_vol(1))', `select id from customers where (name, 1) < (current_user, 2)`,
    ],
    taken: [
      `select id, created > 'now' from customers`, 'select id, f_ovl(id) from customers', 'select id, f_def(id) from customers',
        `select id, date_trunc('day', created, 'UTC') from customers`, 'select id, balance::text from customers',
      `select id, created at time zone 'UTC' from customers`, `select id, born + 1 from customers`, `select id, feel = 'ok' from customers`,
    ],
  },
  { code: 'group-by-without-aggregate', refused: ['select city from customers group by city',
    'select city from customers group by city having true'], taken: ['select city, count(*) from customers group by city',
    'select city, count(*) from customers group by grouping sets ((city))',
    'select city, count(*) from customers group by distinct city'] },
  { code: 'having', refused: ['select count(*) from customers having count(*) > 1',
    'select city, count(*) from customers group by city having true order by 1'] },
  { code: 'order-by', refused: ['select id from customers order by id', 'select distinct on (city) city, id from customers order by city',
    'select 1 union select 2 order by 1', 'select * from (select id from customers order by id limit 1) s'] },
  { code: 'limit', refused: ['select id from customers limit all', 'select id from customers offset 0',
    'select id from customers fetch first row only', 'select 1 union select 2 limit 1'] },
  { code: 'distinct-on', refused: ['select distinct on (city) city, id from customers'],
    taken: ['select distinct city, vip from customers'] },
  { code: 'window-function', refused: ['select id, row_number() over () from customers',
    'select id, count(*) over w from customers window w as (order by id)'], taken: ['select id from customers window w as (order by id)'] },
  { code: 'grouping-sets', refused: ['select count(*) from customers group by ()',
    'select city, count(*) from customers group by rollup (city)', 'select city, vip, count(*) from customers group by city, cube (vip)',
    'select city, count(*) from customers group by grouping sets ((city), ())'] },
  { code: 'set-operation', refused: ['select 1 union all select 2', 'select id from customers except select id from orders',
    'select * from (select 1 intersect select 2) s(x)'] },
  { code: 'no-columns', refused: ['select from customers', 'select id from customers where exists (select from orders)'] },
  { code: 'row-lock', refused: ['select id from customers for update',
    'select id from customers c where exists (select 1 from orders o where o.id = c.id for share)'], taken: ['select 1 for update'] },
  { code: 'recursive', refused: ['with recursive a as (select id from customers) select id from a'] },
  { code: 'system-column', refused: ['select ctid from customers', 'select id from customers where tableoid > 0::oid',
    'select id from (select id, xmin from customers) s'] },
  { code: 'no-btree-order', refused: ['select raw from customers', 'select loc from customers', `select jsonpath '$.a'`, `select xid '1'`],
    taken: ['select profile, tags, span, feel, rank, extra from customers', 'select s.id from (select id, raw from customers) s',
    'select count(raw) from customers'] },
  { code: 'nested-distinct', refused: ['select city from (select distinct city from customers) s',
    'select id from customers where exists (select distinct 1 from orders)'] },
  { code: 'nested-aggregate', refused: ['select n from (select count(*) as n from customers) s',
    'with a as (select max(id) as m from orders) select m from a'], taken: ['select count(*) from (select id from customers) s'] },
  { code: 'tablesample', refused: ['select id from customers tablesample system (10)'] },
  { code: 'partitioned-table', refused: ['select id from parted'] },
  { code: 'partition', refused: ['select id from parted_1', 'select id from child'] },
  { code: 'inheritance-parent', refused: ['select id from parent', 'select id from only parent'] },
  { code: 'foreign-table', live: true, refused: ['select id from afar'] },
  { code: 'view', refused: ['select id from v_customers', 'select id from mv_orders',
    'select c.id from customers c where exists (select 1 from v_customers v where v.id = c.id)'] },
  { code: 'values', refused: ['select n from (values (1), (2)) v(n)', 'values (1)'] },
  { code: 'immv-source', live: true, refused: ['select id from kept'] },
  { code: 'reserved-column-name', refused: ['select id as __ivm_x from customers',
    'select y from (select id as __ivm_y, name as y from customers) s'], taken: ['select id as "__IVM_x", 1 as __ivm from customers'] },
  { code: 'aggregate-in-expression', refused: ['select count(*) + 1 from customers', 'select max(id)::text from customers',
    'select coalesce(sum(id), 0) from customers', 'select city, grouping(city) from customers group by city'] },
  { code: 'aggregate-filter', refused: ['select count(*) filter (where vip) from customers'] },
  { code: 'aggregate-distinct', refused: ['select count(distinct city) from customers',
    'select sum(distinct id order by id) from customers'] },
  { code: 'aggregate-order', refused: ['select max(id order by id) from customers',
    'select percentile_disc(0.5) within group (order by id) from customers'] },
  {
    code: 'aggregate-function', refused: ['select bool_and(vip) from customers', `select string_agg(name, ',') from customers`,
      'select max(extra) from customers', 'select jsonb_object_agg(name, id) from customers'],
    taken: ['select count(*), count(city) as c2, sum(id), sum(balance) as s2, avg(balance), min(name), max(feel), max(tags) as m2, min(ip) as n2, max(email) as m3, sum(spent) as s3, sum(rank) as s4, max(code) as m4 from customers'],
  },
  { code: 'aggregate-function', live: true, refused: ['select f_sum(id) from customers'] },
  { code: 'outer-join-with-subquery',
    refused: ['select s.id, o.id as oid from (select id from customers) s left join orders o on s.id = o.id',
    'select c.id, o.id as oid from customers c left join orders o on c.id = o.id, (select 1) s'] },
  { code: 'outer-join-with-aggregate',
    refused: ['select c.id, count(o.id) from customers c left join orders o on c.id = o.customer_id group by c.id'] },
  { code: 'subquery-expression', refused: ['select id from customers where id in (select k from uniq)', 'select (select 1)',
    'select exists (select 1 from uniq)', 'select id from customers where exists (select 1 from uniq) is true',
    'select a.id from customers a join uniq u on exists (select 1 from keyless)', 'select array(select k from uniq)'] },
  { code: 'exists-under-or-not', refused: ['select id from customers where not exists (select 1 from uniq)',
    'select id from customers where exists (select 1 from uniq) or vip', 'select id from customers where id not in (select k from uniq)'],
    taken: ['select id from customers where exists (select 1 from uniq) and (vip or id > 1)'] },
  { code: 'nested-exists', refused: ['select k from (select k from uniq u where exists (select 1 from keyless)) s',
    'select id from customers where exists (select 1 from uniq where exists (select 1 from keyless))'] },
  { code: 'with-in-exists', refused: ['select id from customers where exists (with w as (select 1) select * from w)'],
    taken: ['with w as (select k from uniq) select id from customers where exists (select 1 from w)'] },
  { code: 'exists-with-outer-join',
    refused: ['select c.id, o.customer_id from customers c left join orders o on c.id = o.customer_id where exists (select 1 from uniq)'] },
  { code: 'reserved-cte-name', refused: ['with __ivm_a as (select id from customers) select id from __ivm_a'] },
  { code: 'unreferenced-cte', refused: ['with a as (select 1) select id from customers',
    'with a as (select 1 as n), b as (select n from a) select id from customers'],
    taken: ['with a as (select id from customers), b as (select id from a) select id from b'] },
  { code: 'exists-column-not-selected',
    refused: ['select name from customers c where exists (select 1 from orders o where o.customer_id = c.id)',
    'select id + 0 as id from customers c where exists (select 1 from orders o where o.customer_id = c.id)'],
    taken: ['select id from customers c where exists (select 1 from orders o where o.customer_id = c.id)'] },
  {
    code: 'outer-join-condition', refused: [
      'select c.id, o.customer_id from customers c left join orders o on c.id = o.customer_id and c.id > 0',
        'select c.id, o.customer_id from customers c left join orders o on true',
        'select c.id, o.customer_id from customers c left join orders o on c.id > o.customer_id',
      'select a.id, b.id as bid from deferred a left join scratch b using (id, v)',
        'select c.id, o.customer_id from customers c left join orders o on c.id = 1',
    ],
    taken: ['select c.id, o.customer_id from customers c left join orders o on c.id = o.customer_id',
      'select c.id, o.customer_id from customers c full join orders o on c.id = o.customer_id + 0',
      'select a.id, b.id as bid from deferred a left join scratch b using (id)',
      'select c.id, o.id as oid from customers c right join orders o on c.id = o.id'],
  },
  { code: 'outer-join-column-not-selected', refused: ['select c.id from customers c left join orders o on c.id = o.customer_id',
    'select a.id from deferred a left join scratch b using (id)',
    'select c.id::text, o.customer_id from customers c left join orders o on c.id = o.customer_id'] },
  {
    code: 'outer-join-where', refused: ['is null', `is distinct from 5`, 'is not true'].map(test =>
      `select c.id, o.customer_id from customers c left join orders o on c.id = o.customer_id where ${test === 'is not true' ? 'c.vip' : 'o.qty'} ${test}`)
      .concat('select c.id, o.customer_id from customers c left join orders o on c.id = o.customer_id where c.id = 1 or o.qty = 1',
        'select c.id, o.customer_id from customers c left join orders o on c.id = o.customer_id where coalesce(o.qty, 1) = 1'),
    taken: ['o.qty = 1', 'o.qty in (1, 2)', 'o.qty is not null', 'not (o.qty = 1)', '(o.qty > 1) is true', 'c.id = 1 or c.balance = 2',
      '1 = 1', 'o.qty between 1 and 2', `upper(c.name) = 'A'`].map(test =>
      `select c.id, o.customer_id from customers c left join orders o on c.id = o.customer_id where ${test}`),
  },
  {
    code: 'outer-join-non-strict', refused: ['coalesce(o.qty, 1)', 'case when o.qty = 1 then 1 end', 'o.qty is null', 'array[o.qty]',
      'greatest(o.qty, 1)', 'f_imm(o.qty)', 'o.qty = 1 or o.qty = 2', 'o.qty in (1, 2)', 'nullif(o.qty, 1)',
      'o.qty between 1 and 2'].map(text =>
      `select c.id, o.customer_id, ${text} as x from customers c left join orders o on c.id = o.customer_id`),
    taken: ['o.qty + 1', 'f_strict(o.qty)', 'upper(o.note)', 'o.qty::text', 'not (o.qty = 1)', '1', 'o.qty in (1)'].map(text =>
      `select c.id, o.customer_id, ${text} as x from customers c left join orders o on c.id = o.customer_id`),
  },
  { code: 'exists-with-aggregate', refused: ['select count(*) from customers where exists (select 1 from uniq)'] },
  { code: 'group-key-not-selected', refused: ['select count(*) from customers group by city',
    'select city, count(*) from customers group by city, upper(city)'],
    taken: ['select upper(city), count(*) from customers group by upper(city)',
    'select upper(city) as u, count(*) from customers group by 1', 'select upper(city) as u, count(*) from customers group by u',
    'select id, name, count(*) from customers group by id'] },
  { code: 'no-collation', refused: ['select o.note || i.sku as x from orders o, items i'],
    taken: ['select o.note || i.sku collate "C" as x from orders o, items i', `select o.note || 'x' as x from orders o`] },
  { code: 'duplicate-column', refused: ['select count(*), count(city) from customers', 'select c.id, o.id from customers c, orders o'] },
  { code: 'record-column', refused: ['select row(1, 2) as r', 'select s from (select id from customers) s']},
  { code: 'record-column', live: true, refused: [], taken: ['select (row(1, \'a\')::pair).a as r'] },
  { code: 'sequence-source', refused: ['select last_value from counter'] },
];

/** Queries that are taken and then break writes, by what is said of them. */
export const broken: Readonly<Record<string, readonly string[]>> = {
  'quoted-table-name': ['select id from "Mixed Case"', 'select id from "order"', 'select id from scratch "left"',
    'select id from scratch "a b"'],
  'quoted-column-name': ['select min(id) as "Upper" from scratch', 'select qty as "Q", max(amount) as m from orders group by qty',
    'select a.id as "A", b.id as b from scratch a left join deferred b on a.id = b.id'],
  'virtual-generated-column': ['select id from virtual_one'],
  'whole-row-value': ['select c from customers c', 'select count(o) from orders o', 'select o is null as x from orders o'],
  'json-inside-value': ['select id, files from customers'],
  'outer-join-over-cte': ['with w as (select id from deferred) select a.id, w.id as wid from scratch a left join w on a.id = w.id'],
  'outer-join-over-function': ['select a.id, b.id as bid from scratch a left join deferred b on a.id = b.id, generate_series(1, 2) g'],
  'lateral-in-exists': ['select c.id from customers c where exists (select 1 from uniq u, lateral (select o.id from orders o where o.id = u.k) l)'],
  'set-returning-column': ['select id, generate_series(1, 2) as g from scratch'],
  'outer-join-of-one-table': ['select a.id, b.id as bid, s.id as sid from orders a left join orders b on a.id = b.id left join scratch s on a.id = s.id'],
};

/** Queries that are taken and then hold other rows than they give. */
export const falsified: Readonly<Record<string, readonly string[]>> = {
  'floating-point-sum': ['select city, sum(score) from customers group by city'],
  'table-read-twice': ['select o.qty, p.id from orders o join orders p on o.customer_id = p.qty'],
};

/** The unique index that is made, by query. */
export const indexes: readonly (readonly [string, readonly string[]])[] = [
  ['select name, id from customers', ['id']], ['select name from customers', []], ['select k from uniq', []],
    ['select id from deferred', []], ['select id, v from scratch', ['id']],
  ['select c.id, i.line, i.order_id from customers c join items i on c.id = i.order_id', ['id', 'line', 'order_id']],
    ['select c.id, k.a from customers c, keyless k', []],
  ['select city, vip, count(*) from customers group by vip, city', ['city', 'vip']], ['select count(*) from customers', []],
    ['select distinct city, name from customers', ['city', 'name']],
  ['select s.id from (select id, name from customers) s', ['id']], ['with w as (select id from customers) select id from w', ['id']],
    ['select id, g from customers, generate_series(1, 2) g', []],
  ['select id from customers c where exists (select 1 from uniq where k = c.id)', []],
    ['select distinct id from customers c where exists (select 1 from uniq where k = c.id)', ['id', '__ivm_exists_count_0__']],
  ['select id from scratch join other.away using (id)', []], ['select a.id, b.id as bid from scratch a join other.away b using (id)',
    ['id', 'bid']],
];
