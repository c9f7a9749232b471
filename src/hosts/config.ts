import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Engine, Preset, Severity, ToolId } from '../model.ts';
import schema from '../report/config.schema.json' with { type: 'json' };
import { shapeError } from './shape.ts';
import { UsageError } from './usage.ts';

/** What one project may set; `config.schema.json` is the authority on keys and types. */
export interface ProjectConfig {
  readonly migrations?: readonly string[];
  readonly tool?: ToolId;
  readonly postgres?: number;
  readonly preset?: Preset;
  readonly rules?: Readonly<Record<string, Severity | 'off'>>;
  readonly session?: { readonly searchPath?: readonly string[]; readonly role?: string; readonly timezone?: string };
  readonly placeholders?: Readonly<Record<string, string>>;
  readonly refreshes?: { readonly concurrently?: readonly string[]; readonly complete?: boolean };
  readonly ignore?: readonly string[];
  readonly sizes?: { readonly small?: string; readonly huge?: string };
  readonly ivm?: IvmConfig;
}

/** The engines that the project wants to move to, and the versions it has. */
export interface IvmConfig extends Readonly<Partial<Record<Engine, { readonly version?: string }>>> {
  readonly engines?: readonly Engine[];
}
export interface Config extends ProjectConfig {
  readonly projects?: readonly (ProjectConfig & { readonly name: string; readonly root?: string })[];
}

export interface LoadedConfig {
  /** The folder that its paths start from. */
  readonly folder: string;
  readonly file: string;
  readonly config: Config;
  /** Keys that are set and that this version does nothing with yet. */
  readonly idle: readonly string[];
}

const names = ['mvlint.config.json', 'mvlint.config.js', 'mvlint.config.mjs'];
const idleKeys = ['shadow', 'extensions'];

/** The configuration of a folder: the nearest one in it or above it. Throws `UsageError` when it cannot be read or is wrong. */
export async function findConfig(from: string): Promise<LoadedConfig | undefined> {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    for (const name of names) if (existsSync(join(folder, name))) return loadConfig(join(folder, name));
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) {
      // A package.json that is broken is not ours to complain about.
      const found = sectionOf(manifest);
      if (found !== undefined) return checked(manifest, found, '"mvlint" ');
    }
    if (dirname(folder) === folder) return undefined;
  }
}

/** Reads one file: JSON, or a module whose default export is the configuration, or a package.json with "mvlint". */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const full = resolve(file);
  if (!existsSync(full)) throw new UsageError(`${file} does not exist; --config names a file that does`);
  if (full.endsWith('package.json')) {
    const found = sectionOf(full);
    if (found === undefined) throw new UsageError(`${file} has no "mvlint"`);
    return checked(full, found, '"mvlint" ');
  }
  if (/\.[cm]?js$/.test(full)) {
    const loaded = await import(pathToFileURL(full).href).catch((error: unknown) => {
      throw new UsageError(`${file} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
    }) as { readonly default?: unknown };
    if (loaded.default === undefined) throw new UsageError(`${file} has no default export; it exports the configuration`);
    return checked(full, loaded.default, '');
  }
  return checked(full, readJson(full), '');
}

function sectionOf(manifest: string): unknown {
  try {
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly mvlint?: unknown }).mvlint;
  } catch {
    return undefined;
  }
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function checked(file: string, value: unknown, where: string): LoadedConfig {
  const wrong = shapeError(value, schema, schema.definitions);
  if (wrong !== undefined) throw new UsageError(`${file}: ${where}${wrong}`);
  const config = value as Config;
  const set = [config, ...(config.projects ?? [])].flatMap(part => Object.keys(part));
  return { folder: dirname(file), file, config, idle: idleKeys.filter(key => set.includes(key)) };
}
