import type { Cause } from './poison-causes.ts';

/** One more query around a query of columns `k`, `a` and `b`. */
export interface Layer {
  readonly of: (query: string, name: string) => { readonly query: string; readonly setup?: readonly string[]; readonly refresh?: boolean };
  /** Whether NULLs of `k` stay as many, and every `k` that was never NULL stays so. */
  readonly keepsKey: boolean;
}

const layer = (of: Layer['of'], keepsKey = true): Layer => ({ of, keepsKey });
const all = 'k, a, b';

export const layers = {
  cte: layer(query => ({ query: `with q as (${query}) select ${all} from q` })),
  'cte kept': layer(query => ({ query: `with q as materialized (${query}), p as (select ${all} from q) select ${all} from p` })),
  sub: layer(query => ({ query: `select q.k, q.a, q.b from (${query}) q` })),
  view: layer((query, name) => ({ setup: [`create view ${name} as ${query}`], query: `select ${all} from ${name}` })),
  matview: layer((query, name) => ({ setup: [`create materialized view ${name} as ${query}`], query: `select ${all} from ${name}`, refresh: true })),
  union: layer((query, name) => ({ query: `select ${all} from (${query}) q union all select '${name}', 'none', 'none'` })),
  'union of CTEs': layer((query, name) => ({ query: `with q as (${query}), r as (select '${name}' as k, 'none' as a, 'none' as b) select * from q union all select * from r` })),
  beside: layer(query => ({ query: `select coalesce(q.k, 'none') as k, q.a, q.b from (values (1)) one(x) left join (${query}) q on true` }), false),
  joined: layer(query => ({ query: `select q.k, q.a, q.b from (${query}) q cross join (values (1)) one(x)` })),
  lateral: layer(query => ({ query: `select q.k, l.a, l.b from (${query}) q cross join lateral (select q.a, q.b) l` })),
  ordered: layer(query => ({ query: `select ${all} from (${query}) q order by k` })),
  routine: layer((query, name) => ({
    setup: [`create function ${name}() returns table (k text, a text, b text) language sql set search_path = public as $$ ${query} $$`], query: `select f.k, f.a, f.b from ${name}() f`,
  }), false),
  'plpgsql routine': layer((query, name) => ({
    setup: [`create function ${name}() returns table (k text, a text, b text) language plpgsql set search_path = public as $$ #variable_conflict use_column\nbegin return query ${query}; end $$`],
    query: `select ${all} from ${name}()`,
  }), false),
  wrapped: layer((query, name) => ({
    setup: [`create function ${name}(x text) returns text language sql as $$ select '[' || x || ']' $$`], query: `select k, ${name}(a) as a, ${name}(b) as b from (${query}) q`,
  })),
  'wrapped in plpgsql': layer((query, name) => ({
    setup: [`create function ${name}(x text) returns text language plpgsql as $$ declare y text; begin select '{' || x into y; return y || '}'; end $$`],
    query: `select k, ${name}(a) as a, ${name}(b) as b from (${query}) q`,
  })),
  'view over a CTE': layer((query, name) => ({ setup: [`create view ${name} as with q as (${query}) select * from q`], query: `select q.* from ${name} q` })),
} satisfies Readonly<Record<string, Layer>>;

type Aggregate = (x: string) => string;

/** Aggregates over the rows of a group. */
export const aggregates: Readonly<Partial<Record<Cause, readonly Aggregate[]>>> = {
  'steady': [x => `string_agg(${x}, ',' order by id)`, x => `array_to_string(array_agg(${x} order by at, id), ',')`, x => `jsonb_agg(${x} order by id)::text`,
    x => `string_agg(${x}, ',' order by id desc)`, x => `jsonb_object_agg(id, ${x})::text`],
  'order of an aggregate': [x => `string_agg(${x}, ',')`, x => `array_agg(${x})::text`, x => `array_agg(${x} order by grp)::text`, x => `json_agg(${x})::text`, x => `jsonb_agg(${x})::text`,
    x => `json_object_agg(id, ${x})::text`, x => `jsonb_object_agg(d, ${x})::text`, x => `json_arrayagg(${x} absent on null)::text`, x => `json_objectagg(id value ${x})::text`,
    x => `xmlagg(xmlelement(name x, ${x}))::text`, x => `string_agg(${x}, ',' order by at)`, x => `jsonb_agg(${x} order by d)::text`, x => `(array_agg(${x}))[1]`, x => `any_value(${x})`,
    x => `(array_agg(${x} order by at desc))[1]`, x => `(json_agg(${x}) filter (where id > 0))::text`, x => `array_to_string(array_agg(${x}), ',')`],
  'float sum': [() => 'sum(r)::text', () => 'sum(f * 2)::text', () => 'to_jsonb(sum(f))::text', () => '(sum(f) filter (where id > 2))::text',
    () => '(sum(f) / count(*))::text', () => 'avg(r)::text'],
};

