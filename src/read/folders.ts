import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import { ignore } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { basename, dirname, join, relativeTo } from './paths.ts';
import { duplicate, unreached } from './problems.ts';

/** A migration of a tool that keeps each in a folder with `up.sql` and `down.sql`. */
export interface FolderMigration {
  readonly id: string;
  readonly folder: string;
  readonly up: string;
  readonly down?: string;
}

export interface FolderNames {
  readonly tool: string;
  /** The version in a folder's name; undefined when the tool does not take it. */
  readonly version: (folder: string) => string | undefined;
  readonly compare: (a: string, b: string) => number;
  readonly example: string;
}

/** The migrations of a folder of folders, in the order of their versions; other SQL files in it are never run. */
export function folderMigrations(context: Context, { roots }: Candidate, ledger: Ledger, names: FolderNames): readonly FolderMigration[] {
  const found: (FolderMigration & { readonly version: string; readonly root: number })[] = [];
  const seen = new Map<string, string>();
  for (const [root, top] of roots.entries()) {
    for (const path of pathsUnder(context, top)) {
      if (!path.endsWith('.sql')) continue;
      const parts = relativeTo(top, path).split('/');
      const folder = dirname(path);
      const version = names.version(basename(folder));
      const file = parts.at(-1);
      if (basename(path).startsWith('.')) continue;
      if (parts.length > 2) ignore(ledger, path, `${names.tool} does not look so far down.`);
      else if (parts.length !== 2 || (file !== 'up.sql' && file !== 'down.sql')) {
        unreached(context, ledger, path, `it runs the up.sql and down.sql of each folder (${names.example}) and nothing else.`, names.tool);
      } else if (version === undefined) {
        if (file === 'up.sql') unreached(context, ledger, path, `the name of its folder is none of a migration (${names.example}).`,
          names.tool);
      } else if (file === 'up.sql') {
        const key = `${root}:${version}`;
        const other = seen.get(key);
        if (other !== undefined) duplicate(context, ledger, path,
          `Version ${version} is taken by "${basename(dirname(other))}" already, so ${names.tool} refuses "${basename(folder)}".`,
          { path: other, says: `version ${version} is this folder's` });
        else seen.set(key, path);
        const down = join(folder, 'down.sql');
        found.push({ id: basename(folder), folder, up: path, version, root, ...(context.known.has(down) ? { down } : {}) });
      }
    }
  }
  return found.sort((a, b) => a.root - b.root || names.compare(a.version, b.version));
}
