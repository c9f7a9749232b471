import type { History, Migration, SqlFailure, Trace, TracedLock, TracedStatement, Unseen } from '../../model.ts';
import { turns, type Turn } from '../../catalog/order.ts';
import { controlOf, leadingWords } from '../control.ts';
import { embeddedHost } from '../embedded.ts';
import type { Host } from '../host.ts';
import { Sender, sessionSettings, type Fate } from '../sender.ts';
import { failed, LiveSession } from '../session.ts';
import { extensionsOf, missingRoles } from '../stubs.ts';
import { changesBetween, locksTaken, rowsWritten, type Taken } from './differences.ts';
import { fillAll } from './fill-all.ts';
import { aside, look, type Look } from './look.ts';

export interface TraceOptions {
  /** The throwaway server; the embedded one by default. */
  readonly host?: Host;
  readonly cacheDir?: string;
  /** Which migrations are told; the others are replayed all the same. All, when absent. */
  readonly only?: (migration: Migration) => boolean;
  /** How many rows empty tables get before each told migration; none by default. */
  readonly rows?: number;
  readonly searchPath?: readonly string[];
  readonly progress?: (message: string) => void;
}

/** Words that begin statements that touch no relation, or that must stand before a transaction's first query. */
const silent = new Set(['set', 'reset', 'show', 'savepoint', 'release', 'discard', 'checkpoint', 'listen', 'notify', 'unlisten', 'prepare', 'deallocate', 'load']);
/** Words that begin statements that do something else inside a transaction than outside of one. */
const notWrapped = new Set(['lock', 'declare', 'vacuum']);

/** SQLSTATEs of what cannot run in a transaction block: CREATE INDEX CONCURRENTLY and its kin, and code that commits (measured, trace.test.ts). */
const notInBlock = new Set(['25001', '2D000']);

const unseen = (because: string): Unseen => ({ unseen: because });
const outside = unseen('it cannot run in a transaction, and outside of one its locks are gone when it ends');

/** A told statement while its transaction is open: how long it holds its locks is not known before. */
interface Telling {
  readonly told: Omit<TracedStatement, 'locks'>;
  readonly locks: readonly Taken[] | Unseen;
  held: number;
}

class Tracer {
  private readonly session: LiveSession;
  private readonly sender: Sender;
  /** Those of the open transaction. */
  private open: Telling[] = [];
  private told: TracedStatement[] = [];
  /** What was there when the transaction began, and the look after the last statement in it. */
  private old: Look | undefined;
  private last: Look | undefined;
  private transactions = 0;
  /** The open transaction has its number. */
  private isNumbered = false;

  constructor(session: LiveSession, sender: Sender) {
    this.session = session;
    this.sender = sender;
  }

  /** One statement, looked at. A statement outside of any transaction gets one of its own, so that its locks are seen before they are gone. */
  async tell(turn: Turn): Promise<void> {
    const { session } = this;
    const { sql } = turn.statement;
    const [word = ''] = leadingWords(sql, 1);
    const isSilent = controlOf(sql) !== 'none' || silent.has(word);
    if (session.transaction === 'failed' || isSilent) return this.sent(turn, undefined);
    if (session.transaction === 'open') return this.sent(turn, this.last ?? await this.look());
    if (notWrapped.has(word)) return this.bare(turn);
    await session.send('BEGIN');
    await this.sent(turn, await this.look(), async fate => {
      if (fate.is !== 'refused') {
        const end = await session.send('COMMIT');
        return failed(end) ? { is: 'refused', answer: end } : fate;
      }
      await session.send('ROLLBACK');
      return notInBlock.has(fate.answer.sqlstate) ? 'again' : fate;
    });
  }

  private look(): Promise<Look | undefined> {
    return look(sql => this.session.probe(sql), this.session.transaction === 'open');
  }

  /** Sends it between two looks; `end` ends the transaction that was begun for it, or says that it has to be sent without one. */
  private async sent(turn: Turn, before: Look | undefined, end?: (fate: Fate) => Promise<Fate | 'again'>): Promise<void> {
    const { session, sender } = this;
    const { statement } = turn;
    this.old ??= before;
    const wasOpen = session.transaction !== 'none';
    const started = performance.now();
    let fate = await sender.send(turn);
    const ms = performance.now() - started;
    for (const telling of this.open) telling.held += ms;
    // What was left out did not happen, and may have taken its server with it: another one stands in its place, with counters and numbers of its own.
    const isLeftOut = fate.is === 'leftOut';
    const after = before !== undefined && !isLeftOut && session.transaction === 'open' ? await this.look() : undefined;
    if (isLeftOut) this.old = undefined;
    const seen = before && after && {
      wal: after.wal - before.wal, locks: locksTaken(before, after, this.old ?? before), changes: changesBetween(before, after), rows: await rowsWritten(before, after, name => this.count(name)),
    };
    const ended = await end?.(fate);
    if (ended === 'again') {
      this.old = undefined;
      return this.bare(turn);
    }
    fate = ended ?? fate;
    const why = unseen(fate.is === 'ran' ? 'it touches no relation, and was not looked at' : 'it did not run');
    this.open.push({
      told: {
        span: statement.span, sql: statement.sql, fate: fate.is === 'ran' ? { is: 'ran' } : fate, ms, transaction: this.numberOf(turn, wasOpen),
        wal: seen?.wal ?? why, changes: seen?.changes ?? why, rows: seen?.rows ?? why,
      },
      locks: seen?.locks ?? why, held: ms,
    });
    this.last = after;
    if (session.transaction === 'none') this.settle();
  }

