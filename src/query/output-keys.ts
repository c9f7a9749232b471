import { walk } from '../sql/walk.ts';
import type { FuncCall, Node, SelectStmt } from '../sql/tree.ts';
import { isAggregateCall, isScalarCall } from './call.ts';
import { peek } from './conditions.ts';
import type { Place } from './expression.ts';
import { minimal } from './keys.ts';
import { strings } from './names.ts';
import type { Key, ScopeColumn, ShapeColumn } from './scope.ts';

/** One column of a select list: what it is and what it was written as. */
export interface Output extends ShapeColumn {
  readonly column?: ScopeColumn;
  readonly node?: Node;
}

/** Calls of this query's own level: sub-selects are theirs. */
function callsOf(nodes: readonly (Node | undefined)[]): readonly FuncCall[] {
  const calls: FuncCall[] = [];
  for (const node of nodes) {
    if (node === undefined) continue;
    walk(node, (kind, inner) => {
      if (kind === 'SubLink' || kind === 'SelectStmt') return false;
      if (kind === 'FuncCall') calls.push(inner as FuncCall);
      return undefined;
    });
  }
  return calls;
}

/**
 * Whether the query surely aggregates without GROUP BY, and so gives one row at most: HAVING, or a built-in aggregate of its own level. An
 * aggregate whose arguments name
 * columns of an outer query only belongs to that one.
 */
export function hasAggregate(select: SelectStmt, place: Place): boolean {
  if (select.havingClause !== undefined) return true;
  return callsOf(targets(select)).some(call => {
    if (!isAggregateCall(call, place)) return false;
    let columns = 0;
    let own = 0;
    for (const arg of call.args ?? []) {
      walk(arg, (kind, inner) => {
        if (kind !== 'ColumnRef') return;
        columns += 1;
        if (peek({ ColumnRef: inner } as Node, place.scope.sources) !== undefined) own += 1;
      });
    }
    return columns === 0 || own > 0;
  });
}

const targets = (select: SelectStmt): readonly (Node | undefined)[] =>
  (select.targetList ?? []).map(target => ('ResTarget' in target ? target.ResTarget.val : undefined));

/** Whether a set-returning function may stand in the select list (or in what becomes part of it): it multiplies rows. */
function mayMultiply(select: SelectStmt, place: Place): boolean {
  const lists = [...targets(select), ...(select.sortClause ?? []), ...(select.groupClause ?? []), ...(select.distinctClause ?? [])];
  return callsOf(lists).some(call => !isScalarCall(call, place));
}

/**
 * The keys of a select list as column positions (measured, facts H): what FROM proves and the list shows, GROUP BY, DISTINCT, one row of
 * an aggregate or of LIMIT 1.
 * Empty when nothing is proved.
 */
export function outputKeys(select: SelectStmt, outputs: readonly Output[], sourceKeys: readonly Key[], place: Place,
  aggregates: boolean): readonly (readonly number[])[] {
  const keys: (readonly number[])[] = [];
  const groups = select.groupClause ?? [];
  const distinct = select.distinctClause ?? [];
  if (!mayMultiply(select, place)) {
    if (!place.scope.groupingSets) {
      for (const key of sourceKeys) push(keys, key.map(id => outputs.findIndex(output => output.column?.ids.includes(id) === true)));
      if (groups.length > 0) push(keys, groups.map(group => positionOf(group, outputs, place, 'group')));
      else if (aggregates) keys.push([]);
    }
    if (isDistinctOn(distinct)) push(keys, distinct.map(item => positionOf(item, outputs, place, 'order')));
  }
  if (distinct.length > 0 && !isDistinctOn(distinct)) keys.push(outputs.map((_, at) => at));
  if (isLimitOne(select)) keys.push([]);
  return minimal(keys);
}

function push(keys: (readonly number[])[], key: readonly number[]): void {
  if (!key.includes(-1)) keys.push(key);
}

/** DISTINCT alone is a list of one empty node. */
const isDistinctOn = (distinct: readonly Node[]): boolean => distinct.some(item => Object.keys(item).length > 0);

function isLimitOne(select: SelectStmt): boolean {
  const count = select.limitCount;
  if (count === undefined || select.limitOption === 'LIMIT_OPTION_WITH_TIES' || !('A_Const' in count)) return false;
  return count.A_Const.ival !== undefined && (count.A_Const.ival.ival ?? 0) <= 1;
}

/**
 * The position that shows a GROUP BY or DISTINCT ON item, or -1. GROUP BY means an input column first, DISTINCT ON an output name
 * first.
 */
function positionOf(node: Node, outputs: readonly Output[], place: Place, names: 'group' | 'order'): number {
  if ('A_Const' in node) {
    const at = node.A_Const.ival === undefined ? 0 : node.A_Const.ival.ival ?? 0;
    return at >= 1 && at <= outputs.length ? at - 1 : -1;
  }
  const column = peek(node, place.scope.sources);
  const simple = 'ColumnRef' in node ? strings(node.ColumnRef.fields) : [];
  const byName = simple.length === 1 ? outputs.findIndex(output => output.name === simple[0]) : -1;
  const byColumn = column === undefined ? -1 : outputs.findIndex(output => output.column?.ids.some(id => column.ids.includes(id)) === true);
  if ('ColumnRef' in node) {
    if (names === 'order' && byName >= 0) return byName;
    if (column !== undefined) return byColumn;
    return place.scope.sources.some(source => source.open) ? -1 : byName;
  }
  const text = plain(node);
  return text === undefined ? -1 : outputs.findIndex(output => output.node !== undefined && plain(output.node) === text);
}

/** A tree without its locations; undefined when it is too deep to print. */
function plain(node: Node): string | undefined {
  try {
    return JSON.stringify(node, (key, item: unknown) => (key === 'location' || key === 'list_start' || key === 'list_end' ? undefined
      : item));
  } catch {
    return undefined;
  }
}
