import { newMemo, once } from '../memo.ts';
import type { Catalog, Context, Effect, Index, Matview, Name, ObjectId, Relation, Selectable, Step } from '../model.ts';
import { isSelectable, known, sameName } from './facts.ts';
import { equivalentIndex } from './indexes.ts';
import { quote } from './words.ts';

/** The end of what goes out together. */
export type End = Effect & { readonly kind: 'endOfMigration' | 'endOfDeploy' };
/** An effect and the step it belongs to. */
export type Happening = { readonly effect: Effect; readonly step: Step };

/** Everything that happened, in order; one list for all who ask about these steps. */
export const happenings = once((steps: readonly Step[]): readonly Happening[] => {
  const made: Happening[] = [];
  for (const step of steps) for (const effect of step.effects) made.push({ effect, step });
  return made;
});

/** Whether code of the deploy did what nobody can tell: what is missing at its end may have been made there all the same. */
export const isBlind = ({ steps }: End): boolean => steps.some(step => step.blind === true);

/** A name that a relation in use had at the start and another one has at the end. */
export interface Replacement<Old extends Selectable = Matview> {
  readonly old: Old;
  readonly now: Selectable;
  /** What took the name from the old one, and what gave it to the new one. */
  readonly taken: Happening;
  readonly given: Happening;
  /** The drop of the old one, under whatever name. */
  readonly dropped?: Happening;
}

/** The effects that can take a name away: only deploys with one of them have replacements. */
export const nameTakers: readonly Effect['kind'][] = ['dropObject', 'dropPart', 'renameRelation'];

/** The ids that an effect takes a name from: dropped, taken along by CASCADE, or renamed. */
function unnamed(effect: Effect): readonly ObjectId[] {
  if (effect.kind === 'dropObject') return [effect.object.id, ...effect.takes.map(object => object.id)];
  if (effect.kind === 'dropPart') return effect.takes.map(object => object.id);
  return effect.kind === 'renameRelation' && !sameName(effect.from.name, effect.to.name) ? [effect.from.id] : [];
}

/** The object that an effect makes, or gives a name to. */
function named(effect: Effect): Relation | undefined {
  if (effect.kind === 'createMatview') return effect.matview;
  if (effect.kind === 'createView') return effect.view;
  if (effect.kind === 'createTable' || effect.kind === 'createImmv' || effect.kind === 'createStreamTable') return effect.table;
  if (effect.kind === 'createContinuousAggregate') return effect.matview;
  return effect.kind === 'renameRelation' ? effect.to : undefined;
}

const nameKey = ({ schema, name }: Name): string => `${schema}\0${name}`;

/** What happened to names, by the object and the name, in order; one pass over the effects. */
function handovers(all: readonly Happening[]) {
  const takings = new Map<ObjectId, Happening[]>();
  const givings = new Map<ObjectId, Happening[]>();
  const file = (map: Map<ObjectId, Happening[]>, id: ObjectId, happening: Happening): void => {
    if (map.get(id)?.push(happening) === undefined) map.set(id, [happening]);
  };
  for (const happening of all) {
    for (const id of unnamed(happening.effect)) file(takings, id, happening);
    const relation = named(happening.effect);
    if (relation) file(givings, relation.id, happening);
  }
  return { takings, givings };
}

const memo = newMemo<End, readonly Replacement<Selectable>[]>();

/** The names of tables, views and materialized views that changed hands between the start and the end, where the old one was in use. */
export function nameChanges(end: End, context: Context): readonly Replacement<Selectable>[] {
  const old = memo.get(end);
  if (old) return old;
  const all = happenings(end.steps);
  if (!all.some(({ effect }) => nameTakers.includes(effect.kind))) return [];
  const { takings, givings } = handovers(all);
  const changes = [...takings].flatMap(([id, takes]) => {
    const was = end.start.get(id);
    if (!isSelectable(was) || context.inUse(was) !== true) return [];
    const found = context.step.after.find(was.name);
    const now = found.is === 'present' ? found.object : undefined;
    if (!isSelectable(now) || now.id === id) return [];
    const name = nameKey(was.name);
    const taken = takes.find(({ effect }) => effect.kind !== 'renameRelation' || nameKey(effect.from.name) === name);
    const given = givings.get(now.id)?.findLast(({ effect }) => nameKey(named(effect)!.name) === name);
    const dropped = takes.find(({ effect }) => effect.kind !== 'renameRelation');
    return taken && given ? [{ old: was, now, taken, given, ...(dropped ? { dropped } : {}) }] : [];
  });
  memo.set(end, changes);
  return changes;
}

/** The names of materialized views that changed hands. */
export function replacements(end: End, context: Context): readonly Replacement[] {
  return nameChanges(end, context).filter((change): change is Replacement => change.old.kind === 'matview');
}

/** How the name went, in words. */
export function takenWords({ old, taken }: Replacement<Selectable>): string {
  const { effect } = taken;
  if (effect.kind === 'renameRelation') return `${quote(old.name)} is renamed to ${quote(effect.to.name)}`;
  const named = effect.kind === 'dropObject' && effect.object.id === old.id;
  return named ? `${quote(old.name)} is dropped` : `${quote(old.name)} is dropped by CASCADE`;
}

/** How the name came back, in words. */
export function givenWords({ old, given }: Replacement<Selectable>): string {
  const { effect } = given;
  if (effect.kind === 'renameRelation') return `${quote(effect.from.name)} is renamed to ${quote(old.name)}`;
  return `${quote(old.name)} is created again`;
}

/** The indexes of the old view that the new one could have and has not; invalid ones and those over columns that are gone do not count. */
export function lostIndexes({ old, now }: Replacement, before: Catalog, after: Catalog): readonly Index[] {
  const columns = known(now.columns)?.map(column => column.name);
  const present = after.indexesOf(now.id);
  return before.indexesOf(old.id).filter(index => index.valid !== false && !present.some(other => equivalentIndex(index, other))
    && index.columns.every(({ column }) => column === undefined || columns === undefined || columns.includes(column)));
}
