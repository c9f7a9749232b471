/** A query that is being rewritten, and the plain view that will stand on top of it. */
import type { Catalog, Statement } from '../../../model.ts';
import { quoteIdent } from '../../../sql/print.ts';
import { nameEnd } from '../../../sql/span.ts';
import { tokensOf } from '../../../sql/tokens.ts';
import type { Node } from '../../../sql/tree.ts';
import { inspect, isNoQuery } from '../inspect.ts';
import type { Inspected, Target } from '../inspected.ts';
import { plainText } from '../../parts.ts';
import { eachPart } from '../tree-walk.ts';
import type { ClauseRange } from './clauses.ts';
import { targetRange } from './ranges.ts';

/** What readers get: columns made of the maintained ones, a condition, an order. */
export interface Top {
  readonly outputs: readonly { readonly name: string; readonly text: string }[];
  readonly where: readonly string[];
  /** ORDER BY and LIMIT, with their words. */
  readonly tail: string;
}
export interface Draft {
  readonly sql: string;
  readonly top?: Top;
}

/** A draft as it is now: its tree with places that are offsets of `sql`. */
export interface Look {
  readonly draft: Draft;
  readonly sql: string;
  readonly made: Inspected;
  readonly catalog: Catalog;
}

/** The path that places in a rewritten text have: it stands in no file. */
export const rewrittenPath = 'the rewritten query';

/** A text as a statement whose places are its offsets. */
export function plainStatement(sql: string): Statement {
  const span = { path: rewrittenPath, start: 0, end: sql.length };
  return { sql, span, ignores: [] };
}

export function look(draft: Draft, catalog: Catalog): Look | undefined {
  const made = inspect(plainStatement(draft.sql), catalog);
  return isNoQuery(made) ? undefined : { draft, sql: draft.sql, made, catalog };
}

export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The text with its edits done; undefined when two of them overlap. */
export function edited(sql: string, edits: readonly TextEdit[]): string | undefined {
  let result = '';
  let at = 0;
  for (const { start, end, text } of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (start < at) return undefined;
    result += sql.slice(at, start) + text;
    at = end;
  }
  return result + sql.slice(at);
}

/** Where a node stands. A name or a call before `::` does not take the cast along: that is a node around it. */
export function rangeOf({ sql, made }: Look, node: object): { readonly start: number; readonly end: number } {
  const { start, end } = made.spanOf(node);
  if ('ColumnRef' in node || 'fields' in node) return { start, end: nameEnd(sql, start) };
  return 'FuncCall' in node || 'funcname' in node ? { start, end: callEnd(sql, start, end) } : { start, end };
}

/** The end of a call with its FILTER, WITHIN GROUP and OVER. */
function callEnd(sql: string, start: number, most: number): number {
  const name = nameEnd(sql, start);
  let end = name;
  let depth = 0;
  let follows = true;
  for (const token of tokensOf(sql, name, most)) {
    const text = sql.slice(token.start, token.end);
    if (text === '(' || text === '[') depth += 1;
    if (depth === 0 && !follows && !/^(?:filter|within|group|over)$/i.test(text)) break;
    if (text === ')' || text === ']') depth -= 1;
    follows = depth > 0 || /^(?:within|group|filter|over)$/i.test(text);
    end = token.end;
  }
  return end;
}

/** The text of a node. */
export const textOf = (view: Look, node: object): string => {
  const { start, end } = rangeOf(view, node);
  return view.sql.slice(start, end);
};

