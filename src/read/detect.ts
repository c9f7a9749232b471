import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import { asideFolders, otherDatabases } from './flyway-roots.ts';
import { foundIn } from './layouts.ts';
import type { Found } from './layouts.ts';
import { ancestors, basename, commonFolder, compareCodeUnits, dirname, relativeTo, within } from './paths.ts';
import { isSqlFile } from './psql.ts';
import { readSource } from './text.ts';

export interface Detected {
  readonly candidates: readonly Candidate[];
  /** Files that two tools claim, in words. */
  readonly problems: readonly string[];
  /** SQL files that look like no migration, while others here do. */
  readonly left: readonly string[];
}

/** Tools that look into the folder itself only; a folder beneath may hold a history of its own. */
const flat = new Set<Candidate['tool']>(['golang-migrate', 'goose', 'dbmate', 'supabase', 'sqlx', 'atlas', 'refinery', 'pgmigrate']);

/** Tells whether a path is a file of a history. */
function holderOf({ tool, roots, files }: Candidate): (path: string) => boolean {
  if (files !== undefined) {
    const known = new Set(files);
    return path => known.has(path);
  }
  return path => roots.some(root => (flat.has(tool) ? dirname(path) === root : within(root, path)));
}
export const holds = (candidate: Candidate, path: string): boolean => holderOf(candidate)(path);

/**
 * Finds the histories beneath a folder: what the tools' own configurations and layouts name first, then marks inside the files, manifests,
 * names; plain SQL takes what is left. Every SQL file belongs to one history at most, and two tools with an equally strong claim to the
 * same files are an error of use. `everything` also looks where copies and samples live.
 */
export function detect(context: Context, region: string, everything = false): Detected {
  const inRegion = pathsUnder(context, region).filter(path => {
    const inside = relativeTo(region, path);
    return everything || !(asideFolders.test(inside) || otherDatabases.test(inside));
  });
  const sql: string[] = [];
  const byName = new Map<string, string[]>();
  for (const path of inRegion) {
    const name = basename(path);
    if (isSqlFile(path)) sql.push(path);
    else if (byName.get(name)?.push(path) === undefined) byName.set(name, [path]);
  }
  const free = new Set(sql);
  const candidates: Candidate[] = [];
  const problems: string[] = [];
  const take = (candidate: Candidate): void => {
    candidates.push(candidate);
    const isIts = holderOf(candidate);
    for (const path of free) if (isIts(path)) free.delete(path);
  };
  const wanted = context.options.tool;
  const found = wanted === 'psql' ? [] : foundIn({ context, region, sql, byName })
    .filter(({ tool, foreign }) => wanted === undefined || (tool === wanted && foreign === undefined));
  for (const one of found) {
    const files = [...free].filter(holderOf(one));
    if (files.length === 0 || candidates.some(({ tool, roots }) => tool === one.tool && roots.join() === one.roots.join())) continue;
    const rivals = found.filter(other => other.score === one.score && nameOf(other) !== nameOf(one)
      && files.some(holderOf(other)));
    if (rivals.length > 0) {
      const names = [...new Map([one, ...rivals].map(each => [nameOf(each), `${nameOf(each)} (${each.proof})`])).values()].join(' and ');
      problems.push(`${one.roots[0] || '.'}: ${names} claim the same files; say which with --tool`);
      const claimed = [one, ...rivals].map(holderOf);
      for (const path of free) if (claimed.some(isIts => isIts(path))) free.delete(path);
    } else if (one.foreign === undefined) take(candidateOf(one));
    else take({ ...plainCandidate(one.roots[0] ?? '', files), foreign: one.foreign });
  }
  if (wanted !== undefined && wanted !== 'psql') {
    if (candidates.length === 0 && free.size > 0) take({ tool: wanted, roots: [region] });
    return { candidates, problems, left: [...free] };
  }
  const taken = new Set(candidates.filter(({ tool }) => tool !== 'psql').flatMap(({ roots }) => roots));
  for (const root of plainRoots(context, free, region, taken)) take(plainCandidate(root, free));
  if (candidates.length === 0 && problems.length === 0 && free.size > 0) {
    take(plainCandidate(commonFolder([...free].map(dirname)), free));
  }
  return { candidates, problems, left: [...free] };
}

const nameOf = ({ tool, foreign }: Candidate): string => foreign?.tool ?? tool;
const candidateOf = ({ tool, roots, config, files }: Found): Candidate =>
  ({ tool, roots, ...(config === undefined ? {} : { config }), ...(files === undefined ? {} : { files }) });

/** A plain history of the free files of a folder. */
export function plainCandidate(root: string, free: Iterable<string>): Candidate {
  return { tool: 'psql', roots: [root], files: [...free].filter(path => within(root, path)) };
}

const migrationFolder = /^(?:migrations?|migrate|versions|changesets?|patches|upgrades?|updates?)$/i;

/**
 * Roots of plain SQL histories: folders with numbered files or a migrations name. Numbered subfolders belong to the folder above, nested
 * folders to the outer one (unless they are called migrations themselves), and an entry script above that includes them raises the root.
 * What lies beneath a folder that a tool has taken needs numbers of its own.
 */
function plainRoots(context: Context, free: ReadonlySet<string>, region: string, taken: ReadonlySet<string>): readonly string[] {
  const found = new Set<string>();
  for (const path of free) {
    const folder = dirname(path);
    const named = ancestors(folder).find(above => within(region, above) && migrationFolder.test(basename(above)) && !taken.has(above));
    if (named !== undefined) found.add(named);
    else if (/^v?\d/i.test(basename(path))) found.add(raised(folder, region));
    else if (/^(?:up|down)\.sql$/i.test(basename(path)) && folder !== region) found.add(dirname(folder));
  }
  const roots = [...found].filter(root => migrationFolder.test(basename(root))
    || ![...found].some(other => other !== root && within(other, root)));
  const scripts = new Map<string, readonly string[]>();
  for (const path of free) if (!found.has(dirname(path))) scripts.set(dirname(path), [...(scripts.get(dirname(path)) ?? []), path]);
  const lifted = new Set(roots.map(root => ancestors(root).slice(1, 4).find(above => within(region, above)
    && (scripts.get(above) ?? []).some(path => includesFrom(context, path, root))) ?? root));
  return [...lifted].sort(compareCodeUnits);
}

/** `schema/01_tables/001.sql`, `schema/rollback/001.sql`: the numbered folder, or the one of a direction, is a part of the one above it. */
function raised(folder: string, region: string): string {
  let at = folder;
  while (at !== region && at !== '' && /^(?:v?\d.*|ups?|downs?|rollbacks?|reverts?|undo)$/i.test(basename(at))) at = dirname(at);
  return at;
}

/** Whether a script includes a file of a folder, by what its `\i` lines say. */
export function includesFrom(context: Context, path: string, folder: string): boolean {
  const text = readSource(context.files, path)?.text ?? '';
  return [...text.matchAll(/^[ \t]*\\(?:i|ir|include|include_relative)[ \t]+'?([^\s']+)/gm)].some(([, name = '']) => {
    const clean = name.replace(/^(?:\.\/)+/, '');
    return [dirname(path), ...ancestors(dirname(path))].some(base => {
      const target = base === '' ? clean : `${base}/${clean}`;
      return context.known.has(target) && within(folder, target);
    });
  });
}
