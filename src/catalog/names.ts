import type { CatalogObject, Name, Relation } from '../model.ts';

/** The namespaces of Postgres: relations share one; types and routines have their own; the last three are not in a schema. */
export type Namespace = 'relation' | 'type' | 'schema' | 'role' | 'extension';

/** Where a namespace holds a name. */
export const key = (namespace: Namespace, schema: string, name: string): string => `${namespace}\0${schema}\0${name}`;
/** Where overloads of one name stand. */
export const routineKey = (name: Name): string => `${name.schema}\0${name.name}`;

const relationKinds = new Set(['table', 'view', 'matview', 'index', 'sequence']);
/** Whether an object lives in the namespace of relations. */
export function isRelation(object: CatalogObject | undefined): object is Relation {
  return object !== undefined && relationKinds.has(object.kind);
}

/** The namespace key of an object; routines (overloaded), triggers and policies (owned by a table) have none. */
export function keyOf(object: CatalogObject): string | undefined {
  if (isRelation(object)) return key('relation', object.name.schema, object.name.name);
  if (object.kind === 'type') return key('type', object.name.schema, object.name.name);
  if (object.kind === 'schema' || object.kind === 'role' || object.kind === 'extension') return key(object.kind, '', object.name);
  return undefined;
}

/** The name that a key of `keyOf` stands for. */
export function nameAt(at: string): Name {
  const [, schema = '', name = ''] = at.split('\0');
  return { schema, name };
}

/** Whether two versions of an object have one name. */
export function sameName(a: CatalogObject, b: CatalogObject): boolean {
  if (a.kind !== b.kind || !('name' in a) || !('name' in b)) return false;
  if (typeof a.name === 'string' || typeof b.name === 'string') return a.name === b.name;
  return a.name.schema === b.name.schema && a.name.name === b.name.name;
}

/** Schemas that exist in every database and whose contents a history does not make. */
export function isSystemSchema(name: string): boolean {
  return name === 'pg_catalog' || name === 'information_schema' || name === 'pg_toast';
}

/** A name that stands for an unfilled placeholder: nothing is known of it. */
export function isHole(name: string): boolean {
  return name.includes('mvlint_hole_');
}
