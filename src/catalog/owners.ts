import type { CatalogObject } from '../model.ts';
import type { RoleSpec } from '../sql/tree.ts';
import { type Change, type Outcome } from './change.ts';
import { isRelation } from './names.ts';
import type { Known } from '../model.ts';

/** The role a RoleSpec names; PUBLIC is `public`. */
export function roleName(change: Change, spec: RoleSpec | undefined): Known<string> {
  if (spec?.roletype === 'ROLESPEC_PUBLIC') return 'public';
  if (spec?.roletype === 'ROLESPEC_CSTRING' && spec.rolename !== undefined) return spec.rolename;
  return change.store.session.role;
}

/** OWNER TO: indexes and owned sequences follow their relation. */
export function changeOwner(change: Change, object: CatalogObject, spec: RoleSpec | undefined): Outcome {
  const to = roleName(change, spec);
  if (typeof to !== 'string') return undefined;
  change.store.put({ ...object, owner: to });
  if (isRelation(object)) {
    for (const link of change.store.dependants(object.id)) {
      const follower = change.store.get(link.dependent);
      if ((follower?.kind === 'index' && follower.on === object.id) || (follower?.kind === 'sequence' && follower.ownedBy?.table === object.id))
        change.store.put({ ...follower, owner: to });
    }
  }
  change.effects.push({ kind: 'setOwner', object, from: object.owner, to, via: change.via });
  return undefined;
}
