import { createHash } from 'node:crypto';
import { runs } from './catalog/order.ts';
import { replay, type ReplayedMigration } from './catalog/replay.ts';
import type {
  Catalog, Claim, Context, Crash, Effect, Evidence, Finding, Gap, History, Ignore, Migration, ObjectId, Preset, Problem, Refusal, Report,
  Rule, Severity, Span, Statement, Step, WrittenName,
} from './model.ts';
import { factsOf } from './query/facts.ts';
import { normalText } from './sql/tokens.ts';

/** What decides which rules run, how grave they are, and what of their findings is reported. */
export interface LintOptions {
  /** The Postgres major the report is about. */
  readonly postgres: number;
  readonly preset: Preset;
  /** Overrides by rule id; they win over the preset. Ids that no rule has are ignored here: the host has refused them. */
  readonly rules: Readonly<Record<string, Severity | 'off'>>;
  /** Which migrations are reported on; the others are replayed all the same. All, when absent. */
  readonly only?: (migration: Migration) => boolean;
  /** Report what a later migration repaired, too. */
  readonly allHistory: boolean;
  /** Migrations that go out together as one deploy. */
  readonly pending?: (migration: Migration) => boolean;
  readonly session?: { readonly searchPath?: readonly string[]; readonly role?: string };
}

/** What the laboratory needs of one history, beside the history itself. */
export interface HistoryClaims {
  readonly history: History;
  readonly claims: readonly Claim[];
  /** Statements that replay says Postgres refuses, by their position in the history. */
  readonly predicted: ReadonlyMap<number, Refusal>;
}

export interface LintResult {
  readonly report: Report;
  readonly claims: readonly HistoryClaims[];
}

/** Finding of a rule that is raised here, when the list of rules does not hold its page. */
const engineSeverity: Readonly<Record<string, Severity>> = { 'no-unexplained-ignore': 'error', 'no-unused-ignore': 'warning' };
const gravity: readonly Severity[] = ['error', 'warning', 'note'];

/**
 * Runs every rule over every history. Synchronous, without IO: the parser must be `ready()`.
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

/** The severity of a rule for a Postgres major under the options, or `off`. */
export function severityOf(rule: Rule['meta'], options: Pick<LintOptions, 'postgres' | 'preset' | 'rules'>): Severity | 'off' {
  if (options.postgres < rule.postgres.from || options.postgres > (rule.postgres.until ?? Infinity)) return 'off';
  const wanted = Object.hasOwn(options.rules, rule.id) ? options.rules[rule.id] : undefined;
  if (wanted !== undefined) return wanted;
  const own = typeof rule.severity === 'string'
    ? rule.severity
    : (rule.severity.toSorted((a, b) => b.from - a.from).find(step => step.from <= options.postgres)?.severity ?? 'off');
  return own === 'note' && options.preset !== 'all' ? 'off' : own;
}

/** A problem on its way to becoming a finding. */
interface Raised {
  readonly rule: string;
  readonly severity: Severity;
  readonly problem: Problem;
  readonly ordinal: number;
  readonly owner: Owner | undefined;
  /** The statement whose step raised it; absent for the end of a migration, a deploy or the history. */
  readonly statement: Statement | undefined;
  /** The relation when its migration had ended; absent when it was gone by then, or never known. */
  alive?: ObjectId;
}

/** A statement and the migration it belongs to; `order` is the place of the migration among the runs. */
interface Owner {
  readonly statement: Statement;
  readonly migration: Migration;
  readonly order: number;
}

