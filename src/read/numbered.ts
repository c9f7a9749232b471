import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import { ignore } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { basename, compareCodeUnits, compareDigits, dirname } from './paths.ts';
import { duplicate, unreached } from './problems.ts';

/** A migration of a tool that keeps its files in one flat folder, named by version. */
export interface Numbered {
  readonly id: string;
  readonly path: string;
  readonly version: string;
  /** The file that takes it back, for tools that have one beside it. */
  readonly down?: string;
}

export interface NumberedNames {
  /** The tool, as people write it. */
  readonly tool: string;
  /** What the name of a file says; undefined when the tool does not take it. */
  readonly read: (file: string) => { readonly version: string; readonly id: string; readonly direction?: 'up' | 'down' } | undefined;
  /** An example of a name that fits. */
  readonly example: string;
  /** Order of versions; numbers by default. */
  readonly compare?: (a: string, b: string) => number;
  /** Files of other kinds that the tool takes as well; SQL files otherwise. */
  readonly files?: RegExp;
  /** What lies in subfolders, for tools that use them for something else. */
  readonly beneath?: string;
  /** The tool runs two files of one version all the same. */
  readonly allowsDuplicates?: true;
}

interface Entry {
  readonly id: string;
  readonly version: string;
  readonly root: number;
  readonly up: string[];
  down?: string;
}

/**
 * The migrations of flat folders in the order of their versions, folder by folder. A name that does not fit and a second file of one
 * version are findings; subfolders hold something else as far as these tools are concerned.
 */
export function numberedFiles(context: Context, { roots }: Candidate, ledger: Ledger, names: NumberedNames): readonly Numbered[] {
  const entries = new Map<string, Entry>();
  for (const [root, folder] of roots.entries()) {
    for (const path of pathsUnder(context, folder)) {
      const file = basename(path);
      if (!(names.files ?? /\.sql$/i).test(file)) continue;
      if (dirname(path) !== folder) {
        ignore(ledger, path, names.beneath ?? `${names.tool} does not look into subfolders.`);
        continue;
      }
      const name = names.read(file);
      if (name === undefined) {
        unreached(context, ledger, path, `its name is none of a migration (${names.example}).`, names.tool);
        continue;
      }
      const key = `${root}:${/^\d+$/.test(name.version) ? name.version.replace(/^0+(?=\d)/, '') : name.version}`;
      const entry = entries.get(key) ?? { id: name.id, version: name.version, root, up: [] };
      entries.set(key, entry);
      const there = name.direction === 'down' ? entry.down : entry.up[0];
      if (there !== undefined && names.allowsDuplicates !== true) sayTwice(context, ledger, names.tool, path, there, name.version);
      if (name.direction !== 'down') entry.up.push(path);
      else entry.down ??= path;
    }
  }
  const compare = names.compare ?? compareDigits;
  const ordered = [...entries.values()].sort((a, b) => a.root - b.root || compare(a.version, b.version) || compareCodeUnits(a.id, b.id));
  for (const { up, down, version } of ordered) if (up.length === 0 && down !== undefined)
    ignore(ledger, down, `There is no up file of version ${version}.`);
  return ordered.flatMap(({ version, up, down }) => up.map((path, i): Numbered => ({
    id: names.read(basename(path))?.id ?? basename(path), path, version, ...(i === 0 && down !== undefined ? { down } : {}),
  })));
}

function sayTwice(context: Context, ledger: Ledger, tool: string, path: string, other: string, version: string): void {
  duplicate(context, ledger, path, `Version ${version} is taken by "${basename(other)}" already, so ${tool} refuses "${basename(path)}".`,
    { path: other, says: `version ${version} is this file's` });
}

/** Missing numbers of a tool that counts from 1 without gaps: a finding at the file after each gap. */
export function checkGaps(context: Context, files: readonly Numbered[], ledger: Ledger, tool: string): void {
  let expected = 1n;
  for (const { path, version } of files) {
    const number = BigInt(version);
    if (number > expected) {
      duplicate(context, ledger, path, `Number ${expected} is missing before "${basename(path)}", so ${tool} refuses to run.`);
    }
    expected = number + 1n > expected ? number + 1n : expected;
  }
}
