import type { Catalog, ObjectId, RefreshSite } from '../model.ts';

/** The refresh sites of a catalog, by what rules ask them for. */
interface SiteIndex {
  readonly all: ReadonlySet<RefreshSite>;
  readonly byHolder: ReadonlyMap<ObjectId, readonly RefreshSite[]>;
  readonly byTarget: ReadonlyMap<string, readonly RefreshSite[]>;
  readonly outside: readonly RefreshSite[];
}

/** Catalogs share the list that no statement touched, so most deploys find it indexed. */
const indexes = new WeakMap<readonly RefreshSite[], SiteIndex>();

function indexOf({ sites }: Catalog): SiteIndex {
  const known = indexes.get(sites);
  if (known !== undefined) return known;
  const byHolder = new Map<ObjectId, RefreshSite[]>();
  const byTarget = new Map<string, RefreshSite[]>();
  for (const site of sites) {
    if (site.holderId !== undefined && byHolder.get(site.holderId)?.push(site) === undefined) byHolder.set(site.holderId, [site]);
    if (byTarget.get(site.target.name)?.push(site) === undefined) byTarget.set(site.target.name, [site]);
  }
  const index: SiteIndex = { all: new Set(sites), byHolder, byTarget, outside: sites.filter(({ by }) => by === 'code' || by === 'config') };
  indexes.set(sites, index);
  return index;
}

/** Asks whether a refresh site stands in a catalog, unchanged. */
export function sitesOf(catalog: Catalog): (site: RefreshSite) => boolean {
  const { all } = indexOf(catalog);
  return site => all.has(site);
}

/** The refresh sites of a catalog by the routine, or the trigger, that holds them. */
export function sitesByRoutine(catalog: Catalog): ReadonlyMap<ObjectId, readonly RefreshSite[]> {
  return indexOf(catalog).byHolder;
}

/** The sites whose refresh names one of these, in any schema. */
export function sitesNaming(names: ReadonlySet<string>, catalog: Catalog): readonly RefreshSite[] {
  const { byTarget } = indexOf(catalog);
  return [...names].flatMap(name => byTarget.get(name) ?? []);
}

/** Sites that no migration makes, in code and configuration: they stand from the beginning, before their views do. */
export function sitesOutside(catalog: Catalog): readonly RefreshSite[] {
  return indexOf(catalog).outside;
}
