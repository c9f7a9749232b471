import { newMemo } from '../memo.ts';
import type { Known } from '../model.ts';
import { isPlain, lacksUsage } from './roles.ts';
import type { Store } from './store.ts';

/** Search paths that mean the same in every catalog: those without `$user`, or without a role to put in its place. */
const resolved = newMemo<readonly string[], Looked>();

/** Where a name without a schema is looked for, and what of the path is passed over. */
export interface Looked {
  readonly schemas: readonly string[];
  /** Schemas that a plain role may not look into (measured, ownership.test.ts). */
  readonly hidden: readonly string[];
}

/** The search path with `$user` resolved and pg_temp first, as schema names; undefined when it is unknown. */
export function lookedIn(store: Store, searchPath: Known<readonly string[]>): Looked | undefined {
  if ('unknown' in searchPath) return undefined;
  const { role } = store.session;
  const asked = typeof role === 'string' ? store.findGlobal('role', role) : undefined;
  const plain = asked?.is === 'present' && isPlain(asked.object);
  const fixed = typeof role !== 'string' || (!plain && !searchPath.includes('$user'));
  const known = fixed ? resolved.get(searchPath) : undefined;
  if (known) return known;
  const named = searchPath.flatMap(schema => (schema !== '$user' ? [schema] : typeof role === 'string' && store.findSchema(role).is === 'present' ? [role] : []));
  const hidden = plain && typeof role === 'string' ? named.filter(schema => {
    const found = store.findSchema(schema);
    return found.is === 'present' && lacksUsage(role, found.object);
  }) : [];
  const looked = { schemas: ['pg_temp', ...named.filter(schema => schema !== 'pg_temp' && !hidden.includes(schema))], hidden };
  if (fixed) resolved.set(searchPath, looked);
  return looked;
}
