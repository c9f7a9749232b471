import type { FuncCall, Node, TypeName } from '../sql/tree.ts';
import { walk } from '../sql/walk.ts';
import { peek } from './conditions.ts';
import type { Place } from './expression.ts';
import { lastName, strings } from './names.ts';
import type { ScopeColumn } from './scope.ts';
import { typesIn } from './sql-type.ts';

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

/** Kinds of nodes whose value their parts decide. Everything else is opaque. */
const transparent = new Set([
  'A_Const', 'Integer', 'Float', 'String', 'Boolean', 'A_Expr', 'BoolExpr', 'NullTest', 'BooleanTest', 'CaseExpr', 'CaseWhen',
    'CoalesceExpr', 'MinMaxExpr',
  'TypeCast', 'TypeName', 'SQLValueFunction', 'List', 'A_ArrayExpr', 'RowExpr', 'CollateClause', 'NamedArgExpr',
]);

/** The columns of an expression, and whether they decide it. */
export function inputsOf(node: Node, place: Place): Inputs {
  const columns = new Set<ScopeColumn>();
  let pure = true;
  let whole = true;
  walk(node, (kind, inner) => {
    if (kind === 'ColumnRef') {
      const found = columnOf({ ColumnRef: inner } as Node, place);
      if (found === undefined) whole = pure = false;
      else columns.add(found);
      return false;
    }
    if (kind === 'FuncCall') {
      if (!isPure(inner as FuncCall, place)) pure = false;
    } else if (kind === 'SubLink') {
      whole = pure = false;
      return false;
    } else if (!transparent.has(kind)) pure = false;
    return undefined;
  });
  return { columns: [...columns], pure, whole };
}

/** Whether a call surely is a built-in scalar function that gives the same for the same arguments, within one query. */
function isPure(call: FuncCall, place: Place): boolean {
  const names = strings(call.funcname);
  const name = names.at(-1) ?? '';
  if (call.over !== undefined || call.agg_star === true || call.agg_filter !== undefined
    || (names.length > 1 && names[0] !== 'pg_catalog')) return false;
  if (place.run.catalog.findRoutines({ name }).length > 0) return false;
  const overloads = typesIn(place.run.catalog).builtins.functions(name);
  return overloads.length > 0 && overloads.every(({ kind, returnsSet, volatility }) =>
    kind === 'function' && !returnsSet && volatility !== 'volatile');
}

export const idsIn = (inputs: Inputs): readonly number[] => [...new Set(inputs.columns.flatMap(column => column.ids))];

/** The last word of a type's name as it is written; undefined for arrays. */
export const typeWord = (name: TypeName | undefined): string | undefined =>
  (name === undefined || (name.arrayBounds?.length ?? 0) > 0 ? undefined : lastName(name.names));
