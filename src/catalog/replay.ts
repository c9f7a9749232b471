import type { Catalog, Effect, Gap, History, Migration, Name, Refusal, SessionState, Statement, Step, Unit } from '../model.ts';
import { parse } from '../sql/parse.ts';
import type { Node, TransactionStmt } from '../sql/tree.ts';
import { apply } from './apply.ts';
import { locksOf, noLocks } from './claimed-locks.ts';
import { nameForCreate, type Change } from './change.ts';
import { runCalls } from './code/calls.ts';
import type { OutsideSite } from './code/search.ts';
import { runs, sessionLives } from './order.ts';
import { withParameter } from './session.ts';
import { saidOf } from './statement-kind.ts';
import { isRelation } from './names.ts';
import { emptyCatalog, Store } from './store.ts';
import { Transactions } from './transactions.ts';

export interface ReplayOptions {
  /** The Postgres major; decides what ALL PRIVILEGES means and which refusals hold. Default 18. */
  readonly postgres?: number;
  /** A catalog to begin with (a snapshot); its world is closed. */
  readonly from?: Catalog;
  readonly searchPath?: readonly string[];
  readonly role?: string;
  /** Refreshes that stand outside of the history; their names are looked up by the path that the history begins with. */
  readonly sites?: readonly OutsideSite[];
  /** The versions of the engines of incremental maintenance; the newest known ones by default. */
  readonly engineVersions?: Catalog['engineVersions'];
}

/** One migration, replayed. Its steps are those that took effect, and those up to a refusal that undid them; what the author rolled back is not among them. */
export interface ReplayedMigration {
  readonly migration: Migration;
  readonly pass: 1 | 2;
  /** False for the first run of a repeatable migration: it makes, the second is judged. */
  readonly judged: boolean;
  readonly start: Catalog;
  readonly end: Catalog;
  readonly steps: readonly Step[];
  readonly gaps: readonly Gap[];
}

/**
 * Folds a history into catalogs, one migration at a time; only the running migration's steps are alive. A refused statement changes nothing, aborts its
 * transaction as the server does, and the replay goes on. Returns the catalog at the end.
 */
export function* replay(history: History, options: ReplayOptions = {}): Generator<ReplayedMigration, Catalog> {
  const postgres = options.postgres ?? 18;
  let store = options.from instanceof Store ? options.from.fork()
    : emptyCatalog({ ...(options.searchPath ? { searchPath: options.searchPath } : {}), ...(options.role === undefined ? {} : { role: options.role }) });
  store.postgres = postgres;
  if (options.engineVersions !== undefined) store.engineVersions = options.engineVersions;
  const initial: SessionState = store.session;
  store.sites = [...store.sites, ...(options.sites ?? []).map(site => ({ ...site, searchPath: initial.searchPath }))];
  const transactions = new Transactions();
  const applied: Change['apply'] = (change, node) => apply(change, node, initial);
  let ordinal = 0;
  for (const run of runs(history)) {
    if (sessionLives(history.tool) === 'migration') {
      store = transactions.disconnect(store);
      if (store.session !== initial) {
        store = store.fork();
        store.session = initial;
      }
    }
    const start = store;
    const gaps: Gap[] = [];
    for (const unit of run.migration.up) {
      store = transactions.enterUnit(unit, store);
      const { statements } = unit;
      for (let at = 0; at < statements.length; at += 1) {
        const statement = statements[at]!;
        store = step({ migration: run.migration, unit, statement, at, ordinal: ordinal++, postgres, applied }, store, transactions, gaps);
      }
      store = transactions.leaveUnit(store);
    }
    store = transactions.leaveMigration(store);
    if (sessionLives(history.tool) === 'migration') {
      store = transactions.disconnect(store).fork();
      store.endSession();
    }
    yield { start, end: store, steps: transactions.takeSteps(), gaps, ...run };
  }
  return transactions.disconnect(store);
}

interface Moment {
  readonly migration: Migration;
  readonly unit: Unit;
  readonly statement: Statement;
  readonly at: number;
  readonly ordinal: number;
  readonly postgres: number;
  readonly applied: Change['apply'];
}

/** CONCURRENTLY on indexes is refused in an explicit block, in a string of several commands, and after the first command of a pipeline (measured). */
function inBlock(moment: Moment, transactions: Transactions): boolean {
  if (transactions.explicit) return true;
  if (moment.unit.protocol === 'simple-string') return moment.unit.statements.length > 1;
  return moment.unit.protocol === 'pipeline' && moment.at > 0;
}

