import type { Known, Taint } from '../model.ts';
import { nodeEnd, sourceSpan } from '../sql/span.ts';
import type { Node, TypeCast, A_Expr, A_Const, CaseExpr, ColumnRef, SubLink } from '../sql/tree.ts';
import { call } from './call.ts';
import { keywordOrigin, lateClock, ofCast, ofCondition, ofElement, ofExtreme, ofOperator, systemColumnOrigin,
  type Origin } from './determinism.ts';
import { lastName, strings, valueFunctionName } from './names.ts';
import {
  depthLimit, isHole, isUnknown, lookupColumn, lookupQualified, unionTaints, unknown, unknownValue, type Env, type Lookup, type Run,
    type Scope, type Value,
} from './scope.ts';
import { analyze } from './select.ts';
import { commonType, comparisons, elementType, isBuiltinType, namedType, numberType, operatorType, withoutModifier } from './types.ts';

/** Where an expression stands. `aliases`: output names that GROUP BY and ORDER BY may mean instead of a column. */
export interface Place {
  readonly run: Run;
  readonly scope: Scope;
  readonly env: Env;
  readonly aliases?: ReadonlySet<string>;
}

const boolean = (nullable: Known<boolean>, taints: readonly Taint[]): Value => ({ type: 'boolean', literal: false, nullable, taints });
const noNull: Known<boolean> = false;

/** False when no operand can be NULL, else not known. */
export function strictNull(values: readonly Value[], what: string): Known<boolean> {
  return values.every(value => value.nullable === false) ? false : unknown(`whether ${what} is NULL`);
}

/** A taint that begins at `location`. Made only where taints are asked for. */
export function originTaint(place: Place, origin: Origin | undefined, location: number | undefined): readonly Taint[] {
  if (origin === undefined || place.run.viewFacts === undefined) return [];
  const { statement } = place.run;
  const start = location ?? 0;
  const end = nodeEnd(statement.sql, start);
  const span = sourceSpan(statement, start, end);
  const short = statement.sql.slice(start, end).replace(/\s+/g, ' ');
  return [{ cause: origin.cause, flips: origin.flips,
    path: [{ span, says: `${short.length > 60 ? `${short.slice(0, 57)}...` : short} ${origin.says}` }] }];
}

/**
 * What an expression is worth, and the marking of every column, routine and type it uses. Built-in meaning only where it is certain: a
 * known type, nullability or taint is right, everything else is unknown. Never throws; beyond the depth limit nothing is known.
 */
export function value(node: Node | undefined, place: Place): Value {
  if (node === undefined) return unknownValue('a missing expression');
  const { run } = place;
  if (run.depth > depthLimit) {
    run.truncated = true;
    return unknownValue('a deeply nested expression');
  }
  run.depth += 1;
  const worth = worthOf(node, place);
  run.depth -= 1;
  return worth;
}

