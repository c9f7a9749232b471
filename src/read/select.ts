import type { Candidate, Context } from './context.ts';
import { detect, holds, includesFrom, plainCandidate } from './detect.ts';
import { flywayConfigNames } from './flyway-config.ts';
import { flywayCandidate } from './flyway-roots.ts';
import { ancestors, compareCodeUnits, dirname, join, within } from './paths.ts';
import { isSqlFile } from './psql.ts';

/** What the user named. */
export interface Target {
  readonly kind: 'file' | 'folder';
  readonly path: string;
}

export interface Selected {
  readonly candidate: Candidate;
  /** Everything of it is reported, not only what the targets cover. */
  readonly whole: boolean;
}

/**
 * The histories that the targets belong to. A folder brings the histories in it, or the one it is a part of; a file the one it is a part
 * of,
 * found upwards and around it. Without targets: all of the repository.
 */
export function select(
  context: Context, targets: readonly Target[] | undefined, problems: string[], left: string[] = [],
): readonly Selected[] {
  if (targets === undefined) {
    const { candidates, problems: found, left: over } = detect(context, '');
    problems.push(...found);
    left.push(...over);
    return candidates.map(candidate => ({ candidate, whole: true }));
  }
  const chosen = new Map<string, Selected>();
  const add = (candidate: Candidate, whole: boolean): void => {
    const key = `${candidate.tool}:${candidate.roots.join(':')}:${candidate.roots.length === 0 ? candidate.config : ''}`;
    const known = chosen.get(key);
    chosen.set(key, known === undefined ? { candidate, whole }
      : { candidate: widest(known.candidate, candidate), whole: known.whole || whole });
  };
  for (const { kind, path } of targets) {
    if (kind === 'folder') inFolder(context, path, problems, add);
    else if (context.options.isolated === true) add({ tool: context.options.tool ?? 'psql', roots: [dirname(path)], files: [path] }, false);
    else if (![...chosen.values()].some(({ candidate }) => holds(candidate, path))) add(ofFile(context, path, problems), false);
  }
  return [...chosen.values()].sort((a, b) => compareCodeUnits(a.candidate.roots[0] ?? '', b.candidate.roots[0] ?? ''));
}

/** Two isolated files of one folder are one history of two files. */
function widest(a: Candidate, b: Candidate): Candidate {
  if (a.files === undefined || b.files === undefined) return a.files === undefined ? a : b;
  return { ...a, files: [...new Set([...a.files, ...b.files])].sort(compareCodeUnits) };
}

function inFolder(context: Context, folder: string, problems: string[], add: (candidate: Candidate, whole: boolean) => void): void {
  const outer = modelledAbove(context, folder);
  if (outer !== undefined) return add(outer, outer.roots.every(root => within(folder, root)));
  const listed = listedFromAbove(context, folder);
  if (listed !== undefined) return add(listed, false);
  const { candidates, problems: found } = detect(context, folder);
  const { candidates: all, problems: more } = candidates.length > 0 || found.length > 0 ? { candidates, problems: found }
    : detect(context, folder, true);
  problems.push(...(found.length > 0 ? found : more));
  for (const candidate of all) add(candidate, true);
}

/** A history of a modelled tool whose folder this is or lies in: by a configuration above, or by the names around. */
function modelledAbove(context: Context, folder: string): Candidate | undefined {
  const { tool } = context.options;
  if (tool === 'psql') return undefined;
  for (const above of ancestors(folder)) {
    for (const name of [...flywayConfigNames, ...flywayConfigNames.map(one => `conf/${one}`)]) {
      const config = join(above, name);
      if ((tool !== undefined && tool !== 'flyway') || !context.known.has(config)) continue;
      const candidate = flywayCandidate(context, config);
      if (candidate !== undefined && candidate.roots.some(root => within(root, folder))) return candidate;
    }
  }
  for (const above of ancestors(folder).slice(1, 4)) {
    if (above === '') break;
    const around = detect(context, above, true).candidates.find(candidate => candidate.tool !== 'psql'
      && candidate.roots.some(root => root !== folder && within(root, folder)));
    if (around !== undefined) return around;
  }
  return undefined;
}

/** The plain history whose entry script stands above the folder and names files in it. */
function listedFromAbove(context: Context, folder: string): Candidate | undefined {
  if (context.options.tool !== undefined && context.options.tool !== 'psql') return undefined;
  for (const above of ancestors(folder).slice(1, 4)) {
    const entry = directly(context, above).find(path => isSqlFile(path) && includesFrom(context, path, folder));
    const found = entry === undefined ? undefined
      : detect(context, above, true).candidates.find(({ tool, roots }) => tool === 'psql' && roots.some(root => within(root, folder)));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The files of a folder, without those further down. */
const directly = (context: Context, folder: string): readonly string[] =>
  context.all.filter(path => dirname(path) === folder && within(folder, path));

/** The history of one file: of a modelled tool above it, of an entry script that includes it, of the numbered files around it. */
function ofFile(context: Context, path: string, problems: string[]): Candidate {
  const folder = dirname(path);
  const outer = modelledAbove(context, folder);
  if (outer !== undefined && holds(outer, path)) return outer;
  const listed = listedFromAbove(context, folder);
  if (listed !== undefined && holds(listed, path)) return listed;
  for (const above of ancestors(folder).slice(0, 4)) {
    const detected = detect(context, above, true);
    const found = detected.candidates.find(candidate => holds(candidate, path));
    if (found !== undefined && found.tool !== 'psql') return found;
    if (detected.problems.length > 0) problems.push(...detected.problems.filter(problem => !problems.includes(problem)));
    if (above === '') break;
  }
  const near = detect(context, folder, true).candidates.find(candidate => holds(candidate, path));
  if (near !== undefined) return near;
  return plainCandidate(folder, isSqlFile(path) ? directly(context, folder).filter(isSqlFile) : [path]);
}
