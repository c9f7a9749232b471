/**
 * A persistent map by small numbers (a radix trie, 32 ways): `set` and `delete` copy one path and leave the old map as it was,
 * so that keeping the catalog before and after every statement costs memory by change, not by size. Ids are given in order, so paths are short and nodes full.
 */

/** The slots of a node: nodes, or values on the lowest level. */
type Node = readonly unknown[];

export class PersistentMap<V> {
  static readonly empty = new PersistentMap<never>(0, []);
  /** How many bits of a key stand below those that the root tells apart. */
  private readonly shift: number;
  private readonly root: Node;

  private constructor(shift: number, root: Node) {
    this.shift = shift;
    this.root = root;
  }

  get(key: number): V | undefined {
    let { shift } = this;
    let node: Node | undefined = key >>> shift < 32 ? this.root : undefined;
    for (; shift > 0 && node !== undefined; shift -= 5) node = node[(key >>> shift) & 31] as Node | undefined;
    return node?.[key & 31] as V | undefined;
  }

  has(key: number): boolean {
    return this.get(key) !== undefined;
  }

  set(key: number, value: V): PersistentMap<V> {
    let { shift, root } = this;
    for (; key >>> shift >= 32; shift += 5) root = [root];
    return new PersistentMap(shift, put(root, shift, key, value));
  }

  delete(key: number): PersistentMap<V> {
    return this.has(key) ? new PersistentMap(this.shift, put(this.root, this.shift, key, undefined)) : this;
  }

  /** By ascending key. */
  entries(): readonly (readonly [number, V])[] {
    const found: [number, V][] = [];
    visit<V>(this.root, this.shift, 0, (key, value) => found.push([key, value]));
    return found;
  }

  /** By ascending key. */
  values(): readonly V[] {
    const found: V[] = [];
    visit<V>(this.root, this.shift, 0, (_, value) => found.push(value));
    return found;
  }

  /** Keys whose values are not the same in both, or that one lacks. Shared parts of two versions are not walked. */
  differences(other: PersistentMap<V>): readonly number[] {
    let [ours, theirs] = [this.root, other.root];
    const shift = Math.max(this.shift, other.shift);
    for (let at = this.shift; at < shift; at += 5) ours = [ours];
    for (let at = other.shift; at < shift; at += 5) theirs = [theirs];
    const found: number[] = [];
    differ(ours, theirs, shift, 0, found);
    return found;
  }
}

function put(node: Node | undefined, shift: number, key: number, value: unknown): Node {
  const slot = (key >>> shift) & 31;
  const inner = shift === 0 ? value : put(node?.[slot] as Node | undefined, shift - 5, key, value);
  const before = node ?? [];
  // A push leaves room for 17 more.
  return slot > before.length ? [...before, ...new Array<unknown>(slot - before.length), inner] : before.toSpliced(slot, 1, inner);
}

function visit<V>(node: Node, shift: number, base: number, see: (key: number, value: V) => void): void {
  for (let slot = 0; slot < node.length; slot++) {
    const inner = node[slot];
    if (inner === undefined) continue;
    const key = base + slot * 2 ** shift;
    if (shift === 0) see(key, inner as V);
    else visit(inner as Node, shift - 5, key, see);
  }
}

function differ(a: Node, b: Node, shift: number, base: number, found: number[]): void {
  for (let slot = 0; slot < Math.max(a.length, b.length); slot++) {
    const [ours, theirs] = [a[slot], b[slot]];
    if (ours === theirs) continue;
    const key = base + slot * 2 ** shift;
    if (shift === 0) found.push(key);
    else differ((ours ?? []) as Node, (theirs ?? []) as Node, shift - 5, key, found);
  }
}
