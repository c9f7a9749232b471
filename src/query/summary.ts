import { newMemo } from '../memo.ts';
import { Follower } from './closure.ts';
import { Ids } from './ids.ts';
import { factsOfRows, law, perhaps, shifted, shiftedIds, type Law, type RowFacts } from './laws.ts';
import { minimalKeys } from './minimal-keys.ts';
import { isJudging, type Run, type Shape } from './scope.ts';

/** The result of a query as others read it: its own identities are those above `mark`, up to `until`. */
export interface Result {
  readonly shape: Shape;
  readonly mark: number;
  readonly until: number;
}

/** Beyond this the facts of a result are summed up before another query reads it. */
const mostLaws = 120;
const mostRows = 16;
/** Identities that one occurrence may take: of a result that is not known they say nothing, and they would double at each level all the same. */
const widest = 1_000;
/** Closures that the search for the keys of a summary may take, and columns that it looks at one by one. */
const budget = 80;
const mostColumns = 24;

const summaries = newMemo<Shape, Result>();

/**
 * The result as another query reads it. Facts that have grown large become those of one row: its keys, and what single columns decide; and
 * they are numbered anew, without gaps. So results that are used twice, level over level, stay small; that their rows repeat is then not claimed.
 */
export function summed(shape: Shape, mark: number, until: number): Result {
  const { facts } = shape;
  if (facts.laws.length <= mostLaws && facts.rows.length <= mostRows && until - mark <= widest) return { shape, mark, until };
  const known = summaries.get(shape);
  if (known !== undefined) return known;
  const made = summaryOf(shape, mark);
  summaries.set(shape, made);
  return made;
}

function summaryOf({ facts, columns, ...rest }: Shape, mark: number): Result {
  const row = mark + 1;
  let until = row;
  const numbers = new Map<number, number>();
  const numbered = (ids: readonly number[]): readonly number[] => ids.map(id => {
    if (id <= mark) return id;
    let own = numbers.get(id);
    if (own === undefined) numbers.set(id, (own = until += 1));
    return own;
  });
  const old = columns.map(column => column.ids ?? []);
  const ids = old.map(numbered);
  const shown = new Set(old.flat());
  const laws: Law[] = [law([row], numbered([...shown]), { missingToo: true }), perhaps([], [row])];
  for (const key of minimalKeys(facts, old, budget)) laws.push(law(key.flatMap(at => ids[at]!), [row]));
  const follower = new Follower(facts);
  const first = old.slice(0, mostColumns).flatMap(list => list.slice(0, 1));
  for (const from of [[], ...first.map(id => [id])]) {
    const decided = follower.closure(from).filter(id => shown.has(id) && !from.includes(id));
    if (decided.length > 0) laws.push(law(numbered(from), numbered(decided)));
  }
  const solid = Ids.of([row, ...numbered([...shown].filter(id => facts.solid.has(id)))]);
  const summary = { ...rest, facts: factsOfRows([row], laws, solid), columns: columns.map((column, at) => (column.ids === undefined ? column : { ...column, ids: ids[at]! })) };
  return { shape: summary, mark, until };
}

/** What one occurrence of a result has. */
export interface Occurrence {
  readonly facts: RowFacts;
  /** The identities of each column. */
  readonly ids: readonly (readonly number[] | undefined)[];
}

/** One occurrence of a result: each has rows of its own. */
export function occurrence({ shape, mark, until }: Result, run: Run): Occurrence {
  const by = run.lastId - mark;
  if (!isJudging(run) || until <= mark) return { facts: shape.facts, ids: shape.columns.map(column => column.ids) };
  run.lastId += until - mark;
  return { facts: shifted(shape.facts, mark, by), ids: shape.columns.map(({ ids }) => (ids === undefined ? ids : shiftedIds(ids, mark, by))) };
}

/** The highest identity that a shape uses. */
export function highestOf({ facts, columns }: Shape): number {
  let highest = 0;
  const see = (ids: readonly number[]): void => {
    for (const id of ids) if (id > highest) highest = id;
  };
  const seeFacts = ({ rows, laws, sides }: RowFacts): void => {
    see(rows);
    for (const { from, to } of laws) {
      see(from);
      see(to);
    }
    for (const { until, before } of sides) {
      see([until]);
      seeFacts(before);
    }
  };
  seeFacts(facts);
  for (const { ids } of columns) see(ids ?? []);
  return highest;
}
