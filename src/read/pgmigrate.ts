import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import { fileGap } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { numberedFiles } from './numbered.ts';
import { autocommit, unitsOfFile } from './script.ts';
import type { Mode } from './script.ts';

/**
 * Reads one pgmigrate folder: integers after `V`, up only; consecutive transactional versions share one transaction, `NONTRANSACTIONAL`
 * in a name runs that file statement by statement [facts 2]. Not replayed: the callbacks of `migrations.yml`.
 */
export function readPgmigrate(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const files = numberedFiles(context, candidate, ledger, {
    tool: 'pgmigrate', example: 'V0001__what.sql',
    read: file => {
      const version = /^V(\d+)__(.+)\.sql$/.exec(file)?.[1];
      return version === undefined ? undefined : { version, id: file.slice(0, -4) };
    },
  });
  let batch = 1;
  return files.map(({ id, path }, i): MigrationDraft => {
    const outside = id.includes('NONTRANSACTIONAL');
    if (outside) batch++;
    if (outside && i === 0) fileGap(ledger, path, 'pgmigrate refuses a nontransactional migration as the first one; it was read all the same.');
    const mode: Mode = outside ? autocommit({ span: { path, start: 0, end: 0 }, says: 'NONTRANSACTIONAL in the name: no transaction' })
      : { scope: 'batch', scopeId: `batch ${batch}`, protocol: 'single' };
    return { id, path, kind: 'versioned', up: unitsOfFile(context, path, 'up', id, () => mode, ledger) };
  });
}
