import { beforeAll, describe, expect, test } from 'vitest';
import { broken, cases, falsified, indexes } from '../../dev/pg-ivm-cases.ts';
import { schema } from '../../dev/pg-ivm-schema.ts';
import { replayedCatalog, statementOf } from '../../dev/replayed.ts';
import type { Catalog, Eligibility } from '../../model.ts';
import { decodeLiteral } from '../../sql/literal.ts';
import { literalText, statementText, textStatement } from '../../sql/text.ts';
import { pgIvmEligibility } from './pg-ivm.ts';

/** What each row says is held against the extension in src/dev/oracle-pg-ivm.test.ts. */
let catalog: Catalog;
beforeAll(async () => {
  catalog = replayedCatalog(schema);
});

const said = (sql: string): Eligibility => pgIvmEligibility(statementOf(sql), catalog);
const verdict = (sql: string): string => {
  const { is, obstacles } = said(sql);
  return is === 'refused' ? `refused: ${obstacles[0]!.code}` : is;
};

describe.each(cases.filter(({ live }) => live !== true))('$code', ({ code, refused, taken = [] }) => {
  test.each(refused)('refused: %s', sql => expect(verdict(sql)).toBe(`refused: ${code}`));
  test.each(taken)('taken: %s', sql => expect(verdict(sql)).toBe('eligible'));
});

test.each(Object.entries({ ...broken, ...falsified }).flatMap(([code, queries]) => queries.map(sql =>
  [code, sql] as const)))('hazard %s: %s', (code, sql) => {
  const { is, hazards } = said(sql);
  expect(is).toBe('eligible');
  expect(hazards.map(hazard => hazard.code)).toContain(code);
});

test.each(indexes)('index of %s', (sql, columns) => {
  const { index } = said(sql);
  expect([...index as readonly string[]].sort()).toEqual([...columns].sort());
});

test('all obstacles are told, the first one first, each at its place', () => {
  const sql =
    `select distinct on (city) city, count(*) + 1 as n, now() from v_customers v right join customers c on true where exists (select 1 from uniq) or vip group by rollup (city) order by 1 limit 3`;
  const { obstacles } = said(sql);
  expect(obstacles.map(({ code, evidence }) => `${code}: ${sql.slice(evidence.at(-1)!.span.start, evidence.at(-1)!.span.end)}`)).toEqual([
    'mutable-function: now()', 'order-by: 1', 'limit: 3', 'distinct-on: city', 'grouping-sets: rollup (city)', 'view: v_customers',
      'aggregate-in-expression: count(*) + 1 as n',
    'outer-join-with-aggregate: v_customers v right join customers c on true', 'exists-under-or-not: exists (select 1 from uniq) or vip',
      'outer-join-condition: v_customers v right join customers c on true',
    'outer-join-where: exists (select 1 from uniq) or vip', 'outer-join-non-strict: count(*) + 1 as n',
  ]);
});

test('the engine speaks in its own words, with the hint', () => {
  expect(said('select id from customers limit 1').obstacles[0])
    .toMatchObject({ message: 'LIMIT/OFFSET clause is not supported on incrementally maintainable materialized view' });
  expect(said('select now()').obstacles[0]).toMatchObject({ hint: 'functions must be marked IMMUTABLE', says: 'now() is not immutable' });
});

test('the evidence leads from what makes the obstacle to its place', () => {
  const [routine] = said('select f_vol(id) from customers').obstacles;
  expect(routine!.evidence.map(({ says }) => says)).toEqual(['f_vol() is volatile', 'f_vol(integer) is not immutable']);
  expect(routine!.evidence[0].span.path).toBe('db/001.sql');
  const [view] = said('select id from v_customers').obstacles;
  expect(view!.evidence.map(({ says }) => says)).toEqual(['v_customers is made here', 'v_customers is a view, and pg_ivm reads tables only']);
});

test('what is not known is unknown, with its name, and never eligible', () => {
  const because = (sql: string): string => {
    const answer = said(sql);
    return answer.is === 'unknown' ? answer.because : answer.is;
  };
  expect(because('select id from ghost')).toBe('the relation ghost');
  expect(because('select ghost(id) from customers')).toBe('which function ghost() is');
  expect(because('select ghost from customers')).toBe('the column ghost');
  expect(because('select id::ghost from customers')).toBe('the type ghost');
  expect(because('select id from customers where 1 === 1')).toBe('which operator === is');
  expect(because('select name, ghost(id) from customers group by name')).toBe('which function ghost() is');
  expect(verdict('select id from ghost order by id')).toBe('refused: order-by');
});

