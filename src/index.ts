/**
 * The public API: plain data in, plain data out. `open` reads a repository through the `Files` port, `lint` judges it synchronously, `prove` tries the
 * findings on a throwaway Postgres and is the only part that needs one.
 */
import { rules } from '../rules/index.ts';
import { lint as lintHistories, severityOf, type LintOptions, type LintResult } from './lint.ts';
import type { Files, Finding, History, Known, Meta, Migration, Name, ObservedView, Preset, Report, Severity, Span, Trace, Verdict, WrittenName } from './model.ts';
import type { ObserveOptions } from './lint/observe.ts';
import type { Scratch as ScratchDatabase } from './live/server/scratch.ts';
import type { Host as EmbeddedServers } from './live/host.ts';
import type { ReadSession as DatabaseSession } from './live/server/session.ts';
import { eligibilityIn, type EligibilityFound } from './lint/ivm.ts';
import { isSqlFile } from './read/psql.ts';
import { readHistories, sourceText, type ReadOptions } from './read/read.ts';
import { parseAhead, startAhead } from './sql/ahead.ts';
import type { EngineInShort } from './lint/inventory.ts';

export type * from './model.ts';
export type { HistoryClaims, LintOptions, LintResult } from './lint.ts';
export { joined } from './lint.ts';
export { explainViews, type Concurrently, type ExplainedColumn, type ExplainedIndex, type ViewExplanation, type ViewsFound } from './lint/explain-view.ts';
export {
  type EligibilityFound, type EngineAnswer, type ShownObstacle, type ShownRewriting, type ViewAnswers, type ViewKind,
} from './lint/ivm.ts';
export { applyFixes, type Applied } from './lint/fixes.ts';
export { refreshesInSource, type OutsideSite } from './catalog/code/search.ts';
export { readSnapshot, type ReadSnapshot } from './catalog/snapshot.ts';
export { readWrittenName } from './sql/names.ts';
export { toolIds } from './read/read.ts';
export type { ReadOptions } from './read/read.ts';
export { diskFiles, filterFiles, memoryFiles, overlayFiles } from './read/files.ts';
export { flagsForThreads, type ChangedFlags } from './sql/thread-flags.ts';
export { useThread } from './sql/ahead.ts';
export type { ParserThread } from './sql/thread.ts';
export { changedSince, gitFiles, resolveRevision } from './read/git.ts';

/** Postgres majors that mvlint knows; the last one is the default. */
export const postgresMajors = [14, 15, 16, 17, 18] as const;

/** One reading of a repository: its histories, and the errors of use met on the way (an ambiguous tool, a named path that is missing). */
export interface Session {
  readonly files: Files;
  readonly histories: readonly History[];
  readonly problems: readonly string[];
  /** The source paths to report on, when something was named; the histories they belong to are read whole. */
  readonly reported?: ReadonlySet<string>;
  /** The decoded text of a source, as spans count it; undefined when it cannot be read. */
  readonly text: (path: string) => string | undefined;
}

/** Reads every history that the files hold. Never rejects for what stands in the files. */
export async function open(given: Files, options: ReadOptions = {}): Promise<Session> {
  const { histories, problems, reported, files } = readHistories(startingAhead(given), options);
  parseAhead(textsOf(histories));
  const texts = new Map<string, string | undefined>();
  return {
    files, histories, problems, ...(reported === undefined ? {} : { reported }),
    text(path) {
      if (!texts.has(path)) texts.set(path, sourceText(files, path));
      return texts.get(path);
    },
  };
}

/** What the replay will ask the parser for, in that order. */
function textsOf(histories: readonly History[]): readonly string[] {
  const texts: string[] = [];
  for (const { migrations } of histories) for (const { up } of migrations) for (const { statements } of up) for (const { sql } of statements) texts.push(sql);
  return texts;
}

/** So many SQL files are likely to be worth the thread. */
const manyFiles = 200;

/** The same files, listed once; when there are many, the thread starts that will parse ahead. */
function startingAhead(files: Files): Files {
  const all = files.list('');
  if (all.filter(isSqlFile).length >= manyFiles) startAhead();
  return { list: under => (under === '' ? all : files.list(under)), read: path => files.read(path), readText: path => files.readText?.(path) };
}

