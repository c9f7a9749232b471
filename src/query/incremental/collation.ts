import type { Node } from '../../sql/tree.ts';
import type { ScopeColumn } from '../scope.ts';
import { isUnknown } from '../scope.ts';
import type { SqlType } from '../sql-type.ts';
import type { Inspected, Target } from './inspected.ts';
import { eachPart } from './tree-walk.ts';

/** How a value is sorted: by a collation that somebody named or that came along, by none that can be told, or not at all. */
type Collation = { readonly is: 'named' | 'implicit'; readonly name: string } | { readonly is: 'conflict' } | undefined;

const usual = 'default';

/**
 * Whether a column of text has no collation, because it is made of values that have different ones (assign_collations_walker in
 * parse_collate.c).
 */
export function isUndecided(query: Inspected, { node, column, type }: Target): boolean {
  if (type !== undefined && !isCollatable(type, query)) return false;
  const found = node === undefined ? column === undefined ? undefined : ofColumn(query, column, 0) : ofNode(query, node, 0);
  return found?.is === 'conflict';
}

function isCollatable(type: SqlType, query: Inspected): boolean {
  const base = query.types.baseOf(type);
  if (base.element !== undefined) return isCollatable(base.element, query);
  return base.key === 'unknown' || query.types.builtins.type(base.key)?.collatable === true;
}

function ofColumn(query: Inspected, column: ScopeColumn, depth: number): Collation {
  const meaning = query.columnMeaning(column);
  if (meaning.is !== 'column' || depth > 30) return { is: 'implicit', name: usual };
  const { entry, at } = meaning;
  const inner = entry.kind === 'sub-select' ? entry.query : entry.cte?.query;
  if (inner !== undefined) {
    const target = inner.targets[at];
    const found = target?.node !== undefined ? ofNode(query, target.node, depth + 1) : target?.column !== undefined
      ? ofColumn(query, target.column, depth + 1) : undefined;
    return found?.is === 'named' ? { ...found, is: 'implicit' } : found;
  }
  const { relation } = entry;
  const own = relation === undefined || !('columns' in relation) || isUnknown(relation.columns) ? undefined
    : (relation.columns as readonly { readonly collation?: string }[])[at];
  return { is: 'implicit', name: own?.collation ?? usual };
}

function ofNode(query: Inspected, node: Node, depth: number): Collation {
  if (depth > 200) return undefined;
  const type = query.typeOf(node);
  if (type !== undefined && !isCollatable(type, query)) return undefined;
  if ('CollateClause' in node) {
    const last = node.CollateClause.collname?.at(-1);
    return { is: 'named', name: last !== undefined && 'String' in last ? last.String.sval ?? usual : usual };
  }
  if ('ColumnRef' in node) {
    const meaning = query.meaningOf(node.ColumnRef);
    return meaning.is === 'column' ? ofColumn(query, meaning.column, depth) : { is: 'implicit', name: usual };
  }
  return partsOf(query, node).map(part => ofNode(query, part, depth + 1)).reduce(together, undefined) ?? { is: 'implicit', name: usual };
}

/** The values that a value is made of: of CASE its results only. */
function partsOf(query: Inspected, node: Node): readonly Node[] {
  if ('CaseExpr' in node) {
    const results = (node.CaseExpr.args ?? []).map(item => ('CaseWhen' in item ? item.CaseWhen.result : undefined));
    return [...results, node.CaseExpr.defresult].filter(part => part !== undefined);
  }
  const found: Node[] = [];
  eachPart(node, part => {
    if (part === node) return true;
    if (query.valueOf(part) === undefined) return !('SelectStmt' in part);
    found.push(part as Node);
    return false;
  });
  return found;
}

/** A name wins over what came along, another collation over the usual one; two others conflict. */
function together(left: Collation, right: Collation): Collation {
  if (left === undefined || right === undefined) return left ?? right;
  if (left.is === 'named' || right.is === 'named') return left.is === 'named' ? left : right;
  if (left.is === 'conflict' || right.is === 'conflict') return { is: 'conflict' };
  if (left.name === right.name || right.name === usual) return left;
  return left.name === usual ? right : { is: 'conflict' };
}
