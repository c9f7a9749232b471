import type { Unit } from '../model.ts';
import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import { folderMigrations } from './folders.ts';
import type { Ledger } from './ledger.ts';
import { numberedFiles } from './numbered.ts';
import { compareDigits, dirname } from './paths.ts';
import { checkOptOut, ineffective } from './problems.ts';
import { lineMatching, oneString, ownTransaction, unitsOfFile } from './script.ts';
import type { Mode } from './script.ts';
import type { Source } from './text.ts';

const marker = '-- hasura:no-transaction';
export const hasuraFolder = /^(\d+)_/;

/**
 * Reads the migrations of one Hasura database: folders `<number>_<name>` with up.sql and down.sql (or the older flat `N_name.up.sql`), own
 * transaction, one string; the opt-out is the exact first line of a file and counts for that file alone [facts 2].
 * Not modelled: `--no-transaction` of the command line, and CLIs too old to know the marker.
 */
export function readHasura(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const flat = candidate.roots.some(root => pathsUnder(context, root).some(path => dirname(path) === root && flatName.test(path)));
  const found = flat ? flatFiles(context, candidate, ledger) : folderMigrations(context, candidate, ledger, {
    tool: 'Hasura', example: '1704067200000_what/up.sql', compare: compareDigits, version: folder => hasuraFolder.exec(folder)?.[1],
  });
  const units = (path: string, direction: 'up' | 'down', id: string): readonly Unit[] =>
    unitsOfFile(context, path, direction, id, source => modeOf(source, ledger), ledger);
  return found.map(({ id, up, down }): MigrationDraft => {
    const both = { up: units(up, 'up', id), ...(down === undefined ? {} : { down: units(down, 'down', id) }) };
    checkOptOut(ledger, both, { written: marker, tool: 'Hasura', perDirection: true });
    return { id, path: up, kind: 'versioned', ...both, ...(down === undefined ? {} : { others: [down] }) };
  });
}

const flatName = /(?:^|\/)(\d+)_([^/]*)\.(up|down)\.sql$/;

function flatFiles(
  context: Context, candidate: Candidate, ledger: Ledger,
): readonly { readonly id: string; readonly up: string; readonly down?: string }[] {
  return numberedFiles(context, candidate, ledger, {
    tool: 'Hasura', example: '1704067200000_what/up.sql',
    read: file => {
      const [, version, , direction] = flatName.exec(file) ?? [];
      return version === undefined ? undefined
        : { version, id: file.replace(/\.(?:up|down)\.sql$/, ''), direction: direction === 'up' ? 'up' : 'down' };
    },
  }).map(({ id, path, down }) => ({ id, up: path, ...(down === undefined ? {} : { down }) }));
}

function modeOf(source: Source, ledger: Ledger): Mode {
  const { path, text } = source;
  const first = /^[^\r\n]*/.exec(text)?.[0] ?? '';
  if (first === marker) return oneString({ span: { path, start: 0, end: marker.length },
    says: `${marker}: this file runs without a transaction` });
  const written = lineMatching(source, /^\uFEFF?[ \t]*--[ \t]*hasura:no-transaction\b.*$/i);
  if (written !== undefined) {
    const why = first.startsWith(marker) ? 'text follows it' : written.span.start > 0 ? 'it stands further down'
      : 'it is spelt differently';
    ineffective(ledger, written.span,
      `The opt-out "${marker}" has to be the whole first line, and ${why}, so Hasura runs this file in a transaction.`);
  }
  return ownTransaction;
}