function worthOf(node: Node, place: Place): Value {
  if ('ColumnRef' in node) return columnRef(node.ColumnRef, place);
  if ('A_Const' in node) return constant(node.A_Const);
  if ('FuncCall' in node) return call(node.FuncCall, place);
  if ('TypeCast' in node) return cast(node.TypeCast, place);
  if ('A_Expr' in node) return operation(node.A_Expr, place);
  if ('BoolExpr' in node) {
    const values = valuesOf(node.BoolExpr.args, place);
    return boolean(strictNull(values, 'a condition'), ofCondition(unionTaints(...values.map(item => item.taints))));
  }
  if ('NullTest' in node || 'BooleanTest' in node) {
    visit(node, place);
    return boolean(noNull, []);
  }
  if ('CaseExpr' in node) return caseOf(node.CaseExpr, place);
  if ('CoalesceExpr' in node) {
    const values = valuesOf(node.CoalesceExpr.args, place);
    const nullable = values.some(item => item.nullable === false) ? false : unknown('whether COALESCE is NULL');
    return { ...commonType(values, 'COALESCE'), nullable, taints: unionTaints(...values.map(item => item.taints)) };
  }
  if ('MinMaxExpr' in node) {
    const values = valuesOf(node.MinMaxExpr.args, place);
    const nullable = values.some(item => item.nullable === false) ? false : unknown('whether the extreme is NULL');
    return { ...commonType(values, 'the extreme'), nullable,
      taints: ofExtreme(node.MinMaxExpr.op === 'IS_LEAST', unionTaints(...values.map(item => item.taints))) };
  }
  if ('SQLValueFunction' in node) {
    const name = valueFunctionName(node.SQLValueFunction.op ?? '');
    const taints = originTaint(place, keywordOrigin(name), node.SQLValueFunction.location);
    return { type: keywordType(name, node.SQLValueFunction.typmod), literal: false, nullable: name === 'current_schema'
      ? unknown('the current schema') : false, taints };
  }
  if ('SubLink' in node) return sublink(node.SubLink, place);
  if ('CollateClause' in node) return { ...withoutColumn(value(node.CollateClause.arg, place)), nullable: unknown('a collated value') };
  if ('A_ArrayExpr' in node) {
    const values = valuesOf(node.A_ArrayExpr.elements, place);
    const { type } = commonType(values, 'the array');
    const simple = values.length > 0 && !isUnknown(type) && isBuiltinType(type) && type === withoutModifier(type);
    return { type: simple ? `${type}[]` : unknown('type of the array'), literal: false, nullable: false,
      taints: unionTaints(...values.map(item => item.taints)) };
  }
  if ('RowExpr' in node) {
    const values = valuesOf(node.RowExpr.args, place);
    return { type: 'record', literal: false, nullable: unknown('a row'), taints: unionTaints(...values.map(item => item.taints)) };
  }
  if ('A_Indirection' in node) {
    const inner = value(node.A_Indirection.arg, place);
    const steps = node.A_Indirection.indirection ?? [];
    visit(steps, place);
    const step = steps.length === 1 ? steps[0]! : undefined;
    const element = step !== undefined && 'A_Indices' in step && step.A_Indices.is_slice !== true && !isUnknown(inner.type)
      ? elementType(inner.type) : undefined;
    return { ...unknownValue('a part of a value'), ...(element === undefined ? {} : { type: element }), taints: ofElement(inner.taints) };
  }
  if ('GroupingFunc' in node) {
    visit(node, place);
    return { type: 'integer', literal: false, nullable: false, taints: [] };
  }
  visit(node, place);
  return unknownValue('the expression');
}

const valuesOf = (nodes: readonly Node[] | undefined, place: Place): Value[] => (nodes ?? []).map(node => value(node, place));
export const withoutColumn = ({ column, ...rest }: Value): Value => (column === undefined ? rest : { ...rest });

/** Marks what the parts of a node use, whatever its kind; its value stays unknown. */
export function visit(node: unknown, place: Place): void {
  if (typeof node !== 'object' || node === null) return;
  if (place.run.depth > depthLimit) {
    place.run.truncated = true;
    return;
  }
  place.run.depth += 1;
  visitParts(node, place);
  place.run.depth -= 1;
}

function visitParts(node: object, place: Place): void {
  if (Array.isArray(node)) {
    for (const item of node) visitPart(item, place);
    return;
  }
  // The node's own kind is what `value` had no word for: look at its fields.
  const keys = Object.keys(node);
  const inner = keys.length === 1 && /^[A-Z]/.test(keys[0]!) ? (node as Record<string, unknown>)[keys[0]!] : node;
  if (typeof inner === 'object' && inner !== null) for (const field of Object.values(inner)) visitPart(field, place);
}

function visitPart(part: unknown, place: Place): void {
  if (typeof part !== 'object' || part === null) return;
  const keys = Object.keys(part);
  if (!Array.isArray(part) && keys.length === 1 && /^[A-Z]/.test(keys[0]!)) {
    if (keys[0] === 'SelectStmt') analyze(part as Node, place.run,
      { outer: place.scope, ctes: place.env.ctes, depth: place.env.depth + 1 });
    else if (keys[0] === 'TypeName') recordType((part as { TypeName: TypeCast['typeName'] }).TypeName, place);
    else value(part as Node, place);
  } else visit(part, place);
}

