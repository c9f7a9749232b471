import type { Span, Statement } from '../model.ts';
import { Ids } from './ids.ts';
import { itemSpan } from './scope.ts';

/**
 * A functional dependency: rows that agree on `from` agree on `to` (NULL agrees with NULL). Members are identities of columns and of rows.
 * An empty `from` says that there is one value.
 */
export interface Law {
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** It may hold, it need not: it only stops the claim that rows repeat. */
  readonly possible: boolean;
  /** It holds among rows in which none of `from` is NULL. */
  readonly weak: boolean;
  /** It says the same of a missing row: all of `from` NULL means all of `to` NULL. */
  readonly missingToo: boolean;
  /** It holds across the runs of a LATERAL sub-select, not only in one. */
  readonly everywhere: boolean;
}

/** How a law holds; what is left out is false. */
export type Manner = Partial<Omit<Law, 'from' | 'to'>>;

/** Why one row of what is named can stand in several rows of the result. Its place is found when somebody asks. */
export interface Note {
  readonly row: number;
  readonly says: string;
  readonly place: () => Span;
}

/** What decides which rows of a source, or of a query's result, are the same row. */
export interface RowFacts {
  /** Identities of its rows: a row of the result is one of each. */
  readonly rows: readonly number[];
  readonly laws: readonly Law[];
  /** Identities that are never NULL. */
  readonly solid: Ids;
  readonly notes: readonly Note[];
  /** Sides that an outer join filled up: where a value of one is not NULL its row is there, and all that held before holds again. */
  readonly sides: readonly Filled[];
  /** What coalesce() of two compared columns of a full join is; only right above the join. */
  readonly merges: readonly { readonly of: readonly number[]; readonly id: number }[];
}

/** A side of an outer join: its identities are those above `from`, up to `until`; and what is known where its row is there. */
export interface Filled {
  readonly from: number;
  readonly until: number;
  readonly before: RowFacts;
}

/** A note with its place, which is held by itself: what is found out about a query is kept, the query's scopes are not. */
export const noteAt = (row: number, says: string, span: Span): Note => ({ row, says, place: () => span });

/** A note at an item of a list. Its end is found by its tokens, which is dear. */
export const itemNote = (row: number, statement: Statement, start: number, says: string): Note => ({ row, says, place: () => itemSpan(statement, start) });

const none: readonly never[] = [];

/** Facts of these rows; `given`: what else is known. */
export function factsOfRows(rows: readonly number[], laws: readonly Law[], solid: Ids, given: Partial<Pick<RowFacts, 'notes' | 'sides' | 'merges'>> = {}): RowFacts {
  return { rows, laws, solid, notes: given.notes ?? none, sides: given.sides ?? none, merges: given.merges ?? none };
}

/** One row at most; also where nobody asks for rows. */
export const oneRow: RowFacts = factsOfRows([], [], Ids.none);

// All laws have the same fields in the same order: they are read in the innermost loops.
export const law = (from: readonly number[], to: readonly number[], { possible = false, weak = false, missingToo = false, everywhere = false }: Manner = {}): Law =>
  ({ from, to, possible, weak, missingToo, everywhere });
export const perhaps = (from: readonly number[], to: readonly number[]): Law =>
  ({ from, to, possible: true, weak: false, missingToo: false, everywhere: false });
/** The same law; `weak`: whether it holds only among rows without NULLs. */
const holding = ({ from, to, possible, missingToo, everywhere }: Law, weak: boolean): Law => ({ from, to, possible, weak, missingToo, everywhere });
export const weakly = (item: Law): Law => holding(item, true);
export const maybe = (item: Law): Law => perhaps(item.from, item.to);

/** Rows of which nothing is known: neither that they repeat nor that they do not. */
export const anyRows = (row: number): RowFacts => factsOfRows([row], [perhaps([], [row])], Ids.of([row]));

/** The rows of what is not known at all; all of them may share one identity, since nothing is claimed of it. */
export const unknownRows: RowFacts = anyRows(-1);

/** Two columns that are equal wherever both stand. */
export function same(a: readonly number[], b: readonly number[], manner: Manner = {}): readonly Law[] {
  const laws: Law[] = [];
  for (const id of a) laws.push(law([id], b, manner));
  for (const id of b) laws.push(law([id], a, manner));
  return laws;
}

/** Any of these may follow from the others: what a condition over them can mean. */
export const tangled = (ids: readonly number[]): readonly Law[] =>
  ids.map(id => perhaps(ids.filter(other => other !== id), [id]));

/** Several sources side by side. */
export function together(...facts: readonly RowFacts[]): RowFacts {
  let [all] = facts;
  if (all === undefined) return oneRow;
  for (const [at, { rows, laws, solid, notes, sides }] of facts.entries()) {
    if (at > 0) all = factsOfRows(all.rows.concat(rows), all.laws.concat(laws), all.solid.union(solid),
      { notes: all.notes.concat(notes), sides: all.sides.concat(sides) });
  }
  return all;
}

/** What is known to be never NULL once these are: rows that are surely there then bring back what was known of them. */
export function solidWith(sides: readonly Filled[], solid: Ids): Ids {
  let all = solid;
  const more = sides.filter(({ from, until }) => solid.meets(from, until));
  for (const { before } of more) all = all.union(solidWith(before.sides, before.solid.union(solid)));
  return all === solid ? solid : solidWith(sides.filter(side => !more.includes(side)), all);
}

