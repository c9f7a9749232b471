import { identifierText, tokenize } from '../sql/tokens.ts';

/** What a statement does to its transaction, as far as its first words say. */
export type Control = 'begin' | 'commit' | 'commitAndChain' | 'rollback' | 'rollbackAndChain' | 'rollbackTo' | 'prepare' | 'none';

/** The first words of a statement, folded, comments left out; stops at anything that is not a word. */
export function leadingWords(sql: string, count: number): readonly string[] {
  const words: string[] = [];
  for (const token of tokenize(sql.slice(0, 2_000))) {
    if (token.kind === 'lineComment' || token.kind === 'blockComment') continue;
    if (token.kind !== 'word' || words.length === count) break;
    words.push(identifierText(sql, token));
  }
  return words;
}

/** BEGIN, START TRANSACTION, COMMIT, END, ROLLBACK, ABORT and their kin; everything else is none. */
export function controlOf(sql: string): Control {
  const words = leadingWords(sql, 6);
  const chains = (): boolean => words.includes('chain') && !words.includes('no');
  switch (words[0]) {
    case 'begin': return 'begin';
    case 'start': return words[1] === 'transaction' ? 'begin' : 'none';
    case 'end':
    case 'commit': return words[1] === 'prepared' ? 'none' : chains() ? 'commitAndChain' : 'commit';
    case 'abort': return chains() ? 'rollbackAndChain' : 'rollback';
    case 'rollback': return words[1] === 'prepared' ? 'none' : words.includes('to') ? 'rollbackTo' : chains() ? 'rollbackAndChain' : 'rollback';
    case 'prepare': return words[1] === 'transaction' ? 'prepare' : 'none';
    default: return 'none';
  }
}
