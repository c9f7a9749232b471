import type { Origin, Span, Statement } from '../model.ts';
import { tokensOf } from './tokens.ts';
import type { Token } from './tokens.ts';

/**
 * The place in the source of offsets `start`–`end` of `statement.sql`. A run of the same length maps unit by unit, any other
 * maps whole; outside of all origins (filled placeholders) the nearest one answers. A range over several files keeps the first.
 */
export function sourceSpan(statement: Statement, start: number, end: number): Span {
  const { origins } = statement;
  if (origins === undefined) return within(statement.span, start, end);
  const first = originAt(origins, start);
  if (first === undefined) return statement.span;
  const last = end > start ? originAt(origins, end - 1) ?? first : first;
  const from = place(first, start, false);
  if (last.span.path !== first.span.path) return { path: first.span.path, start: from, end: Math.max(from, first.span.end) };
  const to = end > start ? place(last, end - 1, true) : from;
  return { path: first.span.path, start: Math.min(from, to), end: Math.max(from, to) };
}

/** A range of a text that its span holds unit by unit. */
function within({ path, start: from, end: until }: Span, start: number, end: number): Span {
  const place = (offset: number): number => from + Math.max(0, Math.min(offset, until - from));
  return { path, start: place(start), end: Math.max(place(start), place(end)) };
}

function place(origin: Origin, offset: number, isLast: boolean): number {
  if (offset < origin.start) return origin.span.start;
  if (offset >= origin.end) return origin.span.end;
  const same = origin.end - origin.start === origin.span.end - origin.span.start;
  if (!same) return isLast ? origin.span.end : origin.span.start;
  return origin.span.start + (offset - origin.start) + (isLast ? 1 : 0);
}

/** The origin that holds the offset, else the nearest one. */
function originAt(origins: readonly Origin[], offset: number): Origin | undefined {
  let best: Origin | undefined;
  let distance = Infinity;
  for (const origin of origins) {
    const away = offset < origin.start ? origin.start - offset : offset >= origin.end ? offset - origin.end + 1 : 0;
    if (away >= distance) continue;
    best = origin;
    distance = away;
    if (away === 0) break;
  }
  return best;
}

/** Whether the statement stands in its file as it is sent: neither in a literal nor with placeholders, where an edit would need more care. */
export function isSentAsWritten(statement: Statement): boolean {
  const [only, ...more] = originsOf(statement);
  const { length } = statement.sql;
  return more.length === 0 && only !== undefined && only.start === 0 && only.end === length && only.span.end - only.span.start === length;
}

/** The runs of a statement's text that a source holds. */
export const originsOf = ({ sql, span, origins }: Statement): readonly Origin[] => origins ?? [{ start: 0, end: sql.length, span }];

/** Line and column, both 1-based, columns in UTF-16 units; lines end with LF (a CR before it belongs to the line). */
export function lineColumns(text: string): (offset: number) => { readonly line: number; readonly column: number } {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return offset => {
    const at = Math.max(0, Math.min(offset, text.length));
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= at) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: at - starts[low]! + 1 };
  };
}

/** Tokens without comments, from `start` on. */
function* code(sql: string, start: number): Generator<Token> {
  for (const token of tokensOf(sql, start)) if (token.kind !== 'lineComment' && token.kind !== 'blockComment') yield token;
}
const textOf = (sql: string, token: Token): string => sql.slice(token.start, token.end);
const isName = (token: Token): boolean => token.kind === 'word' || token.kind === 'quotedIdentifier';

/** A name without quotes that what follows surely ends: most of them. */
const plainName = /[a-z_]\w*(?:\.[a-z_]\w*)*(?=[,;:()=<>+]|$|\s+[^\s./-])/iy;

/** End of the dotted name at `start` (`a.b."C"`, `a.*`): relations, columns, functions, types. Any other token ends where it ends. */
export function nameEnd(sql: string, start: number): number {
  plainName.lastIndex = start;
  if (plainName.test(sql)) return plainName.lastIndex;
  let end = start;
  let expectName = true;
  for (const token of code(sql, start)) {
    const text = textOf(sql, token);
    if (expectName) {
      if (!isName(token) && text !== '*') return end === start ? token.end : end;
      end = token.end;
      if (!isName(token)) return end;
      expectName = false;
    } else {
      if (text !== '.') return end;
      expectName = true;
    }
  }
  return end;
}

/** End of the bracket at `start` (`(` or `[`), or of the text when it is not closed. */
export function bracketEnd(sql: string, start: number): number {
  let depth = 0;
  for (const token of code(sql, start)) {
    if (token.kind !== 'punctuation') continue;
    const text = textOf(sql, token);
    if (text === '(' || text === '[') depth += 1;
    else if (text === ')' || text === ']') {
      depth -= 1;
      if (depth === 0) return token.end;
    }
  }
  return sql.length;
}

/**
 * End of the operand at `start`, where a tree has only the start: a dotted name with its arguments when `(` follows directly,
 * subscripts, casts `::type`, and a function's WITHIN GROUP, FILTER and OVER. A CASE runs to its END, a bracket to its close,
 * a type before a literal (`date '…'`) over the literal; a cast, whose location is its `::`, over the type.
 * Relations in front of a column list (`INSERT INTO t (a)`) take `nameEnd`.
 */
