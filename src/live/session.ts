import type { Rows, SqlFailure } from '../model.ts';
import { controlOf } from './control.ts';
import { openEmbedded, type Directory, type Embedded, type EmbeddedOptions } from './embedded.ts';

/** Whether an answer is a refusal. */
export function failed(answer: Rows | SqlFailure): answer is SqlFailure {
  return 'sqlstate' in answer;
}

/** Statements sent again rather than copying the data directory: a dump and its load cost about what a few hundred small statements do (facts 6). */
const journalLimit = 150;

/**
 * One session on an embedded server that can be had again: it remembers what was sent since the last copy of the data directory, so that a server
 * that was ended (a statement that took too long) is replaced by one in the same state, and so that a copy can hold the statements of the open
 * transaction as committed. Left out: temporary tables and prepared statements older than the last dump do not come back.
 */
export class LiveSession {
  private readonly options: EmbeddedOptions;
  private server: Embedded;
  private base: Directory | undefined;
  /** What settings the session had when `base` was taken. */
  private baseSettings: readonly string[] = [];
  private committed: string[] = [];
  private pending: string[] = [];
  /** What the server says of the transaction: none, open, or failed (25P02 until it ends). */
  transaction: 'none' | 'open' | 'failed' = 'none';

  private constructor(server: Embedded, options: EmbeddedOptions) {
    this.server = server;
    this.options = options;
  }

  static async open(options: EmbeddedOptions): Promise<LiveSession> {
    return new LiveSession(await openEmbedded(options), options);
  }

  /** A session on a server that is in the pristine state already. */
  static over(server: Embedded, options: EmbeddedOptions): LiveSession {
    return new LiveSession(server, options);
  }

  get missing(): readonly string[] {
    return this.server.missing;
  }

  /** Whether the session still stands on this server: false after it had to be replaced. */
  isOn(server: Embedded): boolean {
    return this.server === server && server.alive;
  }

  /** Sends a statement of the history (or of the tool around it). */
  async send(sql: string): Promise<Rows | SqlFailure> {
    const control = controlOf(sql);
    const answer = await this.server.run(sql);
    if (!this.server.alive) {
      if (this.transaction !== 'none') this.transaction = 'failed';
      await this.revive();
      return answer;
    }
    const ends = control === 'commit' || control === 'rollback' || control === 'prepare';
    if (failed(answer)) {
      if ('notSent' in answer && this.transaction === 'none') return answer;
      if ('notSent' in answer) await this.server.run('SELECT 1/0');
      // A COMMIT that fails (a deferred constraint) ends the transaction all the same.
      if (ends && this.transaction !== 'none') this.close(false);
      else if (this.transaction === 'open') this.transaction = 'failed';
      return answer;
    }
    if (ends || control === 'commitAndChain' || control === 'rollbackAndChain') {
      const inside = this.transaction;
      this.close(inside === 'open' && control !== 'rollback' && control !== 'rollbackAndChain');
      if (inside === 'none') this.committed.push(sql);
      if (!ends) {
        this.transaction = 'open';
        this.pending.push('BEGIN');
      }
    } else if (control === 'begin') {
      if (this.transaction === 'none') this.transaction = 'open';
      this.pending.push(sql);
    } else if (this.transaction === 'none') this.committed.push(sql);
    else {
      this.pending.push(sql);
      if (control === 'rollbackTo') this.transaction = 'open';
    }
    return answer;
  }

  private close(kept: boolean): void {
    if (kept) this.committed.push(...this.pending, 'COMMIT');
    this.pending = [];
    this.transaction = 'none';
  }

  /** Sends a statement that leaves no trace: inside a transaction that the caller rolls back. Revives the server when it was ended. */
  async probe(sql: string): Promise<Rows | SqlFailure> {
    const answer = await this.server.run(sql);
    if (!this.server.alive) await this.revive();
    return answer;
  }

  /** A new server in the state of the old one, open transaction included. */
  private async revive(): Promise<void> {
    this.server = await this.restored();
    for (const sql of this.pending) await this.server.run(sql);
    if (this.transaction === 'failed') await this.server.run('SELECT 1/0');
  }

  private async restored(options: EmbeddedOptions = this.options): Promise<Embedded> {
    const server = await openEmbedded({ ...options, ...(this.base ? { directory: this.base } : {}) });
    for (const sql of [...this.baseSettings, ...this.committed]) await server.run(sql);
    return server;
  }

  /**
   * An independent server in the state of this moment, the open transaction committed, with the settings of this session.
   * The state is fixed when the call is made; opening it may go on beside the session. Undefined inside a failed transaction.
   */
  async prepareCopy(): Promise<((options: Partial<EmbeddedOptions>) => Promise<Embedded>) | undefined> {
    if (this.transaction === 'failed') return undefined;
    if (this.transaction === 'none' && this.committed.length > journalLimit) await this.rebase();
    const { base, options } = this;
    const statements = [...this.baseSettings, ...this.committed, ...this.pending, ...(this.transaction === 'open' ? ['COMMIT'] : [])];
    return async changed => {
      const server = await openEmbedded({ ...options, ...changed, ...(base ? { directory: base } : {}) });
      for (const sql of statements) await server.run(sql);
      return server;
    };
  }

  private async rebase(): Promise<void> {
    const settings = await this.settings();
    const directory = await this.server.dump();
    if (!directory || !settings) return;
    this.base = directory;
    this.baseSettings = settings;
    this.committed = [];
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