function lintHistory(history: History, rules: readonly Rule[], options: LintOptions): LintResult {
  const places = placesOf(history);
  const active = rules.flatMap(rule => {
    const severity = severityOf(rule.meta, options);
    return severity === 'off' || rule.meta.raisedBy !== undefined ? [] : [{ rule, severity }];
  });
  const raised: Raised[] = [];
  const crashes = new Map<string, Crash>();
  const gaps: Gap[] = [...history.gaps];
  const predicted = new Map<number, Refusal>();
  const crash = (rule: string, path: string, error: unknown): void => {
    const because = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    crashes.set(`${rule}\0${path}\0${because}`, { rule, path, because });
  };

  const judge = (step: Step, synthetic: boolean, migrationStart: Catalog, deployStart: Catalog): void => {
    const context: Context = {
      step,
      postgres: options.postgres,
      migrationStart,
      deployStart,
      facts: (view, catalog = step.after) => factsOf(view, catalog),
      inUse: relation => {
        const then = deployStart.get(relation.id);
        return then?.kind === 'matview' ? then.everPopulated : then !== undefined;
      },
    };
    const statement = synthetic ? undefined : step.statement;
    for (const effect of step.effects)
      for (const { rule, severity } of active) {
        try {
          for (const problem of check(rule, effect, context))
            raised.push({ rule: rule.meta.id, severity, problem, ordinal: step.ordinal, owner: places.at(problem.span, step.migration), statement });
        } catch (error) {
          crash(rule.meta.id, step.statement.span.path, error);
        }
      }
  };

  /** The last step with other effects: how the end of something reaches the rules. */
  const judgeEnd = (last: Step, end: Catalog, effect: (via: Effect['via']) => Effect, migrationStart: Catalog, deployStart: Catalog): void => {
    const { refusal: _, ...step } = last;
    judge({ ...step, after: end, effects: [effect({ kind: 'statement', span: last.statement.span })], locks: [] }, true, migrationStart, deployStart);
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
    for (const step of run.steps) judge(step, false, run.start, deploy.start);
    const last = run.steps.at(-1);
    if (last !== undefined) {
      judgeEnd(last, run.end, via => ({ kind: 'endOfMigration', via, start: run.start, steps: run.steps }), run.start, deploy.start);
      lastStep = { step: last, migrationStart: run.start, deployStart: deploy.start };
    }
    const lastOfDeploy = deploy.steps.at(-1);
    if (deploy.over && lastOfDeploy !== undefined)
      judgeEnd(lastOfDeploy, run.end, via => ({ kind: 'endOfDeploy', via, start: deploy.start, steps: deploy.steps }), run.start, deploy.start);
    remember(raised, first, run.end);
  };
  try {
    const replayed = replay(history, { postgres: options.postgres, ...options.session });
    let next = replayed.next();
    for (; !next.done; next = replayed.next()) migration(next.value);
    end = next.value;
    if (lastStep !== undefined) judgeEnd(lastStep.step, end, via => ({ kind: 'endOfHistory', via }), lastStep.migrationStart, lastStep.deployStart);
  } catch (error) {
    crash('replay', history.root, error);
  }

  const reported = (owner: Owner | undefined): boolean => owner === undefined || options.only === undefined || options.only(owner.migration);
  const suppression = suppressionOf(places, rules, options);
  const seen = new Set<string>();
  const unique = raised.toSorted(inOrder).filter(one => {
    const key = JSON.stringify([one.rule, one.problem.span, one.problem.message, one.problem.relation]);
    return !seen.has(key) && seen.add(key);
  });
  const drafts = fingerprinted(history, [...unique], places);
  const audible = drafts.filter(draft => !suppression.silences(draft.raised));
  const own = fingerprinted(history, suppression.unused(), places);
  const shown: Draft[] = [];
  let hidden = 0;
  for (const draft of [...audible, ...own].sort((a, b) => inOrder(a.raised, b.raised))) {
    if (!reported(draft.raised.owner)) continue;
    if (!options.allHistory && end !== undefined && isHistory(draft.raised, end, crash)) hidden += 1;
    else shown.push(draft);
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
    suppressed: suppression.count(reported),
    hidden,
  };
  return { report, claims: [{ history, claims: merged.claims, predicted }] };
}

/** The key of `check` decides the type of the effect; the compiler cannot follow that through the index. */
function check(rule: Rule, effect: Effect, context: Context): Iterable<Problem> {
  const handler = rule.check[effect.kind] as ((effect: Effect, context: Context) => Iterable<Problem>) | undefined;
  return handler === undefined ? [] : handler.call(rule.check, effect, context);
}

