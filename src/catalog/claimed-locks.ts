/**
 * The relation locks that a statement takes and keeps until its transaction ends (facts A; `src/dev/lock-claims.test.ts` compares every
 * statement kind with pg_locks on real servers). Deliberately absent:
 * - locks on an index by whoever uses its relation, and on a sequence by whoever uses its column's default: nobody meets those alone;
 * - what depends on rows: partitions that an INSERT reaches, tables that foreign keys, triggers and rules look into;
 * - what the functions of pg_ivm and pg_trickle lock beneath the table that they make: no fact says it;
 * - FOR UPDATE inside of a sub-query or through a view: claimed as the ACCESS SHARE of reading.
 */
import type { Effect, Lock, LockMode, Relation } from '../model.ts';
import { parse } from '../sql/parse.ts';
import type {
  CommentStmt, CopyStmt, CreateStmt, DropStmt, GrantStmt, Node, RangeVar, RenameStmt, SelectStmt,
} from '../sql/tree.ts';
import { takeAltered, takeForeignKeys, takeOwnedSequences, takeRemoved } from './altered-locks.ts';
import { lock, writtenFromList, type Change } from './change.ts';
import { located, tollOf } from './drops.ts';
import { lockedByHand, reindexed, truncated, vacuumed } from './maintenance-locks.ts';
import type { Store } from './store.ts';
import { named, takeChildrenRead, takeNamed, takeReads, takeWithChildren, takeWrite, type Claim, type Take } from './used-relations.ts';

type Kind = Node extends infer N ? (N extends unknown ? keyof N : never) : never;
type Body<K extends Kind> = Extract<Node, Record<K, unknown>>[K];

/** A lock on the relation that a statement names, if the history knows it. */
function takeNamedOne({ store, take }: Claim, range: RangeVar | undefined, mode: LockMode): Relation | undefined {
  const relation = named(store, range);
  if (relation) take(relation.id, mode);
  return relation;
}

function dropped(claim: Claim, node: DropStmt): void {
  const { change, store, take } = claim;
  const objects = located(change, node);
  if (node.concurrent === true) {
    for (const object of objects)
      for (const id of object.kind === 'index' ? [object.on, object.id] : []) take(id, 'ShareUpdateExclusiveLock');
    return;
  }
  takeRemoved(store, objects, take);
  const { goes, columns } = tollOf(change, objects);
  takeRemoved(store, [...goes.values()].filter(object => store.isCertain(object.id)), take);
  for (const table of columns.keys()) if (store.get(table)?.kind === 'table' && store.isCertain(table)) take(table, 'AccessExclusiveLock');
}

function renamed(claim: Claim, node: RenameStmt): void {
  const relation = named(claim.store, node.relation);
  if (!relation) return;
  if (node.renameType === 'OBJECT_COLUMN') takeWithChildren(claim.store, relation, 'AccessExclusiveLock', claim.take);
  else claim.take(relation.id, node.renameType === 'OBJECT_INDEX' ? 'ShareUpdateExclusiveLock' : 'AccessExclusiveLock');
}

const relationComments = ['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_INDEX', 'OBJECT_SEQUENCE', 'OBJECT_FOREIGN_TABLE'];
const partComments = ['OBJECT_TABCONSTRAINT', 'OBJECT_TRIGGER', 'OBJECT_POLICY', 'OBJECT_RULE'];

/** A comment on a relation or column locks it; one on a trigger, policy or constraint only reads its table. */
function commented({ store, take }: Claim, { objtype, object }: CommentStmt): void {
  const parts = object && 'List' in object ? object.List.items ?? [] : [];
  const whole = relationComments.includes(objtype ?? '');
  const within = partComments.includes(objtype ?? '');
  if (!whole && !within && objtype !== 'OBJECT_COLUMN') return;
  const found = store.find(writtenFromList(whole ? parts : parts.slice(0, -1)));
  if (found.is === 'present') take(found.object.id, within ? 'AccessShareLock' : 'ShareUpdateExclusiveLock');
}

/** Since 18 a relation that is named is locked; those of IN SCHEMA are not. */
function granted(claim: Claim, node: GrantStmt): void {
  if (claim.change.postgres < 18 || node.targtype !== 'ACL_TARGET_OBJECT') return;
  for (const item of node.objects ?? []) if ('RangeVar' in item) takeNamedOne(claim, item.RangeVar, 'AccessShareLock');
}