test('what is no query is refused', () => {
  expect(verdict('')).toBe('refused: not-one-query');
  expect(verdict('select 1; select 2')).toBe('refused: not-one-query');
  expect(verdict('insert into scratch values (1, 1)')).toBe('refused: not-a-select');
  expect(verdict('select 1 into x')).toBe('refused: select-into');
});

test('the places of a query in a string are those of the file', () => {
  const sql = `select pgivm.create_immv('v', 'select name || ''x'' as n from customers order by 1')`;
  const outer = statementOf(sql, 'db/007.sql');
  const start = sql.indexOf(`'select`);
  const text = literalText(statementText(outer), start, sql.length - 1)!;
  expect(decodeLiteral(sql, start, sql.length - 1)!.text).toBe(text.text);
  const { obstacles: [first] } = pgIvmEligibility(textStatement(text, outer.span), catalog);
  const { span } = first!.evidence.at(-1)!;
  expect([span.path, sql.slice(span.start, span.end), span.start]).toEqual(['db/007.sql', '1', sql.lastIndexOf('1')]);
});

test('the columns that the call names are those of the table', () => {
  const named = (sql: string, ...columns: string[]): Eligibility => pgIvmEligibility(statementOf(sql), catalog, { columns });
  expect(named('select c.id, o.id from customers c, orders o', 'a', 'b')).toMatchObject({ is: 'eligible', index: ['a', 'b'] });
  expect(named('select id, name from customers', 'a', 'a')).toMatchObject({ is: 'refused', obstacles: [{ code: 'duplicate-column' }] });
  expect(named('select count(*) from customers', '__ivm_count__'))
    .toMatchObject({ is: 'refused', obstacles: [{ code: 'duplicate-column' }] });
  expect(named('select id from customers', '__ivm_x')).toMatchObject({ is: 'eligible' });
});

test('a view of the catalog is asked with the relations that it was bound to', () => {
  const later = replayedCatalog(['create table t (id int primary key, v int)', 'create materialized view m as select id from t',
    'alter table t rename to old', 'create view t as select 1 as id']);
  const found = later.find({ name: 'm' });
  if (found.is !== 'present' || found.object.kind !== 'matview') throw new Error('no view');
  expect(pgIvmEligibility(found.object, later)).toMatchObject({ is: 'eligible', index: ['id'] });
  expect(pgIvmEligibility(statementOf('select id from t'), later)).toMatchObject({ is: 'refused', obstacles: [{ code: 'view' }] });
});

test('what ALTER TABLE does to a source is known', () => {
  const asked = (...statements: string[]): Eligibility => {
    const later = replayedCatalog(['create table t (id int primary key, v int)', ...statements]);
    return pgIvmEligibility(statementOf('select id, v from t'), later);
  };
  expect(asked()).toMatchObject({ is: 'eligible', hazards: [], index: ['id'] });
  expect(asked('alter table t add w int generated always as (v) virtual').hazards.map(({ code }) => code)).toEqual(['virtual-generated-column']);
  expect(asked('alter table t add w int generated always as (v) stored').hazards).toEqual([]);
  expect(asked('alter table t drop constraint t_pkey')).toMatchObject({ is: 'eligible', index: [] });
  expect(asked('create table u () inherits (t)').obstacles.map(({ code }) => code)).toEqual(['inheritance-parent']);
  expect(asked('alter table t alter v type json using null').obstacles.map(({ code }) => code)).toEqual(['no-btree-order']);
});

test('hostile queries are answered in time', () => {
  const started = performance.now();
  for (const sql of [
    `select ${Array.from({ length: 2_000 }, (_, at) => `c.id + ${at} as c${at}`).join(', ')} from customers c left join orders o on c.id = o.id`,
    `select id from customers where ${Array.from({ length: 400 }, (_, at) => `exists (select 1 from uniq where k = id + ${at})`).join(' and ')}`,
    `select city, ${Array.from({ length: 500 }, (_, at) => `sum(id + ${at}) as s${at}`).join(', ')} from customers group by city`,
    `select ${'('.repeat(90)}id${')'.repeat(90)} from ${Array.from({ length: 200 }, (_, at) => `customers c${at}`).join(', ')}`,
    `with ${Array.from({ length: 200 }, (_, at) => `w${at} as (select * from ${at === 0 ? 'scratch' : `w${at - 1} a${at}, w${at - 1}`})`).slice(0, 12).join(', ')} select 1 from w11`,
    `select ${'case when true then '.repeat(60)}1${' end'.repeat(60)}`,
  ]) expect(['eligible', 'refused', 'unknown']).toContain(said(sql).is);
  expect(performance.now() - started).toBeLessThan(8_000);
});
