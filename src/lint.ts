import { replay, type ReplayedMigration, type ReplayOptions } from './catalog/replay.ts';
import { isHistory, remember } from './lint/damage.ts';
import { deploysOf } from './lint/deploys.ts';
import { draftsOf, finished, merge, withFixes, type Draft, type Observation } from './lint/findings.ts';
import { suppressionOf } from './lint/ignores.ts';
import { listenersOf, type Listener } from './lint/listeners.ts';
import { loadedProblems, standIn } from './lint/loaded.ts';
import type { ObservedHistory } from './lint/observe.ts';
import { inOrder, placesOf, type Owner, type Raised } from './lint/places.ts';
import { severityOf, type LintOptions } from './lint/severity.ts';
import type { Moment } from './lint/standing.ts';
import type { Catalog, Claim, Context, Crash, Effect, Gap, History, Problem, Refusal, Report, Rule, Step, Unit } from './model.ts';
import { eligibilityIn } from './lint/eligibility.ts';
import { factsOf } from './query/facts.ts';

export { severityOf, type LintOptions } from './lint/severity.ts';

/** What the laboratory or a database needs of one history, beside the history itself. */
export interface HistoryClaims extends ObservedHistory {
  readonly claims: readonly Claim[];
  /** Statements that replay says Postgres refuses, by their position in the history. */
  readonly predicted: ReadonlyMap<number, Refusal>;
}

export interface LintResult {
  readonly report: Report;
  readonly claims: readonly HistoryClaims[];
}

/**
 * Runs every rule over every history. Synchronous, without IO but for the parser's own file when it is first needed.
 * Never throws for what the user wrote, nor for a rule that throws: that is a crash in the report.
 */
export function lint(histories: readonly History[], rules: readonly Rule[], options: LintOptions): LintResult {
  return joined(histories.map(history => lintHistory(history, rules, options)), options.postgres);
}

/** Several results as one: projects that are linted with options of their own. */
export function joined(results: readonly LintResult[], postgres: number): LintResult {
  const sum = (count: (report: Report) => number): number => results.reduce((total, { report }) => total + count(report), 0);
  return {
    report: {
      postgres,
      histories: results.flatMap(({ report }) => report.histories),
      findings: results.flatMap(({ report }) => report.findings),
      gaps: results.flatMap(({ report }) => report.gaps),
      crashes: results.flatMap(({ report }) => report.crashes),
      suppressed: sum(report => report.suppressed),
      hidden: sum(report => report.hidden),
    },
    claims: results.flatMap(({ claims }) => claims),
  };
}

