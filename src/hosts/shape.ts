import { oneOf } from './arguments.ts';
import { suggestion } from './usage.ts';

/** The part of JSON Schema that the configuration uses. One source for the editor's completion and for what is accepted. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
}

/** The first thing that is wrong with a value, as a sentence that begins with its place; undefined when all is right. */
export function shapeError(value: unknown, schema: Schema, definitions: Readonly<Record<string, Schema>>, place = ''): string | undefined {
  if (schema.$ref !== undefined) return shapeError(value, definitions[schema.$ref.slice('#/definitions/'.length)] ?? {}, definitions, place);
  const here = place === '' ? 'the configuration' : place;
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    const choices = schema.enum.map(String);
    return `${here} is ${oneOf(choices)}, not ${shown(value)}${typeof value === 'string' ? suggestion(value, choices) : ''}`;
  }
  if (schema.type !== undefined && !hasType(value, schema.type)) return `${here} is ${article(schema.type)}, not ${shown(value)}`;
  if (typeof value === 'number' && (value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity)))
    return `${here} is between ${schema.minimum} and ${schema.maximum}, not ${value}`;
  if (typeof value === 'string' && value.length < (schema.minLength ?? 0)) return `${here} is empty`;
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? undefined : first(value.map((item, index) => () => shapeError(item, items, definitions, `${place}[${index}]`)));
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const absent = schema.required?.find(key => !Object.hasOwn(value, key));
  if (absent !== undefined) return `${here} has no '${absent}'`;
  return first(Object.entries(value).map(([key, inner]) => () => {
    const at = place === '' ? key : `${place}.${key}`;
    const known = schema.properties ?? {};
    const own = Object.hasOwn(known, key) ? known[key] : undefined;
    if (own !== undefined) return shapeError(inner, own, definitions, at);
    if (schema.additionalProperties === false) return `there is no key '${at}'${suggestion(key, Object.keys(known))}`;
    return typeof schema.additionalProperties === 'object' ? shapeError(inner, schema.additionalProperties, definitions, at) : undefined;
  }));
}

function first(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const wrong = check();
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case 'array': return Array.isArray(value);
    case 'object': return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer': return Number.isInteger(value);
    default: return typeof value === type;
  }
}
const article = (type: string): string => (type === 'array' ? 'a list' : type === 'integer' ? 'a whole number' : type === 'object' ? 'an object' : `a ${type}`);
const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
};
