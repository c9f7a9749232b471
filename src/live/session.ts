import type { Rows, SqlFailure } from '../model.ts';
import { controlOf, leadingWords } from './control.ts';
import { embeddedHost } from './embedded.ts';
import type { Host, Sending, Server, ServerOptions, Snapshot } from './host.ts';

/** Whether an answer is a refusal. */
export function failed(answer: Rows | SqlFailure): answer is SqlFailure {
  return 'sqlstate' in answer;
}

/** Whether a statement was left out: not sent, or ended because it took too long (or took its server with it). Then nothing of it happened. */
export function isLeftOut(answer: SqlFailure): boolean {
  return 'notSent' in answer || 'ended' in answer;
}

/** Statements sent again rather than copying the data directory: a dump and its load cost about what a few hundred small statements do (facts 6). */
const journalLimit = 150;
/**
 * A checkpoint costs up to a second of processor (for a hundred tables, measured), and only a history with a statement that has to be ended has use for
 * it. So one is taken when sending everything again would cost as much time as such a statement was given; once there was one, earlier. Milliseconds.
 */
const tooLong = 10_000;
const tooLongAgain = 2_000;

interface Sent { readonly sql: string; readonly data?: string }

/**
 * One session on a throwaway server that can be had again: it remembers what was sent since the last snapshot of the committed state, so that a
 * server that was ended (a statement that took too long) is replaced by one in the same state, and so that a copy can hold the statements of the
 * open transaction as committed. Left out: temporary tables and prepared statements older than the last snapshot do not come back.
 */
export class LiveSession {
  private readonly options: ServerOptions;
  private readonly host: Host;
  private server: Server;
  private base: Snapshot | undefined;
  /** What settings the session had when `base` was taken. */
  private baseSettings: readonly string[] = [];
  private committed: Sent[] = [];
  private pending: Sent[] = [];
  /** Milliseconds that the statements since `base` took. */
  private spent = 0;
  /** Whether a statement had to be ended before. */
  private revived = false;
  /** What the server says of the transaction: none, open, or failed (25P02 until it ends). */
  transaction: 'none' | 'open' | 'failed' = 'none';

  private constructor(server: Server, options: ServerOptions, host: Host) {
    this.server = server;
    this.options = options;
    this.host = host;
  }

  static async open(options: ServerOptions, host: Host = embeddedHost()): Promise<LiveSession> {
    return new LiveSession(await host.open(options), options, host);
  }

  get missing(): readonly string[] {
    return this.server.missing;
  }

  /**
   * Sends a statement of the history (or of the tool around it). One that is left out (`isLeftOut`) changes nothing, not even its transaction: the
   * session goes on as if it had not been there.
   */
  async send(sql: string, sending: Sending = {}): Promise<Rows | SqlFailure> {
    const started = performance.now();
    const answer = await this.server.run(sql, sending);
    this.spent += performance.now() - started;
    if (!this.server.alive) {
      if (endsTransaction(sql)) this.close(false);
      await this.revive();
      const left: SqlFailure & { readonly ended: true } = { ...(failed(answer) ? answer : { sqlstate: '57P01', message: 'the server has ended' }), ended: true };
      return left;
    }
    if (failed(answer)) this.noteRefusal(sql, answer);
    else this.noteRun({ sql, ...(sending.data === undefined ? {} : { data: sending.data }) });
    return answer;
  }

  private noteRefusal(sql: string, answer: SqlFailure): void {
    if (isLeftOut(answer)) return;
    // A COMMIT that fails (a deferred constraint) ends the transaction all the same.
    if (endsTransaction(sql) && this.transaction !== 'none') this.close(false);
    else if (this.transaction === 'open') this.transaction = 'failed';
  }

  private noteRun(sent: Sent): void {
    const control = controlOf(sent.sql);
    if (endsTransaction(sent.sql) || control === 'commitAndChain' || control === 'rollbackAndChain') {
      const inside = this.transaction;
      this.close(inside === 'open' && control !== 'rollback' && control !== 'rollbackAndChain');
      if (inside === 'none') this.committed.push(sent);
      if (!endsTransaction(sent.sql)) {
        this.transaction = 'open';
        this.pending.push({ sql: 'BEGIN' });
      }
    } else if (control === 'begin') {
      if (this.transaction === 'none') this.transaction = 'open';
      this.pending.push(sent);
    } else if (this.transaction === 'none') this.committed.push(sent);
    else {
      this.pending.push(sent);
      if (control === 'rollbackTo') this.transaction = 'open';
    }
  }

