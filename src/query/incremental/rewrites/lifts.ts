/** Rewritings that move a part of the query into a plain view on top of what is maintained. */
import { quoteIdent } from '../../../sql/print.ts';
import type { Node } from '../../../sql/tree.ts';
import type { Target } from '../inspected.ts';
import { eachPart } from '../tree-walk.ts';
import { clausesOf, type ClauseRange } from './clauses.ts';
import { inside, parted, sortKey } from './ranges.ts';
import { Columns, edited, expressionOf, selectList, topOf, type Draft, type Look, type TextEdit } from './draft.ts';

const cut = ({ start, end }: { readonly start: number; readonly end: number }): TextEdit => ({ start, end, text: '' });
const tidy = (sql: string): string => sql.replace(/[ \t]+$/gm, '').trim();

/** ORDER BY without LIMIT goes: rows of a table have no order. */
export function dropOrder(view: Look): Draft | undefined {
  const clause = clausesOf(view.sql).get('order');
  const sql = clause && edited(view.sql, [cut(clause)]);
  return sql === undefined ? undefined : { ...view.draft, sql: tidy(sql) };
}

/** ORDER BY … LIMIT … moves on top. */
export function liftLimit(view: Look): Draft | undefined {
  const clauses = clausesOf(view.sql);
  const ranges = ['order', 'limit', 'offset', 'fetch'].flatMap(word => clauses.get(word) ?? []);
  const { root } = view.made;
  if (ranges.length === 0 || root.form !== 'select' || topOf(view).tail !== '') return undefined;
  const columns = new Columns(view, root.targets);
  const edits: TextEdit[] = [];
  const order = clauses.get('order');
  const items = order === undefined ? [] : parted(view.sql, inside(view.sql, order), ',');
  const sorts = root.select.sortClause ?? [];
  if (items.length !== sorts.length) return undefined;
  for (const [at, sort] of sorts.entries()) {
    const node = 'SortBy' in sort ? sort.SortBy.node : undefined;
    const range = sortKey(view.sql, items[at]!);
    const text = node === undefined ? undefined : sortText(view, node, range, columns);
    if (text === undefined) return undefined;
    edits.push({ ...range, text });
  }
  const list = columns.added.length === 0 ? undefined : selectList(view, root.targets, columns.added);
  if (columns.added.length > 0 && (list === undefined || root.select.distinctClause !== undefined)) return undefined;
  const tail = ranges.toSorted((a, b) => a.start - b.start).map(range => edited(view.sql.slice(range.start, range.end),
    edits.filter(({ start, end }) => start >= range.start && end <= range.end).map(edit => ({ ...edit, start: edit.start - range.start,
      end: edit.end - range.start })))?.trim());
  const sql = edited(view.sql, [...ranges.map(cut), ...list === undefined ? [] : [list]]);
  if (sql === undefined || tail.includes(undefined)) return undefined;
  return { sql: tidy(sql), top: { ...topOf(view), tail: tail.join(' ') } };
}

/** A sort key: the number or name of an output, or an expression of columns. */
function sortText(view: Look, node: Node, range: ClauseRange, columns: Columns): string | undefined {
  const { targets } = view.made.root;
  const ordinal = 'A_Const' in node ? node.A_Const.ival?.ival : undefined;
  if (ordinal !== undefined) return targets[ordinal - 1] === undefined ? undefined : quoteIdent(targets[ordinal - 1]!.name);
  const text = view.sql.slice(range.start, range.end);
  const named = targets.find(({ name }) => quoteIdent(name) === text || name === text);
  return named === undefined ? columns.lift(node, range) : quoteIdent(named.name);
}

/** HAVING becomes a WHERE on top; what it counts becomes a column. */
export function liftHaving(view: Look): Draft | undefined {
  const { root } = view.made;
  const { havingClause } = root.select;
  const clause = clausesOf(view.sql).get('having');
  if (havingClause === undefined || clause === undefined) return undefined;
  return liftCondition(view, havingClause, inside(view.sql, clause), cut(clause));
}

