import type { Refusal, SessionState } from '../model.ts';
import type { FuncCall, InsertStmt, Node, SelectStmt } from '../sql/tree.ts';
import { walk } from '../sql/walk.ts';
import { alterRelation, cluster } from './alter.ts';
import { gap, refuse, writtenFromList, writtenName, type Change, type Outcome } from './change.ts';
import { claimLocks, claimLocksOfEffects } from './claimed-locks.ts';
import { callRoutine, doBlock } from './code/calls.ts';
import { drop } from './drops.ts';
import { alterDefaultPrivileges, grant } from './grants.ts';
import { noteComparisons } from './incremental/comparisons.ts';
import { dropEngine, missingEngineColumn, withMisuse } from './incremental/misuses.ts';
import { createIndex } from './indexes.ts';
import { forgetJobs, isJobTable, schedule } from './jobs.ts';
import {
  alterEnum, alterRole, comment, createDomain, createExtension, createPolicy, createRole, createSchema, createSequence, createType, dropRole, grantRole,
} from './objects.ts';
import { changeOwner } from './owners.ts';
import { refusedToRole } from './ownership.ts';
import { renameStatement, setSchema } from './renames.ts';
import { createRoutine, createTrigger } from './routines.ts';
import { setConfig, setParameter } from './session.ts';
import { createTable, namesOf } from './tables.ts';
import { subtypeOf } from './type-users.ts';
import { createMatview, createTableAs, createView, refreshMatview, select } from './views.ts';
import { lockTable, readsUnpopulated, truncate, write } from './writes.ts';

type Kind = Node extends infer N ? (N extends unknown ? keyof N : never) : never;
type Body<K extends Kind> = Extract<Node, Record<K, unknown>>[K];
type Handler<K extends Kind> = (change: Change, node: Body<K>, initial: SessionState) => Outcome;
type Handlers = { readonly [K in Kind]?: Handler<K> };

function notInBlock(change: Change, what: string): Outcome {
  return change.inTransactionBlock ? refuse('25001', `${what} cannot run inside a transaction block`) : undefined;
}

/** Whether the rows come from a query; plain VALUES are most of what is inserted, and without one of these words no query hides in them. */
function readsSomething(change: Change, node: InsertStmt): node is InsertStmt & { selectStmt: Node } {
  const source = node.selectStmt;
  if (source === undefined || !('SelectStmt' in source)) return false;
  return !('valuesLists' in source.SelectStmt) || /\b(?:select|table|with)\b/i.test(change.statement.sql);
}

/** Calls in a top-level SELECT that do more than read: set_config, scheduled jobs, the history's own routines. */
function calls(change: Change, node: Node, initial: SessionState): Outcome {
  let refused: Outcome;
  walk(node, (kind, inner) => {
    if (kind !== 'FuncCall') return;
    const call = inner as FuncCall;
    const name = writtenFromList(call.funcname);
    if (name.name === 'set_config') refused ??= setConfig(change, call.args ?? [], initial);
    else if (name.schema === 'cron') schedule(change, name.name, call.args ?? []);
  });
  return refused ?? change.calls(change, node);
}

function selectStatement(change: Change, node: SelectStmt, initial: SessionState): Outcome {
  const { intoClause, ...rest } = node;
  if (intoClause) return createTableAs(change, { query: { SelectStmt: rest }, into: intoClause });
  return select(change, { SelectStmt: node }) ?? calls(change, { SelectStmt: node }, initial);
}