/** Judges the histories of a session with the built-in rules; what was named when it was opened narrows the report. Synchronous, no IO. */
export function lint(session: Session, options: Partial<LintOptions> = {}): LintResult {
  const { only, ...rest } = { postgres: 18, preset: 'recommended', rules: {}, allHistory: false, ...options } satisfies LintOptions;
  const wanted = wantedOf(session, only);
  return lintHistories(session.histories, rules, { ...rest, ...(wanted === undefined ? {} : { only: wanted }) });
}

/** The migrations that the session reports on, of those that the caller wants; undefined: all of them. */
function wantedOf({ reported }: Session, only: ((migration: Migration) => boolean) | undefined): ((migration: Migration) => boolean) | undefined {
  const wanted = reported === undefined ? only
    : (migration: Migration): boolean => (only?.(migration) ?? true) && [...pathsOf(migration)].some(path => reported.has(path));
  return wanted && remembered(wanted);
}

/** A predicate that is asked often and whose answer does not change. */
function remembered(holds: (migration: Migration) => boolean): (migration: Migration) => boolean {
  const answers = new Map<Migration, boolean>();
  return migration => {
    const answer = answers.get(migration) ?? holds(migration);
    answers.set(migration, answer);
    return answer;
  };
}

/** How long one experiment took, the making of its copy included. */
export interface ExperimentTiming {
  readonly finding: Finding;
  /** Absent when the budget was gone. */
  readonly verdict?: Verdict;
  readonly ms: number;
}

/** What `eligibility` replays with. */
export interface EligibilityOptions {
  readonly postgres?: number;
  readonly searchPath?: readonly string[];
  readonly role?: string;
  readonly engineVersions?: LintOptions['engineVersions'];
}

/** What pg_ivm, pg_trickle and TimescaleDB say of the views at the end of every history; with names, of those alone. Synchronous, no IO. */
export function eligibility(session: Session, names: readonly WrittenName[] = [], options: EligibilityOptions = {}): EligibilityFound {
  const { postgres, searchPath, role, engineVersions } = options;
  return eligibilityIn(session.histories, names, () => ({
    ...(postgres === undefined ? {} : { postgres }), ...(searchPath === undefined ? {} : { searchPath }), ...(role === undefined ? {} : { role }),
    ...(engineVersions === undefined ? {} : { engineVersions }),
  }));
}

export interface ProveOptions {
  /** Milliseconds for everything; what is not tried by then is unproven. */
  readonly budget: number;
  /** Told what is being tried, for people who wait. */
  readonly progress?: (message: string) => void;
  /** Told after each history how long its experiments took, in the order in which they ended. */
  readonly timed?: (timing: ExperimentTiming) => void;
  /** Where a pristine data directory is kept between runs. */
  readonly cacheDir?: string;
  /** Where servers come from, when one was begun before. */
  readonly servers?: EmbeddedServers;
}

export type { Host as EmbeddedServers } from './live/host.ts';

/**
 * Begins an embedded server for `prove`, so that it starts beside the reading and the linting. Resolves when it is under way, and does not reject: what is wrong is
 * said when it is asked for. Whoever does not ask for it ends it with `cool`.
 */
export async function beginEmbedded(cacheDir?: string): Promise<EmbeddedServers> {
  const { embeddedHost } = await import('./live/embedded.ts');
  const host = embeddedHost(cacheDir);
  await host.warm?.({});
  return host;
}

/**
 * Tries every claim on an embedded Postgres and returns the report with the verdicts. A refuted finding becomes a note. Where Postgres and the replay
 * disagree about a refusal, the report says so as a gap. Rejects when the embedded server is not installed or does not start.
 */