function liftCondition(view: Look, condition: Node, range: ClauseRange, removal: TextEdit): Draft | undefined {
  const { root } = view.made;
  const columns = new Columns(view, root.targets);
  const text = columns.lift(condition, range);
  const list = columns.added.length === 0 ? undefined : selectList(view, root.targets, columns.added);
  if (text === undefined || (columns.added.length > 0 && list === undefined)) return undefined;
  const sql = edited(view.sql, [removal, ...list === undefined ? [] : [list]]);
  const top = topOf(view);
  return sql === undefined ? undefined : { sql: tidy(sql), top: { ...top, where: [...top.where, text] } };
}

/** Whether the rows of a query are those of its FROM, one for one: conditions can wait until the rows are read. */
export function isRowByRow({ made: { root } }: Look): boolean {
  const { groupClause, distinctClause, limitCount, limitOffset, havingClause } = root.select;
  return root.form === 'select' && root.aggregates.length === 0 && root.windowCalls.length === 0 && groupClause === undefined
    && distinctClause === undefined
    && limitCount === undefined && limitOffset === undefined && havingClause === undefined;
}

/** The part of a WHERE that stands at a place moves on top; AND takes the others together again. */
export function liftConjunct(view: Look, isMeant: (start: number, end: number) => boolean): Draft | undefined {
  const { whereClause } = view.made.root.select;
  const clause = clausesOf(view.sql).get('where');
  if (whereClause === undefined || clause === undefined || !isRowByRow(view)) return undefined;
  const parts = 'BoolExpr' in whereClause && whereClause.BoolExpr.boolop === 'AND_EXPR' ? whereClause.BoolExpr.args ?? [] : [whereClause];
  const ranges = parted(view.sql, inside(view.sql, clause), 'and');
  const at = ranges.findIndex(({ start, end }) => isMeant(start, end));
  const [meant, range] = [parts[at], ranges[at]];
  if (ranges.length !== parts.length || meant === undefined || range === undefined) return undefined;
  const rest = ranges.filter(one => one !== range).map(({ start, end }) => view.sql.slice(start, end));
  const text = rest.length === 0 ? '' : `WHERE ${rest.join(' AND ')} `;
  return liftCondition(view, meant, range, { start: clause.start, end: clause.end, text });
}

/** Targets move on top; the columns that they are made of stay. */
export function liftTargets(view: Look, isMeant: (target: Target) => boolean): Draft | undefined {
  const { root } = view.made;
  const meant = root.targets.filter(isMeant);
  const kept = root.targets.filter(target => !meant.includes(target));
  if (meant.length === 0 || root.form !== 'select' || root.select.distinctClause !== undefined) return undefined;
  const columns = new Columns(view, kept);
  const top = topOf(view);
  const texts = new Map<string, string>();
  for (const target of meant) {
    const text = target.node === undefined ? undefined : columns.lift(target.node, expressionOf(view, target));
    if (text === undefined) return undefined;
    texts.set(quoteIdent(target.name), text);
  }
  // What stands on top already and names a column that goes cannot be told from its text.
  const mentioned = [...top.where, top.tail].join(' ');
  if ([...texts.keys()].some(name => new RegExp(`(?<![\\w"])${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w"])`).test(mentioned))) return undefined;
  const list = selectList(view, kept, columns.added);
  const sql = list && edited(view.sql, [list]);
  if (sql === undefined) return undefined;
  return { sql: tidy(sql), top: { ...top, outputs: top.outputs.map(output => ({ ...output, text: texts.get(output.text)
    ?? output.text })) } };
}

/** Whether an expression holds an aggregate or a window function and is more than one aggregate. */
export function isMoreThanAggregate({ made: { root } }: Look, { node }: Target): boolean {
  if (node === undefined) return false;
  if ('FuncCall' in node && root.aggregates.includes(node.FuncCall)) return false;
  let found = false;
  eachPart(node, part => {
    const call = 'FuncCall' in part ? (part as { readonly FuncCall: object }).FuncCall : undefined;
    if (call !== undefined && (root.aggregates.includes(call) || root.windowCalls.includes(call))) found = true;
  });
  return found;
}
