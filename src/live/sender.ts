import type { History, Rows, SqlFailure, Unit } from '../model.ts';
import { sessionLives, type Turn } from '../catalog/order.ts';
import { failed, type LiveSession } from './session.ts';
import { extensionNamed } from './stubs.ts';

/**
 * How one statement fared: it ran, it was refused, it was not sent (and why), or its transaction had failed before.
 * `stubbed`: the embedded server lacks the extension that the statement is about, so it was left out and counts as run.
 */
export type Fate = { readonly is: 'ran' } | { readonly is: 'stubbed'; readonly extension: string } | { readonly is: 'refused'; readonly answer: SqlFailure } | { readonly is: 'skipped'; readonly because: string };

/** Several statements in one message or one Sync are one transaction without BEGIN. Left out: SAVEPOINT is refused there (25P01) and not here. */
const isImplicit = (unit: Unit): boolean => unit.scope === 'none' && unit.protocol !== 'single' && unit.statements.length > 1;

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

  constructor(session: LiveSession, history: History, settings: readonly string[]) {
    this.session = session;
    this.history = history;
    this.settings = settings;
  }

  /** Everything that happens between the statement before and this one: ends of units and migrations, new sessions, BEGIN. */
  async enter(turn: Turn): Promise<void> {
    const { before, session } = this;
    const { unit } = turn;
    const newMigration = before !== undefined && (before.migration !== turn.migration || before.pass !== turn.pass);
    const scope = scopeOf(unit);
    const isNew = newMigration || this.scope !== scope;
    if (isNew) await this.close();
    if (newMigration && sessionLives(this.history.tool) === 'migration') {
      if (session.transaction !== 'none') await session.send('ROLLBACK');
      for (const sql of ['DISCARD ALL', ...this.settings]) await session.send(sql);
    }
    if (isNew || before?.unit !== unit) this.dead = undefined;
    // After a COMMIT in the text an implicit transaction begins anew, one of the tool does not.
    if (scope !== undefined && this.dead === undefined && session.transaction === 'none' && (isNew || isImplicit(unit))) await session.send('BEGIN');
    this.scope = scope;
    this.before = turn;
  }

  async send(turn: Turn): Promise<Fate> {
    const { unit } = turn;
    const extension = extensionNamed(turn.statement.sql);
    if (extension !== undefined && this.session.missing.includes(extension)) return { is: 'stubbed', extension };
    if (this.dead === unit) return { is: 'skipped', because: 'Postgres does not run the rest of a message after a refusal.' };
    const failedBefore = this.session.transaction === 'failed';
    const answer = await this.session.send(turn.statement.sql);
    if (!failed(answer)) return { is: 'ran' };
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
