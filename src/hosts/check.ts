import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  beginEmbedded, describe, diskFiles, joined, lint, memoryFiles, observe, open, overlayFiles, postgresMajors, prove, type EmbeddedServers, type ExperimentTiming, type Files, type LintOptions, type LintResult, type ReadOptions, type Report,
  type Session,
} from '../index.ts';
import { render } from '../report/formats.ts';
import { positions } from '../report/positions.ts';
import { reaches, type Rendering } from '../report/rendering.ts';
import { readArguments, type Arguments } from './arguments.ts';
import { databaseUrl, sizesOf, withDatabase } from './database.ts';
import { readBaseline, withoutBaseline, writeBaseline } from './baseline.ts';
import { changedLines, fixAll, fixingOf, writeFixed, type Fixed, type Fixing, type Linted } from './fix.ts';
import { sitesInCode, sitesOfConfig } from './outside.ts';
import { scopeOf, splitBase, type Scope } from './scope.ts';
import { readSettings, type Project, type Settings } from './settings.ts';
import { readCatalogFile } from './snapshot.ts';
import { locate, type Sources } from './sources.ts';
import { suggestion, UsageError } from './usage.ts';
import { keepHeapSmall, tuneCompilers } from './v8.ts';
import { version } from './version.ts';

const stdinName = 'stdin.sql';

/** Seconds; `performance` would load nine modules of Node. */
const { uptime } = process;

/**
 * `mvlint check`. Returns the exit status: 0 clean, 1 findings at or above the threshold, 2 when something could not be done; then the report of the rest is
 * still written. Errors of use before anything was read are thrown.
 */
export async function checkCommand(argv: readonly string[]): Promise<number> {
  const words = readArguments(argv);
  const live = liveOf(words);
  // It starts beside the reading, and is under way before the linting, which keeps this thread busy.
  const embedded = live !== undefined && live.database === undefined ? beginEmbedded() : undefined;
  try {
    return await check(words, live, embedded);
  } finally {
    await (await embedded)?.cool?.();
  }
}

type Live = ReturnType<typeof liveOf>;

