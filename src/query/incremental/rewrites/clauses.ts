import { fold, tokenize } from '../../../sql/tokens.ts';

export interface ClauseRange {
  readonly start: number;
  readonly end: number;
}

const clauseWords = new Set(['where', 'group', 'having', 'window', 'union', 'intersect', 'except', 'order', 'limit', 'offset', 'fetch',
  'for']);

/** The clauses of the outermost query by their first word, each up to the next one. The last of a word counts. */
export function clausesOf(sql: string): ReadonlyMap<string, ClauseRange> {
  const starts: { readonly word: string; readonly start: number }[] = [];
  let depth = 0;
  let end = sql.length;
  for (const token of tokenize(sql)) {
    if (token.kind === 'lineComment' || token.kind === 'blockComment') continue;
    const text = sql.slice(token.start, token.end);
    if (text === '(' || text === '[') depth += 1;
    else if (text === ')' || text === ']') depth -= 1;
    else if (text === ';' && depth === 0) {
      end = token.start;
      break;
    } else if (depth === 0 && token.kind === 'word' && clauseWords.has(fold(text))) starts.push({ word: fold(text), start: token.start });
  }
  return new Map(starts.map(({ word, start }, at) => [word, { start, end: starts[at + 1]?.start ?? end }]));
}

/** Where a clause can be put behind all of these. */
export function endBefore(sql: string, words: readonly string[]): number {
  const clauses = clausesOf(sql);
  const starts = words.flatMap(word => clauses.get(word)?.start ?? []);
  return starts.length === 0 ? (clauses.get('') ?? { end: sql.trimEnd().replace(/;$/, '').length }).end : Math.min(...starts);
}
