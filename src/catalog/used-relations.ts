/** The locks of reading and writing rows: what a query or a write takes on the relations it reaches, children and views included. */
import type { LockMode, ObjectId, Query, Relation } from '../model.ts';
import { normalOf } from '../query/normal.ts';
import type { RangeVar } from '../sql/tree.ts';
import { walk } from '../sql/walk.ts';
import { isSelectable, writtenName, type Change } from './change.ts';
import type { Store } from './store.ts';

/** Takes note of one lock. */
export type Take = (relation: ObjectId, mode: LockMode) => void;

/** A statement whose locks are claimed. */
export interface Claim {
  readonly change: Change;
  /** The catalog before the statement. */
  readonly store: Store;
  readonly take: Take;
}

/** The relation that a name in a statement means, where that is known. */
export function named(store: Store, range: RangeVar | undefined): Relation | undefined {
  const found = range ? store.find(writtenName(range)) : undefined;
  return found?.is === 'present' ? found.object : undefined;
}

/** A lock on a relation, and the same on the tables that inherit from it. */
export function takeWithChildren(store: Store, relation: Relation, mode: LockMode, take: Take): void {
  take(relation.id, mode);
  if (relation.kind === 'table') for (const child of store.descendants(relation.id)) take(child.id, mode);
}

/** Whether the text says ONLY somewhere: then which of its tables are read without their children is not asked, and no child is claimed. */
const saysOnly = (text: string): boolean => /\bonly\b/i.test(text);

/** Running a query: it looks through plain views, reads materialized views as they stand, and tables with their children. */
export function takeReads(store: Store, query: Query, take: Take): void {
  const seen = new Set<ObjectId>();
  const queries = [query];
  for (let next = queries.pop(); next; next = queries.pop())
    for (const { id } of next.reads) {
      const relation = store.get(id);
      if (seen.has(id) || !isSelectable(relation)) continue;
      seen.add(id);
      if (relation.kind === 'table' && !(saysOnly(next.statement.sql) && saysOnly(normalOf(next)))) takeWithChildren(store, relation, 'AccessShareLock', take);
      else take(id, 'AccessShareLock');
      if (relation.kind === 'view') queries.push(relation.query);
    }
}

/** The relations that were found to be read by a statement (`readRelations` has looked through the views). */
export function takeChildrenRead(store: Store, relation: Relation, text: string, take: Take): void {
  if (saysOnly(text)) take(relation.id, 'AccessShareLock');
  else takeWithChildren(store, relation, 'AccessShareLock', take);
}

/**
 * Writing to a table, to its children as well if told so; through a view, to the one relation that it shows. Partitions that an INSERT
 * reaches depend on its rows and are not claimed, nor are tables that a foreign key, a trigger or a rule reaches.
 */
export function takeWrite(store: Store, relation: Relation | undefined, inherited: boolean, take: Take, depth = 0): void {
  if (!isSelectable(relation) || relation.kind === 'matview' || depth > 100) return;
  if (inherited) takeWithChildren(store, relation, 'RowExclusiveLock', take);
  else take(relation.id, 'RowExclusiveLock');
  if (relation.kind !== 'view') return;
  const [base, ...others] = relation.query.reads;
  const beneath = base && others.length === 0 ? store.get(base.id) : undefined;
  if (isSelectable(beneath)) takeWrite(store, beneath, inherited, take, depth + 1);
}

const writes = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

/**
 * Every relation that a tree names, for statements whose query nobody else reads: parsed only (`run` false) or run as well. A name that a
 * WITH of the statement defines is that definition wherever it stands, although its own definition may mean a table of that name.
 */
export function takeNamed(store: Store, tree: unknown, run: boolean, take: Take): void {
  const defined = new Set<string>();
  const ranges: RangeVar[] = [];
  const targets = new Map<RangeVar | undefined, boolean>();
  walk(tree, (kind, inner) => {
    if (kind === 'CommonTableExpr') defined.add((inner as { ctename?: string }).ctename ?? '');
    else if (writes.has(kind)) {
      const { relation } = inner as { relation?: RangeVar };
      targets.set(relation, kind !== 'InsertStmt' && relation?.inh === true);
    } else if (kind === 'RangeVar' && !targets.has(inner as RangeVar)) ranges.push(inner as RangeVar);
  });
  for (const range of ranges) {
    const relation = range.schemaname === undefined && defined.has(range.relname ?? '') ? undefined : named(store, range);
    if (!isSelectable(relation)) continue;
    take(relation.id, 'AccessShareLock');
    if (!run) continue;
    if (relation.kind === 'view') takeReads(store, relation.query, take);
    else if (relation.kind === 'table' && range.inh === true) takeWithChildren(store, relation, 'AccessShareLock', take);
  }
  for (const [range, inherited] of targets) takeWrite(store, named(store, range), inherited, take);
}
