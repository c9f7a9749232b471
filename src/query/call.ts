import type { Routine } from '../model.ts';
import type { FuncCall } from '../sql/tree.ts';
import { aggregateBuiltins, isBuiltinFunction, plainBuiltins, setReturningBuiltins } from './builtin-names.ts';
import { callOrigin, ofCall } from './determinism.ts';
import { originTaint, value, visit, type Place } from './expression.ts';
import { strings } from './names.ts';
import { isHole, isUnknown, unionTaints, unknown, unknownValue, type Value } from './scope.ts';
import { callType, setResult } from './types.ts';

/**
 * The routines of the history that a call may mean, by the number of its arguments. More arguments than a routine has may be a VARIADIC
 * one.
 */
export function candidates(node: FuncCall, place: Place): readonly Routine[] {
  const names = strings(node.funcname);
  const name = names.at(-1) ?? '';
  const schema = names.length > 1 ? names.at(-2) : undefined;
  if (schema === 'pg_catalog' || name === '' || isHole(name)) return [];
  const count = node.agg_star === true ? 0 : node.args?.length ?? 0;
  return place.run.catalog.findRoutines({ ...(schema === undefined ? {} : { schema }), name })
    .filter(routine => routine.form !== 'procedure' && (isUnknown(routine.arguments) || count <= routine.arguments.length
      || isVariadic(routine)));
}

const isVariadic = (routine: Routine): boolean => /\bvariadic\b/i.test(routine.statement.sql);

/** Whether the call surely is the built-in function of its name. */
export function isBuiltinCall(node: FuncCall, place: Place): boolean {
  const names = strings(node.funcname);
  const name = names.at(-1) ?? '';
  if (names.length > 1 && names[0] !== 'pg_catalog') return false;
  return isBuiltinFunction(name) && candidates(node, place).length === 0;
}

/** Whether the call surely gives one value a row (or a group): a set in a select list multiplies rows. */
export function isScalarCall(node: FuncCall, place: Place): boolean {
  const name = strings(node.funcname).at(-1) ?? '';
  return isBuiltinCall(node, place) && !setReturningBuiltins.has(name) && !name.startsWith('pg_');
}

/** Whether the call surely is a built-in aggregate at this query's level, and not a window function. */
export function isAggregateCall(node: FuncCall, place: Place): boolean {
  return node.over === undefined && isBuiltinCall(node, place) && aggregateBuiltins.has(strings(node.funcname).at(-1) ?? '');
}

const neverNull = new Set(['count', 'now', 'concat', 'concat_ws', 'row_number', 'rank', 'dense_rank', 'ntile', 'percent_rank', 'cume_dist',
  'random', 'gen_random_uuid',
  'clock_timestamp', 'statement_timestamp', 'transaction_timestamp', 'timeofday']);
const strictAggregates = new Set(['sum', 'avg', 'min', 'max', 'bool_and', 'bool_or', 'every', 'array_agg']);

/** What a function call is worth; records the routine of the history when it surely is one. */
export function call(node: FuncCall, place: Place): Value {
  const args = node.args ?? [];
  const values = args.map(arg => ('NamedArgExpr' in arg ? value(arg.NamedArgExpr.arg, place) : value(arg, place)));
  // Named windows resolve to clauses that are visited with the query.
  for (const part of [node.agg_order, node.agg_filter === undefined ? undefined : [node.agg_filter], node.over?.partitionClause,
    node.over?.orderClause]) visit(part, place);
  for (const offset of [node.over?.startOffset, node.over?.endOffset]) if (offset !== undefined) value(offset, place);
  const names = strings(node.funcname);
  const name = names.at(-1) ?? '';
  const mine = candidates(node, place);
  if (mine.length > 0) {
    const builtinCould = isBuiltinFunction(name) && (names.length === 1 || names[0] === 'pg_catalog');
    const only = mine.length === 1 && !builtinCould ? mine[0] : undefined;
    if (only !== undefined) place.run.routines.add(only.id);
    return ofRoutine(only, name);
  }
  const qualified = names.length > 1 && names[0] !== 'pg_catalog';
  const origin = qualified ? (name.startsWith('uuid_generate') || name.startsWith('gen_') ? callOrigin(name, values) : undefined)
    : callOrigin(name, values);
  const taints = qualified && origin === undefined ? [] : unionTaints(originTaint(place, origin, node.location),
    ofCall(name, values, args));
  if (qualified || !isBuiltinFunction(name)) return { ...unknownValue(`${name}()`), taints };
  if (setReturningBuiltins.has(name)) {
    const set = setResult(name, values);
    return { ...unknownValue(`${name}()`), taints, ...(set?.length === 1 ? { type: set[0]![1] } : {}) };
  }
  const fixed = plainBuiltins.get(name);
  const type = fixed !== undefined && fixed !== '' ? fixed : callType(name, values);
  return { type: type ?? unknown(`type of ${name}()`), literal: false, nullable: nullability(node, name, values, place), taints };
}

function nullability(node: FuncCall, name: string, values: readonly Value[], place: Place): Value['nullable'] {
  if (neverNull.has(name)) return false;
  const inGroup = place.scope.grouped && !place.scope.groupingSets && node.over === undefined && node.agg_filter === undefined;
  if (strictAggregates.has(name) && inGroup && values[0]?.nullable === false) return false;
  return unknown(`whether ${name}() is NULL`);
}

function ofRoutine(routine: Routine | undefined, name: string): Value {
  const none = unknownValue(`${name}()`);
  if (routine === undefined || isUnknown(routine.returns)
    || /^(setof\b|table\b|trigger$|record$|any|void$)/i.test(routine.returns)) return none;
  return { ...none, type: routine.returns };
}
