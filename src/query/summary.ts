import { closure, law, minimalKeys, perhaps, type Law, type RowFacts } from './laws.ts';
import type { Shape } from './scope.ts';

/** Beyond this the facts of a result are summed up before another query reads it. */
const mostLaws = 120;
const mostRows = 16;
/** Closures that the search for the keys of a summary may take, and columns that it looks at one by one. */
const budget = 80;
const mostColumns = 24;

const summaries = new WeakMap<Shape, Shape>();

/**
 * The shape as another query reads it. Facts that have grown large become those of one row: its keys, and what single columns decide. So
 * results that are used twice, level over level, stay small; that their rows repeat is then not claimed. `fresh` gives an identity that the
 * shape does not use.
 */
export function summed(shape: Shape, fresh: () => number): Shape {
  const { facts } = shape;
  if (facts.laws.length <= mostLaws && facts.rows.length <= mostRows) return shape;
  const known = summaries.get(shape);
  if (known !== undefined) return known;
  const made = { ...shape, facts: summaryOf(shape, fresh()) };
  summaries.set(shape, made);
  return made;
}

function summaryOf({ facts, columns }: Shape, row: number): RowFacts {
  const ids = columns.map(column => column.ids ?? []);
  const shown = new Set(ids.flat());
  const laws: Law[] = [law([row], [...shown], { missingToo: true }), perhaps([], [row])];
  for (const key of minimalKeys(facts, ids, budget)) laws.push(law(key.flatMap(at => ids[at]!), [row]));
  const first = ids.slice(0, mostColumns).flatMap(list => list.slice(0, 1));
  for (const from of [[], ...first.map(id => [id])]) {
    const decided = [...closure(facts, from)].filter(id => shown.has(id) && !from.includes(id));
    if (decided.length > 0) laws.push(law(from, decided));
  }
  return { rows: [row], laws, solid: new Set([row, ...[...facts.solid].filter(id => shown.has(id))]), notes: [] };
}

/** An identity above all that a shape uses. */
export function aboveAll({ facts, columns }: Shape): number {
  let highest = 0;
  for (const id of facts.rows) highest = Math.max(highest, id);
  for (const { from, to } of facts.laws) for (const list of [from, to]) for (const id of list) highest = Math.max(highest, id);
  for (const { ids } of columns) for (const id of ids ?? []) highest = Math.max(highest, id);
  return highest + 1;
}
