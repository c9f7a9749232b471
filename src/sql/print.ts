import type { Name } from '../model.ts';
import { keywords } from './keywords.ts';

/**
 * The identifier as Postgres's quote_identifier prints it: bare when it is lower-case ASCII letters, digits and `_`, does not
 * begin with a digit and is no keyword (unreserved ones aside); else in double quotes. Checked against quote_ident in the tests.
 */
export function quoteIdent(name: string): string {
  if (/^[a-z_][a-z0-9_]*$/.test(name)) {
    const kind = keywords.get(name);
    if (kind === undefined || kind === 'unreserved') return name;
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** The name for messages and generated SQL: without its schema when that is the first of the path (`public` when none is given). */
export function quoteName(name: Name, searchPath: readonly string[] = ['public']): string {
  const own = quoteIdent(name.name);
  return name.schema === '' || name.schema === searchPath[0] ? own : `${quoteIdent(name.schema)}.${own}`;
}

/** The text as a string literal, as quote_literal prints it: `E'…'` when it holds a backslash. */
export function quoteLiteral(text: string): string {
  const quoted = text.replaceAll("'", "''");
  return quoted.includes('\\') ? `E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`;
}
