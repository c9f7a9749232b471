import { Ids } from './ids.ts';
import type { Law, RowFacts } from './laws.ts';

/** What a closure reads of facts. */
type Followed = Pick<RowFacts, 'laws' | 'solid'>;

export interface Following {
  /** With the laws that only may hold. */
  readonly possible?: boolean;
  /** Identities taken to be not NULL, beside those that are. */
  readonly assumed?: Ids;
}

const usual: Following = {};

/** Whether a law may be followed, once all of its `from` are reached. */
function holds({ from, possible, weak }: Law, solid: Ids, how: Following): boolean {
  if (how.possible === true) return true;
  if (possible) return false;
  if (weak) for (const id of from) if (!solid.has(id) && how.assumed?.has(id) !== true) return false;
  return true;
}

// What a search has reached, by identity: the number of the search that reached it last. Identities begin at -1.
let reachedIn = new Int32Array(1024);
let search = 0;
// The same as a list, and the laws that are not followed yet: their room is used again by the next search, so their lengths are kept beside them.
const reached: number[] = [];
let found = 0;
const open: Law[] = [];

/** A new search, in which nothing is reached yet. */
function begin(): void {
  if (search === 0x7fffffff) reachedIn = new Int32Array(reachedIn.length);
  search = search === 0x7fffffff ? 1 : search + 1;
  found = 0;
}

/** Marks identities as reached, and lists those that were not. */
function add(ids: readonly number[]): void {
  for (const id of ids) {
    if (reachedIn[id + 1] === search) continue;
    if (id + 1 >= reachedIn.length) makeRoom(id + 2);
    reachedIn[id + 1] = search;
    reached[found] = id;
    found += 1;
  }
}

function makeRoom(size: number): void {
  const more = new Int32Array(2 * size);
  more.set(reachedIn);
  reachedIn = more;
}

/** Whether the last search reached all of these. */
function allReached(ids: readonly number[]): boolean {
  for (const id of ids) if (reachedIn[id + 1] !== search) return false;
  return true;
}

/** Finds everything that follows from some identities, by going through the laws until none says more: they stand in about the order in which they follow. */
function reach(laws: readonly Law[], solid: Ids, start: readonly number[], how: Following): void {
  let left = 0;
  for (const item of laws) {
    if (!holds(item, solid, how)) continue;
    open[left] = item;
    left += 1;
  }
  begin();
  add(start);
  for (let before = -1; before !== found;) {
    before = found;
    let kept = 0;
    for (let at = 0; at < left; at += 1) {
      const item = open[at]!;
      if (allReached(item.from)) add(item.to);
      else {
        open[kept] = item;
        kept += 1;
      }
    }
    left = kept;
  }
}

/** Everything that follows from some identities. */
export function closure(facts: Followed, start: readonly number[], how: Following = usual): Ids {
  reach(facts.laws, facts.solid, start, how);
  return Ids.of(reached.slice(0, found));
}

/** Whether no two rows agree in all of these. */
export function decidesRows(facts: Followed & Pick<RowFacts, 'rows'>, ids: readonly number[], how: Following = usual): boolean {
  reach(facts.laws, facts.solid, ids, how);
  return allReached(facts.rows);
}

/** The same facts, followed from many beginnings: with an index, each search is linear in the laws that it uses. */
export class Follower {
  private readonly laws: readonly Law[];
  private readonly rows: readonly number[];
  /** How many identities each law asks for. */
  private readonly sizes: readonly number[];
  private readonly free: readonly Law[];
  /** The laws that ask for an identity stand in `asking` from `starts[id - lowest]` on, up to where those of the next one begin. */
  private readonly lowest: number;
  private readonly starts: Int32Array;
  private readonly asking: Int32Array;

  constructor({ laws, solid, rows }: RowFacts) {
    this.laws = laws.filter(item => holds(item, solid, usual));
    this.rows = rows;
    this.sizes = this.laws.map(({ from }) => from.length);
    this.free = this.laws.filter(({ from }) => from.length === 0);
    let [lowest, highest, all] = [Infinity, -Infinity, 0];
    for (const { from } of this.laws) {
      all += from.length;
      for (const id of from) {
        if (id < lowest) lowest = id;
        if (id > highest) highest = id;
      }
    }
    this.lowest = all === 0 ? 0 : lowest;
    // First how many there are of each, then where they end, then where they begin.
    this.starts = new Int32Array(all === 0 ? 1 : highest - lowest + 2);
    this.asking = new Int32Array(all);
    for (const { from } of this.laws) for (const id of from) this.starts[id - lowest]! += 1;
    for (let at = 1; at < this.starts.length; at += 1) this.starts[at]! += this.starts[at - 1]!;
    for (let at = this.laws.length - 1; at >= 0; at -= 1) {
      for (const id of this.laws[at]!.from) this.asking[this.starts[id - lowest]! -= 1] = at;
    }
  }

  /** Everything that follows from some identities. */
  closure(start: readonly number[]): readonly number[] {
    this.follow(start);
    return reached.slice(0, found);
  }

  /** Whether no two rows agree in all of these. */
  decides(start: readonly number[]): boolean {
    this.follow(start);
    return allReached(this.rows);
  }

  private follow(start: readonly number[]): void {
    const { laws, lowest, starts, asking } = this;
    begin();
    const left = this.sizes.slice();
    add(start);
    for (const { to } of this.free) add(to);
    for (let next = 0; next < found; next += 1) {
      const slot = reached[next]! - lowest;
      if (slot < 0 || slot >= starts.length - 1) continue;
      for (let at = starts[slot]!; at < starts[slot + 1]!; at += 1) {
        const asked = asking[at]!;
        left[asked]! -= 1;
        if (left[asked] === 0) add(laws[asked]!.to);
      }
    }
  }
}
