import type { Ignore, Span } from '../model.ts';
import type { Piece } from '../sql/split.ts';
import { bodyComments } from './body-ignores.ts';
import { gap } from './ledger.ts';
import type { Ledger } from './ledger.ts';

const directive = /^[\s*]*mvlint-ignore(-file)?(?=$|[\s:])([^:]*)(?::\s*(.*))?$/;

/** Those of nearly every statement: one list for all of them. */
export const noIgnores: readonly Ignore[] = [];
const none: ReadonlyMap<number, readonly Ignore[]> = new Map();

interface Place { readonly at: (offset: number, isEnd: boolean) => { readonly path: string; readonly at: number } }

/**
 * The ignores of each statement, by its index in `pieces`: comments directly above it (no blank line, no other code between), inside it,
 * or after its end on the same line; `mvlint-ignore-file` reaches all of them. One inside of a routine's body or a DO block reaches the
 * statement there that it stands at (`Ignore.of`). An ignore that belongs to no statement is a gap.
 * `place` maps offsets of the text to the source.
 */
export function ignoresOf(text: string, pieces: readonly Piece[], place: Place, ledger: Ledger): ReadonlyMap<number, readonly Ignore[]> {
  if (!text.includes('mvlint-ignore')) return none;
  const found = new Map<number, Ignore[]>();
  const ordered = pieces.map((piece, index) => ({ piece, index })).sort((a, b) => a.piece.start - b.piece.start);
  const statements = ordered.filter(({ piece }) => piece.kind === 'statement');
  const forAll: Ignore[] = [];
  const give = (index: number, ignore: Ignore): void => void (found.get(index)?.push(ignore) ?? found.set(index, [ignore]));
  let next = 0;
  for (const [order, { piece }] of ordered.entries()) {
    if (piece.kind !== 'comment') continue;
    const ignores = directivesOf(text, piece, place);
    if (ignores.length === 0) continue;
    while (next < statements.length && (statements[next]?.piece.start ?? 0) < piece.start) next++;
    const before = statements[next - 1];
    const owner = before !== undefined && (piece.start < before.piece.end || sameLine(text, before.piece.end, piece.start)) ? before
      : below(text, ordered, order);
    for (const ignore of ignores) {
      if (ignore.scope === 'file') forAll.push(ignore);
      else if (owner !== undefined) give(owner.index, ignore);
      else gap(ledger, ignore.span, noStatement);
    }
  }
  for (const { piece, index } of statements) {
    for (const { ignore, target } of inBodies(text, piece, place)) {
      if (ignore.scope === 'file') forAll.push(ignore);
      else if (target !== undefined) give(index, { ...ignore, of: target });
      else gap(ledger, ignore.span, noStatement);
    }
  }
  for (const ignore of forAll) {
    if (statements.length === 0) {
      gap(ledger, ignore.span, 'This mvlint-ignore-file stands in a file without statements, so it does nothing.');
    }
    for (const { index } of statements) give(index, ignore);
  }
  return found;
}

const noStatement = 'This mvlint-ignore stands at no statement, so it does nothing; put it directly above one or at its end.';

/** The ignores in the bodies of a statement, and the statement of the body that each of them reaches. */
function inBodies(text: string, piece: Piece, place: Place): readonly { readonly ignore: Ignore; readonly target: Span | undefined }[] {
  return bodyComments(text, piece, 'mvlint-ignore').flatMap(({ body, comment, target, outer }) => {
    const inner: Place = { at: (offset, isEnd) => place.at(outer(offset, isEnd), isEnd) };
    const span = target && spanFrom(inner.at(target.start, false), inner.at(target.end, true));
    return directivesOf(body, comment, inner).map(ignore => ({ ignore, target: span }));
  });
}

const sameLine = (text: string, from: number, to: number): boolean => !text.slice(from, to).includes('\n');

/** The statement that the comment at `order` stands above: line after line of comments, then the statement. */
function below(text: string, ordered: readonly { readonly piece: Piece; readonly index: number }[],
  order: number): { readonly index: number } | undefined {
  for (let i = order; i + 1 < ordered.length; i++) {
    const here = ordered[i];
    const next = ordered[i + 1];
    if (here === undefined || next === undefined || !/^[ \t\r\f]*\n?[ \t\r\f]*$/.test(text.slice(here.piece.end, next.piece.start))) {
      return undefined;
    }
    if (next.piece.kind === 'statement') return next;
    if (next.piece.kind !== 'comment') return undefined;
  }
  return undefined;
}

const spanFrom = (from: ReturnType<Place['at']>, to: ReturnType<Place['at']>): Ignore['span'] =>
  ({ path: from.path, start: from.at, end: Math.max(from.at, to.at) });

function directivesOf(text: string, comment: { readonly start: number; readonly end: number }, place: Place): readonly Ignore[] {
  const ignores: Ignore[] = [];
  const block = text.startsWith('/*', comment.start);
  let start = comment.start;
  for (const line of text.slice(comment.start, comment.end).split('\n')) {
    const body = line.replace(/^\s*(?:--+|\/\*+)/, '').replace(block ? /\*\/\s*$/ : /\s*$/, '');
    const match = directive.exec(body.trim());
    if (match !== null) {
      const lead = line.length - line.trimStart().length;
      ignores.push({
        span: spanFrom(place.at(start + lead, false), place.at(start + line.trimEnd().length, true)),
        scope: match[1] === undefined ? 'statement' : 'file',
        rules: (match[2] ?? '').split(/[\s,]+/).filter(rule => rule !== ''),
        reason: (match[3] ?? '').trim(),
      });
    }
    start += line.length + 1;
  }
  return ignores;
}
