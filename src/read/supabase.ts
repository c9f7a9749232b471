import type { Unit } from '../model.ts';
import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import { fileGap } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { numberedFiles } from './numbered.ts';
import { compareCodeUnits } from './paths.ts';
import { open } from './script.ts';
import { looseStatements } from './statements.ts';
import { atLeast, packageVersion } from './versions.ts';
import type { PackageVersion } from './versions.ts';

/** From this version on CREATE INDEX CONCURRENTLY goes out alone; DROP INDEX came later and is not counted [facts 2]. */
const aloneFrom = { major: 2, minor: 109 };
const createsConcurrently = /^CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\b/i;

/**
 * Reads one folder of the Supabase CLI (flat): order by file name, up only, each file one pipeline (many commands, one Sync) after a RESET
 * ALL [facts 2]. Seeds and `supabase/schemas` (desired state) are no migrations.
 */
export function readSupabase(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const files = numberedFiles(context, candidate, ledger, {
    tool: 'the Supabase CLI', example: '20240101000000_what.sql', compare: compareCodeUnits,
    read: file => {
      const version = /^([0-9]+)_(.*)\.sql$/.exec(file)?.[1];
      return version === undefined ? undefined : { version, id: file.slice(0, -4) };
    },
  });
  const version = packageVersion(context, candidate.roots[0] ?? '', 'Supabase CLI', ['supabase']);
  return files.map(({ id, path }): MigrationDraft => ({ id, path, kind: 'versioned', up: unitsOf(context, path, id, version, ledger) }));
}

function unitsOf(context: Context, path: string, scopeId: string, version: PackageVersion | undefined, ledger: Ledger): readonly Unit[] {
  const source = open(context, path, ledger);
  if (source === undefined) return [];
  const statements = looseStatements({ ...source, gaps: [] }, context.options.placeholders ?? {}, ledger);
  const pipeline: Unit = { scope: 'none', scopeId, protocol: 'pipeline', statements };
  // The first command of a pipeline commits at once, so that one works in every version (measured, facts 0).
  if (!statements.slice(1).some(({ sql }) => createsConcurrently.test(sql))) return [pipeline];
  if (version === undefined) {
    fileGap(ledger, path,
      'No package.json or lockfile names the version of the Supabase CLI; taken as older than 2.109, which sends the whole file as one pipeline.');
    return [pipeline];
  }
  if (!atLeast(version, aloneFrom)) return [{ ...pipeline, because: version.evidence }];
  const units: Unit[] = [];
  for (const statement of statements) {
    const alone = createsConcurrently.test(statement.sql);
    const last = units.at(-1);
    if (!alone && last?.protocol === 'pipeline') units[units.length - 1] = { ...last, statements: [...last.statements, statement] };
    else units.push({ ...pipeline, protocol: alone ? 'single' : 'pipeline', statements: [statement], because: version.evidence });
  }
  return units;
}
