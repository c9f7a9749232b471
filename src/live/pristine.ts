import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

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

/** Keeps a directory: written beside and renamed, so that a reader sees the old one, none, or the whole. A folder that cannot be written costs time, not the run. */
export async function writePristine(folder: string, file: string, directory: Uint8Array): Promise<void> {
  const beside = `${file}.${randomUUID()}`;
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(beside, [sum(directory), directory]);
    await rename(beside, file);
  } catch {
    await rm(beside, { force: true }).catch(() => undefined);
  }
}
