import type { Catalog } from '../../model.ts';
import { parse } from '../../sql/parse.ts';
import { quoteIdent, quoteLiteral } from '../../sql/print.ts';
import { joinTexts, literalText, plainText, sliceText, type Text } from '../../sql/text.ts';
import { readRegclass, readWrittenName } from '../../sql/names.ts';
import { tokensOf } from '../../sql/tokens.ts';
import type { A_Const, A_Expr, A_Indirection, BoolExpr, FuncCall, Node, SubLink } from '../../sql/tree.ts';
import { askCatalog } from './questions.ts';
import {
  and, booleanValue, compare, equal, hasHole, hole, not, nullValue, ofTruth, or, printed, textValue, truthOf, unknownValue, type Truth, type Value,
} from './values.ts';

/** What an expression is read in. */
export interface Scope {
  readonly catalog: Catalog;
  /** The major version that the history is replayed for. */
  readonly postgres: number;
  /** Variables, parameters (`$1` too) and columns of a row, by lower-case name; fields of records are in their row. */
  readonly variables: ReadonlyMap<string, Value>;
}

const select = 'SELECT ';

/** The value of an expression's text. Every name or function that is not followed makes it unknown; nothing is guessed. */
export function foldText(expression: Text, scope: Scope): Value {
  const source = joinTexts([plainText(select), expression]);
  const parsed = parse(source.text);
  if (!parsed.ok || !('SelectStmt' in parsed.node)) return unknownValue;
  const { targetList, fromClause } = parsed.node.SelectStmt;
  if (fromClause !== undefined) return askCatalog(parsed.node.SelectStmt, source, scope)?.scalar() ?? unknownValue;
  const [target, second] = targetList ?? [];
  if (target === undefined || second !== undefined || !('ResTarget' in target) || target.ResTarget.val === undefined) return unknownValue;
  return fold(target.ResTarget.val, source, scope);
}

/** The value of a node; `source` is the text whose offsets the tree holds. */
export function fold(node: Node, source: Text, scope: Scope, depth = 0): Value {
  if (depth > 100) return unknownValue;
  const inner = (child: Node | undefined): Value => (child === undefined ? unknownValue : fold(child, source, scope, depth + 1));
  if ('A_Const' in node) return constant(node.A_Const, source);
  if ('ColumnRef' in node) return variable((node.ColumnRef.fields ?? []).map(field => ('String' in field ? field.String.sval ?? '' : '*')), scope);
  if ('ParamRef' in node) return scope.variables.get(`$${node.ParamRef.number ?? 0}`) ?? unknownValue;
  if ('TypeCast' in node) return cast(inner(node.TypeCast.arg), node, scope);
  if ('BoolExpr' in node) return boolean(node.BoolExpr, inner);
  if ('NullTest' in node) return nullTest(inner(node.NullTest.arg), node.NullTest.nulltesttype === 'IS_NULL');
  if ('BooleanTest' in node) return booleanTest(inner(node.BooleanTest.arg), node.BooleanTest.booltesttype ?? '');
  if ('A_Expr' in node) return operator(node.A_Expr, inner);
  if ('A_ArrayExpr' in node) return { is: 'list', items: (node.A_ArrayExpr.elements ?? []).map(inner) };
  if ('CoalesceExpr' in node) return coalesce((node.CoalesceExpr.args ?? []).map(inner));
  if ('FuncCall' in node) return call(node.FuncCall, inner, scope);
  if ('SQLValueFunction' in node) return sqlValue(node.SQLValueFunction.op ?? '', scope);
  if ('SubLink' in node) return subLink(node.SubLink, inner, source, scope);
  if ('A_Indirection' in node) return subscript(node.A_Indirection, inner);
  if ('CollateClause' in node) return inner(node.CollateClause.arg);
  return unknownValue;
}

