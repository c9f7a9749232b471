import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { emptyCatalog, type Store } from '../catalog/store.ts';
import type { Matview, Statement, Table, Taint, View } from '../model.ts';
import { parse } from '../sql/parse.ts';
import type { Node } from '../sql/tree.ts';
import { factsOf } from './facts.ts';
import { lowerQuery } from './lower.ts';
import { isUnknown } from './scope.ts';

/**
 * Matviews over committed rows are refreshed concurrently, nothing else changes, and the columns that changed are compared with the
 * taints.
 */

let db: PGlite;
let catalog: Store;

function statementOf(sql: string): Statement {
  const span = { path: 'q.sql', start: 0, end: sql.length };
  return { sql, span, ignores: [] };
}
function viewOf(sql: string, name: string, store: Store = catalog): View | Matview {
  const parsed = parse(sql);
  if (!parsed.ok) throw new Error(`${parsed.message}: ${sql}`);
  const { node } = parsed;
  const select: Node = 'ViewStmt' in node ? node.ViewStmt.query! : 'CreateTableAsStmt' in node ? node.CreateTableAsStmt.query! : node;
  const { query, columns } = lowerQuery(statementOf(sql), select, store);
  const base = { id: store.newId(), name: { schema: 'public', name }, owner: 'postgres', columns, query, 
    options: new Map<string, string>(), grants: new Map<string, Set<string>>() };
  return 'ViewStmt' in node ? { kind: 'view', ...base } : { kind: 'matview', ...base, populated: true, everPopulated: true,
    statistics: new Map() };
}
const views = [
  `create view stamped as select id, now() as seen, random() as luck, placed_at from orders`,
  `create materialized view kept as select id, now() as seen from orders`,
  `create view restamped as select s.id, s.seen as again from stamped s`,
];

beforeAll(async () => {
  db = await PGlite.create();
  await db.exec(`
    create table orders (id int primary key, placed_at timestamptz not null, shipped timestamptz, note text, amount numeric(10,2));
    create sequence counter;
    insert into orders select g, '2020-02-01 12:00+00'::timestamptz + g * interval '1 hour',
      case when g % 2 = 0 then '2020-03-01'::timestamptz end, 'n' || g, g from generate_series(1, 40) g;
    create function my_now(x int) returns int language sql immutable as 'select 1';
  `);
  catalog = emptyCatalog();
  catalog.complete = true;
  const orders: Table = {
    kind: 'table', id: catalog.newId(), name: { schema: 'public', name: 'orders' }, owner: 'postgres', options: new Map(),
      grants: new Map(), persistence: 'permanent', inherits: [],
    partitioned: false, rowSecurity: false, constraints: [{ name: 'orders_pkey', kind: 'primary key', columns: ['id'] }],
    columns: [
      { name: 'id', type: 'integer', notNull: true }, { name: 'placed_at', type: 'timestamp with time zone', notNull: true },
        { name: 'shipped', type: 'timestamp with time zone', notNull: false },
      { name: 'note', type: 'text', notNull: false }, { name: 'amount', type: 'numeric(10,2)', notNull: false },
    ],
  };
  catalog.put(orders);
  for (const sql of views) {
    await db.exec(sql);
    catalog.put(viewOf(sql, /view (\w+)/.exec(sql)![1]!));
  }
}, 120_000);
afterAll(() => db.close());

