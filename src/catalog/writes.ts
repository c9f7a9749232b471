import { lowerQuery } from '../query/lower.ts';
import type { DeleteStmt, LockStmt, Node, RangeVar, SubLink, TruncateStmt, UpdateStmt } from '../sql/tree.ts';
import { walk } from '../sql/walk.ts';
import { find, refuse, refuseMissing, writtenName, type Change, type Outcome } from './change.ts';
import { refuseWrite } from './incremental/misuses.ts';
import { refuseUnpopulated } from './views.ts';

/** Writes to a relation: refused on a matview (measured, facts A), otherwise nothing this catalog holds. */
export function write(relation: RangeVar | undefined, change: Change, node: unknown): Outcome {
  const written = writtenName(relation);
  const { relation: target, absent } = find(change, written);
  if (absent) return refuseMissing(written, absent);
  if (target?.kind === 'table') return refuseWrite(target);
  if (target?.kind !== 'matview') return undefined;
  return startedFirst(change, node) ?? refuse('42809', `cannot change materialized view "${target.name.name}"`, [], target.id);
}

/** A sub-query that needs nothing of the rows around it is started before the target is looked at, and refused before it (measured, refusals.test.ts). */
function startedFirst(change: Change, node: unknown): Outcome {
  let refused: Outcome;
  walk(node, (kind, inner) => {
    const { subLinkType, subselect } = inner as SubLink;
    if (kind !== 'SubLink' || (subLinkType !== 'EXISTS_SUBLINK' && subLinkType !== 'EXPR_SUBLINK')) return;
    if (subselect !== undefined && 'SelectStmt' in subselect && subselect.SelectStmt.whereClause === undefined)
      refused ??= refuseUnpopulated(change, lowerQuery(change.statement, subselect, change.store).query);
  });
  return refused;
}

/** TRUNCATE asks its names in order (measured, refusals.test.ts): only tables can be emptied. */
export function truncate(change: Change, node: TruncateStmt): Outcome {
  for (const item of node.relations ?? []) {
    if (!('RangeVar' in item)) continue;
    const written = writtenName(item.RangeVar);
    const { relation, absent } = find(change, written);
    if (absent) return refuseMissing(written, absent);
    if (relation && relation.kind !== 'table') return refuse('42809', `"${relation.name.name}" is not a table`, [], relation.id);
    const refused = relation && refuseWrite(relation);
    if (refused) return refused;
  }
  return undefined;
}

/** LOCK takes tables and plain views (measured, refusals.test.ts). */
export function lockTable(change: Change, node: LockStmt): Outcome {
  for (const item of node.relations ?? []) {
    const found = 'RangeVar' in item ? change.store.find(writtenName(item.RangeVar)) : undefined;
    if (found?.is === 'present' && found.object.kind === 'matview')
      return refuse('42809', `cannot lock relation "${found.object.name.name}"`, [], found.object.id);
    if (found?.is !== 'present') return undefined;
  }
  return undefined;
}

/** UPDATE … FROM and sub-queries anywhere: their scans start with the statement, whatever rows there are (measured, refusals.test.ts). */
export function readsUnpopulated(change: Change, node: UpdateStmt | DeleteStmt): Outcome {
  const sources = 'fromClause' in node ? node.fromClause : 'usingClause' in node ? node.usingClause : undefined;
  const { whereClause } = node;
  const targetList = 'targetList' in node ? node.targetList : undefined;
  if (sources === undefined && !/\bselect\b/i.test(change.statement.sql)) return undefined;
  const target = node.relation === undefined ? [] : [{ RangeVar: node.relation }];
  const query: Node = {
    SelectStmt: {
      fromClause: [...target, ...sources ?? []], ...(targetList === undefined ? {} : { targetList }), ...(whereClause === undefined ? {} : { whereClause }),
      ...(node.withClause === undefined ? {} : { withClause: node.withClause }), limitOption: 'LIMIT_OPTION_DEFAULT', op: 'SETOP_NONE',
    },
  };
  return refuseUnpopulated(change, lowerQuery(change.statement, query, change.store).query);
}
