/**
 * The unique index that pg_ivm makes by itself (facts §1.5, and measured by the agreement): over what GROUP BY groups, else over every column of
 * a DISTINCT, else over the primary keys of all that FROM reads, if each stands bare in the select list.
 */
import type { Table } from '../../model.ts';
import type { Node, RangeVar, SelectStmt } from '../../sql/tree.ts';
import { offsetKeys } from '../../sql/parse.ts';
import { columnsOf, isUnknown, writtenName, type Change } from '../change.ts';

/** The columns of the index in order; none where no index is made, undefined where that is not known. */
export function immvIndex(change: Change, select: SelectStmt, outputs: readonly string[], hasAggregate: boolean, hidden: readonly string[]): readonly string[] | undefined {
  const targets = (select.targetList ?? []).flatMap(item => ('ResTarget' in item && item.ResTarget.val !== undefined ? [item.ResTarget.val] : []));
  const groups = select.groupClause ?? [];
  if (groups.length > 0) return grouped(groups, targets, outputs);
  if (select.distinctClause !== undefined) return [...outputs, ...hidden];
  if (hasAggregate || JSON.stringify(select.whereClause ?? {}).includes('"SubLink"')) return [];
  const read = readSelect({ change, tables: 0 }, select, new Map(), 0);
  if (read === undefined) return [];
  if (read.refs.length !== outputs.length) return undefined;
  const wanted = new Set(read.keys);
  return read.keys.every(key => read.refs.includes(key)) ? outputs.filter((_, at) => {
    const ref = read.refs[at];
    return ref !== undefined && wanted.delete(ref);
  }) : [];
}

/** A tree without its places. */
const shape = (node: Node): string => JSON.stringify(node, (key, value: unknown) => (offsetKeys.has(key) ? undefined : value));

function grouped(groups: readonly Node[], targets: readonly Node[], outputs: readonly string[]): readonly string[] | undefined {
  const found: string[] = [];
  for (const group of groups) {
    const ordinal = 'A_Const' in group ? group.A_Const.ival?.ival : undefined;
    const last = 'ColumnRef' in group ? group.ColumnRef.fields?.at(-1) : undefined;
    const name = last !== undefined && 'String' in last ? last.String.sval : undefined;
    const bare = targets.findIndex(target => shape(target) === shape(group));
    const same = bare >= 0 || name === undefined ? bare : targets.findIndex(target => {
      const field = 'ColumnRef' in target ? target.ColumnRef.fields?.at(-1) : undefined;
      return field !== undefined && 'String' in field && field.String.sval === name;
    });
    const at = ordinal !== undefined ? ordinal - 1 : same >= 0 ? same : name === undefined ? -1 : outputs.indexOf(name);
    const output = outputs[at];
    if (output === undefined) return undefined;
    if (!found.includes(output)) found.push(output);
  }
  return found;
}

/** What FROM offers: columns by name, each as the base column that it is, and the primary keys that must be put out. */
interface Item {
  readonly alias: string;
  readonly columns: ReadonlyMap<string, string>;
  readonly keys: readonly string[];
  /** Columns that USING or NATURAL merged away: named only with their relation. */
  readonly merged: ReadonlySet<string>;
}
interface Read {
  readonly refs: readonly (string | undefined)[];
  readonly names: readonly string[];
  readonly keys: readonly string[];
}

/** The catalog, and how many tables were met: each reading of a table is one of its own. */
interface Around {
  readonly change: Change;
  tables: number;
}