export async function prove(result: LintResult, options: ProveOptions): Promise<Report> {
  const { proveClaims } = await import('./live/prove.ts');
  const verdicts = new Map<Finding, Verdict>();
  const gaps = [...result.report.gaps];
  const { postgres } = result.report;
  const until = performance.now() + options.budget;
  for (const { history, claims, predicted } of result.claims) {
    if (claims.length === 0) continue;
    const proof = await proveClaims(history, claims, predicted, { ...options, ...(options.servers === undefined ? {} : { host: options.servers }), postgres, budget: Math.max(0, until - performance.now()) });
    for (const [claim, verdict] of proof.verdicts) verdicts.set(claim.finding, verdict);
    for (const { claim, ms } of proof.timings) {
      const verdict = proof.verdicts.get(claim);
      options.timed?.({ finding: claim.finding, ms, ...(verdict ? { verdict } : {}) });
    }
    for (const gap of proof.gaps) gaps.push({ ...gap, history: history.id });
    for (const surprise of proof.surprises) gaps.push({ history: history.id, span: surprise.span, because: disagreement(surprise) });
  }
  const judged = (finding: Finding): Finding => {
    const verdict = verdicts.get(finding);
    const also = finding.also.map(judged);
    if (verdict === undefined) return { ...finding, also };
    return { ...finding, also, verdict, severity: verdict.kind === 'refuted' ? 'note' : finding.severity };
  };
  return { ...result.report, findings: result.report.findings.map(judged), gaps };
}

function disagreement({ predicted, seen }: { readonly predicted?: { readonly sqlstate: string }; readonly seen?: { readonly sqlstate: string; readonly message: string } }): string {
  if (seen === undefined) return `Postgres runs this statement, where the replay expected a refusal (${predicted?.sqlstate ?? 'unknown'})`;
  const expected = predicted === undefined ? 'the replay expected it to run' : `the replay expected ${predicted.sqlstate}`;
  return `Postgres refuses this statement (${seen.sqlstate}: ${seen.message}), where ${expected}`;
}

export type { EngineInShort } from './lint/inventory.ts';
export type { ObserveOptions } from './lint/observe.ts';
export type { ReadSession as DatabaseSession } from './live/server/session.ts';

/**
 * Opens somebody's database for reads: `uri` as libpq reads it, PG* variables behind it. Rejects with an error named `ServerUnavailable`, whose message
 * is one line without the URL or a password.
 */
export async function connectDatabase(uri: string): Promise<DatabaseSession> {
  return (await import('./live/server/session.ts')).openSession(uri);
}

export type { Scratch as ScratchDatabase } from './live/server/scratch.ts';

/**
 * Opens an empty database that may be written to: its name ends in `_scratch`, or the caller says that it is disposable. Rejects with an error named
 * `ServerUnavailable`, whose message is one line without the URL or a password.
 */
export async function openScratchDatabase(uri: string, disposable = false): Promise<ScratchDatabase> {
  return (await import('./live/server/scratch.ts')).openScratch(uri, disposable);
}

export interface TraceOptions {
  /** The embedded server when absent. */
  readonly database?: ScratchDatabase;
  /** Which migrations are told, of those that the session reports on. */
  readonly only?: (migration: Migration) => boolean;
  /** Rows that empty tables get before each told migration; none when absent. */
  readonly rows?: number;
  readonly searchPath?: readonly string[];
  /** Told which migration runs. */
  readonly progress?: (message: string) => void;
}

/**
 * Replays the histories on a throwaway Postgres, each on one of its own, and tells what the server was seen to do, statement by statement. Rejects with an error
 * named `LiveUnavailable` or `ServerUnavailable` when there is none.
 */
export async function trace(session: Session, options: TraceOptions = {}): Promise<readonly Trace[]> {
  const { database, ...rest } = options;
  const only = wantedOf(session, options.only);
  const { traceHistory } = await import('./live/trace/trace.ts');
  const traces: Trace[] = [];
  for (const history of session.histories) traces.push(await traceHistory(history, { ...rest, ...(database === undefined ? {} : { host: database.host }), ...(only === undefined ? {} : { only }) }));
  return traces;
}

/** The catalog of a database as text that can be kept: what `readSnapshot` reads. `tool`: the version of mvlint that writes it. */
export async function takeSnapshot(session: DatabaseSession, tool: string): Promise<string> {
  const [{ readCatalog }, { writeSnapshot }] = await Promise.all([import('./live/server/catalog.ts'), import('./catalog/snapshot.ts')]);
  return writeSnapshot(await readCatalog(session), tool);
}

