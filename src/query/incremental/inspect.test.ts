import { beforeAll, expect, test } from 'vitest';
import { emptyCatalog } from '../../catalog/store.ts';
import { replayedCatalog, statementOf } from '../../dev/replayed.ts';
import type { Catalog } from '../../model.ts';
import { inspect, isNoQuery } from './inspect.ts';
import type { Inspected } from './inspected.ts';

let catalog: Catalog;
beforeAll(async () => {
  catalog = replayedCatalog([
    'create table t (id int primary key, n text, at timestamptz, d date)',
      'create table u (id int primary key, t_id bigint, n varchar(10))',
    'create view v as select id from t',
    `create function f(a int, b timestamptz default now()) returns int language sql immutable as 'select 1'`,
  ]);
});

function look(sql: string, store: Catalog = catalog): Inspected {
  const made = inspect(statementOf(sql), store);
  if (isNoQuery(made)) throw new Error(made.because);
  return made;
}
const rangeOf = (sql: string): readonly string[] => look(sql).root.range.map(({ kind, name }) => (name === '' ? kind : `${kind} ${name}`));
const usesOf = (sql: string): readonly string[] => look(sql).uses.map(({ says, volatility, span }) =>
  `${sql.slice(span.start, span.end)} | ${says} | ${JSON.stringify(volatility)}`);

test('items of FROM come in the order of the range table, a join after its sides', () => {
  expect(rangeOf('select 1 from t a join (u b left join v on true) on true, lateral (select a.id) c, generate_series(1, 2) d, (values (1)) e'))
    .toEqual(['relation a', 'relation b', 'relation v', 'join', 'join', 'sub-select c', 'function d', 'sub-select e']);
});

test('every query has its block, outer ones first, and CTEs are counted', () => {
  const { blocks } = look(`with a as (select * from t), b as (select 1 from a), c as (select 1), recursive_ as (select 1)
    select (select 1), n from b, b as b2, c union all (select 1, n from t order by 1) union select 1, 'x'`);
  expect(blocks.map(({ role, form }) => `${role} ${form}`)).toEqual([
    'query set operation', 'CTE select', 'CTE select', 'CTE select', 'CTE select', 'set operand select', 'sublink select',
      'set operand select', 'set operand select',
  ]);
  expect(blocks[0]!.ctes.map(({ name, references }) => `${name} ${references}`)).toEqual(['a 1', 'b 2', 'c 1', 'recursive_ 0']);
  expect(blocks[1]!.targets.map(({ name, type }) => `${name} ${type?.key}`)).toEqual(['id int4', 'n text', 'at timestamptz', 'd date']);
});

test('a recursive CTE does not count its own reading of itself', () => {
  expect(look('with recursive r(n) as (select 1 union all select n + 1 from r where n < 3) select * from r').root.ctes[0]!.references)
    .toBe(1);
});

test('a name knows its item of FROM and level', () => {
  const made =
    look('select t.id, x.n, ctid, t from t join u x using (id) where exists (select 1 from u where u.id = t.id and x.t_id = u.t_id)');
  const meanings = new Map<string, string>();
  const inner = made.blocks.at(-1)!;
  const collect = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('fields' in node) {
      const meaning = made.meaningOf(node);
      const text = JSON.stringify((node as { fields: unknown }).fields).match(/"sval":"(\w+)"/g)!.map(part => part.slice(8, -1)).join('.');
      meanings.set(text, meaning.is === 'unknown' ? 'unknown'
        : `${meaning.is} of ${meaning.entry.name}${meaning.entry.block === inner ? ' inside' : ''}${meaning.is === 'column' ? ` at ${meaning.at}` : ''}`);
    }
    Object.values(node).forEach(collect);
  };
  collect(made.root.select);
  expect(Object.fromEntries(meanings)).toEqual({
    't.id': 'column of t at 0', 'x.n': 'column of x at 2', ctid: 'unknown', t: 'row of t', 'u.id': 'column of u inside at 0',
      'x.t_id': 'column of x at 1', 'u.t_id': 'column of u inside at 1',
  });
});

test('uses stand at their places, with their volatility', () => {
  expect(usesOf(`select max(d)::text from t where at > now() and date_trunc('day', at) < current_date and n = 'a'`)).toEqual([
    'max(d)::text | max(date) | "immutable"',
    'max(d)::text | the conversion of date to text | "stable"',
    'now() | now() | "stable"',
    'at > now() | the operator of timestamptz_gt(timestamp with time zone, timestamp with time zone) | "immutable"',
    `date_trunc('day', at) | date_trunc(text, timestamp with time zone) | "stable"`,
    `date_trunc('day', at) < current_date | the operator of timestamptz_lt_date(timestamp with time zone, date) | "stable"`,
    `n = 'a' | the operator of texteq(text, text) | "immutable"`,
    'current_date | current_date | "stable"',
  ]);
});

test('defaults of left-out arguments stand apart', () => {
  const { uses, defaults } = look('select f(1)');
  expect(uses.map(({ says, volatility }) => [says, volatility])).toEqual([['f(integer, timestamp with time zone)', 'immutable']]);
  expect(defaults.map(({ says, volatility }) => [says, volatility])).toEqual([['now()', 'stable']]);
  expect(look('select f(1, null)').defaults).toEqual([]);
  expect(look('select f(b => null, a => 1)').defaults).toEqual([]);
});

test('an aggregate belongs to the query whose columns it takes', () => {
  const made =
    look('select id from t group by id having exists (select 1 from u where u.id = 1 and (select count(t.id)) > 0 and (select count(*)) > 0)');
  expect(made.blocks.map(({ aggregates }) => aggregates.length)).toEqual([1, 0, 0, 1]);
});

test('what is not known is named, the cause first', () => {
  const open = emptyCatalog();
  expect(look('select nope(x.a), y from x', open).missing[0]!.what).toBe('the relation x');
  expect(look('select nope(id) from t').missing[0]!.what).toBe('which function nope() is');
  expect(look('select id === 1 from t').missing[0]!.what).toBe('which operator === is');
  expect(look(`select 'a'::ghost`).missing[0]!.what).toBe('the type ghost');
  expect(look('select id, n from t').missing).toEqual([]);
});

test('deep and long texts are answered', () => {
  const deep = `select ${'('.repeat(2_000)}1${')'.repeat(2_000)}`;
  expect(inspect(statementOf(deep), catalog)).toBeDefined();
  const nested = `select ${'(select '.repeat(220)}1${')'.repeat(220)}`;
  expect(look(nested).missing[0]!.what).toBe('what is nested deeper than mvlint reads');
  const started = performance.now();
  expect(look(`select 1 ${'union select 1 '.repeat(500)}`).blocks).toHaveLength(502);
  expect(look(`select ${Array.from({ length: 3_000 }, (_, at) => `id + ${at} as c${at}`).join(', ')} from t`).root.targets)
    .toHaveLength(3_000);
  expect(performance.now() - started).toBeLessThan(5_000);
});
