import type { Known } from '../model.ts';
import type { A_Expr, Node } from '../sql/tree.ts';
import { canCoerceOne, selectCommon } from './coercion.ts';
import { ofCondition, ofOperator } from './determinism.ts';
import { originTaint, strictNull, value, withoutColumn, type Place } from './expression.ts';
import { settle } from './frozen.ts';
import { lastName, strings } from './names.ts';
import { resolveOperator } from './resolve.ts';
import { isUnknown, unionTaints, unknown, unknownValue, type Run, type Value } from './scope.ts';
import { callSetting, conversionSetting, settingOrigin } from './settings.ts';
import { typesIn, type SqlType, type Types } from './sql-type.ts';
import { comparisons, isBuiltinType, typeOfValue } from './types.ts';
import { placed, useCoercion, useOperator } from './uses.ts';

/** What an operator gives over some operands. `arguments`: what the operands become, where that is known. */
export interface Applied {
  readonly type: Known<string>;
  readonly arguments?: readonly SqlType[];
  /** The setting of the session that the result depends on. */
  readonly setting?: string;
}

/**
 * The operator that Postgres chooses over these operands, recorded with the conversions of the operands (make_op in parse_oper.c). Where
 * an operand's type
 * is not known, the result is what all built-in operators of the name give.
 */
export function applyOperator(run: Run, name: readonly string[], operands: readonly Value[]): Applied {
  const types = typesIn(run.catalog);
  const operator = name.at(-1) ?? '';
  const none = (): Applied => ({ type: unknown(`type of operator ${operator}`) });
  if (name.length > 1 && name[0] !== 'pg_catalog') return none();
  const inputs = operands.map(operand => typeOfValue(operand, types));
  const isKnown = !inputs.includes(undefined);
  const found = isKnown ? chosen(run, types, operator, inputs as SqlType[]) : undefined;
  if (found === undefined) run.uses?.push(placed(run, { kind: 'unresolved', target: operator }));
  for (const [at, operand] of operands.entries()) if (operand.literal) settle(run, operand, found?.arguments?.[at]);
  if (found !== undefined) return found;
  const type = isKnown ? undefined : commonResult(types, operator, operands.length);
  return type === undefined ? none() : { type };
}

function chosen(run: Run, types: Types, operator: string, inputs: readonly SqlType[]): Applied | undefined {
  const resolved = resolveOperator(types, operator, inputs);
  if (resolved === undefined) return undefined;
  useOperator(run, resolved);
  if (run.uses !== undefined) inputs.forEach((input, at) => useCoercion(run, types, input, resolved.arguments[at]!, 'implicit'));
  let setting = callSetting(types, resolved.operator.function, resolved.operator.functionArguments, inputs, []);
  for (let at = 0; setting === undefined && at < inputs.length; at += 1) setting = conversionSetting(types, inputs[at]!, resolved.arguments[at]!, 'implicit');
  return { type: resolved.result.printed, arguments: resolved.arguments, ...(setting === undefined ? {} : { setting }) };
}

/** The one result of every built-in operator of a name; none where they differ or are polymorphic. */
function commonResult(types: Types, operator: string, operands: number): string | undefined {
  const rows = types.builtins.operators(operator).filter(row => (row.left === undefined) === (operands === 1));
  const results = new Set(rows.map(row => row.result));
  const [only] = results;
  return only === undefined || results.size > 1 || types.named(only).kind === 'pseudo' ? undefined : types.named(only).printed;
}

const boolean = (nullable: Known<boolean>, values: readonly Value[]): Value =>
  ({ type: 'boolean', literal: false, nullable, taints: ofCondition(unionTaints(...values.map(item => item.taints))) });
const maybeNull = unknown('whether the condition is NULL');

