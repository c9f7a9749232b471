import { tokensOf } from '../sql/tokens.ts';
import type { Range } from './statements.ts';

/**
 * The ranges between the places where a delimiter stands outside of quotes and parentheses: how tools cut that let a file choose what
 * ends a statement. Linear time; the delimiter itself belongs to no range.
 */
export function cutAt(text: string, delimiter: string, start = 0, end = text.length): readonly Range[] {
  if (delimiter === '') return [{ start, end }];
  const ranges: Range[] = [];
  const guarded = guardedRanges(text, start, end);
  let next = guarded.next();
  let from = start;
  for (let at = text.indexOf(delimiter, start); at >= 0 && at < end; ) {
    while (next.done !== true && next.value.end <= at) next = guarded.next();
    if (next.done !== true && next.value.start < at && at < next.value.end) {
      at = text.indexOf(delimiter, next.value.end);
      continue;
    }
    ranges.push({ start: from, end: at });
    from = at + delimiter.length;
    at = text.indexOf(delimiter, from);
  }
  if (from < end) ranges.push({ start: from, end });
  return ranges;
}

/** Quotes, dollar quotes, and parentheses with all they hold, in order. */
function* guardedRanges(text: string, start: number, end: number): Generator<Range> {
  let depth = 0;
  let opened = start;
  for (const token of tokensOf(text, start, end)) {
    const mark = token.kind === 'punctuation' ? text.charAt(token.start) : '';
    if (mark === '(' && depth++ === 0) opened = token.start;
    else if (mark === ')' && depth > 0 && --depth === 0) yield { start: opened, end: token.end };
    else if (depth === 0 && (token.kind === 'string' || token.kind === 'quotedIdentifier')) yield token;
  }
}
