import { newScanned, scan } from './lexer.ts';
import type { TokenKind } from './lexer.ts';

export type { TokenKind } from './lexer.ts';

/** A half-open range of UTF-16 units and what stands there. */
export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
}

/**
 * The tokens of a text as Postgres's lexer sees them, comments kept, blanks skipped. A string that goes on over a line break
 * (`'a'\n'b'`) is one token, as in Postgres. Unterminated things run to the end. Linear time; never throws.
 * `psql` (off by default) also knows `:var`, `:'var'`, `:"var"`, `:{?var}`; a backslash is an `error` token either way.
 */
export function tokenize(sql: string, options: { readonly psql?: boolean } = {}): readonly Token[] {
  const psql = options.psql ?? false;
  const out = newScanned();
  const tokens: Token[] = [];
  for (let i = 0; i < sql.length; i = out.end) {
    scan(sql, i, psql, out);
    if (out.kind !== 'blank') tokens.push({ kind: out.kind === 'backslash' ? 'error' : out.kind, start: i, end: out.end });
  }
  return tokens;
}

/** The tokens from `start` on, one at a time, so that a helper may stop early. */
export function* tokensOf(sql: string, start = 0, end = sql.length, psql = false): Generator<Token> {
  const out = newScanned();
  for (let i = start; i < end;) {
    scan(sql, i, psql, out);
    if (out.kind !== 'blank') yield { kind: out.kind === 'backslash' ? 'error' : out.kind, start: i, end: out.end };
    i = out.end;
  }
}

const plainIdentifier = /^"[a-z_][a-z0-9_]*"$/;

/**
 * A comparable form of a range of SQL: tokens joined by one blank, words folded to lower case, comments and trailing `;` dropped.
 * Equal forms mean equal statements; statements that mean the same may still differ (`"a"` and `a`, `<>` and `!=`).
 */
export function normalText(sql: string, start = 0, end = sql.length): string {
  const parts: string[] = [];
  const out = newScanned();
  for (let i = start; i < end; i = out.end) {
    scan(sql, i, false, out);
    if (out.kind === 'blank' || out.kind === 'lineComment' || out.kind === 'blockComment') continue;
    const text = sql.slice(i, Math.min(out.end, end));
    parts.push(out.kind === 'word' ? fold(text) : text);
  }
  while (parts.at(-1) === ';') parts.pop();
  return parts.join(' ');
}

/** Folds as Postgres folds an unquoted identifier: ASCII letters only (measured on PostgreSQL 15, UTF-8, and on the parser). */
export const fold = (word: string): string => (!hasUpper.test(word) ? word
  : beyondAscii.test(word) ? word.replace(/[A-Z]+/g, letters => letters.toLowerCase()) : word.toLowerCase());
const hasUpper = /[A-Z]/;
const beyondAscii = /[^\0-\x7f]/;

/** The identifier a `word` or `quotedIdentifier` token names, folded or unquoted; `U&"…"` keeps its escapes undecoded. */
export function identifierText(sql: string, token: Token): string {
  const text = sql.slice(token.start, token.end);
  if (token.kind !== 'quotedIdentifier') return fold(text);
  if (plainIdentifier.test(text)) return text.slice(1, -1);
  return text.replace(/^[uU]&/, '').replace(/^"|"$/g, '').replaceAll('""', '"');
}
