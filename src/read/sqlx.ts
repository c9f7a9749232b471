import type { Unit } from '../model.ts';
import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import type { Ledger } from './ledger.ts';
import { numberedFiles } from './numbered.ts';
import { checkOptOut, ineffective } from './problems.ts';
import { lineMatching, oneString, ownTransaction, unitsOfFile } from './script.ts';
import type { Mode } from './script.ts';
import type { Source } from './text.ts';

export const sqlxName = /^(\d+)_(.*?)(?:\.(up|down))?\.sql$/;
const marker = '-- no-transaction';

/**
 * Reads one sqlx folder (flat): integers before the first `_`, `.up.sql` and `.down.sql` or plain `.sql`, own transaction, one string;
 * the opt-out stands at the very first byte of a file and counts for that file alone [facts 2].
 */
export function readSqlx(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const files = numberedFiles(context, candidate, ledger, {
    tool: 'sqlx', example: '1_what.sql, 1_what.up.sql',
    read: file => {
      const [, version, , direction] = sqlxName.exec(file) ?? [];
      return version === undefined ? undefined
        : { version, id: file.replace(/(?:\.(?:up|down))?\.sql$/, ''), direction: direction === 'down' ? 'down' : 'up' };
    },
  });
  const units = (path: string, direction: 'up' | 'down', id: string): readonly Unit[] =>
    unitsOfFile(context, path, direction, id, source => modeOf(source, ledger), ledger);
  return files.map(({ id, path, down }): MigrationDraft => {
    const both = { up: units(path, 'up', id), ...(down === undefined ? {} : { down: units(down, 'down', id) }) };
    checkOptOut(ledger, both, { written: marker, tool: 'sqlx', perDirection: true });
    return { id, path, kind: 'versioned', ...both, ...(down === undefined ? {} : { others: [down] }) };
  });
}

function modeOf(source: Source, ledger: Ledger): Mode {
  const { path, text } = source;
  if (text.startsWith(marker)) return oneString({ span: { path, start: 0, end: marker.length },
    says: `${marker}: this file runs without a transaction` });
  const written = lineMatching(source, /^\uFEFF?[ \t]*--[ \t]*no-transaction\b.*$/i);
  if (written !== undefined) {
    const why = text.startsWith('\uFEFF') ? 'a byte order mark stands before it' : written.span.start === 0 ? 'it is spelt differently'
      : 'something stands before it';
    ineffective(ledger, written.span,
      `The opt-out "${marker}" counts at the first byte of the file only, and ${why}, so sqlx runs this file in a transaction.`);
  }
  return ownTransaction;
}
