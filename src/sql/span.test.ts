import { parse as parseOther } from 'pgsql-ast-parser';
import { expect, test } from 'vitest';
import type { Statement } from '../model.ts';
import { parse } from './parse.ts';
import { bracketEnd, callEnd, expressionEnd, lineColumns, nameEnd, nodeEnd, sourceSpan, targetEnd, typeEnd } from './span.ts';
import { walkWithPath } from './walk.ts';

const from = (sql: string, end: (sql: string, start: number) => number, start = 0): string => sql.slice(start, end(sql, start));

test.each([
  ['a.b."C d".e x', 'a.b."C d".e'], ['a . /* c */ b x', 'a . /* c */ b'], ['t.* from', 't.*'], ['* from', '*'], ['a(b)', 'a'], ['a b', 'a'], ['a.', 'a'], ["'x' y", "'x'"],
])('nameEnd %s', (sql, expected) => {
  expect(from(sql, nameEnd)).toBe(expected);
});

test.each([
  ['count(*) filter (where a > 1) as n', 'count(*) filter (where a > 1)'],
  ['f (a, (b)) over w, x', 'f (a, (b)) over w'],
  ['f(a) over (partition by b) x', 'f(a) over (partition by b)'],
  ['percentile_cont(0.5) within group (order by a) from t', 'percentile_cont(0.5) within group (order by a)'],
  ['a.b::numeric(10, 2)[] + 1', 'a.b::numeric(10, 2)[]'],
  ["x::timestamp(3) with time zone at time zone 'UTC'", 'x::timestamp(3) with time zone'],
  ['::double precision, b', '::double precision'],
  ['case when a then case b when 1 then 2 end else 3 end::int, 4', 'case when a then case b when 1 then 2 end else 3 end::int'],
  ["date '2020-01-01' + 1", "date '2020-01-01'"],
  ["'a'::text || 'b'", "'a'::text"], ['(a + b).c from', '(a + b).c'], ['array[1, 2][1] x', 'array[1, 2][1]'], ['$1::int x', '$1::int'],
  ['current_date + 1', 'current_date'], ['a', 'a'], ['f(a', 'f(a'], ['+ b', '+'],
])('nodeEnd %s', (sql, expected) => {
  expect(from(sql, nodeEnd)).toBe(expected);
});

test.each([
  ['f(a)::date + 1', 'f(a)'],
  ['f (a)[1]', 'f (a)'],
  ['max(a) /* of */ FILTER (WHERE b)::int', 'max(a) /* of */ FILTER (WHERE b)'],
  ['mode() within group (order by a) filter (where b) over w, c', 'mode() within group (order by a) filter (where b) over w'],
  ['lag(a) over (order by b) over_all', 'lag(a) over (order by b)'],
  ['s.f(a) within reach', 's.f(a)'],
])('callEnd %s', (sql, expected) => {
  expect(from(sql, callEnd)).toBe(expected);
});

test.each([
  ['character varying(10)[] not null', 'character varying(10)[]'], ['time without time zone default 1', 'time without time zone'],
  ['interval day to second(2) x', 'interval day to second(2)'], ['a.b%type x', 'a.b%type'], ['setof s.t as', 'setof s.t'], ['int array[3] x', 'int array[3]'],
  ['time with x', 'time'], ['text collate "C"', 'text'],
])('typeEnd %s', (sql, expected) => {
  expect(from(sql, typeEnd)).toBe(expected);
});