/** Replays one statement; answers the store after it and hands the step to the transaction it belongs to. */
function step(moment: Moment, before: Store, transactions: Transactions, gaps: Gap[]): Store {
  const { statement, migration, unit, ordinal } = moment;
  const parsed = parse(statement.sql);
  if (!parsed.ok) {
    gaps.push({ span: statement.span, because: `not read as SQL: ${parsed.message}` });
    return before;
  }
  const { node } = parsed;
  if ('TransactionStmt' in node) return control({ migration, statement, unit, ordinal, before }, node.TransactionStmt, before, transactions);
  if (transactions.aborted) {
    const refusal: Refusal = { sqlstate: '25P02', because: 'current transaction is aborted, commands ignored until end of transaction block', evidence: [] };
    transactions.add({ migration, statement, unit, ordinal, before, after: before, effects: [], locks: noLocks, refusal });
    return before;
  }
  const change: Change = {
    statement, unit, postgres: moment.postgres, inTransactionBlock: inBlock(moment, transactions), store: before.fork(), effects: [], locks: [], gaps: [], blind: { is: false },
    via: { kind: 'statement', span: statement.span },
    apply: moment.applied, calls: runCalls,
  };
  const refusal = moment.applied(change, node);
  for (const gap of change.gaps) gaps.push(gap);
  if (!refusal) {
    transactions.noteLocals(before, change.store, change.effects);
    const done = { migration, statement, unit, ordinal, before, after: change.store, effects: change.effects, locks: locksOf(change, before) };
    transactions.add(change.blind.is ? { blind: true, ...done } : done);
    return change.store;
  }
  if (refusal.unsure === true) gaps.push({ span: statement.span, because: 'Postgres refuses this code, and for which of several reasons is not known' });
  else transactions.add({ migration, statement, unit, ordinal, before, after: before, effects: [refused(refusal, node, before, change)], locks: noLocks, refusal });
  const opened = change.store.world === 'open' && before.world !== 'open';
  const missed = notMade(change, node, refusal, before);
  transactions.abort();
  if (!opened && missed === undefined) return before;
  const after = before.fork();
  if (opened) after.world = 'open';
  if (missed !== undefined) after.vanish(missed, { span: statement.span, says: `${missed.name} is not made because this is refused` });
  return after;
}

/** The name that a refused CREATE would have given: whoever creates without IF NOT EXISTS knows that nobody has it, unless that is the refusal. */
function notMade(change: Change, node: Node, { sqlstate }: Refusal, before: Store): Name | undefined {
  const range = 'CreateTableAsStmt' in node && node.CreateTableAsStmt.if_not_exists !== true ? node.CreateTableAsStmt.into?.rel
    : 'CreateStmt' in node && node.CreateStmt.if_not_exists !== true ? node.CreateStmt.relation
      : 'ViewStmt' in node && node.ViewStmt.replace !== true ? node.ViewStmt.view : undefined;
  const name = range === undefined || sqlstate === '42P07' ? undefined : nameForCreate({ ...change, store: before.fork() }, range).name;
  return name !== undefined && before.find(name).is === 'unknown' ? name : undefined;
}

function refused(refusal: Refusal, node: Node, before: Catalog, change: Change): Effect {
  const target = refusal.relation === undefined ? undefined : before.get(refusal.relation);
  const { via, ...said } = refusal.inside ?? { ...saidOf(node), via: change.via };
  return { kind: 'refuse', refusal, ...said, ...(isRelation(target) ? { target } : {}), via };
}

/** BEGIN, COMMIT, ROLLBACK, SAVEPOINT and their kin. */
function control(base: Omit<Step, 'after' | 'effects' | 'locks'>, node: TransactionStmt, before: Store, transactions: Transactions): Store {
  const via = { kind: 'statement' as const, span: base.statement.span };
  const settle = (after: Store, effects: readonly Effect[] = []): Store => {
    transactions.addOutside({ after, effects, locks: noLocks, ...base });
    return after;
  };
  switch (node.kind) {
    case 'TRANS_STMT_BEGIN': case 'TRANS_STMT_START': {
      transactions.begin(before);
      transactions.add({ after: base.before, effects: [{ kind: 'begin', via }], locks: noLocks, ...base });
      const readOnly = (node.options ?? []).some(item => 'DefElem' in item && item.DefElem.defname === 'transaction_read_only'
        && item.DefElem.arg && 'A_Const' in item.DefElem.arg && item.DefElem.arg.A_Const.ival?.ival === 1);
      if (!readOnly) return before;
      const after = before.fork();
      after.session = withParameter(before.session, 'transaction_read_only', 'on', before.session);
      transactions.noteLocal('transaction_read_only', before.session.parameters.get('transaction_read_only'));
      return after;
    }
    case 'TRANS_STMT_COMMIT': return settle(transactions.commit(before), [{ kind: 'commit', via }]);
    case 'TRANS_STMT_ROLLBACK': return settle(transactions.rollback(before));
    case 'TRANS_STMT_SAVEPOINT':
      transactions.savepoint(node.savepoint_name ?? '', before);
      return before;
    case 'TRANS_STMT_ROLLBACK_TO': return transactions.rollbackTo(node.savepoint_name ?? '', before);
    default: return before;
  }
}
