import type { ToolId } from '../model.ts';
import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import { dbmateMark } from './dbmate.ts';
import { flywayConfigNames } from './flyway-config.ts';
import { flywayCandidate, flywayFolders } from './flyway-roots.ts';
import { gooseMark } from './goose.ts';
import { newLedger } from './ledger.ts';
import { changelogFiles, formattedMark, rootChangelogs } from './liquibase-changelog.ts';
import { claims } from './manifests.ts';
import type { Shape } from './manifests.ts';
import { ancestors, basename, commonFolder, compareCodeUnits, dirname, join, normalizePath, relativeTo, within } from './paths.ts';
import { isSqlFile } from './psql.ts';
import { planFiles } from './sqitch.ts';
import { ternSeparator } from './tern.ts';
import { readSource } from './text.ts';

/** A history that something in the repository speaks for. */
export interface Found extends Candidate {
  /** How strong the word is: see `strength`. Equal ones of different tools contradict each other. */
  readonly score: number;
  /** What speaks for it, for people. */
  readonly proof: string;
}

/** The tool's own configuration or layout, its marks inside the files, a dependency in a manifest, names alone. */
export const strength = { own: 4, marks: 3, manifest: 2, names: 1 } as const;

/** Where is looked: the SQL files of the region, and its other files by their names. */
export interface Scope {
  readonly context: Context;
  readonly region: string;
  readonly sql: readonly string[];
  readonly byName: ReadonlyMap<string, readonly string[]>;
}

const uniqueFolders = (paths: Iterable<string>): readonly string[] => [...new Set([...paths].map(dirname))].sort(compareCodeUnits);
const foldersWith = (paths: Iterable<string>, name: RegExp): readonly string[] =>
  uniqueFolders([...paths].filter(path => name.test(basename(path))));
const textOf = ({ context }: Scope, path: string): string => readSource(context.files, path)?.text ?? '';

/** Configurations of these names in the region, and those above it. */
function configs({ context, region, byName }: Scope, names: readonly string[]): readonly string[] {
  const folders = region === '' ? [] : ancestors(dirname(region));
  const above = folders.flatMap(folder => names.map(name => join(folder, name))).filter(path => context.known.has(path));
  return [...above, ...names.flatMap(name => byName.get(name) ?? [])];
}

type Finder = (scope: Scope) => readonly Found[];
const own = (tool: ToolId, root: string, proof: string, more: Partial<Candidate> = {}): Found =>
  ({ tool, roots: [root], score: strength.own, proof, ...more });

