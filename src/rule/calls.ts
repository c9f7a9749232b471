import type { Catalog, Matview, ObjectId, RefreshSite, Routine, Span, Trigger, WrittenName } from '../model.ts';
import { identifierText, tokensOf, type Token } from '../sql/tokens.ts';

const isName = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'quotedIdentifier';
const memo = new WeakMap<Routine, readonly WrittenName[]>();

/** The names that a routine's body calls like functions: `refresh_all(`, `shop.refresh_all(`. Comments and constants hold none. */
function callsOf(routine: Routine): readonly WrittenName[] {
  const known = memo.get(routine);
  if (known) return known;
  const { sql } = routine.statement;
  const { start, end } = routine.body ?? { start: 0, end: 0 };
  const calls: WrittenName[] = [];
  const last: Token[] = [];
  for (const token of tokensOf(sql, start, end)) {
    if (token.kind === 'lineComment' || token.kind === 'blockComment') continue;
    const [schema, dot, name] = last.slice(-3).length === 3 ? last.slice(-3) : [undefined, undefined, last.at(-1)];
    if (sql.slice(token.start, token.end) === '(' && isName(name)) {
      const qualified = isName(schema) && dot !== undefined && sql.slice(dot.start, dot.end) === '.';
      calls.push({ ...(qualified ? { schema: identifierText(sql, schema) } : {}), name: identifierText(sql, name) });
    }
    last.push(token);
    if (last.length > 3) last.shift();
  }
  memo.set(routine, calls);
  return calls;
}

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
  const found: TriggeredRefresh[] = [];
  for (let through = queue.shift(); through !== undefined; through = queue.shift()) {
    const routine = through.at(-1)!;
    for (const site of sites.get(routine.id) ?? []) found.push({ trigger, through, site });
    for (const name of callsOf(routine))
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
