/** The locks of statements that keep a relation in shape, and of LOCK TABLE. */
import type { ObjectId, Relation } from '../model.ts';
import type { LockStmt, Node, ReindexStmt, TruncateStmt, VacuumStmt } from '../sql/tree.ts';
import { takeOwnedSequences } from './altered-locks.ts';
import { isSelectable } from './change.ts';
import { lockModes } from './locks.ts';
import { isRelation } from './names.ts';
import { named, takeWithChildren, type Claim } from './used-relations.ts';

const option = (list: readonly Node[] | undefined, name: string): boolean =>
  (list ?? []).some(item => 'DefElem' in item && item.DefElem.defname === name && !isOff(item.DefElem.arg));

function isOff(arg: Node | undefined): boolean {
  if (arg === undefined) return false;
  if ('Boolean' in arg) return arg.Boolean.boolval !== true;
  return 'Integer' in arg ? (arg.Integer.ival ?? 0) === 0 : 'String' in arg && /^(?:false|off)$/i.test(arg.String.sval ?? '');
}

/** CASCADE empties the tables whose foreign keys point here as well. */
export function truncated({ store, take }: Claim, node: TruncateStmt): void {
  const seen = new Set<ObjectId>();
  const empty = (relation: Relation | undefined, inherited: boolean): void => {
    if (relation?.kind !== 'table' || seen.has(relation.id)) return;
    seen.add(relation.id);
    if (inherited) takeWithChildren(store, relation, 'AccessExclusiveLock', take);
    else take(relation.id, 'AccessExclusiveLock');
    if (node.restart_seqs === true) takeOwnedSequences(store, relation, take);
    if (node.behavior === 'DROP_CASCADE') for (const table of store.referencing(relation.id)) empty(table, true);
  };
  for (const item of node.relations ?? []) if ('RangeVar' in item) empty(named(store, item.RangeVar), item.RangeVar.inh === true);
}

/** LOCK TABLE reaches children, and what a view reads. Modes are numbered from one, weakest first. */
export function lockedByHand({ store, take }: Claim, node: LockStmt): void {
  const mode = lockModes[(node.mode ?? 8) - 1] ?? 'AccessExclusiveLock';
  const seen = new Set<ObjectId>();
  const visit = (relation: Relation | undefined, inherited: boolean): void => {
    if (!isSelectable(relation) || relation.kind === 'matview' || seen.has(relation.id)) return;
    seen.add(relation.id);
    if (inherited) takeWithChildren(store, relation, mode, take);
    else take(relation.id, mode);
    if (relation.kind !== 'view') return;
    for (const { id } of relation.query.reads) {
      const beneath = store.get(id);
      if (isRelation(beneath)) visit(beneath, true);
    }
  };
  for (const item of node.relations ?? []) if ('RangeVar' in item) visit(named(store, item.RangeVar), item.RangeVar.inh === true);
}

/** VACUUM of the whole database works table by table, each in its own transaction. */
export function vacuumed({ change, store, take }: Claim, node: VacuumStmt): void {
  const mode = option(node.options, 'full') ? 'AccessExclusiveLock' : 'ShareUpdateExclusiveLock';
  for (const item of node.rels ?? []) {
    const relation = 'VacuumRelation' in item ? named(store, item.VacuumRelation.relation) : undefined;
    if (!relation) continue;
    take(relation.id, mode);
    if (relation.kind !== 'table' || node.is_vacuumcmd === true) continue;
    // ANALYZE of a parent samples its children; it analyzes those of their own right as well if they are partitions, or since 18.
    const sampled = relation.partitioned || change.postgres >= 18 ? mode : 'AccessShareLock';
    for (const child of store.descendants(relation.id)) take(child.id, sampled);
  }
}

/** REINDEX locks the table against writers only, and its indexes against everybody: queries are planned with them. */
export function reindexed({ store, take }: Claim, node: ReindexStmt): void {
  const relation = named(store, node.relation);
  const concurrently = option(node.params, 'concurrently');
  const table = relation?.kind === 'index' ? relation.on : relation?.id;
  const indexes = relation?.kind === 'index' ? [relation] : isSelectable(relation) ? store.indexesOf(relation.id) : [];
  if (table !== undefined) take(table, concurrently ? 'ShareUpdateExclusiveLock' : 'ShareLock');
  for (const index of indexes) take(index.id, concurrently ? 'ShareUpdateExclusiveLock' : 'AccessExclusiveLock');
}