type Want = 'each refresh' | 'each day' | 'when rows move' | 'when the session differs' | 'never';
const cases: readonly (readonly [string, Want])[] = [
  // the clock
  ['now()', 'each refresh'], ['current_timestamp', 'each refresh'], ['localtimestamp', 'each refresh'], ['current_time', 'each refresh'],
  ['clock_timestamp()', 'each refresh'],
  ['statement_timestamp()', 'each refresh'], ['transaction_timestamp()', 'each refresh'], ['timeofday()', 'each refresh'],
  ['now() - placed_at', 'each refresh'],
  ['extract(epoch from now() - placed_at)', 'each refresh'], ['extract(epoch from now() - placed_at) / 86400', 'each refresh'],
  ['date_part(\'epoch\', now())', 'each refresh'],
  ['coalesce(shipped, now()) - placed_at', 'each refresh'], ['coalesce(shipped, now())', 'each refresh'],
  ['greatest(placed_at, now())', 'each refresh'],
  ['case when shipped is null then now() else shipped end', 'each refresh'], ['to_char(now(), \'HH24:MI:SS.US\')', 'each refresh'],
  ['now()::text', 'each refresh'], ['md5(now()::text)', 'each refresh'],
  ['jsonb_build_object(\'at\', now())', 'each refresh'], ['now() at time zone \'UTC\'', 'each refresh'],
  ['(select now())', 'each refresh'], ['array[now()]', 'each refresh'], ['age(now(), placed_at)', 'each refresh'],
  ['\'now\'::text::timestamptz', 'each refresh'], ['now() - interval \'1 day\'', 'each refresh'], ['note || now()', 'each refresh'],
  ['concat(note, now())', 'each refresh'],
  ['current_date', 'each day'], ['current_date - placed_at::date', 'each day'], ['date_trunc(\'day\', now())', 'each day'],
  ['now()::date', 'each day'], ['age(placed_at)', 'each day'],
  ['extract(day from now())', 'each day'], ['to_char(now(), \'YYYY-MM-DD\')', 'each day'], ['\'now\'::text::date', 'each day'],
  ['date(now())', 'each day'], ['date_trunc(\'day\', current_timestamp) - placed_at', 'each day'],
  ['\'now\'::timestamptz', 'never'], ['date \'today\'', 'never'], ['placed_at < now()', 'never'],
  ['now() > placed_at and id > 3', 'never'], ['case when placed_at < now() then 1 else 2 end', 'never'],
  ['now() is null', 'never'], ['now() - now()', 'never'], ['current_date - current_date', 'never'],
  ['coalesce(placed_at, \'now\')', 'never'], ['id + 1', 'never'], ['least(placed_at, now())', 'never'],
  ['exists (select now())', 'never'], ['length(now()::date::text)', 'never'], ['nullif(id, extract(day from now() - now()))', 'never'],
  ['my_now(1)', 'never'], ['age(shipped, placed_at)', 'never'],
  ['current_date - interval \'1 day\' < placed_at', 'never'], ['current_user', 'never'], ['date_trunc(\'day\', now())::time', 'never'],
  // random numbers, sequences, transactions
  ['random()', 'each refresh'], ['md5(random()::text)', 'each refresh'], ['floor(random() * 1000)', 'each refresh'],
  ['gen_random_uuid()', 'each refresh'], ['left(md5(random()::text), 8)', 'each refresh'],
  ['random() < 0.5', 'each refresh'], ['case when random() < 0.5 then 1 else 2 end', 'each refresh'], ['random_normal()', 'each refresh'],
  ['array_shuffle(array[1,2,3,4,5,6,7,8])', 'each refresh'], ['uuidv7()', 'each refresh'], ['uuidv4()', 'each refresh'],
  ['nextval(\'counter\')', 'each refresh'], ['txid_current()', 'each refresh'], ['pg_current_xact_id()::text', 'each refresh'],
  ['pg_current_snapshot()::text', 'each refresh'], ['width_bucket(random(), 0, 1, 1000)', 'each refresh'], ['coalesce(placed_at, now())', 'never'],
  ['floor(random())', 'never'],
  // places and sessions
  ['ctid', 'when rows move'], ['xmin::text', 'when rows move'], ['tableoid', 'never'], ['session_user', 'when the session differs'],
  ['pg_backend_pid()', 'when the session differs'],
];
/** Whole queries: sub-selects, CTEs, views, aggregates. */
const queries: readonly (readonly [string, Want])[] = [
  ['select id, s.n as x from orders, (select now() as n) s', 'each refresh'],
  ['with t as (select id, clock_timestamp() as c from orders) select id, c as x from t', 'each refresh'],
  ['select id, seen as x from stamped', 'each refresh'], ['select id, again as x from restamped', 'each refresh'],
  ['select id, luck as x from stamped', 'each refresh'], ['select id, placed_at as x from stamped', 'never'],
  ['select id, seen as x from kept', 'each refresh as the other view'],
  ['select 1 as id, max(now() - placed_at) as x from orders', 'each refresh'], ['select 1 as id, count(now()) as x from orders', 'never'],
  ['select 1 as id, count(*) filter (where placed_at < now()) as x from orders', 'never'],
  ['select id, note as x from orders where placed_at < now()', 'never'],
  ['select 1 as id, sum(random()) as x from orders', 'each refresh'],
  ['select id, now() as x from orders union all select -id, placed_at from orders', 'each refresh'],
  ['select id, x from (values (1, now()), (2, now())) v(id, x)', 'each refresh'],
  ['select min(id) as id, now() as x from orders group by now()', 'each refresh'],
  ['select id, f as x from orders cross join lateral (select now() - orders.placed_at as f) l', 'each refresh'],
  ['select id, (to_jsonb(s) ->> \'id\') as x from (select id, now() as n from orders) s', 'never'],
  ['select id, to_jsonb(s) as x from (select id, now() as n from orders) s', 'each refresh'],
  ['with recursive r(id, x) as (select 1, now() union all select id + 1, x from r where id < 3) select id, x from r', 'each refresh'],
  ['select id, n as x from orders, now() n', 'each refresh'],
  ['select o.id, p.seen as x from orders o left join stamped p using (id)', 'each refresh'],
  ['select id, row_number() over (order by now(), id) as x from orders', 'never'],
] as unknown as readonly (readonly [string, Want])[];