async function check(words: Arguments, live: Live, embedded: Promise<EmbeddedServers> | undefined): Promise<number> {
  const started = uptime();
  const cwd = process.cwd();
  const settings = await readSettings(words, cwd);
  const quiet = words.has('quiet');
  if (words.has('update-baseline') && !words.has('baseline')) throw new UsageError('--update-baseline needs --baseline <file>');
  let failed = false;
  const complain = (text: string): void => {
    failed = true;
    process.stderr.write(`mvlint: ${text.replace(/\s*\n\s*/g, ' ')}\n`);
  };
  if (settings.loaded !== undefined && settings.loaded.idle.length > 0 && !quiet)
    process.stderr.write(`mvlint: note: this version does nothing yet with ${settings.loaded.idle.map(key => `'${key}'`).join(', ')} in ${settings.loaded.file}\n`);

  const { base, paths } = splitBase(words.words, cwd, path => existsSync(resolve(cwd, path)));
  const stdin = paths.includes('-') ? await readStdin() : undefined;
  if (words.has('stdin-filename') && stdin === undefined) throw new UsageError('--stdin-filename goes with - (read stdin)');
  const disk = paths.filter(path => path !== '-');
  const sources = await locateAll(cwd, settings, disk, stdin, words.last('stdin-filename'));
  for (const error of sources.errors) complain(error);

  const nothingLeft = paths.length > 0 && sources.named.length === 0;
  const sessions = nothingLeft ? [] : await openAll(settings, words, sources, stdin);
  for (const { session } of sessions) for (const problem of session.problems) complain(problem);
  const histories = sessions.flatMap(({ session }) => session.histories);
  // A folder of empty migrations is a beginning; an empty stdin is a mistake.
  const alone = stdin !== undefined && !words.has('stdin-filename');
  const something = histories.some(({ migrations }) => (alone ? migrations.some(({ up }) => up.some(({ statements }) => statements.length > 0)) : migrations.length > 0));
  if (!something && !histories.some(({ gaps }) => gaps.length > 0) && !words.has('allow-empty') && !failed)
    complain(`nothing to lint: no migrations ${paths.length > 0 ? `in ${paths.map(path => (path === '-' ? 'stdin' : path)).join(', ')}` : `found from ${cwd}`}; name their folder, or allow it with --allow-empty`);

  const fixing = fixingOf(words, sources.root, base);
  if (fixing !== undefined && stdin !== undefined) throw new UsageError('--fix writes files; stdin is none');
  const read = uptime();
  const code = words.has('code') ? await sitesInCode(words.all('code'), cwd, sources) : [];
  const catalogFile = words.last('catalog');
  if (catalogFile !== undefined && histories.length > 1)
    throw new UsageError(`--catalog: ${catalogFile} is of one database, but ${histories.length} histories were read; name the paths of one`);
  const judged = (opened: readonly Opened[]): Linted & { readonly result: LintResult } => {
    const scope = scopeOf(words, base, opened.map(({ session }) => session), sources);
    const result = lintAll(opened, scope, words.has('all-history'), words.has('down'), project => ({
      sites: [...code, ...sitesOfConfig(settings.loaded, project.refreshes?.concurrently ?? [], sources)],
      ...catalogFile === undefined ? {} : fromCatalog(catalogFile, project, words, settings),
    }), settings);
    return { result, report: result.report, text: textOf(opened) };
  };
  const servers = await embedded;
  const first = judged(sessions);
  const fixed = fixing && await fixAll(first, async texts => judged(await openAll(settings, words, sources, stdin, texts)), fixing);
  const { result, text } = fixed?.last ?? first;
  if (fixing !== undefined && fixed !== undefined) sayFixed(fixing, fixed, sources, complain);
  const linted = uptime();
  let report = result.report;
  const timings: ExperimentTiming[] = [];
  if (live !== undefined) {
    try {
      report = live.database === undefined ? await proveWithProgress(result, live.budget, servers, timing => timings.push(timing))
        : await withDatabase(live.database, (session, progress) => observe(result, session, {
          budget: live.budget, progress, explain: words.has('live-explain'), sizes: sizesOf(settings.projects[0]?.sizes),
        }), quiet);
    } catch (error) {
      complain(`--live: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const proved = uptime();

  const baseline = words.last('baseline');
  if (baseline !== undefined) {
    const file = resolve(cwd, baseline);
    if (words.has('update-baseline')) writeBaseline(file, baseline, report);
    report = withoutBaseline(report, readBaseline(file, baseline));
  }
  if (report.crashes.length > 0) failed = true;

  const rendering: Omit<Rendering, 'color'> = { positions: positions(text), display: sources.display, rules: describe(), version: version(), quiet, gaps: settings.gaps };
  for (const { format, file } of settings.outputs) {
    const written = await render(format, report, { ...rendering, color: file === undefined && format === 'text' && colorful(words) });
    if (file === undefined) await toStdout(written);
    else
      try {
        mkdirSync(dirname(resolve(cwd, file)), { recursive: true });
        writeFileSync(resolve(cwd, file), written);
      } catch (error) {
        complain(`${file} cannot be written: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
      }
  }
  if (words.has('stats')) {
    const ms = (from: number, to: number): string => `${Math.round((to - from) * 1000)} ms`;
    for (const { finding: { rule, relation, span }, verdict, ms: took } of timings)
      process.stderr.write(`${String(Math.round(took)).padStart(6)} ms  ${verdict?.kind ?? 'not tried'}  ${rule}  ${relation ?? sources.display(span.path)}\n`);
    process.stderr.write([
      `read ${ms(started, read)}`, `lint ${ms(read, linted)}`, ...(live === undefined ? [] : [`live ${ms(linted, proved)}`]), `report ${ms(proved, uptime())}`,
      `memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
    ].join(', ') + '\n');
  }
  return failed ? 2 : reaches(report, settings.failOn, settings.gaps) ? 1 : 0;
}

function liveOf(words: Arguments): { readonly budget: number; readonly database?: string } | undefined {
  const text = words.last('live-budget') ?? '30';
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isFinite(seconds) || seconds <= 0) throw new UsageError(`--live-budget is a number of seconds, not '${text}'`);
  if (!words.has('live')) return undefined;
  const where = words.last('live') ?? 'embedded';
  if (where === 'env' || where.includes(':')) return { budget: seconds * 1000, database: databaseUrl(where, '--live') };
  if (where !== 'embedded') throw new UsageError(`--live is embedded, env or a database URL, not '${where}'${suggestion(where, ['embedded', 'env'])}`);
  return { budget: seconds * 1000 };
}

/** A source's text, of whichever session has read it. */
export const textOf = (sessions: readonly Opened[]) => (path: string): string | undefined => {
  for (const { session } of sessions) {
    const found = session.text(path);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** Writes what was fixed, or shows it; says on stderr what was done and what was left. */
function sayFixed({ dry }: Fixing, { applied, kept, files }: Fixed<Linted>, { root, display }: Sources, complain: (text: string) => void): void {
  for (const file of files) {
    if (dry) process.stderr.write(`${display(file.path)}\n${changedLines(file).join('\n')}\n`);
    else {
      const problem = writeFixed(root, file);
      if (problem !== undefined) complain(`--fix: ${display(file.path)} is not written: ${problem}`);
    }
  }
  const left = kept === 0 ? '' : `; ${kept} left in migrations that are shipped (--fix-shipped edits them)`;
  process.stderr.write(`mvlint: ${applied} fixed in ${files.length} file${files.length === 1 ? '' : 's'}${dry ? ', not written' : ''}${left}\n`);
}

async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  if (bytes.includes(0)) throw new UsageError('stdin is binary: it holds a NUL byte, which no SQL text does');
  return bytes;
}

/** Stdin stands among the named paths under its own name: what `--stdin-filename` says, or alone in a folder that holds nothing else. */
export async function locateAll(cwd: string, settings: Settings, disk: readonly string[], stdin: Buffer | undefined, filename: string | undefined): Promise<Sources> {
  if (stdin !== undefined && filename === undefined && disk.length > 0) throw new UsageError('- next to other paths needs --stdin-filename, which says where it belongs');
  const folder = settings.loaded?.folder;
  if (stdin === undefined) return locate(cwd, folder, disk);
  if (filename === undefined) return { ...await locate(cwd, undefined, []), named: [{ path: stdinName, kind: 'file' }], display: path => (path === stdinName ? '<stdin>' : path) };
  // The file itself may not exist yet: an editor's unsaved buffer. Its folder decides the root.
  const around = await locate(cwd, folder, [...disk, existingFolder(dirname(resolve(cwd, filename)))]);
  const path = relativeTo(around.root, resolve(cwd, filename));
  return { ...around, named: [...around.named.slice(0, -1), { path, kind: 'file' }] };
}
function existingFolder(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existingFolder(dirname(folder));
}
const relativeTo = (root: string, full: string): string => full.slice(root.endsWith('/') ? root.length : root.length + 1).replaceAll('\\', '/');

export interface Opened {
  readonly project: Project;
  readonly session: Session;
}

export async function openAll(
  settings: Settings, words: Arguments, sources: Sources, stdin: Buffer | undefined, edited: ReadonlyMap<string, string> = new Map(),
): Promise<readonly Opened[]> {
  const alone = stdin !== undefined && !words.has('stdin-filename');
  const disk = alone ? memoryFiles({}) : diskFiles(sources.root);
  const name = alone ? stdinName : (sources.named.at(-1)?.path ?? stdinName);
  const read: Files = stdin === undefined ? disk : overlayFiles(memoryFiles({ [name]: stdin }), disk);
  const files = edited.size === 0 ? read : overlayFiles(memoryFiles(Object.fromEntries(edited)), read);
  const configRoot = settings.loaded === undefined ? '' : relativeTo(sources.root, settings.loaded.folder);
  const under = (...parts: readonly (string | undefined)[]): string => parts.flatMap(part => part?.split('/') ?? []).filter(part => part !== '' && part !== '.').join('/');
  const opened: Opened[] = [];
  for (const project of settings.projects) {
    const { migrations, root, tool, placeholders, ignore } = project;
    const home = under(configRoot, root);
    const folders = migrations === undefined || migrations.length === 0 || alone ? undefined : migrations.map(folder => under(home, folder));
    // A project without folders of its own is what detection finds beneath its root: of the named paths, only those there concern it.
    const mine = project.name === undefined || folders !== undefined ? sources.named : sources.named.filter(({ path }) => home === '' || path === home || path.startsWith(`${home}/`));
    if (sources.named.length > 0 && mine.length === 0) continue;
    const paths = mine.length > 0 ? mine.map(({ path }) => path) : folders === undefined && home !== '' ? [home] : [];
    const options: ReadOptions = {
      ...(tool === undefined ? {} : { tool }),
      ...(paths.length === 0 ? {} : { paths }),
      ...(folders === undefined ? {} : { migrations: folders }),
      ...(placeholders === undefined ? {} : { placeholders }),
      ...(ignore === undefined ? {} : { ignore: ignore.map(glob => under(home, glob)) }),
      ...(words.has('isolated') || alone ? { isolated: true } : {}),
      ...(project.name === undefined ? {} : { name: project.name }),
    };
    const session = await open(files, options);
    opened.push({ project, session });
  }
  // Not before: a thread that begins meanwhile begins sooner under V8's own flags.
  tuneCompilers();
  keepHeapSmall(opened.reduce((sum, { session }) => sum + session.histories.reduce((all, { migrations }) => all + migrations.length, 0), 0));
  return opened;
}

/** What begins with a saved catalog: it knows its server's version, unless somebody says another one. */
function fromCatalog(file: string, { session = {} }: Project, words: Arguments, { loaded }: Settings): Pick<LintOptions, 'from'> & Partial<LintOptions> {
  const { timezone: _, ...wanted } = session;
  const from = readCatalogFile(file, wanted);
  const said = words.has('postgres') || loaded?.config.postgres !== undefined;
  return { from, ...(said || from.postgres === undefined ? {} : { postgres: Math.min(from.postgres, postgresMajors.at(-1) ?? from.postgres) }) };
}

function lintAll(
  sessions: readonly Opened[], scope: Scope, allHistory: boolean, down: boolean, more: (project: Project) => Partial<LintOptions>, settings: Settings,
): LintResult {
  const results = sessions.map(({ project, session }) => lint(session, {
    postgres: project.postgres, preset: project.preset, rules: project.rules, allHistory, ...scope,
    ...(project.session === undefined ? {} : { session: project.session }), down, sitesComplete: project.refreshes?.complete === true, ...enginesOf(project), ...more(project),
  }));
  return joined(results, results[0]?.report.postgres ?? settings.projects[0]?.postgres ?? 18);
}

/** The engines of incremental maintenance that the configuration names, and their versions. */
export function enginesOf({ ivm }: Project): Pick<LintOptions, 'targets' | 'engineVersions'> {
  if (ivm === undefined) return {};
  const versions = (['pg_ivm', 'pg_trickle', 'timescaledb'] as const).flatMap(engine => (ivm[engine]?.version === undefined ? [] : [[engine, ivm[engine].version] as const]));
  return { ...(ivm.engines === undefined ? {} : { targets: ivm.engines }), ...(versions.length === 0 ? {} : { engineVersions: Object.fromEntries(versions) }) };
}

async function proveWithProgress(result: LintResult, budget: number, servers: EmbeddedServers | undefined, timed: (timing: ExperimentTiming) => void): Promise<Report> {
  const terminal = process.stderr.isTTY === true;
  const interrupted = (): never => {
    if (terminal) process.stderr.write('\r\x1b[K');
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  try {
    return await prove(result, {
      budget, timed, ...(servers === undefined ? {} : { servers }),
      ...(terminal ? { progress: message => process.stderr.write(`\r\x1b[K${message.slice(0, (process.stderr.columns ?? 80) - 1)}`) } : {}),
    });
  } finally {
    process.off('SIGINT', interrupted);
    if (terminal) process.stderr.write('\r\x1b[K');
  }
}

/** An option wins over NO_COLOR, that over FORCE_COLOR, and then CI and the terminal decide, as in other tools. */
export function colorful(words: Pick<Arguments, 'has' | 'choice'>): boolean {
  if (words.has('no-color')) return false;
  const wish = words.has('color') ? (words.choice('color', ['always', 'auto', 'never']) ?? 'always') : 'auto';
  if (wish !== 'auto') return wish === 'always';
  const { NO_COLOR, FORCE_COLOR, TERM, CI } = process.env;
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return (process.stdout.isTTY === true && TERM !== 'dumb') || Boolean(CI);
}

/** Waits until a pipe has taken everything, so that no report is cut off at the end of the process. */
export function toStdout(text: string): Promise<void> {
  return new Promise(done => {
    process.stdout.write(text, () => done());
  });
}
