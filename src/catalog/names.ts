import type { CatalogObject, Relation } from '../model.ts';

/** The namespaces of Postgres: relations share one; types and routines have their own; the last three are not in a schema. */
export type Namespace = 'relation' | 'type' | 'routine' | 'schema' | 'role' | 'extension';

const relationKinds = new Set(['table', 'view', 'matview', 'index', 'sequence']);
/** Whether an object lives in the namespace of relations. */
export function isRelation(object: CatalogObject | undefined): object is Relation {
  return object !== undefined && relationKinds.has(object.kind);
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