/** A_Expr: operators, and what the grammar makes of IN, BETWEEN, LIKE, ANY, DISTINCT and NULLIF (transformExprRecurse in parse_expr.c). */
export function operation(node: A_Expr, place: Place): Value {
  const { run } = place;
  const name = strings(node.name);
  switch (node.kind) {
    case 'AEXPR_OP':
      return plain(node, name, place);
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL': {
      const [left, right] = [value(node.lexpr, place), value(node.rexpr, place)];
      overElements(run, name, left, right);
      return boolean(maybeNull, [left, right]);
    }
    case 'AEXPR_IN':
      return inList(node, name, place);
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
    case 'AEXPR_NOT_BETWEEN_SYM':
      return between(node, place);
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT': {
      const rows = rowsOf(node);
      if (rows !== undefined) return { ...pairs(rows, ['='], place), nullable: false };
      const values = [value(node.lexpr, place), value(node.rexpr, place)];
      // `x IS DISTINCT FROM NULL` is stored as a test for NULL.
      if (!isNullConstant(node.lexpr) && !isNullConstant(node.rexpr)) applyOperator(run, ['='], values);
      return boolean(false, values);
    }
    case 'AEXPR_NULLIF': {
      const [left, right] = [value(node.lexpr, place), value(node.rexpr, place)];
      const { arguments: args } = applyOperator(run, name, [left, right]);
      return { type: coercedText(left, args?.[0], typesIn(run.catalog), 'NULLIF'), literal: false,
        // NULLIF with a constant is written to make NULLs of it.
        nullable: left.constant !== true && right.constant === true ? true : unknown('whether NULLIF is NULL'), taints: left.taints };
    }
    default: {
      const values = [...(node.lexpr === undefined ? [] : [value(node.lexpr, place)]), value(node.rexpr, place)];
      applyOperator(run, name, values);
      return boolean(maybeNull, values);
    }
  }
}

/** The value's own type and modifier where it stays what it is, else what it becomes. */
function coercedText(from: Value, to: SqlType | undefined, types: Types, what: string): Known<string> {
  if (to === undefined) return unknown(`type of ${what}`);
  const own = typeOfValue(from, types);
  // A row becomes a record without a conversion.
  return own?.key === to.key || (to.key === 'record' && own !== undefined && own.key !== 'unknown') ? from.type : to.printed;
}

const isNullConstant = (node: Node | undefined): boolean => node !== undefined && 'A_Const' in node && node.A_Const.isnull === true;

function plain(node: A_Expr, name: readonly string[], place: Place): Value {
  const rows = rowsOf(node);
  if (rows !== undefined) return pairs(rows, name, place);
  const left = node.lexpr === undefined ? undefined : value(node.lexpr, place);
  const right = value(node.rexpr, place);
  const both = left === undefined ? [right] : [left, right];
  const operator = lastName(node.name) ?? '';
  const { type, setting } = applyOperator(place.run, name, both);
  const simple = !isUnknown(type) && both.every(item => !isUnknown(item.type) && isBuiltinType(item.type));
  const arithmetic = ['+', '-', '*', '/', '||'].includes(operator) && both.every(item => !isUnknown(item.type)
    && !item.type.startsWith('json'));
  const nullable = simple && (comparisons.has(operator) || arithmetic) ? strictNull(both, 'the operation')
    : unknown('whether the operation is NULL');
  const taints = unionTaints(...both.map(item => item.taints));
  const through = type === 'boolean' ? ofCondition(taints) : ofOperator(operator, left?.taints ?? [], right.taints);
  const own = originTaint(place, settingOrigin(setting), node.location);
  return { type, literal: false, nullable, taints: own.length === 0 ? through : unionTaints(through, own) };
}

/** Two row constructors of one length. */
function rowsOf(node: A_Expr): readonly [readonly Node[], readonly Node[]] | undefined {
  const [left, right] = [node.lexpr, node.rexpr];
  if (left === undefined || right === undefined || !('RowExpr' in left) || !('RowExpr' in right)) return undefined;
  const [a, b] = [left.RowExpr.args ?? [], right.RowExpr.args ?? []];
  return a.length === b.length ? [a, b] : undefined;
}

/** make_row_comparison_op: `=` and `<>` are an operator for each pair; an ordering keeps its operators without their functions. */
function pairs([left, right]: readonly [readonly Node[], readonly Node[]], name: readonly string[], place: Place): Value {
  const isOrdering = !['=', '<>'].includes(name.at(-1) ?? '') && left.length > 1;
  const values = left.flatMap((node, at) => {
    const pair = [value(node, place), value(right[at], place)];
    const before = place.run.uses?.length ?? 0;
    applyOperator(place.run, name, pair);
    const [first] = isOrdering ? place.run.uses?.splice(before, 1) ?? [] : [];
    if (first?.kind === 'operator') place.run.uses?.push(placed(place.run, { ...first, kind: 'row comparison' }));
    else if (first !== undefined) place.run.uses?.push(first);
    return pair;
  });
  return boolean(maybeNull, values);
}

