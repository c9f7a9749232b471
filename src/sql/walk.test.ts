import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { parse } from './parse.ts';
import { bareKinds, walk, walkWithPath } from './walk.ts';

function kinds(sql: string): string[] {
  const parsed = parse(sql);
  if (!parsed.ok) throw new Error(parsed.message);
  const found: string[] = [];
  walk(parsed.node, kind => { found.push(kind); });
  return found;
}

test('depth first, wrapped and bare nodes alike', () => {
  expect(kinds('create materialized view v as select a from t union select b::int from u')).toEqual([
    'CreateTableAsStmt', 'SelectStmt', 'SelectStmt', 'ResTarget', 'ColumnRef', 'String', 'RangeVar',
    'SelectStmt', 'ResTarget', 'TypeCast', 'ColumnRef', 'String', 'TypeName', 'String', 'String', 'A_Const', 'RangeVar', 'IntoClause', 'RangeVar',
  ].filter(kind => kind !== 'A_Const'));
});

test('paths lead to the node', () => {
  const parsed = parse('with c as (select 1) select a from t where b');
  const paths: string[] = [];
  if (parsed.ok) walkWithPath(parsed.node, (kind, _, path) => { if (kind === 'ColumnRef' || kind === 'CommonTableExpr') paths.push(path.join('/')); });
  expect(paths).toEqual([
    'SelectStmt/targetList/0/ResTarget/val/ColumnRef', 'SelectStmt/whereClause/ColumnRef', 'SelectStmt/withClause/ctes/0/CommonTableExpr',
  ]);
});

test('with and without its path, the same nodes in the same order', () => {
  for (const sql of ['create view v as with c as (select a::int[] from t group by rollup (a, b)) select sum(x) filter (where y) over w from c window w as (order by z)',
    'grant select on t to r', "create table t (a json check (a is json), b text default 'x') partition by range (b)", 'select json_object(k: v returning text), array[1, b\'1\']']) {
    const parsed = parse(sql);
    if (!parsed.ok) throw new Error(parsed.message);
    const withPath: string[] = [];
    walkWithPath(parsed.node, kind => { withPath.push(kind); });
    expect(kinds(sql)).toEqual(withPath);
  }
});

test('false leaves the children out', () => {
  const parsed = parse('select f((select 1)), g()');
  const calls: unknown[] = [];
  if (parsed.ok) walk(parsed.node, kind => { calls.push(kind); return kind !== 'SubLink'; });
  expect(calls.filter(kind => kind === 'SelectStmt')).toHaveLength(1);
  expect(calls.filter(kind => kind === 'FuncCall')).toHaveLength(2);
});

test('any value may be walked, however deep', () => {
  let deep: object = { A: {} };
  for (let i = 0; i < 200_000; i += 1) deep = { A: { arg: deep } };
  let count = 0;
  walk(deep, () => { count += 1; });
  expect(count).toBe(200_001);
  walk(undefined, () => { throw new Error('nothing to visit'); });
  walk('text', () => { throw new Error('nothing to visit'); });
});

test('the bare fields are those of the declarations', () => {
  const require = createRequire(import.meta.url);
  const text = readFileSync(require.resolve('@pgsql/types').replace('index.js', 'types.d.ts'), 'utf8');
  const interfaces = [...text.matchAll(/export interface (\w+) \{([^}]*)\}/g)].map(([, name, body]) => ({ name: name!, body: body! }));
  const known = new Set(interfaces.map(one => one.name));
  // Planner and executor nodes, and what libpg_query's other functions return; the parser makes none of them.
  const never = /^(RangeTblEntry|Query|FromExpr|OnConflictExpr|JsonConstructorExpr|JsonExpr|JsonTablePathScan|ParseResult|ScanResult|SummaryResult)$/;
  const wrong: string[] = [];
  let checked = 0;
  for (const { name, body } of interfaces) {
    if (never.test(name)) continue;
    for (const [, field, type] of body.matchAll(/(\w+)\??: (\w+);/g)) {
      if (!known.has(type!) || type === 'Node' || never.test(type!) || type === 'JsonTablePath' || type === 'FuncExpr') continue;
      checked += 1;
      if ((bareKinds[`${name}.${field!}`] ?? bareKinds[field!]) !== type) wrong.push(`${name}.${field!}: ${type!}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(checked).toBeGreaterThan(100);
});
