import type { ToolId } from '../model.ts';
import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import { flywayConfigNames, flywayRoots, flywaySettings } from './flyway-config.ts';
import { flywayName } from './flyway.ts';
import { golangName } from './golang-migrate.ts';
import { newLedger } from './ledger.ts';
import { claims } from './manifests.ts';
import type { Shape } from './manifests.ts';
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

/** Folders that hold copies, samples and the tests' own files. They count only when the user names them. */
const aside = /(?:^|\/)(?:test|tests|__tests__|testdata|fixtures?|examples?|samples?|vendor|third_party|target|build|dist|out|bin|coverage|\.[^/]+)\//i;
/** Histories of other databases, side by side with the one for PostgreSQL. */
const otherDatabase = /(?:^|\/)(?:mysql|mariadb|sqlite3?|oracle|mssql|sqlserver|h2|hsqldb|derby|db2|cassandra|clickhouse|mongodb|snowflake|bigquery|redshift)\//i;

/**
 * Finds the histories beneath a folder by names; manifests are read only where names leave a choice. `everything` also looks where copies
 * and
 * samples live. Every SQL file belongs to one history at most: Prisma's folders first, then what Flyway's configuration names, then what
 * names
 * say, and plain SQL takes what is left.
 */
export function detect(context: Context, region: string, everything = false): Detected {
  const inRegion = pathsUnder(context, region).filter(path => {
    const inside = relativeTo(region, path);
    return everything || !(aside.test(inside) || otherDatabase.test(inside));
  });
  const free = new Set(inRegion.filter(isSqlFile));
  const candidates: Candidate[] = [];
  const problems: string[] = [];
  const take = (candidate: Candidate): void => {
    candidates.push(candidate);
    for (const path of free) {
      if (candidate.roots.some(root =>
          (candidate.tool === 'golang-migrate' ? dirname(path) === root : within(root, path)))) free.delete(path);
    }
  };
  const wanted = context.options.tool;
  if (wanted === undefined || wanted === 'prisma') for (const root of prismaRoots(context, free)) take({ tool: 'prisma', roots: [root] });
  if (wanted === undefined || wanted === 'flyway') for (const candidate of configuredFlyway(context, inRegion)) take(candidate);
  const byShape = (tool: ToolId, shape: Shape, roots: readonly string[]): void => {
    if (wanted !== undefined && wanted !== tool) return;
    for (const root of roots) {
      const found = wanted === undefined ? claims(context, root, shape) : [];
      const ours = found.find(claim => claim.tool === tool);
      if (found.length > 1) {
        const names = found.map(claim => `${typeof claim.tool === 'string' ? claim.tool : claim.tool.tool} (${claim.path})`).join(' and ');
        problems.push(`${root || '.'}: ${names} claim the same files; say which with --tool`);
        for (const path of free) if (within(root, path)) free.delete(path);
      } else if (found.length === 0 || ours !== undefined) take({ tool, roots: [root] });
    }
  };
  // A down file alone proves nothing: plain SQL has them too.
  byShape('golang-migrate', 'up and down', foldersWith(free, /^\d+_.*\.up\.(?:sql|psql|pgsql)$/));
  byShape('flyway', 'version prefix', flywayFolders(free));
  if (wanted !== undefined && wanted !== 'psql') {
    if (candidates.length === 0 && free.size > 0) take({ tool: wanted, roots: [region] });
    return { candidates, problems, left: [...free] };
  }
  for (const root of plainRoots(context, free, region)) take(plainCandidate(context, root, free));
  if (candidates.length === 0 && problems.length === 0 && free.size > 0) {
    take(plainCandidate(context, commonFolder([...free].map(dirname)), free));
  }
  return { candidates, problems, left: [...free] };
}

/** A plain history of the free files of a folder, with the tool that is not modelled when one claims them. */
export function plainCandidate(context: Context, root: string, free: Iterable<string>): Candidate {
  const files = [...free].filter(path => within(root, path));
  for (const folder of new Set([root, ...files.map(dirname)])) {
    for (const shape of ['plain', 'up and down', 'version prefix'] as const) {
      const foreign = claims(context, folder, shape).find(claim => typeof claim.tool !== 'string' && fits(shape, files))?.tool;
      if (foreign !== undefined && typeof foreign !== 'string') return { tool: 'psql', roots: [root], files, foreign };
    }
    if (!within(root, folder) || folder !== root) break;
  }
  return { tool: 'psql', roots: [root], files };
}

