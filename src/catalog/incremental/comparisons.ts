/** Queries that hold one stored relation against another: what a careful cut-over runs first. */
import type { Comparison, Relation } from '../../model.ts';
import { fold, identifierText, tokenize, type Token } from '../../sql/tokens.ts';
import { sliceText, statementText, textStatement } from '../../sql/text.ts';
import type { Change } from '../change.ts';
import { bodyOf } from '../code/body.ts';

const isName = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'quotedIdentifier';

/** Whether rows are kept: a materialized view, or a table. Plain views are what a cut-over puts in front. */
const isStored = (relation: Relation): boolean => relation.kind === 'matview' || relation.kind === 'table';

interface Mention {
  readonly id: number;
  readonly at: number;
}

/**
 * Takes note of the comparisons that a statement runs, in a DO block or routine as well: `a EXCEPT [ALL] b` and full joins, by the names
 * that
 * stand nearest to the words. Read by tokens, since what matters is that somebody looked.
 */
export function noteComparisons(change: Change): void {
  const source = bodyOf(change.statement)?.text ?? statementText(change.statement);
  const sql = source.text;
  if (!/\bexcept\b|\bfull\s+(?:outer\s+)?join\b/i.test(sql)) return;
  const tokens = tokenize(sql).filter(token => token.kind !== 'lineComment' && token.kind !== 'blockComment');
  const word = (at: number): string => (tokens[at]?.kind === 'word' ? fold(sql.slice(tokens[at]!.start, tokens[at]!.end)) : '');
  const mentions: Mention[] = [];
  tokens.forEach((token, at) => {
    const before = word(at - 1);
    if (!isName(token) || (before !== 'from' && before !== 'join' && before !== 'table')) return;
    const dot = tokens[at + 1];
    const second = tokens[at + 2];
    const qualified = dot !== undefined && sql.slice(dot.start, dot.end) === '.' && isName(second);
    const found = change.store.find(qualified ? { schema: identifierText(sql, token), name: identifierText(sql, second) }
      : { name: identifierText(sql, token) });
    if (found.is === 'present' && isStored(found.object)) mentions.push({ id: found.object.id, at });
  });
  const made: Comparison[] = [];
  tokens.forEach((token, at) => {
    const isExcept = word(at) === 'except';
    const isFull = word(at) === 'full' && (word(at + 1) === 'join' || (word(at + 1) === 'outer' && word(at + 2) === 'join'));
    if (!isExcept && !isFull) return;
    const left = mentions.findLast(mention => mention.at < at);
    const right = mentions.find(mention => mention.at > at);
    if (left === undefined || right === undefined || left.id === right.id) return;
    made.push({ left: left.id, right: right.id, both: isFull, countsDuplicates: isFull || word(at + 1) === 'all',
      span: textStatement(sliceText(source, token.start, token.end), change.statement.span).span });
  });
  if (made.length > 0) change.store.comparisons = [...change.store.comparisons, ...made];
}
