import type { Node } from '../sql/tree.ts';
import { pathway, type Context, type Pathway } from './coercion.ts';
import { changeClass, type ChangeClass } from './change-classes.ts';
import type { Origin } from './determinism.ts';
import type { SqlType, Types } from './sql-type.ts';

/** A value that depends on how the refreshing session is set (measured, facts C3). */
export function settingOrigin(setting: string | undefined): Origin | undefined {
  return setting === undefined ? undefined
    : { cause: 'session', flips: 'when the session differs', says: `depends on the session's ${setting}`, setting };
}

/**
 * What the text form of a type depends on (facts G, types whose input and output functions are stable). That of a timestamptz depends on
 * DateStyle
 * too; the zone is what differs in practice.
 */
const texts: Readonly<Record<string, string>> = {
  timestamptz: 'TimeZone', timetz: 'TimeZone', tstzrange: 'TimeZone', tstzmultirange: 'TimeZone', date: 'DateStyle', timestamp: 'DateStyle',
  daterange: 'DateStyle', datemultirange: 'DateStyle', tsrange: 'DateStyle', tsmultirange: 'DateStyle', interval: 'IntervalStyle',
    money: 'lc_monetary',
};

/** The settings that the text of a whole row depends on, by its fields; as JSON only those that JSON does not write its own way. */
export function rowSettings(types: Types, name: string, inputs: readonly (SqlType | undefined)[]): readonly string[] {
  if (!asJson.test(name)) return [];
  const fields = inputs.flatMap(input => {
    const known = input === undefined ? undefined : types.baseOf(input).fields;
    return known === undefined || 'unknown' in known ? [] : known;
  });
  const found = fields.flatMap(field => {
    const type = types.parse(field.type)?.type;
    return type === undefined ? [] : printedBy(types, type) ?? [];
  });
  return [...new Set(found.filter(setting => !styles.has(setting)))];
}

/** What is printed as a setting says, and read the same whatever it is (measured, npm run oracle:poison). */
const printed: Readonly<Record<string, string>> = { bytea: 'bytea_output', float4: 'extra_float_digits', float8: 'extra_float_digits' };

const printedBy = (types: Types, type: SqlType): string | undefined => {
  const { key } = elementOf(types, type);
  return texts[key] ?? printed[key];
};

const elementOf = (types: Types, type: SqlType): SqlType => {
  const base = types.baseOf(type);
  return base.element === undefined ? base : types.baseOf(base.element);
};

function ofPathway(types: Types, way: Pathway, from: SqlType, to: SqlType): string | undefined {
  if (way.kind === 'function') return ofFunction(way.name, way.arguments);
  if (way.kind === 'array') return ofPathway(types, way.element, elementOf(types, from), elementOf(types, to));
  return way.kind === 'io' ? printedBy(types, from) ?? texts[elementOf(types, to).key] : undefined;
}

/**
 * The setting that a conversion depends on: `timestamptz::date` is another day in another TimeZone. Literals are converted once, at
 * CREATE.
 */
export function conversionSetting(types: Types, from: SqlType, to: SqlType, context: Context): string | undefined {
  if (from.key === to.key || from.key === 'unknown' || to.key === 'any') return undefined;
  const way = pathway(types, to, from, context);
  return way === undefined ? undefined : ofPathway(types, way, from, to);
}

const ofClass: Readonly<Partial<Record<ChangeClass, string>>> = {
  timezone: 'TimeZone', locale: 'lc_monetary', textSearch: 'default_text_search_config', xml: 'xmloption',
};

/**
 * An interval of hours is the same in every zone and one of days seldom differs (where clocks change), so adding one is left out: a value
 * that is
 * said to depend on the session does in an ordinary one.
 */
const shifts = new Set(['timestamptz_pl_interval', 'timestamptz_mi_interval', 'interval_pl_timestamptz', 'date_add', 'date_subtract']);

/** The setting that a built-in function or the function of an operator depends on, whatever its arguments. */
function ofFunction(name: string, args: readonly string[]): string | undefined {
  const kind = changeClass(name, args);
  return kind === undefined || shifts.has(name) ? undefined : ofClass[kind];
}

const text = (node: Node | undefined): string | undefined =>
  (node !== undefined && 'A_Const' in node && node.A_Const.sval !== undefined ? node.A_Const.sval.sval ?? '' : undefined);

/** to_json writes dates as ISO 8601 in any DateStyle, but a timestamptz in the session's zone; all else as it is printed. */
const styles = new Set(['DateStyle']);
const asJson = /^(jsonb?_|to_jsonb?$|row_to_json$|array_to_json$)/;

/** Parts of a time that are the same in every zone: zones of today differ by whole minutes. */
const fields = /^(extract|date_part|date_trunc)$/;
const inZones = new Set(['epoch', 'second', 'seconds', 'millisecond', 'milliseconds', 'microsecond', 'microseconds']);

/** The setting that a call of a built-in function depends on; `inputs` are the types of its arguments, `nodes` the arguments. */
export function callSetting(types: Types, name: string, args: readonly string[], inputs: readonly (SqlType | undefined)[],
  nodes: readonly Node[]): string | undefined {
  const kind = changeClass(name, args);
  if (kind === 'setting') return name === 'current_setting' ? text(nodes[0]) : undefined;
  if (kind === 'locale' && name.startsWith('to_')) {
    // Only the patterns that name the locale ask for it: TM for words, L, D and G for numbers.
    const format = text(nodes[1]);
    const isDate = args[0] === 'timestamp' || args[0] === 'interval' || name === 'to_date';
    if (format === undefined || !(isDate ? /TM/ : /[LDG]/i).test(format)) return undefined;
    return isDate ? 'lc_time' : 'lc_numeric';
  }
  if (fields.test(name) && inZones.has(text(nodes[0])?.toLowerCase() ?? '')) return undefined;
  if (kind !== 'output') return ofFunction(name, args);
  for (const input of inputs) {
    const setting = input === undefined ? undefined : printedBy(types, input);
    if (setting !== undefined && (!asJson.test(name) || !styles.has(setting))) return setting;
  }
  return undefined;
}