const fits = (shape: Shape, files: readonly string[]): boolean =>
  shape === 'plain' ? true : files.some(path => (shape === 'up and down' ? golangName : flywayName).test(basename(path)));

const uniqueFolders = (paths: Iterable<string>): readonly string[] => [...new Set([...paths].map(dirname))].sort(compareCodeUnits);
const foldersWith = (paths: Iterable<string>, name: RegExp): readonly string[] =>
  uniqueFolders([...paths].filter(path => name.test(basename(path))));

/** Folders of folders with migration.sql; with a snapshot beside it, it is Drizzle's newer layout. */
function prismaRoots(context: Context, free: ReadonlySet<string>): readonly string[] {
  const scripts = [...free].filter(path => basename(path) === 'migration.sql' && path.includes('/')
    && !context.known.has(`${dirname(path)}/snapshot.json`));
  return [...new Set(scripts.map(path => dirname(dirname(path))))].sort(compareCodeUnits);
}

/** Configurations in the region; the folders they name may stand anywhere in the repository. */
function configuredFlyway(context: Context, inRegion: readonly string[]): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  for (const config of inRegion.filter(path => flywayConfigNames.includes(basename(path)))) {
    const home = basename(dirname(config)) === 'conf' ? dirname(dirname(config)) : dirname(config);
    if (found.has(home)) continue;
    const candidate = flywayCandidate(context, config);
    if (candidate !== undefined) found.set(home, candidate);
  }
  return [...found.values()];
}

/** The history a configuration names. Without `locations` in it: `sql` beside it, then the folders whose names fit. */
export function flywayCandidate(context: Context, config: string): Candidate | undefined {
  const ledger = newLedger();
  const settings = flywaySettings(context, config, ledger);
  const home = basename(dirname(config)) === 'conf' ? dirname(dirname(config)) : dirname(config);
  if (settings.locations.length > 0) return { tool: 'flyway', roots: flywayRoots(context, config, settings, ledger), config };
  const beneath = pathsUnder(context, home);
  const sql = home === '' ? 'sql' : `${home}/sql`;
  if (beneath.some(path => path.startsWith(`${sql}/`))) return { tool: 'flyway', roots: [sql], config };
  const roots = flywayFolders(beneath.filter(path => !aside.test(relativeTo(home, path)) && !otherDatabase.test(relativeTo(home, path))));
  return roots.length === 0 ? undefined : { tool: 'flyway', roots, config };
}

/**
 * Folders whose names look Flyway's: one `…/db/migration`, else the highest folder that holds such a file; folders of years and kinds join
 * their parent.
 */
function flywayFolders(paths: Iterable<string>): readonly string[] {
  const roots = new Set<string>();
  for (const folder of foldersWith(paths, flywayName)) {
    const standard = /^(?:.*\/)?db\/migrations?(?=\/|$)/.exec(folder)?.[0];
    roots.add(standard ?? (/^(?:v?\d[\w.-]*|versioned|repeatables?|undo|baselines?|callbacks?)$/i.test(basename(folder)) ? dirname(folder)
      : folder));
  }
  return [...roots].filter(root => !ancestors(dirname(root)).some(above => above !== root && roots.has(above))).sort(compareCodeUnits);
}

const migrationFolder = /^(?:migrations?|migrate|versions|changesets?|patches|upgrades?|updates?)$/i;

/**
 * Roots of plain SQL histories: folders with numbered files or a migrations name. Numbered subfolders belong to the folder above, nested
 * folders to the outer one (unless they are called migrations themselves), and an entry script above that includes them raises the root.
 */
function plainRoots(context: Context, free: ReadonlySet<string>, region: string): readonly string[] {
  const found = new Set<string>();
  for (const path of free) {
    const folder = dirname(path);
    const named = ancestors(folder).find(above => within(region, above) && migrationFolder.test(basename(above)));
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