/** The text of what a cast converts: before the last `::`, or between the brackets of CAST. */
export function castText(view: Look, cast: object): string {
  const text = textOf(view, cast);
  let depth = 0;
  let found: { readonly start: number; readonly end: number } | undefined;
  const isCall = /^cast\s*\(/i.test(text);
  for (const token of tokensOf(text)) {
    const word = text.slice(token.start, token.end);
    if (word === '(' || word === '[') depth += 1;
    else if (word === ')' || word === ']') depth -= 1;
    else if (isCall ? depth === 1 && /^as$/i.test(word) : depth === 0 && word === '::') found = token;
  }
  if (found === undefined) return text;
  return text.slice(isCall ? text.indexOf('(') + 1 : 0, found.start).trim();
}

/** Whether two expressions are the same column, or are written alike. */
function isSame(a: Node, b: Node, made: Inspected): boolean {
  if ('ColumnRef' in a && 'ColumnRef' in b) {
    const [left, right] = [made.meaningOf(a.ColumnRef), made.meaningOf(b.ColumnRef)];
    if (left.is === 'column' && right.is === 'column') return left.entry === right.entry && left.at === right.at;
  }
  const text = plainText(a);
  return text !== undefined && text === plainText(b);
}

/** The expression of a target, without its alias. */
export function expressionOf({ sql, made }: Look, target: Target): ClauseRange {
  const item = (made.root.select.targetList ?? []).find(each => 'ResTarget' in each && each.ResTarget.val === target.node);
  return targetRange(sql, target, item !== undefined && 'ResTarget' in item && item.ResTarget.name !== undefined);
}

/** The columns that a rewriting adds to the select list. */
export interface Added {
  readonly text: string;
  readonly name: string;
}

/** The columns of the maintained relation, old and new, while expressions are moved on top of it. */
export class Columns {
  readonly added: Added[] = [];
  private readonly view: Look;
  private readonly kept: readonly Target[];

  /** `kept`: the targets that stay in the select list. */
  constructor(view: Look, kept: readonly Target[]) {
    this.view = view;
    this.kept = kept;
  }

  /** The column that holds an expression; a new one when none does. */
  private columnFor(node: Node, wanted: string): string {
    const { made } = this.view;
    const old = this.kept.find(target => target.node !== undefined && isSame(target.node, node, made));
    if (old !== undefined) return quoteIdent(old.name);
    const text = textOf(this.view, node);
    const same = this.added.find(one => one.text === text);
    if (same !== undefined) return quoteIdent(same.name);
    const taken = new Set([...this.view.made.root.targets.map(target => target.name), ...this.added.map(one => one.name)]);
    let name = wanted;
    for (let number = 2; taken.has(name); number += 1) name = `${wanted}_${number}`;
    this.added.push({ text, name });
    return quoteIdent(name);
  }

  /** An expression in terms of the maintained columns; undefined where it holds a sub-query. `whole`: where it stands. */
  lift(node: Node, whole: ClauseRange): string | undefined {
    const { made, sql } = this.view;
    const edits: TextEdit[] = [];
    let possible = true;
    eachPart(node, part => {
      if ('SubLink' in part || 'SelectStmt' in part) possible = false;
      const isColumn = 'ColumnRef' in part;
      const call = 'FuncCall' in part ? (part as { readonly FuncCall: object }).FuncCall : undefined;
      if (!isColumn && (call === undefined || !made.root.aggregates.includes(call))) return undefined;
      const span = rangeOf(this.view, part);
      edits.push({ start: span.start - whole.start, end: span.end - whole.start, text: this.columnFor(part as Node, nameFor(part)) });
      return false;
    });
    return possible ? edited(sql.slice(whole.start, whole.end), edits) : undefined;
  }
}

/** The name of a new column: that of the column, or of the aggregate. */
function nameFor(part: object): string {
  const list = 'ColumnRef' in part ? (part as { readonly ColumnRef: { readonly fields?: readonly Node[] } }).ColumnRef.fields
    : (part as { readonly FuncCall: { readonly funcname?: readonly Node[] } }).FuncCall.funcname;
  const last = list?.at(-1);
  return last !== undefined && 'String' in last ? last.String.sval ?? 'column' : 'column';
}

/** The view on top, as it is or as it begins: every column as it stands. */
export function topOf({ draft, made }: Look): Top {
  return draft.top ?? { outputs: made.root.targets.map(({ name }) => ({ name, text: quoteIdent(name) })), where: [], tail: '' };
}

/** `expr AS name`, or the bare column. */
const item = ({ text, name }: Added): string => (text === quoteIdent(name) ? text : `${text} AS ${quoteIdent(name)}`);

/**
 * The select list with some targets taken out and columns put behind; undefined where a star stands in it or nothing is left.
 */
export function selectList(view: Look, kept: readonly Target[], added: readonly Added[]): TextEdit | undefined {
  const { targets } = view.made.root;
  const [first] = targets;
  const last = targets.at(-1);
  if (first === undefined || last === undefined || targets.some(({ node }) => node === undefined)
    || kept.length + added.length === 0) return undefined;
  const list = [...kept.map(({ span }) => view.sql.slice(span.start, span.end)), ...added.map(item)];
  return { start: first.span.start, end: last.span.end, text: list.join(', ') };
}
