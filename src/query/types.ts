import type { Known, ObjectId } from '../model.ts';
import { quoteName } from '../sql/print.ts';
import type { Node, TypeName } from '../sql/tree.ts';
import { strings } from './names.ts';
import { isHole, isUnknown, unknown, type Value } from './scope.ts';
import type { Surroundings } from './surroundings.ts';

/** pg_type.typname of the built-in types a query names, and how format_type prints them (measured in the tests). */
const printed: Readonly<Record<string, string>> = {
  bool: 'boolean', int2: 'smallint', int4: 'integer', int8: 'bigint', float4: 'real', float8: 'double precision', numeric: 'numeric',
    text: 'text',
  varchar: 'character varying', bpchar: 'bpchar', char: '"char"', name: 'name', bytea: 'bytea', date: 'date',
    time: 'time without time zone',
  timetz: 'time with time zone', timestamp: 'timestamp without time zone', timestamptz: 'timestamp with time zone', interval: 'interval',
    uuid: 'uuid',
  json: 'json', jsonb: 'jsonb', jsonpath: 'jsonpath', xml: 'xml', money: 'money', oid: 'oid', inet: 'inet', cidr: 'cidr',
    macaddr: 'macaddr', macaddr8: 'macaddr8',
  bit: '"bit"', varbit: 'bit varying', point: 'point', line: 'line', lseg: 'lseg', box: 'box', path: 'path', polygon: 'polygon',
    circle: 'circle',
  tsvector: 'tsvector', tsquery: 'tsquery', regclass: 'regclass', regtype: 'regtype', regproc: 'regproc', regprocedure: 'regprocedure',
    regrole: 'regrole',
  regnamespace: 'regnamespace', regconfig: 'regconfig', xid: 'xid', xid8: 'xid8', cid: 'cid', tid: 'tid', pg_lsn: 'pg_lsn',
    int4range: 'int4range',
  int8range: 'int8range', numrange: 'numrange', daterange: 'daterange', tsrange: 'tsrange', tstzrange: 'tstzrange',
    int4multirange: 'int4multirange',
  int8multirange: 'int8multirange', nummultirange: 'nummultirange', datemultirange: 'datemultirange', tsmultirange: 'tsmultirange',
  tstzmultirange: 'tstzmultirange', txid_snapshot: 'txid_snapshot', pg_snapshot: 'pg_snapshot', refcursor: 'refcursor',
};
const serials: Readonly<Record<string, string>> = {
  serial: 'integer', serial4: 'integer', bigserial: 'bigint', serial8: 'bigint', smallserial: 'smallint', serial2: 'smallint',
};
const builtinPrinted = new Set(Object.values(printed));

/** Whether format_type's text names a built-in scalar type (modifiers aside). */
export const isBuiltinType = (type: string): boolean => builtinPrinted.has(withoutModifier(type));

/** The type without its modifier, as format_type prints a modifier of -1: `numeric(12,2)` → `numeric`, `character(3)` → `bpchar`. */
export function withoutModifier(type: string): string {
  if (!type.includes('(')) return type;
  const base = type.replace(/\(-?\d+(,-?\d+)?\)/, '');
  const array = base.endsWith('[]') ? '[]' : '';
  const element = base.slice(0, base.length - array.length);
  if (element === 'character') return `bpchar${array}`;
  if (element === 'bit') return `"bit"${array}`;
  return base;
}

function modifier(node: Node): number | undefined {
  return 'A_Const' in node && node.A_Const.ival !== undefined ? node.A_Const.ival.ival ?? 0 : undefined;
}

/** The printed type with its modifiers; undefined where they are not plain numbers or not modelled (interval fields). */
function withModifiers(base: string, typmods: readonly Node[]): string | undefined {
  if (typmods.length === 0) return base;
  const numbers = typmods.map(modifier);
  if (numbers.some(number => number === undefined)) return undefined;
  const [first = 0, second = 0] = numbers as number[];
  if (base === 'numeric') return typmods.length > 2 ? undefined : `numeric(${first},${second})`;
  if (typmods.length > 1) return undefined;
  if (base === 'character varying' || base === 'bit varying') return `${base}(${first})`;
  if (base === 'bpchar') return `character(${first})`;
  if (base === '"bit"') return `bit(${first})`;
  const timed = /^(time|timestamp) (with|without) time zone$/.exec(base);
  return timed && first <= 6 ? `${timed[1]}(${first}) ${timed[2]} time zone` : undefined;
}

