import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { replay } from './catalog/replay.ts';
import type { Catalog, Experiment, History, Index, Laboratory, Matview, Name, Step, Verdict } from './model.ts';
import { memoryFiles } from './read/files.ts';
import { readHistories } from './read/read.ts';
import {
  count, countsAfter, describeIndex, equivalentIndex, hasUsableUniqueIndex, keepsDefinition, list, locksOut, passedOver, quote, refreshTwice,
  refreshRefused, refuses, rule, takesAlong, usableUniqueIndexes,
} from './rule.ts';

const schema = `
create table orders (id bigint primary key, region text not null, placed_at timestamptz not null);
create materialized view totals as select region, count(*) as orders, now() as seen_at, current_date as day from orders group by region;
create unique index totals_region_key on totals (region);
create index totals_orders_idx on totals (orders desc);
create unique index totals_lower_key on totals (lower(region));
create unique index totals_partial_key on totals (region) where orders > 1;
create view big_totals as select region from totals where orders > 10;
create materialized view bare as select region from orders;
`;
let db: PGlite;
let lab: Laboratory;
let end: Catalog;
let steps: readonly Step[];

/** A history of one file, replayed to its end. */
function replayed(sql: string): { readonly catalog: Catalog; readonly steps: readonly Step[] } {
  const [history] = readHistories(memoryFiles({ '001.sql': sql }), { tool: 'psql' }).histories;
  const run = replay(history as History);
  const all: Step[] = [];
  for (let next = run.next(); ; next = run.next()) {
    if (next.done) return { catalog: next.value, steps: all };
    all.push(...next.value.steps);
  }
}

function matview(name: string, catalog = end): Matview {
  const found = catalog.find({ schema: 'public', name });
  if (found.is !== 'present' || found.object.kind !== 'matview') throw new Error(`no ${name}`);
  return found.object;
}
const index = (name: string): Index => end.indexesOf(matview('totals').id).find(each => each.name.name === name)!;

beforeAll(async () => {
  ({ catalog: end, steps } = replayed(schema));
  db = await PGlite.create();
  await db.exec(`${schema} insert into orders select n, 'region ' || n % 7, now() from generate_series(1, 50) n; refresh materialized view totals`);
  lab = {
    async run(sql) {
      try {
        return { rows: (await db.query<Record<string, unknown>>(sql)).rows };
      } catch (error) {
        return { sqlstate: (error as { code: string }).code, message: (error as Error).message };
      }
    },
    fill: async () => ({ 'public.orders': 50 }),
  };
});
afterAll(() => db.close());

/** Runs an experiment as the laboratory does: inside a transaction that is undone, or with committed statements. */
async function tried({ isolation, run }: Experiment): Promise<Verdict['kind']> {
  if (isolation === 'copy') return (await run(lab)).kind;
  await db.exec('BEGIN');
  const guarded: Laboratory = {
    ...lab,
    async run(sql) {
      await db.exec('SAVEPOINT one');
      const answer = await lab.run(sql);
      if ('sqlstate' in answer) await db.exec('ROLLBACK TO one');
      return answer;
    },
  };
  const verdict = await run(guarded);
  await db.exec('ROLLBACK');
  return verdict.kind;
}
/** A step that sends another text; experiments look at nothing else of it. */
const sending = (sql: string): Step => ({ ...steps[0]!, statement: { ...steps[0]!.statement, sql } });

test('names and lists are as a reader writes them', () => {
  expect(quote({ schema: 'public', name: 'daily_sales' })).toBe('daily_sales');
  expect(quote({ schema: 'shop', name: 'Daily Sales' })).toBe('shop."Daily Sales"');
  expect([list([]), list(['a']), list(['a', 'b']), list(['a', 'b', 'c'])]).toEqual(['', 'a', 'a and b', 'a, b and c']);
  expect(count('index', 'indexes', ['a', 'b'])).toBe('indexes a and b');
  expect(describeIndex(index('totals_region_key'))).toBe('unique index totals_region_key (region)');
});

test('a rule keeps its prose apart from its check', () => {
  const made = rule({ id: 'no-x', summary: 's', severity: 'note', postgres: { from: 14 }, why: '', fix: '', references: [], raisedBy: 'engine' });
  expect(made.check).toEqual({});
  expect(made.meta).not.toHaveProperty('check');
});

test('only unique indexes over plain columns without a predicate serve CONCURRENTLY', () => {
  expect(usableUniqueIndexes(matview('totals'), end).map(({ name }) => name.name)).toEqual(['totals_region_key']);
  expect(hasUsableUniqueIndex(matview('totals'), end)).toBe(true);
  expect(hasUsableUniqueIndex(matview('bare'), end)).toBe(false);
  expect(passedOver(matview('totals'), end)).toContain('totals_lower_key is passed over because it contains an expression');
  expect(passedOver(matview('totals'), end)).toContain('totals_partial_key is passed over because it has a WHERE clause');
});

