/** SELECT … FOR UPDATE and its kin. */
import type { Node, RangeVar, SelectStmt } from '../sql/tree.ts';
import { walk } from '../sql/walk.ts';
import { isUnknown, refuse, writtenName, type Change, type Outcome } from './change.ts';
import { isPlainRole } from './privileges.ts';

/**
 * 42809 for locking the rows of a materialized view, which Postgres says before it asks whether the view is populated (measured,
 * refusals.test.ts). Claimed where the SELECT names the view itself. Left out: views and sub-queries that the lock reaches through, what may be
 * refused for another reason first (grouping, calls that may be aggregates, outer joins), and roles that may lack the right to lock.
 */
export function refuseRowLocks(change: Change, node: Node): Outcome {
  const select = 'SelectStmt' in node ? node.SelectStmt : undefined;
  if (select?.lockingClause === undefined || mayBeRefusedBefore(select)) return undefined;
  const ranges = (select.fromClause ?? []).map(rangesIn);
  if (!ranges.every(list => list !== undefined)) return undefined;
  const named = ranges.flat();
  const defined = new Set((select.withClause?.ctes ?? []).map(item => ('CommonTableExpr' in item ? item.CommonTableExpr.ctename : undefined)));
  for (const item of select.lockingClause) {
    if (!('LockingClause' in item)) continue;
    const wanted = (item.LockingClause.lockedRels ?? []).map(locked => ('RangeVar' in locked ? locked.RangeVar.relname : undefined));
    if (!wanted.every(name => named.some(range => nameOf(range) === name))) return undefined;
    for (const range of wanted.length === 0 ? named : named.filter(one => wanted.includes(nameOf(one)))) {
      if (range.schemaname === undefined && defined.has(range.relname)) continue;
      const refused = lockOf(change, range);
      if (refused) return refused;
    }
  }
  return undefined;
}

function lockOf(change: Change, range: RangeVar): Outcome {
  const { role } = change.store.session;
  const found = change.store.find(writtenName(range));
  if (found.is !== 'present' || found.object.kind !== 'matview' || !change.store.isCertain(found.object.id)) return undefined;
  if (!isUnknown(role) && found.object.owner !== role && isPlainRole(role, change.store)) return undefined;
  return refuse('42809', `cannot lock rows in materialized view "${found.object.name.name}"`, [], found.object.id);
}

const nameOf = (range: RangeVar): string | undefined => range.alias?.aliasname ?? range.relname;

/** The relations that an item of FROM names, and inner joins of them; sub-queries name none. Undefined where an outer join stands. */
function rangesIn(node: Node): readonly RangeVar[] | undefined {
  if ('RangeVar' in node) return [node.RangeVar];
  if (!('JoinExpr' in node)) return [];
  const { jointype, larg, rarg } = node.JoinExpr;
  const sides = jointype === 'JOIN_INNER' ? [larg, rarg].map(side => (side === undefined ? [] : rangesIn(side))) : [undefined];
  return sides.every(side => side !== undefined) ? sides.flat() : undefined;
}

function mayBeRefusedBefore(select: SelectStmt): boolean {
  const { op, groupClause, havingClause, distinctClause, windowClause, valuesLists } = select;
  if ((op !== undefined && op !== 'SETOP_NONE') || [groupClause, havingClause, distinctClause, windowClause, valuesLists].some(Boolean)) return true;
  let calls = false;
  for (const target of select.targetList ?? []) {
    walk(target, kind => {
      if (kind === 'SubLink') return false;
      calls ||= kind === 'FuncCall';
      return undefined;
    });
  }
  return calls;
}
