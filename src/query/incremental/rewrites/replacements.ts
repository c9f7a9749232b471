/** Rewritings that put something else in place of an expression or a clause; the rows stay the same unless the title says otherwise. */
import { quoteIdent, quoteLiteral } from '../../../sql/print.ts';
import type { FuncCall, Node } from '../../../sql/tree.ts';
import { strings } from '../../names.ts';
import { isUnknown } from '../../scope.ts';
import { eachPart } from '../tree-walk.ts';
import { clausesOf } from './clauses.ts';
import { filterText } from './ranges.ts';
import { castText, edited, expressionOf, rangeOf, selectList, textOf, type Draft, type Look, type TextEdit } from './draft.ts';

const done = (view: Look, edits: readonly TextEdit[]): Draft | undefined => {
  const sql = edits.length === 0 ? undefined : edited(view.sql, edits);
  return sql === undefined ? undefined : { ...view.draft, sql };
};
const at = (view: Look, node: object, text: string): TextEdit => {
  const { start, end } = rangeOf(view, node);
  return { start, end, text };
};

/** The time zone that the rewriting names. */
export const zoneOf = ({ catalog }: Look): string => catalog.session.parameters.get('timezone') ?? 'UTC';

const isStamp = (view: Look, node: Node | undefined): boolean => node !== undefined && view.made.typeOf(node)?.key === 'timestamptz';
const wrapped = (text: string): string => (/^[\w."]+$/.test(text) || /^\w+\([^()]*\)$/.test(text) ? text : `(${text})`);

/**
 * Conversions of timestamptz say their zone: `at::date` becomes `(at AT TIME ZONE 'UTC')::date`, date_trunc() takes the zone as its third
 * argument; both are immutable then (facts §1.4).
 */
export function nameZone(view: Look): Draft | undefined {
  const zone = quoteLiteral(zoneOf(view));
  const edits: TextEdit[] = [];
  const take = (edit: TextEdit): false => {
    edits.push(edit);
    return false;
  };
  eachPart(view.made.root.select, part => {
    if ('TypeCast' in part) {
      const cast = (part as Extract<Node, { TypeCast: unknown }>).TypeCast;
      const target = strings(cast.typeName?.names).at(-1);
      if (cast.arg !== undefined && isStamp(view, cast.arg) && (target === 'date' || target === 'timestamp' || target === 'time'))
        return take(at(view, part, `(${wrapped(castText(view, part))} AT TIME ZONE ${zone})::${target}`));
    }
    if ('FuncCall' in part) {
      const call = (part as { readonly FuncCall: FuncCall }).FuncCall;
      const [first, second, third] = call.args ?? [];
      const name = strings(call.funcname).at(-1);
      if (name === 'date_trunc' && first !== undefined && second !== undefined && third === undefined && isStamp(view, second))
        return take(at(view, part, `date_trunc(${textOf(view, first)}, ${textOf(view, second)}, ${zone})`));
      if (name === 'date' && first !== undefined && second === undefined && isStamp(view, first))
        return take(at(view, part, `(${wrapped(textOf(view, first))} AT TIME ZONE ${zone})::date`));
    }
    return undefined;
  });
  return done(view, edits);
}

/** `count(*) FILTER (WHERE c)` counts a CASE instead. Aggregates that count NULLs as values are left alone. */
export function filterToCase(view: Look): Draft | undefined {
  const ignoresNull = new Set(['count', 'sum', 'avg', 'min', 'max']);
  const edits: TextEdit[] = [];
  for (const call of view.made.root.aggregates as readonly FuncCall[]) {
    const name = strings(call.funcname).at(-1) ?? '';
    const [arg, ...more] = call.args ?? [];
    if (call.agg_filter === undefined) continue;
    if (!ignoresNull.has(name) || more.length > 0 || call.agg_distinct === true || call.agg_order !== undefined) return undefined;
    const condition = filterText(textOf(view, call));
    if (condition === undefined) return undefined;
    const value = call.agg_star === true || arg === undefined ? '1' : textOf(view, arg);
    edits.push(at(view, call, `${name}(CASE WHEN ${condition} THEN ${value} END)`));
  }
  return done(view, edits);
}

/** GROUP BY without an aggregate: a count(*) makes the groups countable. */
export function addCount(view: Look): Draft | undefined {
  const { root } = view.made;
  const taken = new Set(root.targets.map(({ name }) => name));
  const list = selectList(view, root.targets, [{ text: 'count(*)', name: taken.has('rows_grouped') ? 'rows_grouped_2' : 'rows_grouped' }]);
  return list && done(view, [list]);
}

/** Expressions that pg_ivm wants to see in the select list are put there. */
export function addTargets(view: Look, places: readonly { readonly start: number; readonly end: number }[]): Draft | undefined {
  const { root } = view.made;
  const taken = new Set(root.targets.map(({ name }) => name));
  const texts = new Set(places.map(({ start, end }) => view.sql.slice(start, end)));
  const added = [...texts].map((text, index) => {
    const base = /^[\w.]+$/.test(text) ? text.replaceAll('.', '_').toLowerCase() : `key_${index + 1}`;
    let name = base;
    for (let number = 2; taken.has(name); number += 1) name = `${base}_${number}`;
    taken.add(name);
    return { text, name };
  });
  const list = selectList(view, root.targets, added);
  return list && done(view, [list]);
}

/** A column of the same name as one before it gets a number. */
export function numberDuplicates(view: Look): Draft | undefined {
  const seen = new Set<string>();
  const edits: TextEdit[] = [];
  for (const target of view.made.root.targets) {
    const { name, node, span } = target;
    if (!seen.has(name)) {
      seen.add(name);
      continue;
    }
    if (node === undefined) return undefined;
    let next = `${name}_2`;
    for (let number = 3; seen.has(next); number += 1) next = `${name}_${number}`;
    seen.add(next);
    const { start, end } = expressionOf(view, target);
    edits.push({ start: span.start, end: span.end, text: `${view.sql.slice(start, end)} AS ${quoteIdent(next)}` });
  }
  return done(view, edits);
}

/** Floating-point sums are taken of numeric. */
export function sumNumeric(view: Look): Draft | undefined {
  const edits: TextEdit[] = [];
  for (const call of view.made.root.aggregates as readonly FuncCall[]) {
    const [arg] = call.args ?? [];
    const name = strings(call.funcname).at(-1);
    const key = arg === undefined ? undefined : view.made.typeOf(arg)?.key;
    if (arg !== undefined && (name === 'sum' || name === 'avg') && (key === 'float4' || key === 'float8')) edits.push(at(view, arg,
      `${wrapped(textOf(view, arg))}::numeric`));
  }
  return done(view, edits);
}

/** `x IN (SELECT y FROM …)` in WHERE becomes EXISTS; a NULL on either side leaves the row out both times. */
export function inToExists(view: Look): Draft | undefined {
  const { whereClause } = view.made.root.select;
  const parts = whereClause === undefined ? [] : 'BoolExpr' in whereClause && whereClause.BoolExpr.boolop === 'AND_EXPR'
    ? whereClause.BoolExpr.args ?? [] : [whereClause];
  const edits: TextEdit[] = [];
  for (const part of parts) {
    if (!('SubLink' in part) || part.SubLink.subLinkType !== 'ANY_SUBLINK' || part.SubLink.operName !== undefined) continue;
    const { testexpr, subselect } = part.SubLink;
    const meaning = testexpr !== undefined && 'ColumnRef' in testexpr ? view.made.meaningOf(testexpr.ColumnRef) : undefined;
    const inner = subselect && 'SelectStmt' in subselect ? subselect.SelectStmt : undefined;
    const block = inner && view.made.blockOf(inner);
    const [target, ...more] = block?.targets ?? [];
    const isPlain = inner !== undefined && block?.form === 'select' && inner.groupClause === undefined && inner.limitCount === undefined
      && inner.distinctClause === undefined
      && inner.withClause === undefined && block.aggregates.length === 0 && inner.sortClause === undefined;
    if (meaning?.is !== 'column' || !isPlain || target?.node === undefined || more.length > 0) return undefined;
    const whole = textOf(view, part);
    const open = whole.indexOf('(');
    const body = whole.slice(open + 1, whole.lastIndexOf(')'));
    const from = /\bfrom\b/i.exec(body);
    const where = clausesOf(body).get('where');
    if (from === null) return undefined;
    const test = `${textOf(view, target.node)} = ${quoteIdent(meaning.entry.name)}.${quoteIdent(meaning.column.name)}`;
    const rest = body.slice(from.index, where?.start ?? body.length).trimEnd();
    const condition = where === undefined ? test : `${test} AND (${body.slice(where.start + 'where'.length, where.end).trim()})`;
    edits.push(at(view, part, `EXISTS (SELECT 1 ${rest} WHERE ${condition})`));
  }
  return done(view, edits);
}

/** A plain view in FROM is put in as a sub-query. */
export function inlineView(view: Look): Draft | undefined {
  for (const block of view.made.blocks)
    for (const { relation, node, name } of block.range) {
      if (relation?.kind !== 'view') continue;
      const { query } = relation;
      const path = view.catalog.session.searchPath;
      const isSamePath = !isUnknown(query.searchPath) && !isUnknown(path) && query.searchPath.join() === path.join();
      if (!isSamePath) return undefined;
      const body = query.statement.sql.slice(query.start, query.end).trim().replace(/;$/, '');
      const range = ('RangeVar' in node ? node.RangeVar : node) as { readonly alias?: object };
      const names = query.names.length === 0 ? '' : `(${query.names.map(each => quoteIdent(each)).join(', ')})`;
      if (range.alias !== undefined && names !== '') return undefined;
      const { start, end } = view.made.spanOf(node);
      const written = view.sql.slice(start, end);
      const [bare = ''] = /^(?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+))?/.exec(written) ?? [];
      const alias = range.alias === undefined ? ` AS ${quoteIdent(name)}${names}` : '';
      return done(view, [{ start, end: start + bare.length, text: `(${body})${alias}` }]);
    }
  return undefined;
}

/**
 * `SELECT DISTINCT ON (k) k, v FROM … ORDER BY k, v DESC` takes the greatest v of each k: max(v) grouped by k, where v is never NULL
 * (NULL comes
 * first in a descending order) and nothing else is put out.
 */
export function distinctToExtreme(view: Look): Draft | undefined {
  const { root } = view.made;
  const { distinctClause = [], sortClause = [], groupClause, whereClause } = root.select;
  const clauses = clausesOf(view.sql);
  const order = clauses.get('order');
  // Here a bare name means an output first, and then nobody resolves it.
  const written = (node: Node | undefined): Node | undefined => {
    const name = node !== undefined && 'ColumnRef' in node && node.ColumnRef.fields?.length === 1 ? strings(node.ColumnRef.fields)[0]
      : undefined;
    return root.targets.find(target => target.name === name)?.node ?? node;
  };
  const columnOf = (node: Node | undefined): object | undefined => {
    const meant = written(node);
    const meaning = meant !== undefined && 'ColumnRef' in meant ? view.made.meaningOf(meant.ColumnRef) : undefined;
    return meaning?.is === 'column' ? meaning.column : undefined;
  };
  const keyColumns = distinctClause.flatMap(node => columnOf(node) ?? []);
  const sorts = sortClause.flatMap(item => ('SortBy' in item ? [item.SortBy] : []));
  const value = sorts.at(-1);
  const valueColumn = columnOf(value?.node);
  const isRight = keyColumns.length === distinctClause.length && sorts.length === keyColumns.length + 1 && order !== undefined
    && groupClause === undefined && !clauses.has('limit')
    && sorts.slice(0, -1).every((sort, index) => columnOf(sort.node) === keyColumns[index]) && valueColumn !== undefined
      && !keyColumns.includes(valueColumn)
    && root.targets.every(target => target.node !== undefined && [...keyColumns, valueColumn].includes(columnOf(target.node) ?? {}))
    && isNeverNull(view, written(value?.node)) && value?.sortby_dir !== 'SORTBY_USING';
  if (!isRight || value === undefined) return undefined;
  const aggregate = value.sortby_dir === 'SORTBY_DESC' ? 'max' : 'min';
  const list = root.targets.map(({ node, name }) =>
    (columnOf(node) === valueColumn ? `${aggregate}(${textOf(view, node!)}) AS ${quoteIdent(name)}`
      : `${textOf(view, node!)} AS ${quoteIdent(name)}`)).join(', ');
  const select = /\bdistinct\s+on\b/i.exec(view.sql);
  const last = root.targets.at(-1)!;
  if (select === null || (whereClause !== undefined && select.index > view.made.spanOf(whereClause).start)) return undefined;
  const grouped = distinctClause.map(node => textOf(view, written(node) ?? node)).join(', ');
  return done(view, [{ start: select.index, end: last.span.end, text: list }, { start: order.start, end: order.end,
    text: `GROUP BY ${grouped} ` }]);
}

/** A column of a table that forbids NULL, and no outer join that could bring one. */
function isNeverNull({ made }: Look, node: Node | undefined): boolean {
  const meaning = node !== undefined && 'ColumnRef' in node ? made.meaningOf(node.ColumnRef) : undefined;
  if (meaning?.is !== 'column' || made.root.range.some(({ join }) => join !== undefined && join.kind !== 'inner')) return false;
  const { relation } = meaning.entry;
  const columns = relation?.kind === 'table' && !isUnknown(relation.columns) ? relation.columns : [];
  return columns.find(({ name }) => name === meaning.column.name)?.notNull === true;
}

/** date_trunc() and ::date of the time column become time_bucket(). */
export function toBucket(view: Look): Draft | undefined {
  const widths: Readonly<Record<string, string>> = { minute: '1 minute', hour: '1 hour', day: '1 day', week: '1 week' };
  const edits: TextEdit[] = [];
  const take = (edit: TextEdit): false => {
    edits.push(edit);
    return false;
  };
  eachPart(view.made.root.select, part => {
    if ('FuncCall' in part) {
      const call = (part as { readonly FuncCall: FuncCall }).FuncCall;
      const [first, second, third] = call.args ?? [];
      const unit = first !== undefined && 'A_Const' in first ? first.A_Const.sval?.sval?.toLowerCase() : undefined;
      const width = unit === undefined || !Object.hasOwn(widths, unit) ? undefined : widths[unit];
      if (strings(call.funcname).at(-1) === 'date_trunc' && width !== undefined && second !== undefined && third === undefined)
        return take(at(view, part, `time_bucket('${width}', ${textOf(view, second)})`));
    }
    if ('TypeCast' in part) {
      const cast = (part as Extract<Node, { TypeCast: unknown }>).TypeCast;
      if (cast.arg !== undefined && isStamp(view, cast.arg) && strings(cast.typeName?.names).at(-1) === 'date')
        return take(at(view, part, `time_bucket('1 day', ${castText(view, part)})`));
    }
    return undefined;
  });
  return done(view, edits);
}
