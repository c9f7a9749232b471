import { resolve } from 'node:path';
import { describe, postgresMajors, toolIds, type Preset, type Severity } from '../index.ts';
import { formats, isFormat, type Format } from '../report/formats.ts';
import type { GapsMode } from '../report/rendering.ts';
import { oneOf, type Arguments } from './arguments.ts';
import { findConfig, loadConfig, type LoadedConfig, type ProjectConfig } from './config.ts';
import { suggestion, UsageError } from './usage.ts';

/** What the options and the configuration decide together; options win. */
export interface Settings {
  readonly loaded: LoadedConfig | undefined;
  /** The projects to read; one without a name when the configuration has no `projects`. */
  readonly projects: readonly Project[];
  readonly failOn: Severity | 'never';
  readonly gaps: GapsMode;
  readonly outputs: readonly { readonly format: Format; readonly file: string | undefined }[];
}
export interface Project extends ProjectConfig {
  readonly name?: string;
  /** From the folder of the configuration. */
  readonly root?: string;
  readonly postgres: number;
  readonly preset: Preset;
  readonly rules: Readonly<Record<string, Severity | 'off'>>;
}

const severities = ['error', 'warning', 'note'] as const;

/** Throws `UsageError` for every value that is wrong, before anything is read. */
export async function readSettings(words: Arguments, cwd: string): Promise<Settings> {
  if (words.has('config') && words.has('no-config')) throw new UsageError('--config and --no-config exclude each other');
  const failOn = words.choice('fail-on', [...severities, 'never']) ?? 'error';
  const gaps = words.choice('gaps', ['ignore', 'report', 'error']) ?? 'report';
  const preset = words.choice('preset', ['recommended', 'all', 'ivm']);
  const tool = words.choice('tool', toolIds);
  const postgresText = words.choice('postgres', postgresMajors.map(String));
  const postgres = postgresText === undefined ? undefined : Number(postgresText);
  const outputs = readOutputs(words);
  const rules = Object.fromEntries(words.all('rule').map(readRule));

  const file = words.last('config');
  const loaded = words.has('no-config') ? undefined : file === undefined ? await findConfig(cwd) : await loadConfig(resolve(cwd, file));
  const known = new Set(describe().map(rule => rule.id));
  const settled = (config: ProjectConfig & { readonly name?: string; readonly root?: string }): Project => {
    const project: Project = {
      ...config,
      postgres: postgres ?? config.postgres ?? 18,
      preset: preset ?? config.preset ?? 'recommended',
      rules: { ...config.rules, ...rules },
      ...(tool === undefined ? {} : { tool }),
    };
    for (const id of Object.keys(project.rules))
      if (!known.has(id)) throw new UsageError(`there is no rule '${id}'${Object.hasOwn(rules, id) ? '' : ` (${loaded?.file ?? ''})`}${suggestion(id, [...known], '; see mvlint rules')}`);
    return project;
  };
  const { projects, ...rest } = loaded?.config ?? {};
  return {
    loaded, failOn, gaps, outputs,
    projects: projects === undefined || projects.length === 0 ? [settled(rest)]
      : projects.map(project => settled({ ...rest, ...project, rules: { ...rest.rules, ...project.rules } })),
  };
}

function readRule(text: string): readonly [string, Severity | 'off'] {
  const [id = '', value = ''] = text.split('=', 2);
  const severity = [...severities, 'off' as const].find(choice => choice === value);
  if (severity === undefined) throw new UsageError(`--rule is <id>=error, warning, note or off, not '${text}'`);
  return [id, severity];
}

/** `--output` belongs to the `--format` before it; with one of each, the order is free. Only one format may go to stdout. */
function readOutputs(words: Arguments): Settings['outputs'] {
  const outputs: { format: Format; file: string | undefined }[] = [];
  const early: string[] = [];
  for (const { option, value = '' } of words.words) {
    if (option === 'format') {
      if (!isFormat(value)) throw new UsageError(`--format is ${oneOf(formats)}, not '${value}'${suggestion(value, formats)}`);
      outputs.push({ format: value, file: undefined });
    } else if (option === 'output') {
      const last = outputs.at(-1);
      if (last === undefined) early.push(value);
      else if (last.file !== undefined) throw new UsageError(`--output ${value} has no --format of its own`);
      else last.file = value;
    }
  }
  const [first] = outputs;
  if (early.length > 1 || (early.length === 1 && (outputs.length > 1 || first?.file !== undefined)))
    throw new UsageError(`--output ${early[0]} stands before every --format; put it after its own`);
  if (outputs.length === 0) return [{ format: 'text', file: early[0] }];
  if (first !== undefined && early.length === 1) first.file = early[0];
  if (outputs.filter(output => output.file === undefined).length > 1)
    throw new UsageError('two formats go to stdout; give all but one an --output');
  return outputs;
}
