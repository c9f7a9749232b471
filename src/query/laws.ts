import type { Evidence } from '../model.ts';

/**
 * A functional dependency: rows that agree on `from` agree on `to` (NULL agrees with NULL). Members are identities of columns and of rows.
 * An empty `from` says that there is one value.
 */
export interface Law {
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** It may hold, it need not: it only stops the claim that rows repeat. */
  readonly possible?: true;
  /** It holds among rows in which none of `from` is NULL. */
  readonly weak?: true;
  /** It says the same of a missing row: all of `from` NULL means all of `to` NULL. */
  readonly missingToo?: true;
  /** It holds across the runs of a LATERAL sub-select, not only in one. */
  readonly everywhere?: true;
}

/** Why one row of what is named can stand in several rows of the result. */
export interface Note extends Evidence {
  readonly row: number;
}

/** What decides which rows of a source, or of a query's result, are the same row. */
export interface RowFacts {
  /** Identities of its rows: a row of the result is one of each. */
  readonly rows: readonly number[];
  readonly laws: readonly Law[];
  /** Identities that are never NULL. */
  readonly solid: ReadonlySet<number>;
  readonly notes: readonly Note[];
  /** Sides that an outer join filled up: where a value of one is not NULL its row is there, and all that held before holds again. */
  readonly sides?: readonly Filled[];
  /** What coalesce() of two compared columns of a full join is; only right above the join. */
  readonly merges?: readonly { readonly of: readonly number[]; readonly id: number }[];
}

/** A side of an outer join: its identities, and what is known where its row is there. */
export interface Filled {
  readonly own: ReadonlySet<number>;
  readonly before: RowFacts;
}

/** One row at most; also where nobody asks for rows. */
export const oneRow: RowFacts = { rows: [], laws: [], solid: new Set(), notes: [] };

/** Rows of which nothing is known: neither that they repeat nor that they do not. */
export const anyRows = (row: number): RowFacts => ({ rows: [row], laws: [perhaps([], [row])], solid: new Set([row]), notes: [] });

export const law = (from: readonly number[], to: readonly number[], rest: Omit<Law, 'from' | 'to'> = {}): Law => ({ from, to, ...rest });
export const perhaps = (from: readonly number[], to: readonly number[]): Law => ({ from, to, possible: true });

/** The rows of what is not known at all; all of them may share one identity, since nothing is claimed of it. */
export const unknownRows: RowFacts = anyRows(-1);

/** Two columns that are equal wherever both stand. */
export const same = (a: readonly number[], b: readonly number[], rest: Omit<Law, 'from' | 'to'> = {}): readonly Law[] =>
  [...a.map(id => law([id], b, rest)), ...b.map(id => law([id], a, rest))];

/** Any of these may follow from the others: what a condition over them can mean. */
export const tangled = (ids: readonly number[]): readonly Law[] =>
  ids.map(id => perhaps(ids.filter(other => other !== id), [id]));

interface Index {
  readonly using: ReadonlyMap<number, readonly number[]>;
  readonly free: readonly number[];
  /** How many different identities each law asks for. */
  readonly sizes: Int32Array;
}

const indexes = new WeakMap<readonly Law[], Index>();

function indexOf(laws: readonly Law[]): Index {
  const known = indexes.get(laws);
  if (known !== undefined) return known;
  const using = new Map<number, number[]>();
  const free: number[] = [];
  const sizes = new Int32Array(laws.length);
  laws.forEach(({ from }, at) => {
    const members = new Set(from);
    sizes[at] = members.size;
    if (members.size === 0) free.push(at);
    for (const id of members) {
      const list = using.get(id);
      if (list === undefined) using.set(id, [at]);
      else list.push(at);
    }
  });
  const made = { using, free, sizes };
  indexes.set(laws, made);
  return made;
}

export interface Following {
  /** With the laws that only may hold. */
  readonly possible?: boolean;
  /** Identities taken to be not NULL, beside those that are. */
  readonly assumed?: ReadonlySet<number>;
}

/** Everything that follows from some identities. Linear in the size of the laws. */
export function closure(facts: Pick<RowFacts, 'laws' | 'solid'>, start: Iterable<number>, how: Following = {}): ReadonlySet<number> {
  const { laws, solid } = facts;
  // Laws that are followed once are not worth an index.
  if (laws.length <= fewLaws && !followed.has(laws)) {
    followed.add(laws);
    return closureOfFew(facts, start, how);
  }
  const { using, free, sizes } = indexOf(laws);
  const reached = new Set<number>();
  const todo: number[] = [];
  const left = sizes.slice();
  const add = (id: number): void => {
    if (reached.has(id)) return;
    reached.add(id);
    todo.push(id);
  };
  const fire = (at: number): void => {
    const item = laws[at]!;
    if (holds(item, solid, how)) item.to.forEach(add);
  };
  for (const id of start) add(id);
  free.forEach(fire);
  for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
    for (const at of using.get(id) ?? []) {
      left[at]! -= 1;
      if (left[at] === 0) fire(at);
    }
  }
  return reached;
}

