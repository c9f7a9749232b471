import type { Unit } from '../model.ts';
import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import { fileGap, ignore } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { basename, compareCodeUnits, compareDigits, dirname } from './paths.ts';
import { looseStatements } from './statements.ts';
import { readSource } from './text.ts';

/** The tool's own name rule; any file extension goes [facts 1]. */
export const golangName = /^(\d+)_(.*)\.(up|down)\.(?:sql|psql|pgsql)$/;

/**
 * Reads one golang-migrate folder (flat): versions by value, one simple-query string a file, never a BEGIN of its own [facts 2].
 * Not modelled: `x-multi-statement=true`, which stands in a database URL that no file of the repository has to hold.
 */
export function readGolangMigrate(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const versions = new Map<string, { up?: string; down?: string; version: string }>();
  for (const root of candidate.roots) {
    for (const path of pathsUnder(context, root)) {
      const file = basename(path);
      if (!/\.(?:sql|psql|pgsql)$/i.test(file)) continue;
      if (dirname(path) !== root) {
        ignore(ledger, path, 'golang-migrate does not look into subfolders.');
        continue;
      }
      const match = golangName.exec(file);
      if (match === null) {
        ignore(ledger, path, 'The name is no golang-migrate migration (1_what.up.sql); the tool never runs it.');
        continue;
      }
      const [, version = '', , direction] = match;
      const key = `${candidate.roots.indexOf(root)}:${version.replace(/^0+(?=\d)/, '')}`;
      const known = versions.get(key) ?? { version };
      versions.set(key, known);
      const way = direction === 'up' ? 'up' : 'down';
      if (known[way] !== undefined) fileGap(ledger, path,
          `golang-migrate refuses two ${way} files of version ${version}: ${basename(known[way])} is the other one; that one was read.`);
      else known[way] = path;
    }
  }
  const order = [...versions].sort(([a, left], [b, right]) => compareDigits(a.slice(0, a.indexOf(':')), b.slice(0, b.indexOf(':')))
    || compareDigits(left.version, right.version) || compareCodeUnits(a, b));
  const drafts: MigrationDraft[] = [];
  for (const [, { up, down, version }] of order) {
    if (up === undefined) {
      if (down !== undefined) ignore(ledger, down, `There is no up file of version ${version}.`);
      continue;
    }
    const id = basename(up).replace(/\.up\.\w+$/, '');
    drafts.push({
      id, path: up, kind: 'versioned', up: unitsOf(context, up, id, ledger),
      ...(down === undefined ? {} : { down: unitsOf(context, down, `${id} down`, ledger), others: [down] }),
    });
  }
  return drafts;
}

function unitsOf(context: Context, path: string, scopeId: string, ledger: Ledger): readonly Unit[] {
  const source = readSource(context.files, path);
  if (source === undefined) {
    fileGap(ledger, path, `${path} cannot be read.`);
    return [];
  }
  return [{ scope: 'none', scopeId, protocol: 'simple-string',
    statements: looseStatements(source, context.options.placeholders ?? {}, ledger) }];
}