test('indexes are equivalent by what they do, whatever their names and, over one column, their direction', () => {
  const key = index('totals_region_key');
  const plain = index('totals_orders_idx');
  expect(equivalentIndex(key, { ...key, name: { schema: 'public', name: 'other' } })).toBe(true);
  expect(equivalentIndex(plain, { ...plain, columns: plain.columns.map(column => ({ ...column, descending: false, nullsFirst: false })) })).toBe(true);
  expect(equivalentIndex(key, { ...key, unique: false })).toBe(false);
  expect(equivalentIndex(key, index('totals_partial_key'))).toBe(false);
  expect(equivalentIndex(key, index('totals_lower_key'))).toBe(false);
  expect(equivalentIndex(key, { ...key, method: 'gist' })).toBe(false);
  const two = { ...key, columns: [...key.columns, ...plain.columns] };
  expect(equivalentIndex(two, { ...two, columns: [...key.columns, ...plain.columns.map(column => ({ ...column, descending: false }))] })).toBe(false);
});

test('a refusal is confirmed by its own SQLSTATE, refuted by success, and unproven by another', async () => {
  expect(await tried(refuses(sending('refresh materialized view concurrently bare'), '55000'))).toBe('confirmed');
  expect(await tried(refuses(sending('refresh materialized view bare'), '55000'))).toBe('refuted');
  expect(await tried(refuses(sending('refresh materialized view nowhere'), '55000'))).toBe('unproven');
  expect(await tried(refreshRefused({ schema: 'public', name: 'totals' }, true, '55000'))).toBe('refuted');
});

test('a plain refresh is seen to lock readers out, a concurrent one not to', async () => {
  const name = { schema: 'public', name: 'totals' };
  expect(await tried(locksOut(name, 'refresh materialized view totals', 'before'))).toBe('confirmed');
  expect(await tried(locksOut(name, 'refresh materialized view concurrently totals', 'before'))).toBe('refuted');
});

test('what CASCADE takes is counted', async () => {
  const found = end.find({ name: 'big_totals' });
  const view = found.is === 'present' ? found.object : undefined;
  expect(await tried(takesAlong(sending('drop materialized view totals cascade'), [view!]))).toBe('confirmed');
  expect(await tried(takesAlong(sending('drop materialized view bare cascade'), [view!]))).toBe('refuted');
  expect(await tried(takesAlong(sending('drop materialized view totals cascade'), [{ ...view!, name: { schema: 'public', name: 'none' } }]))).toBe('unproven');
});

test('an ignored definition is confirmed by what Postgres prints, refuted when both are one query', async () => {
  const name = { schema: 'public', name: 'bare' };
  const other = 'select distinct region from orders';
  const same = 'select region from public.orders';
  expect(await tried(keepsDefinition(sending(`create materialized view if not exists bare as ${other}`), name, other, []))).toBe('confirmed');
  expect(await tried(keepsDefinition(sending(`create materialized view if not exists bare as ${same}`), name, same, []))).toBe('refuted');
});

test('a count without its control proves nothing', async () => {
  const of = { schema: 'public', name: 'totals' };
  const counting = (count: (name: Name) => string, twin?: (name: string) => readonly string[]): Experiment =>
    countsAfter({ of, count, expected: 0, says: 'yes', otherwise: 'no', ...(twin ? { twin } : {}) });
  const oneFor = ({ name }: Name): string => `SELECT ('${name}' = 'totals')::int`;
  expect(await tried(counting(() => 'SELECT 0'))).toBe('confirmed');
  expect(await tried(counting(oneFor))).toBe('refuted');
  expect(await tried(counting(() => 'SELECT 1'))).toBe('unproven');
  expect(await tried(counting(oneFor, name => [`CREATE VIEW ${name} AS SELECT nothing`]))).toBe('unproven');
  expect(await tried(counting(() => 'SELECT NULL'))).toBe('unproven');
});

/** Runs refreshTwice and takes away what it made, as the end of a copy does. */
async function refreshed(column: string, flip: 'each refresh' | 'each day' | 'when rows move'): Promise<Verdict['kind']> {
  const kind = await tried(refreshTwice(matview('totals'), column, flip));
  await db.exec(`RESET TimeZone; DROP MATERIALIZED VIEW IF EXISTS mvlint_twin;
    DROP TABLE IF EXISTS mvlint_seen_1, mvlint_seen_2, mvlint_twin_seen_1, mvlint_twin_seen_2`);
  return kind;
}

test('two refreshes show a clock, and refute a claim about a column without one', async () => {
  expect(await refreshed('seen_at', 'each refresh')).toBe('confirmed');
  expect(await refreshed('orders', 'each refresh')).toBe('refuted');
  expect(await refreshed('day', 'each refresh')).toBe('refuted');
  expect(await refreshed('day', 'each day')).toBe('confirmed');
  expect(await refreshed('orders', 'each day')).toBe('refuted');
  // Rows that hold no ties show nothing, however they move.
  expect(await refreshed('orders', 'when rows move')).toBe('unproven');
});
