/**
 * A set of identities that never changes, as bits: uniting two of them is a few operations, whatever they hold. Identities are numbered from
 * one within a query, so those of a table, a join or a sub-select stand together, and the words before the first of them are left out.
 */
export class Ids implements Iterable<number> {
  static readonly none = new Ids(0, []);

  /** The set of some identities. */
  static of(ids: readonly number[]): Ids {
    return Ids.none.with(ids);
  }

  /** Which word of bits comes first, and the words from there on, 32 bits each. */
  private readonly base: number;
  private readonly words: readonly number[];

  private constructor(base: number, words: readonly number[]) {
    this.base = base;
    this.words = words;
  }

  has(id: number): boolean {
    const at = (id >> 5) - this.base;
    return at >= 0 && at < this.words.length && (this.words[at]! & (1 << (id & 31))) !== 0;
  }

  get isEmpty(): boolean {
    return this.words.length === 0;
  }

  /** With some more; the same set when it holds them all. */
  with(ids: readonly number[]): Ids {
    let base = this.isEmpty ? Infinity : this.base;
    let end = this.isEmpty ? -Infinity : this.base + this.words.length;
    let isNew = false;
    for (const id of ids) {
      isNew ||= !this.has(id);
      const word = id >> 5;
      if (word < base) base = word;
      if (word >= end) end = word + 1;
    }
    if (!isNew) return this;
    const words: number[] = [];
    for (let at = base; at < end; at += 1) words.push(this.wordAt(at));
    for (const id of ids) words[(id >> 5) - base]! |= 1 << (id & 31);
    return new Ids(base, words);
  }

  /** Both together; one of the two when it holds the other. */
  union(other: Ids): Ids {
    if (other.isIn(this)) return this;
    if (this.isIn(other)) return other;
    const base = Math.min(this.base, other.base);
    const words: number[] = [];
    const end = Math.max(this.base + this.words.length, other.base + other.words.length);
    for (let at = base; at < end; at += 1) words.push(this.wordAt(at) | other.wordAt(at));
    return new Ids(base, words);
  }

  /** Those above `from`, up to `until`. */
  within(from: number, until: number): Ids {
    return this.masked(at => bitsWithin(at, from, until));
  }

  /** All but those above `from`, up to `until`. */
  outside(from: number, until: number): Ids {
    return this.masked(at => ~bitsWithin(at, from, until));
  }

  /** Those above `mark` are `by` higher, which is not below 0. */
  shifted(mark: number, by: number): Ids {
    const start = this.base << 5;
    const base = (start > mark ? start + by : start) >> 5;
    const end = ((this.base + this.words.length) << 5) + by;
    const words: number[] = [];
    for (let first = base << 5; first < end; first += 32) words.push(0);
    for (let at = 0; at < this.words.length; at += 1) {
      for (let word = this.words[at]!; word !== 0; word &= word - 1) {
        const id = start + (at << 5) + lowestBit(word);
        const moved = id > mark ? id + by : id;
        words[(moved >> 5) - base]! |= 1 << (moved & 31);
      }
    }
    return words.length === 0 ? this : new Ids(base, words);
  }

  /** Whether there is one above `from`, up to `until`. */
  meets(from: number, until: number): boolean {
    const { base, words } = this;
    const end = Math.min(until >> 5, base + words.length - 1);
    for (let at = Math.max((from + 1) >> 5, base); at <= end; at += 1) if ((words[at - base]! & bitsWithin(at, from, until)) !== 0) return true;
    return false;
  }

  *[Symbol.iterator](): Generator<number> {
    for (let at = 0; at < this.words.length; at += 1) {
      for (let word = this.words[at]!; word !== 0; word &= word - 1) yield ((this.base + at) << 5) + lowestBit(word);
    }
  }

  private wordAt(at: number): number {
    const own = at - this.base;
    return own >= 0 && own < this.words.length ? this.words[own]! : 0;
  }

  private isIn(other: Ids): boolean {
    const { base, words } = this;
    for (let at = 0; at < words.length; at += 1) if ((words[at]! & ~other.wordAt(base + at)) !== 0) return false;
    return true;
  }

  private masked(mask: (at: number) => number): Ids {
    const words = this.words.map((word, at) => word & mask(this.base + at));
    return words.every(word => word === 0) ? Ids.none : new Ids(this.base, words);
  }
}

/** Which bit is the lowest of those that are set. */
const lowestBit = (word: number): number => 31 - Math.clz32(word & -word);

/** The bits of a word that stand for identities above `from`, up to `until`. */
function bitsWithin(at: number, from: number, until: number): number {
  const first = at << 5;
  if (from + 1 >= first + 32 || until < first) return 0;
  const low = from < first ? -1 : -1 << (from + 1 - first);
  const high = until >= first + 31 ? -1 : ~(-1 << (until + 1 - first));
  return low & high;
}
