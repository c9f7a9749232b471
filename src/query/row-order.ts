import { walk } from '../sql/walk.ts';
import type { Node, SelectStmt, WindowDef } from '../sql/tree.ts';
import { peek } from './conditions.ts';
import { strings } from './names.ts';
import type { Ids } from './ids.ts';
import { partsOf, plainText } from './parts.ts';
import type { Scope, Source } from './scope.ts';

/** What values of columns decide, by the keys and conditions of FROM and WHERE. */
export interface Decided {
  /** All columns whose value is decided by those of these columns. */
  readonly from: (ids: readonly number[]) => Ids;
  /** Whether rows that agree in these columns are surely one row. */
  readonly decides: (ids: readonly number[]) => boolean;
  /** The same; `unknown` where the history does not show all that could decide. */
  readonly isOneRow: (ids: readonly number[]) => 'yes' | 'no' | 'unknown';
}

/** What the query knows of the rows that its select list sees, so that an order can be judged: does it leave ties that differ? */
export interface RowOrder {
  readonly known: Decided;
  /** The rows come from one sub-select that puts them in order. */
  readonly ordered: boolean;
  /** What is the same for all rows that an aggregate sees. */
  readonly groups: Bound;
  readonly windows: ReadonlyMap<string, WindowDef>;
}

/** Values that are known to be equal: columns, and whole expressions by their text. */
export interface Bound {
  readonly ids: readonly number[];
  readonly texts: ReadonlySet<string>;
}

export const nothingBound: Bound = { ids: [], texts: new Set() };

/** What a list of expressions binds. */
export function boundBy(nodes: readonly (Node | undefined)[], sources: readonly Source[], also: Bound = nothingBound): Bound {
  const ids = [...also.ids];
  let { texts } = also;
  for (const node of nodes) {
    if (node === undefined) continue;
    const column = peek(node, sources);
    if (column !== undefined) ids.push(...column.ids);
    else {
      const text = plainText(node);
      if (text !== undefined) texts = new Set(texts).add(text);
    }
  }
  return { ids, texts };
}

/** The expressions of ORDER BY. */
export const sortNodes = (list: readonly Node[] | undefined): readonly Node[] =>
  (list ?? []).flatMap(item => ('SortBy' in item && item.SortBy.node !== undefined ? [item.SortBy.node] : []));

/** The expression that an item of GROUP BY or ORDER BY means: an output by number or name, or itself. */
export function meant(node: Node, select: SelectStmt, sources: readonly Source[], names: 'group' | 'order'): Node | undefined {
  const targets = (select.targetList ?? []).map(target => ('ResTarget' in target ? target.ResTarget : undefined));
  if ('A_Const' in node) return node.A_Const.ival === undefined ? node : targets[(node.A_Const.ival.ival ?? 0) - 1]?.val;
  if (!('ColumnRef' in node) || node.ColumnRef.fields?.length !== 1) return node;
  const [name] = strings(node.ColumnRef.fields);
  const own = targets.find(target => target?.name === name)?.val;
  if (own === undefined || (names === 'group' && peek(node, sources) !== undefined)) return node;
  return own;
}

/** The order of the rows of one SELECT. `ordered` is what the one sub-select of FROM says. */
export function rowOrderOf(select: SelectStmt, sources: readonly Source[], known: Decided, ordered: boolean): RowOrder {
  const groups = (select.groupClause ?? []).map(group => meant(group, select, sources, 'group'));
  const windows = new Map((select.windowClause ?? []).flatMap(item => ('WindowDef' in item && item.WindowDef.name !== undefined
    ? [[item.WindowDef.name, item.WindowDef] as const] : [])));
  return { known, ordered, groups: boundBy(groups, sources), windows };
}

/** Whether rows that agree in these values are one row. */
export const isOneRow = (order: RowOrder, bound: Bound): 'yes' | 'no' | 'unknown' => order.known.isOneRow(bound.ids);

/** Whether rows that agree in the bound values agree in this expression. Values of outer queries are the same for all rows. */
export function isDecided(node: Node, bound: Bound, order: RowOrder, scope: Scope): boolean {
  const known = order.known.from(bound.ids);
  const isKnown = (name: Node): boolean => {
    const column = peek(name, scope.sources);
    return column === undefined ? isOuter(name, scope) : column.ids.some(id => known.has(id));
  };
  if (bound.texts.size === 0) {
    const { columns, hasSubSelect } = partsOf(node);
    return !hasSubSelect && columns.every(isKnown);
  }
  let decided = true;
  walk(node, (kind, inner) => {
    if (!decided) return false;
    const own = { [kind]: inner } as unknown as Node;
    if (bound.texts.has(plainText(own) ?? '')) return false;
    if (kind === 'SubLink' || kind === 'SelectStmt') decided = false;
    if (kind !== 'ColumnRef') return undefined;
    decided = isKnown(own);
    return false;
  });
  return decided;
}

function isOuter(node: Node, scope: Scope): boolean {
  for (let at = scope.outer; at !== undefined; at = at.outer) if (peek(node, at.sources) !== undefined) return true;
  return false;
}