function constant(node: A_Const, source: Text): Value {
  if (node.isnull === true) return nullValue;
  if (node.boolval) return { is: 'boolean', value: node.boolval.boolval === true };
  if (node.ival) return { is: 'number', value: node.ival.ival ?? 0 };
  if (node.fval) return { is: 'number', value: Number(node.fval.fval) };
  if (!node.sval) return unknownValue;
  const start = node.location ?? 0;
  const [token] = tokensOf(source.text, start);
  const text = token?.kind === 'string' && token.start === start ? literalText(source, token.start, token.end) : undefined;
  return text === undefined || text.text !== (node.sval.sval ?? '') ? textValue(node.sval.sval ?? '') : { is: 'text', text };
}

function variable(names: readonly string[], scope: Scope): Value {
  const [first = '', second] = names;
  const whole = scope.variables.get(names.join('.'));
  if (whole !== undefined) return whole;
  const row = names.length === 2 ? scope.variables.get(first) : undefined;
  return row?.is === 'row' && second !== undefined ? row.fields.get(second) ?? unknownValue : unknownValue;
}

/** `TG_ARGV[0]` and `list[1]`: the arguments of a trigger are counted from 0, other lists from 1. */
function subscript({ arg, indirection }: A_Indirection, inner: (child: Node | undefined) => Value): Value {
  const list = inner(arg);
  const [step] = indirection ?? [];
  if (list.is !== 'list' || indirection?.length !== 1 || step === undefined || !('A_Indices' in step) || step.A_Indices.is_slice === true) return unknownValue;
  const at = inner(step.A_Indices.uidx);
  if (at.is !== 'number' || at.upTo !== undefined || arg === undefined || !('ColumnRef' in arg || 'A_ArrayExpr' in arg)) return unknownValue;
  const first = 'ColumnRef' in arg && lastName(arg.ColumnRef.fields) === 'tg_argv' ? 0 : 1;
  return list.items[at.value - first] ?? nullValue;
}

const lastName = (list: readonly Node[] | undefined): string => {
  const last = list?.at(-1);
  return last && 'String' in last ? last.String.sval ?? '' : '';
};

const textTypes = new Set(['text', 'varchar', 'name', 'bpchar', 'unknown']);
const numberTypes = new Set(['int4', 'int8', 'int2', 'numeric', 'oid']);

function cast(value: Value, node: Extract<Node, { TypeCast: unknown }>, scope: Scope): Value {
  const { typeName } = node.TypeCast;
  const type = lastName(typeName?.names);
  if (value.is === 'null' || value.is === 'unknown') return value;
  if ((typeName?.arrayBounds?.length ?? 0) > 0) return value.is === 'list' ? value : unknownValue;
  if (type === 'regclass') return value.is === 'text' ? regclass(value.text.text, scope, true) : value.is === 'object' ? value : unknownValue;
  if (type === 'regtype') {
    const found = value.is === 'text' && !hasHole(value.text.text) ? scope.catalog.findType(readWrittenName(value.text.text) ?? { name: '' }) : undefined;
    return found?.is === 'present' ? { is: 'object', id: found.object.id } : unknownValue;
  }
  if (textTypes.has(type)) {
    const text = printed(value);
    return text === undefined ? value.is === 'object' ? objectName(value.id, scope) : unknownValue : { is: 'text', text };
  }
  if (type === 'bool') return ofTruth(truthOf(value));
  if (numberTypes.has(type) && value.is === 'text') return /^\s*-?\d+(?:\.\d+)?\s*$/.test(value.text.text) ? { is: 'number', value: Number(value.text.text) } : unknownValue;
  return value.is === 'number' && numberTypes.has(type) ? value : value.is === 'object' && type === 'oid' ? value : unknownValue;
}

