import type { Node, SelectStmt } from '../../sql/tree.ts';

/** What GROUP BY asks for. */
export interface Grouping {
  /** How many expressions it names, over all sets. */
  readonly keys: number;
  /** More than one set, or the empty one: a single set that is not empty is a plain GROUP BY (parseCheckAggregates in parse_agg.c). */
  readonly isSeveral: boolean;
}

/** The number of grouping sets after ROLLUP, CUBE and products are spelled out; repeated ones count as often as they come. */
export function groupingSets({ groupClause = [] }: SelectStmt): Grouping {
  const keys = groupClause.reduce((sum, node) => sum + keysOf(node, 0), 0);
  const special = groupClause.filter(node => 'GroupingSet' in node);
  if (special.length === 0) return { keys, isSeveral: false };
  const sets = groupClause.reduce((product, node) => Math.min(product * countOf(node, 0), 1e6), 1);
  return { keys, isSeveral: sets !== 1 || keys === 0 };
}

const deepest = 100;

function keysOf(node: Node, depth: number): number {
  if (depth > deepest) return 1;
  if ('RowExpr' in node && node.RowExpr.row_format === 'COERCE_IMPLICIT_CAST') return (node.RowExpr.args ?? []).length;
  if (!('GroupingSet' in node)) return 1;
  return (node.GroupingSet.content ?? []).reduce((sum, item) => sum + keysOf(item, depth + 1), 0);
}

function countOf(node: Node, depth: number): number {
  if (!('GroupingSet' in node) || depth > deepest) return 1;
  const { kind, content = [] } = node.GroupingSet;
  switch (kind) {
    case 'GROUPING_SET_ROLLUP': return content.length + 1;
    case 'GROUPING_SET_CUBE': return 2 ** Math.min(content.length, 20);
    case 'GROUPING_SET_SETS': return content.reduce((sum, item) => sum + countOf(item, depth + 1), 0);
    default: return 1;
  }
}
