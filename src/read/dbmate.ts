import type { Evidence } from '../model.ts';
import { whole } from './assembly.ts';
import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import { fileGap, gap } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { numberedFiles } from './numbered.ts';
import { compareCodeUnits } from './paths.ts';
import { checkOptOut, ineffective } from './problems.ts';
import { linesOf, oneString, open, ownTransaction, unitsOf } from './script.ts';
import type { Part } from './script.ts';
import type { Source } from './text.ts';

export const dbmateMark = /^--\s*migrate:(?:up|down)\b/m;

/**
 * Reads one dbmate folder (flat): order by file name, blocks of both directions in one file, each block one string with options of its own
 * [facts 2].
 */
export function readDbmate(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  const files = numberedFiles(context, candidate, ledger, {
    tool: 'dbmate', example: '20240101000000_what.sql', compare: compareCodeUnits,
    read: file => {
      const version = /^(\d+).*\.sql$/.exec(file)?.[1];
      return version === undefined ? undefined : { version, id: file.slice(0, -4) };
    },
  });
  return files.flatMap(({ id, path }): readonly MigrationDraft[] => {
    const source = open(context, path, ledger);
    if (source === undefined) return [];
    const units = unitsOf(context, whole(path, source.text), blocks(source, ledger), id, ledger);
    checkOptOut(ledger, units, { written: 'transaction:false', tool: 'dbmate', perDirection: true });
    return [{ id, path, kind: 'versioned', ...units }];
  });
}

/** The blocks of a file; what stands before the first one is refused by dbmate. */
function blocks(source: Source, ledger: Ledger): readonly Part[] {
  const { path, text } = source;
  const parts: Part[] = [];
  let open: Omit<Part, 'end'> | undefined;
  for (const line of linesOf(text)) {
    const mark = /^--\s*migrate:(up|down)(?:\s+(.*))?$/.exec(line.text);
    const span = { path, start: line.start, end: line.end };
    if (mark === null) {
      if (/^\s*--.*\btransaction\s*[:=]\s*false\b/i.test(line.text)) {
        ineffective(ledger, span,
          'This transaction:false is a plain comment: dbmate reads options on the line of "migrate:up" or "migrate:down" only.');
      } else if (open === undefined && !/^\s*(?:--.*)?$/.test(line.text.replace(/^\uFEFF/, ''))) {
        gap(ledger, span, 'dbmate refuses a statement before the first "-- migrate:up", and with it the file.');
        open = { start: line.start, direction: 'up', mode: ownTransaction };
      }
      continue;
    }
    if (open !== undefined) parts.push({ ...open, end: line.start });
    const options = (mark[2] ?? '').trim().slice(0, 200);
    const because: Evidence | undefined = /(?:^|\s)transaction:false(?=\s|$)/.test(options)
      ? { span, says: 'transaction:false: this block runs without a transaction' } : undefined;
    if (because === undefined && /\btransaction\b.*\bfalse\b/i.test(options)) {
      ineffective(ledger, span, `dbmate does not read "${options}" as an option: it is written transaction:false, without blanks.`);
    }
    const mode = because === undefined ? ownTransaction : oneString(because);
    open = { start: line.end, direction: mark[1] === 'up' ? 'up' : 'down', mode };
  }
  if (open !== undefined) parts.push({ ...open, end: text.length });
  else if (text.trim() !== '') fileGap(ledger, path, 'dbmate refuses a file without "-- migrate:up"; nothing of it was read.');
  return parts;
}