// ── Places ──────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Places {
  /** The statement that holds the start of a span; of several migrations that include the file, the preferred one. */
  at(span: Span, preferred?: Migration): Owner | undefined;
  readonly owners: readonly Owner[];
}

function placesOf(history: History): Places {
  const byPath = new Map<string, Owner[]>();
  const order = new Map<Migration, number>();
  for (const run of runs(history)) if (run.judged) order.set(run.migration, order.size);
  const owners: Owner[] = [];
  for (const [migration, index] of order)
    for (const unit of migration.up)
      for (const statement of unit.statements) {
        const owner = { statement, migration, order: index };
        owners.push(owner);
        if (byPath.get(statement.span.path)?.push(owner) === undefined) byPath.set(statement.span.path, [owner]);
      }
  for (const list of byPath.values()) list.sort((a, b) => a.statement.span.start - b.statement.span.start || a.order - b.order);
  return {
    owners,
    at(span, preferred) {
      const list = byPath.get(span.path);
      if (list === undefined) return undefined;
      let [low, high] = [0, list.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((list[middle]?.statement.span.start ?? Infinity) <= span.start) low = middle + 1;
        else high = middle;
      }
      // Text between two statements (a directive, a gap) belongs to the one before it; above the first one, to the first.
      const found = list[low - 1] ?? list[0];
      if (found === undefined || preferred === undefined || found.migration === preferred) return found;
      for (let index = low - 1; index >= 0 && list[index]?.statement.span.start === found.statement.span.start; index -= 1)
        if (list[index]?.migration === preferred) return list[index];
      return found;
    },
  };
}

function inOrder(a: Raised, b: Raised): number {
  const [one, two] = [a.problem.span, b.problem.span];
  return (a.owner?.order ?? Infinity) - (b.owner?.order ?? Infinity) || compare(one.path, two.path) || one.start - two.start || one.end - two.end
    || gravity.indexOf(a.severity) - gravity.indexOf(b.severity) || compare(a.rule, b.rule) || compare(a.problem.message, b.problem.message);
}
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

// ── Deploys ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Groups judged runs into deploys: all pending ones together, the others by their number; second runs of repeatables apart from first runs. */
function deploysOf(history: History, pending: ((migration: Migration) => boolean) | undefined) {
  const key = (migration: Migration, pass: 1 | 2): string => `${pass}:${pending?.(migration) === true ? 'pending' : migration.deploy}`;
  const left = new Map<string, number>();
  for (const run of runs(history)) if (run.judged) left.set(key(run.migration, run.pass), (left.get(key(run.migration, run.pass)) ?? 0) + 1);
  const open = new Map<string, { readonly start: Catalog; readonly steps: Step[] }>();
  return {
    enter(run: ReplayedMigration): { readonly start: Catalog; readonly steps: readonly Step[]; readonly over: boolean } {
      const id = key(run.migration, run.pass);
      const deploy = open.get(id) ?? { start: run.start, steps: [] };
      deploy.steps.push(...run.steps);
      const remaining = (left.get(id) ?? 1) - 1;
      left.set(id, remaining);
      if (remaining > 0) open.set(id, deploy);
      else open.delete(id);
      return { ...deploy, over: remaining <= 0 };
    },
  };
}

// ── History ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Notes, for the findings of one migration, which relation their name means when it has ended. */
function remember(raised: readonly Raised[], from: number, end: Catalog): void {
  for (let index = from; index < raised.length; index += 1) {
    const one = raised[index];
    const name = one?.problem.relation === undefined ? undefined : writtenName(one.problem.relation);
    const found = name === undefined ? undefined : end.find(name);
    if (one !== undefined && found?.is === 'present') one.alive = found.object.id;
  }
}