const predicted = (view: View | Matview): readonly Taint[] => {
  const { columns } = factsOf(view, catalog);
  if (isUnknown(columns)) throw new Error(columns.unknown);
  return columns.find(column => column.name === 'x')!.taints;
};

async function changed(prepare = ''): Promise<number> {
  await db.exec('drop table if exists was; create table was as select * from q');
  if (prepare !== '') await db.exec(prepare);
  await db.exec('refresh materialized view concurrently q');
  const { rows } = await db.query<{ n: number }>('select count(*)::int as n from q full join was w using (id) where q.x::text is distinct from w.x::text');
  return rows[0]!.n;
}

test('what changes at a refresh without a change of the tables is what is tainted', async () => {
  const wrong: string[] = [];
  for (const [text, want] of [...cases.map(([expression, kind]) => [`select id, ${expression} as x from orders`, kind] as const),
    ...queries]) {
    const sql = `create materialized view q as ${text}`;
    await db.exec(`set timezone = 'UTC'; ${sql}; create unique index on q (id)`);
    const taints = predicted(viewOf(sql, 'q'));
    // What a setting decides has a test of its own.
    const flips = [...new Set(taints.filter(taint => taint.setting === undefined).map(taint => taint.flips))].join();
    if (want === ('each refresh as the other view' as Want)) {
      // A matview beneath holds still until it is refreshed itself; its taint is still the origin of the value.
      if (flips !== 'each refresh') wrong.push(`${text}: predicted ${flips}`);
    } else {
      if ((flips === '' ? 'never' : flips) !== want) wrong.push(`${text}: predicted ${flips === '' ? 'never' : flips}, wanted ${want}`);
      const rows = await changed();
      if ((rows > 0) !== (want === 'each refresh')) wrong.push(`${text}: ${rows} rows changed, wanted ${want}`);
      if (want === 'each day') {
        // 26 hours of time zone stand for the next day.
        await db.exec(`set timezone = 'Etc/GMT+12'; refresh materialized view q`);
        if (await changed(`set timezone = 'Etc/GMT-14'`) === 0) wrong.push(`${text}: nothing changed on another day`);
      }
      if (want === 'when rows move'
        && await changed('update orders set note = note') === 0) wrong.push(`${text}: nothing changed when the rows moved`);
    }
    for (const taint of taints) {
      for (const { span } of taint.path) if (span.start < 0 || span.end <= span.start) wrong.push(`${text}: a path without a place`);
    }
    await db.exec('drop materialized view q');
  }
  expect(wrong).toEqual([]);
  expect(cases.length + queries.length).toBeGreaterThanOrEqual(90);
}, 300_000);

/** Expressions over `placed_at` (timestamptz) and others, and the setting that decides their value. */
const settings: readonly (readonly [string, 'TimeZone' | 'DateStyle' | 'IntervalStyle' | 'default_text_search_config' | undefined])[] = [
  ["date_trunc('day', placed_at)", 'TimeZone'], ["date_trunc('day', placed_at::timestamp)", 'TimeZone'],
    ["date_trunc('day', placed_at, 'UTC')", undefined],
  ["date_trunc('day', placed_at at time zone 'UTC')", undefined], ["date_trunc('second', placed_at)", undefined], ['placed_at::date',
    'TimeZone'],
  ["(placed_at at time zone 'UTC')::date", undefined], ['placed_at::text', 'TimeZone'], ['note || placed_at', 'TimeZone'],
    ['concat(note, placed_at)', 'TimeZone'],
  ['to_jsonb(placed_at)', 'TimeZone'], ['array[placed_at]::text', 'TimeZone'], ['jsonb_build_object(1, placed_at)', 'TimeZone'],
    ['extract(hour from placed_at)', 'TimeZone'],
  ['extract(epoch from placed_at)', undefined], ["to_char(placed_at, 'HH24')", 'TimeZone'],
    ["to_char(placed_at at time zone 'UTC', 'HH24')", undefined],
  ["to_char(amount, '999')", undefined], ['placed_at', undefined], ["placed_at + interval '1 hour'", undefined],
    ["placed_at > '2020-01-01'", undefined],
  ["placed_at < timestamp '2020-02-02 15:00'", 'TimeZone'], ["case when placed_at::date = '2020-02-02' then 1 else 2 end", 'TimeZone'],
  ["(placed_at at time zone 'UTC')::text", 'DateStyle'], ["(placed_at at time zone 'UTC')::date::text", 'DateStyle'],
    ["to_jsonb((placed_at at time zone 'UTC')::date)", undefined],
  ["format('%s', (placed_at at time zone 'UTC')::date)", 'DateStyle'], ["(placed_at - '2020-01-01 00:00+00')::text", 'IntervalStyle'],
  ["to_tsvector('the ' || note || ' running')", 'default_text_search_config'], ["to_tsvector('english', note)", undefined], ['amount::text',
    undefined], ['md5(placed_at::text)', 'TimeZone'],
];