/** A regclass prints its schema only when the search path does not find it. */
function objectName(id: number, scope: Scope): Value {
  const object = scope.catalog.get(id);
  if (object === undefined || !('name' in object) || typeof object.name === 'string') return unknownValue;
  const found = scope.catalog.find({ name: object.name.name });
  if (found.is === 'unknown' && scope.catalog.world === 'open') return unknownValue;
  const visible = found.is === 'present' && found.object.id === id;
  return textValue(visible ? quoteIdent(object.name.name) : `${quoteIdent(object.name.schema)}.${quoteIdent(object.name.name)}`);
}

/** The relation that a text names. `must`: a cast fails where to_regclass() is NULL. */
function regclass(text: string, scope: Scope, must: boolean): Value {
  const name = hasHole(text) ? undefined : readRegclass(text);
  if (name === undefined) return unknownValue;
  const found = scope.catalog.find(name);
  if (found.is === 'present') return { is: 'object', id: found.object.id };
  if (must || isSystemName(name.schema, name.name)) return unknownValue;
  return found.is === 'absent' || scope.catalog.world === 'closed' ? nullValue : unknownValue;
}

/** Names that every database has, or may have: nothing is claimed of them. */
function isSystemName(schema: string | undefined, name: string): boolean {
  return schema === 'pg_catalog' || schema === 'information_schema' || name.startsWith('pg_');
}

function boolean(node: BoolExpr, inner: (child: Node) => Value): Value {
  const truths = (node.args ?? []).map(arg => truthOf(inner(arg)));
  if (node.boolop === 'NOT_EXPR') return ofTruth(not(truths[0] ?? 'unknown'));
  return ofTruth(node.boolop === 'AND_EXPR' ? and(truths) : or(truths));
}

function nullTest(value: Value, isNull: boolean): Value {
  return value.is === 'unknown' ? value : { is: 'boolean', value: (value.is === 'null') === isNull };
}

function booleanTest(value: Value, test: string): Value {
  const truth = truthOf(value);
  if (truth === 'unknown') return unknownValue;
  const positive: Record<string, Truth> = { IS_TRUE: true, IS_NOT_TRUE: true, IS_FALSE: false, IS_NOT_FALSE: false, IS_UNKNOWN: 'null', IS_NOT_UNKNOWN: 'null' };
  return { is: 'boolean', value: (truth === positive[test]) !== test.startsWith('IS_NOT_') };
}

function coalesce(values: readonly Value[]): Value {
  return values.find(value => value.is !== 'null') ?? nullValue;
}

/** Texts longer than this many units, or of more parts, are not followed: a loop that appends to a text doubles it. */
const longestText = 500_000;
const mostParts = 5_000;

function whole(parts: readonly Text[]): Value {
  const [length, count] = [parts.reduce((sum, part) => sum + part.text.length, 0), parts.reduce((sum, part) => sum + part.origins.length, 0)];
  return length > longestText || count > mostParts ? unknownValue : { is: 'text', text: joinTexts(parts) };
}

/** `||` of texts: what is not known leaves a hole, so that the rest of the statement can still be read. */
function concatenation(parts: readonly Value[]): Value {
  if (parts.some(part => part.is === 'null')) return nullValue;
  if (parts.every(part => printed(part) === undefined)) return unknownValue;
  return whole(parts.map(part => printed(part) ?? plainText(hole)));
}

