/** Where in its history a database stands: after which migration. */
import { isRelation } from '../catalog/names.ts';
import { catalogFacts, compare } from '../live/facts.ts';
import type { Catalog, Migration, Span } from '../model.ts';

/** A judged run of a migration, without its steps: what is kept of a whole history. */
export interface Moment {
  readonly migration: Migration;
  readonly end: Catalog;
  /** Its last statement. */
  readonly last?: Span;
  /** Code up to here did what nobody can tell: the database may hold more than the history shows. */
  readonly blind?: boolean;
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

/** Of this many states that hold the same relations all facts are compared; beyond them the oldest are left out. */
const comparedStates = 40;

/** The places of the smallest numbers. */
function smallest(numbers: readonly number[]): readonly number[] {
  const least = numbers.reduce((min, one) => Math.min(min, one), Infinity);
  return numbers.flatMap((one, at) => (one === least ? [at] : []));
}

/**
 * The migration after which the replay holds what the database holds, as near as can be: by relations first, by all facts among those that hold the same
 * relations. Of several that are as near, the last one, or the last one that is not `pending`. Undefined when the database has nothing of what the
 * history makes: it is another one, or it is empty.
 */
export function standingOf(judged: readonly Moment[], database: Catalog, pending: (migration: Migration) => boolean): Standing | undefined {
  const there = relationsOf(database);
  const states = judged.map(run => relationsOf(run.end));
  const made = new Set(states.flatMap(state => [...state.keys()]));
  if (![...made].some(name => there.has(name))) return undefined;
  const apart = states.map(state => [...made].filter(name => state.get(name) !== false && state.has(name) !== there.has(name)).length);
  const near = smallest(apart).slice(-comparedStates);
  const facts = near.length > 1 ? catalogFacts(database) : [];
  const differences = near.map(at => {
    if (near.length === 1) return 0;
    const { replayedOnly, introspectedOnly } = compare(catalogFacts(judged[at]!.end), facts);
    return replayedOnly.length + introspectedOnly.length;
  });
  const best = smallest(differences).map(at => near[at]!);
  const at = best.findLast(one => !pending(judged[one]!.migration)) ?? best.at(-1)!;
  return { applied: at + 1, last: judged[at]!, made };
}
