import type { Query } from '../model.ts';
import { normalText } from '../sql/tokens.ts';

/** A pure cache; few queries are ever compared with another. */
const texts = new WeakMap<Query, string>();

/** A query in a comparable form: tokens without comments, blanks and case of keywords. Equal means the same query text. */
export function normalOf(query: Query): string {
  let text = texts.get(query);
  if (text === undefined) texts.set(query, (text = normalText(query.statement.sql, query.start, query.end)));
  return text;
}
