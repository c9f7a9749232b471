import { calledNames } from '../catalog/code/called-names.ts';
import type { Catalog, Matview, ObjectId, RefreshSite, Routine, Span, Trigger } from '../model.ts';
import { tokensOf } from '../sql/tokens.ts';

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

/** The routines that refresh two materialized views or more. */
export function refreshPlans(catalog: Catalog): readonly RefreshPlan[] {
  return [...sitesByRoutine(catalog)].flatMap(([holder, sites]) => {
    const routine = catalog.get(holder);
    if (sites.length < 2 || routine?.kind !== 'routine') return [];
    const turns = sites.flatMap(site => {
      const found = catalog.find(site.target, site.searchPath);
      return found.is === 'present' && found.object.kind === 'matview' ? [{ matview: found.object, site, span: site.span }] : [];
    });
    const words = [...tokensOf(routine.statement.sql, routine.body?.start ?? 0, routine.body?.end)].filter(token => token.kind === 'word')
      .map(token => routine.statement.sql.slice(token.start, token.end));
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

/** The refreshes that a trigger's routine runs, itself or through routines that it calls. The shortest way to each is told. */
export function refreshesOf(
  trigger: Trigger, catalog: Catalog, sites: ReadonlyMap<ObjectId, readonly RefreshSite[]>,
): readonly TriggeredRefresh[] {
  const first = typeof trigger.routine === 'number' ? catalog.get(trigger.routine) : undefined;
  if (first?.kind !== 'routine') return [];
  const seen = new Set<ObjectId>([first.id]);
  const queue: (readonly [Routine, ...Routine[]])[] = [[first]];
  // What only this trigger's arguments name is its own.
  const found: TriggeredRefresh[] = (sites.get(trigger.id) ?? []).map(site => ({ trigger, through: [first], site }));
  for (let through = queue.shift(); through !== undefined; through = queue.shift()) {
    const routine = through.at(-1)!;
    for (const site of sites.get(routine.id) ?? []) found.push({ trigger, through, site });
    for (const name of calledNames(routine))
      for (const called of catalog.findRoutines(name)) {
        if (seen.has(called.id)) continue;
        seen.add(called.id);
        queue.push([...through, called]);
      }
  }
  return found;
}

/** The refresh sites of a catalog by the routine that holds them. */
export function sitesByRoutine(catalog: Catalog): ReadonlyMap<ObjectId, readonly RefreshSite[]> {
  const found = new Map<ObjectId, RefreshSite[]>();
  for (const site of catalog.sites) {
    if (site.holderId === undefined) continue;
    if (found.get(site.holderId)?.push(site) === undefined) found.set(site.holderId, [site]);
  }
  return found;
}
