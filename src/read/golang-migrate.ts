import type { Unit } from '../model.ts';
import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import type { Ledger } from './ledger.ts';
import { numberedFiles } from './numbered.ts';
import { oneString, unitsOfFile } from './script.ts';

/** The tool's own name rule; any file extension goes [facts 1]. */
export const golangName = /^(\d+)_(.*)\.(up|down)\.(?:sql|psql|pgsql)$/;

/**
 * Reads one golang-migrate folder (flat): versions by value, one simple-query string a file, never a BEGIN of its own [facts 2].
 * Not modelled: `x-multi-statement=true`, which stands in a database URL that no file of the repository has to hold.
 */
export function readGolangMigrate(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const files = numberedFiles(context, candidate, ledger, {
    tool: 'golang-migrate', example: '1_what.up.sql', files: /\.(?:sql|psql|pgsql)$/i,
    read: file => {
      const [, version, , direction] = golangName.exec(file) ?? [];
      return version === undefined ? undefined
        : { version, id: file.replace(/\.(?:up|down)\.\w+$/, ''), direction: direction === 'up' ? 'up' : 'down' };
    },
  });
  const units = (path: string, direction: 'up' | 'down', id: string): readonly Unit[] =>
    unitsOfFile(context, path, direction, id, () => oneString(), ledger);
  return files.map(({ id, path, down }): MigrationDraft => ({
    id, path, kind: 'versioned', up: units(path, 'up', id),
    ...(down === undefined ? {} : { down: units(down, 'down', id), others: [down] }),
  }));
}