const fewLaws = 200;
const followed = new WeakSet<readonly Law[]>();

/** Whether a law may be followed, once all of its `from` are reached. */
function holds({ from, possible, weak }: Law, solid: ReadonlySet<number>, how: Following): boolean {
  if (how.possible === true) return true;
  return possible !== true && (weak !== true || from.every(id => solid.has(id) || how.assumed?.has(id) === true));
}

/** The same as `closure`, by going through the laws until none says more. */
function closureOfFew({ laws, solid }: Pick<RowFacts, 'laws' | 'solid'>, start: Iterable<number>, how: Following): ReadonlySet<number> {
  const reached = new Set(start);
  let open = laws.filter(item => holds(item, solid, how));
  for (let before = -1; before !== reached.size && open.length > 0;) {
    before = reached.size;
    const rest: Law[] = [];
    for (const item of open) {
      let isReached = true;
      for (const id of item.from) if (!reached.has(id)) {
        isReached = false;
        break;
      }
      if (isReached) for (const id of item.to) reached.add(id);
      else rest.push(item);
    }
    open = rest;
  }
  return reached;
}

/** Whether no two rows agree in all of these. */
export function decidesRows(facts: RowFacts, ids: Iterable<number>, how: Following = {}): boolean {
  const all = closure(facts, ids, how);
  return facts.rows.every(row => all.has(row));
}

/** Several sources side by side. */
export function together(...facts: readonly RowFacts[]): RowFacts {
  if (facts.length === 1) return facts[0]!;
  return {
    rows: facts.flatMap(item => item.rows), laws: facts.flatMap(item => item.laws),
    solid: union(facts.map(item => item.solid)), notes: facts.flatMap(item => item.notes), sides: facts.flatMap(item => item.sides ?? []),
  };
}

function union(sets: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  const all = new Set(sets[0]);
  for (let at = 1; at < sets.length; at += 1) for (const id of sets[at]!) all.add(id);
  return all;
}

/** The facts with more laws, and more that is never NULL: rows that are surely there then bring back what was known of them. */
export function withLaws(facts: RowFacts, laws: readonly Law[], solid: Iterable<number> = []): RowFacts {
  const more = new Set<number>();
  for (const id of solid) if (!facts.solid.has(id)) more.add(id);
  if (more.size === 0) return laws.length === 0 ? facts : { ...facts, laws: facts.laws.concat(laws) };
  const added = [...laws];
  let sides = facts.sides ?? [];
  for (let present = presentIn(sides, more); present.length > 0; present = presentIn(sides, more)) {
    sides = [...sides.filter(side => !present.includes(side)), ...present.flatMap(side => side.before.sides ?? [])];
    for (const { before } of present) {
      added.push(...before.laws);
      before.solid.forEach(id => more.add(id));
    }
  }
  return { ...facts, laws: added.length === 0 ? facts.laws : facts.laws.concat(added), solid: union([facts.solid, more]), sides };
}

/** The sides of which one value is never NULL. */
const presentIn = (sides: readonly Filled[], solid: ReadonlySet<number>): readonly Filled[] =>
  sides.filter(side => [...side.own].some(id => solid.has(id)));

/** So many values tell a missing row from the others; the first are those of rows and keys. */
const mostTold = 12;

/**
 * The facts of a side that an outer join fills up with NULLs. A law survives where a value that is never NULL tells the missing row from
 * the others; else it holds where nothing is NULL. `isOwn`: the identity belongs to this side, and is NULL where the row is missing;
 * `condition`: what holds where the row is there.
 */
export function extended(facts: RowFacts, isOwn: (id: number) => boolean, condition: readonly Law[] = [],
  strict: Iterable<number> = []): RowFacts {
  const { laws, solid } = facts;
  const told = [...solid].filter(isOwn).slice(0, mostTold);
  const kept = laws.flatMap((item): readonly Law[] => {
    if (item.possible === true || item.missingToo === true) return [item];
    // What holds for every row holds for those that are there; the claim that rows repeat still reckons with it.
    if (!item.from.some(isOwn)) return [...told.map(id => ({ ...item, from: [id, ...item.from] })), perhaps(item.from, item.to)];
    const { weak: _, ...strong } = item;
    const holds = item.weak !== true || item.from.every(id => solid.has(id));
    return holds && item.from.some(id => isOwn(id) && solid.has(id)) ? [strong] : [{ ...strong, weak: true }];
  });
  const own = new Set([...facts.rows, ...facts.solid, ...laws.flatMap(item => [...item.from, ...item.to])].filter(isOwn));
  // What was filled up below stays so: only with this side can its rows be there.
  const before = withLaws(facts, condition, strict);
  return { rows: facts.rows, notes: facts.notes, laws: kept, solid: new Set([...solid].filter(id => !isOwn(id))),
    sides: [{ own, before }] };
}

