import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { applyFixes, changedSince, type Report } from '../index.ts';
import type { Arguments } from './arguments.ts';
import { UsageError } from './usage.ts';

/** A reading of the sources and what was found in it. */
export interface Linted {
  readonly report: Report;
  readonly text: (path: string) => string | undefined;
}

/** A fix can open the way for another: after so many rounds what is left stays. */
const mostRounds = 10;

export interface Fixing {
  /** Edited files stay as they are; what would be in them is told. */
  readonly dry: boolean;
  readonly mayEdit: (path: string) => boolean;
}

/**
 * What `--fix`, `--fix-dry-run` and `--fix-shipped` ask for; undefined when nothing is to be fixed. What has been shipped is not edited unless asked:
 * git says what is new or changed since the merge base. Throws `UsageError` when git cannot tell.
 */
export function fixingOf(words: Arguments, root: string, base: string | undefined): Fixing | undefined {
  const dry = words.has('fix-dry-run');
  const shipped = words.has('fix-shipped');
  if (!words.has('fix') && !dry && !shipped) return undefined;
  if (shipped) return { dry, mayEdit: () => true };
  const changed = changedSince(root, base);
  if (!changed.ok) throw new UsageError(`--fix edits only what is not shipped, and git cannot tell what is: ${changed.error}; --fix-shipped edits all the same`);
  return { dry, mayEdit: path => changed.paths.has(path) };
}

export interface FixedFile {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

export interface Fixed<T extends Linted> {
  readonly last: T;
  readonly applied: number;
  /** Fixes for what has been shipped. */
  readonly kept: number;
  readonly files: readonly FixedFile[];
}

/** Applies fixes and lints again, until nothing more can be fixed. `again` reads the sources with these texts in place of their files'. */
export async function fixAll<T extends Linted>(first: T, again: (texts: ReadonlyMap<string, string>) => Promise<T>, { mayEdit }: Fixing): Promise<Fixed<T>> {
  let last = first;
  let [applied, kept] = [0, 0];
  const texts = new Map<string, string>();
  for (let round = 0; round < mostRounds; round += 1) {
    const done = applyFixes(last.report, last.text, mayEdit);
    kept = done.kept;
    if (done.applied === 0) break;
    applied += done.applied;
    for (const [path, text] of done.texts) texts.set(path, text);
    last = await again(texts);
  }
  return { last, applied, kept, files: [...texts].map(([path, after]) => ({ path, before: first.text(path) ?? '', after })) };
}

/** Writes a fixed text with the bytes around it as they were (a byte order mark stays). Answers why it could not be, else undefined. */
export function writeFixed(root: string, { path, before, after }: FixedFile): string | undefined {
  const file = resolve(root, path);
  try {
    const bytes = readFileSync(file);
    const mark = bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? '\ufeff' : '';
    const head = before.startsWith('\ufeff') ? '' : mark;
    if (!Buffer.from(head + before, 'utf8').equals(bytes)) return 'its bytes are not the text that was read';
    writeFileSync(file, head + after);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** The lines that differ, with `-` and `+`, for people. */
export function changedLines({ before, after }: FixedFile): readonly string[] {
  const [old, now] = [before.split(/\r?\n/), after.split(/\r?\n/)];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  return [
    `@@ line ${start + 1} @@`,
    ...old.slice(start, old.length - end).map(line => `-${line}`), ...now.slice(start, now.length - end).map(line => `+${line}`),
  ];
}
