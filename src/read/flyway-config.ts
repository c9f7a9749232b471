import { parse as parseToml } from 'smol-toml';
import type { Span } from '../model.ts';
import { pathsUnder } from './context.ts';
import type { Context } from './context.ts';
import { fileGap } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { basename, dirname, globMatcher, isGlob, join, normalizePath } from './paths.ts';
import { readSource } from './text.ts';

/** Flyway's settings as mvlint uses them; defaults as in Flyway. */
export interface FlywaySettings {
  readonly locations: readonly string[];
  readonly prefix: string;
  readonly undoPrefix: string;
  readonly repeatablePrefix: string;
  readonly baselinePrefix: string;
  readonly separator: string;
  readonly suffixes: readonly string[];
  readonly placeholderPrefix: string;
  readonly placeholderSuffix: string;
  readonly placeholderReplacement: boolean;
  /** By lower-case name: Flyway compares placeholder names without case. */
  readonly placeholders: ReadonlyMap<string, string>;
  readonly defaultSchema: string;
  readonly table: string;
  readonly group: boolean;
  readonly mixed: boolean;
  readonly executeInTransaction?: boolean;
  /** Where a setting stands, for evidence. */
  readonly where: (key: string) => Span | undefined;
}

/** Not read: environment variables, command line, Maven and Gradle blocks, Spring's YAML. Their placeholders show up as gaps by name. */
export const flywayConfigNames: readonly string[] = ['flyway.toml', 'flyway.conf', 'flyway.user.toml'];

/** `flyway.toml` and `flyway.conf` of a folder (and of its `conf`), the later one winning, read into settings. */
export function flywaySettings(context: Context, config: string | undefined, ledger: Ledger): FlywaySettings {
  const values = new Map<string, string | readonly string[]>();
  const sources: { readonly path: string; readonly text: string }[] = [];
  if (config !== undefined) {
    const folder = dirname(config);
    const beside = ['flyway.conf', 'flyway.toml', 'flyway.user.toml'].map(name => join(folder, name));
    for (const path of new Set([...beside.filter(path => context.known.has(path)), config])) {
      const source = readSource(context.files, path);
      if (source === undefined) continue;
      sources.push(source);
      ledger.gaps.push(...source.gaps);
      if (path.endsWith('.toml')) readToml(path, source.text, values, ledger);
      else readProperties(source.text, values);
    }
  }
  const one = (key: string, otherwise: string): string => {
    const value = values.get(key.toLowerCase());
    return value === undefined ? otherwise : typeof value === 'string' ? value : value.join(',');
  };
  const many = (key: string, otherwise: readonly string[]): readonly string[] => {
    const value = values.get(key.toLowerCase());
    return value === undefined ? otherwise : typeof value === 'string'
      ? value.split(',').map(part => part.trim()).filter(part => part !== '') : value;
  };
  const flag = (key: string, otherwise: boolean): boolean => one(key, String(otherwise)).toLowerCase() === 'true';
  const placeholders = new Map<string, string>();
  for (const [key, value] of values) {
    if (key.startsWith('placeholders.')) placeholders.set(key.slice('placeholders.'.length), String(value));
  }
  for (const [name, value] of Object.entries(context.options.placeholders ?? {})) placeholders.set(name.toLowerCase(), value);
  return {
    locations: many('locations', []),
    prefix: one('sqlMigrationPrefix', 'V'), undoPrefix: one('undoSqlMigrationPrefix', 'U'),
    repeatablePrefix: one('repeatableSqlMigrationPrefix', 'R'), baselinePrefix: one('baselineMigrationPrefix', 'B'),
    separator: one('sqlMigrationSeparator', '__'), suffixes: many('sqlMigrationSuffixes', ['.sql']),
    placeholderPrefix: one('placeholderPrefix', '${'), placeholderSuffix: one('placeholderSuffix', '}'),
    placeholderReplacement: flag('placeholderReplacement', true), placeholders,
    // Without a setting it is the connection's default schema, which is public unless the connection says otherwise.
    defaultSchema: one('defaultSchema', many('schemas', ['public'])[0] ?? 'public'),
    table: one('table', 'flyway_schema_history'), group: flag('group', false), mixed: flag('mixed', false),
    ...(values.has('executeintransaction') ? { executeInTransaction: flag('executeInTransaction', true) } : {}),
    where: key => {
      for (const { path, text } of sources) {
        const match = new RegExp(`^[^\\S\\n]*(?:flyway\\.)?${key}[^\\S\\n]*=[^\\n]*`, 'mi').exec(text);
        if (match !== null) {
          return { path, start: match.index + match[0].length - match[0].trimStart().length, end: match.index + match[0].trimEnd().length };
        }
      }
      return undefined;
    },
  };
}