/** The facts of a LATERAL source, which runs once for each row to its left: what held in one run holds for one such row. */
export function perRun(facts: RowFacts, left: readonly number[]): RowFacts {
  if (left.length === 0) return facts;
  const laws = facts.laws.flatMap((item): readonly Law[] => (item.possible === true || item.everywhere === true ? [item]
    : [{ ...withoutMissing(item), from: [...item.from, ...left] }, perhaps(item.from, item.to)]));
  return { rows: facts.rows, solid: facts.solid, notes: facts.notes, laws: [...laws, perhaps(facts.rows, left)] };
}

function withoutMissing({ missingToo: _, ...rest }: Law): Law {
  return rest;
}

/** More laws than this are summed up: sub-selects that use each other twice would double them at each level. */
const mostLaws = 1500;

/** The same facts for another occurrence: identities above `mark` get fresh ones. */
export function renamed(facts: RowFacts, mark: number,
  fresh: () => number): { readonly facts: RowFacts; readonly of: (id: number) => number } {
  const names = new Map<number, number>();
  const of = (id: number): number => {
    if (id <= mark) return id;
    const known = names.get(id) ?? fresh();
    names.set(id, known);
    return known;
  };
  return { of, facts: renamedBy(of, facts, 0) };
}

/** Outer joins in outer joins, followed so deep. */
const deepestSide = 6;

function renamedBy(of: (id: number) => number, facts: RowFacts, depth: number): RowFacts {
  const laws = facts.laws.length > mostLaws ? [] : facts.laws;
  const sides = depth > deepestSide || facts.laws.length > mostLaws ? [] : facts.sides ?? [];
  return {
    rows: facts.rows.map(of),
    laws: [
      ...laws.map(item => ({ ...item, from: item.from.map(of), to: item.to.map(of) })),
      ...(laws.length === facts.laws.length ? [] : [perhaps([], facts.rows.map(of))]),
    ],
    solid: new Set([...facts.solid].map(of)), notes: facts.notes.map(note => ({ ...note, row: of(note.row) })),
    sides: sides.map(side => ({ own: new Set([...side.own].map(of)), before: renamedBy(of, side.before, depth + 1) })),
  };
}

/** Closures that one search for keys may take. */
const usualBudget = 1500;
const mostKeys = 24;

/**
 * The minimal lists of columns that decide the rows, as positions: the shortest first, then by position. `columns`: the identities of
 * each column. All of them while there are few candidates, else the short ones and one from either end.
 */
export function minimalKeys(facts: RowFacts, columns: readonly (readonly number[])[],
  budget = usualBudget): readonly (readonly number[])[] {
  const decides = (positions: readonly number[]): boolean => decidesRows(facts, positions.flatMap(at => columns[at]!));
  if (decides([])) return [[]];
  // A column that no law asks for is in no minimal key.
  const asked = new Set(facts.laws.flatMap(item => (item.possible === true ? [] : item.from)));
  const candidates = columns.flatMap((ids, at) => (ids.some(id => asked.has(id)) ? [at] : []));
  if (!decides(candidates)) return [];
  const keys: (readonly number[])[] = [];
  const covered = (list: readonly number[]): boolean => keys.some(key => key.every(at => list.includes(at)));
  let spent = 0;
  let level: (readonly number[])[] = [[]];
  while (level.length > 0 && keys.length < mostKeys) {
    const next: (readonly number[])[] = [];
    for (const list of level) {
      for (const at of candidates) {
        if (at <= (list.at(-1) ?? -1)) continue;
        const longer = [...list, at];
        if (covered(longer)) continue;
        if ((spent += 1) > budget) break;
        if (decides(longer)) keys.push(longer);
        else next.push(longer);
      }
    }
    if (spent > budget) break;
    level = next;
  }
  if (spent > budget) for (const order of [candidates, [...candidates].reverse()]) {
    const key = reduced(order, decides);
    if (!covered(key)) keys.push(key);
  }
  return keys.slice(0, mostKeys);
}

/** One minimal key: columns are left out from the end while the rest still decides. */
function reduced(columns: readonly number[], decides: (list: readonly number[]) => boolean): readonly number[] {
  let list = [...columns];
  for (const at of [...columns].reverse()) {
    const less = list.filter(other => other !== at);
    if (decides(less)) list = less;
  }
  return list.sort((a, b) => a - b);
}