const items: readonly (readonly [string, string, string])[] = [
  // the item, its expression, the item with its label
  ['a from t', 'a', 'a'],
  ['a b from t', 'a', 'a b'],
  ['a as "from", c', 'a', 'a as "from"'],
  ['count(*) total, x', 'count(*)', 'count(*) total'],
  ['count(distinct a, b) "T", x', 'count(distinct a, b)', 'count(distinct a, b) "T"'],
  ['t.* from t', 't.*', 't.*'],
  ['a is not distinct from b from t', 'a is not distinct from b', 'a is not distinct from b'],
  ['a is null is_null, b', 'a is null', 'a is null is_null'],
  ['case when a then 1, end', 'case when a then 1, end', 'case when a then 1, end'],
  ["case a when 'x' then b else c end as d", "case a when 'x' then b else c end", "case a when 'x' then b else c end as d"],
  ['case when a then 1 end kind from t', 'case when a then 1 end', 'case when a then 1 end kind'],
  ["now() at time zone 'utc' day from t", "now() at time zone 'utc' day", "now() at time zone 'utc' day"],
  ["now() at time zone 'utc' moment from t", "now() at time zone 'utc'", "now() at time zone 'utc' moment"],
  ["a::timestamp with time zone when_at, b", 'a::timestamp with time zone', 'a::timestamp with time zone when_at'],
  ["'1'::double precision half, b", "'1'::double precision", "'1'::double precision half"],
  ["interval '1' day, b", "interval '1' day", "interval '1' day"],
  ['a collate "C" x, b', 'a collate "C"', 'a collate "C" x'],
  ['a between 1 and 2 ok from t', 'a between 1 and 2', 'a between 1 and 2 ok'],
  ['a in (select b from c) found from t', 'a in (select b from c)', 'a in (select b from c) found'],
  ['not exists (select 1) from t', 'not exists (select 1)', 'not exists (select 1)'],
  ['(select max(a) from t) m from t', '(select max(a) from t)', '(select max(a) from t) m'],
  ['percentile_cont(0.5) within group (order by a) p from t', 'percentile_cont(0.5) within group (order by a)', 'percentile_cont(0.5) within group (order by a) p'],
  ["extract(year from a) y, b", 'extract(year from a)', 'extract(year from a) y'],
  ['row_number() over (order by a) rn from t', 'row_number() over (order by a)', 'row_number() over (order by a) rn'],
  ['sum(a) over w total from t window w as ()', 'sum(a) over w', 'sum(a) over w total'],
  ['a -- why\n, b', 'a', 'a'],
  ['left(a, 1) l, b', 'left(a, 1)', 'left(a, 1) l'],
  ['a desc nulls last, b', 'a', 'a'],
  ['a > 1 group by b', 'a > 1', 'a > 1'],
  ['a = any (b) union select 1', 'a = any (b)', 'a = any (b)'],
  ['a) x', 'a', 'a'],
  ['1; select', '1', '1'],
  ['a', 'a', 'a'],
];
test.each(items)('the item %s', (sql, expression, item) => {
  expect([from(sql, expressionEnd), from(sql, targetEnd)]).toEqual([expression, item]);
});

test('bracketEnd skips brackets in quotes and comments', () => {
  expect(from("(a, ')', /* ) */ [b(1)], \"(\") x", bracketEnd)).toBe("(a, ')', /* ) */ [b(1)], \"(\")");
  expect(bracketEnd('(a', 0)).toBe(2);
});

const at = (start: number, end: number, path = 'a.sql'): { path: string; start: number; end: number } => ({ path, start, end });
const statement: Statement = {
  sql: 'abcdefghijklmnop', span: at(100, 120), ignores: [],
  origins: [{ start: 0, end: 4, span: at(100, 104) }, { start: 4, end: 6, span: at(104, 112) }, { start: 10, end: 16, span: at(114, 120) }],
};

test('offsets go to their source', () => {
  expect(sourceSpan(statement, 1, 3)).toEqual(at(101, 103));
  expect(sourceSpan(statement, 0, 4)).toEqual(at(100, 104));
  expect(sourceSpan(statement, 2, 2)).toEqual(at(102, 102));
  expect(sourceSpan(statement, 4, 5), 'a run of another length maps whole').toEqual(at(104, 112));
  expect(sourceSpan(statement, 3, 12), 'over a filled placeholder').toEqual(at(103, 116));
  expect(sourceSpan(statement, 6, 7), 'nearest before').toEqual(at(112, 112));
  expect(sourceSpan(statement, 9, 10), 'nearest after').toEqual(at(114, 114));
  expect(sourceSpan(statement, 15, 99)).toEqual(at(119, 120));
  expect(sourceSpan({ ...statement, origins: [] }, 1, 2)).toEqual(at(100, 120));
});

test('a range over two files keeps the first', () => {
  const two: Statement = { ...statement, origins: [{ start: 0, end: 8, span: at(0, 8) }, { start: 8, end: 16, span: at(50, 58, 'b.sql') }] };
  expect(sourceSpan(two, 2, 10)).toEqual(at(2, 8));
  expect(sourceSpan(two, 9, 10)).toEqual(at(51, 52, 'b.sql'));
});

test('lines and columns count from one', () => {
  const place = lineColumns('ab\r\né😀x\n');
  expect([0, 2, 4, 7, 9, 99].map(place)).toEqual([
    { line: 1, column: 1 }, { line: 1, column: 3 }, { line: 2, column: 1 }, { line: 2, column: 4 }, { line: 3, column: 1 }, { line: 3, column: 1 },
  ]);
  expect(lineColumns('')(0)).toEqual({ line: 1, column: 1 });
});

/**
 * A second opinion: pgsql-ast-parser gives nodes a range, libpg_query a start. It reads about two thirds of what Postgres reads
 * (measured on the regression suite), so every statement here is one that both parse. Its ranges leave out closing brackets, bare
 * labels and a trailing cast's modifiers; so ends are compared without brackets, and labels not at all.
 */
