import { parse as parseToml } from 'smol-toml';
import type { Evidence, Unit } from '../model.ts';
import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import { folderMigrations } from './folders.ts';
import { fileGap } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { compareCodeUnits, join } from './paths.ts';
import { checkOptOut, ineffective } from './problems.ts';
import { oneString, ownTransaction, unitsOfFile } from './script.ts';
import type { Mode } from './script.ts';
import { readSource } from './text.ts';

/**
 * Reads one Diesel folder: a folder a migration, its version the text before the first `_` without `-`, compared as text; own transaction
 * unless `metadata.toml` says otherwise, for both directions; each file one string [facts 2].
 */
export function readDiesel(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const found = folderMigrations(context, candidate, ledger, {
    tool: 'Diesel', example: '2024-01-01-000000_what/up.sql', compare: compareCodeUnits,
    version: folder => /^([^_]+)/.exec(folder)?.[1]?.replaceAll('-', ''),
  });
  return found.map(({ id, folder, up, down }): MigrationDraft => {
    const mode = modeOf(context, folder, ledger);
    const units = (path: string, direction: 'up' | 'down'): readonly Unit[] =>
      unitsOfFile(context, path, direction, id, () => mode, ledger);
    const both = { up: units(up, 'up'), ...(down === undefined ? {} : { down: units(down, 'down') }) };
    checkOptOut(ledger, both, { written: 'run_in_transaction = false', tool: 'Diesel', perDirection: false });
    return { id, path: up, kind: 'versioned', ...both, ...(down === undefined ? {} : { others: [down] }) };
  });
}

function modeOf(context: Context, folder: string, ledger: Ledger): Mode {
  const path = join(folder, 'metadata.toml');
  if (!context.known.has(path)) return ownTransaction;
  const text = readSource(context.files, path)?.text ?? '';
  const line = /^[ \t]*run_in_transaction[ \t]*=.*$/m.exec(text);
  const evidence = (says: string): Evidence =>
    ({ span: { path, start: line?.index ?? 0, end: line === null ? text.trimEnd().length : line.index + line[0].trimEnd().length }, says });
  let value: unknown;
  try {
    value = parseToml(text.replace(/^\uFEFF/, ''))['run_in_transaction'];
  } catch {
    fileGap(ledger, path, 'metadata.toml is not valid TOML, so Diesel refuses the migration; it was read as running in a transaction.');
    return ownTransaction;
  }
  if (value === undefined) {
    const { span } = evidence('');
    ineffective(ledger, span,
      'Diesel takes a metadata.toml without run_in_transaction for run_in_transaction = false, so this migration runs without a transaction.');
    return oneString(evidence('metadata.toml without run_in_transaction: no transaction'));
  }
  return value === false ? oneString(evidence('run_in_transaction = false: this migration runs without a transaction')) : ownTransaction;
}
