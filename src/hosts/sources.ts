import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { isGlob } from './glob.ts';
import { UsageError } from './usage.ts';

/** Where to read, as absolute and as root-relative paths. */
export interface Sources {
  /** The root of the `Files`, absolute. */
  readonly root: string;
  /** What the user named, relative to the root with `/`; empty when nothing was named. `''` is the root. */
  readonly named: readonly { readonly path: string; readonly kind: 'file' | 'folder' }[];
  /** Named paths that cannot be used: one line each. */
  readonly errors: readonly string[];
  /** A root-relative path as the working directory sees it. */
  readonly display: (path: string) => string;
}

/**
 * Settles the root and checks what was named. The root is the folder of the configuration, else the working directory; when something named stands outside
 * of both, the nearest folder above everything. A path that is missing, unreadable or binary is an error line, and the others go on.
 */
export async function locate(cwd: string, configFolder: string | undefined, words: readonly string[]): Promise<Sources> {
  const errors: string[] = [];
  const found: { readonly full: string; readonly kind: 'file' | 'folder' }[] = [];
  for (const word of await expand(cwd, words, errors)) {
    const full = resolve(cwd, word);
    try {
      const stat = statSync(full);
      if (stat.isDirectory()) found.push({ full: realpathSync(full), kind: 'folder' });
      else if (!stat.isFile()) errors.push(`${word} is neither a file nor a folder`);
      else {
        const wrong = unreadable(full);
        if (wrong === undefined) found.push({ full: realpathSync(full), kind: 'file' });
        else errors.push(`${word} ${wrong}`);
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      errors.push(code === 'ENOENT' || code === 'ENOTDIR' ? `${word} does not exist` : `${word} cannot be read: ${code ?? String(error)}`);
    }
  }
  const here = realpathSync(cwd);
  let root = configFolder === undefined ? here : realpathSync(configFolder);
  const folders = found.map(({ full, kind }) => (kind === 'folder' ? full : dirname(full)));
  if (folders.some(folder => !inside(root, folder))) root = common(folders.every(folder => !inside(root, folder)) ? folders : [root, ...folders]);
  return {
    root, errors,
    named: found.map(({ full, kind }) => ({ path: slashed(relative(root, full)), kind })),
    display: path => slashed(relative(here, join(root, path))) || '.',
  };
}

/** The paths that words and globs name, in order; a glob that matches nothing is an error. */
export async function expand(cwd: string, words: readonly string[], errors: string[]): Promise<readonly string[]> {
  const expanded: string[] = [];
  for (const word of words) {
    if (!isGlob(word) || existsSync(resolve(cwd, word))) {
      expanded.push(word);
      continue;
    }
    const { default: glob } = await import('fast-glob');
    const matches = await glob(sep === '\\' ? word.replaceAll('\\', '/') : word, { cwd, onlyFiles: false, dot: false, followSymbolicLinks: false });
    if (matches.length === 0) errors.push(`nothing matches ${word}`);
    expanded.push(...matches.sort());
  }
  return expanded;
}

/** Why a file cannot be linted; undefined when it can. */
function unreadable(full: string): string | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(full);
  } catch (error) {
    return `cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
  }
  if (bytes[0] === 0xff && bytes[1] === 0xfe || bytes[0] === 0xfe && bytes[1] === 0xff) return 'is UTF-16; save it as UTF-8';
  return bytes.includes(0) ? 'is binary: it holds a NUL byte, which no SQL text does' : undefined;
}

function inside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (!way.startsWith(`..${sep}`) && way !== '..' && !isAbsolute(way));
}

function common(folders: readonly string[]): string {
  let [root = ''] = folders;
  while (!folders.every(folder => inside(root, folder))) {
    const above = dirname(root);
    if (above === root) throw new UsageError('the named paths stand on different drives; lint them apart');
    root = above;
  }
  return root;
}

const slashed = (path: string): string => (sep === '\\' ? path.replaceAll('\\', '/') : path);