export function nodeEnd(sql: string, start: number): number {
  const first = next(sql, start);
  if (first === undefined) return sql.length;
  const text = textOf(sql, first);
  if (text === '(' || text === '[') return suffixEnd(sql, bracketEnd(sql, first.start));
  if (first.kind === 'word' && text.toLowerCase() === 'case') return suffixEnd(sql, caseEnd(sql, first.start));
  if (text === '::') return suffixEnd(sql, typeEnd(sql, first.end));
  if (!isName(first)) return suffixEnd(sql, first.end);
  const end = nameEnd(sql, first.start);
  const follower = next(sql, end);
  if (follower?.kind === 'string' && first.kind === 'word') return suffixEnd(sql, follower.end);
  return suffixEnd(sql, end);
}

const next = (sql: string, start: number): Token | undefined => code(sql, start).next().value as Token | undefined;

function caseEnd(sql: string, start: number): number {
  let depth = 0;
  for (const token of code(sql, start)) {
    if (token.kind !== 'word') continue;
    const word = textOf(sql, token).toLowerCase();
    if (word === 'case') depth += 1;
    else if (word === 'end') {
      depth -= 1;
      if (depth === 0) return token.end;
    }
  }
  return sql.length;
}

/** What may follow an operand and belong to it. */
function suffixEnd(sql: string, start: number): number {
  let end = start;
  for (;;) {
    const token = next(sql, end);
    if (token === undefined) return end;
    const text = textOf(sql, token).toLowerCase();
    if (text === '(' || text === '[') end = bracketEnd(sql, token.start);
    else if (text === '::') end = typeEnd(sql, token.end);
    else if (text === '.') end = nameEnd(sql, token.end);
    else {
      const clause = callClauseEnd(sql, token);
      if (clause === undefined) return end;
      end = clause;
    }
  }
}

/** End of the function call at `start`, with its WITHIN GROUP, FILTER and OVER, without casts and subscripts behind it. */
export function callEnd(sql: string, start: number): number {
  const open = next(sql, nameEnd(sql, start));
  let end = open === undefined ? sql.length : bracketEnd(sql, open.start);
  for (;;) {
    const token = next(sql, end);
    const clause = token && callClauseEnd(sql, token);
    if (clause === undefined) return end;
    end = clause;
  }
}

/** End of the FILTER, OVER or WITHIN GROUP that begins at a token; undefined when none does. */
function callClauseEnd(sql: string, token: Token): number | undefined {
  const text = textOf(sql, token).toLowerCase();
  const after = next(sql, token.end);
  if (after === undefined) return undefined;
  if (text === 'filter' || text === 'over') {
    if (textOf(sql, after) === '(') return bracketEnd(sql, after.start);
    return text === 'over' && isName(after) ? after.end : undefined;
  }
  const open = text === 'within' && textOf(sql, after).toLowerCase() === 'group' ? next(sql, after.end) : undefined;
  return open !== undefined && textOf(sql, open) === '(' ? bracketEnd(sql, open.start) : undefined;
}

/** Second words of type names. */
const typeTails: Readonly<Record<string, readonly string[]>> = {
  double: ['precision'], character: ['varying'], char: ['varying'], bit: ['varying'], national: ['character', 'char'],
  interval: ['year', 'month', 'day', 'hour', 'minute', 'second'],
};

/** End of the type name at `start`, with its modifiers, `with time zone` and array bounds: `numeric(12,2)[]`. */
export function typeEnd(sql: string, start: number): number {
  const first = next(sql, start);
  if (first === undefined || !isName(first)) return first?.end ?? sql.length;
  let end = nameEnd(sql, first.start);
  let word = first.kind === 'word' ? textOf(sql, first).toLowerCase() : '';
  if (word === 'setof') return typeEnd(sql, first.end);
  for (;;) {
    const token = next(sql, end);
    if (token === undefined) return end;
    const text = textOf(sql, token).toLowerCase();
    if (text === '(' || text === '[') end = bracketEnd(sql, token.start);
    else if (text === '%') { // table.column%TYPE
      const type = next(sql, token.end);
      if (type === undefined || textOf(sql, type).toLowerCase() !== 'type') return end;
      end = type.end;
    } else if (typeTails[word]?.includes(text) === true) {
      end = token.end;
      word = text;
      const to = next(sql, end);
      const range = to !== undefined && textOf(sql, to).toLowerCase() === 'to' && typeTails['interval']!.includes(text);
      if (range) end = next(sql, to.end)?.end ?? to.end;
    } else if ((text === 'with' || text === 'without') && (word === 'time' || word === 'timestamp')) {
      const time = next(sql, token.end);
      const zone = time === undefined ? undefined : next(sql, time.end);
      if (time === undefined || zone === undefined) return end;
      if (textOf(sql, time).toLowerCase() !== 'time' || textOf(sql, zone).toLowerCase() !== 'zone') return end;
      end = zone.end;
    } else if (text === 'array') end = token.end;
    else return end;
  }
}

export { expressionEnd, targetEnd } from './expression-end.ts';