/** `type`: as format_type prints it, `id`: the history's own type it names. */
export interface NamedType {
  readonly type: Known<string>;
  readonly id?: ObjectId;
}

/**
 * A type as written → as format_type prints it for a session whose path is public. Built-in names win unless another schema is given,
 * because pg_catalog is searched
 * first. `serial` names print as their integer types: they are types in CREATE TABLE only. Never throws; what is not known says so.
 */
export function namedType(typeName: TypeName | undefined, catalog: Surroundings): NamedType {
  const names = strings(typeName?.names);
  const name = names.at(-1) ?? '';
  const schema = names.length > 1 ? names.at(-2) : undefined;
  const what = unknown(`type ${names.join('.')}`);
  if (typeName === undefined || name === '' || typeName.pct_type === true || typeName.setof === true || isHole(name)) return { type: what };
  const array = (typeName.arrayBounds?.length ?? 0) > 0 ? '[]' : '';
  if (schema === undefined || schema === 'pg_catalog') {
    const base = printed[name] ?? (schema === undefined ? serials[name] : undefined);
    if (base !== undefined) {
      const full = withModifiers(base, typeName.typmods ?? []);
      return { type: full === undefined ? what : full + array };
    }
    if (schema === 'pg_catalog') return { type: what };
  }
  const found = catalog.findType({ ...(schema === undefined ? {} : { schema }), name });
  if (found.is !== 'present' || found.object.form === 'shell') return { type: what };
  return { type: quoteName(found.object.name) + array, id: found.object.id };
}

const integers = ['smallint', 'integer', 'bigint'];
/** Each converts implicitly to the ones after it and not back (pg_cast; measured in the tests). */
const ladders = [[...integers, 'numeric', 'real', 'double precision'], ['date', 'timestamp without time zone', 'timestamp with time zone']];
const ladderOf = (type: string): readonly string[] | undefined => ladders.find(ladder => ladder.includes(type));
export const isNumber = (type: string): boolean => ladders[0]!.includes(type);
const isText = (type: string): boolean => type === 'text' || type === 'character varying' || type === 'bpchar';

/**
 * The type that CASE, COALESCE, VALUES, UNION give: equal types stay, the numeric and the date ladder climb, constants follow the others
 * (select_common_type in parse_coerce.c; measured in the tests). Other mixtures are unknown.
 */
export function commonType(values: readonly Pick<Value, 'type' | 'literal'>[],
  what: string): { readonly type: Known<string>; readonly literal: boolean } {
  const typed = values.filter(value => !value.literal);
  if (typed.length === 0) return { type: 'text', literal: true };
  const types: string[] = [];
  for (const { type } of typed) {
    if (isUnknown(type)) return { type: unknown(`type of ${what}`), literal: false };
    types.push(type);
  }
  const exact = new Set(types);
  if (exact.size === 1) return { type: typed.length === values.length ? types[0]! : withoutModifier(types[0]!), literal: false };
  const bases = [...new Set(types.map(withoutModifier))];
  if (bases.length === 1) return { type: bases[0]!, literal: false };
  const ladder = ladderOf(bases[0]!);
  if (ladder !== undefined && bases.every(base => ladder.includes(base))) {
    return { type: ladder[Math.max(...bases.map(base => ladder.indexOf(base)))]!, literal: false };
  }
  return { type: unknown(`type of ${what}`), literal: false };
}

/** The type of a number constant: make_const in parse_node.c. */
export function numberType(text: string): string {
  if (!/^-?\d+$/.test(text)) return 'numeric';
  const value = BigInt(text);
  if (value >= -(2n ** 31n) && value < 2n ** 31n) return 'integer';
  return value >= -(2n ** 63n) && value < 2n ** 63n ? 'bigint' : 'numeric';
}

const booleanOperators = new Set(['=', '<>', '<', '>', '<=', '>=', '~~', '!~~', '~~*', '!~~*', '~*', '!~', '!~*', '@>', '<@', '?', '?|',
  '?&', '&&']);
export const comparisons = new Set(['=', '<>', '<', '>', '<=', '>=']);

