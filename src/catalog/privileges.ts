import type { Catalog, Known, Matview, Query, Selectable } from '../model.ts';
import { isSelectable, isUnknown } from './change.ts';
import { isPlain } from './roles.ts';
import { Store } from './store.ts';

/** `isPlain`, by the role's name. */
export function isPlainRole(name: string, catalog: Catalog): boolean {
  const found = catalog instanceof Store ? catalog.findGlobal('role', name) : undefined;
  return found?.is === 'present' && isPlain(found.object);
}

/** Whether the role surely may not read these columns of the relation. Whose a relation is counts as known, or as the migrations' own role. */
function surelyNot(role: string, relation: Selectable, columns: readonly string[] | undefined, catalog: Catalog): boolean {
  const own = isUnknown(relation.owner) ? isUnknown(catalog.session.role) && relation.owner.unknown === catalog.session.role.unknown
    : relation.owner !== role;
  if (!own || [role, 'public'].some(grantee => relation.grants.get(grantee)?.has('SELECT') === true)) return false;
  if (isUnknown(relation.columns)) return false;
  const readable = relation.columns.filter(column => [role, 'public'].some(grantee => column.grants?.get(grantee)?.has('SELECT') === true));
  // count(*) needs one readable column, whichever.
  if (columns === undefined || columns.length === 0) return readable.length === 0;
  return columns.some(name => !readable.some(column => column.name === name));
}

/**
 * The first relation that a view's query reads and its owner surely may not: REFRESH runs as the owner and is refused 42501, whoever asks
 * for it (measured, facts E, F). What a plain view reads is the business of the view's own owner. Undefined when nothing is sure.
 */
export function unreadableSource(matview: Matview, catalog: Catalog): Selectable | undefined {
  return unreadable(matview.query, matview.owner, catalog);
}

/**
 * Whether a view's owner surely may make no temporary table: CONCURRENTLY needs one and is refused 42501, whoever asks for it (measured, facts B).
 * All databases that the history names count as the one it runs in.
 */
export function lacksTemporary({ owner }: Matview, catalog: Catalog): boolean {
  if (!(catalog instanceof Store) || isUnknown(owner) || !isPlainRole(owner, catalog)) return false;
  return !catalog.temporaryFor.includes('public') && !catalog.temporaryFor.includes(owner);
}

/** The first relation that a query reads and the role that runs it surely may not. */
export function unreadable(query: Query, owner: Known<string>, catalog: Catalog): Selectable | undefined {
  if (isUnknown(owner) || !isPlainRole(owner, catalog)) return undefined;
  for (const read of query.reads) {
    const relation = catalog.get(read.id);
    if (isSelectable(relation) && relation.kind !== 'view' && surelyNot(owner, relation, read.columns, catalog)) return relation;
    if (relation?.kind === 'view' && surelyNot(owner, relation, undefined, catalog)) return relation;
  }
  return undefined;
}
