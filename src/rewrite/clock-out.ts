/**
 * The clock moved out of a materialized view: a column that is computed from it becomes one of a plain view on top, which computes it when it is read; a
 * column that holds nothing else becomes a row in a log of refreshes. Without it a concurrent refresh finds every row as it was (facts C1).
 */
import { majors } from '../builtins/builtins.ts';
import type { Catalog, Edit, Fix, Matview, Name } from '../model.ts';
import { lastName, outputName, strings } from '../query/names.ts';
import { plainText } from '../query/parts.ts';
import { parse } from '../sql/parse.ts';
import { quoteIdent, quoteLiteral, quoteName } from '../sql/print.ts';
import { expressionEnd, isSentAsWritten, sourceSpan, targetEnd } from '../sql/span.ts';
import type { ColumnRef, CreateTableAsStmt, Node, ResTarget, SelectStmt } from '../sql/tree.ts';
import { boundParts, isStar } from './bound-parts.ts';

/** An item of the select list with its place in the statement's text: `end` is that of its alias, `valueEnd` that of its expression. */
interface Item {
  readonly node: ResTarget;
  readonly name: string | undefined;
  readonly start: number;
  readonly end: number;
  readonly valueEnd: number;
}

/** A run of the statement's text that becomes another. */
interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What is left of a view, and what goes elsewhere. */
interface Plan {
  /** Items that the view gets in place of a column, by the column's name; none where all that it needs is there already. */
  readonly kept: ReadonlyMap<string, readonly string[]>;
  /** Expressions over the columns of the view, by the name of the column that each was. */
  readonly onTop: ReadonlyMap<string, string>;
  readonly logged: readonly string[];
}

/**
 * A fix that takes columns with a clock in them out of the view's query, as edits of its statement; undefined where that is not sure to be right: the
 * query is not one plain SELECT, something else reads such a column at the end of the history, the expression holds what only the query can compute
 * (a call of unknown kind, a clock inside an aggregate).
 */
export function clockOut(matview: Matview, clocked: readonly string[], end: Catalog): Fix | undefined {
  const { statement } = matview.query;
  const parsed = parse(statement.sql);
  if (!isSentAsWritten(statement) || !parsed.ok || !('CreateTableAsStmt' in parsed.node)) return undefined;
  const create = parsed.node.CreateTableAsStmt;
  const select = plainSelect(create, clocked);
  const items = select && itemsOf(statement.sql, select);
  const columns = namesOf(matview, items);
  if (clocked.length === 0 || items === undefined || columns === undefined || isUsed(matview, clocked, end)) return undefined;
  const plan = planOf(statement.sql, items, columns, clocked, end.postgres ?? majors.at(-1)!);
  if (plan === undefined) return undefined;
  const top: Name = { ...matview.name, name: `${matview.name.name}_now` };
  const log: Name = { ...matview.name, name: 'refresh_log' };
  if ((plan.onTop.size > 0 && end.find(top).is === 'present') || (plan.logged.length > 0 && !mayLog(end, log))) return undefined;
  // What has no schema there is found, and made, where the search path of the statement leads.
  const written = (name: Name): string => (create.into?.rel?.schemaname === undefined ? quoteIdent(name.name) : quoteName(name, []));
  const more = [
    ...(plan.logged.length > 0 ? logOf(matview.name, written(log), create.into?.skipData !== true) : []),
    ...(plan.onTop.size > 0 ? [viewOf(written(matview.name), written(top), columns, plan)] : []),
  ];
  const at = (start: number, until: number, text: string): Edit => ({ span: sourceSpan(statement, start, until), text });
  const size = statement.sql.length;
  return { title: titleOf(plan, top, log), edits: [...editsOf(items, plan).map(({ start, end: until, text }) => at(start, until, text)), at(size, size, more.map(text => `;\n\n${text}`).join(''))] };
}

function itemsOf(sql: string, { targetList }: SelectStmt): readonly Item[] | undefined {
  const items = (targetList ?? []).flatMap((target): readonly Item[] => {
    const node = 'ResTarget' in target ? target.ResTarget : undefined;
    if (node?.location === undefined) return [];
    const start = node.location;
    const name = node.name ?? (node.val !== undefined && 'ColumnRef' in node.val && isStar(node.val.ColumnRef) ? undefined : outputName(node.val, () => undefined));
    return [{ node, name, start, end: targetEnd(sql, start), valueEnd: expressionEnd(sql, start) }];
  });
  return items.length === targetList?.length ? items : undefined;
}