/** True when a later migration repaired the damage or removed the relation. One that was gone when its migration ended is the finding itself. */
function isHistory(one: Raised, end: Catalog, crash: (rule: string, path: string, error: unknown) => void): boolean {
  if (one.problem.stillTrue !== undefined) {
    try {
      if (!one.problem.stillTrue(end)) return true;
    } catch (error) {
      crash(one.rule, one.problem.span.path, error);
    }
  }
  if (one.alive === undefined || one.problem.relation === undefined || end.get(one.alive) !== undefined) return false;
  const name = writtenName(one.problem.relation);
  return name !== undefined && end.find(name).is !== 'present';
}

/** Reads `schema.name` as `quoteName` prints it. */
function writtenName(text: string): WrittenName | undefined {
  const parts = [...text.matchAll(/"((?:[^"]|"")*)"|([^".]+)/g)].map(match => match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
  const [first, second] = parts;
  if (first === undefined || parts.length > 2) return undefined;
  return second === undefined ? { name: first } : { schema: first, name: second };
}

// ── Ignores ─────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Entry {
  readonly ignore: Ignore;
  readonly owner: Owner;
  /** The rules it has silenced. */
  readonly used: Set<string>;
}

function suppressionOf(places: Places, rules: readonly Rule[], options: LintOptions) {
  const known = new Map(rules.map(rule => [rule.meta.id, rule.meta]));
  const severity = (id: string): Severity | 'off' => {
    const meta = known.get(id);
    return meta === undefined ? (engineSeverity[id] ?? 'off') : severityOf(meta, options);
  };
  const all = new Map<string, Entry>();
  const ofFile = new Map<string, Entry[]>();
  const key = (ignore: Ignore): string => `${ignore.span.path}\0${ignore.span.start}`;
  for (const owner of places.owners)
    for (const ignore of owner.statement.ignores) {
      if (all.has(key(ignore))) continue;
      const entry = { ignore, owner, used: new Set<string>() };
      all.set(key(ignore), entry);
      if (ignore.scope === 'file') ofFile.set(ignore.span.path, [...(ofFile.get(ignore.span.path) ?? []), entry]);
    }
  const silenced: (Owner | undefined)[] = [];
  const silences = (one: Raised): boolean => {
    const holder = one.owner?.statement;
    const holds = holder !== undefined && one.problem.span.start < holder.span.end;
    const candidates = [
      ...(ofFile.get(one.problem.span.path) ?? []),
      ...[...(holds ? holder.ignores : []), ...(one.statement !== holder ? (one.statement?.ignores ?? []) : [])]
        .filter(ignore => ignore.scope === 'statement').flatMap(ignore => all.get(key(ignore)) ?? []),
    ].filter(({ ignore }) => ignore.reason !== '' && ignore.rules.includes(one.rule));
    for (const { used } of candidates) used.add(one.rule);
    if (candidates.length > 0) silenced.push(one.owner);
    return candidates.length > 0;
  };
  const own = (rule: string, entry: Entry, message: string): Raised[] => {
    const grave = severity(rule);
    return grave === 'off' ? [] : [{ rule, severity: grave, problem: { span: entry.ignore.span, message }, ordinal: 0, owner: entry.owner, statement: undefined }];
  };
  const idle = (entry: Entry, id: string): Raised[] => {
    if (!known.has(id) && engineSeverity[id] === undefined) return own('no-unused-ignore', entry, `No rule is named ${id}.`);
    if (entry.ignore.reason === '' || entry.used.has(id) || severity(id) === 'off') return [];
    const where = entry.ignore.scope === 'file' ? 'in this file' : 'here';
    return own('no-unused-ignore', entry, `This ignore suppresses nothing: ${id} has no finding ${where}.`);
  };
  return {
    /** True when an ignore with a reason names the rule, on the statement that holds the finding, the one that raised it, or the file. */
    silences,
    /** Findings about the ignores themselves. They may be ignored in turn, which is why ignores of `no-unused-ignore` come last. */
    unused(): Raised[] {
      const entries = [...all.values()];
      const found = entries.flatMap(entry => [
        ...(entry.ignore.rules.length === 0 ? own('no-unused-ignore', entry, 'This ignore names no rule, so it suppresses nothing.') : []),
        ...(entry.ignore.reason === '' ? own('no-unexplained-ignore', entry, 'This ignore gives no reason, so it suppresses nothing.') : []),
        ...entry.ignore.rules.filter(id => engineSeverity[id] === undefined).flatMap(id => idle(entry, id)),
      ]).filter(one => !silences(one));
      return [...found, ...entries.flatMap(entry => entry.ignore.rules.filter(id => engineSeverity[id] !== undefined).flatMap(id => idle(entry, id)))];
    },
    count: (counted: (owner: Owner | undefined) => boolean): number => silenced.filter(counted).length,
  };
}