const temporal: Readonly<Record<string, string>> = (() => {
  const stamp = 'timestamp without time zone';
  const zoned = 'timestamp with time zone';
  const table: Record<string, string> = {
    'date - date': 'integer', 'date + integer': 'date', 'date - integer': 'date', 'integer + date': 'date', 'date + interval': stamp,
      'date - interval': stamp,
    'interval + date': stamp, 'interval + interval': 'interval', 'interval - interval': 'interval',
  };
  for (const type of [stamp, zoned]) {
    table[`${type} - ${type}`] = 'interval';
    table[`${type} + interval`] = type;
    table[`${type} - interval`] = type;
    table[`interval + ${type}`] = type;
  }
  for (const number of ladders[0]!) {
    table[`interval * ${number}`] = 'interval';
    table[`${number} * interval`] = 'interval';
    table[`interval / ${number}`] = 'interval';
  }
  return table;
})();

/** The result type of a built-in operator over known operands (pg_operator; measured in the tests). Anything else is unknown. */
export function operatorType(operator: string, left: Value | undefined, right: Value, what: string): Known<string> {
  const none = unknown(`type of ${what}`);
  if (booleanOperators.has(operator) || operator === '~' && left !== undefined && !isUnknown(left.type)
    && isText(withoutModifier(left.type))) return 'boolean';
  if (operator === '->>' || operator === '#>>') return 'text';
  if (isUnknown(right.type)) return none;
  const r = withoutModifier(right.type);
  if (left === undefined) return (operator === '-' || operator === '+') && !right.literal && (isNumber(r) || r === 'interval')
    && !(operator === '+' && r === 'interval') ? r : none;
  if (isUnknown(left.type)) return none;
  const l = withoutModifier(left.type);
  if (operator === '->' || operator === '#>') return l === 'json' || l === 'jsonb' ? l : none;
  if (operator === '||') {
    if ((left.literal || isText(l)) && (right.literal || isText(r))) return 'text';
    const other = l === 'text' ? r : r === 'text' ? l : undefined;
    if (other !== undefined && (isNumber(other) || ['boolean', 'uuid', 'date'].includes(other))) return 'text';
    return l === 'jsonb' && r === 'jsonb' ? 'jsonb' : none;
  }
  if (!['+', '-', '*', '/', '%'].includes(operator)) return none;
  if (left.literal || right.literal) {
    const other = left.literal ? r : l;
    return !(left.literal && right.literal) && isNumber(other) ? other : none;
  }
  if (isNumber(l) && isNumber(r)) {
    if (l === r) return operator === '%' && (l === 'real' || l === 'double precision') ? none : l;
    const floats = [l, r].some(type => type === 'real' || type === 'double precision');
    if (floats) return operator === '%' ? none : 'double precision';
    return commonType([left, right].map(value => ({ type: withoutModifier(value.type as string), literal: false })), what).type;
  }
  return temporal[`${l} ${operator} ${r}`] ?? none;
}

const sameTypeMinMax = new Set([
  'smallint', 'integer', 'bigint', 'oid', 'real', 'double precision', 'date', 'time without time zone', 'time with time zone', 'money',
    'numeric', 'interval',
  'timestamp without time zone', 'timestamp with time zone', 'text', 'inet', 'bpchar',
]);
const sums: Readonly<Record<string, string>> = {
  smallint: 'bigint', integer: 'bigint', bigint: 'numeric', real: 'real', 'double precision': 'double precision', money: 'money',
    interval: 'interval', numeric: 'numeric',
};
const averages: Readonly<Record<string, string>> = {
  smallint: 'numeric', integer: 'numeric', bigint: 'numeric', numeric: 'numeric', real: 'double precision',
    'double precision': 'double precision', interval: 'interval',
};
const roundings = new Set(['round', 'ceil', 'ceiling', 'floor', 'trunc']);
const textual = new Set(['lower', 'upper', 'btrim', 'ltrim', 'rtrim', 'substring', 'substr', 'overlay', 'string_agg']);
const passing = new Set(['lag', 'lead', 'first_value', 'last_value', 'nth_value', 'any_value']);

/** AT TIME ZONE takes a zone to and from a timestamp. */
function zoneType(values: readonly Value[]): string | undefined {
  const of = values[1];
  if (of === undefined || of.literal || isUnknown(of.type)) return undefined;
  const type = withoutModifier(of.type);
  if (type === 'timestamp with time zone') return 'timestamp without time zone';
  return type === 'timestamp without time zone' ? 'timestamp with time zone' : undefined;
}

