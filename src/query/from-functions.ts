import type { Known, Span } from '../model.ts';
import { nodeEnd, sourceSpan } from '../sql/span.ts';
import type { JsonTable, JsonTableColumn, Node, RangeFunction, RangeTableFunc } from '../sql/tree.ts';
import { called, isScalarCall, type Called } from './call.ts';
import { value, visit, type Place } from './expression.ts';
import { singleItem, type Item } from './from.ts';
import { inputsOf } from './inputs.ts';
import { Ids } from './ids.ts';
import { anyRows, factsOfRows, law, noteAt, perRun, perhaps, type Law, type RowFacts } from './laws.ts';
import { outputName, strings } from './names.ts';
import { isJudging, isUnknown, newId, unknown, type Run, type ScopeColumn, type Value } from './scope.ts';
import { typesIn } from './sql-type.ts';
import { namedType } from './types.ts';

function column(name: string, type: Known<string>, run: Run, taints: Value['taints'] = []): ScopeColumn {
  return { name, type, literal: false, nullable: unknown(`whether ${name} is NULL`), taints, ids: [newId(run)], uses: [] };
}

/** Result columns of one function of FROM; undefined when they are not known. */
function resultColumns({ resolved, value: own, arguments: args }: Called, label: string, run: Run): readonly ScopeColumn[] | undefined {
  if (resolved.is !== 'function') return isUnknown(own.type) ? undefined : [column(label, own.type, run, own.taints)];
  const { signature, result } = resolved;
  if (signature.columns !== undefined) return signature.columns.map(({ name, type }, at) => column(name, type, run, own.parts?.[at] ?? []));
  if (result === undefined || (result.kind === 'pseudo')) return undefined;
  const { fields } = typesIn(run.catalog).baseOf(result);
  if (fields !== undefined) return isUnknown(fields) ? undefined : fields.map(({ name, type }) => column(name, type, run));
  const taints = signature.name === 'unnest' && signature.routine === undefined ? args[0]?.taints ?? [] : own.taints;
  return [{ ...column(label, result.printed, run, taints), ...(signature.returnsSet ? {} : { nullable: own.nullable }) }];
}

/** `unnest(a, b)` in FROM is unnest(a) and unnest(b) side by side (transformRangeFunction). */
function apart(expression: Node): readonly Node[] {
  if (!('FuncCall' in expression)) return [expression];
  const { funcname, args, ...rest } = expression.FuncCall;
  const isUnnest = strings(funcname).join('.') === 'unnest' && (args?.length ?? 0) > 1 && rest.func_variadic !== true;
  return isUnnest ? args!.map(arg => ({ FuncCall: { ...expression.FuncCall, args: [arg] } })) : [expression];
}

/** A function, or ROWS FROM several, in FROM. */
export function functionSource(node: RangeFunction, place: Place): Item {
  const { run } = place;
  const columns: ScopeColumn[] = [];
  let open = false;
  const listedFunctions = (node.functions ?? []).flatMap(item => {
    const [expression, definitions] = 'List' in item ? item.List.items ?? [] : [item];
    return expression === undefined ? [] : apart(expression).map(one => [one, definitions] as const);
  });
  const several = listedFunctions.length > 1;
  for (const [expression, definitions] of listedFunctions) {
    const done = 'FuncCall' in expression ? called(expression.FuncCall, place) : undefined;
    const own = done?.value ?? value(expression, place);
    const listed = node.coldeflist !== undefined && node.coldeflist.length > 0 ? node.coldeflist
      : definitions !== undefined && 'List' in definitions ? definitions.List.items ?? [] : [];
    if (listed.length > 0) {
      columns.push(...definedColumns(listed, place));
      continue;
    }
    const alias = several || node.is_rowsfrom === true ? undefined : node.alias?.aliasname;
    const label = alias ?? outputName(expression, () => undefined) ?? '';
    const known = done !== undefined ? resultColumns(done, label, run)
      : isUnknown(own.type) ? undefined : [column(label, own.type, run, own.taints)];
    if (known === undefined) open = true;
    else if (!open) columns.push(...known);
  }
  const defaultName = nameOf(node.functions?.[0]);
  const ordinal = node.ordinality === true ? { ...column('ordinality', 'bigint', run), nullable: false } : undefined;
  const all = open ? [] : [...columns, ...(ordinal === undefined ? [] : [ordinal])];
  const named = open ? strings(node.alias?.colnames).map(name => column(name, unknown(`type of ${name}`), run)) : all;
  const facts = open || !isJudging(run) ? anyRows(newId(run))
    : functionRows(listedFunctions.map(([expression]) => expression), all, ordinal, place);
  return singleItem(named, node.alias, defaultName, { open, reads: [], facts });
}

