import { createHash, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

/** The folder of what mvlint may make anew at any time: $MVLINT_CACHE_DIR, $XDG_CACHE_HOME/mvlint, else ~/.cache/mvlint. */
export function cacheDirectory(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const { MVLINT_CACHE_DIR: own, XDG_CACHE_HOME: caches } = environment;
  if (own) return own;
  return join(caches || join(homedir(), '.cache'), 'mvlint');
}

/** Bumped when what a kept directory holds changes for a reason other than PGlite's version. */
const format = 1;
const sumLength = 32;
const sum = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/**
 * Where the pristine data directory of one PGlite version is kept. Extensions are no part of the key: their files stand outside the data directory
 * (a directory made without one serves CREATE EXTENSION later; shown by a test), so the set that counts is always the empty one.
 */
export function pristineFile(folder: string, version: string): string {
  return join(folder, `pglite-${version}-${format}.tar`);
}

/** The kept directory; undefined when there is none or its checksum does not fit. */
export async function readPristine(file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const bytes = await readFile(file);
    if (bytes.length <= sumLength) return undefined;
    const directory = new Uint8Array(bytes.buffer, bytes.byteOffset + sumLength, bytes.length - sumLength);
    return sum(directory).equals(bytes.subarray(0, sumLength)) ? directory : undefined;
  } catch {
    return undefined;
  }
}

/** Files that are being written at this moment: removed when the process is ended in the middle (Ctrl-C). */
const unfinished = new Set<string>();
const removeUnfinished = (): void => unfinished.forEach(file => rmSync(file, { force: true }));

/** Leftovers of processes that were killed: older than this they belong to nobody. Milliseconds. */
const abandonedAfter = 3_600_000;

async function removeAbandoned(folder: string, file: string): Promise<void> {
  const prefix = `${basename(file)}.`;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(folder, name);
    if (Date.now() - (await stat(path)).mtimeMs > abandonedAfter) await rm(path, { force: true });
  }
}

/**
 * Keeps a directory: written beside and renamed, so that a reader sees the old one, none, or the whole. A folder that cannot be written costs time,
 * not the run. What a process leaves when it ends in the middle is removed, at once or by the next one.
 */
export async function writePristine(folder: string, file: string, directory: Uint8Array): Promise<void> {
  const beside = `${file}.${randomUUID()}`;
  if (unfinished.size === 0) process.once('exit', removeUnfinished);
  unfinished.add(beside);
  try {
    await mkdir(folder, { recursive: true });
    await removeAbandoned(folder, file);
    await writeFile(beside, [sum(directory), directory]);
    await rename(beside, file);
  } catch {
    await rm(beside, { force: true }).catch(() => undefined);
  }
  unfinished.delete(beside);
  if (unfinished.size === 0) process.off('exit', removeUnfinished);
}
