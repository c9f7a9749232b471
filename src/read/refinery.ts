import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import type { Ledger } from './ledger.ts';
import { numberedFiles } from './numbered.ts';
import { compareVersions } from './paths.ts';
import { ownTransaction, unitsOfFile } from './script.ts';

export const refineryName = /^([UV])(\d+(?:\.\d+)?)__(\w+)\.sql$/;

/**
 * Reads one refinery folder: versions by value; `U` means an unversioned migration that runs forward too, the opposite of Flyway's undo;
 * own transaction always, so no opt-out [facts 2]. Not modelled: `set_grouped(true)`, which stands in Rust code.
 */
export function readRefinery(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const files = numberedFiles(context, candidate, ledger, {
    tool: 'refinery', example: 'V1__what.sql', compare: (a, b) => compareVersions(a.split('.'), b.split('.')),
    read: file => {
      const version = refineryName.exec(file)?.[2];
      return version === undefined ? undefined : { version, id: file.slice(0, -4) };
    },
  });
  return files.map(({ id, path }): MigrationDraft =>
    ({ id, path, kind: 'versioned', up: unitsOfFile(context, path, 'up', id, () => ownTransaction, ledger) }));
}