/** The facts with more laws, and more that is never NULL: rows that are surely there then bring back what was known of them. */
export function withLaws(facts: RowFacts, laws: readonly Law[], solid: Ids = Ids.none): RowFacts {
  const { rows, notes, merges } = facts;
  const all = facts.solid.union(solid);
  if (all === facts.solid) return laws.length === 0 ? facts : factsOfRows(rows, facts.laws.concat(laws), all, facts);
  let added = laws;
  let { sides } = facts;
  // What was never NULL before brings nothing back: the side was filled up below it.
  let more = solid;
  for (let present = presentIn(sides, more); present.length > 0; present = presentIn(sides, more)) {
    sides = [...sides.filter(side => !present.includes(side)), ...present.flatMap(side => side.before.sides)];
    for (const { before } of present) {
      added = added.concat(before.laws);
      more = more.union(before.solid);
    }
  }
  return factsOfRows(rows, added.length === 0 ? facts.laws : facts.laws.concat(added), facts.solid.union(more), { notes, sides, merges });
}

/** The sides of which one value is never NULL. */
const presentIn = (sides: readonly Filled[], solid: Ids): readonly Filled[] =>
  (sides.length === 0 ? sides : sides.filter(({ from, until }) => solid.meets(from, until)));

/** The facts of a result that has rows of its own, and a note why those repeat. */
export const withRows = (facts: RowFacts, rows: readonly number[], note?: Note): RowFacts =>
  factsOfRows(rows, facts.laws, facts.solid, note === undefined ? facts : { ...facts, notes: [...facts.notes, note] });

/** So many values tell a missing row from the others; the first are those of rows. */
const mostTold = 12;

/**
 * The facts of a side that an outer join fills up with NULLs. A law survives where a value that is never NULL tells the missing row from
 * the others; else it holds where nothing is NULL. The identities above `from`, up to `until`, belong to this side, and are NULL where the
 * row is missing; `condition`: what holds where the row is there.
 */
export function extended(facts: RowFacts, from: number, until: number, condition: readonly Law[] = [], strict: Ids = Ids.none): RowFacts {
  const { laws, solid } = facts;
  const isOwn = (id: number): boolean => id > from && id <= until;
  let told: readonly number[] | undefined;
  const kept: Law[] = [];
  for (const item of laws) {
    if (item.possible || item.missingToo) kept.push(item);
    else if (!item.from.some(isOwn)) {
      // What holds for every row holds for those that are there; the claim that rows repeat still reckons with it.
      told ??= tellers(facts, isOwn);
      for (const id of told) kept.push(law([id, ...item.from], item.to, item));
      kept.push(maybe(item));
    } else {
      const holds = !item.weak || item.from.every(id => solid.has(id));
      kept.push(holding(item, !(holds && item.from.some(id => isOwn(id) && solid.has(id)))));
    }
  }
  // What was filled up below stays so: only with this side can its rows be there.
  const before = withLaws(facts, condition, strict);
  return factsOfRows(facts.rows, kept, solid.outside(from, until), { notes: facts.notes, sides: [{ from, until, before }] });
}

function tellers({ rows, solid }: RowFacts, isOwn: (id: number) => boolean): readonly number[] {
  const first = rows.filter(id => isOwn(id) && solid.has(id));
  return [...first, ...[...solid].filter(id => isOwn(id) && !first.includes(id))].slice(0, mostTold);
}

/** The facts of a LATERAL source, which runs once for each row to its left: what held in one run holds for one such row. */
export function perRun(facts: RowFacts, left: readonly number[]): RowFacts {
  if (left.length === 0) return facts;
  const laws = facts.laws.flatMap((item): readonly Law[] => (item.possible || item.everywhere ? [item]
    : [law([...item.from, ...left], item.to, { weak: item.weak }), maybe(item)]));
  return factsOfRows(facts.rows, [...laws, perhaps(facts.rows, left)], facts.solid, { notes: facts.notes });
}

/** More laws than this are summed up: sub-selects that use each other twice would double them at each level. */
const mostLaws = 1500;

/** Outer joins in outer joins, followed so deep. */
const deepestSide = 6;

/** The same facts for another occurrence: identities above `mark` are `by` higher. */
export function shifted(facts: RowFacts, mark: number, by: number, depth = 0): RowFacts {
  const rows = shiftedIds(facts.rows, mark, by);
  const few = facts.laws.length <= mostLaws;
  const laws = few ? facts.laws.map(({ from, to, possible, weak, missingToo, everywhere }): Law =>
    ({ from: shiftedIds(from, mark, by), to: shiftedIds(to, mark, by), possible, weak, missingToo, everywhere })) : [perhaps([], rows)];
  return factsOfRows(rows, laws, facts.solid.shifted(mark, by), {
    notes: facts.notes.map(({ row, says, place }) => ({ row: row > mark ? row + by : row, says, place })),
    sides: depth > deepestSide || !few ? none : facts.sides.map(({ from, until, before }) =>
      ({ from: from + by, until: until + by, before: shifted(before, mark, by, depth + 1) })),
  });
}

export function shiftedIds(list: readonly number[], mark: number, by: number): readonly number[] {
  // Most lists hold one or two.
  const [first, second] = list;
  if (first === undefined) return list;
  if (list.length === 1) return [first > mark ? first + by : first];
  if (list.length === 2 && second !== undefined) return [first > mark ? first + by : first, second > mark ? second + by : second];
  // A copy is as long as it must be; a list that grows takes room for many.
  const ids = list.slice();
  for (let at = 0; at < ids.length; at += 1) if (ids[at]! > mark) ids[at]! += by;
  return ids;
}
