import type { Known, Taint } from '../model.ts';
import { nodeEnd, sourceSpan } from '../sql/span.ts';
import type { Node, A_Indirection, CaseExpr, ColumnRef, SubLink, TypeName } from '../sql/tree.ts';
import { call, called } from './call.ts';
import { peek } from './conditions.ts';
import { agreed, arrayOfElements, cast, constant } from './casts.ts';
import { keywordOrigin, ofCondition, ofElement, ofExtreme, systemColumnOrigin, type Origin } from './determinism.ts';
import type { Inspection } from './inspection.ts';
import { strings, valueFunctionName } from './names.ts';
import { applyOperator, operation, useTests } from './operators.ts';
import { arrayTaint } from './order-taints.ts';
import { ofRows } from './row-taints.ts';
import {
  depthLimit, envWithin, isHole, isUnknown, lookupColumn, lookupQualified, unionTaints, unknown, unknownValue, type Entry, type Env, type Lookup,
    type Run,
    type Scope, type Value,
} from './scope.ts';
import { analyze } from './select.ts';
import { typesIn } from './sql-type.ts';
import { specialValue } from './special.ts';
import { comparisons, elementText, namedType } from './types.ts';
import { useCoercion } from './uses.ts';

/** Where an expression stands. `aliases`: output names that GROUP BY and ORDER BY may mean instead of a column. */
export interface Place {
  readonly run: Run;
  readonly scope: Scope;
  readonly env: Env;
  readonly aliases: ReadonlySet<string> | undefined;
}

export const placeIn = (run: Run, scope: Scope, env: Env, aliases?: ReadonlySet<string>): Place => ({ run, scope, env, aliases });

const boolean = (nullable: Known<boolean>, taints: readonly Taint[]): Value => ({ type: 'boolean', literal: false, nullable, taints });
const noNull: Known<boolean> = false;

/** False when no operand can be NULL, else not known. */
export function strictNull(values: readonly Value[], what: string): Known<boolean> {
  return values.every(value => value.nullable === false) ? false : unknown(`whether ${what} is NULL`);
}

/** A taint that begins at `location`. Made only where taints are asked for. */
export function originTaint(place: Place, origin: Origin | undefined, location: number | undefined, remedy?: () => Taint['remedy']): readonly Taint[] {
  if (origin === undefined || place.run.viewFacts === undefined) return [];
  const { statement } = place.run;
  const start = location ?? 0;
  const end = nodeEnd(statement.sql, start);
  const span = sourceSpan(statement, start, end);
  const short = statement.sql.slice(start, end).replace(/\s+/g, ' ');
  const cure = remedy?.();
  const taint: Taint = { cause: origin.cause, flips: origin.flips, ...(cure === undefined ? {} : { remedy: cure }), ...(origin.setting === undefined ? {} : { setting: origin.setting }),
    ...(origin.form === undefined ? {} : { form: origin.form }), path: [{ span, says: `${short.length > 60 ? `${short.slice(0, 57)}...` : short} ${origin.says}` }] };
  place.run.notes?.deeds.origins.push(taint);
  return [taint];
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
  const worth = run.inspection === undefined ? worthOf(node, place) : inspected(node, run.inspection, place);
  run.depth -= 1;
  if (worth.taints.length > 0) run.notes?.taints.set(node, worth.taints);
  return worth;
}

