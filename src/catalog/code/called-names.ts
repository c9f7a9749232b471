import { once } from '../../memo.ts';
import type { Routine, WrittenName } from '../../model.ts';
import { identifierText, tokensOf, type Token } from '../../sql/tokens.ts';

const isName = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'quotedIdentifier';

/** The names that a routine's body calls like functions: `refresh_all(`, `shop.refresh_all(`. Comments and constants hold none. */
export const calledNames = once((routine: Routine): readonly WrittenName[] => {
  const { sql } = routine.statement;
  const { start, end } = routine.body ?? { start: 0, end: 0 };
  const calls: WrittenName[] = [];
  let schema: Token | undefined;
  let dot: Token | undefined;
  let name: Token | undefined;
  for (const token of tokensOf(sql, start, end)) {
    if (token.kind === 'lineComment' || token.kind === 'blockComment') continue;
    if (sql[token.start] === '(' && isName(name)) {
      const called = identifierText(sql, name);
      calls.push(isName(schema) && dot !== undefined && sql.slice(dot.start, dot.end) === '.' ? { schema: identifierText(sql, schema), name: called } : { name: called });
    }
    schema = dot;
    dot = name;
    name = token;
  }
  return calls;
});
