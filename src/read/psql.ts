import type { Span, Statement, Unit } from '../model.ts';
import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import { fileGap, gap, ignore } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { basename, commonFolder, compareNumbered, dirname, join, relativeTo } from './paths.ts';
import { unreached } from './problems.ts';
import { includedPath, isInclude, isIncludeList, newSession, runScript, scriptOf, sourceOf } from './psql-session.ts';
import type { Run, SourceCache } from './psql-session.ts';
import { newVariables } from './psql-variables.ts';

export const isSqlFile = (path: string): boolean => /\.(?:sql|psql|pgsql|ddl)$/i.test(path);

/**
 * Reads plain SQL files as psql runs them: in the order of an entry script's includes, else of their leading numbers; each statement its
 * own
 * round trip, author's BEGIN and COMMIT counting by themselves. [facts 2, psql]
 */
export function readPsql(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const root = commonFolder(candidate.roots);
  const { up, down } = orderedFiles(context, candidate, ledger);
  const cache: SourceCache = new Map();
  const foreign = new Map<string, Span>();
  const graph = includeGraph(context, up.map(({ path }) => path), cache);
  const entry = entryScript(graph, up.map(({ path }) => path));
  const runs: { run: Run; file?: UpFile }[] = [];
  const start = (path: string): Run => {
    const run: Run = { path, up: [], down: [], included: [] };
    const file = up.find(one => one.path === path);
    runs.push(file === undefined ? { run } : { run, file });
    return run;
  };
  if (entry !== undefined) {
    runScript(newSession(context, ledger, dirname(entry), cache, foreign), entry, undefined, start);
    const read = new Set([entry, ...graph.reach(entry)]);
    leftOut(context, ledger, entry, up.map(({ path }) => path), read);
  } else {
    const included = new Set([...graph.includes.values()].flat());
    const covered = new Set(up.flatMap(({ path }) => (included.has(path) ? [] : [...graph.reach(path)])));
    for (const file of up) {
      if (covered.has(file.path)) {
        ignore(ledger, file.path, 'Another script includes it; it was read there.');
        continue;
      }
      // Scripts that include each other in a circle have no outermost one: the first stands for all.
      if (included.has(file.path)) for (const path of graph.reach(file.path)) covered.add(path);
      const run: Run = { path: file.path, up: [], down: [], included: [] };
      runs.push({ run, file });
      runScript(newSession(context, ledger, dirname(file.path), cache, foreign), file.path, run, start);
    }
  }
  for (const [tool, span] of foreign) gap(ledger, span, readAsPlain(tool));
  if (candidate.foreign !== undefined && !foreign.has(candidate.foreign.tool)) {
    fileGap(ledger, candidate.foreign.path, readAsPlain(candidate.foreign.tool));
  }
  const used = new Map<string, number>();
  return runs.map(({ run, file }): MigrationDraft => {
    const name = relativeTo(root, run.path);
    const again = (used.get(name) ?? 0) + 1;
    used.set(name, again);
    const id = again === 1 ? name : `${name} (${again})`;
    const back = file === undefined ? undefined : down.get(file.key) ?? (file.number === undefined ? undefined : down.get(file.number));
    const backRun: Run | undefined = back === undefined ? undefined : { path: back, up: [], down: [], included: [] };
    if (backRun !== undefined) runScript(newSession(context, ledger, dirname(backRun.path), cache, foreign), backRun.path, backRun, start);
    const downStatements = [...run.down, ...(backRun?.up ?? [])];
    const others = [...run.included, ...(back === undefined ? [] : [back])];
    return {
      id, path: run.path, kind: 'versioned', up: [unitOf(context, id, run.up)],
      ...(downStatements.length > 0 || back !== undefined ? { down: [unitOf(context, `${id} down`, downStatements)] } : {}),
      ...(others.length > 0 ? { others } : {}),
    };
  });
}

/**
 * Files that an entry script does not name. One that stands among files it names, numbered as they are, was meant to run; others (queries,
 * seeds, checks) live beside a schema without being a part of it.
 */
function leftOut(context: Context, ledger: Ledger, entry: string, paths: readonly string[], read: ReadonlySet<string>): void {
  const numbered = (path: string): boolean => /^v?\d/i.test(basename(path));
  const folders = new Map<string, boolean>();
  for (const path of read) if (path !== entry) folders.set(dirname(path), (folders.get(dirname(path)) ?? true) && numbered(path));
  for (const path of paths) {
    if (read.has(path)) continue;
    const siblingsNumbered = folders.get(dirname(path));
    if (siblingsNumbered === true && numbered(path)) unreached(context, ledger, path, 'it does not name this file.', basename(entry));
    else ignore(ledger, path, `${basename(entry)} decides what runs, and it does not name this file.`);
  }
}

const readAsPlain = (tool: string): string => `These files belong to ${tool} and are read as plain SQL, so order and transactions are those of psql.`;

