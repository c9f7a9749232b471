import type { Known, ObjectId, RefreshSite, WrittenName } from '../model.ts';
import { decodeLiteral } from '../sql/literal.ts';
import { identifierText, tokenize, type Token } from '../sql/tokens.ts';
import { spanAt, type Change } from './change.ts';

interface Holder {
  /** The text to look through: offsets of the statement. */
  readonly start: number;
  readonly end: number;
  readonly by: RefreshSite['by'];
  readonly holder: string;
  readonly holderId?: ObjectId;
  /** The routine's SET search_path, if it has one. */
  readonly searchPath?: string | undefined;
}

const word = (sql: string, token: Token | undefined): string => (token?.kind === 'word' ? sql.slice(token.start, token.end).toLowerCase() : '');
const isName = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'quotedIdentifier';

/** The text of a search_path setting as a list of schemas. */
export function pathOf(text: string): readonly string[] {
  return text.split(',').map(part => part.trim().replace(/^["'](.*)["']$/, '$1')).filter(part => part !== '');
}

/**
 * The refreshes that a body plainly holds: REFRESH MATERIALIZED VIEW as words, or as the whole of a constant string after EXECUTE. Words in comments,
 * literals and messages are not statements and are not found. Branches are not asked: a refresh that may run is a site.
 */
export function sitesIn(change: Change, holder: Holder): RefreshSite[] {
  const { sql } = change.statement;
  const body = sql.slice(holder.start, holder.end);
  const tokens = tokenize(body).filter(token => token.kind !== 'lineComment' && token.kind !== 'blockComment');
  // Without a SET of its own the caller's path decides; the one the history runs with stands for it.
  const searchPath: Known<readonly string[]> = holder.searchPath === undefined ? change.store.session.searchPath : pathOf(holder.searchPath);
  const site = (target: WrittenName, concurrently: boolean, start: number, end: number): RefreshSite => ({
    target, concurrently, by: holder.by, holder: holder.holder, searchPath, span: spanAt(change, holder.start + start, holder.start + end),
    ...(holder.holderId === undefined ? {} : { holderId: holder.holderId }),
  });
  return tokens.flatMap((token, at) => {
    const refresh = readRefresh(body, tokens, at);
    if (refresh) return [site(refresh.target, refresh.concurrently, token.start, refresh.end)];
    if (token.kind !== 'string' || word(body, tokens[at - 1]) !== 'execute' || body[tokens[at + 1]?.start ?? -1] === '|') return [];
    const text = decodeLiteral(body, token.start, token.end)?.text ?? '';
    const inner = readRefresh(text, tokenize(text), 0);
    return inner ? [site(inner.target, inner.concurrently, token.start, token.end)] : [];
  });
}

/** A REFRESH statement that begins at a token. */
export function readRefresh(sql: string, tokens: readonly Token[], at: number): { readonly target: WrittenName; readonly concurrently: boolean; readonly end: number } | undefined {
  if (word(sql, tokens[at]) !== 'refresh' || word(sql, tokens[at + 1]) !== 'materialized' || word(sql, tokens[at + 2]) !== 'view') return undefined;
  const concurrently = word(sql, tokens[at + 3]) === 'concurrently';
  const first = tokens[at + (concurrently ? 4 : 3)];
  if (!isName(first)) return undefined;
  const dot = tokens[at + (concurrently ? 5 : 4)];
  const second = tokens[at + (concurrently ? 6 : 5)];
  if (dot && sql.slice(dot.start, dot.end) === '.' && isName(second))
    return { target: { schema: identifierText(sql, first), name: identifierText(sql, second) }, concurrently, end: second.end };
  return { target: { name: identifierText(sql, first) }, concurrently, end: first.end };
}
