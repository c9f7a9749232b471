/** Findings held against somebody's database: what it says of the views, and how it differs from the history. */
import { readCatalog } from '../live/server/catalog.ts';
import type { ReadSession } from '../live/server/session.ts';
import { observedServer } from '../live/server/view.ts';
import type { Catalog, Finding, Gap, History, Known, Migration, Name, ObservedView, Problem, Report, Server, Verdict } from '../model.ts';
import { readWrittenName } from '../sql/names.ts';
import { driftOf, type DriftOptions } from './drift.ts';
import type { Observation } from './findings.ts';
import { sizeText } from './size.ts';
import { standingOf, type Moment, type Standing } from './standing.ts';

/** What a database is asked about one history. */
export interface ObservedHistory {
  readonly history: History;
  readonly observations: readonly Observation[];
  /** The history once more: the catalog after each migration that was judged. */
  readonly moments: () => readonly Moment[];
  /** Migrations that the database need not have seen. */
  readonly pending: (migration: Migration) => boolean;
  /** The replay began with a saved catalog. */
  readonly fromCatalog: boolean;
  /** With which the migrations run, where somebody said so. */
  readonly searchPath?: readonly string[];
  /** Findings of a rule that only a database shows; what an ignore silences is left out. */
  readonly raise: (rule: string, problems: readonly Problem[]) => readonly Observation[];
}

export interface ObserveOptions {
  /** Milliseconds for everything. */
  readonly budget: number;
  /** Bytes below which a view is small, and from which it is huge. */
  readonly sizes: { readonly small: number; readonly huge: number };
  readonly explain?: boolean;
  readonly progress?: (message: string) => void;
}

const unproven = (says: string, numbers?: Verdict['numbers']): Verdict => ({ kind: 'unproven', says, ...(numbers === undefined ? {} : { numbers }) });
const isKnown = <T>(value: Known<T>): value is T => !(typeof value === 'object' && value !== null && 'unknown' in value);
/** `1,234 rows`, `1 row`. */
const counted = (count: number, one: string): string => `${Math.round(count).toLocaleString('en-US')} ${one}${Math.round(count) === 1 ? '' : 's'}`;

/** How much a view weighs: size, rows, use. The words for people, and the numbers for machines. */
export function weightOf(
  view: ObservedView, replicas: Known<number>, sizes: ObserveOptions['sizes'],
): { readonly says: string; readonly numbers: Readonly<Record<string, number>> } {
  const { bytes, rows, scans, readers, plan } = view;
  const kind = !isKnown(bytes) ? 'is of unknown size' : bytes < sizes.small ? `is small (${sizeText(bytes)})`
    : bytes >= sizes.huge ? `is huge (${sizeText(bytes)})` : `has ${sizeText(bytes)}`;
  const parts = [
    ...(isKnown(rows) ? [counted(rows, 'row')] : []), ...(isKnown(scans) ? [counted(scans, 'scan')] : []),
    ...(readers > 0 ? [`${counted(readers, 'session')} reading it now`] : []), `${counted(view.dependants.length, 'view')} over it`,
    ...(isKnown(replicas) && replicas > 0 ? [counted(replicas, 'standby')] : []),
  ];
  const planned = plan !== undefined && isKnown(plan) ? ` at a planned cost of ${Math.round(plan.cost).toLocaleString('en-US')}` : '';
  return {
    says: `There it ${kind}, with ${parts.join(', ')}; a refresh reads ${sizeText(view.cost.bytes)}${planned}.`,
    numbers: {
      ...(isKnown(bytes) ? { bytes } : {}), ...(isKnown(rows) ? { rows } : {}), ...(isKnown(scans) ? { scans } : {}), readers, dependants: view.dependants.length,
      ...(isKnown(replicas) ? { replicas } : {}), 'refresh reads bytes': view.cost.bytes,
    },
  };
}

/** The relation of a finding, as its rule printed it: a name without a schema is one of public. */
function relationOf({ relation }: Finding): Name | undefined {
  const written = relation === undefined ? undefined : readWrittenName(relation);
  return written && { schema: written.schema ?? 'public', name: written.name };
}

/** The verdict of one finding: the rule's own where it has one and the database has seen the migration, with what the view weighs. */
async function verdictOf({ finding, observe, order }: Observation, server: Server, standing: Standing | undefined, sizes: ObserveOptions['sizes']): Promise<Verdict> {
  const name = relationOf(finding);
  const view = name === undefined ? undefined : await server.view(name);
  if (name === undefined) return unproven('The finding is about no view that a database could be asked about.');
  if (standing === undefined) return unproven('The database has nothing of what these migrations make.');
  if (view === undefined) return unproven('The database has no materialized view of that name.');
  if ('unknown' in view) return unproven(`The view could not be looked at: ${view.unknown}.`);
  const weight = weightOf(view, server.replicas, sizes);
  if (order === undefined || order >= standing.applied) return unproven(`The database has not seen this migration yet. ${weight.says}`, weight.numbers);
  const verdict: Verdict = observe === undefined ? unproven('A database that is only read cannot show it.') : await observe(server);
  return { ...verdict, says: `${verdict.says} ${weight.says}`, numbers: { ...weight.numbers, ...verdict.numbers } };
}

interface Observed {
  readonly verdicts: ReadonlyMap<Finding, Verdict>;
  readonly drift: readonly Observation[];
  readonly gaps: readonly Gap[];
}