/** Rows taken by an order that leaves ties, or none; `k` where the key itself is what is taken. */
export const pickShapes: readonly { readonly query: (b: string) => string; readonly k?: Cause; readonly a?: Cause }[] = [
  { query: () => "select distinct on (grp) grp::text as k, note as a, 'x' as b from items order by grp, at" },
  { query: () => "select distinct on (grp) grp::text as k, note as a, 'x' as b from items" },
  { query: () => "select distinct on (grp) grp::text as k, note as a, id::text as b from items order by grp, at, id", a: 'steady' },
  { query: b => `select id::text as k, row_number() over (order by at)::text as a, ${b} as b from items` },
  { query: b => `select id::text as k, row_number() over ()::text as a, ${b} as b from items` },
  { query: b => `select id::text as k, row_number() over (partition by grp)::text as a, ${b} as b from items` },
  { query: b => `select id::text as k, (row_number() over w)::text as a, ${b} as b from items window w as (partition by grp order by d)` },
  { query: b => `select id::text as k, first_value(note) over (partition by grp order by d) as a, ${b} as b from items` },
  { query: b => `select id::text as k, last_value(note) over (order by d rows between unbounded preceding and current row) as a, ${b} as b from items` },
  { query: b => `select id::text as k, nth_value(note, 2) over (partition by grp) as a, ${b} as b from items` },
  { query: b => `select id::text as k, lag(note) over (order by at) as a, ${b} as b from items` },
  { query: b => `select id::text as k, lead(id, 2, 0) over (order by grp)::text as a, ${b} as b from items` },
  { query: b => `select id::text as k, ntile(7) over (order by grp)::text as a, ${b} as b from items` },
  { query: b => `select id::text as k, sum(id) over (order by at rows unbounded preceding)::text as a, ${b} as b from items` },
  { query: b => `select id::text as k, array_agg(id) over (partition by grp)::text as a, ${b} as b from items` },
  { query: b => `select id::text as k, rank() over (order by at)::text as a, ${b} as b from items`, a: 'steady' },
  { query: b => `select id::text as k, dense_rank() over (order by at) || ' ' || cume_dist() over (order by at) as a, ${b} as b from items`, a: 'steady' },
  { query: b => `select id::text as k, sum(id) over (order by at)::text as a, ${b} as b from items`, a: 'steady' },
  { query: b => `select id::text as k, row_number() over (order by at, id)::text as a, ${b} as b from items`, a: 'steady' },
  { query: b => `select id::text as k, sum(n) over (partition by grp)::text as a, ${b} as b from items`, a: 'steady' },
  { query: () => "select row_number() over (order by at)::text as k, note as a, 'x' as b from items", k: 'pick by order', a: 'steady' },
  { query: b => `select i.id::text as k, (select p.label || p.id from parts p where p.item_id = i.id limit 1) as a, ${b.replaceAll('items', 'i')} as b from items i` },
  { query: b => `select i.id::text as k, (select p.id::text from parts p where p.item_id = i.id order by p.id limit 1) as a, ${b.replaceAll('items', 'i')} as b from items i`, a: 'steady' },
  { query: b => `select i.id::text as k, array(select p.id from parts p where p.item_id = i.id)::text as a, ${b.replaceAll('items', 'i')} as b from items i`, a: 'order of an aggregate' },
  { query: b => `select i.id::text as k, array(select p.id from parts p where p.item_id = i.id order by p.id)::text as a, ${b.replaceAll('items', 'i')} as b from items i`, a: 'steady' },
  { query: () => "select i.id::text as k, l.label as a, 'x' as b from items i cross join lateral (select p.id || p.label as label from parts p where p.item_id = i.id limit 1) l" },
  { query: () => "select i.id::text as k, l.label as a, 'x' as b from items i cross join lateral (select p.id || p.label as label from parts p where p.item_id = i.id order by p.item_id limit 1) l" },
  { query: () => "select i.id::text as k, l.label as a, 'x' as b from items i cross join lateral (select p.id || p.label as label from parts p where p.item_id = i.id order by p.id desc limit 1) l", a: 'steady' },
  { query: () => "select k, a, 'x' as b from (select grp::text as k, note as a, row_number() over (partition by grp order by at) as n from items) q where n = 1" },
  { query: () => "select grp::text as k, string_agg(note, ',') as a, 'x' as b from (select grp, note from items order by id) q group by grp", a: 'steady' },
  { query: () => "select grp::text as k, max(note) || min(id) || count(distinct d) as a, bool_or(id > 3) || '' || bit_or(id) as b from items group by grp", a: 'steady' },
  { query: () => "select grp::text as k, (sum(n) + avg(id))::text as a, percentile_disc(0.5) within group (order by id)::text as b from items group by grp", a: 'steady' },
  { query: () => "select grp::text as k, string_agg(distinct note, ',') as a, sum(r::numeric)::text as b from items group by grp", a: 'steady' },
];

