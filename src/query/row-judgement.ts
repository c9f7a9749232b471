import type { Taint } from '../model.ts';
import type { Node, SelectStmt } from '../sql/tree.ts';
import { isAggregateCall } from './call.ts';
import type { Place } from './expression.ts';
import type { Output } from './output-identities.ts';
import { picksOf } from './order-taints.ts';
import { partsOf } from './parts.ts';
import { meant } from './row-order.ts';
import { chosenAt, chosenBy, ofRows, rowsOfFrom } from './row-taints.ts';
import { unionTaints } from './scope.ts';

/** What a SELECT puts out once its rows are judged too. */
export interface RowJudgement {
  readonly rows: readonly Taint[];
  /** The taints of each output. */
  readonly columns: readonly (readonly Taint[])[];
  readonly ordered: boolean | undefined;
}

/** The nodes of FILTER among calls of this level, and whether there is an aggregate. */
function aggregatesIn(node: Node | undefined, place: Place): { readonly has: boolean; readonly filters: readonly Node[] } {
  if (node === undefined) return { has: false, filters: [] };
  const { calls, hasAggregateForm } = partsOf(node);
  return { has: hasAggregateForm || calls.some(call => isAggregateCall(call, place)), filters: calls.flatMap(call => call.agg_filter ?? []) };
}

/**
 * What decides the rows of a SELECT, and what that brings into its aggregates: a count of rows that are drawn at random is random, a count
 * of rows that the clock chooses moves with the clock. `isOneRow`: it aggregates without GROUP BY.
 */
export function judgeRows(select: SelectStmt, outputs: readonly Output[], place: Place, isOneRow: boolean): RowJudgement {
  const noted = place.run.notes?.taints ?? new Map<object, readonly Taint[]>();
  const of = (node: Node | undefined): readonly Taint[] => (node === undefined ? [] : noted.get(node) ?? []);
  const below = unionTaints(rowsOfFrom(select.fromClause, place.run, place.env), chosenAt(select.whereClause, place.run), chosenAt(select.havingClause, place.run));
  const picks = picksOf(select, outputs, place, isOneRow);
  const isGrouped = place.scope.grouped || isOneRow;
  if (below.length === 0 && noted.size === 0) {
    return { rows: picks.rows, ordered: picks.ordered, columns: outputs.map((output, at) => unionTaints(output.taints, picks.columns.get(at) ?? [])) };
  }
  const groups = (select.groupClause ?? []).flatMap(group => of(meant(group, select, place.scope.sources, 'group')));
  const brought = unionTaints(ofRows(below), ofRows(chosenBy(groups)));
  const found = outputs.map(output => aggregatesIn(output.node, place));
  const filters = unionTaints(...found.flatMap(({ filters }) => filters.map(filter => chosenAt(filter, place.run).filter(taint => taint.cause === 'clock'))));
  return {
    rows: unionTaints(below, filters, picks.rows), ordered: picks.ordered,
    columns: outputs.map((output, at) =>
      unionTaints(output.taints, isGrouped && found[at]!.has ? brought : [], picks.columns.get(at) ?? [])),
  };
}
