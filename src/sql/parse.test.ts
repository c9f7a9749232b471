import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { offsetKeys, parse, parsePlpgsql } from './parse.ts';
import { walk } from './walk.ts';

/** Every location in the tree with the text that stands there. */
function texts(sql: string): Record<string, string> {
  const parsed = parse(sql);
  if (!parsed.ok) throw new Error(parsed.message);
  const found: Record<string, string> = {};
  walk(parsed.node, (kind, node) => {
    if (typeof node['location'] === 'number') found[`${kind}@${String(node['location'])}`] = sql.slice(node['location'], node['location'] + 3);
  });
  return found;
}
const refusal = (sql: string): { message: string; at: number } => {
  const parsed = parse(sql);
  if (parsed.ok) throw new Error(`parsed: ${sql}`);
  return { message: parsed.message, at: parsed.at };
};

test('one statement gives its inner node', () => {
  const parsed = parse('REFRESH MATERIALIZED VIEW CONCURRENTLY a.b;');
  expect(parsed.ok && 'RefreshMatViewStmt' in parsed.node && parsed.node.RefreshMatViewStmt).toMatchObject({
    concurrent: true, relation: { schemaname: 'a', relname: 'b' },
  });
});

test('locations are UTF-16 offsets behind two-, three- and four-byte characters', () => {
  expect(texts("select 'é€😀', abc from xyz")).toEqual({
    'ResTarget@7': "'é€", 'A_Const@7': "'é€", 'ResTarget@15': 'abc', 'ColumnRef@15': 'abc', 'RangeVar@24': 'xyz',
  });
});

test('IN lists and arrays keep their list bounds in the same unit', () => {
  const sql = "select 'é' where a in (1, 2)";
  const parsed = parse(sql);
  const bounds: unknown[] = [];
  if (parsed.ok) walk(parsed.node, (kind, node) => { if (kind === 'A_Expr') bounds.push([node['rexpr_list_start'], node['rexpr_list_end']]); });
  expect(bounds).toEqual([[sql.indexOf('('), sql.indexOf(')')]]);
});

test('an error stands at a UTF-16 offset', () => {
  const sql = "select '😀é', from";
  expect(refusal(sql)).toEqual({ message: 'syntax error at or near "from"', at: sql.indexOf('from') });
  expect(refusal("select '😀é' frm x y").at).toBe("select '😀é' frm ".length);
});

test('what is not one statement', () => {
  for (const sql of ['', '  \n', '-- c', ';;', '/* c */ ;']) expect(refusal(sql).message).toBe('no statement');
  expect(refusal('select 1; select 2')).toEqual({ message: 'more than one statement', at: 8 });
  expect(refusal('select 1;;select 2').message).toBe('more than one statement');
  expect(refusal("select 'é'; select 2").at).toBe(10);
  expect(parse(' select 1 ; ').ok).toBe(true);
});

test('a NUL is refused at its place instead of cutting the text', () => {
  expect(refusal('select 1;\0 garbage')).toEqual({ message: 'a NUL character: Postgres text holds none', at: 9 });
  expect(parsePlpgsql('do $$begin\0end$$').ok).toBe(false);
});

test('unterminated things are refused, not thrown', () => {
  for (const sql of ["select 'abc", 'select "abc', 'select /* abc', 'select $$abc', "select E'\\", "select U&'\\zz'", 'select 123abc']) {
    expect(refusal(sql).message, sql).not.toBe('');
  }
});

test('a lone surrogate neither throws nor shifts what follows', () => {
  const sql = "select '\ud83d', abc";
  expect(texts(sql)[`ColumnRef@${String(sql.indexOf('abc'))}`]).toBe('abc');
});

const deep: readonly (readonly [string, (n: number) => string])[] = [
  ['sums', n => `select ${'1+'.repeat(n)}1`],
  ['unions', n => `${'select 1 union all '.repeat(n)}select 1`],
  ['concatenations', n => `select ${"'x'||".repeat(n)}'x'`],
  ['nots', n => `select ${'not '.repeat(n)}true`],
  ['joins', n => `select 1 from a${' join a on true'.repeat(n)}`],
  ['parentheses', n => `select ${'('.repeat(n)}1${')'.repeat(n)}`],
  ['calls', n => `select ${'f('.repeat(n)}1${')'.repeat(n)}`],
  ['subselects', n => `${'select ('.repeat(n)}select 1${')'.repeat(n)}`],
];

test.each(deep)('ten thousand nested %s are refused and leave the parser intact', (_, make) => {
  for (let i = 0; i < 8; i += 1) {
    const parsed = parse(`${make(10_000)} -- ${String(i)}`);
    expect(parsed.ok).toBe(false);
    expect(parse(`select ${String(i)} from good`).ok).toBe(true);
  }
});

test.each(deep)('a hundred nested %s parse', (_, make) => {
  expect(parse(make(100)).ok).toBe(true);
});

test('flat lists of any practical length parse', () => {
  expect(parse(`select 1 where a in (${'1,'.repeat(20_000)}1)`).ok).toBe(true);
  expect(parse(`select 1 where ${'a = 1 or '.repeat(20_000)} true`).ok).toBe(true);
  expect(parse(`insert into t values ${'(1),'.repeat(20_000)}(1)`).ok).toBe(true);
});

test('the same text gives the same tree', () => {
  expect(parse('select 1 as a')).toBe(parse('select 1 as a'));
});

test('the cache forgets and stays right', () => {
  const trees = new Set<unknown>();
  for (let i = 0; i < 9000; i += 1) trees.add(parse(`select ${String(i)}`));
  expect(trees.size).toBe(9000);
  expect(parse('select 0')).toMatchObject({ ok: true, node: { SelectStmt: { targetList: [{ ResTarget: { val: { A_Const: { ival: {} } } } }] } } });
});

test('PL/pgSQL bodies parse, and their errors are answers', () => {
  const good = parsePlpgsql('create function f() returns void language plpgsql as $$begin refresh materialized view v; end$$');
  expect(JSON.stringify(good)).toContain('"query":"refresh materialized view v"');
  expect(parsePlpgsql("do $$begin execute 'select 1' || x; end$$")).toMatchObject({ ok: true });
  expect(parsePlpgsql('create function f() returns void language plpgsql as $$begin if end$$')).toMatchObject({ ok: false });
  expect(parsePlpgsql('create function f() returns int language sql as $$select 1$$').ok).toBe(true);
  expect(parsePlpgsql('select 1').ok).toBe(true);
  expect(parsePlpgsql('garbage (').ok).toBe(false);
  expect(parsePlpgsql('').ok).toBe(false);
});

test('the offset fields are those of the declarations', () => {
  const require = createRequire(import.meta.url);
  const declarations = readFileSync(require.resolve('@pgsql/types').replace('index.js', 'types.d.ts'), 'utf8');
  const fields = [...declarations.matchAll(/^\s+(\w*(?:location|_start|_end))\?: number/gm)].map(match => match[1]);
  expect([...offsetKeys].sort()).toEqual([...new Set(fields)].sort());
});
