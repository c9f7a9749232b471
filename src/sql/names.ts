import type { WrittenName } from '../model.ts';

/** Reads `schema.name` as `quoteName` prints it; undefined for more parts. Unquoted parts are taken as they stand. */
export function readWrittenName(text: string): WrittenName | undefined {
  const parts = [...text.matchAll(/"((?:[^"]|"")*)"|([^".]+)/g)].map(match => match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
  const [first, second] = parts;
  if (first === undefined || parts.length > 2) return undefined;
  return second === undefined ? { name: first } : { schema: first, name: second };
}
