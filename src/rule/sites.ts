import { once } from '../memo.ts';
import type { Catalog, ObjectId, RefreshSite } from '../model.ts';

/** Asks whether a refresh site stands in a catalog, unchanged. */
export function sitesOf({ sites }: Catalog): (site: RefreshSite) => boolean {
  return site => sites.includes(site);
}

/** The sites that an older catalog has not. What came later stands later in the list, so that two of them mostly begin alike. */
export function freshSites({ sites }: Catalog, older: Catalog): readonly RefreshSite[] {
  if (sites === older.sites) return [];
  let alike = 0;
  while (alike < sites.length && sites[alike] === older.sites[alike]) alike += 1;
  const rest = new Set(older.sites.slice(alike));
  return sites.slice(alike).filter(site => !rest.has(site));
}

/** What a list of sites says, found out once: catalogs share the list that no statement touched, and so do most deploys. */
function oncePerList<T>(find: (sites: readonly RefreshSite[]) => T): (catalog: Catalog) => T {
  const found = once(find);
  return ({ sites }) => found(sites);
}

/** The refresh sites of a catalog by the routine, or the trigger, that holds them. */
export const sitesByRoutine = oncePerList((sites): ReadonlyMap<ObjectId, readonly RefreshSite[]> => {
  const groups = new Map<ObjectId, RefreshSite[]>();
  for (const site of sites) if (site.holderId !== undefined && groups.get(site.holderId)?.push(site) === undefined) groups.set(site.holderId, [site]);
  return groups;
});

/** The sites whose refresh names one of these, in any schema. */
export function sitesNaming(names: ReadonlySet<string>, { sites }: Catalog): readonly RefreshSite[] {
  return names.size === 0 ? [] : sites.filter(({ target }) => names.has(target.name));
}

/** Sites that no migration makes, in code and configuration: they stand from the beginning, before their views do. */
export const sitesOutside = oncePerList((sites): readonly RefreshSite[] => sites.filter(({ by }) => by === 'code' || by === 'config'));