function inspected(node: Node, inspection: Inspection, place: Place): Value {
  const around = inspection.at;
  inspection.at = node;
  const worth = worthOf(node, place);
  inspection.at = around;
  inspection.values.set(node, worth);
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
    const sure = values.findIndex(item => item.nullable === false);
    // What stands behind a value that is never NULL is never reached.
    const reached = sure < 0 ? values : values.slice(0, sure + 1);
    return { ...agreed(values, 'COALESCE', place), nullable: sure < 0 ? unknown('whether COALESCE is NULL') : false, taints: unionTaints(...reached.map(item => item.taints)) };
  }
  if ('MinMaxExpr' in node) {
    const values = valuesOf(node.MinMaxExpr.args, place);
    const nullable = values.some(item => item.nullable === false) ? false : unknown('whether the extreme is NULL');
    return { ...agreed(values, 'the extreme', place), nullable,
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
  if ('A_ArrayExpr' in node) return arrayOfElements(node.A_ArrayExpr.elements, place);
  if ('RowExpr' in node) {
    const values = valuesOf(node.RowExpr.args, place);
    return { type: 'record', literal: false, nullable: unknown('a row'), taints: unionTaints(...values.map(item => item.taints)) };
  }
  if ('A_Indirection' in node) return indirection(node.A_Indirection, place);
  if ('ParamRef' in node) return parameter(node.ParamRef.number ?? 0, place);
  const special = specialValue(node, place);
  if (special !== undefined) return special;
  if ('GroupingFunc' in node) {
    visit(node, place);
    return { type: 'integer', literal: false, nullable: false, taints: [] };
  }
  visit(node, place);
  return unknownValue('the expression');
}

export const valuesOf = (nodes: readonly Node[] | undefined, place: Place): Value[] => (nodes ?? []).map(node => value(node, place));
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
    if (keys[0] === 'SelectStmt') analyze(part as Node, place.run, envWithin(place.scope, place.env.ctes, place.env.depth + 1));
    else if (keys[0] === 'TypeName') recordType((part as { TypeName: TypeName }).TypeName, place);
    else value(part as Node, place);
  } else visit(part, place);
}

export function recordType(typeName: TypeName | undefined, place: Place): Known<string> {
  const named = namedType(typeName, place.run.catalog);
  if (named.id !== undefined) place.run.held.add(named.id);
  return named.type;
}

/** `$1` in the body of a routine is an argument of its call. */
function parameter(number: number, place: Place): Value {
  const column = place.run.parameters?.[number - 1];
  return column === undefined ? unknownValue('a parameter')
    : { type: column.type, literal: false, nullable: column.nullable, taints: column.taints };
}

function columnRef(node: ColumnRef, place: Place): Value {
  const fields = node.fields ?? [];
  const names = strings(fields);
  if (names.some(isHole)) return unknownValue('an unfilled placeholder');
  // `t.*` inside an expression is the whole row.
  if (names.length < fields.length && fields.some(field => 'A_Star' in field)) return names.length > 0 ? wholeRow(node, place, names) : unknownValue('a row');
  const [first = '', second = '', third = ''] = names;
  const found = names.length === 1 ? lookupColumn(place.scope, first)
    : names.length === 2 ? lookupQualified(place.scope, first, second)
      : names.length === 3 ? lookupQualified(place.scope, second, third, first) : ({ is: 'undecided' } as const);
  place.run.inspection?.columns.set(node, found);
  return fromLookup(found, names, node.location ?? 0, place);
}

function wholeRow(node: ColumnRef, place: Place, names: readonly string[]): Value {
  const alias = names.at(-1)!;
  for (let at: Scope | undefined = place.scope; at !== undefined; at = at.outer) {
    const entry = at.sources.flatMap(source => source.entries).find(candidate => candidate.alias === alias);
    if (entry === undefined) continue;
    for (const read of entry.reads) read.columns = undefined;
    place.run.inspection?.columns.set(node, { is: 'row', entry });
    return rowOf(entry, place);
  }
  return unknownValue('a row');
}

/** A whole row: of a relation its row type, of a sub-select a record. */
function rowOf(entry: Entry, place: Place): Value {
  const type = entry.relation !== undefined ? typesIn(place.run.catalog).rowOf(entry.relation)?.printed : entry.record === true ? 'record'
    : undefined;
  return { ...unknownValue('a row'), ...(type === undefined ? {} : { type }),
    taints: unionTaints(...entry.columns.map(column => column.taints)) };
}

function fromLookup(found: Lookup, names: readonly string[], location: number, place: Place): Value {
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
      return rowOf(found.entry, place);
    case 'missing':
      if (names.length !== 1 || place.aliases?.has(names[0]!) !== true) reportMissing(found, names, location, place);
      return unknownValue(names.join('.'));
    case 'undecided':
      return unknownValue(names.join('.'));
  }
}

