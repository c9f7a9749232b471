/** Places of whole expressions, found by the tokens around them: a node knows where it begins, and not always where it ends. */
import { fold, tokensOf } from '../../../sql/tokens.ts';
import type { Target } from '../inspected.ts';
import type { ClauseRange } from './clauses.ts';

interface Word extends ClauseRange {
  readonly text: string;
  readonly depth: number;
}

function* words(sql: string, { start, end }: ClauseRange): Iterable<Word> {
  let depth = 0;
  for (const token of tokensOf(sql, start, end)) {
    if (token.kind === 'lineComment' || token.kind === 'blockComment') continue;
    const raw = sql.slice(token.start, token.end);
    const text = token.kind === 'word' ? fold(raw) : raw;
    if (text === ')' || text === ']' || text === 'end') depth -= 1;
    yield { text, depth, start: token.start, end: token.end };
    if (text === '(' || text === '[' || text === 'case') depth += 1;
  }
}

const trimmed = (sql: string, { start, end }: ClauseRange): ClauseRange => {
  const text = sql.slice(start, end);
  return { start: start + text.length - text.trimStart().length, end: start + text.trimEnd().length };
};

/** The parts of a range between separators that stand outside of brackets. The AND of a BETWEEN separates nothing. */
export function parted(sql: string, range: ClauseRange, separator: ',' | 'and'): readonly ClauseRange[] {
  const parts: ClauseRange[] = [];
  let { start } = range;
  let betweens = 0;
  for (const { text, depth, ...at } of words(sql, range)) {
    if (depth !== 0) continue;
    if (text === 'between') betweens += 1;
    if (text !== separator) continue;
    if (separator === 'and' && betweens > 0) {
      betweens -= 1;
      continue;
    }
    parts.push({ start, end: at.start });
    start = at.end;
  }
  return [...parts, { start, end: range.end }].map(part => trimmed(sql, part));
}

/** A clause without its first words: `having`, `order by`. */
export function inside(sql: string, clause: ClauseRange): ClauseRange {
  let start = clause.start;
  for (const { text, end } of words(sql, clause)) {
    if (!['where', 'having', 'order', 'group', 'by'].includes(text)) break;
    start = end;
  }
  return trimmed(sql, { start, end: clause.end });
}

/** A sort key without its direction. */
export function sortKey(sql: string, item: ClauseRange): ClauseRange {
  for (const { text, depth, start } of words(sql, item)) if (depth === 0 && ['asc', 'desc', 'nulls',
    'using'].includes(text)) return trimmed(sql, { start: item.start, end: start });
  return item;
}

/** A target without its alias. */
export function targetRange(sql: string, { span }: Target, hasAlias: boolean): ClauseRange {
  const list = [...words(sql, span)];
  const last = list.at(-1);
  if (!hasAlias || last === undefined) return { start: span.start, end: span.end };
  const before = list.at(-2);
  return trimmed(sql, { start: span.start, end: before?.text === 'as' ? before.start : last.start });
}

/** What stands between the brackets of FILTER (WHERE …). */
export function filterText(call: string): string | undefined {
  const range = { start: 0, end: call.length };
  let follows = false;
  for (const { text, depth, start } of words(call, range)) {
    if (follows && text === '(') {
      for (const { text: other, depth: level, start: end } of words(call, { start: start + 1, end: call.length }))
        if (other === ')' && level === -1) return inside(call, { start: start + 1, end }).start < end ? call.slice(inside(call,
          { start: start + 1, end }).start, end).trim() : undefined;
    }
    follows = depth === 0 && text === 'filter';
  }
  return undefined;
}
