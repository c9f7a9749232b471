import type { Node, RangeVar, SubLink } from '../../sql/tree.ts';
import { walk } from '../../sql/walk.ts';
import { find, writtenName, type Change } from '../change.ts';

/** The sub-queries of an expression, and whether each surely runs: beside a constant in AND, OR, CASE and COALESCE the planner leaves one out. */
function* subQueries(expression: unknown, sure = true): Iterable<{ readonly query: Node; readonly sure: boolean }> {
  const found: { query: Node; sure: boolean }[] = [];
  const inner: { readonly node: unknown; readonly sure: boolean }[] = [];
  walk(expression, (kind, node) => {
    if (kind === 'SubLink') {
      const { subselect, testexpr } = node as SubLink;
      if (subselect !== undefined) found.push({ query: subselect, sure });
      inner.push({ node: testexpr, sure });
      return false;
    }
    const branches = (kind === 'BoolExpr' && node['boolop'] !== 'NOT_EXPR') || kind === 'CaseExpr' || kind === 'CoalesceExpr';
    if (!branches || !sure) return undefined;
    inner.push({ node: Object.values(node), sure: false });
    return false;
  });
  yield* found;
  for (const one of inner) yield* subQueries(one.node, one.sure);
}

/**
 * Whether an expression, as the SELECT that PL/pgSQL makes of it, has to be judged as a statement: it surely reads what may refuse it. A name that
 * is missing refuses it wherever it stands, an unpopulated view only where its sub-query surely runs (measured, expressions.test.ts).
 */
export function readsDoubtfully(change: Change, select: Node): boolean {
  let doubtful = false;
  for (const { query, sure } of subQueries(select)) {
    const named = new Set<string>();
    const ranges: RangeVar[] = [];
    walk(query, (kind, node) => {
      if (kind === 'CommonTableExpr') named.add(String(node['ctename']));
      if (kind === 'RangeVar') ranges.push(node as RangeVar);
    });
    for (const range of ranges) {
      if (range.schemaname === undefined && (named.has(range.relname ?? '') || range.relname?.startsWith('pg_') === true)) continue;
      const { relation, absent } = find(change, writtenName(range));
      doubtful ||= absent !== undefined || (sure && (relation?.kind === 'view' || (relation?.kind === 'matview' && relation.populated === false)));
    }
  }
  return doubtful;
}
