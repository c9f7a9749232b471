/** The schema, rows and queries of `oracle.test.ts`: data only, no part of the product. Rows are chosen to break wrong claims: NULLs, equal rows, empty groups. */

export const schema = `
  create table region (id int primary key, code text not null unique, name varchar(40), parent int references region);
  create table customer (id bigint generated always as identity primary key, email text not null, region_id int references region, joined date not null default current_date,
    score real, tags text[], extra jsonb, code char(3));
  create unique index on customer (email);
  create table product (sku text, edition int, price numeric(12,2) not null, weight double precision, alias text unique, primary key (sku, edition));
  create table orders (id int primary key, customer_id bigint not null references customer, placed_at timestamptz not null, shipped timestamp(3), amount numeric(10,2), note varchar(10),
    status text not null, qty smallint, parent int);
  create table line (order_id int not null references orders, n int not null, sku text not null, edition int not null, qty int not null, primary key (order_id, n));
  create unique index line_hot on line (sku) where qty > 1000000;
  create table animal (id int primary key, kind text not null);
  create table dog (bark text) inherits (animal);
  create table event (id int not null, at date not null, primary key (id, at)) partition by range (at);
  create table event_a partition of event for values from ('2020-01-01') to ('2030-01-01');
  create table loose (a int, b int, c text);
  create table "Mixed" ("Id" int primary key, "select" text);
  create sequence counter;
`;
export const rows = `
  insert into region values (1,'eu','Europe',null), (2,'de','Germany',1), (3,'fr',null,1), (4,'xx',null,null);
  insert into customer (email, region_id, joined, score, tags, extra, code) values ('a@x',1,'2024-01-01',1.5,'{a,b}','{"k":1}','abc'), ('b@x',1,'2024-01-01',null,'{a,a}',null,null),
    ('c@x',null,'2024-02-01',2,null,'{"k":2}','x'), ('d@x',2,'2024-02-01',2,'{}','[]','x');
  insert into product values ('p',1,1,0.5,null), ('p',2,2,null,null), ('q',1,1,1,'z');
  insert into orders values (1,1,'2024-01-01 10:00+00','2024-01-02',10,'x','new',1,null), (2,1,'2024-01-01 11:00+00',null,10.50,null,'new',1,1), (3,2,'2024-02-01 10:00+00',null,null,'x','old',null,1),
    (4,1,'2024-03-01 10:00+00',null,7,'y','old',2,2);
  insert into line values (1,1,'p',1,2), (1,2,'p',2,1), (2,1,'p',1,2), (3,1,'q',1,5);
  insert into animal values (1,'cat'), (2,'cow');
  insert into dog values (1,'dog','wuff'), (3,'dog','wau');
  insert into event values (1,'2024-01-01'), (1,'2024-01-02'), (2,'2024-01-01');
  insert into loose values (1,1,'x'), (1,1,'x'), (null,null,null), (null,null,'y'), (2,null,'y');
  insert into "Mixed" values (1,'a'), (2,null);
`;
/** Views that the queries may use; each is lowered and put into the catalog as replay would. */
export const views = [
  `create view customer_v as select id, email, region_id, joined from customer where score is not null`,
  `create materialized view totals as select c.id as customer_id, count(*) as n, sum(o.amount) as total from customer c join orders o on o.customer_id = c.id group by c.id`,
  `create view clocked as select id, now() as seen, random() as r from orders`,
  `create view clocked2 as select x.id, x.seen as seen2 from clocked x`,
];

