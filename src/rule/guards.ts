import type { Catalog, Matview, Span, Statement } from '../model.ts';
import { literalText, statementText, type Text } from '../sql/text.ts';
import { identifierText, tokensOf, type Token } from '../sql/tokens.ts';

/** A query that looks for a materialized view where Postgres lists none. */
export interface BlindLookup {
  readonly matview: Matview;
  /** `information_schema.tables`, `pg_tables` … as the reader knows it. */
  readonly list: string;
  readonly span: Span;
}

/** Lists of relations that leave materialized views out (measured by the fixtures of no-blind-guard). */
const schemaLists = new Set(['tables', 'views', 'columns']);
const plainLists = new Set(['pg_tables', 'pg_views']);
/** A statement about a catalog is short: names stand within so many tokens of it. */
const reach = 60;
const deepest = 3;

const spanOf = ({ origins }: Text, { start }: Token): Span | undefined => {
  const origin = origins.find(each => each.start <= start && start < each.end);
  return origin && { path: origin.span.path, start: origin.span.start + start - origin.start, end: origin.span.end };
};

/** The tokens of a text without comments. */
function codeOf({ text }: Text): readonly Token[] {
  return [...tokensOf(text)].filter(token => token.kind !== 'lineComment' && token.kind !== 'blockComment');
}

interface Hit {
  readonly list: string;
  /** The first and the last token of its name. */
  readonly from: number;
  readonly to: number;
}

function listAt(text: string, tokens: readonly Token[], at: number): Hit | undefined {
  const name = (index: number): string => {
    const token = tokens[index];
    return token?.kind === 'word' || token?.kind === 'quotedIdentifier' ? identifierText(text, token) : '';
  };
  if (name(at) === 'information_schema' && schemaLists.has(name(at + 2)))
    return { list: `information_schema.${name(at + 2)}`, from: at, to: at + 2 };
  return plainLists.has(name(at)) ? { list: name(at), from: at, to: at } : undefined;
}

/** The constants of the statement that goes on after a token. */
function constantsAfter(source: Text, tokens: readonly Token[], at: number): readonly string[] {
  const found: string[] = [];
  for (const token of tokens.slice(at + 1, at + reach)) {
    const word = source.text.slice(token.start, token.end).toLowerCase();
    if (word === ';' || word === 'then' || word === 'loop') break;
    const text = token.kind === 'string' ? literalText(source, token.start, token.end)?.text : undefined;
    if (text !== undefined) found.push(text);
  }
  return found;
}

function named(constants: readonly string[], catalog: Catalog): Matview | undefined {
  for (const name of constants) {
    const found = [catalog.find({ name }), ...constants.filter(schema => schema !== name).map(schema => catalog.find({ schema, name }))];
    for (const each of found) if (each.is === 'present' && each.object.kind === 'matview') return each.object;
  }
  return undefined;
}

const namesList = /information_schema|pg_tables|pg_views/i;

function lookupsIn(source: Text, catalog: Catalog, depth: number): readonly BlindLookup[] {
  if (!namesList.test(source.text)) return [];
  const tokens = codeOf(source);
  return tokens.flatMap((token, at) => {
    if (token.kind === 'string' && depth < deepest) {
      const inner = literalText(source, token.start, token.end);
      return inner ? lookupsIn(inner, catalog, depth + 1) : [];
    }
    const hit = listAt(source.text, tokens, at);
    const matview = hit && named(constantsAfter(source, tokens, hit.to), catalog);
    const [first, last] = hit ? [spanOf(source, tokens[hit.from]!), tokens[hit.to]!] : [];
    if (!hit || !matview || !first || !last) return [];
    return [{ matview, list: hit.list, span: { ...first, end: first.start + last.end - token.start } }];
  });
}

/** The places of a statement (and of the bodies in it) that ask a list without materialized views for one that the catalog has. */
export function blindLookups(statement: Statement, catalog: Catalog): readonly BlindLookup[] {
  return namesList.test(statement.sql) ? lookupsIn(statementText(statement), catalog, 0) : [];
}