// ── Findings ────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Draft {
  readonly raised: Raised;
  readonly finding: Finding;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Findings of problems, with fingerprints that survive moves of lines and files. The problems come in report order, before anything is dropped. */
function fingerprinted(history: History, raised: readonly Raised[], places: Places): Draft[] {
  const texts = new Map<Statement, string>();
  const equals = new Map<string, number>();
  return raised.map(one => {
    const { span, message, relation, fixes, evidence } = one.problem;
    const path: readonly Evidence[] = evidence?.length ? evidence : [{ span, says: message }];
    const statement = places.at(path.at(-1)?.span ?? span)?.statement;
    if (statement !== undefined && !texts.has(statement)) texts.set(statement, digest(normalText(statement.sql)));
    const identity = JSON.stringify([one.rule, history.id, relation ?? '', statement === undefined ? '' : texts.get(statement)]);
    const ordinal = equals.get(identity) ?? 0;
    equals.set(identity, ordinal + 1);
    const finding: Finding = {
      history: history.id, rule: one.rule, severity: one.severity, message, span, ...(relation === undefined ? {} : { relation }),
      evidence: path, fixes: fixes ?? [], also: [], fingerprint: digest(`${identity}\0${ordinal}`),
    };
    return { raised: one, finding };
  });
}

/** The order of headlines: the smaller number is the graver mistake. */
function rank(rule: string): number {
  const index = ['no-recreate-in-place', 'no-drop-cascade', 'no-broken-refresh'].indexOf(rule);
  return index >= 0 ? index : rule.startsWith('no-lost-') ? 3 : 4;
}

/** Files each finding whose cause statement and relation are those of a graver one under that one. */
function merge(drafts: readonly Draft[], places: Places): { findings: readonly Finding[]; claims: readonly Claim[] } {
  const groups = new Map<string, Draft[]>();
  const ids = new Map<Statement, number>();
  const idOf = (statement: Statement): number => ids.get(statement) ?? (ids.set(statement, ids.size), ids.size - 1);
  for (const draft of drafts) {
    const cause = places.at(draft.finding.evidence[0]?.span ?? draft.finding.span)?.statement;
    const key = cause === undefined || draft.finding.relation === undefined ? `alone ${groups.size}` : `${idOf(cause)} ${draft.finding.relation}`;
    if (groups.get(key)?.push(draft) === undefined) groups.set(key, [draft]);
  }
  const grave = ({ finding }: Draft): number => rank(finding.rule) * 10 + gravity.indexOf(finding.severity);
  const heads = new Map<Draft, Draft[]>();
  for (const group of groups.values()) {
    const gravest = Math.min(...group.map(grave));
    const first = group.find(draft => grave(draft) === gravest);
    for (const draft of group)
      if (grave(draft) === gravest) heads.set(draft, draft === first ? group.filter(other => grave(other) > gravest) : []);
  }
  const claims: Claim[] = [];
  const claimed = ({ raised }: Draft, finding: Finding): Finding => {
    if (raised.problem.experiment !== undefined) claims.push({ finding, ordinal: raised.ordinal, experiment: raised.problem.experiment });
    return finding;
  };
  const findings = drafts.flatMap(draft => {
    const lesser = heads.get(draft);
    if (lesser === undefined) return [];
    const also = lesser.toSorted((a, b) => grave(a) - grave(b)).map(other => claimed(other, other.finding));
    return [claimed(draft, also.length === 0 ? draft.finding : { ...draft.finding, also })];
  });
  return { findings, claims };
}