/** One view of an inventory, with what the engines of incremental maintenance would say of its query; the first obstacle, or the missing fact. */
export interface InventoryView extends ObservedView {
  readonly engines: readonly EngineInShort[];
}

/** What a database says of all its materialized views, in the order of their names. */
export interface Inventory {
  readonly postgres: number;
  readonly standby: boolean;
  readonly replicas: Known<number>;
  readonly extensions: Readonly<Record<string, string>>;
  readonly views: readonly InventoryView[];
  /** Views that could not be asked, and why. */
  readonly unseen: readonly { readonly name: Name; readonly because: string }[];
}

/** Asks one view after the other, each in a transaction of its own. `progress` is told which. Rejects when the connection is lost. */
export async function takeInventory(session: DatabaseSession, options: { readonly explain?: boolean; readonly progress?: (message: string) => void } = {}): Promise<Inventory> {
  const [{ observedServer, viewNames }, { readCatalog }, { enginesOf }] = await Promise.all([
    import('./live/server/view.ts'), import('./live/server/catalog.ts'), import('./lint/inventory.ts'),
  ]);
  options.progress?.('reading the catalog');
  const catalog = await readCatalog(session);
  const server = await observedServer(session, options);
  const views: InventoryView[] = [];
  const unseen: { name: Name; because: string }[] = [];
  for (const name of await viewNames(session)) {
    options.progress?.(`${name.schema}.${name.name}`);
    const view = await server.view(name);
    // A view that was dropped since the list was made is none.
    if (view !== undefined && 'unknown' in view) unseen.push({ name, because: view.unknown });
    else if (view !== undefined) views.push({ ...view, engines: enginesOf(name, catalog) });
  }
  const { postgres, replicas, extensions } = server;
  return { postgres, standby: session.standby, replicas, extensions, views, unseen };
}

/**
 * Holds the findings against somebody's database, which is only read, and adds what differs from the history (no-drift). A refuted finding becomes a note.
 * Rejects when the connection is lost.
 */
export async function observe(result: LintResult, session: DatabaseSession, options: ObserveOptions): Promise<Report> {
  return (await import('./lint/observe.ts')).observe(result, session, options);
}

/** A rule as the tables and pages show it. */
export interface RuleDescription extends Meta {
  /** The presets that hold it for the given Postgres. */
  readonly presets: readonly Preset[];
  /** Its severity for the given Postgres, `off` when it does not hold there. */
  readonly now: Severity | 'off';
}

/** Every rule, by id. */
export function describe(postgres = 18): readonly RuleDescription[] {
  const presets: readonly Preset[] = ['recommended', 'all', 'ivm'];
  return rules
    .map(({ meta }) => ({
      ...meta,
      now: severityOf(meta, { postgres, preset: 'all', rules: {} }),
      presets: presets.filter(preset => severityOf(meta, { postgres, preset, rules: {} }) !== 'off'),
    }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The page of a rule as Markdown, from its meta; undefined when there is no such rule. */
export function explain(id: string): string | undefined {
  const meta = rules.find(rule => rule.meta.id === id)?.meta;
  if (meta === undefined) return undefined;
  const section = (title: string, text: string | undefined): string[] => (text === undefined ? [] : [`## ${title}`, text.trim()]);
  const severity = typeof meta.severity === 'string' ? meta.severity : meta.severity.map(step => `${step.severity} from Postgres ${step.from}`).join(', ');
  const until = meta.postgres.until === undefined ? 'and later' : `to ${meta.postgres.until}`;
  return [
    `# ${meta.id}`, meta.summary, `Severity: ${severity}. Postgres ${meta.postgres.from} ${until}.`,
    ...section('Why', meta.why), ...section('What to do', meta.fix), ...section('Exceptions', meta.exceptions),
    ...section('References', meta.references.length === 0 ? undefined : meta.references.map(link => `- ${link}`).join('\n')),
  ].join('\n\n') + '\n';
}

/** Every path a migration's statements stand in: its own file and what it includes. */
export function pathsOf(migration: Migration): ReadonlySet<string> {
  const spans: Span[] = [...migration.up, ...(migration.down ?? [])].flatMap(unit => unit.statements.map(statement => statement.span));
  return new Set([migration.path, ...spans.map(span => span.path)]);
}
