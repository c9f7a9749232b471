import { readFileSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { readWrittenName, refreshesInSource, type OutsideSite } from '../index.ts';
import type { Settings } from './settings.ts';
import { expand, type Sources } from './sources.ts';
import { UsageError } from './usage.ts';

/** Sources larger than this many bytes are not searched: they are bundles and dumps. */
const largest = 5 * 1024 * 1024;

/** The refreshes that application code holds, in the files that `--code` names (globs from the working directory). Throws `UsageError`. */
export async function sitesInCode(globs: readonly string[], cwd: string, sources: Sources): Promise<readonly OutsideSite[]> {
  const errors: string[] = [];
  const paths = await expand(cwd, globs, errors);
  if (errors[0] !== undefined) throw new UsageError(`--code: ${errors[0]}`);
  return paths.flatMap(path => {
    const full = resolve(cwd, path);
    let bytes: Buffer;
    try {
      bytes = readFileSync(full);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EISDIR') return [];
      throw new UsageError(`--code: ${path} cannot be read: ${code ?? String(error)}`);
    }
    if (bytes.length > largest || bytes.includes(0)) return [];
    return refreshesInSource(relative(sources.root, full).replaceAll(sep, '/'), bytes.toString('utf8'));
  });
}

/** The refreshes that the configuration says run concurrently, each at its name in the file. */
export function sitesOfConfig(loaded: Settings['loaded'], names: readonly string[], sources: Sources): readonly OutsideSite[] {
  if (loaded === undefined) return [];
  const text = readFileSync(loaded.file, 'utf8');
  const path = relative(sources.root, resolve(loaded.file)).replaceAll(sep, '/');
  return names.map((name): OutsideSite => {
    const target = readWrittenName(name);
    if (target === undefined) throw new UsageError(`${loaded.file}: '${name}' in refreshes is not a name like schema.view`);
    const start = Math.max(0, text.indexOf(name, Math.max(0, text.indexOf('refreshes'))));
    return { target, concurrently: true, by: 'config', holder: 'the job that the configuration names', span: { path, start, end: start + name.length } };
  });
}
