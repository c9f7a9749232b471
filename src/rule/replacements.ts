import type { Catalog, Context, Effect, Index, Matview, ObjectId, Relation, Selectable, Step } from '../model.ts';
import { isSelectable, known, sameName } from './facts.ts';
import { equivalentIndex } from './indexes.ts';
import { quote } from './words.ts';

type End = Effect & { readonly kind: 'endOfMigration' | 'endOfDeploy' };
type Happening = { readonly effect: Effect; readonly step: Step };

/** Everything that happened, in order. */
export function* happenings(steps: readonly Step[]): Iterable<Happening> {
  for (const step of steps) for (const effect of step.effects) yield { effect, step };
}

/** A name that a materialized view in use had at the start and another object has at the end. */
export interface Replacement {
  readonly old: Matview;
  readonly now: Selectable;
  /** What took the name from the old one, and what gave it to the new one. */
  readonly taken: Happening;
  readonly given: Happening;
  /** The drop of the old one, under whatever name. */
  readonly dropped?: Happening;
}

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
  if (effect.kind === 'createTable') return effect.table;
  return effect.kind === 'renameRelation' ? effect.to : undefined;
}

/** The names that changed hands between the start and the end, where the view that had them was in use. */
export function replacements(end: End, context: Context): readonly Replacement[] {
  const all = [...happenings(end.steps)];
  const ids = new Set(all.flatMap(({ effect }) => unnamed(effect)));
  return [...ids].flatMap(id => {
    const old = end.start.get(id);
    if (old?.kind !== 'matview' || context.inUse(old) !== true) return [];
    const found = context.step.after.find(old.name);
    const now = found.is === 'present' ? found.object : undefined;
    if (!isSelectable(now) || now.id === id) return [];
    const isDrop = ({ effect }: Happening): boolean => effect.kind !== 'renameRelation' && unnamed(effect).includes(id);
    const taken = all.find(({ effect }) => unnamed(effect).includes(id)
      && (effect.kind !== 'renameRelation' || sameName(effect.from.name, old.name)));
    const given = all.findLast(({ effect }) => named(effect)?.id === now.id && sameName(named(effect)!.name, old.name));
    const dropped = all.find(isDrop);
    return taken && given ? [{ old, now, taken, given, ...(dropped ? { dropped } : {}) }] : [];
  });
}

/** How the name went, in words. */
export function takenWords({ old, taken }: Replacement): string {
  const { effect } = taken;
  if (effect.kind === 'renameRelation') return `${quote(old.name)} is renamed to ${quote(effect.to.name)}`;
  const named = effect.kind === 'dropObject' && effect.object.id === old.id;
  return named ? `${quote(old.name)} is dropped` : `${quote(old.name)} is dropped by CASCADE`;
}

/** How the name came back, in words. */
export function givenWords({ old, given }: Replacement): string {
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
