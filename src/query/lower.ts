import type { Catalog, Column, Found, Known, ObjectId, Query, Read, Relation, Span, Statement, WrittenName } from '../model.ts';
import { fold, tokensOf, type Token } from '../sql/tokens.ts';
import type { Node } from '../sql/tree.ts';
import { factsBeneath, remember } from './facts.ts';
import { newNotes, outermost, unknown, type Run, type Shape } from './scope.ts';
import { analyze, finalType } from './select.ts';
import { surroundingsIn, Witness, type Surroundings } from './surroundings.ts';

/** What a defining query is, in the catalog it is created in. */
export interface Lowered {
  readonly query: Query;
  readonly columns: Known<readonly Column[]>;
  /** Relations that the catalog does not have, or does not know. */
  readonly missing: readonly { readonly name: WrittenName; readonly span: Span; readonly found: 'absent' | 'unknown' }[];
  /** Routines of the history that the query surely calls. */
  readonly routines: readonly ObjectId[];
  /** Types of the history that it casts to, and relations that a constant of it is the regclass of. */
  readonly held: readonly ObjectId[];
  /** Indexes of the primary keys that a GROUP BY of it relies on. */
  readonly keys: readonly ObjectId[];
  /** Columns that are proved absent (42703). */
  readonly missingColumns: readonly { readonly relation: ObjectId; readonly column: string; readonly span: Span }[];
}

/**
 * Reads the query of CREATE [MATERIALIZED] VIEW, CREATE TABLE AS, or a SELECT. `select` is its node in the tree of `statement.sql`,
 * `names` the column names given in front of AS.
 * With `judge` it also looks for taints and keys, and `factsOf` need not read the query again.
 * What is not known says so; nothing is guessed. Never throws.
 */
export function lowerQuery(statement: Statement, select: Node, catalog: Catalog, names: readonly string[] = [], judge = false): Lowered {
  const around = new Witness(surroundingsIn(catalog));
  const notes = newNotes();
  const run: Run = {
    statement, catalog: around, relation: name => seen(catalog.find(name), around), reads: [], missing: [], missingColumns: [], routines: new Set(),
      held: new Set(), keys: new Set(),
    truncated: false, lastId: 0, depth: 0, ...(judge ? { viewFacts: factsBeneath(around), notes } : {}),
  };
  const shape = analyze(select, run, outermost);
  const { start, end } = queryRange(statement.sql);
  const reads = run.reads.map((read): Read => ({
    id: read.id, span: read.span, ...(read.columns === undefined || run.truncated ? {} : { columns: [...read.columns] }),
  }));
  const query: Query = { statement, start, end, names, searchPath: catalog.session.searchPath, reads };
  if (judge) remember(query, { shape, frozen: notes.frozen, calls: notes.calls }, around);
  return { query, columns: columnsOf(shape, names), missing: run.missing, routines: [...run.routines], held: [...run.held], keys: [...run.keys ?? []],
    missingColumns: run.missingColumns };
}

/** The relation of a name, asked for by its id: that is what the query is bound to, whatever it is called later. */
function seen(found: Found<Relation>, around: Surroundings): Found<Relation> {
  if (found.is === 'present') around.get(found.object.id);
  return found;
}

/** The columns, without their places: few ask for those, and `factsOf` knows them. */
function columnsOf(shape: Shape, names: readonly string[]): Known<readonly Column[]> {
  if (shape.open) return unknown('the columns that the query puts out');
  return shape.columns.map((column, at): Column => ({ name: names[at] ?? column.name, type: finalType(column), notNull: false }));
}

const queryWords = new Set(['select', 'with', 'values', 'table']);

/**
 * The range of the query in a statement: after the AS that a query follows (`CREATE … AS`, brackets skipped), or the whole statement;
 * without `WITH [NO] DATA` and
 * `WITH … CHECK OPTION` at the end.
 */
export function queryRange(sql: string): { readonly start: number; readonly end: number } {
  const isCreate = /^create\b/i.test(sql);
  const start = isCreate ? plainHead.exec(sql)?.[0].length ?? queryStart(sql) : 0;
  const tail = sql.slice(-160);
  const simple = !tail.includes('--') && !tail.includes('*/') && !tail.endsWith(';');
  if (!isCreate && simple) return { start, end: sql.length };
  const found = simple ? /\s+with\s+(?:(?:no\s+)?data|(?:cascaded\s+|local\s+)?check\s+option)$/i.exec(tail) : null;
  if (simple) return { start, end: found === null ? sql.length : sql.length - tail.length + found.index };
  return { start, end: endByTokens(sql, start, isCreate) };
}

/** `CREATE … name AS` in front of a query, as most write it: without comments, quotes and columns. */
const plainHead = /^create\s+(?:or\s+replace\s+)?(?:materialized\s+)?(?:view|table)\s+(?:if\s+not\s+exists\s+)?[\w.]+\s+as\s+(?=(?:select|with)\b)/i;

/** The first token after the AS that a query follows. */
function queryStart(sql: string): number {
  let depth = 0;
  let as = -1;
  for (const token of codeTokens(sql, 0)) {
    const text = wordOf(sql, token);
    if (as >= 0) {
      if (text !== '(' && queryWords.has(text)) return as;
      if (text !== '(') as = -1;
      else continue;
    }
    if (text === '(') depth += 1;
    else if (text === ')') depth -= 1;
    else if (text === 'as' && depth === 0) as = nextStart(sql, token.end);
  }
  return 0;
}

/** The same end where comments stand near it. */
function endByTokens(sql: string, start: number, isCreate: boolean): number {
  const tokens = [...codeTokens(sql, start)];
  let last = tokens.length;
  const word = (offset: number): string => {
    const token = tokens[last - offset];
    return token === undefined ? '' : wordOf(sql, token);
  };
  while (last > 0 && word(1) === ';') last -= 1;
  if (isCreate && word(1) === 'data') last -= word(2) === 'no' && word(3) === 'with' ? 3 : word(2) === 'with' ? 2 : 0;
  else if (isCreate && word(1) === 'option' && word(2) === 'check') last -= word(3) === 'with' ? 3 : word(4) === 'with' ? 4 : 0;
  return tokens[last - 1]?.end ?? sql.length;
}

function* codeTokens(sql: string, start: number): Generator<Token> {
  for (const token of tokensOf(sql, start)) if (token.kind !== 'lineComment' && token.kind !== 'blockComment') yield token;
}
const nextStart = (sql: string, start: number): number => codeTokens(sql, start).next().value?.start ?? sql.length;
/** A word folded, punctuation as it is, else the empty string. */
function wordOf(sql: string, token: Token): string {
  if (token.kind === 'word') return fold(sql.slice(token.start, token.end));
  return token.kind === 'punctuation' ? sql.slice(token.start, token.end) : '';
}