/** Where a database stands in a history, and what is different there: the findings of no-drift. A saved catalog has no places, and is no history. */
export function driftBeside(
  claims: ObservedHistory, catalog: Catalog, options: DriftOptions, standing = standingOf(claims.moments(), catalog, claims.pending),
): { readonly standing: Standing | undefined; readonly drift: readonly Observation[] } {
  const problems = standing === undefined || claims.fromCatalog ? [] : driftOf(standing, catalog, options);
  return { standing, drift: claims.raise('no-drift', problems) };
}

/** The views whose query is another than the migrations': held against each other on the embedded server, where there is one. */
async function otherQueries(claims: ObservedHistory, catalog: Catalog, standing: Standing | undefined, budget: number, gaps: Gap[]): Promise<ReadonlySet<string>> {
  if (standing === undefined || claims.fromCatalog || standing.last.blind === true) return new Set();
  const views = [...catalog.relations()].filter(relation => relation.kind === 'matview').filter(({ name }) => {
    const ours = standing.last.end.find(name);
    return ours.is === 'present' && ours.object.kind === 'matview';
  });
  const [first] = views;
  const place = standing.last.last ?? claims.history.migrations[0]?.up[0]?.statements[0]?.span;
  if (first === undefined || place === undefined) return new Set();
  try {
    const { compareQueries } = await import('../live/queries.ts');
    const { other, compared } = await compareQueries(claims.history, views, {
      applied: standing.applied, budget, ...(claims.searchPath === undefined ? {} : { searchPath: claims.searchPath }),
    });
    if (compared < views.length) gaps.push({ span: place, because: `the queries of ${views.length - compared} of ${views.length} views of the database were not compared: the embedded server could not make them in time` });
    return other;
  } catch (error) {
    gaps.push({ span: place, because: `the queries of the database's views were not compared: ${error instanceof Error ? error.message : String(error)}` });
    return new Set();
  }
}

async function observeHistory(
  claims: ObservedHistory, catalog: Catalog, server: Server, postgres: number, options: ObserveOptions, until: number,
): Promise<Observed> {
  const { history, observations } = claims;
  const verdicts = new Map<Finding, Verdict>();
  const gaps: Gap[] = [];
  const standing = standingOf(claims.moments(), catalog, claims.pending);
  options.progress?.('comparing queries');
  // Half of the time at most: the findings come first.
  const others = await otherQueries(claims, catalog, standing, (until - performance.now()) / 2, gaps);
  const { drift } = driftBeside(claims, catalog, { sameMajor: server.postgres === postgres, otherQueries: others }, standing);
  const place = history.migrations[0]?.up[0]?.statements[0]?.span;
  if (standing === undefined && place !== undefined)
    gaps.push({ span: place, because: 'the database holds nothing of what these migrations make, so nothing was compared' });
  for (const observation of observations) {
    if (performance.now() > until) {
      verdicts.set(observation.finding, unproven('not tried, time'));
      continue;
    }
    options.progress?.(`${observation.finding.rule} ${observation.finding.relation ?? ''}`);
    verdicts.set(observation.finding, await verdictOf(observation, server, standing, options.sizes));
  }
  for (const { finding } of drift) verdicts.set(finding, { kind: 'confirmed', says: `Seen in the database, which stands after ${standing?.last.migration.id ?? 'no migration'}.` });
  return { verdicts, drift, gaps };
}

interface Placed {
  readonly history: number;
  readonly order: number;
  readonly finding: Finding;
}
const placedAt = (history: number, finding: Finding, order = Infinity): Placed => ({ history, finding, order });

/** As the engine orders: histories, migrations, text. */
function inReportOrder(a: Placed, b: Placed): number {
  const [one, two] = [a.finding.span, b.finding.span];
  if (a.history !== b.history) return a.history - b.history;
  if (a.order !== b.order) return a.order < b.order ? -1 : 1;
  return (one.path < two.path ? -1 : one.path > two.path ? 1 : 0) || one.start - two.start;
}

/** The report with verdicts and drift. A refuted finding becomes a note. Rejects with ServerUnavailable when the connection is lost. */
export async function observe(result: { readonly report: Report; readonly claims: readonly ObservedHistory[] }, session: ReadSession, options: ObserveOptions): Promise<Report> {
  const until = performance.now() + options.budget;
  options.progress?.('reading the catalog');
  const catalog = await readCatalog(session);
  const server = await observedServer(session, { explain: options.explain === true });
  const verdicts = new Map<Finding, Verdict>();
  const gaps = [...result.report.gaps];
  const placed: Placed[] = [];
  for (const [at, claims] of result.claims.entries()) {
    const observed = await observeHistory(claims, catalog, server, result.report.postgres, options, until);
    for (const [finding, verdict] of observed.verdicts) verdicts.set(finding, verdict);
    const known = new Map(claims.observations.map(({ finding, order }) => [finding, order]));
    for (const finding of result.report.findings) if (known.has(finding)) placed.push(placedAt(at, finding, known.get(finding)));
    for (const { finding, order } of observed.drift) placed.push(placedAt(at, finding, order));
    for (const gap of observed.gaps) gaps.push({ ...gap, history: claims.history.id });
  }
  const judged = (finding: Finding): Finding => {
    const verdict = verdicts.get(finding);
    return {
      ...finding, also: finding.also.map(judged),
      ...(verdict === undefined ? {} : { verdict, severity: verdict.kind === 'refuted' ? 'note' : finding.severity }),
    };
  };
  return { ...result.report, findings: placed.toSorted(inReportOrder).map(({ finding }) => judged(finding)), gaps };
}
