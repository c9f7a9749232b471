/** What create_immv, refresh_immv and restore_immv do to a catalog (facts §1.1, §1.5, §1.6; compared with Postgres by the agreement). */
import type { Column, Eligibility, Known, Table } from '../../model.ts';
import { pgIvmEligibility } from '../../query/incremental/pg-ivm.ts';
import type { Lowered } from '../../query/lower.ts';
import type { Node } from '../../sql/tree.ts';
import { columnsOf, find, gap, isUnknown, nameForCreate, refuse, refuseMissing, type Change, type Outcome } from '../change.ts';
import { hasHole } from '../code/values.ts';
import { makeIndex } from '../indexes.ts';
import { dependOnQuery, existsAlready, refuseQuery } from '../views.ts';
import { flagArgument, textArgument, type EngineCall } from './calls.ts';
import { lowered, maintainedTable, optionsOfCall, readDefinition, type Definition } from './definition.ts';
import { readImmvName } from './names.ts';

/** `pgivm.create_immv(immv, view_definition)`. */
export function createImmv(change: Change, call: EngineCall): Outcome {
  const given = textArgument(call, 'immv');
  if (given === undefined) return unknownName(change, call, 'create_immv');
  const named = readImmvName(given);
  if (named === undefined) return unknownName(change, call, 'create_immv');
  if ('sqlstate' in named) return refuse(named.sqlstate, named.message, [{ span: call.place('immv'), says: 'this is no name' }]);
  const range = { relname: named.name.name, ...(named.name.schema === undefined ? {} : { schemaname: named.name.schema }) };
  const value = call.values.get('view_definition');
  if (value?.is !== 'text' || hasHole(value.text.text)) {
    const { name, existing } = nameForCreate(change, range);
    gap(change, 'the query that pg_ivm maintains is only known at run time', call.place('view_definition'));
    if (name && !existing) put(change, maintainedTable(change, name, { unknown: 'the columns of a query that is made from data' },
      undefined));
    return undefined;
  }
  const definition = readDefinition(change, value.text);
  if ('sqlstate' in definition) return definition;
  const made = lowered(change, definition, named.columns);
  const missing = refuseQuery(change, made);
  if (missing) return missing;
  const { name, existing } = nameForCreate(change, range);
  if (!name) return undefined;
  if (existing) return existsAlready(change, false, 'table', existing.id, name);
  if (!isUnknown(made.columns) && named.columns.length > made.columns.length)
    return refuse('22023', 'too many column names were specified', [{ span: call.place('immv'), says: `${named.columns.length} names` }]);
  const judged = pgIvmEligibility(definition.statement, change.store, { columns: named.columns });
  const refused = refuseIneligible(judged);
  if (refused) return refused;
  const maintenance = { engine: 'pg_ivm' as const, query: made.query, options: optionsOfCall(call), filled: true };
  const table = maintainedTable(change, name, immvColumns(change, definition, made, named.columns), maintenance);
  put(change, table);
  dependOnQuery(change, table.id, made);
  const clash = indexImmv(change, judged, table);
  if (clash) return clash;
  change.effects.push({ kind: 'createImmv', table, via: change.via });
  return undefined;
}

/** SQLSTATEs of what is not refused as an unsupported feature (measured by `immv.test.ts`). */
const sqlstates: Readonly<Record<string, string>> = {
  'not-one-query': 'XX000', 'not-a-select': '22023', parameter: '42P02', 'no-equality': '42883', 'duplicate-column': '42701',
    'no-collation': '42P22',
  'record-column': '42P16', 'sequence-source': '42809', 'no-btree-order': '42704', 'select-into': '42601',
};

/** What create_immv refuses: the first of its checks that fires. */
function refuseIneligible(judged: Eligibility): Outcome {
  const [first] = judged.obstacles;
  if (judged.is !== 'refused' || first === undefined) return undefined;
  return { ...refuse(sqlstates[first.code] ?? '0A000', first.message ?? first.says, first.evidence), eligibility: judged };
}

