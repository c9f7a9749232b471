import { availableParallelism } from 'node:os';
import type { Claim, Gap, History, Refusal, Rows, Span, SqlFailure, Unit, Verdict } from '../model.ts';
import { sessionLives, turns, type Turn } from '../catalog/order.ts';
import { LiveUnavailable, type EmbeddedOptions } from './embedded.ts';
import { inSavepoint, onCopy } from './laboratory.ts';
import { failed, LiveSession } from './session.ts';
import { extensionNamed, extensionsOf, missingRoles } from './stubs.ts';

/** The major version of the embedded server. */
const embeddedMajor = 18;

export interface ProveOptions {
  /** Milliseconds for everything, the replay included. */
  readonly budget: number;
  /** The major the report is about; experiments run on 18 and say so when this is another. */
  readonly postgres: number;
  readonly progress?: (message: string) => void;
  readonly cacheDir?: string;
  /** Milliseconds one statement may take; 10,000 by default. */
  readonly statementTimeout?: number;
  /** Left out: the role; the laboratory migrates as its superuser, so that missing rights are not shown. */
  readonly session?: { readonly searchPath?: readonly string[] };
}

/** A statement whose fate differs from what the replay foretold. */
export interface Surprise {
  readonly ordinal: number;
  readonly predicted?: Refusal;
  readonly seen?: SqlFailure;
  readonly span: Span;
}

export interface Proof {
  readonly verdicts: ReadonlyMap<Claim, Verdict>;
  readonly gaps: readonly Gap[];
  readonly surprises: readonly Surprise[];
  /** Set when there is no embedded server at all: one line that names the cure. */
  readonly unavailable?: string;
}

const unproven = (says: string): Verdict => ({ kind: 'unproven', says });
const notTried = unproven('not tried, time');

/** At most `limit` tasks at once; `add` waits while all places are taken. */
function pool(limit: number): { add(task: () => Promise<void>): Promise<void>; drain(): Promise<void> } {
  const running = new Set<Promise<void>>();
  return {
    async add(task) {
      while (running.size >= limit) await Promise.race(running);
      const run: Promise<void> = task().finally(() => running.delete(run));
      running.add(run);
    },
    async drain() {
      while (running.size > 0) await Promise.race(running);
    },
  };
}

/**
 * How one statement fared: it ran, it was refused, it was not sent (and why), or its transaction had failed before.
 * `stubbed` counts as run: something else stood in for it.
 */
type Fate = { readonly is: 'ran' } | { readonly is: 'stubbed' } | { readonly is: 'refused'; readonly answer: SqlFailure } | { readonly is: 'skipped'; readonly because: string };

/** Several statements in one message or one Sync are one transaction without BEGIN. Left out: SAVEPOINT is refused there (25P01) and not here. */
const isImplicit = (unit: Unit): boolean => unit.scope === 'none' && unit.protocol !== 'single' && unit.statements.length > 1;

/** What identifies the transaction that the tool or the protocol puts around a unit: the tool's scope, or the unit itself; undefined: none. */
function scopeOf(unit: Unit): string | Unit | undefined {
  if (unit.scope !== 'none') return `${unit.scope} ${unit.scopeId}`;
  return isImplicit(unit) ? unit : undefined;
}