function lintHistory(whole: History, rules: readonly Rule[], options: LintOptions): LintResult {
  const { from, only } = options;
  const history = from === undefined || only === undefined ? whole : { ...whole, migrations: whole.migrations.filter(only) };
  const places = placesOf(history, options.down === true);
  const listeners = listenersOf(rules, options);
  const raised: Raised[] = [];
  const crashes = new Map<string, Crash>();
  const gaps: Gap[] = [...history.gaps];
  const predicted = new Map<number, Refusal>();
  const crash = (rule: string, path: string, error: unknown): void => {
    const because = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    crashes.set(`${rule}\0${path}\0${because}`, { rule, path, because });
  };

  const contextOf = (step: Step, migrationStart: Catalog, deployStart: Catalog): Context => ({
    step,
    postgres: options.postgres,
    sitesComplete: options.sitesComplete === true,
    migrationStart,
    deployStart,
    facts: (view, catalog = step.after) => factsOf(view, catalog),
    targets: options.targets ?? [],
    eligibility: (relation, engine, catalog = step.after) => eligibilityIn(relation, engine, catalog),
    inUse: relation => {
      const then = deployStart.get(relation.id);
      return then?.kind === 'matview' ? then.everPopulated : then !== undefined;
    },
  });

  /** What the rules that an effect concerns say of it. */
  const ask = (concerned: readonly Listener[], effect: Effect, context: Context, down = false): void => {
    const { step } = context;
    for (const { rule, severity, hear } of concerned)
      try {
        for (const problem of hear(effect, context)) {
          const owner = places.at(effect.via.from?.span ?? problem.span, step.migration);
          const statement = isEnd(effect) ? undefined : step.statement;
          const raise = { rule, severity, problem: called(problem, effect), ordinal: (problem.step ?? step).ordinal, owner, statement };
          raised.push(down ? { down: true, ...raise } : raise);
        }
      } catch (error) {
        crash(rule, step.statement.span.path, error);
      }
  };

  const judge = (step: Step, migrationStart: Catalog, deployStart: Catalog, down = false): void => {
    let context: Context | undefined;
    for (const effect of step.effects) {
      const concerned = listeners(effect, step.after);
      if (concerned.length > 0) ask(concerned, effect, context ??= contextOf(step, migrationStart, deployStart), down);
    }
  };

  /** How the end of something reaches the rules, where one listens. */
  const judgeEnd = (last: Step, end: Catalog, effect: Effect, migrationStart: Catalog, deployStart: Catalog): void => {
    const concerned = listeners(effect, end);
    if (concerned.length > 0) ask(concerned, effect, contextOf(ended(last, end, effect), migrationStart, deployStart));
  };

  /**
   * The down part, replayed on a fork: what is refused, what is dropped, and what it does not bring back of the views that stood before the up part.
   * Left out: whatever else differs from the state before, and views that go without a word; no rule speaks of those.
   */
  const judgeDown = ({ migration, start, end, steps: up }: ReplayedMigration, down: readonly Unit[]): void => {
    const alone: History = { ...history, migrations: [{ ...migration, kind: 'versioned', up: down }] };
    for (const run of replay(alone, { postgres: options.postgres, ...options.session, from: end })) {
      for (const gap of run.gaps) gaps.push(gap);
      for (const step of run.steps) judge({ ...step, migration, effects: step.effects.filter(isDamage) }, start, start, true);
      const last = run.steps.at(-1);
      if (last === undefined) continue;
      const both: Effect = { kind: 'endOfDeploy', via: viaOf(last), start, steps: [...up, ...run.steps] };
      const restoring = listeners(both, run.end).filter(({ rule }) => ofRestoring.has(rule));
      ask(restoring, both, contextOf({ ...ended(last, run.end, both), migration }, start, start), true);
    }
  };

  const deploys = deploysOf(history, options.pending);
  let lastStep: { step: Step; migrationStart: Catalog; deployStart: Catalog } | undefined;
  let end: Catalog | undefined;
  const migration = (run: ReplayedMigration): void => {
    for (const gap of run.gaps) gaps.push(gap);
    for (const step of run.steps) if (step.refusal) predicted.set(step.ordinal, step.refusal);
    if (!run.judged) return;
    const deploy = deploys.enter(run);
    const first = raised.length;
    for (const step of run.steps) judge(step, run.start, deploy.start);
    const last = run.steps.at(-1);
    if (last !== undefined) {
      judgeEnd(last, run.end, { kind: 'endOfMigration', via: viaOf(last), start: run.start, steps: run.steps }, run.start, deploy.start);
      lastStep = { step: last, migrationStart: run.start, deployStart: deploy.start };
    }
    const lastOfDeploy = deploy.steps.at(-1);
    if (deploy.over && lastOfDeploy !== undefined)
      judgeEnd(lastOfDeploy, run.end, { kind: 'endOfDeploy', via: viaOf(lastOfDeploy), start: deploy.start, steps: deploy.steps }, run.start, deploy.start);
    remember(raised, first, run.end);
    if (options.down === true && run.migration.down !== undefined) judgeDown(run, run.migration.down);
  };
  const replayOptions: ReplayOptions = {
    postgres: options.postgres, ...options.session, ...(options.engineVersions === undefined ? {} : { engineVersions: options.engineVersions }),
    ...(options.sites === undefined ? {} : { sites: options.sites }), ...(from === undefined ? {} : { from }),
  };
  try {
    const replayed = replay(history, replayOptions);
    let next = replayed.next();
    for (; !next.done; next = replayed.next()) migration(next.value);
    end = next.value;
    if (lastStep !== undefined) judgeEnd(lastStep.step, end, { kind: 'endOfHistory', via: viaOf(lastStep.step) }, lastStep.migrationStart, lastStep.deployStart);
  } catch (error) {
    crash('replay', history.root, error);
  }

  const loaded = loadedProblems(history, places, rules, options);
  raised.push(...loaded.raised);
  const reported = (owner: Owner | undefined, path?: string): boolean => options.only === undefined
    || (owner === undefined ? path === undefined || options.only(standIn(path)) : options.only(owner.migration));
  const suppression = suppressionOf(places, rules, options);
  const seen = new Set<string>();
  const unique = raised.toSorted(inOrder).filter(one => {
    const key = JSON.stringify([one.rule, one.problem.span, one.problem.message, one.problem.relation]);
    return !seen.has(key) && seen.add(key);
  });
  const drafts = draftsOf(history, unique, places);
  const audible = drafts.filter(draft => !suppression.silences(draft.raised));
  const own = draftsOf(history, suppression.unused(), places);
  const shown: Draft[] = [];
  let hidden = 0;
  for (const draft of [...audible, ...own].sort((a, b) => inOrder(a.raised, b.raised))) {
    if (!reported(draft.raised.owner, draft.raised.problem.span.path)) continue;
    if (!options.allHistory && end !== undefined && draft.raised.down !== true && isHistory(draft.raised, end, crash)) hidden += 1;
    else shown.push(end === undefined || draft.raised.down === true ? draft : withFixes(draft, end, crash));
  }
  const merged = merge(shown, places);
  const seenGaps = new Set<string>();
  const newGap = ({ span, because }: Gap): boolean => {
    const key = `${span.path}\0${span.start}\0${because}`;
    return !seenGaps.has(key) && seenGaps.add(key) && reported(places.at(span));
  };
  const statements = history.migrations.reduce((total, each) => total + each.up.reduce((sum, unit) => sum + unit.statements.length, 0), 0);
  const report: Report = {
    postgres: options.postgres,
    histories: [{ id: history.id, tool: history.tool, root: history.root, world: end?.world ?? 'open', migrations: history.migrations.length, statements }],
    findings: merged.findings,
    gaps: gaps.filter(newGap).map(gap => ({ ...gap, history: history.id })),
    crashes: [...crashes.values()],
    suppressed: suppression.count(owner => reported(owner)) + loaded.suppressed,
    hidden,
  };
  const moments = (): readonly Moment[] => {
    const found: Moment[] = [];
    let blind = false;
    for (const { migration: of, judged, end: after, steps } of replay(history, replayOptions)) {
      blind ||= steps.some(step => step.blind === true);
      const last = steps.at(-1)?.statement.span;
      if (judged) found.push({ migration: of, end: after, blind, ...(last === undefined ? {} : { last }) });
    }
    return found;
  };
  const raise = (rule: string, problems: readonly Problem[]): readonly Observation[] => {
    const meta = rules.find(each => each.meta.id === rule)?.meta;
    const severity = meta === undefined ? 'off' : severityOf(meta, options);
    if (severity === 'off') return [];
    const late = problems.map((problem): Raised => ({ rule, severity, problem, ordinal: 0, owner: places.at(problem.span), statement: undefined }));
    return draftsOf(history, late.toSorted(inOrder), places)
      .filter(draft => reported(draft.raised.owner, draft.raised.problem.span.path) && !suppression.silences(draft.raised))
      .map(draft => ({ finding: finished(draft), ...(draft.raised.owner === undefined ? {} : { order: draft.raised.owner.order }) }));
  };
  return {
    report,
    claims: [{
      history, claims: merged.claims, predicted, observations: merged.observations, moments, raise, pending: options.pending ?? (() => false), fromCatalog: from !== undefined,
      ...(options.session?.searchPath === undefined ? {} : { searchPath: options.session.searchPath }),
    }],
  };
}

/** What a routine does is the doing of the migration that calls it: the call leads the evidence, and its migration owns the finding. */
function called(problem: Problem, effect: Effect): Problem {
  const { from } = effect.via;
  return from === undefined ? problem : { ...problem, evidence: [from, ...(problem.evidence ?? [{ span: problem.span, says: problem.message }])] };
}

/** The rules that speak of what a view had and its successor has not. */
const ofRestoring: ReadonlySet<string> = new Set(['no-lost-index', 'no-lost-privileges', 'no-lost-settings', 'no-stale-dependents']);

/** What happened by the statement of a step. */
const viaOf = ({ statement: { span } }: Step): Effect['via'] => ({ kind: 'statement', span });

/** The last step as the end of something: where that is told, with the catalog that it ends in. A refusal was the statement's. */
function ended(last: Step, after: Catalog, effect: Effect): Step {
  const { refusal: _, ...settled } = last;
  return { ...settled, after, effects: [effect], locks: () => [] };
}

const isEnd = ({ kind }: Effect): boolean => kind === 'endOfMigration' || kind === 'endOfDeploy' || kind === 'endOfHistory';

const isDamage = ({ kind }: Effect): boolean => kind === 'refuse' || kind === 'dropObject' || kind === 'dropPart';