function operator(node: A_Expr, inner: (child: Node | undefined) => Value): Value {
  const name = lastName(node.name);
  if (node.kind === 'AEXPR_IN') {
    const items = node.rexpr && 'List' in node.rexpr ? (node.rexpr.List.items ?? []).map(inner) : [unknownValue];
    const among = or(items.map(item => equal(inner(node.lexpr), item)));
    return ofTruth(name === '<>' ? not(among) : among);
  }
  if (node.kind === 'AEXPR_OP_ANY') {
    const list = inner(node.rexpr);
    return list.is === 'list' && name === '=' ? ofTruth(or(list.items.map(item => equal(inner(node.lexpr), item)))) : unknownValue;
  }
  if (node.kind === 'AEXPR_LIKE' || node.kind === 'AEXPR_ILIKE') return like(inner(node.lexpr), inner(node.rexpr), name, node.kind === 'AEXPR_ILIKE');
  if (node.kind !== 'AEXPR_OP') return unknownValue;
  const [left, right] = [inner(node.lexpr), inner(node.rexpr)];
  if (name === '||') return left.is === 'list' || right.is === 'list' ? unknownValue : concatenation([left, right]);
  if (name === '=') return ofTruth(equal(left, right));
  if (name === '<>') return ofTruth(not(equal(left, right)));
  if (left.is === 'null' || right.is === 'null') return nullValue;
  if ((name === '+' || name === '-') && left.is === 'number' && right.is === 'number' && left.upTo === undefined && right.upTo === undefined)
    return { is: 'number', value: name === '+' ? left.value + right.value : left.value - right.value };
  const order = compare(left, right);
  if (order === undefined) return unknownValue;
  if (name === '<') return booleanValue(order < 0);
  if (name === '<=') return booleanValue(order <= 0);
  if (name === '>') return booleanValue(order > 0);
  if (name === '>=') return booleanValue(order >= 0);
  return unknownValue;
}

function like(value: Value, pattern: Value, name: string, fold: boolean): Value {
  if (value.is !== 'text' || pattern.is !== 'text' || hasHole(value.text.text) || hasHole(pattern.text.text)) return value.is === 'null' ? nullValue : unknownValue;
  let expression = '';
  const { text } = pattern.text;
  for (let at = 0; at < text.length; at += 1) {
    const c = text[at] ?? '';
    if (c === '%') expression += '[^]*';
    else if (c === '_') expression += '[^]';
    else expression += (c === '\\' ? text[at += 1] ?? '' : c).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  }
  if ((text.match(/%/g)?.length ?? 0) > 4) return unknownValue; // a backtracking match of many stars takes too long
  const matches = new RegExp(`^${expression}$`, fold ? 'iu' : 'u').test(value.text.text);
  return booleanValue(name.startsWith('!') ? !matches : matches);
}

/** The functions that are followed. All others are unknown. */
function call(node: FuncCall, inner: (child: Node) => Value, scope: Scope): Value {
  const name = lastName(node.funcname);
  const schema = (node.funcname?.length ?? 0) > 1 ? node.funcname?.[0] : undefined;
  if (schema && !('String' in schema && schema.String.sval === 'pg_catalog')) return unknownValue;
  if (scope.catalog.findRoutines({ name }).length > 0) return unknownValue;
  const args = (node.args ?? []).map(inner);
  const [first = unknownValue, second] = args;
  const map = (change: (text: string) => string): Value =>
    (first.is === 'text' ? { is: 'text', text: sameLength(first.text, change(first.text.text)) } : first.is === 'null' ? nullValue : unknownValue);
  switch (name) {
    case 'format': return format(args);
    case 'concat': return concatenation(args.filter(arg => arg.is !== 'null'));
    case 'quote_ident': return first.is === 'unknown' ? textValue(hole) : map(text => (hasHole(text) ? text : quoteIdent(text)));
    case 'quote_literal': case 'quote_nullable': return first.is === 'unknown' ? textValue(`'${hole}'`) : map(quoteLiteral);
    case 'lower': return map(text => text.toLowerCase());
    case 'upper': return map(text => text.toUpperCase());
    case 'btrim': return second === undefined ? map(text => text.replace(/^ +| +$/g, '')) : unknownValue;
    case 'to_regclass': return first.is === 'text' ? regclass(first.text.text, scope, false) : first.is === 'null' ? nullValue : unknownValue;
    case 'current_schema': return sqlValue('SVFOP_CURRENT_SCHEMA', scope);
    case 'current_setting': return setting(first, second, scope);
    default: return unknownValue;
  }
}

