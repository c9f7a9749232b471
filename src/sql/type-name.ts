import type { Node, TypeName } from './tree.ts';

/** Internal names that format_type prints in the standard's words (checked against PGlite by the agreement command). */
const words: Readonly<Record<string, string>> = {
  int2: 'smallint', int4: 'integer', int8: 'bigint', float4: 'real', float8: 'double precision', bool: 'boolean', varchar: 'character varying',
  bpchar: 'character', char: '"char"', timestamptz: 'timestamp with time zone', timestamp: 'timestamp without time zone', timetz: 'time with time zone',
  time: 'time without time zone', varbit: 'bit varying', decimal: 'numeric',
};
const serials: Readonly<Record<string, string>> = {
  serial: 'integer', serial4: 'integer', bigserial: 'bigint', serial8: 'bigint', smallserial: 'smallint', serial2: 'smallint',
};

/** INTERVAL's field masks, as makeIntervalFields numbers them (utils/timestamp.h: a bit per field). */
const intervalFields: Readonly<Record<number, string>> = {
  4: ' year', 2: ' month', 8: ' day', 1024: ' hour', 2048: ' minute', 4096: ' second', 6: ' year to month', 1032: ' day to hour', 3080: ' day to minute',
  7176: ' day to second', 3072: ' hour to minute', 7168: ' hour to second', 6144: ' minute to second',
};

const textOf = (node: Node): string => ('String' in node ? node.String.sval ?? '' : '');
const integerOf = (node: Node | undefined): number | undefined => (node && 'A_Const' in node ? node.A_Const.ival && (node.A_Const.ival.ival ?? 0) : undefined);

/** The parts of a type's name as written: schema (never pg_catalog) and name. */
export function typeWritten(type: TypeName | undefined): { readonly schema?: string; readonly name: string } {
  const parts = (type?.names ?? []).map(textOf);
  const name = parts.at(-1) ?? '';
  const schema = parts.length > 1 ? parts.at(-2) : undefined;
  return schema === undefined || schema === 'pg_catalog' ? { name } : { schema, name };
}

/** The sequence-making pseudo-type (`serial` …) as its real type, or undefined when it is none. */
export function serialType(type: TypeName | undefined): string | undefined {
  const { schema, name } = typeWritten(type);
  return schema === undefined ? serials[name] : undefined;
}

/**
 * A type as format_type prints it: `integer`, `character varying(10)`, `numeric(12,2)`, `timestamp(3) with time zone`, `text[]`.
 * A type that is not built in keeps the name the author wrote.
 */
export function typeText(type: TypeName): string {
  const { schema, name } = typeWritten(type);
  const system = (type.names ?? []).length > 1 && textOf(type.names![0]!) === 'pg_catalog';
  const base = schema !== undefined ? `${schema}.${name}` : name === 'char' && !system ? '"char"' : words[name] ?? name;
  const modifiers = (type.typmods ?? []).map(integerOf).filter(value => value !== undefined);
  return withModifiers(base, name, modifiers) + '[]'.repeat(type.arrayBounds?.length ? 1 : 0);
}

function withModifiers(base: string, name: string, modifiers: readonly number[]): string {
  if (name === 'interval') return interval(modifiers);
  if (modifiers.length === 0) return base;
  if (name === 'bpchar' && modifiers[0] === 1) return 'character(1)';
  if (name === 'numeric' || name === 'decimal') return `${base}(${modifiers[0]},${modifiers[1] ?? 0})`;
  const zone = /^(timestamp|time)( with(?:out)? time zone)$/.exec(base);
  return zone ? `${zone[1]}(${modifiers[0]})${zone[2]}` : `${base}(${modifiers.join(',')})`;
}

function interval(modifiers: readonly number[]): string {
  const fields = modifiers[0] === undefined ? '' : intervalFields[modifiers[0]] ?? '';
  return `interval${fields}${modifiers[1] === undefined ? '' : `(${modifiers[1]})`}`;
}