/** The index is `<name>_index`, and pg_ivm chooses no other name when that is taken: 42P07 (measured). */
function indexImmv(change: Change, { index: columns }: Eligibility, table: Table): Outcome {
  if (columns === undefined || isUnknown(columns) || columns.length === 0) return undefined;
  const name = `${table.name.name}_index`;
  const taken = change.store.find({ schema: table.name.schema, name });
  if (taken.is === 'present') return refuse('42P07', `relation "${name}" already exists`, [], taken.object.id);
  makeIndex(change, table, name, {
    unique: true, method: 'btree', include: [], nullsNotDistinct: false, columns: columns.map(column => ({ column,
      descending: false, nullsFirst: false })),
  });
  return undefined;
}

function put(change: Change, table: Table): void {
  change.store.put(table);
}

function unknownName(change: Change, call: EngineCall, name: string): Outcome {
  gap(change, `which relation ${name} is about is only known at run time`, call.place('immv'));
  return undefined;
}

const targetsOf = (definition: Definition): readonly Node[] => definition.select.targetList ?? [];
const aggregates = new Set(['count', 'sum', 'avg', 'min', 'max']);

/** The aggregate that a select-list item is; pg_ivm takes no other than these five. */
function aggregateOf(item: Node): { readonly name: string; readonly location: number } | undefined {
  const value = 'ResTarget' in item ? item.ResTarget.val : undefined;
  if (value === undefined || !('FuncCall' in value) || value.FuncCall.over !== undefined) return undefined;
  const parts = (value.FuncCall.funcname ?? []).map(part => ('String' in part ? part.String.sval ?? '' : ''));
  const name = parts.at(-1) ?? '';
  const isSystem = parts.length === 1 || parts[0] === 'pg_catalog';
  return isSystem && aggregates.has(name) ? { name, location: value.FuncCall.location ?? 0 } : undefined;
}

/** The visible columns and the hidden ones behind them, in pg_ivm's order (facts §1.3; order and types compared by the agreement). */
function immvColumns(change: Change, definition: Definition, made: Lowered, names: readonly string[]): Known<readonly Column[]> {
  if (isUnknown(made.columns)) return made.columns;
  const { columns } = made;
  const targets = targetsOf(definition);
  const hidden: Column[] = [];
  const add = (name: string, type: Known<string> = 'bigint'): void => void hidden.push({ name, type, notNull: false });
  // A star before an aggregate makes positions differ; with GROUP BY nobody writes one.
  const items = targets.map(aggregateOf);
  if (items.some(item => item !== undefined) && targets.length !== columns.length) return { unknown: 'the hidden columns behind SELECT *' };
  items.forEach((item, at) => {
    if (item === undefined) return;
    const column = names[at] ?? columns[at]?.name ?? '';
    if (item.name !== 'count') add(`__ivm_count_${column}__`);
    if (item.name === 'avg') add(`__ivm_sum_${column}__`, sumType(change, definition, item.location, at, columns.length));
  });
  for (let at = 0; at < existsCount(definition.select.whereClause); at += 1) add(`__ivm_exists_count_${at}__`);
  if (items.some(item => item !== undefined) || definition.select.distinctClause !== undefined) add('__ivm_count__');
  return [...columns, ...hidden];
}

/** The type of sum() over what avg() is taken of: the same query is read with the one word changed. */
function sumType(change: Change, definition: Definition, location: number, at: number, count: number): Known<string> {
  const { sql } = definition.statement;
  const word = /avg\b/i.exec(sql.slice(location));
  const start = location + (word?.index ?? -1);
  const other = word === null || start < location ? undefined
    : readDefinition(change, { text: `${sql.slice(0, start)}sum${sql.slice(start + 3)}`, origins: [] });
  const columns = other === undefined || 'sqlstate' in other ? undefined : lowered(change, other, []).columns;
  const type = columns === undefined || isUnknown(columns) || columns.length !== count ? undefined : columns[at]?.type;
  return type ?? { unknown: 'the type of a sum' };
}