function recordType(typeName: TypeCast['typeName'], place: Place): Known<string> {
  const named = namedType(typeName, place.run.catalog);
  if (named.id !== undefined) place.run.types.add(named.id);
  return named.type;
}

function constant(node: A_Const): Value {
  const plain = (type: string): Value => ({ type, literal: false, nullable: false, taints: [], constant: true });
  if (node.isnull === true) return { type: 'text', literal: true, nullable: true, taints: [] };
  if (node.ival !== undefined) return plain('integer');
  if (node.fval !== undefined) return plain(numberType(node.fval.fval ?? ''));
  if (node.boolval !== undefined) return plain('boolean');
  if (node.bsval !== undefined) return { ...unknownValue('a bit string'), nullable: false };
  return { type: 'text', literal: true, nullable: false, taints: [], constant: true };
}

function columnRef(node: ColumnRef, place: Place): Value {
  const fields = node.fields ?? [];
  const names = strings(fields);
  const what = names.join('.');
  if (names.some(isHole)) return unknownValue('an unfilled placeholder');
  const star = fields.some(field => 'A_Star' in field);
  if (star) {
    // `t.*` inside an expression is the whole row.
    const found = names.length > 0 ? lookupColumnless(place, names) : undefined;
    return found ?? unknownValue('a row');
  }
  const [first = '', second = '', third = ''] = names;
  const found = names.length === 1 ? lookupColumn(place.scope, first)
    : names.length === 2 ? lookupQualified(place.scope, first, second)
      : names.length === 3 ? lookupQualified(place.scope, second, third, first) : ({ is: 'undecided' } as const);
  return fromLookup(found, names, what, node.location ?? 0, place);
}

function lookupColumnless(place: Place, names: readonly string[]): Value | undefined {
  const alias = names.at(-1)!;
  for (let at: Scope | undefined = place.scope; at !== undefined; at = at.outer) {
    const entry = at.sources.flatMap(source => source.entries).find(candidate => candidate.alias === alias);
    if (entry === undefined) continue;
    for (const read of entry.reads) read.columns = undefined;
    return { ...unknownValue('a row'), taints: unionTaints(...entry.columns.map(column => column.taints)) };
  }
  return undefined;
}

function fromLookup(found: Lookup, names: readonly string[], what: string, location: number, place: Place): Value {
  switch (found.is) {
    case 'column': {
      const { column, scope } = found;
      return { type: column.type, literal: false, nullable: narrowed(column, scope), taints: column.taints, column };
    }
    case 'system': {
      const type = ({ ctid: 'tid', tableoid: 'oid', xmin: 'xid', xmax: 'xid', cmin: 'cid', cmax: 'cid' } as Record<string,
        string>)[found.name] ?? unknown('a system column');
      return { type, literal: false, nullable: unknown('a system column'),
        taints: originTaint(place, systemColumnOrigin(found.name), location) };
    }
    case 'row':
      return { ...unknownValue('a row'), taints: unionTaints(...found.entry.columns.map(column => column.taints)) };
    case 'missing':
      if (names.length !== 1 || place.aliases?.has(names[0]!) !== true) reportMissing(found, names, location, place);
      return unknownValue(what);
    case 'undecided':
      return unknownValue(what);
  }
}

/** What conditions of the query say about the column's NULLs. */
export function narrowed(column: NonNullable<Value['column']>, scope: Scope): Known<boolean> {
  if (scope.groupingSets) return unknown(`whether ${column.name} is NULL in every grouping set`);
  if (column.ids.some(id => scope.strict.has(id))) return false;
  return column.nullable === true && column.ids.some(id => scope.mentioned.has(id))
    ? unknown(`whether a condition leaves NULLs in ${column.name}`) : column.nullable;
}

/**
 * `t.x` also means `x(t)`, a function or a cast of the row, so a qualified name is proven absent only where no extension could bring such
 * a function.
 * The built-in ones that take any row are listed (pg_proc, measured in the tests).
 */
