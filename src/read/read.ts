import type { Files, History, Migration, ToolId } from '../model.ts';
import type { Candidate, Context, ReadOptions } from './context.ts';
import { pathsUnder } from './context.ts';
import { detect } from './detect.ts';
import type { MigrationDraft } from './draft.ts';
import { filterFiles, memoryFiles, overlayFiles } from './files.ts';
import { newLedger } from './ledger.ts';
import { ancestors, basename, commonFolder, globMatcher, normalizePath, within } from './paths.ts';
import { select } from './select.ts';
import type { Target } from './select.ts';
import { tools } from './tools.ts';

export type { ReadOptions } from './context.ts';
export { sourceText } from './text.ts';
export { toolIds } from './tools.ts';

export interface ReadResult {
  readonly histories: readonly History[];
  /** Errors of use, one line each: an ambiguous tool, a named path that is missing or no text. */
  readonly problems: readonly string[];
  /** Source paths that are to be reported; undefined for all. */
  readonly reported?: ReadonlySet<string>;
  /** SQL files that look like no migration, while others in the repository do; only when nothing was named. */
  readonly left: readonly string[];
  /** The files as they were read: with the text of stdin, without what is ignored. */
  readonly files: Files;
}

/**
 * Finds the histories of a repository (or of what `paths` names) and reads them in their tools' order. Nothing that users wrote makes it
 * throw: what cannot be seen is a gap of its history, what was named and is not there is a problem.
 */
export function readHistories(given: Files, options: ReadOptions = {}): ReadResult {
  const files = prepared(given, options);
  const all = files.list('');
  const context: Context = { files, all, known: new Set(all), options };
  const problems: string[] = [];
  const left: string[] = [];
  const targets = targetsOf(context, problems);
  const selected = options.migrations === undefined
    ? select(context, targets, problems, left)
    : configured(context, options.migrations, problems).map(candidate => ({ candidate, whole: targets === undefined }));
  const histories: History[] = [];
  const reported = targets === undefined ? undefined : new Set<string>();
  const ids = new Set<string>();
  for (const { candidate, whole } of selected) {
    const ledger = newLedger();
    const drafts = tools[candidate.tool].read(context, candidate, ledger);
    const root = commonFolder(candidate.roots);
    const id = options.name !== undefined && selected.length === 1 ? options.name : historyId(root, candidate.tool, ids);
    ids.add(id);
    const named = (path: string): boolean => whole || (targets ?? []).some(target => covers(target, path));
    const own = ledger.problems.filter(({ span }) => named(span.path));
    histories.push({ id, tool: candidate.tool, root, migrations: finish(context, drafts), ignored: ledger.ignored, gaps: ledger.gaps,
      ...(own.length > 0 ? { problems: own } : {}) });
    if (reported === undefined) continue;
    for (const { span } of own) reported.add(span.path);
    for (const { path, others = [] } of drafts) for (const one of [path, ...others]) if (named(one)) reported.add(one);
  }
  problems.push(...unread(context, targets ?? [], histories));
  return { histories, problems, left, files, ...(reported === undefined ? {} : { reported }) };
}

const covers = (target: Target, path: string): boolean => (target.kind === 'file' ? target.path === path : within(target.path, path));

function prepared(given: Files, { stdin, ignore = [] }: ReadOptions): Files {
  const over = stdin === undefined ? given : overlayFiles(memoryFiles({ [stdinPath(stdin.filename)]: stdin.text }), given);
  if (ignore.length === 0) return over;
  const matchers = ignore.map(globMatcher);
  return filterFiles(over, path => !matchers.some(matches => matches(path)));
}

const stdinPath = (filename: string): string => normalizePath(filename) || 'stdin.sql';

