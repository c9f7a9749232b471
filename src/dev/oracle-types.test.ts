import { PGlite } from '@electric-sql/pglite';
import { expect, test } from 'vitest';
import { judgeTypes } from './types-oracle.ts';
import { storedIn } from './types-tree.ts';

test('functions, operators, conversions and types of six hundred expressions are what Postgres stored', async () => {
  const db = await PGlite.create();
  try {
    const { judged } = await judgeTypes(async sql => (await db.query<Record<string, unknown>>(sql)).rows, 18, 20, 600);
    const shown = (verdict: string): readonly string[] =>
      judged.filter(item => item.verdict === verdict).map(item => [item.query, ...item.differences].join('\n    '));
    expect(judged).toHaveLength(600);
    expect(new Set(judged.map(item => item.form)).size).toBeGreaterThan(12);
    // The command over thousands allows 0.2 % wrong and 0.5 % not equal: here that is one and three.
    expect(shown('wrong').length, shown('wrong').join('\n')).toBeLessThanOrEqual(1);
    expect(shown('unknown').length, shown('unknown').join('\n')).toBeLessThanOrEqual(2);
  } finally {
    await db.close();
  }
}, 120_000);

test('a stored tree is read node by node', () => {
  const tree = '({QUERY :targetList ({TARGETENTRY :expr {COERCEVIAIO :arg {OPEXPR :opno 96 :opfuncid 65 :args ({VAR :varno 1} {CONST :constvalue 4 [ 1 0 ]})}'
    + ' :resulttype 25 :resultcollid 100} :resname a\\{FUNCEXPR\\ b :ressortgroupref 0}) :x {RELABELTYPE :arg {FUNCEXPR :funcid 870} :resulttype 1043}})';
  expect(storedIn(tree)).toEqual([
    { kind: 'operator', oid: 65 }, { kind: 'io', oid: 25 }, { kind: 'function', oid: 870 }, { kind: 'relabel', oid: 1043 },
  ]);
});