/** How many EXISTS stand in WHERE; pg_ivm takes them through AND only. */
function existsCount(where: Node | undefined): number {
  if (where === undefined) return 0;
  if ('BoolExpr' in where) return (where.BoolExpr.args ?? []).reduce((sum, arg) => sum + existsCount(arg), 0);
  return 'SubLink' in where && where.SubLink.subLinkType === 'EXISTS_SUBLINK' ? 1 : 0;
}

/** The IMMV that a call names, as far as it is known; `refusal` is what Postgres says when there is none. */
function target(change: Change, call: EngineCall): { readonly table?: Table; readonly refusal?: Outcome } {
  const given = textArgument(call, 'immv');
  const named = given === undefined ? undefined : readImmvName(given);
  if (named === undefined || 'sqlstate' in named) return {};
  const { relation, absent } = find(change, named.name);
  if (absent) return { refusal: refuseMissing(named.name, absent) };
  return relation?.kind === 'table' ? { table: relation } : {};
}

/** `pgivm.refresh_immv(immv, with_data)`: 0A000 for what is no IMMV (measured). */
export function refreshImmv(change: Change, call: EngineCall): Outcome {
  const { table, refusal } = target(change, call);
  if (refusal) return refusal;
  if (!table) return undefined;
  if (table.maintenance?.engine !== 'pg_ivm') {
    if (!change.store.isCertain(table.id) || isUnknown(table.columns)) return undefined;
    const says = `${table.name.name} is not an IMMV`;
    const what = { engine: 'pg_ivm' as const, code: 'kind' as const, says, span: call.place('immv'), relation: table.id };
    return { ...refuse('0A000', `"${table.name.name}" is not an IMMV`, [{ span: call.place('immv'), says }], table.id), misuse: what };
  }
  const filled = flagArgument(call, 'with_data', true);
  const to: Table = { ...table, maintenance: { ...table.maintenance, filled: filled ?? { unknown: 'with_data' } } };
  change.store.put(to);
  change.effects.push({ kind: 'changeMaintenance', from: table, to, what: 'refresh_immv', via: change.via });
  return undefined;
}

/** `pgivm.restore_immv(immv, view_definition, populate)`: an ordinary table becomes an IMMV. */
export function restoreImmv(change: Change, call: EngineCall): Outcome {
  const { table, refusal } = target(change, call);
  if (refusal) return refusal;
  const value = call.values.get('view_definition');
  if (!table || value?.is !== 'text' || hasHole(value.text.text)) return undefined;
  const definition = readDefinition(change, value.text);
  if ('sqlstate' in definition) return definition;
  const made = lowered(change, definition, []);
  const missing = refuseQuery(change, made);
  if (missing) return missing;
  if (table.maintenance !== undefined) {
    const says = `${table.name.name} is registered already`;
    const what = { engine: 'pg_ivm' as const, code: 'kind' as const, says, span: call.place('immv'), relation: table.id };
    return { ...refuse('42710', `relation "${table.name.name}" is already registered as an IMMV`, [{ span: what.span, says }], table.id),
      misuse: what };
  }
  const judged = pgIvmEligibility(definition.statement, change.store,
    { columns: columnsOf(table).map(column => column.name).filter(name => !name.startsWith('__ivm_')) });
  const refused = refuseIneligible(judged) ?? indexImmv(change, judged, table);
  if (refused) return refused;
  const filled = flagArgument(call, 'populate', false) === true ? true : { unknown: 'whether the table holds the rows of its query' };
  const to: Table = { ...table, maintenance: { engine: 'pg_ivm', query: made.query, options: optionsOfCall(call), filled } };
  change.store.put(to);
  dependOnQuery(change, table.id, made);
  change.effects.push({ kind: 'createImmv', table: to, via: change.via });
  return undefined;
}
