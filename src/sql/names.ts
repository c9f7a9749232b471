import type { WrittenName } from '../model.ts';

/** Reads a name as the input function of regclass does: `Shop."Orders"` is `shop."Orders"`. Undefined for what it would not read, and for three parts. */
export function readRegclass(text: string): WrittenName | undefined {
  const match = /^\s*(?:("(?:[^"]|"")+"|[\w$]+)\.)?("(?:[^"]|"")+"|[\w$]+)\s*$/.exec(text);
  if (!match) return undefined;
  const read = (part: string): string => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toLowerCase());
  const [, schema, name = ''] = match;
  return { ...(schema === undefined ? {} : { schema: read(schema) }), name: read(name) };
}

/** Reads `schema.name` as `quoteName` prints it; undefined for more parts. Unquoted parts are taken as they stand. */
export function readWrittenName(text: string): WrittenName | undefined {
  const parts = [...text.matchAll(/"((?:[^"]|"")*)"|([^".]+)/g)].map(match => match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
  const [first, second] = parts;
  if (first === undefined || parts.length > 2) return undefined;
  return second === undefined ? { name: first } : { schema: first, name: second };
}
