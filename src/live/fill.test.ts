import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEmbedded, type Embedded } from './embedded.ts';
import { hintsOf } from './fill-values.ts';
import { textsLike, textsMatching } from './fill-patterns.ts';
import { fillBeneath } from './fill.ts';
import { failed } from './session.ts';

let server: Embedded;
beforeAll(async () => { server = await openEmbedded(); });
afterAll(() => server.close());

/** Runs statements separated by lines of `;`-ends; a refusal fails the test. */
async function run(text: string): Promise<void> {
  for (const sql of text.split(/;\s*\n/).filter(part => part.trim() !== '')) {
    const answer = await server.run(sql);
    if (failed(answer)) throw new Error(`${answer.message}\n${sql}`);
  }
}
const one = async (sql: string): Promise<unknown> => {
  const answer = await server.run(sql);
  return failed(answer) ? answer : Object.values(answer.rows[0] ?? {})[0];
};
const fill = (name: string, rows = 60): Promise<Readonly<Record<string, number>>> => fillBeneath(sql => server.run(sql), { schema: 'public', name }, rows);

test('parents are filled first, keys are unique, enums and conditions are met', async () => {
  await run(`
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE DOMAIN email AS text CHECK (VALUE <> '');
    CREATE TABLE regions (code char(2) PRIMARY KEY, name text NOT NULL UNIQUE);
    CREATE TABLE customers (id uuid PRIMARY KEY, region char(2) NOT NULL REFERENCES regions, email email UNIQUE, tags text[]);
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer uuid REFERENCES customers, status text NOT NULL CHECK (status IN ('new', 'paid')),
      mood mood NOT NULL, total numeric(6, 2) CHECK (total > 10), parent bigint REFERENCES orders, doubled numeric GENERATED ALWAYS AS (total * 2) STORED, note jsonb, UNIQUE (customer, id));
    CREATE TABLE items (order_id bigint REFERENCES orders, customer_id uuid REFERENCES customers, PRIMARY KEY (order_id, customer_id));
    CREATE VIEW paid AS SELECT o.*, c.region FROM orders o JOIN customers c ON c.id = o.customer WHERE status = 'paid' AND mood = 'bad' AND total >= 100;
    CREATE MATERIALIZED VIEW inner_totals AS SELECT region, sum(total) AS total FROM paid GROUP BY region;
    CREATE MATERIALIZED VIEW totals AS SELECT t.* FROM inner_totals t JOIN items i ON true;
    `);
  expect(await fill('totals')).toEqual({ 'public.regions': 60, 'public.customers': 60, 'public.orders': expect.any(Number), 'public.items': expect.any(Number) });
  expect(await one('SELECT count(*)::int FROM orders')).toBeGreaterThan(10);
  expect(await one('SELECT count(*)::int FROM items')).toBeGreaterThan(10);
  // The view beneath was refreshed, so the one above it has rows to read.
  expect(await one('SELECT count(*)::int FROM inner_totals')).toBeGreaterThan(0);
  expect(await one('SELECT count(*)::int FROM totals')).toBe(0);
});

test('tables with rows stay as they are', async () => {
  await run(`CREATE TABLE kept (a int);
    INSERT INTO kept VALUES (7);
    CREATE MATERIALIZED VIEW over_kept AS SELECT a FROM kept`);
  expect(await fill('over_kept')).toEqual({ 'public.kept': 1 });
});

test('a partitioned table gets rows that have a place to go to', async () => {
  await run(`CREATE TABLE events (at timestamptz NOT NULL, kind text) PARTITION BY RANGE (at);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
    CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
    CREATE MATERIALIZED VIEW kinds AS SELECT kind, count(*) FROM events GROUP BY kind`);
  expect(await fill('kinds')).toEqual({ 'public.events': 60 });
});