const shared = [
  'select a from t', 'select a, b as c from s.t where a = 1', 'select t.a, "T"."B" from t, "T"', 'select count(*) as n from orders o group by o.id',
  'select count(distinct a) as n, sum(b + c) as m from t', 'select f(a, g(b, (c))) as x, h() from t', "select 'it''s' as s, 1.5 as n, -1 as m, null as z, true as t",
  'select a + b * c as d, (a - b) as e from t', 'select a::bigint as b, c::text from t', 'select cast(a as numeric(10, 2)) as b from t',
  'select case when a > 1 then b else c end as d from t', 'select case a when 1 then 2 end as d, e from t', 'select coalesce(a, b, 0) as c from t',
  'select a from t join u on u.id = t.id', 'select a from t left join s.u on u.id = t.id and u.x > 1', 'select x.a from (select a from t) x',
  'select (select max(b) from u) as m, a from t', 'select a from t where b in (1, 2) and c not in (3)', 'select a from t where b between 1 and 2 or c is null',
  "select a from t where b like 'x%' and c ilike 'y' order by a desc limit 3", 'select distinct a, b from t order by b', 'select distinct on (a) a, b from t',
  'select a from t union all select b from u', 'with x as (select a from t) select a from x', 'with x as (select a from t), y as (select b from x) select b from y',
  'select array[1, 2, a] as b from t', 'select a[1] as b from t', "select a->'b' as c, a->>'d' as e from t", 'select a is not null as b, not c as d from t',
  'select row_number() over (partition by a order by b) as n from t', "select extract(year from a) as y from t", "select date_trunc('day', a) as d from t",
  'select a /* why */ as b -- c\n, d from t', "select 'é😀' as s, a from t", 'select a from t where exists (select 1 from u where u.id = t.id)',
  'create view v as select a, b as c from t', 'create materialized view s.v as select a, count(*) as n from t group by a', 'create table t (a int, b text not null)',
  'create table s.t (a int references u(id), primary key (a))', 'create index i on t (a, b)', 'create unique index i on s.t (lower(a))',
  'insert into t (a, b) values (1, 2)', 'insert into s.t select a, b from u', 'update t set a = 1 where b = 2', 'delete from s.t where a = 1 returning b',
  'drop table s.t', 'alter table t add column a int', 'alter table s.t rename to u', 'truncate table t', 'refresh materialized view concurrently s.v',
];

interface Ranged { readonly type?: unknown; readonly name?: unknown; readonly _location?: { readonly start: number; readonly end: number } }

/** Ends of names and of select-list expressions by start, as the other parser sees them. */
function otherEnds(sql: string): { readonly names: Map<number, number>; readonly items: number[] } {
  const names = new Map<number, number>();
  const items: number[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) { value.forEach(visit); return; }
    if (typeof value !== 'object' || value === null) return;
    const node = value as Ranged & { readonly columns?: readonly { readonly expr?: Ranged }[] };
    const named = node.type === 'table' || node.type === 'call' ? (node as { name?: Ranged; function?: Ranged }).name ?? (node as { function?: Ranged }).function : node.type === 'ref' ? node : undefined;
    if (typeof named === 'object' && named._location) names.set(named._location.start, named._location.end);
    if (node.type === 'select') for (const column of node.columns ?? []) if (column.expr?._location) items.push(column.expr._location.end);
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseOther(sql, { locationTracking: true }));
  return { names, items };
}
const withoutClosers = (sql: string, end: number): number => sql.slice(0, end).replace(/[)\]\s]+$/, '').length;

test('ends agree with the ranges of pgsql-ast-parser', () => {
  expect(shared.length).toBeGreaterThanOrEqual(50);
  let names = 0;
  let items = 0;
  for (const sql of shared) {
    const other = otherEnds(sql);
    const parsed = parse(sql);
    if (!parsed.ok) throw new Error(`${sql}: ${parsed.message}`);
    const ends: number[] = [];
    walkWithPath(parsed.node, (kind, node, path) => {
      const start = (node['location'] as number | undefined) ?? 0;
      const otherEnd = other.names.get(start);
      if ((kind === 'RangeVar' || kind === 'ColumnRef' || kind === 'FuncCall') && otherEnd !== undefined) {
        names += 1;
        expect(sql.slice(start, nameEnd(sql, start)), sql).toBe(sql.slice(start, otherEnd));
      }
      if (kind === 'ResTarget' && path.includes('targetList') && path.at(-4) === 'SelectStmt') ends.push(withoutClosers(sql, expressionEnd(sql, start)));
    });
    const expected = other.items.map(end => withoutClosers(sql, end)).sort((a, b) => a - b);
    if (expected.length !== ends.length) continue;
    items += ends.length;
    expect(ends.sort((a, b) => a - b).map(end => sql.slice(0, end)), sql).toEqual(expected.map(end => sql.slice(0, end)));
  }
  expect(names).toBeGreaterThan(80);
  expect(items).toBeGreaterThan(50);
});