function readSelect(around: Around, select: SelectStmt, outer: ReadonlyMap<string, SelectStmt>, depth: number): Read | undefined {
  if (depth > 20 || select.targetList === undefined || select.larg !== undefined) return undefined;
  const ctes = new Map(outer);
  for (const item of select.withClause?.ctes ?? [])
    if ('CommonTableExpr' in item && item.CommonTableExpr.ctequery && 'SelectStmt' in item.CommonTableExpr.ctequery)
      ctes.set(item.CommonTableExpr.ctename ?? '', item.CommonTableExpr.ctequery.SelectStmt);
  const items: Item[] = [];
  for (const node of select.fromClause ?? []) if (!readItem(around, node, ctes, depth, items)) return undefined;
  if (items.length === 0) return undefined;
  const refs: (string | undefined)[] = [];
  const names: string[] = [];
  for (const target of select.targetList) {
    const { val, name } = 'ResTarget' in target ? target.ResTarget : {};
    const fields = val !== undefined && 'ColumnRef' in val ? val.ColumnRef.fields ?? [] : [];
    const parts = fields.map(field => ('String' in field ? field.String.sval ?? '' : '*'));
    const last = parts.at(-1);
    const owner = parts.at(-2);
    if (last === '*') {
      for (const item of items.filter(({ alias }) => owner === undefined || alias === owner))
        for (const [column, ref] of item.columns) {
          if (owner === undefined && item.merged.has(column)) continue;
          refs.push(ref);
          names.push(column);
        }
    } else {
      const item = last === undefined ? undefined
        : items.find(({ alias, columns, merged }) => (owner === undefined ? columns.has(last) && !merged.has(last) : alias === owner && columns.has(last)));
      refs.push(item?.columns.get(last ?? ''));
      names.push(name ?? last ?? '');
    }
  }
  return { refs, names, keys: items.flatMap(({ keys }) => keys) };
}

/** Adds what an item of FROM offers; false for what has no key: functions, keyless tables, what is not known. */
function readItem(around: Around, node: Node, ctes: ReadonlyMap<string, SelectStmt>, depth: number, items: Item[]): boolean {
  if ('JoinExpr' in node) {
    const { larg, rarg, usingClause, isNatural } = node.JoinExpr;
    const first = items.length;
    if (larg === undefined || rarg === undefined || !readItem(around, larg, ctes, depth, items)) return false;
    const middle = items.length;
    if (!readItem(around, rarg, ctes, depth, items)) return false;
    const left = new Set(items.slice(first, middle).flatMap(({ columns }) => [...columns.keys()]));
    const using = isNatural === true ? [...left] : (usingClause ?? []).map(name => ('String' in name ? name.String.sval ?? '' : ''));
    for (let at = middle; at < items.length; at += 1) {
      const item = items[at]!;
      items[at] = { ...item, merged: new Set([...item.merged, ...using.filter(name => item.columns.has(name))]) };
    }
    return true;
  }
  if ('RangeSubselect' in node && node.RangeSubselect.subquery && 'SelectStmt' in node.RangeSubselect.subquery)
    return addRead(readSelect(around, node.RangeSubselect.subquery.SelectStmt, ctes, depth + 1), node.RangeSubselect.alias?.aliasname ?? '', node.RangeSubselect.alias?.colnames, items);
  if (!('RangeVar' in node)) return false;
  const { alias, relname = '', schemaname } = node.RangeVar;
  const cte = schemaname === undefined ? ctes.get(relname) : undefined;
  if (cte !== undefined) return addRead(readSelect(around, cte, ctes, depth + 1), alias?.aliasname ?? relname, alias?.colnames, items);
  const table = tableOf(around.change, node.RangeVar);
  const key = table?.constraints.find(({ kind, deferrable }) => kind === 'primary key' && deferrable !== true);
  if (table === undefined || key === undefined) return false;
  const own = (around.tables += 1);
  const given = (alias?.colnames ?? []).map(name => ('String' in name ? name.String.sval ?? '' : ''));
  const columns = columnsOf(table).map((column, at) => [given[at] ?? column.name, `${own}.${column.name}`] as const);
  items.push({ alias: alias?.aliasname ?? relname, columns: new Map(columns), keys: key.columns.map(column => `${own}.${column}`), merged: new Set() });
  return true;
}

function addRead(read: Read | undefined, alias: string, colnames: readonly Node[] | undefined, items: Item[]): boolean {
  if (read === undefined) return false;
  const given = (colnames ?? []).map(name => ('String' in name ? name.String.sval ?? '' : ''));
  const columns = read.refs.flatMap((ref, at) => (ref === undefined ? [] : [[given[at] ?? read.names[at] ?? '', ref] as const]));
  items.push({ alias, columns: new Map(columns), keys: read.keys, merged: new Set() });
  return true;
}

function tableOf(change: Change, range: RangeVar): Table | undefined {
  const found = change.store.find(writtenName(range));
  return found.is === 'present' && found.object.kind === 'table' && !isUnknown(found.object.columns) ? found.object : undefined;
}