/** What conditions of the query say about the column's NULLs. */
export function narrowed(column: NonNullable<Value['column']>, scope: Scope): Known<boolean> {
  if (scope.groupingSets) return unknown(`whether ${column.name} is NULL in every grouping set`);
  if (column.ids.some(id => scope.strict.has(id))) return false;
  return column.nullable === true && scope.mentions(column)
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
    if (takesRow(name, place) || run.catalog.findRoutines({ name }).length > 0 || !isUnknown(asType.type)) return;
    if (run.catalog.hasExtension()) return;
  }
  run.missingColumns.push({ relation: entry.relation.id, column: name,
    span: sourceSpan(run.statement, location, nodeEnd(run.statement.sql, location)) });
}

/** Whether a built-in function of the name takes one row of any type: what `t.name` may mean when no column has the name. */
export function takesRow(name: string, place: Place): boolean {
  const types = typesIn(place.run.catalog);
  return types.builtins.functions(name).some(({ arguments: args, variadic, defaults }) =>
    (args.length === 1 || (args.length > 1 && (variadic !== undefined || defaults >= args.length - 1))) && ofAnyRow.has(args[0] ?? ''));
}
const ofAnyRow = new Set(['any', 'record', 'anyelement', 'anynonarray', 'anycompatible', 'anycompatiblenonarray']);

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
  if (subject[0] !== undefined) useTests(place.run, subject[0], conditions);
  // The ELSE branch comes first (transformCaseExpr).
  const all = [otherwise, ...results];
  return {
    ...agreed(all, 'CASE', place),
    nullable: leavesNull(node, place) ? true : strictNull(all, 'CASE'),
    // A branch that a clock chooses flips once a row at most: it is left out, as comparisons are.
    taints: unionTaints(...all.map(item => item.taints), ofCondition(unionTaints(...subject.map(item => item.taints),
      ...conditions.map(item => item.taints)))),
  };
}

/** `CASE WHEN x > 9 THEN … END`: written to leave NULLs where the one comparison fails, unless another condition speaks of its column. */
function leavesNull({ arg, args, defresult }: CaseExpr, { scope }: Place): boolean {
  const [only, ...others] = args ?? [];
  if (arg !== undefined || defresult !== undefined || only === undefined || others.length > 0 || !('CaseWhen' in only)) return false;
  const { expr } = only.CaseWhen;
  if (expr === undefined || !('A_Expr' in expr) || expr.A_Expr.kind !== 'AEXPR_OP' || expr.A_Expr.rexpr === undefined || !('A_Const' in expr.A_Expr.rexpr)) return false;
  const column = peek(expr.A_Expr.lexpr, scope.sources);
  return column !== undefined && comparisons.has(strings(expr.A_Expr.name).join('.')) && !scope.mentions(column);
}

function sublink(node: SubLink, place: Place): Value {
  const types = typesIn(place.run.catalog);
  const tests = node.testexpr === undefined ? [] : 'RowExpr' in node.testexpr ? valuesOf(node.testexpr.RowExpr.args, place)
    : [value(node.testexpr, place)];
  const shape = node.subselect === undefined ? undefined : analyze(node.subselect, place.run,
    envWithin(place.scope, place.env.ctes, place.env.depth + 1, node.subLinkType === 'ARRAY_SUBLINK'));
  const column = shape?.columns[0];
  const rows = shape?.rows ?? [];
  switch (node.subLinkType) {
    case 'EXISTS_SUBLINK':
      // Which rows of several are kept is no question of whether there are any.
      return boolean(false, ofCondition(rows.filter(taint => taint.cause !== 'order')));
    case 'EXPR_SUBLINK':
      if (column === undefined) return unknownValue('a sub-select');
      return { type: column.type, literal: false, nullable: unknown('whether the sub-select finds a row'),
        taints: unionTaints(column.taints, ofRows(rows)) };
    case 'ARRAY_SUBLINK': {
      const type = column?.type;
      const element = type === undefined ? undefined : types.parse(type);
      // An array in an array adds a dimension.
      const text = element === undefined || element.type.element !== undefined ? element?.text
        : types.arrayOf(element.type) === undefined ? undefined : `${element.text}[]`;
      return { type: text ?? unknown('type of the array'), literal: false, nullable: false,
        taints: unionTaints(column?.taints ?? [], ofRows(rows), arrayTaint(node, shape, place)) };
    }
    case 'ANY_SUBLINK':
    case 'ALL_SUBLINK':
    case 'ROWCOMPARE_SUBLINK':
      if (shape?.open === false) tests.forEach((test, at) => testColumn(node, test, shape.columns[at], place));
      return boolean(unknown('whether the comparison is NULL'),
        ofCondition(unionTaints(...tests.map(test => test.taints), column?.taints ?? [], rows)));
    default:
      return unknownValue('a sub-select');
  }
}

