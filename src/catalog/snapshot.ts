/** A catalog as text that can be kept, and back: what `mvlint snapshot` writes and `--catalog` reads. */
import type { Catalog } from '../model.ts';
import { emptyCatalog, Store, type StoreParts } from './store.ts';

/** Raised when a reader of the old form would misread the new one. */
export const snapshotVersion = 1;

export type ReadSnapshot = { readonly ok: true; readonly catalog: Catalog } | { readonly ok: false; readonly problem: string };

/** Maps and sets as JSON: `{ "$map": [[key, value], …] }` and `{ "$set": […] }`. Everything else of the vocabulary is plain data already. */
function encoded(_: string, value: unknown): unknown {
  if (value instanceof Map) return { $map: [...value] };
  if (value instanceof Set) return { $set: [...value] };
  return value;
}

function decoded(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { $map, $set } = value as { readonly $map?: unknown; readonly $set?: unknown };
  if (Array.isArray($map)) return new Map($map.filter((pair): pair is [unknown, unknown] => Array.isArray(pair) && pair.length === 2));
  return Array.isArray($set) ? new Set($set) : value;
}

/** One object a line, so that two snapshots can be compared. `tool` is the version of mvlint that writes. Throws for a catalog that is no store's: our own bug. */
export function writeSnapshot(catalog: Catalog, tool: string): string {
  if (!(catalog instanceof Store)) throw new TypeError('only a store can be kept');
  const { objects, dependencies, sites, ...rest } = catalog.parts();
  const lines = (list: readonly unknown[]): string => (list.length === 0 ? '[]' : `[\n${list.map(one => JSON.stringify(one, encoded)).join(',\n')}\n]`);
  const head = JSON.stringify({ version: snapshotVersion, tool: { name: 'mvlint', version: tool }, ...rest }, encoded);
  return `${head.slice(0, -1)},\n"sites": ${lines(sites)},\n"objects": ${lines(objects)},\n"dependencies": ${lines(dependencies)}\n}\n`;
}

/** What an object of each kind has to have for the replay to read it; more would say the vocabulary twice. */
const shapes: Readonly<Record<string, readonly string[]>> = {
  schema: ['name', 'grants'], role: ['name'], extension: ['name'], type: ['name', 'form', 'detail'], sequence: ['name', 'options', 'grants'],
  table: ['name', 'options', 'columns', 'grants', 'constraints', 'inherits'], view: ['name', 'options', 'columns', 'grants', 'query'],
  matview: ['name', 'options', 'columns', 'grants', 'query', 'populated', 'statistics'], index: ['name', 'options', 'on', 'columns', 'include'],
  routine: ['name', 'arguments', 'settings', 'statement'], trigger: ['name', 'on'], policy: ['name', 'on'],
};
const mapKeys: ReadonlySet<string> = new Set(['options', 'grants', 'statistics', 'settings']);
const listKeys: ReadonlySet<string> = new Set(['constraints', 'inherits', 'include', 'detail']);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Ids are what a store gives: it keeps its objects by 32 bits. */
const isId = (value: unknown): boolean => typeof value === 'number' && value > 0 && value === value >>> 0;

function objectProblem(value: unknown): string | undefined {
  if (!isRecord(value)) return 'an object of it is no object';
  const { kind, id, name, query, statement } = value;
  const shape = typeof kind === 'string' && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
  if (shape === undefined || !isId(id)) return 'an object of it has no known kind or no id';
  const named = typeof name === 'string' || (isRecord(name) && typeof name['schema'] === 'string' && typeof name['name'] === 'string');
  const lacks = shape.find(key => (mapKeys.has(key) ? !(value[key] instanceof Map) : listKeys.has(key) ? !Array.isArray(value[key]) : value[key] === undefined));
  if (lacks !== undefined || !named) return `a ${String(kind)} of it has no ${lacks ?? 'name'}`;
  if (query !== undefined && !(isRecord(query) && isRecord(query['statement']) && typeof query['statement']['sql'] === 'string' && Array.isArray(query['reads'])))
    return `the query of a ${String(kind)} of it cannot be read`;
  if (statement !== undefined && !(isRecord(statement) && typeof statement['sql'] === 'string')) return `the statement of a ${String(kind)} of it cannot be read`;
  return undefined;
}

/**
 * Reads what `writeSnapshot` wrote. A file that is none, or one that somebody broke, is a problem in words. `session` wins over the session that the
 * snapshot was taken in: migrations run with another one as a rule.
 */
export function readSnapshot(text: string, session: { readonly searchPath?: readonly string[]; readonly role?: string } = {}): ReadSnapshot {
  const wrong = (problem: string): ReadSnapshot => ({ ok: false, problem });
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''), decoded);
  } catch (error) {
    return wrong(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isRecord(value) || typeof value['version'] !== 'number' || !Array.isArray(value['objects'])) return wrong('it is no snapshot of mvlint');
  if (value['version'] !== snapshotVersion) return wrong(`it has version ${value['version']}, and this mvlint reads ${snapshotVersion}; take a new one`);
  for (const object of value['objects']) {
    const problem = objectProblem(object);
    if (problem !== undefined) return wrong(problem);
  }
  const list = (key: string): readonly never[] => (Array.isArray(value[key]) ? value[key] as unknown as readonly never[] : []);
  const kept = value['session'];
  const initial = isRecord(kept) && kept['parameters'] instanceof Map ? kept as unknown as StoreParts['session'] : emptyCatalog().session;
  const ids = (value['objects'] as StoreParts['objects']).reduce((most, { id }) => Math.max(most, id), 0);
  const { postgres, engineVersions } = value;
  return {
    ok: true,
    catalog: Store.from({
      world: value['world'] === 'open' ? 'open' : 'closed', complete: value['complete'] === true, ...(typeof postgres === 'number' ? { postgres } : {}),
      ...(isRecord(engineVersions) ? { engineVersions } : {}), session: { ...initial, ...session },
      sites: list('sites'), defaultPrivileges: list('defaultPrivileges'), temporaryFor: Array.isArray(value['temporaryFor']) ? list('temporaryFor') : ['public'], objects: value['objects'] as StoreParts['objects'],
      dependencies: list('dependencies'), names: list('names'), doubtful: list('doubtful'), nextId: Math.max(ids + 1, Number(value['nextId']) || 0),
    }),
  };
}
