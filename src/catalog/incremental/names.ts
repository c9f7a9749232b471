import type { WrittenName } from '../../model.ts';
import { identifierText, tokenize, type Token } from '../../sql/tokens.ts';

/** What the name argument of create_immv says: `v`, `app.v`, `v(a, b)`. */
export type ImmvName =
  | { readonly name: WrittenName; readonly columns: readonly string[] }
  | { readonly sqlstate: string; readonly message: string };

const isName = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'quotedIdentifier';

/**
 * Reads the name argument as pg_ivm does: identifiers fold unless quoted, a list of columns may follow. The refusals and their SQLSTATEs
 * are
 * measured (`immv.test.ts`). Undefined for what no experiment covers.
 */
export function readImmvName(text: string): ImmvName | undefined {
  const tokens = tokenize(text);
  const at = (index: number): string => text.slice(tokens[index]?.start ?? text.length, tokens[index]?.end ?? text.length);
  if (tokens.length === 0) return { sqlstate: '42602', message: 'invalid name syntax' };
  const parts: string[] = [];
  let next = 0;
  for (;;) {
    const token = tokens[next];
    if (!isName(token)) return undefined;
    parts.push(identifierText(text, token));
    next += 1;
    if (at(next) !== '.') break;
    next += 1;
  }
  const [name = '', schema] = parts.toReversed();
  if (parts.length > 3) return { sqlstate: '42601', message: `improper relation name (too many dotted names): ${parts.join('.')}` };
  const written: WrittenName = schema === undefined ? { name } : { schema, name };
  if (next === tokens.length) return { name: written, columns: [] };
  if (at(next) !== '(') return undefined;
  if (at(tokens.length - 1) !== ')') return { sqlstate: '22P02', message: 'expected a right parenthesis' };
  const inside = tokens.slice(next + 1, -1);
  if (inside.length === 0) return { sqlstate: '42P17', message: 'must specify at least one column name' };
  const columns: string[] = [];
  for (const [index, token] of inside.entries()) {
    if (index % 2 === 0 ? !isName(token) : text.slice(token.start, token.end) !== ',') return undefined;
    if (index % 2 === 0) columns.push(identifierText(text, token));
  }
  return inside.length % 2 === 0 ? undefined : { name: written, columns };
}
