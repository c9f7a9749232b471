import type { Query, Span } from '../model.ts';
import { sourceSpan } from '../sql/span.ts';
import { identifierText, tokensOf, type Token } from '../sql/tokens.ts';

const endsList = new Set([',', 'from', 'where', 'group', 'order', 'limit', 'offset', 'union', 'intersect', 'except', '']);
const endsFrom = new Set(['where', 'group', 'having', 'window', 'order', 'limit', 'offset', 'fetch', 'union', 'intersect', 'except']);
const notAlias = new Set([...endsFrom, 'on', 'using', 'join', 'inner', 'left', 'right', 'full', 'cross', 'natural', 'tablesample',
  'lateral',
]);

/** A `*` in the outermost select list that takes in the columns of a relation, not only of a sub-query or CTE that spells its own out. */
export function wildcard(query: Query): Span | undefined {
  const { sql } = query.statement;
  const text = (token: Token | undefined): string => (token === undefined ? '' : sql.slice(token.start, token.end).toLowerCase());
  const outer = outermost(query);
  const from = outer.findIndex(token => text(token) === 'from');
  if (from < 0) return undefined;
  const star = outer.slice(0, from).findIndex((token, at) => text(token) === '*' && endsList.has(text(outer[at + 1])));
  if (star < 0) return undefined;
  const of = text(outer[star - 1]) === '.' ? outer[star - 2] : undefined;
  const end = outer.findIndex((token, at) => at > from && endsFrom.has(text(token)));
  const names = relationNames(query, outer.slice(from + 1, end < 0 ? undefined : end), text);
  const meant = of === undefined ? names.size > 0 : names.has(identifierText(sql, of));
  return meant ? sourceSpan(query.statement, (of ?? outer[star]!).start, outer[star]!.end) : undefined;
}

/** The tokens of the outermost SELECT that stand in no bracket, from the first word of its list. */
function outermost({ statement: { sql }, start, end }: Query): readonly Token[] {
  const found: Token[] = [];
  let depth = 0;
  let opened = true;
  let inside = false;
  for (const token of tokensOf(sql, start, end)) {
    if (token.kind === 'lineComment' || token.kind === 'blockComment') continue;
    const text = sql.slice(token.start, token.end).toLowerCase();
    // Brackets around the whole query count for nothing.
    opened &&= text === '(';
    if (opened) continue;
    if (text === ')') depth -= 1;
    if (depth === 0 && inside) found.push(token);
    if (depth === 0 && text === 'select') inside = true;
    if (text === '(') depth += 1;
  }
  return found;
}

/** What the relations of a FROM clause are called in the query: their alias, else their name. */
function relationNames(query: Query, tokens: readonly Token[], text: (token: Token | undefined) => string): ReadonlySet<string> {
  const { statement } = query;
  const places = new Set(query.reads.map(({ span }) => `${span.path}\0${span.start}`));
  const names = new Set<string>();
  for (const [at, token] of tokens.entries()) {
    const span = sourceSpan(statement, token.start, token.end);
    if (!places.has(`${span.path}\0${span.start}`)) continue;
    let last = at;
    while (text(tokens[last + 1]) === '.') last += 2;
    const next = text(tokens[last + 1]) === 'as' ? tokens[last + 2] : tokens[last + 1];
    const alias = (next?.kind === 'word' && !notAlias.has(text(next))) || next?.kind === 'quotedIdentifier' ? next : tokens[last];
    if (alias) names.add(identifierText(statement.sql, alias));
  }
  return names;
}
