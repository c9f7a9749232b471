import type { BuiltinFunction } from '../builtins/builtins.ts';
import { once } from '../memo.ts';
import type { Routine, Taint } from '../model.ts';
import type { FuncCall, Node, WindowDef } from '../sql/tree.ts';
import { changeClassOf } from './change-classes.ts';
import { callOrigin, ofCall } from './determinism.ts';
import { originTaint, value, visit, type Place } from './expression.ts';
import { strings } from './names.ts';
import { orderTaint } from './order-taints.ts';
import { settle } from './frozen.ts';
import { resolveCall, type Resolved } from './resolve.ts';
import { sortNodes } from './row-order.ts';
import { callRoutine } from './routine-call.ts';
import { chosenBy, ofRows } from './row-taints.ts';
import { isHole, isUnknown, noTaints, unionTaints, unknown, unknownValue, type Run, type Value } from './scope.ts';
import { routineSignature, type Signature } from './signatures.ts';
import { inZone } from './remedies.ts';
import { callSetting, conversionSetting, rowSettings, settingOrigin } from './settings.ts';
import { typesIn, type SqlType } from './sql-type.ts';
import { typeOfValue, withoutModifier } from './types.ts';
import { placed, useCoercion, useFunction } from './uses.ts';

interface CallName {
  readonly name: string;
  readonly schema?: string;
}

function nameOf(node: FuncCall): CallName {
  const names = strings(node.funcname);
  const name = names.at(-1) ?? '';
  return names.length > 1 ? { name, schema: names.at(-2)! } : { name };
}

/** The routines of the history that a call may mean, whatever their arguments. */
function routinesOf({ name, schema }: CallName, run: Run): readonly Routine[] {
  if (schema === 'pg_catalog' || name === '' || isHole(name)) return [];
  return run.catalog.findRoutines(schema === undefined ? { name } : { schema, name });
}

/** A pure cache for each analysis: one call is asked about many times. */
const overloadsIn = once((_: Run) => new Map<FuncCall, readonly BuiltinFunction[]>());

/** The overloads of a call that surely is a built-in one; none when it may be something else. */
export function builtinsOf(node: FuncCall, { run }: Place): readonly BuiltinFunction[] {
  const known = overloadsIn(run);
  let found = known.get(node);
  if (found === undefined) {
    const called = nameOf(node);
    const isElsewhere = called.schema !== undefined && called.schema !== 'pg_catalog';
    found = isElsewhere || routinesOf(called, run).length > 0 ? [] : typesIn(run.catalog).builtins.functions(called.name);
    known.set(node, found);
  }
  return found;
}

/** Whether the call surely gives one value a row (or a group): a set in a select list multiplies rows. */
export function isScalarCall(node: FuncCall, place: Place): boolean {
  const overloads = builtinsOf(node, place);
  if (overloads.length > 0) return overloads.every(overload => !overload.returnsSet);
  const called = nameOf(node);
  const own = routinesOf(called, place.run);
  const types = typesIn(place.run.catalog);
  return own.length > 0 && types.builtins.functions(called.name).every(overload => !overload.returnsSet)
    && own.every(routine => routine.form === 'function' && !isUnknown(routine.returns) && routineSignature(routine, types)?.returnsSet === false);
}

/** Whether the call surely is a built-in aggregate at this query's level, and not a window function. */
export function isAggregateCall(node: FuncCall, place: Place): boolean {
  return node.over === undefined && builtinsOf(node, place).some(overload => overload.kind === 'aggregate');
}

const neverNull = new Set(['count', 'now', 'concat', 'concat_ws', 'row_number', 'rank', 'dense_rank', 'ntile', 'percent_rank', 'cume_dist',
  'random', 'gen_random_uuid',
  'clock_timestamp', 'statement_timestamp', 'transaction_timestamp', 'timeofday']);
/** Built-in functions that give no NULL for values, infinite and empty ones included (measured, no-null.test.ts). extract and to_char do, for infinity. */
export const withoutNull: ReadonlySet<string> = new Set([
  'date_trunc', 'timezone', 'date', 'lower', 'upper', 'initcap', 'btrim', 'ltrim', 'rtrim', 'length', 'char_length', 'octet_length', 'md5', 'reverse', 'ascii',
  'quote_literal', 'quote_ident', 'replace', 'left', 'right', 'repeat', 'split_part', 'abs', 'ceil', 'ceiling', 'floor', 'round', 'trunc', 'sign',
]);
const strictAggregates = new Set(['sum', 'avg', 'min', 'max', 'bool_and', 'bool_or', 'every', 'array_agg']);

/** A call with what it was found to mean: FROM asks for the columns of the result. */
export interface Called {
  readonly value: Value;
  readonly resolved: Resolved;
  readonly arguments: readonly Value[];
}