/** What the user named, as files and folders; undefined when nothing was named. */
function targetsOf(context: Context, problems: string[]): readonly Target[] | undefined {
  const { paths, stdin } = context.options;
  if (stdin !== undefined) return [{ kind: 'file', path: stdinPath(stdin.filename) }];
  if (paths === undefined || paths.length === 0) return undefined;
  const targets: Target[] = [];
  for (const written of paths) {
    const path = normalizePath(written);
    if (path === undefined) problems.push(`${written}: outside of the folder that mvlint reads`);
    else if (context.known.has(path)) targets.push({ kind: 'file', path });
    else if (path === '' || pathsUnder(context, path).length > 0) targets.push({ kind: 'folder', path });
    else {
      const found = /[*?[{]/.test(path) ? context.all.filter(globMatcher(path.includes('/') ? path : `./${path}`)) : [];
      for (const match of found) targets.push({ kind: 'file', path: match });
      if (found.length === 0) problems.push(`${written}: no such file or folder, or nothing in it`);
    }
  }
  return targets;
}

/** The one history that the configuration names: its folders in order. */
function configured(context: Context, folders: readonly string[], problems: string[]): readonly Candidate[] {
  const roots: string[] = [];
  for (const written of folders) {
    const path = normalizePath(written);
    if (path === undefined
        || (path !== '' && !context.known.has(path)
        && pathsUnder(context, path).length === 0)) problems.push(`${written}: no such folder, named as migrations`);
    else roots.push(path);
  }
  const [first] = roots;
  if (first === undefined) return [];
  if (context.known.has(first)) return [{ tool: context.options.tool ?? 'psql', roots, files: roots }];
  const detected = detect(context, first, true);
  problems.push(...detected.problems);
  const above = select(context, [{ kind: 'folder', path: first }], []).map(({ candidate }) => candidate);
  const like = above[0] ?? detected.candidates[0];
  const tool = context.options.tool ?? like?.tool ?? 'psql';
  // A history inside the one named folder (prisma/migrations beneath prisma) keeps its own root.
  if (roots.length === 1 && like !== undefined && like.tool === tool && tool !== 'psql' && like.roots.every(root => within(first, root))) {
    return [like];
  }
  return [{ tool, roots, ...(like?.config === undefined ? {} : { config: like.config }),
    ...(like?.foreign === undefined ? {} : { foreign: like.foreign }) }];
}

function finish(context: Context, drafts: readonly MigrationDraft[]): readonly Migration[] {
  const { base } = context.options;
  const ids = new Set<string>();
  return drafts.map(({ others, id: named, ...draft }, deploy): Migration => {
    const id = ids.has(named) ? `${named} (${draft.path})` : named;
    ids.add(id);
    const shipped = base === undefined ? { unknown: 'nobody asked git' }
      : [draft.path, ...(others ?? [])].every(path => same(base.read(path), context.files.read(path)));
    return { id, deploy, shipped, ...draft };
  });
}

const same = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean => a !== undefined && b !== undefined
  && Buffer.compare(a, b) === 0;

/** A named file of which nothing could be read is an error of use; one that detection found is only a gap. */
function unread(context: Context, targets: readonly Target[], histories: readonly History[]): readonly string[] {
  const problems: string[] = [];
  for (const { kind, path } of targets) {
    if (kind !== 'file') continue;
    const gap = histories.flatMap(({ gaps }) => gaps).find(({ span, because }) => span.path === path && span.end === 0
      && /cannot be read|^Binary file|^UTF-16 file/.test(because));
    if (gap !== undefined) problems.push(`${path}: ${gap.because}`);
    else if (!histories.some(({ migrations }) => migrations.length > 0)
      && context.files.read(path) === undefined) problems.push(`${path} cannot be read`);
    const skipped = histories.flatMap(({ ignored }) => ignored).find(one => one.path === path);
    if (skipped !== undefined) problems.push(`${path}: ${skipped.because}`);
  }
  return problems;
}

const genericFolder = /^(?:|migrations?|migrate|db|database|sql|prisma|schema|src|main|resources|postgres(?:ql)?|pg|deploy)$/i;

/** A short name that stays when files move: the nearest folder with a meaning, else the whole path, else the tool. */
function historyId(root: string, tool: ToolId, taken: ReadonlySet<string>): string {
  const meaning = ancestors(root).map(basename).find(name => !genericFolder.test(name));
  for (const name of [meaning ?? tool, root, `${root}:${tool}`]) if (name !== '' && !taken.has(name)) return name;
  return `${tool} ${taken.size + 1}`;
}