/** Functions that give several rows for some argument, whatever the table says. */
const giving = new Set(['unnest', 'generate_series', 'regexp_split_to_table', 'string_to_table', 'jsonb_array_elements',
  'jsonb_array_elements_text',
  'json_array_elements', 'json_array_elements_text', 'jsonb_object_keys', 'jsonb_each', 'jsonb_each_text', 'regexp_matches',
    'generate_subscripts']);

/**
 * What decides the rows of functions in FROM (measured, facts H): WITH ORDINALITY numbers them, generate_series repeats nothing. A function
 * that reads columns to its left runs once for each of their rows.
 */
function functionRows(functions: readonly Node[], columns: readonly ScopeColumn[], ordinal: ScopeColumn | undefined,
  place: Place): RowFacts {
  const row = newId(place.run);
  const inputs = functions.map(expression => inputsOf(expression, place));
  const calls = functions.flatMap(expression => ('FuncCall' in expression ? [expression.FuncCall] : []));
  const left = inputs.every(item => item.whole && item.columns.length === 0) ? []
    : place.scope.sources.flatMap(source => source.facts.rows);
  const names = calls.map(call => strings(call.funcname).at(-1) ?? '');
  const surelySets = names.length === functions.length && names.every(name => giving.has(name))
    && calls.every(call => !isScalarCall(call, place));
  const asks = inputs.some(item => !item.whole || item.columns.length > 0);
  const series = functions.length === 1 && names[0] === 'generate_series' && surelySets ? columns[0] : undefined;
  if (series !== undefined) series.nullable = false;
  const scalar = calls.length === functions.length && calls.every(call => isScalarCall(call, place));
  const own = columns.flatMap(item => item.ids);
  const laws: Law[] = [law([row], own, { missingToo: true })];
  for (const key of [ordinal, series]) if (key !== undefined) laws.push(law(key.ids, [row]));
  if (scalar) laws.push(law([], [row]));
  // A list of constants is what it is: nothing is claimed of its values.
  if (!surelySets || (!asks && series === undefined)) laws.push(perhaps([], [row]));
  const solid = Ids.of([row, ...columns.flatMap(item => (item.nullable === false || item === series ? item.ids : []))]);
  return perRunOf(factsOfRows([row], laws, solid, { notes: [noteAt(row, `${names[0] ?? 'the function'}() gives several rows with the same %`, placeOf(functions[0], place))] }), left);
}

/** One row of the function is not one row of what stands to its left: nothing is claimed of that direction. */
function perRunOf(facts: RowFacts, left: readonly number[]): RowFacts {
  const wrapped = perRun(facts, left);
  return wrapped === facts ? facts : { ...wrapped, laws: wrapped.laws.slice(0, -1) };
}

const placeOf = (node: Node | undefined, place: Place): Span => {
  const start = node !== undefined && 'FuncCall' in node ? node.FuncCall.location ?? 0 : 0;
  return sourceSpan(place.run.statement, start, nodeEnd(place.run.statement.sql, start));
};

function nameOf(item: Node | undefined): string | undefined {
  const first = item !== undefined && 'List' in item ? item.List.items?.[0] : item;
  return first === undefined ? undefined : outputName(first, () => undefined);
}

function definedColumns(list: readonly Node[], place: Place): readonly ScopeColumn[] {
  return list.flatMap(item => {
    if (!('ColumnDef' in item)) return [];
    const named = namedType(item.ColumnDef.typeName, place.run.catalog);
    if (named.id !== undefined) place.run.held.add(named.id);
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
  return singleItem(columns, node.alias, 'xmltable', { open: false, reads: [], facts: anyRows(newId(place.run)) });
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
  return singleItem(columns, node.alias, 'json_table', { open: false, reads: [], facts: anyRows(newId(place.run)) });
}
