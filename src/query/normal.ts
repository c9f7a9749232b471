import { once } from '../memo.ts';
import type { Query } from '../model.ts';
import { normalText } from '../sql/tokens.ts';

/** A query in a comparable form: tokens without comments, blanks and case of keywords. Equal means the same query text. */
export const normalOf = once(({ statement, start, end }: Query): string => normalText(statement.sql, start, end));
