/**
 * Which tables TimescaleDB partitions by time: `create_hypertable('t', 'at')`, `create_hypertable('t', by_range('at', …))` and
 * `CREATE TABLE … WITH (timescaledb.hypertable)` (its reference, pages create_hypertable, create_hypertable (old interface) and "Create and
 * configure a hypertable").
 */
import type { Known, Table } from '../../model.ts';
import { readWrittenName } from '../../sql/names.ts';
import { statementText } from '../../sql/text.ts';
import type { FuncCall, Node } from '../../sql/tree.ts';
import { columnsOf, find, writtenFromList, type Change, type Outcome } from '../change.ts';
import { fold } from '../code/fold.ts';
import { hasHole, printed, type Value } from '../code/values.ts';

export const isHypertableCall = (call: FuncCall): boolean => writtenFromList(call.funcname).name === 'create_hypertable';

/** `create_hypertable`: the table has a time column from here on. Nothing is refused: no server of ours has the function. */
export function createHypertable(change: Change, call: FuncCall): Outcome {
  const [first, second] = ['relation', 'dimension'].map((name, at) => argument(call, at === 1 ? [name, 'time_column_name'] : [name,
    'main_table'], at));
  const table = first === undefined ? undefined : tableOf(change, valueOf(change, first));
  if (table === undefined) return undefined;
  const range = second !== undefined && 'FuncCall' in second && writtenFromList(second.FuncCall.funcname).name === 'by_range'
    ? second.FuncCall.args?.[0] : second;
  const value = range === undefined ? undefined : valueOf(change, range);
  const text = value === undefined ? undefined : printed(value)?.text;
  const column: Known<string> = text === undefined || hasHole(text) ? { unknown: `the time column of ${table.name.name}` }
    : readWrittenName(text)?.name ?? text;
  change.store.put({ ...table, hypertable: column });
  return undefined;
}

function argument(call: FuncCall, names: readonly string[], at: number): Node | undefined {
  const args = call.args ?? [];
  const named = args.find(arg => 'NamedArgExpr' in arg && names.includes(arg.NamedArgExpr.name ?? ''));
  if (named !== undefined && 'NamedArgExpr' in named) return named.NamedArgExpr.arg;
  const positional = args[at];
  return positional === undefined || 'NamedArgExpr' in positional ? undefined : positional;
}

function valueOf(change: Change, node: Node): Value {
  return fold(node, statementText(change.statement), { catalog: change.store, postgres: change.postgres, variables: change.code?.variables
    ?? new Map() });
}

function tableOf(change: Change, value: Value): Table | undefined {
  if (value.is === 'object') {
    const object = change.store.get(value.id);
    return object?.kind === 'table' ? object : undefined;
  }
  const text = value.is === 'text' && !hasHole(value.text.text) ? value.text.text : undefined;
  const name = text === undefined ? undefined : readWrittenName(text);
  const { relation } = name === undefined ? {} : find(change, name);
  return relation?.kind === 'table' ? relation : undefined;
}

/** The time column that the options of CREATE TABLE give: the one that is named, else the first timestamptz. */
export function hypertableOption(table: Table): Table {
  if (!table.options.has('timescaledb.hypertable')) return table;
  const named = table.options.get('timescaledb.partition_column');
  const first = columnsOf(table).find(({ type }) => type === 'timestamp with time zone')?.name;
  return { ...table, hypertable: named ?? first ?? { unknown: `the time column of ${table.name.name}` } };
}
