import type { CatalogObject, Schema } from '../model.ts';

/** A role of the history that is no superuser and belongs to no other role: what it may do is what it was granted. */
export function isPlain(object: CatalogObject | undefined): boolean {
  return object?.kind === 'role' && !object.superuser && object.memberOf?.length === 0;
}

/** Whether a plain role surely may not look into a schema. */
export function lacksUsage(role: string, { owner, grants }: Schema): boolean {
  return typeof owner === 'string' && owner !== role && ![role, 'public'].some(name => grants.get(name)?.has('USAGE') === true);
}
