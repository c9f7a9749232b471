import { once } from '../../memo.ts';
import type { Statement } from '../../model.ts';
import { literalText, statementText, type Text } from '../../sql/text.ts';
import { tokenize } from '../../sql/tokens.ts';
import type { Node } from '../../sql/tree.ts';

/** The value of an option of CREATE FUNCTION, DO and their kin. */
export function defElem(options: readonly Node[] | undefined, name: string): Node | undefined {
  const found = options?.find(item => 'DefElem' in item && item.DefElem.defname === name);
  return found && 'DefElem' in found ? found.DefElem.arg : undefined;
}

/** The text of a body, with the offsets of what stands between its quotes. */
interface Body {
  readonly text: Text;
  readonly start: number;
  readonly end: number;
}

/** The body of a string-body routine or DO: the literal after AS, DO or LANGUAGE. */
export const bodyOf = once((statement: Statement): Body | undefined => {
  const { sql } = statement;
  let expected = false;
  for (const token of tokenize(sql)) {
    if (token.kind === 'string' && expected) {
      const text = literalText(statementText(statement), token.start, token.end);
      const opening = sql[token.start] === '$' ? sql.indexOf('$', token.start + 1) + 1 - token.start : sql.indexOf("'", token.start) + 1 - token.start;
      const closing = sql[token.start] === '$' ? opening : 1;
      return text && { text, start: token.start + opening, end: token.end - closing };
    }
    if (token.kind !== 'lineComment' && token.kind !== 'blockComment') expected = token.kind === 'word' && /^(as|do|plpgsql|sql)$/i.test(sql.slice(token.start, token.end));
  }
  return undefined;
});