function readToml(path: string, text: string, into: Map<string, string | readonly string[]>, ledger: Ledger): void {
  let root: unknown;
  try {
    root = parseToml(text.replace(/^\uFEFF/, ''));
  } catch (failure) {
    fileGap(ledger, path,
      `${basename(path)} is not valid TOML (${failure instanceof Error ? failure.message.split('\n')[0] : 'unreadable'}), so its settings are not known.`);
    return;
  }
  const flatten = (value: unknown, key: string): void => {
    if (Array.isArray(value)) into.set(key.toLowerCase(), value.map(String));
    else if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
      for (const [name, inner] of Object.entries(value)) flatten(inner, key === '' ? name : `${key}.${name}`);
    } else if (value !== undefined) into.set(key.toLowerCase(), String(value));
  };
  if (typeof root === 'object' && root !== null && 'flyway' in root) flatten(root.flyway, '');
}

/** Java properties: `key=value`, `key: value`, `#` and `!` comments, a backslash at the end of a line joins it with the next. */
export function readProperties(text: string, into: Map<string, string | readonly string[]>): void {
  const joined = text.replace(/^\uFEFF/, '').replace(/\\\r?\n[ \t]*/g, '');
  for (const line of joined.split(/\r?\n/)) {
    const match = /^\s*(?![#!])([^=:\s]+)\s*[=:]?\s*(.*?)\s*$/.exec(line);
    if (match?.[1] !== undefined) {
      into.set(match[1].replace(/^(?:spring\.)?flyway\./i, '').toLowerCase(), (match[2] ?? '').replace(/\\([\\:=#! ])/g, '$1'));
    }
  }
}

/**
 * The folders of `locations`, in order: `filesystem:` relative to the configuration's folder (or its parent for `conf/`), else to the root;
 * `classpath:` wherever a folder ends with that path. What is outside of the repository, remote or missing is a gap.
 */
export function flywayRoots(context: Context, config: string, settings: FlywaySettings, ledger: Ledger): readonly string[] {
  const home = basename(dirname(config)) === 'conf' ? dirname(dirname(config)) : dirname(config);
  const bases = [...new Set([dirname(config), home, ''])];
  const folders = foldersOf(context);
  const roots: string[] = [];
  const say = (location: string, because: string): void =>
    fileGap(ledger, config, `Flyway location ${location} ${because}, so its migrations were not read.`);
  for (const location of settings.locations) {
    const [, scheme = 'classpath', written = ''] = /^(?:(\w+):)?(.*)$/s.exec(location) ?? [];
    const wanted = written.replaceAll('{vendor}', 'postgresql').replace(/^\/(?=.)/, match => (scheme === 'classpath' ? '' : match));
    if (scheme !== 'classpath' && scheme !== 'filesystem') {
      say(location, 'is not in this repository');
      continue;
    }
    const found = scheme === 'classpath' ? folders.filter(folder => endsWithPath(folder, wanted, home)) : onDisk(folders, bases, wanted);
    if (found === undefined) say(location, 'leaves the repository');
    else if (found.length === 0) say(location, 'does not exist here');
    for (const folder of found ?? []) if (!roots.includes(folder)) roots.push(folder);
  }
  return roots.filter(root => !roots.some(other => other !== root && root.startsWith(`${other}/`)));
}

function onDisk(folders: readonly string[], bases: readonly string[], wanted: string): readonly string[] | undefined {
  const normal = bases.map(base => (wanted.startsWith('/') ? undefined : normalizePath(join(base, wanted))));
  if (normal.every(path => path === undefined)) return undefined;
  for (const path of normal) {
    if (path === undefined) continue;
    const matches = isGlob(path) ? globMatcher(path.includes('/') ? path : `./${path}`) : (folder: string): boolean => folder === path;
    const found = folders.filter(matches);
    if (found.length > 0 || path === '') return found.length > 0 ? found : [''];
  }
  return [];
}

/** Copies that builds leave behind are not the sources. */
const buildOutput = /(?:^|\/)(?:target|build|bin|out|dist)\//;

function endsWithPath(folder: string, wanted: string, home: string): boolean {
  const clean = wanted.replace(/\/+$/, '');
  return (folder === clean || folder.endsWith(`/${clean}`)) && (home === '' || folder.startsWith(`${home}/`)) && !buildOutput.test(folder);
}

function foldersOf(context: Context): readonly string[] {
  const folders = new Set<string>();
  for (const path of pathsUnder(context, '')) for (let at = dirname(path); at !== '' && !folders.has(at); at = dirname(at)) folders.add(at);
  return [...folders];
}
