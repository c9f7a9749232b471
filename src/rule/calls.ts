import { calledNames } from '../catalog/code/called-names.ts';
import { once } from '../memo.ts';
import type { Catalog, Matview, ObjectId, RefreshSite, Routine, Span, Trigger } from '../model.ts';
import { tokensOf } from '../sql/tokens.ts';
import { freshSites, sitesByRoutine } from './sites.ts';

/** What a routine refreshes, in the order of its text. */
export interface RefreshPlan {
  readonly holder: ObjectId;
  readonly turns: readonly { readonly matview: Matview; readonly site: RefreshSite; readonly span: Span }[];
  /** A condition stands between two refreshes, so that they need not both run. */
  readonly branches: boolean;
  /** The routine ends its transaction somewhere. */
  readonly commits: boolean;
}

const branching = /^(else|elsif|elseif|when|exception)$/i;

/** The words of a routine's body. Bodies are read again with every routine that comes beside them. */
const wordsOf = once(({ statement: { sql }, body }: Routine): readonly string[] =>
  [...tokensOf(sql, body?.start ?? 0, body?.end)].filter(token => token.kind === 'word').map(token => sql.slice(token.start, token.end)));

/** The routines that refresh two materialized views or more; none when each of them stood so in an older catalog. */
export function refreshPlans(catalog: Catalog, older: Catalog): readonly RefreshPlan[] {
  const holders = new Set(freshSites(catalog, older).flatMap(({ holderId }) => holderId ?? []));
  if (![...holders].some(holder => catalog.sites.filter(({ holderId }) => holderId === holder).length > 1)) return [];
  return [...sitesByRoutine(catalog)].flatMap(([holder, sites]) => {
    const routine = catalog.get(holder);
    if (sites.length < 2 || routine?.kind !== 'routine') return [];
    const turns = sites.flatMap(site => {
      const found = catalog.find(site.target, site.searchPath);
      return found.is === 'present' && found.object.kind === 'matview' ? [{ matview: found.object, site, span: site.span }] : [];
    });
    const words = wordsOf(routine);
    const isRefresh = (word: string): boolean => /^refresh$/i.test(word);
    // A handler at the end of the body parts no two refreshes; refreshes in EXECUTE are no words, so there the whole body counts.
    const between = words.filter(isRefresh).length < sites.length ? words
      : words.slice(words.findIndex(isRefresh), words.findLastIndex(isRefresh));
    return turns.length < 2 ? [] : [{
      holder, turns, branches: between.some(word => branching.test(word)), commits: words.some(word => /^commit$/i.test(word)),
    }];
  });
}

/** A refresh that a trigger sets off, and the routines that lead to it, the trigger's own first. */
export interface TriggeredRefresh {
  readonly trigger: Trigger;
  readonly through: readonly [Routine, ...Routine[]];
  readonly site: RefreshSite;
}

/** A refresh that a routine runs, and the routines that lead to it, the routine itself first. */
export type ReachedRefresh = Omit<TriggeredRefresh, 'trigger'>;

/** A routine and those that it calls, each once, by the shortest way that leads there. */
function* reached(first: Routine, catalog: Catalog): Iterable<readonly [Routine, ...Routine[]]> {
  const seen = new Set<ObjectId>([first.id]);
  const queue: (readonly [Routine, ...Routine[]])[] = [[first]];
  for (let through = queue.shift(); through !== undefined; through = queue.shift()) {
    yield through;
    for (const name of calledNames(through.at(-1)!))
      for (const called of catalog.findRoutines(name)) {
        if (seen.has(called.id)) continue;
        seen.add(called.id);
        queue.push([...through, called]);
      }
  }
}

/** The refreshes that a routine runs, itself or through routines that it calls. The shortest way to each is told. */
export function refreshesBy(first: Routine, catalog: Catalog): readonly ReachedRefresh[] {
  const sites = sitesByRoutine(catalog);
  if (sites.size === 0) return [];
  const found: ReachedRefresh[] = [];
  for (const through of reached(first, catalog)) for (const site of sites.get(through.at(-1)!.id) ?? []) found.push({ through, site });
  return found;
}

/** Whether a trigger's routine is one of these, or leads to one. */
export function runsOneOf(routines: ReadonlySet<ObjectId>, { routine: id }: Trigger, catalog: Catalog): boolean {
  if (typeof id !== 'number' || routines.has(id)) return typeof id === 'number';
  const first = catalog.get(id);
  if (first?.kind !== 'routine' || calledNames(first).length === 0) return false;
  for (const through of reached(first, catalog)) if (routines.has(through.at(-1)!.id)) return true;
  return false;
}

/** The refreshes that a trigger's routine runs; what only this trigger's arguments name is its own, and comes first. */
export function refreshesOf(trigger: Trigger, catalog: Catalog): readonly TriggeredRefresh[] {
  const first = typeof trigger.routine === 'number' ? catalog.get(trigger.routine) : undefined;
  if (first?.kind !== 'routine') return [];
  const own = (sitesByRoutine(catalog).get(trigger.id) ?? []).map(site => ({ trigger, through: [first] as const, site }));
  return [...own, ...refreshesBy(first, catalog).map(found => ({ trigger, ...found }))];
}
