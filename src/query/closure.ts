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

/** A new search, in which nothing is reached yet. */
function begin(): void {
  if (search === 0x7fffffff) reachedIn = new Int32Array(reachedIn.length);
  search = search === 0x7fffffff ? 1 : search + 1;
  reached.length = 0;
}

/** Marks identities as reached, and lists those that were not. */
function add(ids: readonly number[]): void {
  for (const id of ids) {
    if (reachedIn[id + 1] === search) continue;
    if (id + 1 >= reachedIn.length) makeRoom(id + 2);
    reachedIn[id + 1] = search;
    reached.push(id);
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

// Lists that are used again by each search.
const reached: number[] = [];
const open: Law[] = [];

/** Finds everything that follows from some identities, by going through the laws until none says more: they stand in about the order in which they follow. */
function reach(laws: readonly Law[], solid: Ids, start: readonly number[], how: Following): void {
  for (const item of laws) if (holds(item, solid, how)) open.push(item);
  begin();
  add(start);
  for (let before = -1; before !== reached.length;) {
    before = reached.length;
    let kept = 0;
    for (let at = 0; at < open.length; at += 1) {
      const item = open[at]!;
      const { from, to } = item;
      let asks = 0;
      while (asks < from.length && reachedIn[from[asks]! + 1] === search) asks += 1;
      if (asks < from.length) {
        open[kept] = item;
        kept += 1;
        continue;
      }
      add(to);
    }
    open.length = kept;
  }
  open.length = 0;
}

/** Everything that follows from some identities. */
export function closure(facts: Followed, start: readonly number[], how: Following = usual): Ids {
  reach(facts.laws, facts.solid, start, how);
  return Ids.of(reached);
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
  /** By identity: the laws that ask for it. */
  private readonly asking: (number[] | undefined)[] = [];
  /** How many identities each law asks for. */
  private readonly sizes: number[] = [];
  private readonly free: Law[] = [];

  constructor({ laws, solid, rows }: RowFacts) {
    this.laws = laws.filter(item => holds(item, solid, usual));
    this.rows = rows;
    for (const [at, item] of this.laws.entries()) {
      this.sizes.push(item.from.length);
      if (item.from.length === 0) this.free.push(item);
      for (const id of item.from) {
        const asking = this.asking[id + 1];
        if (asking === undefined) this.asking[id + 1] = [at];
        else asking.push(at);
      }
    }
  }

  /** Everything that follows from some identities; the list is the next search's then. */
  closure(start: readonly number[]): readonly number[] {
    const { laws, asking } = this;
    begin();
    const left = this.sizes.slice();
    add(start);
    for (const { to } of this.free) add(to);
    for (let next = 0; next < reached.length; next += 1) {
      const asked = asking[reached[next]! + 1];
      if (asked === undefined) continue;
      for (const at of asked) {
        left[at]! -= 1;
        if (left[at] === 0) add(laws[at]!.to);
      }
    }
    return reached;
  }

  /** Whether no two rows agree in all of these. */
  decides(start: readonly number[]): boolean {
    this.closure(start);
    return allReached(this.rows);
  }
}