/** `x IN (SELECT …)` and its kin: the operator over x and the column. A row comparison that orders keeps no functions. */
function testColumn(node: SubLink, test: Value, column: { readonly type: Known<string> } | undefined, place: Place): void {
  if (column === undefined) return;
  const name = strings(node.operName);
  applyOperator(place.run, name.length === 0 ? ['='] : name, [test, { ...unknownValue('a column'), type: column.type }]);
}

/** Subscripts and fields, in the order they are written (transformIndirection). */
function indirection(node: A_Indirection, place: Place): Value {
  const { run } = place;
  const types = typesIn(run.catalog);
  const done = node.arg !== undefined && 'FuncCall' in node.arg ? called(node.arg.FuncCall, place) : undefined;
  const inner = done?.value ?? value(node.arg, place);
  let at = types.parse(inner.literal ? unknown('a literal') : inner.type);
  // The fields of a record are known where a function declares them.
  let fields = done?.resolved.is === 'function' ? done.resolved.signature.columns : undefined;
  for (const [index, step] of (node.indirection ?? []).entries()) {
    if ('A_Indices' in step) {
      const bounds = valuesOf([step.A_Indices.lidx, step.A_Indices.uidx].filter(bound => bound !== undefined), place);
      const base = at === undefined ? undefined : types.baseOf(at.type);
      if (base?.element !== undefined) {
        for (const bound of bounds) if (!bound.literal && !isUnknown(bound.type)) {
          const from = types.parse(bound.type)?.type;
          if (from !== undefined) useCoercion(run, types, from, types.named('int4'), 'assignment');
        }
        // Indices in a row are one subscript; a slice anywhere in it keeps the array.
        const next = node.indirection?.[index + 1];
        if (next !== undefined && 'A_Indices' in next) continue;
        const text = base.key === at!.type.key ? at!.text : base.printed;
        if (!hasSlice(node.indirection ?? [], index)) at = types.parse(elementText({ type: base, text }) ?? unknown('an element'));
        else at = { type: base, text };
      } else if (base?.key !== 'jsonb') at = base?.part === undefined ? undefined : types.parse(types.named(base.part).printed);
    } else {
      const known = fields ?? (at === undefined ? undefined : types.baseOf(at.type).fields);
      at = 'String' in step ? types.parse(fieldOf(known, step.String.sval ?? '')) : undefined;
    }
    fields = undefined;
  }
  return { ...unknownValue('a part of a value'), ...(at === undefined ? {} : { type: at.text }), taints: elementTaints(node, place) ?? ofElement(inner.taints) };
}

/** The one element that a constant subscript takes out of ARRAY[…]. */
function elementTaints(node: A_Indirection, place: Place): readonly Taint[] | undefined {
  const [step, ...others] = node.indirection ?? [];
  if (node.arg === undefined || !('A_ArrayExpr' in node.arg) || step === undefined || others.length > 0 || !('A_Indices' in step)) return undefined;
  const { uidx, is_slice: isSlice } = step.A_Indices;
  if (isSlice === true || uidx === undefined || !('A_Const' in uidx) || uidx.A_Const.ival === undefined) return undefined;
  const element = node.arg.A_ArrayExpr.elements?.[(uidx.A_Const.ival.ival ?? 0) - 1];
  return element === undefined || 'A_ArrayExpr' in element ? undefined : place.run.notes?.taints.get(element) ?? [];
}

function hasSlice(steps: readonly Node[], last: number): boolean {
  for (let at = last; at >= 0; at -= 1) {
    const step = steps[at]!;
    if (!('A_Indices' in step)) return false;
    if (step.A_Indices.is_slice === true) return true;
  }
  return false;
}

const fieldOf = (fields: Known<readonly { readonly name: string; readonly type: Known<string> }[]> | undefined,
  name: string): Known<string> =>
  (fields === undefined || isUnknown(fields) ? unknown('a field') : fields.find(field => field.name === name)?.type ?? unknown('a field'));
