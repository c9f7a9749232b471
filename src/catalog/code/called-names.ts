import type { Routine, WrittenName } from '../../model.ts';
import { identifierText, tokensOf, type Token } from '../../sql/tokens.ts';

const isName = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'quotedIdentifier';
const memo = new WeakMap<Routine, readonly WrittenName[]>();

/** The names that a routine's body calls like functions: `refresh_all(`, `shop.refresh_all(`. Comments and constants hold none. */
export function calledNames(routine: Routine): readonly WrittenName[] {
  const known = memo.get(routine);
  if (known) return known;
  const { sql } = routine.statement;
  const { start, end } = routine.body ?? { start: 0, end: 0 };
  const calls: WrittenName[] = [];
  const last: Token[] = [];
  for (const token of tokensOf(sql, start, end)) {
    if (token.kind === 'lineComment' || token.kind === 'blockComment') continue;
    const [schema, dot, name] = last.slice(-3).length === 3 ? last.slice(-3) : [undefined, undefined, last.at(-1)];
    if (sql.slice(token.start, token.end) === '(' && isName(name)) {
      const qualified = isName(schema) && dot !== undefined && sql.slice(dot.start, dot.end) === '.';
      calls.push({ ...(qualified ? { schema: identifierText(sql, schema) } : {}), name: identifierText(sql, name) });
    }
    last.push(token);
    if (last.length > 3) last.shift();
  }
  memo.set(routine, calls);
  return calls;
}
