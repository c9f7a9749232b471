import { expect, test } from 'vitest';
import { readFixtures } from '../dev/fixtures.ts';
import { parse } from '../sql/parse.ts';
import { split } from '../sql/split.ts';
import type { FuncCall, Node } from '../sql/tree.ts';
import { walk } from '../sql/walk.ts';
import { partsOf } from './parts.ts';

const opaque = ['JsonArrayAgg', 'JsonObjectAgg'];
/** Kinds whose value their parts decide, and calls, which are told apart. */
const decided = ['FuncCall', 'A_Const', 'Integer', 'Float', 'String', 'Boolean', 'A_Expr', 'BoolExpr', 'NullTest', 'BooleanTest', 'CaseExpr', 'CaseWhen', 'CoalesceExpr',
  'MinMaxExpr', 'TypeCast', 'TypeName', 'SQLValueFunction', 'List', 'A_ArrayExpr', 'RowExpr', 'CollateClause', 'NamedArgExpr'];

/** The same, by a walk through everything. */
function walked(node: Node): ReturnType<typeof partsOf> {
  const [calls, columns]: [FuncCall[], Node[]] = [[], []];
  let [hasSubSelect, hasAggregateForm, isTransparent] = [false, false, true];
  walk(node, (kind, inner, whole) => {
    if (kind === 'ColumnRef') columns.push(whole as Node);
    else if (kind === 'SubLink' || kind === 'SelectStmt') hasSubSelect = true;
    else if (kind === 'FuncCall') calls.push(inner as FuncCall);
    hasAggregateForm ||= opaque.includes(kind);
    const isLeaf = kind === 'ColumnRef' || kind === 'SubLink' || kind === 'SelectStmt';
    isTransparent &&= isLeaf || decided.includes(kind);
    return isLeaf ? false : undefined;
  });
  return { calls, columns, hasSubSelect, hasAggregateForm, isTransparent };
}

const written = [
  'select a.b, c::geometry(point, 4326), count(*) filter (where d > 0) over w, string_agg(e, f order by g desc, h), i[1:j] from k',
  "select case a when b then c else d end, case when e then f end, coalesce(g, h + 1, (select i)), nullif(j, k), greatest(l, m), row(n, o), array[p, q], r collate \"C\"",
  'select a is null, b is not true, not c and d or e, f in (g, h), i between j and k, l = any (m), n like o escape p, f(x => y, variadic z), current_date, $1',
  "select json_arrayagg(a order by b), json_objectagg(c : d), xmlelement(name e, f), grouping(g), percentile_cont(h) within group (order by i), extract(epoch from j), cast(k as t(l))",
];

test('says what a walk through everything says, of every node of every expression', () => {
  const texts = [...written, ...readFixtures().flatMap(({ files }) => files.flatMap(({ text }) =>
    split(text).flatMap(piece => (piece.kind === 'statement' ? [text.slice(piece.start, piece.end)] : []))))];
  let compared = 0;
  for (const text of texts) {
    const parsed = parse(text);
    if (!parsed.ok) continue;
    walk(parsed.node, (kind, _, whole) => {
      if (!(kind in whole) || kind === 'SelectStmt') return;
      compared += 1;
      const [found, expected] = [partsOf(whole as Node), walked(whole as Node)];
      expect(found, text).toEqual(expected);
      found.columns.forEach((column, at) => expect(column).toBe(expected.columns[at]));
    });
  }
  expect(compared).toBeGreaterThan(10_000);
}, 60_000);