/** One SELECT whose rows do not depend on the columns it puts out, nor its clauses on their places or on a column that goes. */
function plainSelect({ query, into, objtype }: CreateTableAsStmt, clocked: readonly string[]): SelectStmt | undefined {
  if (objtype !== 'OBJECT_MATVIEW' || (into?.colNames ?? []).length > 0 || query === undefined || !('SelectStmt' in query)) return undefined;
  const select = query.SelectStmt;
  const { op, distinctClause, valuesLists, fromClause } = select;
  if ((op !== undefined && op !== 'SETOP_NONE') || distinctClause !== undefined || valuesLists !== undefined || fromClause === undefined) return undefined;
  const clauses = [...select.groupClause ?? [], ...(select.sortClause ?? []).flatMap(sort => ('SortBy' in sort ? sort.SortBy.node ?? [] : []))];
  const depends = (node: Node): boolean => 'A_Const' in node || 'GroupingSet' in node
    || ('ColumnRef' in node && node.ColumnRef.fields?.length === 1 && clocked.includes(lastName(node.ColumnRef.fields) ?? ''));
  return clauses.some(depends) ? undefined : select;
}

/** The names of the view's columns, in order; undefined when a star hides them. */
function namesOf({ columns }: Matview, items: readonly Item[] | undefined): readonly string[] | undefined {
  if (!('unknown' in columns)) return columns.map(({ name }) => name);
  const names = items?.map(({ name }) => name);
  return names?.every(name => name !== undefined) === true ? names : undefined;
}

/** Whether something at the end of the history needs one of the columns, or may. */
function isUsed(matview: Matview, clocked: readonly string[], end: Catalog): boolean {
  const now = end.get(matview.id);
  if (now?.kind !== 'matview' || now.query !== matview.query || now.name.name !== matview.name.name || now.name.schema !== matview.name.schema) return true;
  if (!('unknown' in now.columns) && now.columns.some(({ name, comment, grants }) => clocked.includes(name) && (comment !== undefined || (grants?.size ?? 0) > 0))) return true;
  return end.dependants(matview.id).some(({ columns }) => columns === undefined || columns.some(name => clocked.includes(name)));
}

function planOf(sql: string, items: readonly Item[], columns: readonly string[], clocked: readonly string[], postgres: number): Plan | undefined {
  const kept = new Map<string, readonly string[]>();
  const onTop = new Map<string, string>();
  const logged: string[] = [];
  const given = new Map<string, string>();
  for (const { node, name } of items) {
    const text = node.val && plainText(node.val);
    if (name !== undefined && text !== undefined && !clocked.includes(name)) given.set(text, name);
  }
  for (const name of clocked) {
    const mine = items.filter(other => other.name === name);
    const [item] = mine;
    const parts = item?.node.val && mine.length === 1 ? boundParts(sql, item.node.val, postgres) : undefined;
    if (item === undefined || parts === undefined) return undefined;
    const fresh: string[] = [];
    let text = '';
    let from = item.start;
    for (const part of parts) {
      const known = given.get(part.key) ?? sameColumn(part.node, items, columns, clocked);
      const own = known ?? part.name;
      if (own === undefined || (known === undefined && columns.includes(own))) return undefined;
      if (known === undefined) {
        if ([...given.values()].includes(own)) return undefined;
        given.set(part.key, own);
        const written = sql.slice(part.start, part.end);
        fresh.push('ColumnRef' in part.node ? written : `${written} AS ${quoteIdent(own)}`);
      }
      text += sql.slice(from, part.start) + quoteIdent(own);
      from = part.end;
    }
    kept.set(name, fresh);
    if (parts.length === 0) logged.push(name);
    else onTop.set(name, text + sql.slice(from, item.valueEnd));
  }
  const left = items.length - clocked.length + [...kept.values()].flat().length;
  return left > 0 ? { kept, onTop, logged } : undefined;
}

