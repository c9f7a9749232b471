import { bareLabelKeywords, keywords } from './keywords.ts';
import { tokensOf } from './tokens.ts';
import type { Token } from './tokens.ts';

/** Words that end an expression at its own depth because a clause begins. FROM of IS DISTINCT FROM and the like are excepted below. */
const clauses = new Set([
  'from', 'where', 'group', 'order', 'having', 'limit', 'offset', 'fetch', 'for', 'window', 'union', 'intersect', 'except', 'returning',
  'into', 'on', 'asc', 'desc', 'nulls', 'using', 'with', 'as', 'then', 'when', 'else', 'end', 'join', 'left', 'right', 'full', 'inner',
  'cross', 'natural', 'set', 'values', 'do',
]);

interface Scan {
  /** End of the expression proper. */
  readonly end: number;
  /** End with its `AS label` or bare label. */
  readonly labelled: number;
}

/** End of the expression that begins at `start`: up to `,`, a closing bracket, `;`, AS, a bare label or the next clause, at its depth. */
export function expressionEnd(sql: string, start: number): number {
  return scan(sql, start).end;
}

/** End of the select-list item that begins at `start`, its label included. */
export function targetEnd(sql: string, start: number): number {
  return scan(sql, start).labelled;
}

function scan(sql: string, start: number): Scan {
  let depth = 0;
  let cases = 0;
  let end = start;
  let before = '';
  let previous: Token | undefined;
  for (const token of tokensOf(sql, start)) {
    if (token.kind === 'lineComment' || token.kind === 'blockComment') continue;
    const text = sql.slice(token.start, token.end);
    if (token.kind === 'punctuation') {
      if (text === '(' || text === '[') depth += 1;
      else if (text === ')' || text === ']') {
        if (depth === 0) return { end, labelled: end };
        depth -= 1;
      } else if (depth === 0 && (text === ';' || (text === ',' && cases === 0))) return { end, labelled: end };
    } else if (depth === 0) {
      const word = token.kind === 'word' ? text.toLowerCase() : '';
      if (word === 'case') cases += 1;
      else if (cases > 0) {
        if (word === 'end') cases -= 1;
      } else if (word === 'as') return { end, labelled: labelEnd(sql, token.end) };
      else if (end > start && clauses.has(word) && !belongs(sql, word, before, token)) return { end, labelled: end };
      else if (end > start && isBareLabel(sql, token, word, previous, before)) return { end, labelled: token.end };
    }
    end = token.end;
    before = token.kind === 'word' ? text.toLowerCase() : '';
    previous = token;
  }
  return { end, labelled: end };
}

function labelEnd(sql: string, start: number): number {
  for (const token of tokensOf(sql, start)) if (token.kind !== 'lineComment' && token.kind !== 'blockComment') return token.end;
  return sql.length;
}

/** Clause words that stand inside an expression. */
function belongs(sql: string, word: string, before: string, token: Token): boolean {
  if (word === 'from') return before === 'distinct';
  if (word === 'group') return before === 'within';
  if (word === 'with') return before === 'time' || before === 'timestamp'
    || /^\s+time\s+zone\b/i.test(sql.slice(token.end, token.end + 40));
  if (word === 'left' || word === 'right') return /^\s*\(/.test(sql.slice(token.end, token.end + 40));
  return false;
}

/** Words after which an operand is still expected, so that the next name is no label. */
const expecting = new Set([
  'and', 'or', 'not', 'is', 'in', 'like', 'ilike', 'similar', 'to', 'between', 'symmetric', 'asymmetric', 'collate', 'operator', 'any',
  'some', 'all', 'distinct', 'from', 'at', 'time', 'escape', 'over', 'within', 'when', 'then', 'else', 'case', 'variadic', 'array', 'row',
  'with', 'without', 'uescape', 'document', 'normalized',
]);
/** Words that go on with an expression although they could be labels to the eye. */
const continuing = new Set([
  'and', 'or', 'not', 'is', 'in', 'like', 'ilike', 'similar', 'between', 'collate', 'operator', 'isnull', 'notnull', 'overlaps', 'at',
  'escape', 'over', 'filter', 'within', 'precision', 'varying', 'with', 'without', 'to', 'uescape', 'year', 'month', 'day', 'hour', 'minute',
  'second',
]);

/** A name right behind a complete operand is its label: `count(*) total`. Which keywords may be: the grammar's own list. */
function isBareLabel(sql: string, token: Token, word: string, previous: Token | undefined, before: string): boolean {
  if (previous === undefined) return false;
  if (token.kind === 'quotedIdentifier') return ends(sql, previous, before);
  if (token.kind !== 'word' || continuing.has(word)) return false;
  if (keywords.has(word) && !bareLabelKeywords.has(word)) return false;
  if (before === 'double' || before === 'national' || before === 'only') return false;
  if (before === 'at' || (before === 'zone' && previous.kind !== 'word')) return false;
  return ends(sql, previous, before);
}

/** Whether the token completes an operand. */
function ends(sql: string, previous: Token, before: string): boolean {
  switch (previous.kind) {
    case 'word': return !expecting.has(before);
    case 'quotedIdentifier': case 'string': case 'number': case 'parameter': case 'variable': case 'placeholder': return true;
    case 'punctuation': {
      const text = sql.slice(previous.start, previous.end);
      return text === ')' || text === ']';
    }
    case 'operator': return sql.slice(previous.start, previous.end) === '*' && sql[previous.start - 1] === '.';
    default: return false;
  }
}
