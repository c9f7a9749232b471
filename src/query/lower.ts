import type { Catalog, Column, Known, ObjectId, Query, Read, Span, Statement, WrittenName } from '../model.ts';
import { sourceSpan } from '../sql/span.ts';
import { fold, normalText, tokensOf, type Token } from '../sql/tokens.ts';
import type { Node } from '../sql/tree.ts';
import { unknown, type Run, type Shape } from './scope.ts';
import { analyze, finalType } from './select.ts';

/** What a defining query is, in the catalog it is created in. */
export interface Lowered {
  readonly query: Query;
  readonly columns: Known<readonly Column[]>;
  /** Relations that the catalog does not have, or does not know. */
  readonly missing: readonly { readonly name: WrittenName; readonly span: Span; readonly found: 'absent' | 'unknown' }[];
  /** Routines of the history that the query surely calls. */
  readonly routines: readonly ObjectId[];
  /** Types of the history that it casts to. */
  readonly types: readonly ObjectId[];
  /** Columns that are proved absent (42703). */
  readonly missingColumns: readonly { readonly relation: ObjectId; readonly column: string; readonly span: Span }[];
}

/**
 * Reads the query of CREATE [MATERIALIZED] VIEW, CREATE TABLE AS, or a SELECT. `select` is its node in the tree of `statement.sql`, `names` the column names given in front of AS.
 * What is not known says so; nothing is guessed. Never throws.
 */
export function lowerQuery(statement: Statement, select: Node, catalog: Catalog, names: readonly string[] = []): Lowered {
  const run: Run = {
    statement, catalog, relation: name => catalog.find(name), reads: [], missing: [], missingColumns: [], routines: new Set(), types: new Set(),
    truncated: false, lastId: 0,
  };
  const shape = analyze(select, run, { ctes: undefined, depth: 0 });
  const { start, end } = queryRange(statement.sql);
  const query: Query = {
    statement, start, end, names, searchPath: catalog.session.searchPath, normal: normalText(statement.sql, start, end),
    reads: run.reads.map((read): Read => ({
      id: read.id, span: read.span, ...(read.columns === undefined || run.truncated ? {} : { columns: [...read.columns] }),
    })),
  };
  return { query, columns: columnsOf(shape, statement, names), missing: run.missing, routines: [...run.routines], types: [...run.types], missingColumns: run.missingColumns };
}

function columnsOf(shape: Shape, statement: Statement, names: readonly string[]): Known<readonly Column[]> {
  if (shape.open) return unknown('the columns that the query puts out');
  return shape.columns.map((column, at): Column => ({
    name: names[at] ?? column.name, type: finalType(column), notNull: false, span: sourceSpan(statement, column.start, column.end),
  }));
}

const queryWords = new Set(['select', 'with', 'values', 'table']);

/**
 * The range of the query in a statement: after the AS that a query follows (`CREATE … AS`, brackets skipped), or the whole statement; without `WITH [NO] DATA` and
 * `WITH … CHECK OPTION` at the end.
 */
export function queryRange(sql: string): { readonly start: number; readonly end: number } {
  const tokens: Token[] = [];
  for (const token of tokensOf(sql)) if (token.kind !== 'lineComment' && token.kind !== 'blockComment') tokens.push(token);
  const word = (at: number): string => {
    const token = tokens.at(at);
    return token === undefined ? '' : token.kind === 'word' ? fold(sql.slice(token.start, token.end)) : token.kind === 'punctuation' ? sql.slice(token.start, token.end) : '';
  };
  const isCreate = word(0) === 'create';
  let first = 0;
  if (isCreate) {
    let depth = 0;
    for (let at = 0; at < tokens.length; at += 1) {
      const text = word(at);
      if (text === '(') depth += 1;
      else if (text === ')') depth -= 1;
      if (text !== 'as' || depth !== 0) continue;
      let next = at + 1;
      while (word(next) === '(') next += 1;
      if (!queryWords.has(word(next))) continue;
      first = at + 1;
      break;
    }
  }
  let last = tokens.length;
  if (isCreate) {
    const tail = (offset: number): string => word(last - offset);
    if (last > 2 && tail(1) === 'data') last -= tail(2) === 'no' && tail(3) === 'with' ? 3 : tail(2) === 'with' ? 2 : 0;
    else if (last > 3 && tail(1) === 'option' && tail(2) === 'check') last -= tail(3) === 'with' ? 3 : tail(4) === 'with' ? 4 : 0;
  }
  while (last > first && word(last - 1) === ';') last -= 1;
  return { start: tokens[first]?.start ?? 0, end: tokens[last - 1]?.end ?? sql.length };
}
