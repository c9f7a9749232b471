import type { Refusal, RefreshSite, SessionState } from '../model.ts';
import { walk } from '../sql/walk.ts';
import type { DeleteStmt, FuncCall, InsertStmt, LockStmt, Node, RangeVar, SelectStmt, SubLink, TruncateStmt, UpdateStmt } from '../sql/tree.ts';
import { alterRelation, cluster } from './alter.ts';
import { claimLocks, claimLocksOfEffects } from './claimed-locks.ts';
import { find, gap, refuse, refuseMissing, writtenFromList, writtenName, type Change, type Outcome } from './change.ts';
import { drop } from './drops.ts';
import { alterDefaultPrivileges, grant } from './grants.ts';
import { createIndex } from './indexes.ts';
import {
  alterEnum, alterRole, comment, createDomain, createExtension, createPolicy, createRole, createSchema, createSequence, createType, dropRole, grantRole,
} from './objects.ts';
import { changeOwner } from './owners.ts';
import { refusedToRole } from './ownership.ts';
import { renameStatement, setSchema } from './renames.ts';
import { callRoutine, doBlock } from './code/calls.ts';
import { fold } from './code/fold.ts';
import { sitesOfJob } from './code/sites.ts';
import { createRoutine, createTrigger } from './routines.ts';
import { misuse } from './incremental/calls.ts';
import { noteComparisons } from './incremental/comparisons.ts';
import { dropEngine, missingEngineColumn, refreshesByHand, refuseWrite, withMisuse } from './incremental/misuses.ts';
import { setConfig, setParameter } from './session.ts';
import { createTable, namesOf } from './tables.ts';
import { subtypeOf } from './type-users.ts';
import { literalText, sliceText, statementText, textStatement, type Text } from '../sql/text.ts';
import { tokenize } from '../sql/tokens.ts';
import { createMatview, createTableAs, createView, refreshMatview, refuseUnpopulated, select } from './views.ts';
import { lowerQuery } from '../query/lower.ts';

type Kind = Node extends infer N ? (N extends unknown ? keyof N : never) : never;
type Body<K extends Kind> = Extract<Node, Record<K, unknown>>[K];
type Handler<K extends Kind> = (change: Change, node: Body<K>, initial: SessionState) => Outcome;
type Handlers = { readonly [K in Kind]?: Handler<K> };

/** Writes to a relation: refused on a matview (measured, facts A), otherwise nothing this catalog holds. */
function write(relation: RangeVar | undefined, change: Change, node: unknown): Outcome {
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
function truncate(change: Change, node: TruncateStmt): Outcome {
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
function lockTable(change: Change, node: LockStmt): Outcome {
  for (const item of node.relations ?? []) {
    const found = 'RangeVar' in item ? change.store.find(writtenName(item.RangeVar)) : undefined;
    if (found?.is === 'present' && found.object.kind === 'matview')
      return refuse('42809', `cannot lock relation "${found.object.name.name}"`, [], found.object.id);
    if (found?.is !== 'present') return undefined;
  }
  return undefined;
}

/** UPDATE … FROM and sub-queries anywhere: their scans start with the statement, whatever rows there are (measured, refusals.test.ts). */
function readsUnpopulated(change: Change, node: UpdateStmt | DeleteStmt): Outcome {
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

function notInBlock(change: Change, what: string): Outcome {
  return change.inTransactionBlock ? refuse('25001', `${what} cannot run inside a transaction block`) : undefined;
}

/** Whether the rows come from a query; plain VALUES are most of what is inserted, and without one of these words no query hides in them. */
function readsSomething(change: Change, node: InsertStmt): node is InsertStmt & { selectStmt: Node } {
  const source = node.selectStmt;
  if (source === undefined || !('SelectStmt' in source)) return false;
  return source.SelectStmt.valuesLists === undefined || /\b(?:select|table|with)\b/i.test(change.statement.sql);
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

/** cron.schedule and its siblings: a refresh in the scheduled text is a refresh site. */
function schedule(change: Change, name: string, args: readonly Node[]): void {
  const scope = { catalog: change.store, postgres: change.postgres, variables: change.code?.variables ?? new Map() };
  const texts = args.flatMap(arg => {
    const value = fold(arg, statementText(change.statement), scope);
    return value.is === 'text' ? [value.text] : [];
  });
  const [first] = texts;
  if (name === 'unschedule' || name === 'alter_job') return forgetJobs(change);
  const named = texts.length > 2 && first !== undefined ? `job ${first.text}` : 'a scheduled job';
  if (named !== 'a scheduled job') change.store.sites = change.store.sites.filter(site => site.holder !== named);
  change.store.sites = [...change.store.sites, ...texts.flatMap(text => sitesOfJob(change, text, named))];
  for (const text of texts) noteHandRefresh(change, text, named);
}

/** A job that refreshes what an engine keeps up to date by itself. */
function noteHandRefresh(change: Change, text: Text, job: string): void {
  for (const { name, engine, start, end } of refreshesByHand(text.text)) {
    const { span } = textStatement(sliceText(text, start, end), change.statement.span);
    const says = engine === 'pg_ivm' ? `${job} computes with ${name} anew what pg_ivm keeps up to date with every write`
      : `${job} runs ${name} beside pg_trickle's own scheduler`;
    misuse(change, { engine, code: 'by-hand', says, span, instead: engine === 'pg_ivm' ? 'no job at all' : 'the schedule of the stream table' });
  }
}

/**
 * Jobs that a statement takes away or changes: those whose names it holds as constants; without one, nobody can tell which, and no job is known to run on.
 */
function forgetJobs(change: Change): void {
  const constants = new Set(tokenize(change.statement.sql).filter(token => token.kind === 'string')
    .map(token => literalText(statementText(change.statement), token.start, token.end)?.text));
  const isNamed = ({ by, holder }: RefreshSite): boolean => by === 'job' && constants.has(holder.replace(/^job /, ''));
  const named = change.store.sites.some(isNamed);
  change.store.sites = change.store.sites.filter(site => (named ? !isNamed(site) : site.by !== 'job'));
}

const isJobTable = (relation: RangeVar | undefined): boolean => relation?.schemaname === 'cron' && relation.relname === 'job';

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

/** Applies one statement's tree to the change's store; answers with Postgres's refusal when the statement will be refused. */
export function apply(change: Change, node: Node, initial: SessionState): Refusal | undefined {
  const kind = Object.keys(node)[0] as Kind;
  const handler = handlers[kind] as Handler<Kind> | undefined;
  claimLocks(change, node);
  const forbidden = refusedToRole(change, node);
  if (forbidden) return forbidden;
  if (handler) {
    const effects = change.effects.length;
    const refused = missingEngineColumn(change, node) ?? handler(change, (node as unknown as Record<string, never>)[kind] as never, initial);
    if (refused) return withMisuse(change, refused);
    if (kind === 'SelectStmt' || kind === 'DoStmt') noteComparisons(change);
    claimLocksOfEffects(change, change.effects.slice(effects));
    return undefined;
  }
  if (!inert.has(kind)) gap(change, `${kind.replace(/Stmt$/, '')} statements are not modelled`);
  return undefined;
}
