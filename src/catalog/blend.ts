import type { CatalogObject, SessionState } from '../model.ts';

/** Whether two facts say the same: plain data, maps and sets by content. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Map && b instanceof Map) return a.size === b.size && [...a].every(([key, value]) => b.has(key) && sameValue(value, b.get(key)));
  if (a instanceof Set && b instanceof Set) return a.size === b.size && [...a].every(item => b.has(item));
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length
    && keys.every(key => Object.hasOwn(b, key) && sameValue((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}

/** Both lists, without the second's members that the first has in the same form. */
export function both<T>(a: readonly T[] | undefined, b: readonly T[] | undefined): readonly T[] {
  if (a === undefined || b === undefined || a === b) return a ?? b ?? [];
  return [...a, ...b.filter(item => !a.some(other => other === item || sameValue(other, item)))];
}

/** Facts that may be unknown without making the whole object so. */
const knownFacts = new Set(['owner', 'columns', 'populated', 'valid', 'comment']);
/** Facts that may differ without making the object unknown: of a list what both sides have is kept, of anything else our side. By the word their facts begin with. */
const softFacts: ReadonlyMap<string, string> = new Map([
  ['constraints', 'constraint'], ['options', 'option'], ['rowSecurity', 'row security'], ['statistics', 'column'], ['clusteredOn', 'clustered'], ['tablespace', 'tablespace'],
]);

/** Facts whose place or history does not matter to whether the object is the same. */
const unimportant = new Set(['madeAt', 'inDoubt']);

type Grants = ReadonlyMap<string, ReadonlySet<string>>;

/** Grants of both sides: one that may have been given is taken as given, for a lost grant is only claimed where it surely was. */
function bothGrants(a: Grants, b: Grants): Grants {
  return new Map([...new Set([...a.keys(), ...b.keys()])].map(role => [role, new Set([...a.get(role) ?? [], ...b.get(role) ?? []])]));
}

/**
 * One object as two branches left it. Facts that differ become unknown; `sure` is false when a fact differs that cannot be (its kind, its
 * name, its query, its options), and nothing may be claimed of the object then.
 */
export function blend(a: CatalogObject, b: CatalogObject): { readonly object: CatalogObject; readonly sure: boolean } {
  if (a.kind !== b.kind) return { object: a, sure: false };
  const [ours, theirs] = [a as unknown as Record<string, unknown>, b as unknown as Record<string, unknown>];
  const facts: Record<string, unknown> = { ...ours };
  let sure = true;
  const doubts = new Set([...a.inDoubt ?? [], ...b.inDoubt ?? []]);
  for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    if (sameValue(ours[key], theirs[key])) continue;
    if (knownFacts.has(key)) facts[key] = { unknown: `${key} after a branch that may not be taken` };
    else if (key === 'everPopulated') facts[key] = true;
    else if (key === 'grants') {
      doubts.add('grant');
      facts[key] = bothGrants(ours[key] as Grants, theirs[key] as Grants);
    }
    else if (softFacts.has(key)) {
      doubts.add(softFacts.get(key) ?? key);
      const [one, two] = [ours[key], theirs[key]];
      if (Array.isArray(one) && Array.isArray(two)) facts[key] = one.filter(item => two.some(other => sameValue(item, other)));
    } else if (!unimportant.has(key)) sure = false;
  }
  if (doubts.size > 0) facts['inDoubt'] = [...doubts];
  return { object: facts as unknown as CatalogObject, sure };
}

/** A session after a branch: what differs is unknown. */
export function blendSessions(a: SessionState, b: SessionState): SessionState {
  if (a === b || sameValue(a, b)) return a;
  return {
    searchPath: sameValue(a.searchPath, b.searchPath) ? a.searchPath : { unknown: 'search_path after a branch that may not be taken' },
    role: sameValue(a.role, b.role) ? a.role : { unknown: 'the role after a branch that may not be taken' },
    parameters: new Map([...a.parameters].filter(([name, value]) => b.parameters.get(name) === value)),
  };
}
