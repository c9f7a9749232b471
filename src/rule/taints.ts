import { newMemo } from '../memo.ts';
import type { Catalog, Context, Effect, Matview, ObjectId, OutputColumn, QueryFacts, Span, Taint } from '../model.ts';
import { matviewsOver } from './dependants.ts';
import { known } from './facts.ts';

/** A reason why a materialized view can differ after a refresh that no write explains. */
export interface SeenTaint {
  readonly matview: Matview;
  /** The column whose value it is; absent where it decides which rows there are. */
  readonly column?: OutputColumn;
  readonly taint: Taint;
  /** Where it is told: the column, or the place in the text that changed beneath the view. */
  readonly span: Span;
}

const origin = ({ cause, form, setting, path: [{ span }] }: Taint): string => [cause, form, setting, span.path, span.start].join(' ');

function all(matview: Matview, { columns, rows }: QueryFacts): readonly SeenTaint[] {
  const seen: SeenTaint[] = [];
  for (const taint of rows) seen.push({ matview, taint, span: taint.path.at(-1)!.span });
  for (const column of known(columns) ?? []) for (const taint of column.taints) seen.push({ matview, column, taint, span: column.span });
  return seen;
}

/** The taints that an effect brings: those of a new materialized view, and those that a view or routine beneath one has not had before. */
export const newTaints = (effect: Effect, context: Context): readonly SeenTaint[] => brought(effect, context).all;

/** One of these for each origin: a value that comes to three columns is told once. Rows come before columns. */
export const newOrigins = (effect: Effect, context: Context): readonly SeenTaint[] => brought(effect, context).distinct;

interface Brought {
  readonly all: readonly SeenTaint[];
  readonly distinct: readonly SeenTaint[];
}

/** A pure cache: several rules ask about each effect, and it belongs to one step. */
const answers = newMemo<Effect, Brought>();

function brought(effect: Effect, context: Context): Brought {
  let known = answers.get(effect);
  if (known === undefined) {
    const seen = seenIn(effect, context);
    answers.set(effect, (known = { all: seen, distinct: onePerOrigin(seen) }));
  }
  return known;
}

function seenIn(effect: Effect, context: Context): readonly SeenTaint[] {
  if (effect.kind === 'createMatview') return all(effect.matview, context.facts(effect.matview));
  const changed = effect.kind === 'createView' && effect.replaced ? effect.view : effect.kind === 'createRoutine' && effect.replaced ? effect.routine : undefined;
  return changed === undefined ? none : [...beneath(changed.id, context)];
}

const none: readonly never[] = [];

/** The taints that the statement brings to the materialized views over an object that it replaces. */
function* beneath(id: ObjectId, { facts, step }: Context): Iterable<SeenTaint> {
  for (const matview of matviewsOver(id, step.after)) {
    const then = new Set(all(matview, facts(matview, step.before)).map(({ taint }) => origin(taint)));
    const own = step.statement.span;
    const isHere = (span: Span): boolean => span.path === own.path && span.start >= own.start && span.end <= own.end;
    for (const seen of all(matview, facts(matview))) {
      const at = seen.taint.path.findLastIndex(({ span }) => isHere(span));
      if (at < 0 || then.has(origin(seen.taint))) continue;
      const [first, ...rest] = seen.taint.path.slice(0, at + 1);
      yield { ...seen, taint: { ...seen.taint, path: [first!, ...rest] }, span: (rest.at(-1) ?? first!).span };
    }
  }
}

const onePerOrigin = (seen: readonly SeenTaint[]): readonly SeenTaint[] => (seen.length < 2 ? seen
  : [...new Map(seen.toReversed().map(one => [`${one.matview.id} ${origin(one.taint)}`, one])).values()].reverse());

/** The columns of a view that nothing makes differ: they tell its rows apart in an experiment. */
export const steadyColumns = ({ columns }: QueryFacts): readonly string[] =>
  (known(columns) ?? []).filter(({ taints }) => taints.length === 0).map(({ name }) => name);

/** Whether the view is still there, and still of this definition as far as the history shows. */
export const stillThere = (matview: Matview) => (end: Catalog): boolean => end.get(matview.id) !== undefined;