test('what another setting of the session changes is tainted with that setting', async () => {
  const wrong: string[] = [];
  const elsewhere: Readonly<Record<string, readonly [string, string]>> = {
    TimeZone: ["'UTC'", "'Asia/Kathmandu'"], DateStyle: ["'ISO'", "'German'"], IntervalStyle: ["'postgres'", "'iso_8601'"],
    default_text_search_config: ["'pg_catalog.simple'", "'pg_catalog.english'"],
  };
  for (const [expression, want] of settings) {
    const sql = `create materialized view q as select id, ${expression} as x from orders`;
    await db.exec(`${Object.entries(elsewhere).map(([name, [usual]]) => `set ${name} = ${usual}`).join(';')}; ${sql}; create unique index on q (id)`);
    const taints = predicted(viewOf(sql, 'q'));
    const said = [...new Set(taints.map(taint => taint.setting))];
    if (said.join() !== (want ?? '')) wrong.push(`${expression}: predicted ${said.join()}, wanted ${want}`);
    if (taints.some(taint => taint.cause !== 'session'
      || taint.flips !== 'when the session differs')) wrong.push(`${expression}: another cause`);
    for (const [name, [usual, other]] of Object.entries(elsewhere)) {
      // The comparison of before and after is made under one setting.
      await db.exec(`drop table if exists was; create table was as select * from q; set ${name} = ${other}; refresh materialized view q; set ${name} = ${usual}`);
      const { rows } = await db.query<{ n: number }>('select count(*)::int as n from q full join was w using (id) where q.x::text is distinct from w.x::text');
      await db.exec('refresh materialized view q');
      // The text of a timestamptz depends on DateStyle as well, and one setting is said.
      if (want === 'TimeZone' && name === 'DateStyle') continue;
      if ((rows[0]!.n > 0) !== (name === want)) wrong.push(`${expression}: ${rows[0]!.n} rows changed with ${name}`);
    }
    await db.exec('drop materialized view q');
  }
  expect(wrong).toEqual([]);
}, 120_000);

test('the path leads from the origin through every column it passes', () => {
  const sql = `create materialized view q as with t as (select id, (now() - s.at) as waited from (select id, placed_at as at from orders) s) select t.id, coalesce(waited, '0') as x from t`;
  const [taint] = predicted(viewOf(sql, 'q'));
  expect(taint?.cause).toBe('clock');
  expect(taint?.path.map(({ span, says }) => [sql.slice(span.start, span.end), says])).toEqual([
  ['now()', 'now() reads the clock, which every refresh sees anew'],
  ['(now() - s.at) as waited', 'column waited of CTE t'],
    [`coalesce(waited, '0') as x`, 'column x of q'],
  ]);
  const over = viewOf(`create materialized view q as select id, again as x from restamped`, 'q');
  expect(predicted(over)[0]?.path.map(step => step.says)).toEqual([
    'now() reads the clock, which every refresh sees anew', 'column seen of stamped', 'column again of restamped', 'column x of q',
  ]);
});

test('a function of the history is told from the built-in one of its name as Postgres tells them', async () => {
  const store = catalog.fork();
  const routine = (name: string, args: readonly string[]): void => store.put({ kind: 'routine', id: store.newId(),
    name: { schema: 'public', name },
    owner: 'postgres', form: 'function', arguments: args, returns: 'integer', language: 'sql', volatility: 'immutable', settings: new Map(),
    statement: statementOf(`create function ${name}(${args.join()}) returns integer language sql immutable as 'select 1'`) });
  routine('now', []);
  routine('now', ['integer']);
  await db.exec(`create function public.now() returns integer language sql immutable as 'select 1';
    create function public.now(integer) returns integer language sql immutable as 'select 1'`);
  const query = 'select now() as a, now(1) as b, public.now() as c, pg_catalog.now() as d';
  const { fields } = await db.query(query);
  const isBuiltin = fields.map(field => field.dataTypeID === 1184);
  await db.exec('drop function public.now(); drop function public.now(integer)');
  expect(isBuiltin).toEqual([true, false, false, true]);
  const columns = factsOf(viewOf(`create view q as ${query}`, 'q', store), store).columns;
  expect(isUnknown(columns) ? [] : columns.map(column => column.taints.length > 0)).toEqual(isBuiltin);
});

test('extension functions are known by name in any schema', () => {
  expect(predicted(viewOf('create view q as select id, extensions.uuid_generate_v4() as x from orders', 'q'))[0]?.cause).toBe('random');
  expect(predicted(viewOf('create view q as select id, app.random() as x from orders', 'q'))).toEqual([]);
});