function reportMissing(found: Extract<Lookup, { is: 'missing' }>, names: readonly string[], location: number, place: Place): void {
  const { run } = place;
  const { entry } = found;
  const name = names.at(-1)!;
  if (entry?.relation === undefined) return;
  if (names.length > 1) {
    const asType = namedType({ names: [{ String: { sval: name } }] }, run.catalog);
    if (rowFunctions.has(name) || run.catalog.findRoutines({ name }).length > 0 || !isUnknown(asType.type)) return;
    if (run.catalog.hasExtension()) return;
  }
  run.missingColumns.push({ relation: entry.relation.id, column: name,
    span: sourceSpan(run.statement, location, nodeEnd(run.statement.sql, location)) });
}

export const rowFunctions: ReadonlySet<string> = new Set([
  'any_value', 'array_agg', 'concat', 'count', 'cume_dist', 'dense_rank', 'first_value', 'hash_record', 'hash_record_extended', 'json_agg',
  'json_agg_strict', 'json_build_array', 'json_build_object', 'jsonb_agg', 'jsonb_agg_strict', 'jsonb_build_array', 'jsonb_build_object', 'lag',
  'last_value', 'lead', 'max', 'min', 'mode', 'num_nonnulls', 'num_nulls', 'percent_rank', 'pg_collation_for', 'pg_column_compression',
  'pg_column_size', 'pg_column_toast_chunk_id', 'pg_restore_attribute_stats', 'pg_restore_relation_stats', 'pg_typeof', 'quote_literal',
  'quote_nullable', 'rank', 'row_to_json', 'to_json', 'to_jsonb',
]);

function cast(node: TypeCast, place: Place): Value {
  const inner = value(node.arg, place);
  const type = recordType(node.typeName, place);
  const builtin = !isUnknown(type) && isBuiltinType(type.replace(/\[\]$/, ''));
  const nullable = inner.nullable === false && builtin ? false : unknown('whether the cast is NULL');
  return { type, literal: false, nullable, taints: unionTaints(ofCast(inner, type), lateClockTaint(node, type, place)),
    ...(inner.constant === true ? { constant: true } : {}) };
}

function lateClockTaint(node: TypeCast, type: Known<string>, place: Place): readonly Taint[] {
  const arg = node.arg;
  if (arg === undefined || !('TypeCast' in arg)) return [];
  const innermost = arg.TypeCast.arg;
  const through = lastName(arg.TypeCast.typeName?.names);
  if (innermost === undefined || !('A_Const' in innermost) || innermost.A_Const.sval === undefined
    || (through !== 'text' && through !== 'varchar')) return [];
  return originTaint(place, lateClock(innermost.A_Const.sval.sval ?? '', type), innermost.A_Const.location);
}

function keywordType(name: string, typmod: number | undefined): Known<string> {
  const digits = typmod === undefined || typmod < 0 ? '' : `(${typmod})`;
  switch (name) {
    case 'current_date': return 'date';
    case 'current_time': return `time${digits} with time zone`;
    case 'current_timestamp': return `timestamp${digits} with time zone`;
    case 'localtime': return `time${digits} without time zone`;
    case 'localtimestamp': return `timestamp${digits} without time zone`;
    default: return 'name';
  }
}

