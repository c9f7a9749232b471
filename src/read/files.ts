import { constants, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join as joinNative, sep } from 'node:path';
import type { Files } from '../model.ts';
import { compareCodeUnits, dirname, normalizePath, within } from './paths.ts';

/** Folders that never hold a project's own migrations and cost the most to walk. */
const skipped = new Set(['node_modules', '.git', '.hg', '.svn']);

/**
 * The files of a folder on disk. Symbolic links are followed only while they stay inside the root, and no folder is entered twice,
 * so loops end. What cannot be read answers undefined. Nothing is remembered between two listings.
 */
export function diskFiles(root: string): Files {
  const top = realPath(root);
  const inside = (real: string): boolean => top !== undefined && (real === top || real.startsWith(top.endsWith(sep) ? top : top + sep));
  /** Folder → its real path, or undefined when it leaves the root: one look per folder instead of one per file. */
  const folders = new Map<string, string | undefined>();
  const realFolder = (folder: string): string | undefined => {
    if (folders.has(folder)) return folders.get(folder);
    const real = realPath(joinNative(root, folder));
    const answer = real !== undefined && inside(real) ? real : undefined;
    folders.set(folder, answer);
    return answer;
  };
  /** The place of a file, of which only the last part may be a link. */
  const placeOf = (path: string): string | undefined => {
    const clean = normalizePath(path);
    if (clean === undefined || clean === '') return undefined;
    const folder = realFolder(dirname(clean));
    return folder === undefined ? undefined : (folder.endsWith(sep) ? folder : folder + sep) + clean.slice(clean.lastIndexOf('/') + 1);
  };
  return {
    list(under) {
      folders.clear();
      const start = normalizePath(under);
      const found: string[] = [];
      if (start === undefined || realFolder(start) === undefined) return found;
      const pending: { readonly folder: string; readonly real: string; readonly above: readonly string[] }[] = [{ folder: start,
        real: realFolder(start) ?? '', above: [] }];
      for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
        const { folder, real, above } = next;
        const prefix = folder === '' ? '' : `${folder}/`;
        for (const entry of entriesOf(real)) {
          const path = prefix + entry.name;
          if (entry.isFile()) found.push(path);
          else if (entry.isDirectory()) {
            if (!skipped.has(entry.name)) pending.push({ folder: path, real: joinNative(real, entry.name), above: [...above, real] });
          } else if (entry.isSymbolicLink() && !skipped.has(entry.name)) {
            const target = realPath(joinNative(real, entry.name));
            if (target === undefined || !inside(target)) continue;
            const kind = kindOf(target);
            if (kind === 'file') found.push(path);
            else if (kind === 'folder' && target !== real
              && !above.includes(target)) pending.push({ folder: path, real: target, above: [...above, real] });
          }
        }
      }
      return found.sort(compareCodeUnits);
    },
    read(path) {
      const full = placeOf(path);
      return full === undefined ? undefined : readPlain(full) ?? readLinked(full, inside);
    },
    readText(path) {
      const full = placeOf(path);
      const text = full === undefined ? undefined : readPlain(full, 'utf8');
      return text === undefined || /[\0\ufffd]/.test(text) ? undefined : text;
    },
  };
}

/** Reads without following a link at the end and without waiting for a pipe. As a text Node reads it at once (measured: two thirds of the time). */
function readPlain(full: string): Uint8Array | undefined;
function readPlain(full: string, encoding: 'utf8'): string | undefined;
function readPlain(full: string, encoding?: 'utf8'): Uint8Array | string | undefined {
  if (constants.O_NOFOLLOW === undefined) return undefined;
  const flag = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  try {
    return readFileSync(full, { flag, encoding: encoding ?? null } as unknown as { flag: string });
  } catch {
    return undefined;
  }
}

function readLinked(full: string, inside: (real: string) => boolean): Uint8Array | undefined {
  const real = realPath(full);
  if (real === undefined || !inside(real) || kindOf(real) !== 'file') return undefined;
  try {
    return readFileSync(real);
  } catch {
    return undefined;
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

function kindOf(path: string): 'file' | 'folder' | 'other' {
  try {
    const found = statSync(path);
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
  } catch {
    return 'other';
  }
}

function entriesOf(folder: string): ReturnType<typeof readEntries> {
  try {
    return readEntries(folder);
  } catch {
    return [];
  }
}
const readEntries = (folder: string) => readdirSync(folder, { withFileTypes: true });

/** Files that exist only here; text is encoded as UTF-8. Names that leave the root are dropped. */
export function memoryFiles(files: Readonly<Record<string, string | Uint8Array>>): Files {
  const held = new Map<string, string | Uint8Array>();
  for (const [path, content] of Object.entries(files)) {
    const clean = normalizePath(path);
    if (clean !== undefined) held.set(clean, content);
  }
  const sorted = [...held.keys()].sort(compareCodeUnits);
  return {
    list: under => {
      const start = normalizePath(under);
      return start === undefined ? [] : sorted.filter(path => within(start, path) && path !== start);
    },
    read: path => {
      const content = held.get(normalizePath(path) ?? '');
      return typeof content === 'string' ? new TextEncoder().encode(content) : content;
    },
  };
}

/** What `over` has wins: unsaved buffers over a disk, the text of stdin over a project. */
export function overlayFiles(over: Files, base: Files): Files {
  return {
    list: under => [...new Set([...base.list(under), ...over.list(under)])].sort(compareCodeUnits),
    read: path => over.read(path) ?? base.read(path),
    readText: path => (over.read(path) === undefined ? base.readText?.(path) : undefined),
  };
}

/** Only the files a condition lets through; the rest is neither listed nor read. */
export function filterFiles(base: Files, keep: (path: string) => boolean): Files {
  return {
    list: under => base.list(under).filter(keep),
    read: path => (keep(path) ? base.read(path) : undefined),
    readText: path => (keep(path) ? base.readText?.(path) : undefined),
  };
}