/** A text that was changed unit by unit keeps its places. */
function sameLength(old: Text, text: string): Text {
  if (text.length === old.text.length) return { text, origins: old.origins };
  const span = old.origins.length === 1 ? old.origins[0]?.span : undefined;
  return span === undefined ? plainText(text) : { text, origins: [{ start: 0, end: text.length, span }] };
}

function setting(name: Value, missing: Value | undefined, scope: Scope): Value {
  if (name.is !== 'text') return unknownValue;
  const key = name.text.text.toLowerCase();
  const known = scope.catalog.session.parameters.get(key);
  if (known !== undefined && missing === undefined) return textValue(known);
  return key === 'server_version_num' ? { is: 'number', value: scope.postgres * 10_000, upTo: scope.postgres * 10_000 + 9_999 } : unknownValue;
}

function sqlValue(op: string, scope: Scope): Value {
  const { role, searchPath } = scope.catalog.session;
  if (op === 'SVFOP_CURRENT_SCHEMA') {
    const first = 'unknown' in searchPath ? undefined : searchPath.find(schema => schema !== '$user' && scope.catalog.findSchema(schema).is === 'present');
    return first === undefined || (!('unknown' in searchPath) && searchPath[0] === '$user' && typeof role === 'string' && scope.catalog.findSchema(role).is !== 'absent')
      ? first !== undefined && scope.catalog.world === 'closed' ? textValue(first) : unknownValue : textValue(first);
  }
  return (op === 'SVFOP_CURRENT_USER' || op === 'SVFOP_CURRENT_ROLE' || op === 'SVFOP_USER') && typeof role === 'string' ? textValue(role) : unknownValue;
}

/** format() with `%s`, `%I`, `%L`, `%%` and positions; widths are left out: nobody pads SQL. */
function format(args: readonly Value[]): Value {
  const [pattern] = args;
  if (pattern?.is !== 'text') return pattern?.is === 'null' ? nullValue : unknownValue;
  const parts: Text[] = [];
  const { text } = pattern.text;
  let next = 1;
  let from = 0;
  for (const match of text.matchAll(/%(?:(\d+)\$)?([sIL%])?/g)) {
    parts.push(sliceText(pattern.text, from, match.index));
    from = match.index + match[0].length;
    const [, position, letter] = match;
    if (letter === undefined) return unknownValue;
    if (letter === '%') {
      parts.push(plainText('%'));
      continue;
    }
    const at = position === undefined ? next : Number(position);
    next = at + 1;
    const piece = formatted(args[at] ?? unknownValue, letter);
    if (piece === undefined) return unknownValue;
    parts.push(piece);
  }
  parts.push(sliceText(pattern.text, from, text.length));
  return whole(parts);
}

function formatted(value: Value, letter: string): Text | undefined {
  if (value.is === 'null') return letter === 'L' ? plainText('NULL') : letter === 's' ? plainText('') : undefined;
  const text = printed(value);
  if (text === undefined) return plainText(letter === 'L' ? `'${hole}'` : hole);
  if (letter === 's' || hasHole(text.text)) return letter === 'L' ? plainText(`'${hole}'`) : text;
  return sameLength(text, letter === 'I' ? quoteIdent(text.text) : quoteLiteral(text.text));
}

function subLink(node: SubLink, inner: (child: Node | undefined) => Value, source: Text, scope: Scope): Value {
  if (node.subselect === undefined || !('SelectStmt' in node.subselect)) return unknownValue;
  const answer = askCatalog(node.subselect.SelectStmt, source, scope);
  if (answer === undefined) return unknownValue;
  switch (node.subLinkType) {
    case 'EXISTS_SUBLINK': return booleanValue(answer.exists());
    case 'EXPR_SUBLINK': return answer.scalar();
    case 'ARRAY_SUBLINK': return answer.list();
    case 'ANY_SUBLINK': {
      const list = answer.list();
      return list.is === 'list' ? ofTruth(or(list.items.map(item => equal(inner(node.testexpr), item)))) : unknownValue;
    }
    default: return unknownValue;
  }
}

