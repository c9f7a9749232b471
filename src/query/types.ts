import { builtins, majors } from '../builtins/builtins.ts';
import type { Known, ObjectId } from '../model.ts';
import type { TypeName } from '../sql/tree.ts';
import { typeText } from '../sql/type-name.ts';
import type { Node } from '../sql/tree.ts';
import { selectCommon } from './coercion.ts';
import { strings } from './names.ts';
import { isHole, isUnknown, unknown, type Value } from './scope.ts';
import { typesIn, type SqlType, type Typed, type Types } from './sql-type.ts';
import type { Surroundings } from './surroundings.ts';

const serials: Readonly<Record<string, string>> = {
  serial: 'int4', serial4: 'int4', bigserial: 'int8', serial8: 'int8', smallserial: 'int2', serial2: 'int2',
};

/** Whether format_type's text names a built-in scalar type (modifiers aside). */
export function isBuiltinType(type: string): boolean {
  let known = scalars.get(type);
  if (known === undefined) {
    const kind = builtins(majors.at(-1)!).typePrinted(withoutModifier(type))?.kind;
    known = kind === 'base' || kind === 'range' || kind === 'multirange';
    if (scalars.size >= mostScalars) scalars.clear();
    scalars.set(type, known);
  }
  return known;
}

/** A pure cache: every column of every table is asked about. */
const scalars = new Map<string, boolean>();
const mostScalars = 1_000;

/** The type without its modifier, as format_type prints a modifier of -1: `numeric(12,2)` → `numeric`, `character(3)` → `bpchar`. */
export function withoutModifier(type: string): string {
  if (type.startsWith('interval ')) return type.endsWith('[]') ? 'interval[]' : 'interval';
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

/** The printed type with its modifiers; undefined where they are not plain numbers or not those of a type. */
function withModifiers(type: SqlType, typeName: TypeName): string | undefined {
  const typmods = typeName.typmods ?? [];
  if (typmods.length === 0) return type.printed;
  const numbers = typmods.map(modifier);
  if (numbers.some(number => number === undefined)) return undefined;
  const [first = 0, second = 0] = numbers as number[];
  if (type.key === 'interval') return typeText({ ...typeName, arrayBounds: [] });
  if (type.key === 'numeric') return typmods.length > 2 ? undefined : `numeric(${first},${second})`;
  if (typmods.length > 1) return undefined;
  if (type.key === 'varchar' || type.key === 'varbit') return `${type.printed}(${first})`;
  if (type.key === 'bpchar') return `character(${first})`;
  if (type.key === 'bit') return `bit(${first})`;
  const timed = /^(time|timestamp) (with|without) time zone$/.exec(type.printed);
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
  const types = typesIn(catalog);
  const type = types.find(schema === undefined ? serials[name] ?? name : name, schema);
  const text = type === undefined ? undefined : withModifiers(type, typeName);
  if (type === undefined || text === undefined) return { type: what };
  const isArray = (typeName.arrayBounds?.length ?? 0) > 0;
  // A row type's id is its relation's, which is no type of the history.
  return { type: isArray ? `${text}[]` : text, ...(type.id === undefined || type.key.startsWith('row ') ? {} : { id: type.id }) };
}

/**
 * The type of a value for the rules of resolution: a literal whose type the context decides is `unknown`; undefined when it is not known.
 */
export function typeOfValue(value: Pick<Value, 'type' | 'literal'>, types: Types): SqlType | undefined {
  return value.literal ? types.named('unknown') : types.parse(value.type)?.type;
}

/**
 * The type that CASE, COALESCE, VALUES, UNION give (select_common_type and select_common_typmod in parse_coerce.c): the modifier stays
 * where all
 * have it. Unknown when one of the types is.
 */
export function commonType(values: readonly Pick<Value, 'type' | 'literal'>[], what: string,
  types: Types): { readonly type: Known<string>; readonly literal: false } {
  const none = { type: unknown(`type of ${what}`), literal: false } as const;
  // Equal types need not be known to be equal.
  const [first] = values;
  if (first !== undefined && !first.literal && !isUnknown(first.type) && values.every(value => !value.literal
    && value.type === first.type)) {
    return { type: first.type, literal: false };
  }
  const inputs = values.map(value => typeOfValue(value, types));
  if (inputs.some(input => input === undefined)) return none;
  const common = selectCommon(types, inputs as SqlType[]);
  return common === undefined ? none : { type: common.printed, literal: false };
}

/** The type of a number constant: make_const in parse_node.c. */
export function numberType(text: string): string {
  const whole = wholeNumber(text);
  if (whole === undefined) return 'numeric';
  if (whole >= -(2n ** 31n) && whole < 2n ** 31n) return 'integer';
  return whole >= -(2n ** 63n) && whole < 2n ** 63n ? 'bigint' : 'numeric';
}

/** Digits with `_` between them, hexadecimal, octal and binary ones too (16 and later). */
function wholeNumber(text: string): bigint | undefined {
  const plain = text.replaceAll('_', '').toLowerCase();
  const [, sign, digits = ''] = /^(-?)(\d+|0x[0-9a-f]+|0o[0-7]+|0b[01]+)$/.exec(plain) ?? [];
  if (digits === '' || digits.length > 100) return undefined;
  const value = BigInt(digits);
  return sign === '-' ? -value : value;
}

export const comparisons = new Set(['=', '<>', '<', '>', '<=', '>=']);

/** A printed type of an element or array: the modifier of the one is that of the other. */
export function elementText(array: Typed): string | undefined {
  const { type, text } = array;
  if (type.element === undefined) return undefined;
  return text.endsWith('[]') ? text.slice(0, -2) : type.element.printed;
}