/** The column of the view that a name in its query surely is: one that a star shows, or that is written with or without its table. */
function sameColumn(node: Node, items: readonly Item[], columns: readonly string[], clocked: readonly string[]): string | undefined {
  if (!('ColumnRef' in node)) return undefined;
  const name = lastName(node.ColumnRef.fields)!;
  if (clocked.includes(name) || !columns.includes(name)) return undefined;
  const shown = items.some(item => {
    const value = item.node.val;
    if (value === undefined || !('ColumnRef' in value) || (item.node.name ?? name) !== name) return false;
    return isStar(value.ColumnRef) ? shows(value.ColumnRef, node.ColumnRef) : lastName(value.ColumnRef.fields) === name && mayBeSame(value.ColumnRef, node.ColumnRef);
  });
  return shown ? name : undefined;
}

/** `*` shows what needs no table to be told apart, `t.*` what is of that table. */
const shows = (star: ColumnRef, column: ColumnRef): boolean => (strings(star.fields).length === 0 ? column.fields?.length === 1 : strings(star.fields).join('.') === strings(column.fields).slice(0, -1).join('.'));
/** A name without its table means one column only. */
const mayBeSame = (a: ColumnRef, b: ColumnRef): boolean => a.fields?.length === 1 || b.fields?.length === 1 || strings(a.fields).join('.') === strings(b.fields).join('.');

/** The items that change: one that stays in another form, and runs that go, each with a comma. */
function editsOf(items: readonly Item[], { kept }: Plan): readonly Splice[] {
  const edits: Splice[] = [];
  let remains = false;
  items.forEach((item, at) => {
    const fresh = item.name === undefined ? undefined : kept.get(item.name);
    if (fresh === undefined) remains = true;
    else if (fresh.length > 0) {
      edits.push({ start: item.start, end: item.end, text: fresh.join(', ') });
      remains = true;
    } else {
      const next = items[at + 1];
      // What has something before it goes with the comma in front, the others with the one behind.
      if (remains) edits.push({ start: items[at - 1]!.end, end: item.end, text: '' });
      else edits.push({ start: item.start, end: next?.start ?? item.end, text: '' });
    }
  });
  return joined(edits);
}

/** Edits that meet are one. */
function joined(edits: readonly Splice[]): readonly Splice[] {
  const made: { start: number; end: number; text: string }[] = [];
  for (const edit of edits) {
    const last = made.at(-1);
    if (last !== undefined && last.end >= edit.start) {
      last.text += edit.text;
      last.end = edit.end;
    } else made.push({ ...edit });
  }
  return made;
}

/** Whether the name is free, or that of such a log. */
function mayLog(end: Catalog, log: Name): boolean {
  const found = end.find(log);
  if (found.is !== 'present') return true;
  const { object } = found;
  return object.kind === 'table' && !('unknown' in object.columns) && object.columns.map(({ name }) => name).join() === 'view_name,refreshed_at';
}

function viewOf(name: string, top: string, columns: readonly string[], { onTop, logged }: Plan): string {
  const items = columns.filter(column => !logged.includes(column)).map(column => {
    const computed = onTop.get(column);
    return `    ${computed === undefined ? quoteIdent(column) : `${computed} AS ${quoteIdent(column)}`}`;
  });
  return `CREATE VIEW ${top} AS\nSELECT\n${items.join(',\n')}\nFROM ${name}`;
}

function logOf(name: Name, log: string, isFilled: boolean): readonly string[] {
  const table = `CREATE TABLE IF NOT EXISTS ${log} (\n    view_name text PRIMARY KEY,\n    refreshed_at timestamptz NOT NULL\n)`;
  const row = `INSERT INTO ${log} (view_name, refreshed_at) VALUES (${quoteLiteral(quoteName(name, []))}, now())\n`
    + 'ON CONFLICT (view_name) DO UPDATE SET refreshed_at = excluded.refreshed_at';
  return isFilled ? [table, row] : [table];
}

function titleOf({ onTop, logged }: Plan, top: Name, log: Name): string {
  const list = (names: Iterable<string>): string => [...names].map(quoteIdent).join(', ');
  const says = [
    ...(onTop.size > 0 ? [`compute ${list(onTop.keys())} in a view on top, ${quoteName(top)}, for the readers`] : []),
    ...(logged.length > 0 ? [`keep the time of the refresh in ${quoteName(log)} instead of ${list(logged)}; each job that refreshes writes its row`] : []),
  ].join('; ');
  return says.slice(0, 1).toUpperCase() + says.slice(1);
}