/** `x op ANY (array)`: make_scalar_array_op. The operator is chosen over x and the element. */
export function overElements(run: Run, name: readonly string[], left: Value, right: Value): void {
  const types = typesIn(run.catalog);
  if (name.length > 1 && name[0] !== 'pg_catalog') return;
  const [a, b] = [typeOfValue(left, types), typeOfValue(right, types)];
  const element = b === undefined ? undefined : b.key === 'unknown' ? b : types.baseOf(b).element;
  if (a === undefined || b === undefined || element === undefined) return;
  const resolved = resolveOperator(types, name.at(-1) ?? '', [a, element]);
  if (resolved === undefined) return;
  useOperator(run, resolved);
  useCoercion(run, types, a, resolved.arguments[0]!, 'implicit');
  const array = types.arrayOf(resolved.arguments[1]!);
  if (array !== undefined) useCoercion(run, types, b, array, 'implicit');
}

/**
 * transformAExprIn: the items that name no column become one array where they and the left side have a common type; the others are
 * compared one by
 * one.
 */
function inList(node: A_Expr, name: readonly string[], place: Place): Value {
  const { run } = place;
  const items = node.rexpr !== undefined && 'List' in node.rexpr ? node.rexpr.List.items ?? [] : [];
  if (node.lexpr !== undefined && 'RowExpr' in node.lexpr) {
    const left = node.lexpr.RowExpr.args ?? [];
    return boolean(maybeNull, items.map(item => ('RowExpr' in item && item.RowExpr.args?.length === left.length
      ? pairs([left, item.RowExpr.args ?? []], name, place) : value(item, place))));
  }
  const types = typesIn(run.catalog);
  const left = value(node.lexpr, place);
  const values = items.map(item => value(item, place));
  const variable = items.map(item => namesColumn(item));
  const constants = values.filter((_, at) => !variable[at]);
  const inputs = [left, ...constants].map(item => typeOfValue(item, types));
  const common = constants.length > 1 && inputs.every(input => input !== undefined) ? selectCommon(types, inputs) : undefined;
  const array = common === undefined || common.key === 'record' ? undefined : types.arrayOf(common);
  const isArray = array !== undefined && inputs.every(input => canCoerceOne(types, input!, common!, 'implicit'));
  if (isArray) {
    constants.forEach(item => {
      useCoercion(run, types, typeOfValue(item, types)!, common!, 'implicit');
      settle(run, item, common);
    });
    overElements(run, name, left, { ...unknownValue('a list'), type: array.printed });
  }
  values.forEach((item, at) => {
    if (!isArray || variable[at]) applyOperator(run, name, [left, item]);
  });
  return boolean(maybeNull, [left, ...values]);
}

/** Whether a column of this query's own level stands in the expression; one of an outer level does not count (contain_vars_of_level). */
function namesColumn(node: Node): boolean {
  const todo: unknown[] = [node];
  for (let item = todo.pop(); item !== undefined; item = todo.pop()) {
    if (typeof item !== 'object' || item === null) continue;
    if ('ColumnRef' in item) return true;
    todo.push(...Object.values(item).filter(part => typeof part === 'object' && part !== null));
  }
  return false;
}

/** `a BETWEEN b AND c` is `a >= b AND a <= c`, SYMMETRIC that and the reverse, NOT with the opposites (transformAExprBetween). */
function between(node: A_Expr, place: Place): Value {
  const bounds = node.rexpr !== undefined && 'List' in node.rexpr ? node.rexpr.List.items ?? [] : [];
  const subject = value(node.lexpr, place);
  const values = bounds.map(bound => value(bound, place));
  const [low, high] = values;
  const isNegated = node.kind === 'AEXPR_NOT_BETWEEN' || node.kind === 'AEXPR_NOT_BETWEEN_SYM';
  const [down, up] = isNegated ? ['<', '>'] as const : ['>=', '<='] as const;
  if (low !== undefined && high !== undefined) {
    applyOperator(place.run, [down], [subject, low]);
    applyOperator(place.run, [up], [subject, high]);
    if (node.kind === 'AEXPR_BETWEEN_SYM' || node.kind === 'AEXPR_NOT_BETWEEN_SYM') {
      applyOperator(place.run, [down], [subject, high]);
      applyOperator(place.run, [up], [subject, low]);
    }
  }
  return boolean(maybeNull, [subject, ...values]);
}

/** `CASE x WHEN y`: the tests are `x = y`. */
export function useTests(run: Run, subject: Value, tests: readonly Value[]): void {
  const known = subject.literal ? { ...withoutColumn(subject), literal: false, type: 'text' } : subject;
  for (const test of tests) applyOperator(run, ['='], [known, test]);
}
