import type { Evidence } from '../model.ts';
import { whole } from './assembly.ts';
import { pathsUnder } from './context.ts';
import type { Candidate, Context } from './context.ts';
import type { MigrationDraft } from './draft.ts';
import { placeholdersIn, replacements } from './fill.ts';
import type { Replacement } from './fill.ts';
import { fileGap, gap } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { numberedFiles } from './numbered.ts';
import { basename, dirname } from './paths.ts';
import { checkOptOut, ineffective } from './problems.ts';
import { linesOf, open, ownTransaction, substituted, unitsOf } from './script.ts';
import type { Mode, Part } from './script.ts';
import { valueOf } from './statements.ts';
import type { Range } from './statements.ts';
import type { Source } from './text.ts';

export const gooseMark = /^--\s*\+goose\b/im;

/**
 * Reads one goose folder (flat): numbers by value, both directions in one file, cut only at a `;` that ends a line, one Exec a piece; the
 * transaction of NO TRANSACTION covers both directions [facts 2].
 */
export function readGoose(context: Context, candidate: Candidate, ledger: Ledger): readonly MigrationDraft[] {
  for (const path of candidate.roots.flatMap(root => pathsUnder(context, root).filter(one => dirname(one) === root))) {
    if (/^\d+_.*\.go$/.test(basename(path)) && !path.endsWith('_test.go'))
      fileGap(ledger, path, `${basename(path)} is a migration that is not SQL; mvlint does not read it.`);
  }
  const files = numberedFiles(context, candidate, ledger, {
    tool: 'goose', example: '00001_what.sql',
    read: file => {
      const version = /^(\d+)_.*\.sql$/.exec(file)?.[1];
      return version === undefined ? undefined : { version, id: file.slice(0, -4) };
    },
  });
  return files.flatMap(({ id, path }): readonly MigrationDraft[] => {
    const source = open(context, path, ledger);
    if (source === undefined) return [];
    const { pieces, optOut, filled } = annotated(source, ledger);
    const given = substituted(whole(path, source.text), pieces, variables(source.text, filled, context));
    // One Exec a piece: a piece of several commands is one string of them, whatever the file says.
    const mode: Mode = optOut === undefined ? ownTransaction : { scope: 'none', protocol: 'simple-string', because: optOut };
    const units = unitsOf(context, given.text, given.parts.map(piece => ({ ...piece, mode })), id, ledger);
    checkOptOut(ledger, units, { written: 'NO TRANSACTION', tool: 'goose', perDirection: false });
    return [{ id, path, kind: 'versioned', ...units }];
  });
}

interface Annotated {
  readonly pieces: readonly Omit<Part, 'mode'>[];
  readonly optOut?: Evidence;
  /** Ranges in which ENVSUB is on. */
  readonly filled: readonly Range[];
}

/** What the annotations of a file say; what goose refuses is a gap. */
function annotated(source: Source, ledger: Ledger): Annotated {
  const { path, text } = source;
  const pieces: Omit<Part, 'mode'>[] = [];
  const filled: Range[] = [];
  let optOut: Evidence | undefined;
  let direction: Part['direction'] | undefined;
  let start = 0;
  let block = false;
  let filledFrom = -1;
  for (const line of linesOf(text)) {
    const mark = /^([ \t]*)--[ \t]*\+goose[ \t]+(.*)$/i.exec(line.text);
    const written = (mark?.[2] ?? '').trim().slice(0, 80);
    const span = { path, start: line.start + (mark?.[1]?.length ?? 0), end: line.end };
    const close = (end: number): void => {
      if (direction !== undefined && end > start) pieces.push({ start, end, direction });
      start = line.end;
    };
    if (mark === null) {
      if (direction !== undefined && !block && endsStatement(line.text)) close(line.end);
      continue;
    }
    if (mark[1] !== '') {
      ineffective(ledger, span, `The annotation "+goose ${written}" has blanks before it, and goose takes it at the start of a line only.`);
      continue;
    }
    switch (written.toUpperCase()) {
      case 'UP':
      case 'DOWN':
        close(line.start);
        direction = written.toUpperCase() === 'UP' ? 'up' : 'down';
        block = false;
        break;
      case 'STATEMENTBEGIN':
        close(line.start);
        block = true;
        break;
      case 'STATEMENTEND':
        close(line.start);
        block = false;
        break;
      case 'NO TRANSACTION':
        optOut ??= { span, says: '+goose NO TRANSACTION: both directions run without a transaction' };
        break;
      case 'ENVSUB ON':
      case 'ENVSUBST ON':
        filledFrom = line.end;
        break;
      case 'ENVSUB OFF':
      case 'ENVSUBST OFF':
        if (filledFrom >= 0) filled.push({ start: filledFrom, end: line.start });
        filledFrom = -1;
        break;
      default:
        gap(ledger, span, `goose knows no annotation "${written}", so it refuses this file.`);
    }
  }
  if (direction === undefined) fileGap(ledger, path, 'goose refuses a file without "-- +goose Up"; nothing of it was read.');
  else if (start < text.length) pieces.push({ start, end: text.length, direction });
  if (filledFrom >= 0) filled.push({ start: filledFrom, end: text.length });
  return { pieces, filled, ...(optOut === undefined ? {} : { optOut }) };
}

/** Whether the last word before a `--` ends with a semicolon: goose looks at no quotes and no dollars. */
function endsStatement(line: string): boolean {
  const comment = /(?:^|\s)--/.exec(line);
  return (comment === null ? line : line.slice(0, comment.index)).trimEnd().endsWith(';');
}

/** `${NAME}` and `$NAME` where ENVSUB is on; the values are those of the environment, so only given ones are known. */
function variables(text: string, ranges: readonly Range[], context: Context): readonly Replacement[] {
  if (ranges.length === 0) return [];
  const values = context.options.placeholders ?? {};
  const inside = (at: number): boolean => ranges.some(({ start, end }) => at >= start && at < end);
  const braced = [...placeholdersIn(text)].map(({ start, end, name }) => ({ start, end, name: text.slice(start, end), bare: name }));
  const plain = [...text.matchAll(/(?<![$\w])\$([A-Za-z_]\w*)(?![\w$])/g)].map(match =>
    ({ start: match.index, end: match.index + match[0].length, name: match[0], bare: match[1] ?? '' }));
  const found = [...braced, ...plain].filter(({ start }) => inside(start)).sort((a, b) => a.start - b.start);
  return replacements(text, found.map(one =>
    ({ ...one, value: valueOf(values, one.bare.replace(/:?-.*$/s, '')) ?? /:?-(.*)$/s.exec(one.bare)?.[1] })));
}
