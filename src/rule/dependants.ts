import type { Catalog, CatalogObject, Matview, Name, ObjectId, Span, Table, View } from '../model.ts';
import { quoteLiteral } from '../sql/print.ts';
import { qualified } from './words.ts';

/** The materialized views whose rows come from an object through nothing but plain views (and the object's own columns), each once. */
export function matviewsOver(id: ObjectId, catalog: Catalog): readonly Matview[] {
  const seen = new Set<ObjectId>([id]);
  const queue = [id];
  const found: Matview[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift())
    for (const { dependent, strength } of catalog.dependants(next)) {
      if (strength !== 'normal' || seen.has(dependent)) continue;
      seen.add(dependent);
      const object = catalog.get(dependent);
      if (object?.kind === 'matview') found.push(object);
      if (object?.kind === 'view') queue.push(dependent);
    }
  return found.sort((a, b) => a.id - b.id);
}

/** The materialized views whose own query reads the object. */
export function matviewsReading(id: ObjectId, catalog: Catalog): readonly Matview[] {
  return [...new Set(catalog.dependants(id).filter(({ strength }) => strength === 'normal').map(({ dependent }) => dependent))]
    .flatMap(dependent => {
      const object = catalog.get(dependent);
      return object?.kind === 'matview' ? [object] : [];
    });
}

/** Whether a materialized view reads the object, through plain views too. */
export function feedsMatview(id: ObjectId, catalog: Catalog): boolean {
  return matviewsOver(id, catalog).length > 0;
}

/** The materialized views whose rows a view's query reads, directly or through plain views, each once. */
export function matviewsBeneath(view: View | Matview, catalog: Catalog): readonly Matview[] {
  const seen = new Set<ObjectId>();
  const queue: (View | Matview)[] = [view];
  const found: Matview[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift())
    for (const { id } of next.query.reads) {
      if (seen.has(id)) continue;
      seen.add(id);
      const object = catalog.get(id);
      if (object?.kind === 'matview') found.push(object);
      if (object?.kind === 'view') queue.push(object);
    }
  return found;
}

/** The tables whose rows a query reads, through views and materialized views, each once. */
export function tablesBeneath(view: View | Matview, catalog: Catalog): readonly Table[] {
  const seen = new Set<ObjectId>();
  const queue: (View | Matview)[] = [view];
  const found: Table[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift())
    for (const { id } of next.query.reads) {
      if (seen.has(id)) continue;
      seen.add(id);
      const object = catalog.get(id);
      if (object?.kind === 'table') found.push(object);
      if (object?.kind === 'view' || object?.kind === 'matview') queue.push(object);
    }
  return found;
}

/** The object in pg_depend: a view depends through its rule, a routine and a policy by themselves. */
function dependent(object: CatalogObject): string {
  if (object.kind === 'routine')
    return `d.classid = 'pg_proc'::regclass AND d.objid IN (SELECT p.oid FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
      WHERE p.proname = ${quoteLiteral(object.name.name)} AND n.nspname = ${quoteLiteral(object.name.schema)})`;
  if (object.kind === 'policy')
    return `d.classid = 'pg_policy'::regclass AND d.objid IN (SELECT oid FROM pg_policy WHERE polname = ${quoteLiteral(object.name)})`;
  const relation = typeof object.name === 'string' ? object.name : qualified(object.name);
  return `d.classid = 'pg_rewrite'::regclass
    AND d.objid IN (SELECT oid FROM pg_rewrite WHERE ev_class = to_regclass(${quoteLiteral(relation)}))`;
}

/** SQL that counts how many of these objects Postgres says depend on the relation of this name; NULL when there is no such relation. */
export function countDependants(name: Name, objects: readonly CatalogObject[]): string {
  const relation = `to_regclass(${quoteLiteral(qualified(name))})`;
  const one = (object: CatalogObject): string =>
    `EXISTS (SELECT FROM pg_depend AS d
      WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ${relation} AND ${dependent(object)})::int`;
  return `SELECT CASE WHEN ${relation} IS NOT NULL THEN ${objects.map(one).join(' + ')} END`;
}

/** The plain views beneath a query, each once, with the place in this query where the way to it begins. */
export function viewsBeneath(view: View | Matview, catalog: Catalog): readonly { readonly view: View; readonly read: Span }[] {
  // Most queries read tables.
  if (!view.query.reads.some(({ id }) => catalog.get(id)?.kind === 'view')) return [];
  const seen = new Set<ObjectId>();
  const queue = view.query.reads.map(({ id, span }) => ({ id, read: span }));
  const found: { view: View; read: Span }[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const object = catalog.get(next.id);
    if (object?.kind !== 'view' || seen.has(next.id)) continue;
    const { read } = next;
    seen.add(next.id);
    found.push({ view: object, read });
    queue.push(...object.query.reads.map(({ id }) => ({ id, read })));
  }
  return found;
}
