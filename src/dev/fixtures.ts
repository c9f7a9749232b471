import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { replay } from '../catalog/replay.ts';
import { emptyCatalog } from '../catalog/store.ts';
import { lint, type LintOptions, type LintResult } from '../lint.ts';
import { driftBeside } from '../lint/observe.ts';
import type { Catalog, Engine, Finding, History, Rule, ToolId, Verdict } from '../model.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';

/** Where the fixtures of the rules lie: `fixtures/<rule-id>/{bad,good}[-*].sql`. */
export const fixturesRoot = join(import.meta.dirname, '../../fixtures');
/** One rule a file, and the pages generated from them. */
export const rulesRoot = join(import.meta.dirname, '../../rules');

/** One file of a fixture, without its expectations. */
export interface FixtureFile {
  readonly path: string;
  /** The SQL without its expectations, line for line. */
  readonly text: string;
}

/** A finding that must start on this line (1-based, in the file of the fixture). */
export interface Want {
  readonly path: string;
  readonly line: number;
  readonly message: string;
  readonly verdict?: Verdict['kind'];
}

/** A statement that starts or ends on this line and that Postgres refuses. */
export interface Refused {
  readonly path: string;
  readonly line: number;
  readonly sqlstate: string;
}

/** A whole migration directory in one file, with what is expected of it. */
export interface Fixture {
  readonly rule: string;
  /** `bad`, `good-swap` … */
  readonly name: string;
  readonly bad: boolean;
  /** The options of the `-- options:` line. */
  readonly options: Readonly<Record<string, string>>;
  readonly files: readonly FixtureFile[];
  /** The text of its `by-hand.sql`: what somebody did to the database beside the migrations. Only live rules have one. */
  readonly byHand?: string;
  readonly wants: readonly Want[];
  readonly refused: readonly Refused[];
}

/** No migration of the fixture: it is run on the database after all of them. */
const byHandFile = 'by-hand.sql';
const fileLine = /^-- (\S+\.sql)$/;
const optionLine = /^-- options:(.*)$/;
const expectation = /\s*-- (?:want "(?<want>[^"]*)"(?: (?<verdict>confirmed|refuted|unproven))?|refused (?<sqlstate>[0-9A-Z]{5}))/g;

/** Line of an offset in a file of the fixture, 1-based. */
export function lineOf(fixture: Fixture, path: string, offset: number): number {
  const text = fixture.files.find(file => file.path === path)?.text ?? '';
  return text.slice(0, offset).split('\n').length;
}

/** Reads a fixture. Text before the first file line may hold options. A fixture without files, or with an unknown option, throws. */
export function parseFixture(rule: string, name: string, text: string): Fixture {
  const options: Record<string, string> = {};
  const files: { path: string; lines: string[] }[] = [];
  const wants: Want[] = [];
  const refused: Refused[] = [];
  for (const line of text.split('\n')) {
    const path = fileLine.exec(line)?.[1];
    if (path !== undefined) {
      files.push({ path, lines: [] });
      continue;
    }
    const file = files.at(-1);
    if (!file) {
      for (const option of optionLine.exec(line)?.[1]?.trim().split(/\s+/) ?? []) {
        const [key = '', value = ''] = option.split('=');
        if (!['pending', 'postgres', 'tool', 'transaction', 'engines', 'pg_trickle', 'timescaledb'].includes(key)) throw new Error(`${rule}/${name}: no such option ${key}`);
        options[key] = value;
      }
      continue;
    }
    const place = { path: file.path, line: file.lines.length + 1 };
    for (const { groups } of line.matchAll(expectation)) {
      const { want, verdict, sqlstate } = groups ?? {};
      const expected = verdict === undefined ? {} : { verdict: verdict as Verdict['kind'] };
      if (want !== undefined) wants.push({ ...place, message: want, ...expected });
      if (sqlstate !== undefined) refused.push({ ...place, sqlstate });
    }
    file.lines.push(line.replaceAll(expectation, ''));
  }
  if (files.length === 0) throw new Error(`${rule}/${name}: no "-- name.sql" line`);
  const byHand = files.find(({ path }) => path === byHandFile);
  return {
    rule, name, bad: name.startsWith('bad'), options, wants, refused,
    ...(byHand === undefined ? {} : { byHand: byHand.lines.join('\n') }),
    files: files.filter(file => file !== byHand).map(({ path, lines }) => ({ path, text: lines.join('\n') })),
  };
}

