import { offsetKeys } from '../../sql/parse.ts';
import type { Node } from '../../sql/tree.ts';
import type { Block, ColumnMeaning, Inspected, Target } from './inspected.ts';
import { kindOf } from './tree-walk.ts';

/** The columns of the select list that GROUP BY names, in its order; undefined for what is not in the list (findTargetlistEntrySQL92). */
export function keyTargets(block: Block, query: Inspected): readonly (Target | undefined)[] {
  const { groupClause = [] } = block.select;
  if (groupClause.length === 0) return [];
  const listed = new Map<string, Target>();
  for (const target of block.targets) {
    const text = target.node !== undefined ? sameText(target.node, query)
      : target.column === undefined ? undefined : varText(query.columnMeaning(target.column));
    if (text !== undefined && !listed.has(text)) listed.set(text, target);
  }
  const found: (Target | undefined)[] = [];
  const wanted: Node[] = [...groupClause].reverse();
  for (let node = wanted.pop(); node !== undefined; node = wanted.pop()) {
    if ('GroupingSet' in node) wanted.push(...[...node.GroupingSet.content ?? []].reverse());
    else if ('RowExpr' in node && node.RowExpr.row_format === 'COERCE_IMPLICIT_CAST') wanted.push(...[...node.RowExpr.args ?? []].reverse());
    else found.push(targetOf(node, block, query, listed));
  }
  return found;
}

function targetOf(node: Node, block: Block, query: Inspected, listed: ReadonlyMap<string, Target>): Target | undefined {
  if ('A_Const' in node && node.A_Const.ival !== undefined) return block.targets[(node.A_Const.ival.ival ?? 0) - 1];
  const same = listed.get(sameText(node, query));
  if (same !== undefined) return same;
  // A name that no column of FROM has is that of an output column.
  const name = 'ColumnRef' in node && node.ColumnRef.fields?.length === 1 ? node.ColumnRef.fields[0] : undefined;
  const isColumn = 'ColumnRef' in node && query.meaningOf(node.ColumnRef).is !== 'unknown';
  return isColumn || name === undefined || !('String' in name) ? undefined
    : block.targets.find(target => target.name === name.String.sval);
}

function varText(meaning: ColumnMeaning): string | undefined {
  if (meaning.is === 'unknown' || meaning.is === 'system') return undefined;
  const at = meaning.is === 'column' ? meaning.at : meaning.is === 'row' ? 'row' : meaning.entry.columns.indexOf(meaning.column);
  return `column ${meaning.entry.block.range.indexOf(meaning.entry)} ${at}`;
}

/** An expression by what it means: its tree without places, columns by the item of FROM that they are of (equal() over analysed trees). */
export function sameText(node: Node, query: Inspected): string {
  if ('ColumnRef' in node) {
    const own = varText(query.meaningOf(node.ColumnRef));
    if (own !== undefined) return own;
  }
  return JSON.stringify(node, (key, value: unknown) => {
    if (offsetKeys.has(key)) return undefined;
    if (typeof value === 'object' && value !== null
      && kindOf(value) === 'ColumnRef') return varText(query.meaningOf((value as { ColumnRef: object }).ColumnRef)) ?? value;
    return value;
  });
}