const handlers: Handlers = {
  CreateStmt: createTable,
  CreateTableAsStmt: (change, node) => (node.objtype === 'OBJECT_MATVIEW' ? createMatview(change, node) : createTableAs(change, node)),
  ViewStmt: createView,
  RefreshMatViewStmt: refreshMatview,
  IndexStmt: createIndex,
  AlterTableStmt: alterRelation,
  DropStmt: (change, node) => dropEngine(change, node) ?? drop(change, node),
  RenameStmt: renameStatement,
  AlterObjectSchemaStmt: setSchema,
  AlterOwnerStmt: (change, node) => {
    if (node.objectType !== 'OBJECT_SCHEMA') return undefined;
    const found = change.store.findSchema(node.object && 'String' in node.object ? node.object.String.sval ?? '' : '');
    return found.is === 'present' ? changeOwner(change, found.object, node.newowner) : undefined;
  },
  CommentStmt: comment,
  GrantStmt: grant,
  AlterDefaultPrivilegesStmt: alterDefaultPrivileges,
  CreateFunctionStmt: createRoutine,
  CreateTrigStmt: createTrigger,
  DoStmt: doBlock,
  CallStmt: (change, node) => (node.funccall ? callRoutine(change, node.funccall) : undefined),
  CreateSchemaStmt: createSchema,
  CreateSeqStmt: createSequence,
  CreateEnumStmt: (change, node) => createType(change, writtenFromList(node.typeName), 'enum', namesOf(node.vals)),
  CreateRangeStmt: (change, node) => createType(change, writtenFromList(node.typeName), 'range', [], subtypeOf(node.params)),
  CompositeTypeStmt: (change, node) => createType(change, writtenName(node.typevar), 'composite', [], undefined, node.coldeflist),
  CreateDomainStmt: createDomain,
  AlterEnumStmt: alterEnum,
  CreateRoleStmt: createRole,
  DropRoleStmt: dropRole,
  AlterRoleStmt: alterRole,
  GrantRoleStmt: grantRole,
  CreateExtensionStmt: createExtension,
  CreatePolicyStmt: createPolicy,
  VariableSetStmt: setParameter,
  SelectStmt: selectStatement,
  InsertStmt: (change, node) => write(node.relation, change, node) ?? (readsSomething(change, node) ? select(change, node.selectStmt) : undefined),
  TruncateStmt: truncate,
  LockStmt: lockTable,
  UpdateStmt: (change, node) => (isJobTable(node.relation) ? forgetJobs(change) : undefined) ?? write(node.relation, change, node) ?? readsUnpopulated(change, node),
  DeleteStmt: (change, node) => (isJobTable(node.relation) ? forgetJobs(change) : undefined) ?? write(node.relation, change, node) ?? readsUnpopulated(change, node),
  CopyStmt: (change, node) => (node.query === undefined ? undefined : select(change, node.query)),
  ClusterStmt: cluster,
  VacuumStmt: (change, node) => (node.is_vacuumcmd === true ? notInBlock(change, 'VACUUM') : undefined),
  ReindexStmt: (change, node) =>
    ((node.params ?? []).some(item => 'DefElem' in item && item.DefElem.defname === 'concurrently') ? notInBlock(change, 'REINDEX CONCURRENTLY') : undefined),
  DropOwnedStmt: change => (gap(change, 'what DROP OWNED takes is not followed'), undefined),
  ReassignOwnedStmt: change => (gap(change, 'the new owners of REASSIGN OWNED are not followed'), undefined),
};

/** Statements that change nothing this catalog holds. Any other kind without a handler is a gap. */
const inert = new Set<string>([
  'MergeStmt', 'ExplainStmt', 'NotifyStmt', 'ListenStmt', 'UnlistenStmt', 'CheckPointStmt', 'CreateStatsStmt',
  'AlterStatsStmt', 'AlterSeqStmt', 'AlterFunctionStmt', 'AlterRoleSetStmt', 'AlterDatabaseStmt', 'AlterDatabaseSetStmt',
  'AlterExtensionStmt', 'DiscardStmt', 'PrepareStmt', 'DeallocateStmt', 'ConstraintsSetStmt', 'CreateEventTrigStmt', 'AlterEventTrigStmt', 'CreatePublicationStmt',
  'AlterPublicationStmt', 'VariableShowStmt', 'AlterPolicyStmt', 'CreatedbStmt', 'DropdbStmt', 'AlterSystemStmt', 'CreateTableSpaceStmt', 'SecLabelStmt', 'AlterDomainStmt',
  'CreateSubscriptionStmt', 'AlterSubscriptionStmt', 'DropSubscriptionStmt', 'AlterObjectDependsStmt', 'LoadStmt', 'DeclareCursorStmt', 'FetchStmt', 'ClosePortalStmt',
]);

/** Applies one statement's tree to the change's store; answers with Postgres's refusal when the statement will be refused. Locks are claimed for the statements of code only. */
export function apply(change: Change, node: Node, initial: SessionState): Refusal | undefined {
  const kind = Object.keys(node)[0] as Kind;
  const body = (node as unknown as Record<string, never>)[kind] as never;
  const handler = handlers[kind] as Handler<Kind> | undefined;
  if (change.code !== undefined) claimLocks(change, kind, body);
  const forbidden = refusedToRole(change, node);
  if (forbidden) return forbidden;
  if (handler) {
    const effects = change.effects.length;
    const refused = missingEngineColumn(change, node) ?? handler(change, body, initial);
    if (refused) return withMisuse(change, refused);
    if (kind === 'SelectStmt' || kind === 'DoStmt') noteComparisons(change);
    if (change.code !== undefined) claimLocksOfEffects(change, change.effects.slice(effects));
    return undefined;
  }
  if (!inert.has(kind)) gap(change, `${kind.replace(/Stmt$/, '')} statements are not modelled`);
  return undefined;
}
