import { emptyCatalog, type Store } from '../catalog/store.ts';
import type { Matview, Statement } from '../model.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { replay } from '../catalog/replay.ts';
import { factsOf } from '../query/facts.ts';
import { lowerQuery } from '../query/lower.ts';
import { parse } from '../sql/parse.ts';

/** The tables of a shop, with keys, references, nullable columns and a routine. */
const tables = `
create table customers (id bigint primary key, name text not null, email text unique, region text, created_at timestamptz not null, active boolean not null);
create table products (id bigint primary key, sku text not null unique, title text not null, category text, price numeric(12,2) not null, weight double precision);
create table orders (id bigint primary key, customer_id bigint not null references customers, status text not null, placed_at timestamptz not null, shipped_at timestamptz, total numeric(12,2) not null, note text);
create table lines (order_id bigint not null references orders, line int not null, product_id bigint not null references products, quantity int not null, price numeric(12,2) not null, discount numeric(5,2), primary key (order_id, line));
create table payments (id bigint primary key, order_id bigint not null references orders, amount numeric(12,2) not null, paid_at timestamptz, method text not null);
create table refunds (id bigint primary key, payment_id bigint not null references payments, amount numeric(12,2) not null, made_at timestamptz not null);
create function net(x numeric, percent numeric) returns numeric language sql immutable as $$ select x * (1 - coalesce(percent, 0) / 100) $$;
`;

/** Twelve CTEs, each over tables and CTEs before it: joins of all kinds, groups, windows, conditions, sub-selects. */
function text(): string {
  const ctes: string[] = [];
  for (let at = 0; at < 12; at += 1) {
    const before = at === 0 ? 'orders' : `step_${at - 1}`;
    const key = at === 0 ? 'id' : 'order_id';
    ctes.push(`step_${at} as (
  select
    o.id as order_id,
    o.customer_id,
    c.name as customer_name,
    coalesce(c.region, 'none') as region,
    date_trunc('month', o.placed_at, 'UTC') as month,
    count(*) as lines,
    sum(l.quantity) as quantity,
    sum(net(l.price * l.quantity, l.discount)) as revenue,
    max(l.price) filter (where l.quantity > ${at}) as dearest,
    string_agg(p.title, ', ' order by p.title, l.line) as titles,
    case
      when o.shipped_at is null then 'open'
      when o.shipped_at < o.placed_at + interval '${at + 1} days' then 'fast'
      else 'slow'
    end as speed,
    row_number() over (partition by o.customer_id order by o.placed_at, o.id) as nth
  from ${before} b
  join orders o on o.id = b.${key}
  join customers c on c.id = o.customer_id
  join lines l on l.order_id = o.id
  left join products p on p.id = l.product_id
  where o.status <> 'cancelled'
    and o.total > ${at}
  group by o.id, o.customer_id, c.name, c.region, o.placed_at, o.shipped_at
)`);
  }
  return `with ${ctes.join(',\n')}
select
  s.order_id,
  s.customer_id,
  ${Array.from({ length: 10 }, (_, at) => `s${at}.revenue as revenue_${at},`).join('\n  ')}
  coalesce(paid.amount, 0) as paid,
  s.titles
from step_11 s
${Array.from({ length: 10 }, (_, at) => `join step_${at} s${at} on s${at}.order_id = s.order_id`).join('\n')}
left join (select order_id, sum(amount) as amount from payments group by order_id) paid on paid.order_id = s.order_id
where exists (select from refunds r join payments y on y.id = r.payment_id where y.order_id = s.order_id) is false`;
}

/** What one large view costs, in milliseconds: medians over many runs, the compiler of Node warm: the cost falls until the eight hundredth run (measured). */
export interface ViewCost {
  readonly lines: number;
  readonly parse: number;
  /** Lowering it, and finding the types, NULLs and taints of its columns, what decides its rows, and its keys. */
  readonly analysis: number;
}

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;

export function viewCost(runs = 1_500): ViewCost {
  const history = readHistories(memoryFiles({ 'db/001.sql': tables }), { tool: 'psql' }).histories[0]!;
  const replayed = replay(history, { postgres: 18 });
  let next = replayed.next();
  while (next.done !== true) next = replayed.next();
  const end = next.value as Store;
  const [parses, analyses]: [number[], number[]] = [[], []];
  const ids: Store = emptyCatalog();
  const body = text();
  for (let run = 0; run < runs; run += 1) {
    // Another text each time: what was parsed is known by its text.
    const sql = `create materialized view large_${run} as\n${body}`;
    const started = performance.now();
    const parsed = parse(sql);
    parses.push(performance.now() - started);
    if (!parsed.ok || !('CreateTableAsStmt' in parsed.node)) throw new Error(parsed.ok ? 'no view' : parsed.message);
    const span = { path: 'large.sql', start: 0, end: sql.length };
    const statement: Statement = { sql, span, ignores: [] };
    // The replay gives each statement a catalog of its own; what was found out in one goes with it.
    const catalog = end.fork();
    const begun = performance.now();
    // As the replay of CREATE MATERIALIZED VIEW does: columns, types and what decides its rows are found in one pass.
    const lowered = lowerQuery(statement, parsed.node.CreateTableAsStmt.query!, catalog, [], true);
    const view: Matview = { kind: 'matview', id: ids.newId(), name: { schema: 'public', name: `large_${run}` }, owner: 'postgres', columns: lowered.columns, query: lowered.query,
      options: new Map(), grants: new Map(), populated: true, everPopulated: true, statistics: new Map() };
    const facts = factsOf(view, catalog);
    if ('unknown' in facts.columns || 'unknown' in facts.keys || facts.keys[0]?.join() !== 'order_id') throw new Error(`the large view is not understood: ${JSON.stringify(facts.keys)}`);
    analyses.push(performance.now() - begun);
  }
  const warm = Math.floor(runs / 2);
  return { lines: body.split('\n').length + 1, parse: median(parses.slice(warm)), analysis: median(analyses.slice(warm)) };
}