/** What a function call is worth; records the routine of the history when it surely is one. */
export function call(node: FuncCall, place: Place): Value {
  return called(node, place).value;
}

export function called(node: FuncCall, place: Place): Called {
  const args = node.args ?? [];
  const values = args.map(arg => ('NamedArgExpr' in arg ? value(arg.NamedArgExpr.arg, place) : value(arg, place)));
  // Under WITHIN GROUP the sort keys are arguments too (ParseFuncOrColumn).
  const keys = node.agg_within_group === true
    ? (node.agg_order ?? []).map(item => ('SortBy' in item ? value(item.SortBy.node, place) : unknownValue('a sort key'))) : [];
  if (node.agg_order !== undefined && node.agg_within_group !== true) visit(node.agg_order, place);
  if (node.agg_filter !== undefined) visit([node.agg_filter], place);
  if (node.over !== undefined) visitWindow(node.over, place);
  const name = nameOf(node);
  const all = keys.length === 0 ? values : [...values, ...keys];
  const mine = routinesOf(name, place.run);
  const types = typesIn(place.run.catalog);
  const inputs = all.map(item => typeOfValue(item, types));
  const resolved = resolve(node, name, all, inputs, mine, place);
  const done: Called = { value: worth(node, name, resolved, all, inputs, args, place, mine.length > 0), resolved, arguments: all };
  place.run.inspection?.calls.set(node, done);
  return done;
}

/** Named windows resolve to clauses that are visited with the query. */
function visitWindow({ partitionClause, orderClause, startOffset, endOffset }: WindowDef, place: Place): void {
  visit(partitionClause, place);
  visit(orderClause, place);
  for (const offset of [startOffset, endOffset]) if (offset !== undefined) value(offset, place);
}

function resolve(node: FuncCall, name: CallName, values: readonly Value[], inputs: readonly (SqlType | undefined)[], mine: readonly Routine[],
  place: Place): Resolved {
  if (name.name === '' || isHole(name.name)) return { is: 'unknown', among: [] };
  const { run } = place;
  const types = typesIn(run.catalog);
  const isPlain = node.agg_order === undefined && node.agg_filter === undefined && node.agg_distinct !== true && node.over === undefined
    && node.agg_star !== true;
  const isNamed = node.args?.some(arg => 'NamedArgExpr' in arg) === true;
  const names = isNamed ? values.map((_, at) => {
    const arg = node.args?.[at];
    return arg !== undefined && 'NamedArgExpr' in arg ? arg.NamedArgExpr.name : undefined;
  }) : noNames;
  const resolved = resolveCall(types, {
    name: name.name, ...(name.schema === undefined ? {} : { schema: name.schema }), inputs, names, variadic: node.func_variadic === true,
    mayCast: isPlain && !isNamed,
  }, mine);
  if (resolved.is === 'function') {
    if (run.uses !== undefined) {
      useFunction(run, resolved.signature, node.over !== undefined);
      inputs.forEach((input, at) => useCoercion(run, types, input!, resolved.arguments[at]!, 'implicit', false,
        isUnknown(values[at]!.type) ? '' : values[at]!.type));
    }
    for (const [at, item] of values.entries()) if (item.literal) settle(run, item, resolved.arguments[at]);
  } else if (resolved.is === 'cast') {
    useCoercion(run, types, inputs[0]!, resolved.target, 'explicit');
    settle(run, values[0]!, resolved.target);
  }
  else run.uses?.push(placed(run, { kind: 'unresolved', target: name.name }));
  return resolved;
}

const noNames: readonly never[] = [];

/** The signatures that the call may have. */
export const amongOf = (resolved: Resolved): readonly Signature[] =>
  (resolved.is === 'function' ? [resolved.signature] : resolved.is === 'unknown' ? resolved.among : []);

function worth(node: FuncCall, called: CallName, resolved: Resolved, values: readonly Value[], inputs: readonly (SqlType | undefined)[],
  args: readonly Node[], place: Place, hasOwn: boolean): Value {
  const { name, schema } = called;
  const among = amongOf(resolved);
  const [only] = among;
  if (among.length === 1 && only!.routine !== undefined) place.run.routines.add(only!.routine);
  const type = resultType(resolved, values);
  const isSystem = schema === undefined || schema === 'pg_catalog';
  const unsure = (): Value => unknownValue(`${name}()`, type);
  const isOwn = among.some(signature => signature.routine !== undefined) || (among.length === 0 && hasOwn);
  noteStability(place, among, isOwn);
  if (isOwn) return ofOwnRoutine(node, unsure(), among, values, place);
  const isKnownElsewhere = !isSystem && (name.startsWith('uuid_generate') || name.startsWith('gen_'));
  if (!isSystem && !isKnownElsewhere) return unsure();
  const origin = callOrigin(name, among.length === 0 ? undefined : changeClassOf(among));
  const settings = settingsOf(resolved, inputs, args, place);
  const taints = unionTaints(originTaint(place, origin, node.location), ...settings.map(setting => originTaint(place, settingOrigin(setting), node.location, () => (setting === 'TimeZone' ? inZone(node, name, values, place) : undefined))),
    ofCall(name, values, args), isChosen(node) ? choiceTaints(node, place) : noTaints,
    orderTaint(node, name, among.some(signature => signature.kind === 'aggregate'), values, place));
  const isOneValue = isSystem && among.length > 0 && !among.some(signature => signature.returnsSet);
  if (isOneValue && type !== undefined) return { type, literal: false, nullable: nullability(node, name, values, place), taints };
  const { type: given, nullable } = unsure();
  return { type: given, literal: false, nullable: isOneValue ? nullability(node, name, values, place) : nullable, taints };
}

