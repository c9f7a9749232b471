import type { FuncCall, Node, TypeName } from '../sql/tree.ts';
import { builtinsOf } from './call.ts';
import { peek } from './conditions.ts';
import type { Place } from './expression.ts';
import { lastName } from './names.ts';
import { partsOf } from './parts.ts';
import type { ScopeColumn } from './scope.ts';

/** What an expression is made of, for the question which values decide it. */
export interface Inputs {
  /** Columns of this query or of one around it. */
  readonly columns: readonly ScopeColumn[];
  /** The columns decide the value: nothing is read, drawn or counted. */
  readonly pure: boolean;
  /** Every name was found, so `columns` is all of them. */
  readonly whole: boolean;
}

/** The column that a node names, here or in a query around. */
export function columnOf(node: Node | undefined, place: Place): ScopeColumn | undefined {
  if (node === undefined || !('ColumnRef' in node)) return undefined;
  for (let at: Place['scope'] | undefined = place.scope; at !== undefined; at = at.outer) {
    const found = peek(node, at.sources);
    if (found !== undefined) return found;
    if (at.sources.some(source => source.open)) return undefined;
  }
  return undefined;
}

/** The columns of an expression, and whether they decide it. */
export function inputsOf(node: Node, place: Place): Inputs {
  const parts = partsOf(node);
  const columns: ScopeColumn[] = [];
  let whole = !parts.hasSubSelect;
  for (const name of parts.columns) {
    const found = columnOf(name, place);
    if (found === undefined) whole = false;
    else if (!columns.includes(found)) columns.push(found);
  }
  return { columns, pure: whole && parts.isTransparent && parts.calls.every(call => isPure(call, place)), whole };
}

/** Whether a call surely is a built-in scalar function that gives the same for the same arguments, within one query. */
function isPure(call: FuncCall, place: Place): boolean {
  if (call.over !== undefined || call.agg_star === true || call.agg_filter !== undefined) return false;
  const overloads = builtinsOf(call, place);
  return overloads.length > 0 && overloads.every(({ kind, returnsSet, volatility }) =>
    kind === 'function' && !returnsSet && volatility !== 'volatile');
}

export function idsIn({ columns }: Inputs): readonly number[] {
  if (columns.length === 1) return columns[0]!.ids;
  const all = new Set<number>();
  for (const { ids } of columns) for (const id of ids) all.add(id);
  return [...all];
}

/** The last word of a type's name as it is written; undefined for arrays. */
export const typeWord = (name: TypeName | undefined): string | undefined =>
  (name === undefined || (name.arrayBounds?.length ?? 0) > 0 ? undefined : lastName(name.names));