/** Sends a history in the tool's units and transactions. */
class Sender {
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

/**
 * Replays a history on an embedded PostgreSQL 18 and tries every claim where it stands. Never rejects for what the history holds; without an
 * embedded server every claim is unproven and `unavailable` says why. `predicted`: the refusals that the replay foretells, by ordinal.
 */
export async function proveClaims(history: History, claims: readonly Claim[], predicted: ReadonlyMap<number, Refusal>, options: ProveOptions): Promise<Proof> {
  const started = performance.now();
  const left = (): number => options.budget - (performance.now() - started);
  const verdicts = new Map<Claim, Verdict>();
  const gaps: Gap[] = [];
  const surprises: Surprise[] = [];
  const embedded: EmbeddedOptions = {
    extensions: extensionsOf(history), statementTimeout: options.statementTimeout ?? 10_000, ...(options.cacheDir === undefined ? {} : { cacheDir: options.cacheDir }),
  };
  const rest = (verdict: Verdict): void => {
    for (const claim of claims) if (!verdicts.has(claim)) verdicts.set(claim, verdict);
  };
  const version = options.postgres === embeddedMajor ? '' : ` (on PostgreSQL ${embeddedMajor})`;
  const judge = (claim: Claim, verdict: Verdict): void => {
    verdicts.set(claim, verdict.kind === 'unproven' ? verdict : { ...verdict, says: verdict.says + version });
  };

  let session: LiveSession;
  try {
    session = await LiveSession.open(embedded);
  } catch (error) {
    if (!(error instanceof LiveUnavailable)) throw error;
    rest(unproven(error.message));
    return { verdicts, gaps, surprises, unavailable: error.message };
  }
  const roles = missingRoles(history);
  for (const { create, gap } of roles) {
    await session.send(create);
    gaps.push(gap);
  }
  const begin = settings(options);
  for (const sql of begin) await session.send(sql);

  const at = new Map<number, Claim[]>();
  for (const claim of claims) at.set(claim.ordinal, [...(at.get(claim.ordinal) ?? []), claim]);
  const copies = pool(Math.max(1, Math.min(3, availableParallelism() - 1)));
  const attempt = async (claim: Claim): Promise<void> => {
    if (left() <= 0) return judge(claim, notTried);
    options.progress?.(`trying ${claim.finding.rule}`);
    if (claim.experiment.isolation === 'savepoint') return judge(claim, await inSavepoint(session, claim.experiment));
    const open = await session.prepareCopy();
    if (!open) return judge(claim, unproven('An earlier statement of this transaction was refused.'));
    await copies.add(async () => {
      if (left() <= 0) return judge(claim, notTried);
      try {
        const statementTimeout = Math.max(1_000, Math.min(embedded.statementTimeout ?? 10_000, left()));
        judge(claim, await onCopy(await open({ statementTimeout }), claim.experiment));
      } catch (error) {
        judge(claim, unproven(error instanceof Error ? error.message : String(error)));
      }
    });
  };

  const sender = new Sender(session, history, begin);
  let last: Turn | undefined;
  for (const turn of turns(history)) {
    if (left() <= 0) break;
    if (turn.migration !== last?.migration) options.progress?.(turn.migration.id);
    await sender.enter(turn);
    const here = at.get(turn.ordinal) ?? [];
    for (const claim of here) if (claim.experiment.at === 'before') await attempt(claim);
    const fate = await fateOf(turn, session, sender, gaps);
    note(turn, fate, predicted.get(turn.ordinal), gaps, surprises);
    for (const claim of here) {
      if (claim.experiment.at !== 'after') continue;
      if (fate.is === 'refused') judge(claim, unproven(`Postgres refuses the statement: ${fate.answer.message}.`));
      else if (fate.is === 'skipped') judge(claim, unproven(`The statement did not run. ${fate.because}`));
      else await attempt(claim);
    }
    last = turn;
  }
  const closing = await sender.close();
  if (closing && failed(closing) && last) surprises.push({ ordinal: last.ordinal, seen: closing, span: last.statement.span });
  await copies.drain();
  await session.end();
  rest(left() <= 0 ? notTried : unproven('the statement is no part of the history'));
  return { verdicts, gaps, surprises };
}

/** The settings of the session that migrations run in. */
function settings(options: ProveOptions): readonly string[] {
  const { searchPath } = options.session ?? {};
  return searchPath ? [`SET search_path = ${searchPath.map(schema => `"${schema.replaceAll('"', '""')}"`).join(', ')}`] : [];
}

/** Sends the statement, unless something has to stand in for it. */
async function fateOf(turn: Turn, session: LiveSession, sender: Sender, gaps: Gap[]): Promise<Fate> {
  const extension = extensionNamed(turn.statement.sql);
  if (extension !== undefined && session.missing.includes(extension)) {
    gaps.push({ span: turn.statement.span, because: `the embedded server has no extension ${extension}; the statement was left out` });
    return { is: 'stubbed' };
  }
  return sender.send(turn);
}

/** Compares what happened with what was foretold; what says nothing about the replay is a gap. */
function note(turn: Turn, fate: Fate, predicted: Refusal | undefined, gaps: Gap[], surprises: Surprise[]): void {
  const { ordinal, statement: { span, sql } } = turn;
  if (fate.is === 'skipped' || fate.is === 'stubbed') return;
  if (fate.is === 'ran') {
    if (predicted) surprises.push({ ordinal, predicted, span });
    return;
  }
  const { answer } = fate;
  if ('notSent' in answer || answer.sqlstate === '57014' || answer.sqlstate === '57P01') gaps.push({ span, because: answer.message });
  else if (predicted?.sqlstate !== answer.sqlstate && sql.includes('mvlint_hole_')) gaps.push({ span, because: `a placeholder without a value: ${answer.message}` });
  else if (predicted?.sqlstate !== answer.sqlstate) surprises.push({ ordinal, ...(predicted ? { predicted } : {}), seen: answer, span });
}