/** The list is copied: one that has grown item by item keeps room for more. */
function unitOf(context: Context, id: string, statements: readonly Statement[]): Unit {
  const scope = context.options.transaction ?? 'none';
  return { scope, scopeId: scope === 'batch' ? 'batch' : id, protocol: 'single', statements: [...statements] };
}

// ── Which files, in which order and direction ───────────────────────────────────────────────────────────────────────

interface UpFile {
  readonly path: string;
  /** What an up and a down file have in common: by name, else by folder and number. */
  readonly key: string;
  readonly number?: string;
}

/** The direction at the end of a name, with what separates it. */
const downName = /(?:^|[._-])(?:down|rollback|revert|undo)$/i;
const upName = /(?:^|[._-])(?:up|forward|deploy|apply)$/i;
const downFolder = /^(?:down|downs|rollback|rollbacks|revert|reverts|undo)$/i;
const upFolder = /^(?:up|ups|forward|deploy)$/i;

function orderedFiles(context: Context, candidate: Candidate,
  ledger: Ledger): { readonly up: readonly UpFile[]; readonly down: ReadonlyMap<string, string> } {
  const up: UpFile[] = [];
  const back: UpFile[] = [];
  for (const root of candidate.roots) {
    const paths = (candidate.files ?? pathsUnder(context, root).filter(isSqlFile)).toSorted(compareNumbered);
    for (const path of paths) {
      const relative = relativeTo(root, path);
      const folders = dirname(relative).split('/').filter(name => name !== '');
      const stem = basename(relative).replace(/\.[^.]*$/, '');
      const place = folders.length === 0 ? root
        : join(root, folders.filter(name => !downFolder.test(name) && !upFolder.test(name)).join('/'));
      const isDown = downName.test(stem) || folders.some(name => downFolder.test(name));
      const number = /^\d+/.exec(stem)?.[0];
      const file = { path, key: `${place}/${stem.replace(isDown ? downName : upName, '')}`,
        ...(number === undefined ? {} : { number: `${place}#${number}` }) };
      (isDown ? back : up).push(file);
    }
  }
  const keys = new Set(up.map(({ key }) => key));
  const numbers = new Set(up.map(({ number }) => number));
  const down = new Map<string, string>();
  for (const { path, key, number } of back) {
    if (keys.has(key)) down.set(key, path);
    else if (number !== undefined && numbers.has(number)) down.set(number, path);
    else ignore(ledger, path, 'A down script without the script it takes back.');
  }
  return { up, down };
}

// ── Entry scripts ───────────────────────────────────────────────────────────────────────────────────────────────────

interface IncludeGraph {
  readonly includes: ReadonlyMap<string, readonly string[]>;
  readonly lists: ReadonlySet<string>;
  readonly reach: (path: string) => ReadonlySet<string>;
}

/** Who includes whom, with variables that are set before the first include; only files that have an include at all are cut here. */
function includeGraph(context: Context, paths: readonly string[], cache: SourceCache): IncludeGraph {
  const includes = new Map<string, readonly string[]>();
  const lists = new Set<string>();
  for (const path of paths) {
    if (sourceOf(context, cache, path)?.text.includes('\\i') !== true) continue;
    const script = scriptOf(context, cache, path);
    if (script === undefined || !script.pieces.some(isInclude)) continue;
    if (isIncludeList(script)) lists.add(path);
    const variables = newVariables(context.options.placeholders ?? {});
    const found: string[] = [];
    for (const piece of script.pieces) {
      const setting = piece.kind === 'meta' && piece.command === 'set' ? /^(\w+)\s+(\S+)$/.exec(piece.argument) : null;
      if (setting?.[1] !== undefined) variables.values.set(setting[1], (setting[2] ?? '').replace(/^'(.*)'$/, '$1'));
      if (!isInclude(piece)) continue;
      const target = includedPath(piece, path, dirname(path), context, variables);
      if ('path' in target && target.path !== path) found.push(target.path);
    }
    includes.set(path, found);
  }
  const reach = (path: string): ReadonlySet<string> => {
    const seen = new Set<string>();
    const pending = [...(includes.get(path) ?? [])];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      pending.push(...(includes.get(next) ?? []));
    }
    return seen;
  };
  return { includes, lists, reach };
}

/**
 * The script whose includes are the history: no other script includes it and it reaches at least half of the others. Of several the widest,
 * then the first.
 */
function entryScript(graph: IncludeGraph, paths: readonly string[]): string | undefined {
  const included = new Set([...graph.includes.values()].flat());
  let best: { readonly path: string; readonly count: number } | undefined;
  for (const path of graph.includes.keys()) {
    if (included.has(path)) continue;
    const reached = graph.reach(path);
    const count = paths.filter(one => reached.has(one)).length;
    if (count > 0 && count * 2 >= paths.length - 1 && count > (best?.count ?? 0)) best = { path, count };
  }
  return best?.path;
}