/**
 * Built-in set-returning functions with their result columns; `$0`: the name of the function or of its alias (pg_proc, measured in the
 * tests).
 */
const setColumns: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  json_array_elements: [['value', 'json']], json_array_elements_text: [['value', 'text']], jsonb_array_elements: [['value', 'jsonb']],
  jsonb_array_elements_text: [['value', 'text']], json_each: [['key', 'text'], ['value', 'json']],
    json_each_text: [['key', 'text'], ['value', 'text']],
  jsonb_each: [['key', 'text'], ['value', 'jsonb']], jsonb_each_text: [['key', 'text'], ['value', 'text']],
    json_object_keys: [['$0', 'text']],
  jsonb_object_keys: [['$0', 'text']], regexp_split_to_table: [['$0', 'text']], string_to_table: [['$0', 'text']],
    regexp_matches: [['$0', 'text[]']],
  generate_subscripts: [['$0', 'integer']],
};

/** The columns of a built-in set-returning function over these arguments; undefined when they are not known. */
export function setResult(name: string, values: readonly Value[]): readonly (readonly [string, Known<string>])[] | undefined {
  const listed = setColumns[name];
  if (listed !== undefined) return listed;
  if (name === 'generate_series') {
    const common = commonType(values.slice(0, 2), 'the series');
    return [['$0', isUnknown(common.type) || common.literal ? unknown('type of the series') : seriesType(withoutModifier(common.type))]];
  }
  const [only] = values;
  if (name !== 'unnest' || values.length !== 1 || only === undefined || isUnknown(only.type) || only.literal) return undefined;
  const element = elementType(only.type);
  return element === undefined ? undefined : [['$0', element]];
}

/** The element of an array of a built-in type; it carries no modifier through a function. */
export function elementType(array: string): string | undefined {
  return array.endsWith('[]') && isBuiltinType(array.slice(0, -2)) ? withoutModifier(array.slice(0, -2)) : undefined;
}

function seriesType(type: string): Known<string> {
  if (type === 'smallint') return 'integer';
  if (type === 'date') return 'timestamp with time zone';
  return ['integer', 'bigint', 'numeric', 'timestamp without time zone', 'timestamp with time zone'].includes(type) ? type
    : unknown('type of the series');
}

/** The result type of the built-in functions whose overloads differ, over known arguments (measured in the tests). */
export function callType(name: string, values: readonly Value[]): string | undefined {
  const first = values[0];
  if (name === 'random' && values.length === 0) return 'double precision';
  if (first === undefined || isUnknown(first.type)) return undefined;
  const type = withoutModifier(first.type);
  if (name === 'timezone') return zoneType(values);
  if (name === 'length') return isText(type) || type === 'bytea' ? 'integer' : undefined;
  if (name === 'sum') return first.literal ? undefined : sums[type];
  if (name === 'avg') return first.literal ? undefined : averages[type];
  if (name === 'min' || name === 'max') {
    if (first.literal) return undefined;
    if (type === 'character varying') return 'text';
    return sameTypeMinMax.has(type) ? type : undefined;
  }
  if (name === 'date_trunc') {
    const second = values[1];
    if (second === undefined || isUnknown(second.type) || second.literal) return undefined;
    const of = withoutModifier(second.type);
    if (of === 'date') return values.length === 2 ? 'timestamp with time zone' : undefined;
    return of === 'interval' || of.startsWith('timestamp ') ? of : undefined;
  }
  if (name === 'age') return values.every(value => typeof value.type === 'string' && /^(timestamp\b|date)/.test(value.type)) ? 'interval'
    : undefined;
  if (name === 'abs') return !first.literal && isNumber(type) ? type : undefined;
  if (roundings.has(name)) {
    if (first.literal) return undefined;
    if (type === 'numeric') return 'numeric';
    if (values.length === 2) return integers.includes(type) && (name === 'round' || name === 'trunc') ? 'numeric' : undefined;
    return isNumber(type) ? 'double precision' : undefined;
  }
  if (textual.has(name)) return first.literal || isText(type) ? 'text' : undefined;
  if (first.literal) return undefined;
  if (passing.has(name)) return isBuiltinType(type) ? type : undefined;
  if (name === 'array_agg') return isBuiltinType(type) ? `${type}[]` : undefined;
  return undefined;
}