export const queries: readonly string[] = [
  // names and plain types
  `select 1`, `select 1, 2 as b`, `select 'x'`, `select null`, `select true`,
  `select 1.5, -1, 3000000000, -2147483648, -2147483649, 99999999999999999999`,
  `select 1::bigint`, `select '1'::numeric(12,2), '1'::varchar(10), 'a'::char(3), 'x'::text, 'a'::char, 'a'::bpchar, '1'::"char", 'n'::name`,
  `select cast('1' as int), '{1}'::int[], '{1}'::numeric(4,2)[], array[[1]]::int[][], 'x'::varchar, '1'::decimal, '1'::numeric(5)`,
  `select now()::date, now()::time, now()::time(2), now()::timestamp(3), now()::timestamptz(0), '1 day'::interval, interval '1 hour', date '2024-01-01', timestamp with time zone '2024-01-01'`,
  `select '1'::float, '1'::float(10), '1'::real, '1'::double precision, '1'::smallint, '1'::int2, 'f'::bool, 'a'::bytea, '{}'::json, '{}'::jsonb, gen_random_uuid()::uuid, '1'::bit(3), '1'::varbit, '1'::oid`,
  `select case when true then 1 end, case when true then id end from orders`,
  `select case when true then id else customer_id end from orders`, `select case id when 1 then 'a' else 'b' end from orders`,
  `select coalesce(1, 2)`, `select coalesce(note, 'x') from orders`, `select coalesce(note, note) from orders`,
  `select coalesce(amount, 0) from orders`, `select nullif(id, 2), nullif(amount, 0), nullif(note, 'x') from orders`,
  `select greatest(1, 2)`, `select least(amount, 1.5) from orders`, `select exists (select 1)`, `select array(select id from orders)`,
  `select ('null'::jsonb)::int, ('null'::jsonb)::boolean, ('null'::jsonb)::text`, `select (case when id > 1 then id end)::text, nullif(id, 1)::bigint from orders`,
  `select array[1,2]`, `select array['a']`, `select row(1,2) is null`,
  `select current_date`, `select current_user, session_user as s, current_timestamp, localtime, localtimestamp(2), current_time`,
  `select current_schema, current_catalog`,
  `select (select id from orders limit 1)`, `select (select max(id) as top from orders)`, `select (select 1)`, `select (values (1))`,
  `select (select id from orders limit 1)::text, (select 1 union select 2 limit 1)`,
  `select id::text from orders`, `select (id)::text, id::text::varchar from orders`, `select (id + 1)::text from orders`,
  `select id + 1 from orders`, `select -id, +id from orders`, `select not true`,
  `select id is null, id = 1 as eq, id in (1,2) as is_in, note like 'x' as lk from orders`, `select id between 1 and 2 from orders`,
  `select id is distinct from 1 from orders`,
  `select extract(year from placed_at) from orders`, `select placed_at at time zone 'UTC' from orders`,
  `select trim(note), substring(note from 1 for 2), position('x' in note), overlay(note placing 'a' from 1) from orders`,
  `select note collate "C" from orders`, `select tags[1] from customer`,
  `select extra -> 'k' as j, extra ->> 'k' as t, extra #> '{k}' as p, extra #>> '{k}' as q from customer`,
  `select (tags)[1:2] from customer`,
  `select grouping(status), status from orders group by rollup(status)`, `select xmlelement(name a)`,
  `select json_object('a': 1), json_array(1,2)`, `select json_arrayagg(id) from orders`, `select json_value('{}', '$.a')`,
  `select coalesce((select name from region limit 1), 'x')`,
  `select case when true then id end as x, case when true then 1 else (id)::text::int end from orders`,
  // operators
  `select qty + qty as a, qty + id as b, id + customer_id as c, id * amount as d, amount / 2 as e, id / 2 as f, id % 2 as g from orders`,
  `select score + 1 as a, score * score as b, score + amount as c, amount + '1' as d, id - '1' as e from (select amount from orders) o, customer`,
  `select placed_at - placed_at as a, placed_at + interval '1 day' as b, joined + 1 as c, joined - joined as d, joined + interval '1 day' as e, shipped - shipped as f, interval '1 day' * 2 as g, '1 day'::interval / 2.5 as h from orders, customer`,
  `select note || 'x' as a, status || status as b, status || id as c, 'a' || 'b' as d, note || note as e, code || 'x' as f, extra || extra as g from (select note, status from orders) o, customer c`,
  `select weight * 2 as a, weight + price as b, price * 2 as c, price - 1.5 as d, -price as e, -weight as f from product`,
  // functions
  `select count(*), count(id) as c2, sum(id), sum(customer_id) as s2, sum(amount) as s3, sum(qty) as s4, avg(id), avg(amount) as a2, min(note), max(note) as m2, min(amount) as m3, max(placed_at) as m4, min(shipped) as m5 from orders`,
  `select sum(score), avg(score), max(score), min(code), max(joined) as mj from customer`, `select avg(weight), sum(weight) from product`,
  `select sum(price * edition) from product`,
  `select date_trunc('day', placed_at), date_trunc('day', shipped) as b, date_trunc('hour', placed_at, 'UTC') as c, date_trunc('day', placed_at - placed_at) as d from orders`, `select date_trunc('month', joined) from customer`,
  `select lower(note), upper(status), length(note), md5(note), concat(note, 'x'), to_char(placed_at, 'YYYY'), abs(id), round(amount, 1), round(amount) as r2, floor(id), ceil(amount), replace(note, 'x', 'y'), left(note, 2) from orders`,
  `select round(weight::numeric, 2), round(weight) as r, floor(weight), sqrt(weight) from product`,
  `select string_agg(note, ','), array_agg(id), array_agg(note) as an, bool_and(id > 1), json_agg(id), jsonb_agg(note) from orders`,
  `select row_number() over (), rank() over (order by id), lag(id) over (order by id), lag(note) over (order by id) as ln, first_value(amount) over (order by id), sum(id) over (order by id) as rs, ntile(4) over (order by id) from orders`,
  `select age(placed_at), age(placed_at, placed_at) as a2, extract(epoch from placed_at), date_part('day', placed_at), to_timestamp(1), make_date(2024,1,1), now(), random(), gen_random_uuid() from orders`,
  `select jsonb_array_elements(extra) from customer where jsonb_typeof(extra) = 'array'`, `select unnest(tags) as tag, id from customer`,
  `select id, generate_series(1, 2) from orders`,
  `select pg_typeof(id), format('%s', id), coalesce(sum(id), 0) as s, coalesce(sum(amount), 0) as s2, coalesce(sum(customer_id), 0) as s3, coalesce(avg(id), 0.5) from orders group by id`,
  `select count(*) filter (where id > 1), percentile_cont(0.5) within group (order by id) from orders`,
  // FROM
  `select * from orders`, `select o.* from orders o`,
  `select o.id as order_id, c.* from orders o join customer c on c.id = o.customer_id`,
  `select id, amount from orders o where o.status = 'new' order by placed_at`,
  `select count(*) from orders`, `select count(o) from orders o`, `select o from orders o`, `select row_to_json(o) from orders o`,
  `select (o).id from orders o`, `select (o).* from orders o`, `select public.orders.id from public.orders`,
  `select a, b from orders as t(a, b)`, `select t.a, t.placed_at from orders as t(a, b)`, `select * from loose as l(x, y)`,
  `select * from loose natural join (select 1 as a, 2 as z) q`,
  `select sku, edition, line.qty, price, orders.qty as oq from line join orders on orders.id = line.order_id join product using (sku, edition)`,
  `select * from (select id as order_id, status from orders) o join line using (order_id)`,
  `select * from line left join (select id as order_id, amount from orders) o using (order_id)`,
  `select * from line full join (select id as order_id, amount from orders) o using (order_id)`,
  `select order_id, u.order_id as oid from line join (select id as order_id from orders) o using (order_id) as u`,
  `select j.k, j.email from (orders o join customer c on c.id = o.customer_id) as j(k, cid)`,
  `select x.id, x.total from (select id, amount * 2 as total from orders) x`, `select x.b from (select id, amount from orders) x(a, b)`,
  `select v.a, v.b from (values (1, 'x'), (2, 'y')) v(a, b)`, `values (1, 'x'), (2, null)`, `values (1), (2.5)`,
  `select * from (values (1, null), (2, 3)) v`, `select * from (values ('a'), (null)) v`,
  `select g from generate_series(1, 3) g`, `select g.g, g.n from generate_series(1, 3) with ordinality g(g, n)`,
  `select * from generate_series(1, 3) with ordinality`, `select * from generate_series(1::bigint, 3) as s`,
  `select d from generate_series('2024-01-01'::timestamptz, '2024-02-01'::timestamptz, '1 day') d`,
  `select d from generate_series('2024-01-01'::date, '2024-02-01'::date, '1 day') d`,
  `select c.id, t.tag, t.n from customer c cross join lateral unnest(c.tags) with ordinality t(tag, n)`,
  `select c.id, t from customer c, unnest(c.tags) t`,
  `select e.* from customer c, jsonb_each(c.extra) e where jsonb_typeof(c.extra) = 'object'`,
  `select e.value from customer c, jsonb_array_elements(c.extra) e where jsonb_typeof(c.extra) = 'array'`,
  `select e from jsonb_array_elements('[1]') as e(v)`, `select v from jsonb_array_elements_text('[1]') as e(v)`,
  `select * from json_to_record('{"a":1}') as t(a int, b text)`,
  `select * from rows from (generate_series(1,2), generate_series(1,3)) as t(a, b)`, `select * from current_date`,
  `select * from unnest(array(select id from region)) u`, `select * from now() n`, `select * from lower('A')`,
  `select * from json_table('[{"a":1}]', '$[*]' columns (i for ordinality, a int path '$.a', nested path '$.b[*]' columns (c text path '$'))) jt`,
  `select x.* from xmltable('/a' passing xml '<a>1</a>' columns n for ordinality, v text path '.') x`,
  `select l.last from customer c left join lateral (select max(o.placed_at) as last from orders o where o.customer_id = c.id) l on true`,
  `select c.id, l.id as order_id from customer c left join lateral (select o.id from orders o where o.customer_id = c.id order by o.placed_at desc limit 1) l on true`,
  `select id from orders where customer_id in (select id from customer where region_id = 1)`,
  `select id, (select count(*) from line l where l.order_id = o.id) as lines from orders o`,
  `select id, exists (select 1 from line where order_id = orders.id) from orders`, `select (select status) from orders`,
  `select (select o.status from line where order_id = o.id limit 1) from orders o`,
  `select * from orders tablesample bernoulli (50)`, `select "Id", "select" from "Mixed"`, `select "M"."Id" as "Key" from "Mixed" "M"`,
  `select ctid, id from orders`, `select tableoid::regclass as t, id from only animal`,
  `select last_value from counter`, `select relname from pg_class where relname = 'x'`,
  `select table_name from information_schema.tables where false`,
  `select c.id, k.n from customer c, (select count(*) as n from orders) k`,
  // CTEs and set operations
  `with t as (select id, amount from orders) select * from t`, `with t(a, b) as (select id, status from orders) select b, a from t`,
  `with t as (select 'x' as l), u as (select * from t) select l from u`,
  `with recursive r as (select id, parent, 1 as depth from region where parent is null union all select g.id, g.parent, r.depth + 1 from region g join r on r.id = g.parent) select * from r`,
  `with recursive r(n) as (values (1) union select n + 1 from r where n < 5) select n from r`,
  `with orders as (select 1 as id) select * from orders`,
  `with a as (with b as (select id from region) select * from b) select a.id from a`,
  `select id from orders union select id from line as l(id)`, `select id, status from orders union all select id, code from region`,
  `select 'x' as a union select note from orders`, `select note from orders union select 'x'`, `select null union select 1`,
  `select null as n union select null`,
  `select id from orders union select customer_id from orders`, `select amount from orders union all select 1`,
  `select note from orders union select note from orders`, `select id from orders except select 1`,
  `select id from orders intersect select id from region order by 1 limit 3`,
  `select 1 as a union all select 2 union all select 3.5`, `(select id from orders order by id limit 2) union all (select id from region)`,
  `select 'a' as k, id from orders union all select 'b', id from region`,
  // keys and NULLs
  `select id, customer_id from orders where parent is not null`, `select parent, count(*) from orders group by parent`,
  `select customer_id, status, count(*) from orders group by customer_id, status`, `select count(*) from orders group by customer_id`,
  `select status as s, max(amount) from orders group by 1`,
  `select date_trunc('month', placed_at) as m, sum(amount) from orders group by date_trunc('month', placed_at)`,
  `select date_trunc('month', placed_at) as m, sum(amount) from orders group by m`,
  `select status, qty, count(*) from orders group by rollup(status, qty)`,
  `select status, count(*) from orders group by grouping sets ((status), ())`, `select distinct status from orders`,
  `select distinct on (customer_id) customer_id, id from orders order by customer_id, placed_at`,
  `select distinct status, upper(status) as u from orders`,
  `select o.id, c.email, r.code from orders o join customer c on c.id = o.customer_id left join region r on r.id = c.region_id`,
  `select o.id, l.n from orders o join line l on l.order_id = o.id`,
  `select o.id from orders o join line l on l.order_id = o.id`,
  `select c.id, o.id as oid from customer c left join orders o on o.customer_id = c.id`,
  `select c.id from customer c left join orders o on o.customer_id = c.id`,
  `select o.id, c.id as cid from orders o full join customer c on c.id = o.customer_id`,
  `select r.id, p.id as pid from region r right join region p on p.id = r.parent`,
  `select r.id, p.code from region r left join region p on p.id = r.parent`,
  `select order_id, n from line`, `select order_id from line where n = 1`, `select n from line where order_id = 1`,
  `select id, kind from animal`, `select id from only animal`, `select id, kind from dog`, `select id, at from event`,
  `select id from event`,
  `select alias, price from product`, `select sku from line`, `select a, b from loose`, `select a, count(*) from loose group by a`,
  `select distinct a, c from loose`, `select b, a from loose where a is not null and b > 0`,
  `select c.email, o.id from customer c, orders o where o.customer_id = c.id`, `select c.email, o.id from customer c, orders o`,
  `select id from orders o where exists (select 1 from line where order_id = o.id)`, `select email from customer`,
  `select code, id from region limit 1`,
  `select id, unnest(tags) from customer`, `select max(id) from orders having count(*) > 0`,
  `select (select max(o.id)) as m from orders o`,
  `select (select max(o.id) from line limit 1) as m, (select max(l.n) from line l) as m2 from orders o`,
  `select customer_id, unnest(array[1,1]) from orders group by customer_id`,
  `select * from customer_v`, `select v.email, o.id from customer_v v join orders o on o.customer_id = v.id`, `select * from totals`,
  `select customer_id, total from totals where n > 1`, `select t.n, c.email from totals t join customer c on c.id = t.customer_id`,
  `select o.id, t.n from orders o left join totals t on t.customer_id = o.customer_id`,
  `select a.id from orders a join orders b on a.id = b.id`, `select b.id from orders a join orders b on b.parent = a.id`,
  `select a.id, b.id as b from orders a join orders b on a.status = b.status`,
  `select p.sku, p.edition, l.n from line l join product p on p.sku = l.sku and p.edition = l.edition`,
  `select l.order_id, l.n, p.price from line l join product p on p.sku = l.sku and p.edition = l.edition`,
  `select l.order_id, l.n, p.price from line l join product p on p.sku = l.sku`,
  `select s.customer_id, s.n, c.email from (select customer_id, count(*) as n from orders group by customer_id) s join customer c on c.id = s.customer_id`, `select o.id, s.n from orders o join (select customer_id, status, count(*) as n from orders group by 1, 2) s on s.customer_id = o.customer_id`,
  `select c.id, x.id as oid from customer c cross join lateral (select distinct o.status as id from orders o where o.customer_id = c.id) x`, `select x.s from customer c cross join lateral (select distinct o.status as s from orders o where o.customer_id = c.id) x`,
  `select x.s from region g join customer c on c.id = g.id cross join lateral (select distinct o.status as s from orders o where o.customer_id <> c.id) x`,
  `select count(*), max(id) from orders where false`, `select coalesce(max(n), 0) as m, sum(qty) as s from line`,
  `select order_id, sum(qty) as q, max(n) as m, max(sku) filter (where n > 1) as f from line group by order_id`,
  `select id, lower(code) as l, id::text as t, coalesce(parent, 0) as p, parent + 1 as q, code || 'x' as cx, name || 'x' as nx, parent = 1 as e, id = 1 as f from region`,
  `select r.id, p.id as pid, p.code from region r left join region p on p.id = r.parent where p.code is not null`,
  `select array_agg(id) from orders where false`, `select id from orders union select null`,
  `select l.order_id from line l join (select distinct sku from line) d on d.sku = l.sku where l.n = 1`,
  `select sku, edition from product where edition = 1`, `select sku from product where edition = 1`,
  `select sku from product where 1 = edition and price > 0`,
];
