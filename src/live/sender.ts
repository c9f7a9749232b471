import type { History, Rows, SqlFailure, Unit } from '../model.ts';
import { sessionLives, type Turn } from '../catalog/order.ts';
import { leadingWords } from './control.ts';
import { Absences } from './absences.ts';
import { failed, isLeftOut, type LiveSession } from './session.ts';
import { stubSql, withoutTimescale } from './stub-extensions.ts';
import { extensionNamed } from './stubs.ts';

/**
 * How one statement fared: it ran, it was refused, or it was skipped because its transaction or message had failed before. `leftOut`: the laboratory
 * could not run it (it was not sent, took too long, or needs what the laboratory lacks); the rest goes on as if it had not been there.
 */
export type Fate =
  | { readonly is: 'ran' }
  | { readonly is: 'leftOut'; readonly because: string }
  | { readonly is: 'refused'; readonly answer: SqlFailure }
  | { readonly is: 'skipped'; readonly because: string };

/** What a report says of a stand-in. */
const standInSays = (extension: string): string => `the laboratory has no extension ${extension}; a stand-in keeps its tables without maintaining them`;

/** Several statements in one message or one Sync are one transaction without BEGIN. Left out: SAVEPOINT is refused there (25P01) and not here. */
const isImplicit = (unit: Unit): boolean => unit.scope === 'none' && unit.protocol !== 'single' && unit.statements.length > 1;

/** What the session that migrations run in begins with. PGlite starts with public alone; a server starts with `$user` before it. */
export function sessionSettings(searchPath: readonly string[] = ['$user', 'public']): readonly string[] {
  return [`SET search_path = ${searchPath.map(schema => `"${schema.replaceAll('"', '""')}"`).join(', ')}`];
}

/** What identifies the transaction that the tool or the protocol puts around a unit: the tool's scope, or the unit itself; undefined: none. */
function scopeOf(unit: Unit): string | Unit | undefined {
  if (unit.scope !== 'none') return `${unit.scope} ${unit.scopeId}`;
  return isImplicit(unit) ? unit : undefined;
}

/** Sends a history in the tool's units and transactions: `enter` before each turn, `send` for it, `close` at the end. */
export class Sender {
  private readonly session: LiveSession;
  private readonly history: History;
  /** What every new session begins with. */
  private readonly settings: readonly string[];
  private before: Turn | undefined;
  /** The transaction that was begun for the tool or the protocol, not by the text. */
  private scope: string | Unit | undefined;
  /** The rest of a simple-string or pipeline unit after a refusal is never run by the server. */
  private dead: Unit | undefined;
  /** What the laboratory lacks by now. */
  readonly absences: Absences;

  constructor(session: LiveSession, history: History, settings: readonly string[]) {
    this.session = session;
    this.history = history;
    this.settings = settings;
    this.absences = new Absences(history);
  }

  /** Everything that happens between the statement before and this one: ends of units and migrations, new sessions, BEGIN. Answers what refused a COMMIT. */
  async enter(turn: Turn): Promise<SqlFailure | undefined> {
    const { before, session } = this;
    const { unit } = turn;
    const newMigration = before !== undefined && (before.migration !== turn.migration || before.pass !== turn.pass);
    const scope = scopeOf(unit);
    const isNew = newMigration || this.scope !== scope;
    const closing = isNew ? await this.close() : undefined;
    if (newMigration) await session.checkpoint();
    if (newMigration && sessionLives(this.history.tool) === 'migration') {
      if (session.transaction !== 'none') await session.send('ROLLBACK');
      for (const sql of ['DISCARD ALL', ...this.settings]) await session.send(sql);
    }
    if (isNew || before?.unit !== unit) this.dead = undefined;
    // After a COMMIT in the text an implicit transaction begins anew, one of the tool does not.
    if (scope !== undefined && this.dead === undefined && session.transaction === 'none' && (isNew || isImplicit(unit))) await session.send('BEGIN');
    this.scope = scope;
    this.before = turn;
    return closing && failed(closing) ? closing : undefined;
  }

  /** `limit`: milliseconds the statement may take. `foretold`: the SQLSTATE that the replay expects. */
  async send(turn: Turn, { limit, foretold }: { readonly limit?: number; readonly foretold?: string } = {}): Promise<Fate> {
    const { unit, statement: { sql, data } } = turn;
    const { session, absences } = this;
    const extension = extensionNamed(sql);
    if (extension !== undefined && session.missing.includes(extension) && this.dead !== unit) {
      const standIn = /^\s*create/i.test(sql) ? stubSql(extension) : undefined;
      if (standIn !== undefined && !failed(await session.send(standIn))) return { is: 'leftOut', because: standInSays(extension) };
      absences.addExtension(extension);
      return { is: 'leftOut', because: `the laboratory has no extension ${extension}` };
    }
    if (this.dead === unit) return { is: 'skipped', because: 'Postgres does not run the rest of a message after a refusal.' };
    const failedBefore = session.transaction === 'failed';
    // Where something is missing, a refusal may be the laboratory's own fault and must not take the transaction with it.
    const guarded = session.transaction === 'open' && absences.some && !cannotBeGuarded(sql);
    if (guarded) await session.probe('SAVEPOINT mvlint_guard');
    const sent = session.missing.includes('timescaledb') ? withoutTimescale(sql) : sql;
    const answer = await session.send(sent, { ...(data === undefined ? {} : { data }), ...(limit === undefined ? {} : { limit }) });
    if (!failed(answer)) {
      if (guarded) await session.probe('RELEASE SAVEPOINT mvlint_guard');
      return { is: 'ran' };
    }
    if (isLeftOut(answer)) {
      absences.add(sql);
      if (guarded && 'notSent' in answer) await session.probe('RELEASE SAVEPOINT mvlint_guard');
      return { is: 'leftOut', because: answer.message };
    }
    const because = answer.sqlstate === foretold ? undefined : absences.explain(answer);
    if (because !== undefined && (guarded || session.transaction === 'none')) {
      if (guarded) await session.undo('mvlint_guard');
      absences.add(sql);
      return { is: 'leftOut', because };
    }
    if (isImplicit(unit)) this.dead = unit;
    if (failedBefore && answer.sqlstate === '25P02') return { is: 'skipped', because: 'An earlier statement of its transaction was refused.' };
    return { is: 'refused', answer };
  }

  /** Ends the transaction of the tool or the protocol: COMMIT, which is a ROLLBACK when a statement in it failed. */
  async close(): Promise<Rows | SqlFailure | undefined> {
    const { scope, session } = this;
    this.scope = undefined;
    if (scope === undefined || session.transaction === 'none') return undefined;
    return session.send(session.transaction === 'failed' ? 'ROLLBACK' : 'COMMIT');
  }
}

/** A transaction's own words: its ends, and settings that must come before its first query. */
function cannotBeGuarded(sql: string): boolean {
  const [first = ''] = leadingWords(sql, 1);
  return ['set', 'begin', 'start', 'commit', 'end', 'rollback', 'abort', 'savepoint', 'release', 'prepare'].includes(first);
}