/** What the tools' own configurations, plans and layouts name. */
const byLayout: readonly Finder[] = [
  // Folders of folders with migration.sql; with a snapshot beside it, it is Drizzle's newer layout.
  scope => {
    const scripts = scope.sql.filter(path => basename(path) === 'migration.sql' && path.includes('/'));
    const drizzle = scripts.filter(path => scope.context.known.has(join(dirname(path), 'snapshot.json')));
    const prisma = scripts.filter(path => !drizzle.includes(path));
    return [
      ...uniqueFolders(prisma.map(dirname)).map(root => own('prisma', root, root)),
      ...uniqueFolders(drizzle.map(dirname)).map(root => own('drizzle', root, root)),
    ];
  },
  scope => configs(scope, ['_journal.json']).filter(path => /"entries"\s*:/.test(textOf(scope, path)) && basename(dirname(path)) === 'meta')
    .map(path => own('drizzle', dirname(dirname(path)), path)),
  scope => configs(scope, ['sqitch.plan', 'sqitch.conf']).flatMap(path => {
    const plan = planFiles(scope.context, dirname(path));
    return plan === undefined ? [] : [own('sqitch', dirname(plan.plan), plan.plan, { config: plan.plan, files: plan.files })];
  }),
  scope => {
    const named = configs(scope, ['atlas.hcl']).flatMap(path =>
      [...textOf(scope, path).matchAll(/^[ \t]*dir[ \t]*=[ \t]*"file:\/\/([^"?]*)/gm)].flatMap(([, folder = '']) => {
        const root = normalizePath(join(dirname(path), folder));
        return root === undefined || root === '' ? [] : [own('atlas', root, path, { config: path })];
      }));
    const summed = configs(scope, ['atlas.sum']).map(path => own('atlas', dirname(path), path));
    return [...named, ...summed].sort((x, y) => compareCodeUnits(x.roots[0] ?? '', y.roots[0] ?? ''));
  },
  scope => configs(scope, ['.gmrc']).flatMap(path => {
    const folder = /"?migrationsFolder"?\s*:\s*["']([^"']+)["']/.exec(textOf(scope, path))?.[1] ?? './migrations';
    const root = normalizePath(join(dirname(path), folder));
    return root === undefined ? [] : [own('graphile-migrate', root, path, { config: path })];
  }),
  scope => uniqueFolders(scope.sql.filter(path => /(?:^|\/)committed\/\d{6,}[^/]*\.sql$/.test(path)
    && textOf(scope, path).startsWith('--! Previous:')))
    .map(committed => own('graphile-migrate', dirname(committed), committed)),
  scope => configs(scope, ['config.toml']).filter(path => /^[ \t]*project_id[ \t]*=/m.test(textOf(scope, path)))
    .map(path => own('supabase', join(dirname(path), 'migrations'), path)),
  hasura,
  scope => configs(scope, ['diesel.toml']).flatMap(path => {
    const folder = /\[migrations_directory\][^[]*?^[ \t]*dir[ \t]*=[ \t]*["']([^"']*)["']/ms.exec(textOf(scope, path))?.[1] ?? 'migrations';
    const root = normalizePath(join(dirname(path), folder));
    return root === undefined ? [] : [own('diesel', root, path)];
  }),
  scope => configs(scope, ['tern.conf']).flatMap(path => [dirname(path), join(dirname(path), 'migrations')]
    .filter(root => scope.sql.some(one => dirname(one) === root && /^\d+_/.test(basename(one)))).slice(0, 1)
      .map(root => own('tern', root, path, { config: path }))),
  scope => configs(scope, ['migrations.yml']).map(path => own('pgmigrate', join(dirname(path), 'migrations'), path)),
  scope => {
    const found = new Map<string, Found>();
    for (const config of configs(scope, flywayConfigNames)) {
      const home = basename(dirname(config)) === 'conf' ? dirname(dirname(config)) : dirname(config);
      const candidate = found.has(home) ? undefined : flywayCandidate(scope.context, config);
      if (candidate !== undefined) found.set(home, { ...candidate, score: strength.own, proof: config });
    }
    return [...found.values()];
  },
  scope => {
    // A named folder may be a part of what a changelog above it reaches.
    for (const folder of scope.region === '' ? [''] : [scope.region, ...ancestors(dirname(scope.region))]) {
      const found = rootChangelogs(scope.context, folder).flatMap(changelog => {
        const files = changelogFiles(scope.context, changelog, newLedger()).files.filter(path => isFormatted(scope, path));
        const root = commonFolder([dirname(changelog), ...files.map(dirname)]);
        if (!files.some(path => within(scope.region, path))) return [];
        return [own('liquibase', root, changelog, { config: changelog, files: besides(scope, files) })];
      });
      if (found.length > 0) return found;
    }
    return [];
  },
];

/** Formatted SQL beside the files that a changelog reaches belongs to it too, so that what it does not reach can be said. */
function besides(scope: Scope, files: readonly string[]): readonly string[] {
  const folders = new Set(files.map(dirname));
  return [...new Set([...files, ...scope.sql.filter(path => folders.has(dirname(path)) && isFormatted(scope, path))])];
}

const isFormatted = (scope: Scope, path: string): boolean => formattedMark.test(textOf(scope, path).slice(0, 400));