test('what cannot be met is reported as 0 rows, not as an error', async () => {
  await run(`CREATE TABLE odd (a int NOT NULL CHECK (a * a = 144 AND a < 0 AND a > 5));
    CREATE MATERIALIZED VIEW odds AS SELECT a FROM odd`);
  expect(await fill('odds')).toEqual({ 'public.odd': 0 });
});

test('every built-in type that a column is likely to have gets a value', async () => {
  const types = ['smallint', 'real', 'money', 'oid', 'name', '"char"', 'bpchar', 'varchar(3)', 'boolean', 'date', 'time', 'timetz', 'timestamp', 'interval', 'json', 'xml', 'bytea', 'inet', 'cidr',
    'macaddr', 'bit(3)', 'varbit', 'point', 'tsvector', 'int4range', 'tstzrange', 'int[]', 'text[]', 'uuid[]', 'timestamptz[]'];
  await run(`CREATE TABLE wide (${types.map((type, at) => `c${at} ${type} NOT NULL`).join(', ')});
    CREATE MATERIALIZED VIEW narrow AS SELECT c0 FROM wide`);
  expect(await fill('narrow')).toEqual({ 'public.wide': 60 });
});

test('a role without rights does not keep tables empty', async () => {
  await run(`CREATE ROLE nobody_much;
    CREATE TABLE guarded (a int);
    CREATE MATERIALIZED VIEW over_guarded AS SELECT a FROM guarded;
    SET ROLE nobody_much`);
  expect(await fill('over_guarded')).toEqual({ 'public.guarded': 60 });
  expect(await one('SELECT current_user::text')).toBe('nobody_much');
  await run('RESET ROLE');
});

test('hints are the literals that printed conditions compare a column with', () => {
  expect(hintsOf(["WHERE ((o.status = 'paid'::text) AND (o.total >= (100)::numeric) AND (o.kind = ANY (ARRAY['a'::text, 'it''s'::text])))"])).toEqual(new Map([
    ['status', ['paid']], ['total', ['100', '101', '99']], ['kind', ['a', "it's"]],
  ]));
});

test('tables that inherit get rows too, and arrays hold one element or two', async () => {
  await run(`CREATE TABLE animals (id int PRIMARY KEY, tags text[] NOT NULL);
    CREATE TABLE dogs (breed text) INHERITS (animals);
    CREATE MATERIALIZED VIEW tagged AS SELECT id, unnest(tags) AS tag FROM animals`);
  expect(await fill('tagged')).toMatchObject({ 'public.dogs': 60 });
  expect(await one('SELECT count(*)::int FROM ONLY animals')).toBe(60);
  expect(await one('SELECT count(DISTINCT cardinality(tags))::int FROM animals')).toBe(2);
});

test.each([
  ['^[A-Z]{2}-[0-9]{4}$', /^[A-Z]{2}-[0-9]{4}$/], ['^(a|bc)+[^x]?$', /^(a|bc)+[^x]?$/], ['^\\d{3}\\.\\w+@[[:alpha:]]{2,}$', /^\d{3}\.\w+@[a-zA-Z]{2,}$/], ['^(?:https?)://.+', /^(?:https?):\/\/.+/],
  ['x{2,}y*', /x{2,}y*/], ['[]-]', /[\]-]/],
])('texts match %s, and differ where there is room', (pattern, same) => {
  const texts = textsMatching(pattern, 30) ?? [];
  expect(texts.filter(text => !same.test(text))).toEqual([]);
  expect(new Set(texts).size).toBeGreaterThan(pattern.startsWith('x') || pattern.startsWith('[]') ? 0 : 4);
});

test.each([['(?=a)b'], ['(a'], ['a)'], ['\\m\\1'], ['(((a{100}){100}){100}){100}'], [`${'('.repeat(500)}`], [`${'('.repeat(60)}a${')'.repeat(60)}`]])('%s is not understood', pattern => expect(textsMatching(pattern, 3)).toBeUndefined());

test('texts for LIKE', () => expect(textsLike('a_%.x', 3)?.every(text => /^a[a-z][a-z0-9]*\.x$/.test(text))).toBe(true));
