import type { Unit } from '../model.ts';
import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import { fileGap, ignore } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { basename, compareCodeUnits, dirname, join, relativeTo } from './paths.ts';
import { unreached } from './problems.ts';
import { looseStatements } from './statements.ts';
import { readSource } from './text.ts';
import { atLeast, packageVersion } from './versions.ts';
import type { PackageVersion } from './versions.ts';

/**
 * From this version on a script with CREATE INDEX CONCURRENTLY is sent statement by statement; DROP INDEX came later and is not counted
 * [facts 2].
 */
const splitsFrom = { major: 7, minor: 4 };
const createsConcurrently = /^CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\b/i;

/** Reads one Prisma migrations folder: one folder a migration, in the order of their names, each file one simple-query string [facts 2]. */
export function readPrisma(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const drafts: MigrationDraft[] = [];
  for (const root of candidate.roots) {
    const provider = /^\s*provider\s*=\s*"([^"]*)"/m.exec(readSource(context.files, join(root, 'migration_lock.toml'))?.text ?? '')?.[1];
    const version = packageVersion(context, root, 'Prisma', ['prisma', '@prisma/client']);
    const found: string[] = [];
    for (const path of pathsUnder(context, root)) {
      const parts = relativeTo(root, path).split('/');
      const isScript = parts.length === 2 && parts[1] === 'migration.sql';
      if (provider !== undefined && !/^(?:postgres(?:ql)?|cockroachdb)$/.test(provider) && isScript) ignore(ledger, path,
          `migration_lock.toml says ${provider}, not PostgreSQL.`);
      else if (isScript) found.push(path);
      else if (path.endsWith('.sql') && parts.length > 2) ignore(ledger, path, 'Prisma does not look so far down.');
      else if (path.endsWith('.sql') && parts.at(-1) !== 'down.sql') unreached(context, ledger, path,
        'Prisma runs the migration.sql of each folder and nothing else.', 'Prisma');
    }
    for (const path of found.sort((a, b) => compareCodeUnits(dirname(a), dirname(b)))) {
      const id = basename(dirname(path));
      const down = join(dirname(path), 'down.sql');
      drafts.push({
        id, path, kind: 'versioned', up: unitsOf(context, path, id, version, ledger),
        ...(context.known.has(down) ? { down: unitsOf(context, down, `${id} down`, version, ledger), others: [down] } : {}),
      });
    }
  }
  return drafts;
}

function unitsOf(context: Context, path: string, scopeId: string, version: PackageVersion | undefined, ledger: Ledger): readonly Unit[] {
  const source = readSource(context.files, path);
  if (source === undefined) {
    fileGap(ledger, path, `${path} cannot be read.`);
    return [];
  }
  const statements = looseStatements(source, context.options.placeholders ?? {}, ledger);
  const concurrent = statements.length > 1 ? statements.find(({ sql }) => createsConcurrently.test(sql)) : undefined;
  if (concurrent === undefined) return [{ scope: 'none', scopeId, protocol: 'simple-string', statements }];
  if (version === undefined) {
    fileGap(ledger, path,
      'No package.json or lockfile names the version of Prisma; taken as older than 7.4, which sends the whole file as one string.');
    return [{ scope: 'none', scopeId, protocol: 'simple-string', statements }];
  }
  return [{ scope: 'none', scopeId, protocol: atLeast(version, splitsFrom) ? 'single' : 'simple-string', statements, because: version.evidence }];
}
