import { availableParallelism } from 'node:os';
import type { Claim, Gap, History, Refusal, Span, SqlFailure, Verdict } from '../model.ts';
import { turns, type Turn } from '../catalog/order.ts';
import { embeddedHost } from './embedded.ts';
import type { Host, ServerOptions } from './host.ts';
import { inSavepoint, onCopy } from './laboratory.ts';
import { Sender, sessionSettings, type Fate } from './sender.ts';
import { failed, LiveSession } from './session.ts';
import { extensionsOf, missingRoles } from './stubs.ts';

export interface ProveOptions {
  /** Milliseconds for everything, the replay included. */
  readonly budget: number;
  /** The major the report is about; a verdict says so when it was seen on another. */
  readonly postgres: number;
  readonly progress?: (message: string) => void;
  readonly cacheDir?: string;
  /** Where throwaway servers come from; the embedded one by default. */
  readonly host?: Host;
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

/** How long one experiment took, the making of its copy included; milliseconds. */
export interface Timing {
  readonly claim: Claim;
  readonly ms: number;
}

export interface Proof {
  readonly verdicts: ReadonlyMap<Claim, Verdict>;
  /** In the order in which they ended. */
  readonly timings: readonly Timing[];
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
  const timings: Timing[] = [];
  const host = options.host ?? embeddedHost(options.cacheDir);
  const longest = options.statementTimeout ?? 10_000;
  const limit = (): number => Math.max(1_000, Math.min(longest, left()));
  const wanted = new Set([...extensionsOf(history), ...claims.flatMap(claim => claim.experiment.extensions ?? [])]);
  const server: ServerOptions = { extensions: [...wanted], statementTimeout: longest };
  const rest = (verdict: Verdict): void => {
    for (const claim of claims) if (!verdicts.has(claim)) verdicts.set(claim, verdict);
  };
  const judge = (claim: Claim, verdict: Verdict): void => {
    verdicts.set(claim, options.postgres === host.major ? verdict : elsewhere(verdict, host));
  };

  const session = await LiveSession.open(server, host);
  const roles = missingRoles(history);
  for (const { create, gap } of roles) {
    await session.send(create);
    gaps.push(gap);
  }
  const begin = sessionSettings(options.session?.searchPath);
  for (const sql of begin) await session.send(sql);

  const at = new Map<number, Claim[]>();
  for (const claim of claims) at.set(claim.ordinal, [...(at.get(claim.ordinal) ?? []), claim]);
  let copiesLeft = claims.filter(claim => claim.experiment.isolation === 'copy').length;
  if (copiesLeft > 0) void host.warm?.(server);
  const copies = pool(Math.max(1, Math.min(3, availableParallelism() - 1)));
  const sender = new Sender(session, history, begin);
  const attempt = async (claim: Claim): Promise<void> => {
    if (left() <= 0) return judge(claim, notTried);
    options.progress?.(`${claim.finding.rule}: ${claim.finding.relation ?? claim.finding.span.path}`);
    const began = performance.now();
    const faithful = !sender.absences.some;
    const end = (verdict: Verdict): void => {
      timings.push({ claim, ms: performance.now() - began });
      judge(claim, faithful ? verdict : cautious(verdict));
    };
    if (claim.experiment.isolation === 'savepoint') return end(await inSavepoint(session, claim.experiment, limit));
    const open = await session.prepareCopy();
    if (!open) return end(unproven('An earlier statement of this transaction was refused.'));
    await copies.add(async () => {
      if (left() <= 0) return judge(claim, notTried);
      try {
        const copy = await open({});
        copiesLeft -= 1;
        if (copiesLeft > 0) void host.warm?.(server);
        end(await onCopy(copy, claim.experiment, limit));
      } catch (error) {
        end(unproven(error instanceof Error ? error.message : String(error)));
      }
    });
  };

  let last: Turn | undefined;
  for (const turn of turns(history)) {
    if (left() <= 0) break;
    if (turn.migration !== last?.migration) options.progress?.(turn.migration.id);
    const closing = await sender.enter(turn);
    if (closing && last) surprises.push({ ordinal: last.ordinal, seen: closing, span: last.statement.span });
    const here = at.get(turn.ordinal) ?? [];
    for (const claim of here) if (claim.experiment.at === 'before') await attempt(claim);
    const refusal = predicted.get(turn.ordinal);
    const fate = await sender.send(turn, { limit: limit(), ...(refusal ? { foretold: refusal.sqlstate } : {}) });
    note(turn, fate, refusal, sender.absences.some, gaps, surprises);
    for (const claim of here) {
      if (claim.experiment.at !== 'after') continue;
      if (fate.is === 'refused') judge(claim, unproven(`Postgres refuses the statement: ${fate.answer.message}.`));
      else if (fate.is === 'leftOut') judge(claim, unproven(`The laboratory could not run the statement: ${fate.because}.`));
      else if (fate.is === 'skipped') judge(claim, unproven(`The statement did not run. ${fate.because}`));
      else await attempt(claim);
    }
    last = turn;
  }
  const closing = await sender.close();
  if (closing && failed(closing) && last) surprises.push({ ordinal: last.ordinal, seen: closing, span: last.statement.span });
  await copies.drain();
  await Promise.all([session.end(), host.cool?.()]);
  rest(left() <= 0 ? notTried : unproven('the statement is no part of the history'));
  return { verdicts, timings, gaps, surprises };
}

/** A verdict of another version than the report's: what was seen there is said to be from there, and refutes nothing here. */
function elsewhere(verdict: Verdict, host: Host): Verdict {
  if (verdict.kind === 'refuted') return { ...verdict, kind: 'unproven', says: `${verdict.says} That is on ${host.name}.` };
  return verdict.kind === 'confirmed' ? { ...verdict, says: `${verdict.says} (on ${host.name})` } : verdict;
}

/** Where statements of the history were left out, the laboratory is not in the state that the claim speaks of: it can confirm, not refute. */
function cautious(verdict: Verdict): Verdict {
  return verdict.kind === 'refuted' ? { ...verdict, kind: 'unproven', says: `${verdict.says} But statements before it were left out.` } : verdict;
}

/** Compares what happened with what was foretold; what says nothing about the replay is a gap. `lacking`: statements were left out by now. */
function note(turn: Turn, fate: Fate, predicted: Refusal | undefined, lacking: boolean, gaps: Gap[], surprises: Surprise[]): void {
  const { ordinal, statement: { span, sql } } = turn;
  if (fate.is === 'skipped') return;
  if (fate.is === 'leftOut') {
    gaps.push({ span, because: `the statement was left out: ${fate.because}` });
    return;
  }
  if (fate.is === 'ran') {
    const because = `Postgres runs this statement, where the replay expected ${predicted?.sqlstate ?? ''}; statements before it were left out`;
    if (predicted && lacking) gaps.push({ span, because });
    else if (predicted) surprises.push({ ordinal, predicted, span });
    return;
  }
  const { answer } = fate;
  if (predicted?.sqlstate === answer.sqlstate) return;
  if (sql.includes('mvlint_hole_')) gaps.push({ span, because: `a placeholder without a value: ${answer.message}` });
  else surprises.push({ ordinal, ...(predicted ? { predicted } : {}), seen: answer, span });
}