function operation(node: A_Expr, place: Place): Value {
  const left = node.lexpr === undefined ? undefined : operand(node.lexpr, place);
  const right = operand(node.rexpr, place);
  const both = left === undefined ? [right] : [left, right];
  const operator = lastName(node.name) ?? '';
  const taints = unionTaints(...both.map(item => item.taints));
  switch (node.kind) {
    case 'AEXPR_OP': {
      const qualified = (node.name?.length ?? 0) > 1;
      const type = qualified ? unknown(`type of operator ${operator}`) : operatorType(operator, left, right, `operator ${operator}`);
      const simple = !isUnknown(type) && both.every(item => !isUnknown(item.type) && isBuiltinType(item.type));
      const arithmetic = ['+', '-', '*', '/', '||'].includes(operator)
        && both.every(item => !isUnknown(item.type) && !item.type.startsWith('json'));
      const nullable = simple && (comparisons.has(operator) || arithmetic) ? strictNull(both, 'the operation')
        : unknown('whether the operation is NULL');
      const through = type === 'boolean' ? ofCondition(taints) : ofOperator(operator, left?.taints ?? [], right.taints);
      return { type, literal: false, nullable, taints: through };
    }
    case 'AEXPR_NULLIF':
      return { type: left!.literal || isUnknown(left!.type) || !isBuiltinType(left!.type) ? unknown('type of NULLIF')
        : nullIfType(left!, right), literal: false,
        nullable: unknown('whether NULLIF is NULL'), taints: left!.taints };
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT':
      return boolean(false, ofCondition(taints));
    default:
      return boolean(unknown('whether the condition is NULL'), ofCondition(taints));
  }
}

/** NULLIF coerces its first operand only when the comparison needs it: sure for equal types and constants. */
function nullIfType(left: Value, right: Value): Known<string> {
  const same = !isUnknown(right.type) && !isUnknown(left.type)
    && (right.literal || withoutModifier(right.type) === withoutModifier(left.type));
  return same && !/^(character varying|character)/.test(left.type as string) ? (left.type as string) : unknown('type of NULLIF');
}

/** An operand may be a list (IN, BETWEEN). */
function operand(node: Node | undefined, place: Place): Value {
  if (node !== undefined && 'List' in node) {
    const values = valuesOf(node.List.items, place);
    return { ...unknownValue('a list'), taints: unionTaints(...values.map(item => item.taints)) };
  }
  return value(node, place);
}

function caseOf(node: CaseExpr, place: Place): Value {
  const subject = node.arg === undefined ? [] : [value(node.arg, place)];
  const conditions: Value[] = [];
  const results: Value[] = [];
  for (const when of node.args ?? []) {
    if (!('CaseWhen' in when)) continue;
    conditions.push(value(when.CaseWhen.expr, place));
    results.push(value(when.CaseWhen.result, place));
  }
  // A missing ELSE is a NULL constant, which takes part in finding the type (transformCaseExpr).
  const otherwise = node.defresult === undefined ? constant({ isnull: true }) : value(node.defresult, place);
  // The ELSE branch comes first, and the type of an equal-ranked mixture could depend on it: commonType does not know any.
  const all = [otherwise, ...results];
  return {
    ...commonType(all, 'CASE'),
    nullable: strictNull(all, 'CASE'),
    // A branch that a clock chooses flips once a row at most: it is left out, as comparisons are.
    taints: unionTaints(...all.map(item => item.taints), ofCondition(unionTaints(...subject.map(item => item.taints),
      ...conditions.map(item => item.taints)))),
  };
}

function sublink(node: SubLink, place: Place): Value {
  const test = node.testexpr === undefined ? undefined : value(node.testexpr, place);
  const shape = node.subselect === undefined ? undefined : analyze(node.subselect, place.run,
    { outer: place.scope, ctes: place.env.ctes, depth: place.env.depth + 1 });
  const column = shape?.columns[0];
  switch (node.subLinkType) {
    case 'EXISTS_SUBLINK':
      return boolean(false, []);
    case 'EXPR_SUBLINK':
      if (column === undefined) return unknownValue('a sub-select');
      return { type: column.type, literal: false, nullable: unknown('whether the sub-select finds a row'), taints: column.taints };
    case 'ARRAY_SUBLINK': {
      const type = column?.type;
      const simple = typeof type === 'string' && isBuiltinType(type);
      return { type: simple ? `${withoutModifier(type)}[]` : unknown('type of the array'), literal: false, nullable: false,
        taints: column?.taints ?? [] };
    }
    case 'ANY_SUBLINK':
    case 'ALL_SUBLINK':
    case 'ROWCOMPARE_SUBLINK':
      return boolean(unknown('whether the comparison is NULL'), ofCondition(test?.taints ?? []));
    default:
      return unknownValue('a sub-select');
  }
}

