import { whole } from './assembly.ts';
import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import { fileGap, ignore } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { basename, compareCodeUnits, dirname, join, relativeTo } from './paths.ts';
import { duplicate, unreached } from './problems.ts';
import { linesOf, open, unitsOf } from './script.ts';
import type { Mode, Part } from './script.ts';
import { readSource } from './text.ts';

/** All pending migrations in one transaction, no opt-out [facts 1, 2]. */
const shared: Mode = { scope: 'batch', scopeId: 'batch', protocol: 'simple-string' };
const breakpoint = '--> statement-breakpoint';

/**
 * Reads one Drizzle folder: in the order of `meta/_journal.json`, in the newer layout (`<time>_<name>/migration.sql` with a snapshot) in
 * that of the folder names; up only; one query between two breakpoints; one transaction around everything [facts 2].
 */
export function readDrizzle(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  return candidate.roots.flatMap(root => {
    const journal = join(root, 'meta/_journal.json');
    const files = context.known.has(journal) ? journaled(context, root, journal, ledger) : folders(context, root, ledger);
    return files.flatMap(({ id, path }): readonly MigrationDraft[] => {
      const source = open(context, path, ledger);
      return source === undefined ? [] : [{ id, path, kind: 'versioned',
        ...unitsOf(context, whole(path, source.text), queries(source.text), id, ledger) }];
    });
  });
}

interface File { readonly id: string; readonly path: string }

function journaled(context: Context, root: string, journal: string, ledger: Ledger): readonly File[] {
  const { tags, dialect } = entriesOf(readSource(context.files, journal)?.text ?? '');
  if (tags === undefined) {
    fileGap(ledger, journal,
      'The journal is not the JSON that Drizzle writes, so nobody can say what runs; the files were read in the order of their names.');
  } else if (dialect !== undefined && dialect !== 'postgresql') {
    for (const path of pathsUnder(context, root).filter(one => one.endsWith('.sql')))
      ignore(ledger, path, `The journal says ${dialect}, not PostgreSQL.`);
    return [];
  }
  const sql = pathsUnder(context, root).filter(path => path.endsWith('.sql') && dirname(path) === root);
  if (tags === undefined) return sql.map(path => ({ id: basename(path).slice(0, -4), path }));
  const found: File[] = [];
  const named = new Set<string>();
  for (const tag of tags) {
    const path = join(root, `${tag}.sql`);
    if (named.has(path)) duplicate(context, ledger, path, `The journal names "${tag}" twice, so Drizzle runs it twice.`);
    else if (!context.known.has(path)) fileGap(ledger, journal, `The journal names ${tag}.sql, which is not here.`);
    else found.push({ id: tag, path });
    named.add(path);
  }
  for (const path of sql) if (!named.has(path)) unreached(context, ledger, path, 'meta/_journal.json does not name it.', 'Drizzle');
  return found;
}

/** The tags of a journal in its order, and the dialect; no tags when it is not what Drizzle writes. */
function entriesOf(text: string): { readonly tags?: readonly string[]; readonly dialect?: string } {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return {};
  }
  if (typeof json !== 'object' || json === null || !('entries' in json) || !Array.isArray(json.entries)) return {};
  const entries: readonly unknown[] = json.entries;
  const tags = entries.flatMap(entry => (typeof entry === 'object' && entry !== null && 'tag' in entry && typeof entry.tag === 'string'
    ? [entry.tag] : []));
  return { tags, ...('dialect' in json && typeof json.dialect === 'string' ? { dialect: json.dialect } : {}) };
}

function folders(context: Context, root: string, ledger: Ledger): readonly File[] {
  const found: File[] = [];
  for (const path of pathsUnder(context, root)) {
    const parts = relativeTo(root, path).split('/');
    if (parts.length === 2 && parts[1] === 'migration.sql') found.push({ id: parts[0] ?? path, path });
    else if (path.endsWith('.sql') && parts.length > 2) ignore(ledger, path, 'Drizzle does not look so far down.');
    else if (path.endsWith('.sql')) unreached(context, ledger, path, 'only the migration.sql of each folder runs.', 'Drizzle');
  }
  return found.sort((a, b) => compareCodeUnits(a.id, b.id));
}

/** What stands between two breakpoints; the mark is a line of its own or ends one. */
function queries(text: string): readonly Part[] {
  const parts: Part[] = [];
  let start = 0;
  for (const line of linesOf(text)) {
    const at = line.text.indexOf(breakpoint);
    if (at < 0) continue;
    parts.push({ start, end: line.start + at, direction: 'up', mode: shared });
    start = line.start + at + breakpoint.length;
  }
  return [...parts, { start, end: text.length, direction: 'up', mode: shared }];
}