function copied(claim: Claim, node: CopyStmt): void {
  if (node.is_from === true) takeWrite(claim.store, named(claim.store, node.relation), false, claim.take);
  else takeNamedOne(claim, node.relation, 'AccessShareLock');
  if (node.query) takeNamed(claim.store, node.query, true, claim.take);
}

function created(claim: Claim, node: CreateStmt): void {
  const { store } = claim;
  const schema = node.relation?.schemaname ?? store.creationSchema();
  if (schema !== undefined && store.find({ schema, name: node.relation?.relname ?? '' }).is === 'present') return;
  for (const parent of node.inhRelations ?? [])
    if ('RangeVar' in parent) takeNamedOne(claim, parent.RangeVar, node.partbound ? 'AccessExclusiveLock' : 'ShareUpdateExclusiveLock');
  for (const element of node.tableElts ?? [])
    if ('TableLikeClause' in element) takeNamedOne(claim, element.TableLikeClause.relation, 'AccessShareLock');
  takeForeignKeys(store, node.tableElts, claim.take);
}

/** A write of rows to a relation, to its children as well if told so: without one of these words, and a list of tables behind it, it names no other. */
function written({ change, store, take }: Claim, tree: Node, target: RangeVar | undefined, inherited: boolean, beside?: readonly Node[]): void {
  if (beside !== undefined || /\b(?:select|table|with)\b/i.test(change.statement.sql)) takeNamed(store, tree, true, take);
  else takeWrite(store, named(store, target), inherited, take);
}

/** SELECT … FOR UPDATE | SHARE locks the rows of the tables in its FROM, or of those that OF names. */
function takeRowLocks({ store, take }: Claim, node: SelectStmt): void {
  for (const item of node.lockingClause ?? []) {
    const rels = 'LockingClause' in item ? item.LockingClause.lockedRels : [];
    const of = rels?.flatMap(rel => ('RangeVar' in rel ? [rel.RangeVar.relname] : []));
    const visit = (from: Node | undefined): void => {
      if (from && 'JoinExpr' in from) for (const side of [from.JoinExpr.larg, from.JoinExpr.rarg]) visit(side);
      const range = from && 'RangeVar' in from ? from.RangeVar : undefined;
      if (!range || (of && !of.includes(range.alias?.aliasname ?? range.relname))) return;
      const relation = named(store, range);
      if (relation?.kind === 'table') takeWithChildren(store, relation, 'RowShareLock', take);
    };
    for (const from of node.fromClause ?? []) visit(from);
  }
}

type Claims = { readonly [K in Kind]?: (claim: Claim, node: Body<K>) => void };

/** What each kind of statement takes on relations that are there already; queries that handlers read are left to `claimLocksOfEffects`. */
const claims: Claims = {
  AlterTableStmt: ({ change, store, take }, node) => takeAltered(change, store, node, take),
  RenameStmt: renamed,
  AlterObjectSchemaStmt: (claim, node) => {
    const relation = takeNamedOne(claim, node.relation, 'AccessExclusiveLock');
    if (relation) takeOwnedSequences(claim.store, relation, claim.take);
  },
  AlterObjectDependsStmt: (claim, node) => void takeNamedOne(claim, node.relation, 'AccessExclusiveLock'),
  AlterSeqStmt: (claim, node) => void takeNamedOne(claim, node.sequence, 'ShareRowExclusiveLock'),
  DropStmt: dropped,
  CommentStmt: commented,
  GrantStmt: granted,
  IndexStmt: ({ store, take }, node) => {
    const relation = named(store, node.relation);
    if (relation) takeWithChildren(store, relation, node.concurrent === true ? 'ShareUpdateExclusiveLock' : 'ShareLock', take);
  },
  CreateStmt: created,
  CreateTrigStmt: (claim, node) => void takeNamedOne(claim, node.relation, 'ShareRowExclusiveLock'),
  CreatePolicyStmt: (claim, node) => {
    takeNamedOne(claim, node.table, 'AccessExclusiveLock');
    for (const tree of [node.qual, node.with_check]) if (tree) takeNamed(claim.store, tree, false, claim.take);
  },
  AlterPolicyStmt: (claim, node) => {
    takeNamedOne(claim, node.table, 'AccessExclusiveLock');
    for (const tree of [node.qual, node.with_check]) if (tree) takeNamed(claim.store, tree, false, claim.take);
  },
  RuleStmt: (claim, node) => void takeNamedOne(claim, node.relation, 'AccessExclusiveLock'),
  CreateStatsStmt: (claim, node) => {
    for (const item of node.relations ?? []) if ('RangeVar' in item) takeNamedOne(claim, item.RangeVar, 'ShareUpdateExclusiveLock');
  },
  CreateFunctionStmt: ({ store, take }, node) => {
    if (node.sql_body) takeNamed(store, node.sql_body, false, take);
  },
  TruncateStmt: truncated,
  ClusterStmt: (claim, node) => void takeNamedOne(claim, node.relation, 'AccessExclusiveLock'),
  VacuumStmt: vacuumed,
  ReindexStmt: reindexed,
  LockStmt: lockedByHand,
  CopyStmt: copied,
  ExplainStmt: ({ store, take }, node) => takeNamed(store, node.query, true, take),
  DeclareCursorStmt: ({ store, take }, node) => takeNamed(store, node.query, true, take),
  InsertStmt: (claim, node) => written(claim, { InsertStmt: node }, node.relation, false),
  UpdateStmt: (claim, node) => written(claim, { UpdateStmt: node }, node.relation, node.relation?.inh === true, node.fromClause),
  DeleteStmt: (claim, node) => written(claim, { DeleteStmt: node }, node.relation, node.relation?.inh === true, node.usingClause),
  MergeStmt: ({ store, take }, node) => takeNamed(store, { MergeStmt: node }, true, take),
  CreateTableAsStmt: ({ store, take }, node) => {
    if (node.into?.skipData === true || node.if_not_exists === true) takeNamed(store, node.query, false, take);
  },
  ViewStmt: ({ store, take }, node) => takeNamed(store, node.query, false, take),
  SelectStmt: (claim, node) => {
    const { change, store, take } = claim;
    takeRowLocks(claim, node);
    const mayWrite = node.withClause && /\b(?:insert|update|delete|merge)\b/i.test(change.statement.sql);
    if (mayWrite) takeNamed(store, { SelectStmt: node }, true, take);
  },
};

