import { availableParallelism } from 'node:os';
import type { Claim, Gap, History, Refusal, Span, SqlFailure, Verdict } from '../model.ts';
import { turns, type Turn } from '../catalog/order.ts';
import type { EmbeddedOptions } from './embedded.ts';
import { inSavepoint, onCopy } from './laboratory.ts';
import { Sender, type Fate } from './sender.ts';
import { failed, LiveSession } from './session.ts';
import { extensionsOf, missingRoles } from './stubs.ts';

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
 * Replays a history on an embedded PostgreSQL 18 and tries every claim where it stands. Never rejects for what the history holds; rejects
 * with LiveUnavailable, one line that names the cure, when there is no embedded server. `predicted`: the refusals that the replay foretells, by ordinal.
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

  const session = await LiveSession.open(embedded);
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
    const fate = await sender.send(turn);
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
  // PGlite starts with public alone; a server starts with this.
  const path = searchPath ?? ['$user', 'public'];
  return [`SET search_path = ${path.map(schema => `"${schema.replaceAll('"', '""')}"`).join(', ')}`];
}

/** Compares what happened with what was foretold; what says nothing about the replay is a gap. */
function note(turn: Turn, fate: Fate, predicted: Refusal | undefined, gaps: Gap[], surprises: Surprise[]): void {
  const { ordinal, statement: { span, sql } } = turn;
  if (fate.is === 'skipped') return;
  if (fate.is === 'stubbed') {
    gaps.push({ span, because: `the embedded server has no extension ${fate.extension}; the statement was left out` });
    return;
  }
  if (fate.is === 'ran') {
    if (predicted) surprises.push({ ordinal, predicted, span });
    return;
  }
  const { answer } = fate;
  if ('notSent' in answer || answer.sqlstate === '57014' || answer.sqlstate === '57P01') gaps.push({ span, because: answer.message });
  else if (predicted?.sqlstate !== answer.sqlstate && sql.includes('mvlint_hole_')) gaps.push({ span, because: `a placeholder without a value: ${answer.message}` });
  else if (predicted?.sqlstate !== answer.sqlstate) surprises.push({ ordinal, ...(predicted ? { predicted } : {}), seen: answer, span });
}

