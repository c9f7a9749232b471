import { isUnknown } from '../scope.ts';
import type { Block, Inspected } from './inspected.ts';
import { keyTargets } from './keys.ts';

/**
 * The positions in the select list that pg_ivm puts its unique index on; none when it makes no index: what GROUP BY groups, else every
 * column of a DISTINCT, else the primary keys of all that FROM reads where each of their columns is a plain column of the list (measured,
 * facts on pg_ivm §1.5).
 */
export function indexPositions(query: Inspected, hasExists: boolean): readonly number[] {
  const { root } = query;
  if ((root.select.groupClause ?? []).length > 0) {
    const keys = keyTargets(root, query).flatMap(target => (target === undefined ? [] : [root.targets.indexOf(target)]));
    return [...new Set(keys)];
  }
  if (root.aggregates.length > 0) return [];
  if (root.select.distinctClause !== undefined) return root.targets.map((_, at) => at);
  return hasExists ? [] : primaryKey(query, root, 0) ?? [];
}

/** The positions that together hold the key of every item of FROM; undefined where an item has none, or the list leaves a part out. */
function primaryKey(query: Inspected, block: Block, depth: number): readonly number[] | undefined {
  if (depth > 20 || block.form !== 'select' || block.range.length === 0) return undefined;
  const wanted = new Set<string>();
  for (const [item, entry] of block.range.entries()) {
    if (entry.kind === 'join') continue;
    const inner = entry.kind === 'sub-select' ? entry.query : entry.kind === 'CTE' ? entry.cte?.query : undefined;
    const key = inner !== undefined ? primaryKey(query, inner, depth + 1) : entry.relation?.kind === 'table' ? keyOfTable(entry.relation)
      : undefined;
    if (key === undefined) return undefined;
    for (const at of key) wanted.add(`${item}.${at}`);
  }
  const found = block.targets.flatMap(({ node, column }, position) => {
    const meaning = node !== undefined && 'ColumnRef' in node ? query.meaningOf(node.ColumnRef) : column === undefined ? undefined
      : query.columnMeaning(column);
    return meaning?.is === 'column' && wanted.delete(`${block.range.indexOf(meaning.entry)}.${meaning.at}`) ? [position] : [];
  });
  return wanted.size === 0 ? found : undefined;
}

function keyOfTable(table: Extract<NonNullable<Block['range'][number]['relation']>, { kind: 'table' }>): readonly number[] | undefined {
  const key = table.constraints.find(({ kind, deferrable }) => kind === 'primary key' && deferrable !== true);
  const { columns } = table;
  if (key === undefined || isUnknown(columns)) return undefined;
  return key.columns.map(name => columns.findIndex(column => column.name === name));
}