/** The SQL of a fixture as a reader sees it: file lines stay, expectations and options go. */
export function shownText(fixture: Fixture): string {
  const files = [...fixture.files, ...(fixture.byHand === undefined ? [] : [{ path: byHandFile, text: fixture.byHand }])];
  const shown = files.map(({ path, text }) => `-- ${path}\n${text.split('\n').map(line => line.trimEnd()).join('\n').trim()}\n`);
  return shown.join('\n').trimEnd();
}

/** Every fixture, by rule and name. */
export function readFixtures(root = fixturesRoot): readonly Fixture[] {
  const folders = readdirSync(root, { withFileTypes: true }).filter(entry => entry.isDirectory() && entry.name !== 'projects');
  return folders.map(entry => entry.name).sort()
    .flatMap(rule => readdirSync(join(root, rule)).filter(file => /^(bad|good)(-[a-z0-9-]+)?\.sql$/.test(file)).sort()
      .map(file => parseFixture(rule, file.slice(0, -4), readFileSync(join(root, rule, file), 'utf8'))));
}

/** The history that a fixture stands for, as its tool's reader sees it; `transaction=migration` puts each file into one transaction. */
export function historyOf(fixture: Fixture): History {
  const files = memoryFiles(Object.fromEntries(fixture.files.map(({ path, text }) => [path, text])));
  const tool = (fixture.options['tool'] ?? 'psql') as ToolId;
  const { histories, problems } = readHistories(files, { tool });
  const [history] = histories;
  if (!history || histories.length > 1 || problems.length > 0)
    throw new Error(`${fixture.rule}/${fixture.name}: ${histories.length} histories; ${problems.join('; ')}`);
  if (fixture.options['transaction'] !== 'migration') return history;
  return {
    ...history,
    migrations: history.migrations.map(migration => ({
      ...migration, up: migration.up.map(unit => ({ ...unit, scope: 'migration' as const, scopeId: migration.id })),
    })),
  };
}

/** What a database says of a linted fixture: the findings of no-drift. */
export function driftFindings({ claims }: LintResult, database: Catalog): readonly Finding[] {
  return claims.flatMap(one => driftBeside(one, database, { sameMajor: true }).drift.map(({ finding }) => finding));
}

/** The database of a fixture as the replay has it: its migrations, and what was done by hand after them. */
function databaseOf(fixture: Fixture): Catalog {
  const files = [...fixture.files, { path: `zzz/${byHandFile}`, text: fixture.byHand ?? '' }];
  return [...replay(historyOf({ ...fixture, files }), { role: 'postgres' })].at(-1)?.end ?? emptyCatalog();
}

/** Lints a fixture with every rule at its own severity; what was done by hand is drift from its migrations. */
export function lintFixture(fixture: Fixture, rules: readonly Rule[], history = historyOf(fixture)): LintResult {
  const result = lintMigrations(fixture, rules, history);
  if (fixture.byHand === undefined) return result;
  return { ...result, report: { ...result.report, findings: [...result.report.findings, ...driftFindings(result, databaseOf(fixture))] } };
}

function lintMigrations(fixture: Fixture, rules: readonly Rule[], history: History): LintResult {
  const globs = fixture.options['pending']?.split(',').map(glob => new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '.*')}$`));
  return lint([history], rules, {
    postgres: Number(fixture.options['postgres'] ?? 18), preset: 'all', rules: {}, allHistory: true, ...enginesOf(fixture),
    ...(globs ? { pending: migration => globs.some(glob => glob.test(migration.path)) } : {}),
  });
}

/** `engines=pg_ivm,pg_trickle` are targets of plain materialized views; `pg_trickle=0.67` is a version. */
function enginesOf({ options }: Fixture): Partial<LintOptions> {
  const targets = options['engines']?.split(',') as readonly Engine[] | undefined;
  const versions = (['pg_trickle', 'timescaledb'] as const).flatMap(engine => (options[engine] === undefined ? [] : [[engine, options[engine]] as const]));
  return { ...(targets ? { targets } : {}), ...(versions.length > 0 ? { engineVersions: Object.fromEntries(versions) } : {}) };
}

/** Every finding of a report, the lesser ones of a cause included. */
export function allFindings(findings: readonly Finding[]): readonly Finding[] {
  return findings.flatMap(finding => [finding, ...finding.also]);
}

/** The rules, from the files of `rules/`; the generated index is not needed, so that it can be generated. */
export async function loadRules(): Promise<readonly Rule[]> {
  const files = readdirSync(rulesRoot).filter(file => file.endsWith('.ts') && file !== 'index.ts').sort();
  const load = (file: string): Promise<{ readonly default: Rule }> => import(pathToFileURL(join(rulesRoot, file)).href);
  const modules = await Promise.all(files.map(load));
  return modules.map(module => module.default);
}
