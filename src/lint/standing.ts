/** Where in its history a database stands: after which migration. */
import { isRelation } from '../catalog/store.ts';
import type { Catalog, Migration, Span } from '../model.ts';

/** A judged run of a migration, without its steps: what is kept of a whole history. */
export interface Moment {
  readonly migration: Migration;
  readonly end: Catalog;
  /** Its last statement. */
  readonly last?: Span;
}

/** `applied`: how many of the judged runs the database has seen; `last` is the newest of them. */
export interface Standing {
  readonly applied: number;
  readonly last: Moment;
  /** Every name of a relation that the history ever made, by kind and name. */
  readonly made: ReadonlySet<string>;
}

/** The relations of a catalog by kind and name; false for those of which nobody knows whether they are there. Sequences come and go with columns. */
function relationsOf(catalog: Catalog): ReadonlyMap<string, boolean> {
  const found = new Map<string, boolean>();
  for (const object of catalog.relations()) {
    if (!isRelation(object) || object.kind === 'sequence' || object.name.schema === 'pg_temp') continue;
    found.set(`${object.kind} ${object.name.schema}.${object.name.name}`, catalog.isCertain(object.id));
  }
  return found;
}

/**
 * The migration after which the replay holds the relations that the database holds, as nearly as any: of several that are as near, the last one, or the
 * last one that is not `pending`. Undefined when the database has nothing of what the history makes: it is another one, or it is empty.
 */
export function standingOf(judged: readonly Moment[], database: Catalog, pending: (migration: Migration) => boolean): Standing | undefined {
  const there = relationsOf(database);
  const states = judged.map(run => relationsOf(run.end));
  const made = new Set(states.flatMap(state => [...state.keys()]));
  if (![...made].some(name => there.has(name))) return undefined;
  let best: { readonly at: number; readonly differences: number; readonly pending: boolean } | undefined;
  for (const [at, state] of states.entries()) {
    let differences = 0;
    for (const name of made) if (state.get(name) !== false && state.has(name) !== there.has(name)) differences += 1;
    const waits = pending(judged[at]!.migration);
    if (best === undefined || differences < best.differences || (differences === best.differences && (!waits || best.pending))) best = { at, differences, pending: waits };
  }
  const last = best === undefined ? undefined : judged[best.at];
  return last === undefined || best === undefined ? undefined : { applied: best.at + 1, last, made };
}
