import type { CatalogObject, Index, Name, Statement } from '../model.ts';
import { quoteIdent, quoteName } from '../sql/print.ts';
import { identifierText, tokenize } from '../sql/tokens.ts';

/** A name as a reader knows it: quoted only where SQL demands it, the schema only when it is not public. */
export function quote(name: string | Name): string {
  return typeof name === 'string' ? quoteIdent(name) : quoteName(name);
}

/** A name with its schema, for SQL that must not depend on a search path. */
export function qualified(name: Name): string {
  return `${quoteIdent(name.schema)}.${quoteIdent(name.name)}`;
}

/** A name in SQL that stands beside a statement: with its schema where the statement writes one, for the search path may not hold it. */
export function asWritten({ sql }: Statement, name: Name): string {
  const tokens = tokenize(sql).filter(({ kind }) => kind !== 'lineComment' && kind !== 'blockComment').map(token => [token, sql.slice(token.start, token.end)] as const);
  const at = tokens.findIndex(([token], index) => (token.kind === 'word' || token.kind === 'quotedIdentifier') && identifierText(sql, token) === name.name
    && tokens[index - 1]?.[1] === '.');
  return at < 0 ? quoteIdent(name.name) : qualified(name);
}

/** `a`, `a and b`, `a, b and c`. */
export function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** `index a`, `indexes a and b`. */
export function count(one: string, many: string, words: readonly string[]): string {
  return `${words.length === 1 ? one : many} ${list(words)}`;
}

const kindWords: Readonly<Record<CatalogObject['kind'], string>> = {
  table: 'table', view: 'view', matview: 'materialized view', sequence: 'sequence', index: 'index', schema: 'schema', type: 'type',
  routine: 'function', trigger: 'trigger', policy: 'policy', role: 'role', extension: 'extension',
};

/** An object with its kind, as in `materialized view shop.sales` and `function refresh_all()`. */
export function describe(object: CatalogObject): string {
  if (object.kind === 'routine') return `${object.form} ${quote(object.name)}()`;
  return `${kindWords[object.kind]} ${quote(object.name)}`;
}

/** The columns of a key in brackets. */
export function keyText(columns: readonly string[]): string {
  return `(${columns.map(column => quoteIdent(column)).join(', ')})`;
}

/** An index by what it does: `unique index sales_day_key (day)`. */
export function describeIndex(index: Index): string {
  const keys = index.columns.map(({ column, expression }) => (column !== undefined ? quoteIdent(column) : expression ?? '…'));
  const predicate = index.predicate === undefined ? '' : ` where ${index.predicate}`;
  return `${index.unique ? 'unique ' : ''}index ${quote(index.name.name)} (${keys.join(', ')})${predicate}`;
}