interface Choice {
  readonly from: string;
  readonly rows: string;
  readonly group?: string;
  /** One row a group would be left: no group shows what chose it. */
  readonly single?: true;
}

/** Conditions and limits that choose other rows; `group`: groups that come and go with them. */
export const chosenRows: Readonly<Partial<Record<Cause, readonly Choice[]>>> = {
  'random rows': [{ from: 'items', rows: 'where random() < 0.5', group: 'id % 30' }, { from: 'items', rows: 'tablesample bernoulli (50)', group: 'id % 30' },
    { from: 'items', rows: 'order by random() limit 40' }, { from: 'items', rows: 'where id > 0 and (random() + 0) * 2 > 1', group: 'id % 30' },
    { from: 'items', rows: 'where gen_random_uuid()::text < \'8\'', group: 'id % 30' }, { from: 'items', rows: 'order by md5(random()::text) offset 20' }],
  'rows by order': [{ from: 'items', rows: 'limit 9' }, { from: 'items', rows: 'order by at limit 7' }, { from: 'items', rows: 'order by grp desc offset 20' }, { from: 'items', rows: 'offset 15' },
    { from: 'items', rows: 'order by d, grp limit 2' }],
  'rows by place': [{ from: 'items', rows: 'tablesample bernoulli (50) repeatable (7)', group: 'id % 30' }, { from: 'items', rows: "where ctid > '(1,0)'", single: true }],
  'rows by clock': [{ from: 'items', rows: 'where (select t.at from ticks t where t.id = 100 + items.id * 3) < now()', group: 'id % 30' },
    { from: 'items', rows: 'where exists (select from ticks t where t.id = 100 + items.id * 3 and t.at < clock_timestamp())', group: 'id % 30' },
    { from: 'items', rows: 'where id in (select (t.id - 100) / 3 from ticks t where t.at < now())', single: true }, { from: 'current_items items', rows: '', group: 'id % 30' },
    { from: 'ticks', rows: 'where at < now()' }, { from: 'ticks', rows: 'where at > clock_timestamp()' }, { from: 'ticks', rows: "where at between now() - interval '1 second' and now()" },
    { from: 'ticks', rows: "where age(now(), at) > interval '0 seconds'" }, { from: 'ticks', rows: 'where now() - at > interval \'100 milliseconds\'' }],
  'rows by day': [{ from: 'items', rows: 'where (select y.d from days y where y.id = items.id % 20 + 1) <= current_date', group: 'id % 20' },
    { from: 'items', rows: "where id in (select y.id from days y where y.d < date_trunc('day', now()))", single: true },
    { from: 'days', rows: 'where d < current_date' }, { from: 'days', rows: "where d >= date_trunc('day', now())" }, { from: 'days', rows: 'where current_date - d < 3' },
    { from: 'days', rows: 'where d > now()::date' }],
};

/** Keys that are NULL in some rows, and shapes that look so and are not. */
export const keyShapes: readonly { readonly query: (b: string) => string; readonly indexes?: readonly string[] }[] = [
  { query: b => `select tag as k, id::text as a, ${b} as b from items` },
  { query: b => `select tag as k, id::text as a, ${b} as b from items`, indexes: ['create unique index on q (k, a)'] },
  { query: b => `select tag as k, id::text as a, ${b} as b from items`, indexes: ['create unique index on q (a)', 'create unique index on q (k)'] },
  { query: () => "select tag as k, id::text as a, 'x' as b from items where id % 5 <> 0 or id = 5", indexes: ['create unique index on q (k) nulls not distinct'] },
  { query: () => "select num::text as k, count(*)::text as a, 'x' as b from items group by num" },
  { query: () => "select l.tag as k, i.id::text as a, 'x' as b from items i left join (select id, note as tag from items where id > 30) l on l.id = i.id", indexes: ['create unique index on q (k, a)'] },
  { query: () => "select l.label as k, i.id::text as a, 'x' as b from items i left join (select id + 40 as id, 'p' || id as label from items) l on l.id = i.id" },
  { query: () => "select x.id::text as k, y.id::text as a, 'x' as b from (select id from items where id < 40) x full join (select id from items where id > 20) y on x.id = y.id", indexes: ['create unique index on q (k, a)'] },
  { query: () => "select grp::text as k, (d - date '2024-01-01')::text as a, number::text as b from (select grp, d, count(*) as number from items group by rollup (grp, d)) q", indexes: ['create unique index on q (k, a)'] },
  { query: () => "select g as k, t as a, level::text as b from (select note as g, tag as t, grouping(note, tag) as level from items where tag is not null group by cube (note, tag)) q", indexes: ['create unique index on q (k, a, b)'] },
  { query: b => `select nullif(id, 7)::text as k, id::text as a, ${b} as b from items` },
  { query: b => `select (case when id > 9 then id end)::text as k, id::text as a, ${b} as b from items` },
];
