import { newMemo } from '../memo.ts';
import type { QueryFacts } from '../model.ts';
import type { Shape } from './scope.ts';

const shapes = newMemo<QueryFacts, Shape>();

/** Keeps the analysis that facts were made of, for the queries that read the view. Only while its columns stand one to one. */
export function keepShape(facts: QueryFacts, shape: Shape): void {
  shapes.set(facts, shape);
}

/** The analysis behind facts; undefined where the columns of the view are not those of the query. */
export function shapeBehind(facts: QueryFacts): Shape | undefined {
  return shapes.get(facts);
}
