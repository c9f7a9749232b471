/** The primary keys that GROUP BY relies on: Postgres records them as dependencies of a view (check_functional_grouping in parse_agg.c). */
import type { ObjectId } from '../model.ts';
import { walk } from '../sql/walk.ts';
import type { FuncCall, Node, SelectStmt } from '../sql/tree.ts';
import { isAggregateCall, isScalarCall } from './call.ts';
import { peek } from './conditions.ts';
import type { Place } from './expression.ts';
import { strings } from './names.ts';
import type { Output } from './output-identities.ts';
import { partsOf } from './parts.ts';
import type { ReadBuilder, ScopeColumn } from './scope.ts';

/** The one table's column that a column of FROM is; undefined for merged ones and for those of sub-selects. */
const sole = (column: ScopeColumn | undefined): ScopeColumn['uses'][number] | undefined => (column?.uses.length === 1 ? column.uses[0] : undefined);

function nameOf(node: Node): string | undefined {
  return 'ColumnRef' in node && node.ColumnRef.fields?.length === 1 ? strings(node.ColumnRef.fields)[0] : undefined;
}

/**
 * Columns that stand outside of aggregates, in parts that are surely read so: of calls, only those of built-in scalar functions and windows. Only those
 * that `matter` are looked for.
 */
function columnsIn(node: Node, place: Place, matter: (column: ScopeColumn) => boolean): readonly ScopeColumn[] {
  const { calls, columns: names, isTransparent } = partsOf(node);
  const columns: ScopeColumn[] = [];
  for (const name of names) {
    const column = peek(name, place.scope.sources);
    if (column !== undefined && matter(column)) columns.push(column);
  }
  if (columns.length === 0 || (isTransparent && calls.length === 0)) return columns;
  columns.length = 0;
  walk(node, (kind, inner) => {
    if (kind === 'SubLink' || kind === 'SelectStmt' || kind === 'GroupingFunc') return false;
    if (kind === 'FuncCall') return isScalarCall(inner as FuncCall, place) && !isAggregateCall(inner as FuncCall, place) ? undefined : false;
    const column = kind === 'ColumnRef' ? peek({ ColumnRef: inner } as Node, place.scope.sources) : undefined;
    if (column !== undefined) columns.push(column);
    return undefined;
  });
  return columns;
}

/** What a member of GROUP BY stands for: an input column first, then an output by name, or by position (findTargetlistEntrySQL92). */
function grouped(item: Node, outputs: readonly Output[], place: Place): { readonly column?: ScopeColumn | undefined; readonly node?: Node | undefined } {
  const input = peek(item, place.scope.sources);
  if (input !== undefined) return { column: input };
  const position = 'A_Const' in item && item.A_Const.ival !== undefined ? item.A_Const.ival.ival ?? 0 : undefined;
  const name = nameOf(item);
  const output = position !== undefined ? outputs[position - 1] : name === undefined ? undefined : outputs.find(other => other.name === name);
  if (output === undefined) return { node: item };
  return output.column === undefined ? { node: output.node } : { column: output.column };
}

/**
 * The indexes of the primary keys without which the query would not be valid: it uses a column, outside of aggregates, that GROUP BY does not
 * name, and GROUP BY names the whole key of its table (measured, dependencies.test.ts in catalog). Only what is certain: left out are grouping sets,
 * columns merged by USING, what stands in sub-queries only, and what only the history's own routines are given.
 */
export function keysReliedOn(select: SelectStmt, outputs: readonly Output[], place: Place): readonly ObjectId[] {
  const groups = select.groupClause ?? [];
  if (groups.length === 0 || place.scope.groupingSets || place.scope.sources.some(source => source.open)) return [];
  const named = new Map<ReadBuilder, Set<string>>();
  const excused = new Set<string>();
  const groupBy = (column: ScopeColumn | undefined): void => {
    const of = sole(column);
    if (of) named.set(of.read, (named.get(of.read) ?? new Set()).add(of.column));
  };
  for (const item of groups) {
    const { column, node } = grouped(item, outputs, place);
    groupBy(column);
    // An expression that is grouped by may stand anywhere, with the columns in it.
    if (column === undefined && node !== undefined) walk(node, (kind, inner) => {
      if (kind === 'ColumnRef') excused.add(strings((inner as { fields?: readonly Node[] }).fields).at(-1) ?? '');
    });
  }
  const relied = new Map([...named].flatMap(([read, given]) => {
    const key = keyWithin(read, given, place);
    return key === undefined ? [] : [[read, key] as const];
  }));
  if (relied.size === 0) return [];
  const aliases = new Set(outputs.map(output => output.name));
  const sorts = (select.sortClause ?? []).flatMap(sort => ('SortBy' in sort && sort.SortBy.node ? [sort.SortBy.node] : []))
    .filter(node => !aliases.has(nameOf(node) ?? ''));
  const keyFor = (column: ScopeColumn): ObjectId | undefined => {
    const of = sole(column);
    return of === undefined || named.get(of.read)?.has(of.column) === true || excused.has(of.column) ? undefined : relied.get(of.read);
  };
  const matters = (column: ScopeColumn): boolean => keyFor(column) !== undefined;
  const keys = new Set<ObjectId>();
  const add = (columns: readonly ScopeColumn[]): void => {
    for (const column of columns) {
      const key = keyFor(column);
      if (key !== undefined) keys.add(key);
    }
  };
  for (const { column, node } of outputs) {
    if (column !== undefined) add([column]);
    else if (node !== undefined) add(columnsIn(node, place, matters));
  }
  for (const node of [...(select.havingClause ? [select.havingClause] : []), ...sorts]) add(columnsIn(node, place, matters));
  return [...keys];
}

/** The index of the table's primary key, where these columns hold all of it. */
function keyWithin(read: ReadBuilder, columns: ReadonlySet<string>, place: Place): ObjectId | undefined {
  const table = place.run.catalog.get(read.id);
  const key = table?.kind === 'table' ? table.constraints.find(({ kind }) => kind === 'primary key') : undefined;
  return key !== undefined && key.deferrable !== true && key.columns.every(name => columns.has(name)) ? key.index : undefined;
}
