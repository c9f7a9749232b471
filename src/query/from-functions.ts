import type { Known } from '../model.ts';
import type { FuncCall, JsonTable, JsonTableColumn, Node, RangeFunction, RangeTableFunc } from '../sql/tree.ts';
import { isBuiltinCall } from './call.ts';
import { setReturningBuiltins } from './builtin-names.ts';
import { value, visit, type Place } from './expression.ts';
import { singleItem, type Item } from './from.ts';
import { outputName, strings } from './names.ts';
import { isUnknown, newId, unknown, type Run, type ScopeColumn, type Value } from './scope.ts';
import { isBuiltinType, namedType, setResult } from './types.ts';

function column(name: string, type: Known<string>, run: Run, taints: Value['taints'] = []): ScopeColumn {
  return { name, type, literal: false, nullable: unknown(`whether ${name} is NULL`), taints, ids: [newId(run)], uses: [] };
}

/** Result columns of one function of FROM; undefined when they are not known. */
function resultColumns(call: FuncCall, values: readonly Value[], own: Value, alias: string | undefined,
  place: Place): readonly ScopeColumn[] | undefined {
  const { run } = place;
  const name = strings(call.funcname).at(-1) ?? '';
  if (!isBuiltinCall(call, place)) return undefined;
  const one = alias ?? name;
  const known = setResult(name, values);
  if (known !== undefined) return known.map(([label, type]) =>
    column(label === '$0' ? one : label, type, run, label === '$0' && name === 'unnest' ? values[0]!.taints : []));
  // A plain function gives one row of one column, unless its result is a row type.
  if (!setReturningBuiltins.has(name) && !isUnknown(own.type)
    && isBuiltinType(own.type)) return [{ ...column(one, own.type, run, own.taints), nullable: own.nullable }];
  return undefined;
}

/** A function, or ROWS FROM several, in FROM. */
export function functionSource(node: RangeFunction, place: Place): Item {
  const { run } = place;
  const columns: ScopeColumn[] = [];
  let open = false;
  const several = (node.functions?.length ?? 0) > 1;
  for (const item of node.functions ?? []) {
    const [expression, definitions] = 'List' in item ? item.List.items ?? [] : [item];
    if (expression === undefined) continue;
    const own = value(expression, place);
    const listed = node.coldeflist !== undefined && node.coldeflist.length > 0 ? node.coldeflist
      : definitions !== undefined && 'List' in definitions ? definitions.List.items ?? [] : [];
    if (listed.length > 0) {
      columns.push(...definedColumns(listed, place));
      continue;
    }
    const alias = several || node.is_rowsfrom === true ? undefined : node.alias?.aliasname;
    const known = 'FuncCall' in expression
      ? resultColumns(expression.FuncCall, peekValues(expression.FuncCall, place), own, alias, place)
      : isUnknown(own.type) ? undefined : [{ ...column(alias ?? outputName(expression, () => undefined) ?? '', own.type, run,
        own.taints) }];
    if (known === undefined) open = true;
    else if (!open) columns.push(...known);
  }
  const defaultName = nameOf(node.functions?.[0]);
  const ordinal = node.ordinality === true ? { ...column('ordinality', 'bigint', run), nullable: false } : undefined;
  const all = open ? [] : [...columns, ...(ordinal === undefined ? [] : [ordinal])];
  const keys = ordinal === undefined || open ? [] : [[ordinal.ids[0]!]];
  const named = open ? strings(node.alias?.colnames).map(name => column(name, unknown(`type of ${name}`), run)) : all;
  return singleItem(named, node.alias, defaultName, { open, reads: [], keys, perRow: true });
}

/** The arguments again, for their types; what they read is recorded already. */
function peekValues(call: FuncCall, place: Place): readonly Value[] {
  const run: Run = { ...place.run, reads: [], missing: [], missingColumns: [], routines: new Set(), types: new Set() };
  return (call.args ?? []).map(arg => value(arg, { ...place, run }));
}

function nameOf(item: Node | undefined): string | undefined {
  const first = item !== undefined && 'List' in item ? item.List.items?.[0] : item;
  return first === undefined ? undefined : outputName(first, () => undefined);
}

function definedColumns(list: readonly Node[], place: Place): readonly ScopeColumn[] {
  return list.flatMap(item => {
    if (!('ColumnDef' in item)) return [];
    const named = namedType(item.ColumnDef.typeName, place.run.catalog);
    if (named.id !== undefined) place.run.types.add(named.id);
    return [column(item.ColumnDef.colname ?? '', named.type, place.run)];
  });
}

/** XMLTABLE. */
export function tableFunctionSource(node: RangeTableFunc, place: Place): Item {
  for (const part of [node.docexpr, node.rowexpr]) if (part !== undefined) value(part, place);
  visit(node.namespaces, place);
  const columns = (node.columns ?? []).flatMap(item => {
    if (!('RangeTableFuncCol' in item)) return [];
    const { colname, typeName, for_ordinality, colexpr, coldefexpr } = item.RangeTableFuncCol;
    for (const part of [colexpr, coldefexpr]) if (part !== undefined) value(part, place);
    return [column(colname ?? '', for_ordinality === true ? 'integer' : namedType(typeName, place.run.catalog).type, place.run)];
  });
  return singleItem(columns, node.alias, 'xmltable', { open: false, reads: [], keys: [], perRow: true });
}

/** JSON_TABLE (17 and later): nested columns stand in the order they are written. */
export function jsonTableSource(node: JsonTable, place: Place): Item {
  visit({ ...node, columns: undefined }, place);
  const columns: ScopeColumn[] = [];
  const add = (list: readonly Node[] | undefined, depth: number): void => {
    for (const item of list ?? []) {
      const inner: JsonTableColumn | undefined = 'JsonTableColumn' in item ? item.JsonTableColumn : undefined;
      if (inner === undefined || depth > 50) continue;
      if (inner.coltype === 'JTC_NESTED') add(inner.columns, depth + 1);
      else if (inner.coltype === 'JTC_FOR_ORDINALITY') columns.push(column(inner.name ?? '', 'integer', place.run));
      else columns.push(column(inner.name ?? '', namedType(inner.typeName, place.run.catalog).type, place.run));
    }
  };
  add(node.columns, 0);
  return singleItem(columns, node.alias, 'json_table', { open: false, reads: [], keys: [], perRow: true });
}