  /** Which transaction of the migration a statement ran in; it may have opened it itself. */
  private numberOf({ statement }: Turn, wasOpen: boolean): number {
    if (!wasOpen && controlOf(statement.sql) !== 'begin') return 0;
    this.isNumbered ||= (this.transactions += 1) > 0;
    return this.transactions;
  }

  /** A statement that cannot run in a transaction: looks before and after it, which see no locks. */
  private async bare(turn: Turn): Promise<void> {
    const before = await this.look();
    const started = performance.now();
    const fate = await this.sender.send(turn);
    const ms = performance.now() - started;
    const after = await this.look();
    this.told.push({
      span: turn.statement.span, sql: turn.statement.sql, fate: fate.is === 'ran' ? { is: 'ran' } : fate, ms, transaction: 0, locks: outside,
      wal: before && after ? after.wal - before.wal : outside, changes: before && after ? changesBetween(before, after) : outside,
      rows: unseen('it cannot run in a transaction, and what it wrote is counted by transactions'),
    });
  }

  private async count(relation: string): Promise<number | undefined> {
    const answer = await aside(sql => this.session.probe(sql), `SELECT pg_catalog.count(*) AS rows FROM ${relation}`, this.session.transaction === 'open');
    return failed(answer) ? undefined : Number(answer.rows[0]?.['rows'] ?? 0);
  }

  /** The transaction is over: its locks are gone. */
  settle(): void {
    for (const { told, locks, held } of this.open)
      this.told.push({ ...told, locks: 'unseen' in locks ? locks : locks.map((lock): TracedLock => ({ ...lock, held })) });
    this.open = [];
    this.old = undefined;
    this.last = undefined;
    this.isNumbered = false;
  }

  /** The told statements since the last call. */
  take(): readonly TracedStatement[] {
    const { told } = this;
    this.told = [];
    this.transactions = 0;
    return told;
  }
}

/**
 * Replays a history on a throwaway server, in the tool's own units and transactions, and tells of each statement what the server was seen to do. Never rejects
 * for what the history holds; rejects when there is no server, or when it goes away. Left out: locks of statements that run outside of transactions; a COPY's
 * rows on a database (the embedded server takes them).
 */
export async function traceHistory(history: History, options: TraceOptions = {}): Promise<Trace> {
  const host = options.host ?? embeddedHost(options.cacheDir);
  const notes: string[] = [];
  const session = await LiveSession.open({ extensions: extensionsOf(history) }, host);
  try {
    // On a server that others use, too, roles are not ours to make.
    if (!host.sharesRoles)
      for (const { create, gap } of missingRoles(history)) {
        await session.send(create);
        notes.push(gap.because);
      }
    const settings = sessionSettings(options.searchPath);
    for (const sql of settings) await session.send(sql);
    const sender = new Sender(session, history, settings);
    const tracer = new Tracer(session, sender);
    const migrations: Trace['migrations'][number][] = [];
    let migration: Migration | undefined;
    let isTold = false;
    const over = async (): Promise<void> => {
      // What fails at the COMMIT of the tool (a deferred constraint) is told where it comes.
      const closing = await sender.close();
      if (session.transaction === 'none') tracer.settle();
      const statements = tracer.take();
      if (migration === undefined || !isTold) return;
      migrations.push({ id: migration.id, path: migration.path, statements: closing && failed(closing) ? refusedAtEnd(statements, closing) : statements });
    };
    for (const turn of turns(history)) {
      if (turn.migration !== migration || !turn.judged) {
        await over();
        migration = turn.migration;
        isTold = turn.judged && (options.only?.(migration) ?? true);
        if (isTold) options.progress?.(migration.id);
        if (isTold && options.rows !== undefined && options.rows > 0 && session.transaction === 'none') notes.push(...await fillAll(sql => session.send(sql), options.rows));
      }
      await sender.enter(turn);
      if (session.transaction === 'none') tracer.settle();
      if (isTold) await tracer.tell(turn);
      else await sender.send(turn);
    }
    await over();
    return { history: history.id, server: host.name, migrations, notes };
  } finally {
    await session.end();
  }
}

/** The last statement bears what the COMMIT of its transaction was refused for. */
function refusedAtEnd(statements: readonly TracedStatement[], answer: SqlFailure): readonly TracedStatement[] {
  const last = statements.at(-1);
  return last === undefined ? [] : [...statements.slice(0, -1), { ...last, fate: { is: 'refused', answer: { ...answer, message: `at COMMIT: ${answer.message}` } } }];
}