/** Each database of a Hasura project is a history of its own; the older layout has the migrations directly in the folder. */
function hasura(scope: Scope): readonly Found[] {
  return configs(scope, ['config.yaml']).flatMap(path => {
    const text = textOf(scope, path);
    if (!/^[ \t]*(?:metadata_directory|migrations_directory)[ \t]*:/m.test(text)) return [];
    const folder = normalizePath(join(dirname(path),
      /^[ \t]*migrations_directory[ \t]*:[ \t]*["']?([^\s"'#]+)/m.exec(text)?.[1] ?? 'migrations'));
    if (folder === undefined) return [];
    const inside = pathsUnder(scope.context, folder).filter(one => one.endsWith('.sql')).map(one => relativeTo(folder, one));
    if (inside.some(one => /^\d+_[^/]*\/up\.sql$|^\d+_[^/]*\.up\.sql$/.test(one))) return [own('hasura', folder, path)];
    const databases = new Set(inside.flatMap(one => /^([^/]+)\/\d+_[^/]*\/(?:up|down)\.sql$/.exec(one)?.[1] ?? []));
    return [...databases].map(name => own('hasura', join(folder, name), path));
  });
}

const marks: readonly { readonly tool: ToolId; readonly mark: RegExp }[] = [
  { tool: 'goose', mark: gooseMark }, { tool: 'dbmate', mark: dbmateMark }, { tool: 'liquibase', mark: formattedMark },
  { tool: 'tern', mark: new RegExp(`^${ternSeparator}`, 'm') },
];

/** Folders whose files carry a tool's own marks; three files of a folder are looked at. */
function byMarks(scope: Scope): readonly Found[] {
  const folders = new Map<string, string[]>();
  for (const path of scope.sql) {
    const folder = dirname(path);
    const list = folders.get(folder);
    if (list === undefined) folders.set(folder, [path]);
    else list.push(path);
  }
  return [...folders].flatMap(([folder, files]) => {
    const looked = new Set([files[0], files[files.length >> 1], files.at(-1)].flatMap(path => path ?? []));
    for (const path of looked) {
      const text = textOf(scope, path);
      const found = text.includes('--') ? marks.find(({ mark }) => mark.test(text)) : undefined;
      if (found !== undefined) return [{ tool: found.tool, roots: [folder], score: strength.marks, proof: path }];
    }
    return [];
  });
}

/** Folders whose names fit a form that several tools share: a manifest decides, else the tool that the form belongs to most often. */
function byShape(scope: Scope): readonly Found[] {
  const { context, sql } = scope;
  const shaped = (shape: Shape, roots: readonly string[], otherwise?: ToolId): readonly Found[] =>
    roots.flatMap((root): readonly Found[] => {
    const found = claims(context, root, shape);
    if (found.length === 0) return otherwise === undefined ? []
      : [{ tool: otherwise, roots: [root], score: strength.names, proof: 'names' }];
    return found.map(({ tool, path }) => (typeof tool === 'string' ? { tool, roots: [root], score: strength.manifest, proof: path }
      : { tool: 'psql' as const, roots: [root], foreign: tool, score: strength.manifest, proof: path }));
  });
  const folders = sql.filter(path => basename(path) === 'up.sql' && path.split('/').length > 2).map(path => dirname(path));
  return [
    // A down file alone proves nothing: plain SQL has them too.
    ...shaped('up and down', foldersWith(sql, /^\d+_.*\.up\.(?:sql|psql|pgsql)$/), 'golang-migrate'),
    ...shaped('version prefix', flywayFolders(sql), 'flyway'),
    ...shaped('numbered', foldersWith(sql, /^\d+_.*\.sql$/)),
    ...shaped('folders', uniqueFolders(folders)),
  ];
}

/** Everything that speaks for a tool in the scope, the strongest first. */
export const foundIn = (scope: Scope): readonly Found[] => [...byLayout.flatMap(find => find(scope)), ...byMarks(scope), ...byShape(scope)]
  .filter(({ roots, files }) => roots.some(root => pathsUnder(scope.context, root).some(isSqlFile)) || (files?.length ?? 0) > 0)
  .sort((a, b) => b.score - a.score);
