import type { Evidence, Unit } from '../model.ts';
import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import { fileGap, ignore } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { ancestors, basename, compareCodeUnits, dirname, join, relativeTo } from './paths.ts';
import { looseStatements } from './statements.ts';
import { readSource } from './text.ts';

interface PrismaVersion {
  readonly major: number;
  readonly minor: number;
  readonly evidence: Evidence;
}

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
    const version = versionOf(context, root);
    const found: string[] = [];
    for (const path of pathsUnder(context, root)) {
      const parts = relativeTo(root, path).split('/');
      const isScript = parts.length === 2 && parts[1] === 'migration.sql';
      if (provider !== undefined && !/^(?:postgres(?:ql)?|cockroachdb)$/.test(provider) && isScript) ignore(ledger, path,
          `migration_lock.toml says ${provider}, not PostgreSQL.`);
      else if (isScript) found.push(path);
      else if (path.endsWith('.sql') && parts.at(-1) !== 'down.sql') ignore(ledger, path,
        'Prisma runs the migration.sql of each folder and nothing else.');
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

function unitsOf(context: Context, path: string, scopeId: string, version: PrismaVersion | undefined, ledger: Ledger): readonly Unit[] {
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
  const splits = version.major > splitsFrom.major || (version.major === splitsFrom.major && version.minor >= splitsFrom.minor);
  return [{ scope: 'none', scopeId, protocol: splits ? 'single' : 'simple-string', statements, because: version.evidence }];
}

const lockfiles: readonly { readonly name: string; readonly pattern: RegExp }[] = [
  { name: 'package-lock.json', pattern: /"node_modules\/(?:prisma|@prisma\/client)":\s*\{\s*"version":\s*"(\d+)\.(\d+)[^"]*"/ },
  { name: 'pnpm-lock.yaml', pattern: /^\s+'?\/?(?:prisma|@prisma\/client)[@/](\d+)\.(\d+)[^\n]*/m },
  { name: 'yarn.lock', pattern: /^"?(?:prisma|@prisma\/client)@[^\n]*:\n\s+version:?\s+"?(\d+)\.(\d+)[^\n]*/m },
  { name: 'bun.lock', pattern: /"(?:prisma|@prisma\/client)":\s*\["(?:prisma|@prisma\/client)@(\d+)\.(\d+)[^"]*"/ },
  // The least version a range allows: the stricter reading.
  { name: 'package.json', pattern: /"(?:prisma|@prisma\/client)"\s*:\s*"[\^~>=v\s]*(\d+)(?:\.(\d+))?[^"]*"/ },
];

/** The version of the nearest package that depends on Prisma; a lockfile beside it or above it knows better than its range. */
function versionOf(context: Context, root: string): PrismaVersion | undefined {
  for (const folder of ancestors(root)) {
    for (const { name, pattern } of lockfiles) {
      const path = join(folder, name);
      if (!context.known.has(path)) continue;
      const match = pattern.exec(readSource(context.files, path)?.text ?? '');
      if (match === null) continue;
      return {
        major: Number(match[1]), minor: Number(match[2] ?? 0),
        evidence: { span: { path, start: match.index, end: match.index + match[0].length }, says: `Prisma ${match[1]}.${match[2] ?? 0}` },
      };
    }
  }
  return undefined;
}