function noteStability(place: Place, among: readonly Signature[], isOwn: boolean): void {
  const deeds = place.run.notes?.deeds;
  if (deeds === undefined) return;
  if (among.length === 0 || (isOwn && among.length > 1)) deeds.opaque = true;
  if (among.some(signature => signature.routine === undefined && signature.volatility === 'volatile')) deeds.volatile = true;
}

/** A routine of the history: its body says what it gives. */
function ofOwnRoutine(node: FuncCall, result: Value, among: readonly Signature[], values: readonly Value[], place: Place): Value {
  const [only, ...others] = among;
  if (only?.routine === undefined || others.length > 0 || place.run.notes === undefined) return result;
  const shape = callRoutine(only, node, values, place);
  if (shape === undefined) {
    place.run.notes.deeds.opaque = true;
    return result;
  }
  place.run.notes.shapes.set(node, shape);
  return { ...result, taints: unionTaints(...shape.columns.map(column => column.taints), only.returnsSet ? [] : ofRows(shape.rows ?? [])),
    parts: shape.columns.map(column => column.taints) };
}

const isChosen = (node: FuncCall): boolean => node.agg_filter !== undefined || node.agg_order !== undefined || node.over?.orderClause !== undefined;

/** What FILTER and the order of the input bring into the result: a random choice or order makes it random, a clock moves it. */
function choiceTaints(node: FuncCall, place: Place): readonly Taint[] {
  const noted = place.run.notes?.taints;
  if (noted === undefined) return [];
  const filter = node.agg_filter === undefined ? [] : ofRows(chosenBy(noted.get(node.agg_filter)));
  const sorts = sortNodes([...node.agg_order ?? [], ...node.over?.orderClause ?? []]).map(sort => noted.get(sort) ?? []);
  return unionTaints(filter, ...sorts.map(taints => taints.filter(taint => taint.cause === 'random')));
}

/** The settings that the call or the conversion of an argument depends on: several where a whole row is printed. */
function settingsOf(resolved: Resolved, inputs: readonly (SqlType | undefined)[], args: readonly Node[], place: Place): readonly string[] {
  if (place.run.viewFacts === undefined || resolved.is === 'unknown') return [];
  const types = typesIn(place.run.catalog);
  const listed = (setting: string | undefined): readonly string[] => (setting === undefined ? [] : [setting]);
  if (resolved.is === 'cast') return listed(conversionSetting(types, inputs[0]!, resolved.target, 'explicit'));
  const own = callSetting(types, resolved.signature.name, resolved.signature.keys, inputs, args);
  if (own !== undefined) return [own];
  const row = rowSettings(types, resolved.signature.name, inputs);
  return row.length > 0 ? row : listed(inputs.map((input, at) => conversionSetting(types, input!, resolved.arguments[at]!, 'implicit')).find(setting => setting !== undefined));
}

/** A function gives no modifier, a cast that does nothing keeps it; a pseudo-type is no type of a value, `record` aside. */
function resultType(resolved: Resolved, [first]: readonly Value[]): string | undefined {
  if (resolved.is === 'cast' && first !== undefined && !first.literal && !isUnknown(first.type)
    && withoutModifier(first.type) === resolved.target.printed) return first.type;
  const type = resolved.is === 'cast' ? resolved.target : resolved.result;
  return type === undefined || (type.kind === 'pseudo' && type.key !== 'record') ? undefined : type.printed;
}

function nullability(node: FuncCall, name: string, values: readonly Value[], place: Place): Value['nullable'] {
  if (neverNull.has(name)) return false;
  if (withoutNull.has(name) && values.length > 0 && values.every(value => value.nullable === false)) return false;
  const inGroup = place.scope.grouped && !place.scope.groupingSets && node.over === undefined && node.agg_filter === undefined;
  if (strictAggregates.has(name) && inGroup && values[0]?.nullable === false) return false;
  return unknown(`whether ${name}() is NULL`);
}