/** Claims what the statement takes on relations that are there; to be called before it is replayed. What is in doubt is not claimed. */
export function claimLocks(change: Change, kind: Kind, node: unknown): void {
  const claim = claims[kind] as ((claim: Claim, node: unknown) => void) | undefined;
  if (claim === undefined) return;
  const { store } = change;
  const take: Take = (relation, mode) => {
    if (store.isCertain(relation)) lock(change, relation, mode);
  };
  claim({ change, store, take }, node);
}

/** Claims what follows from what was replayed: new relations are the transaction's own, queries read what they read. To be called after. */
export function claimLocksOfEffects(change: Change, effects: readonly Effect[]): void {
  const { store } = change;
  const take: Take = (relation, mode) => lock(change, relation, mode);
  for (const effect of effects) {
    if (effect.kind === 'createTable') take(effect.table.id, 'AccessExclusiveLock');
    else if (effect.kind === 'createImmv' || effect.kind === 'createStreamTable') take(effect.table.id, 'AccessExclusiveLock');
    else if (effect.kind === 'createView') take(effect.view.id, 'AccessExclusiveLock');
    else if (effect.kind === 'createMatview') {
      take(effect.matview.id, 'AccessExclusiveLock');
      if (effect.withData) takeReads(store, effect.matview.query, take);
    } else if (effect.kind === 'refreshMatview') {
      take(effect.matview.id, effect.concurrently ? 'ExclusiveLock' : 'AccessExclusiveLock');
      if (effect.withData) takeReads(store, effect.matview.query, take);
    } else if (effect.kind === 'readRelations' && !effects.some(other => other.kind === 'refreshMatview' || other.kind === 'createMatview'))
      for (const { relation } of effect.reads) takeChildrenRead(store, relation, change.statement.sql, take);
  }
}

/** The locks of a statement that was replayed. Few steps are asked for them, and to claim them takes a twentieth of a replay: so its text is parsed again for it. */
export function locksOf(done: Change, before: Store): () => readonly Lock[] {
  let known: readonly Lock[] | undefined;
  const claimed = (): readonly Lock[] => {
    const parsed = parse(done.statement.sql);
    if (!parsed.ok) return done.locks;
    const kind = Object.keys(parsed.node)[0] as Kind;
    const own: Change = { ...done, store: before.fork(), effects: [], locks: [], gaps: [] };
    claimLocks(own, kind, (parsed.node as unknown as Record<string, unknown>)[kind]);
    own.locks.push(...done.locks);
    claimLocksOfEffects({ ...done, locks: own.locks }, done.effects);
    return own.locks;
  };
  return () => known ??= claimed();
}

/** The locks of what takes none. */
export const noLocks = (): readonly Lock[] => none;
const none: readonly Lock[] = [];