  private close(kept: boolean): void {
    if (kept) this.committed.push(...this.pending, { sql: 'COMMIT' });
    this.pending = [];
    this.transaction = 'none';
  }

  /** Sends a statement that leaves no trace: inside a transaction that the caller rolls back. Revives the server when it was ended. */
  async probe(sql: string, sending: Sending = {}): Promise<Rows | SqlFailure> {
    const answer = await this.server.run(sql, sending);
    if (!this.server.alive) await this.revive();
    return answer;
  }

  /** Back to a savepoint that stands right before a statement that was refused: its transaction goes on. */
  async undo(savepoint: string): Promise<void> {
    for (const sql of [`ROLLBACK TO SAVEPOINT ${savepoint}`, `RELEASE SAVEPOINT ${savepoint}`]) await this.probe(sql);
    if (this.transaction === 'failed') this.transaction = 'open';
  }

  /** A new server in the state of the old one, open transaction included. */
  private async revive(): Promise<void> {
    this.revived = true;
    await this.server.close();
    const base = this.base === undefined ? {} : { from: this.base };
    this.server = await this.host.open({ ...this.options, ...base });
    for (const sql of this.baseSettings) await this.server.run(sql);
    await this.again(this.server, [...this.committed, ...this.pending]);
    if (this.transaction === 'failed') await this.server.run('SELECT 1/0');
  }

  private async again(server: Server, sent: readonly Sent[]): Promise<void> {
    for (const { sql, data } of sent) {
      if (this.host.sharesRoles && makesRole(sql)) continue;
      await server.run(sql, data === undefined ? {} : { data });
    }
  }

  /**
   * An independent server in the state of this moment, the open transaction committed, with the settings of this session.
   * The state is fixed when the call is made; opening it may go on beside the session. Undefined inside a failed transaction.
   */
  async prepareCopy(): Promise<((options: Partial<ServerOptions>) => Promise<Server>) | undefined> {
    if (this.transaction === 'failed') return undefined;
    if (this.transaction === 'none' && this.committed.length > journalLimit) await this.rebase();
    const { base, baseSettings, options, host } = this;
    const statements = [...this.committed, ...this.pending, ...(this.transaction === 'open' ? [{ sql: 'COMMIT' }] : [])];
    return async changed => {
      const server = await host.open({ ...options, ...changed, ...(base === undefined ? {} : { from: base }) });
      for (const sql of baseSettings) await server.run(sql);
      await this.again(server, statements);
      return server;
    };
  }

  /**
   * Between two migrations: now and then the committed state is kept, so that seconds are lost and not minutes when a statement has to be ended.
   * `now`: whatever it costs.
   */
  async checkpoint(now = false): Promise<void> {
    if (this.transaction !== 'none' || this.committed.length === 0) return;
    if (now || this.spent > (this.revived ? tooLongAgain : tooLong)) await this.rebase();
  }

  private async rebase(): Promise<void> {
    const settings = await this.settings();
    const snapshot = settings && await this.server.dump();
    if (!snapshot || !settings) return;
    this.base = snapshot;
    this.baseSettings = settings;
    this.committed = [];
    this.spent = 0;
  }

  /** The statements that give a new session the settings of this one. */
  private async settings(): Promise<readonly string[] | undefined> {
    const answer = await this.server.run(`SELECT format('SET %I = %L', name, setting) AS sql, 0 AS rank FROM pg_settings
      WHERE source = 'session' AND context IN ('user', 'superuser') AND name NOT IN ('search_path', 'session_authorization')
      UNION ALL SELECT 'SET search_path = ' || coalesce(nullif(current_setting('search_path'), ''), ''''''), 1
      UNION ALL SELECT format('SET SESSION AUTHORIZATION %I', session_user), 2 WHERE session_user <> 'postgres'
      UNION ALL SELECT format('SET ROLE %I', current_setting('role')), 3 WHERE current_setting('role') <> 'none' ORDER BY rank`);
    return failed(answer) ? undefined : answer.rows.map(row => String(row['sql']));
  }

  async end(): Promise<void> {
    await this.server.close();
  }
}

/** COMMIT, ROLLBACK, PREPARE TRANSACTION: the ones that leave no transaction behind. */
function endsTransaction(sql: string): boolean {
  const control = controlOf(sql);
  return control === 'commit' || control === 'rollback' || control === 'prepare';
}

function makesRole(sql: string): boolean {
  const [verb, what] = leadingWords(sql, 2);
  return verb === 'create' && (what === 'role' || what === 'user' || what === 'group');
}
