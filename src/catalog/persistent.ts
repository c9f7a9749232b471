/**
 * A persistent hash map (a hash array mapped trie, 32 ways): `set` and `delete` copy one path and leave the old map as it was,
 * so that keeping the catalog before and after every statement costs memory by change, not by size.
 */
export interface PersistentMap<K extends string | number, V> {
  get(key: K): V | undefined;
  has(key: K): boolean;
  set(key: K, value: V): PersistentMap<K, V>;
  delete(key: K): PersistentMap<K, V>;
  /** In no promised order. */
  entries(): Iterable<readonly [K, V]>;
  /** Keys whose values are not the same in both, or that one lacks. Shared parts of two versions are not walked. */
  differences(other: PersistentMap<K, V>): ReadonlySet<K>;
}

/** One key; `next` are the others with the same hash. */
type Leaf<K, V> = { readonly hash: number; readonly key: K; readonly value: V; readonly next: Leaf<K, V> | undefined };
type Branch<K, V> = { readonly bitmap: number; readonly children: readonly Node<K, V>[] };
type Node<K, V> = Leaf<K, V> | Branch<K, V>;

const isLeaf = <K, V>(node: Node<K, V>): node is Leaf<K, V> => 'key' in node;

/** Ids hash to themselves, text by FNV-1a over UTF-16 units. */
function hashOf(key: string | number): number {
  if (typeof key === 'number') return key | 0;
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return hash;
}

function bitCount(bits: number): number {
  let n = bits - ((bits >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
const slot = (hash: number, shift: number): number => 1 << ((hash >>> shift) & 31);
const indexOf = (bitmap: number, bit: number): number => bitCount(bitmap & (bit - 1));

function put<K, V>(node: Node<K, V> | undefined, shift: number, hash: number, key: K, value: V): Node<K, V> {
  if (!node) return { hash, key, value, next: undefined };
  if (isLeaf(node)) {
    if (node.hash === hash) return { hash, key, value, next: without(node, key) };
    return put({ bitmap: slot(node.hash, shift), children: [node] }, shift, hash, key, value);
  }
  const bit = slot(hash, shift);
  const at = indexOf(node.bitmap, bit);
  if ((node.bitmap & bit) === 0) return { bitmap: node.bitmap | bit, children: node.children.toSpliced(at, 0, { hash, key, value, next: undefined }) };
  return { bitmap: node.bitmap, children: node.children.with(at, put(node.children[at], shift + 5, hash, key, value)) };
}

/** The keys of one hash but for one; the same leaf when that is not among them. */
function without<K, V>(leaf: Leaf<K, V> | undefined, key: K): Leaf<K, V> | undefined {
  if (leaf === undefined || leaf.key === key) return leaf?.next;
  const next = without(leaf.next, key);
  return next === leaf.next ? leaf : { ...leaf, next };
}

/** The same node when it does not hold the key. */
function remove<K, V>(node: Node<K, V>, shift: number, hash: number, key: K): Node<K, V> | undefined {
  if (isLeaf(node)) return node.hash === hash ? without(node, key) : node;
  const bit = slot(hash, shift);
  const at = indexOf(node.bitmap, bit);
  const child = (node.bitmap & bit) === 0 ? undefined : node.children[at];
  if (!child) return node;
  const rest = remove(child, shift + 5, hash, key);
  if (rest === child) return node;
  if (rest) return { bitmap: node.bitmap, children: node.children.with(at, rest) };
  return node.children.length === 1 ? undefined : { bitmap: node.bitmap & ~bit, children: node.children.toSpliced(at, 1) };
}

function find<K, V>(root: Node<K, V> | undefined, hash: number, key: K): Leaf<K, V> | undefined {
  let node = root;
  for (let shift = 0; node; shift += 5) {
    if (isLeaf(node)) {
      let leaf: Leaf<K, V> | undefined = node.hash === hash ? node : undefined;
      while (leaf !== undefined && leaf.key !== key) leaf = leaf.next;
      return leaf;
    }
    const bit = slot(hash, shift);
    node = (node.bitmap & bit) === 0 ? undefined : node.children[indexOf(node.bitmap, bit)];
  }
  return undefined;
}

function* walk<K, V>(node: Node<K, V> | undefined): Iterable<readonly [K, V]> {
  if (!node) return;
  if (!isLeaf(node)) for (const child of node.children) yield* walk(child);
  else for (let leaf: Leaf<K, V> | undefined = node; leaf !== undefined; leaf = leaf.next) yield [leaf.key, leaf.value];
}

function differ<K extends string | number, V>(a: Node<K, V> | undefined, b: Node<K, V> | undefined, found: Set<K>): void {
  if (a === b) return;
  if (a && b && !isLeaf(a) && !isLeaf(b) && a.bitmap === b.bitmap) {
    a.children.forEach((child, at) => differ(child, b.children[at], found));
    return;
  }
  const ours = new Map(walk(a));
  const theirs = new Map(walk(b));
  for (const [key, value] of ours) if (!theirs.has(key) || theirs.get(key) !== value) found.add(key);
  for (const key of theirs.keys()) if (!ours.has(key)) found.add(key);
}

class HashTrie<K extends string | number, V> implements PersistentMap<K, V> {
  private readonly root: Node<K, V> | undefined;

  constructor(root: Node<K, V> | undefined) {
    this.root = root;
  }

  get(key: K): V | undefined {
    return find(this.root, hashOf(key), key)?.value;
  }

  has(key: K): boolean {
    return find(this.root, hashOf(key), key) !== undefined;
  }

  set(key: K, value: V): PersistentMap<K, V> {
    return new HashTrie(put(this.root, 0, hashOf(key), key, value));
  }

  delete(key: K): PersistentMap<K, V> {
    const rest = this.root && remove(this.root, 0, hashOf(key), key);
    return rest === this.root ? this : new HashTrie(rest);
  }

  entries(): Iterable<readonly [K, V]> {
    return walk(this.root);
  }

  differences(other: PersistentMap<K, V>): ReadonlySet<K> {
    const found = new Set<K>();
    differ(this.root, (other as HashTrie<K, V>).root, found);
    return found;
  }
}

const empty: PersistentMap<never, never> = new HashTrie<never, never>(undefined);

/** The empty map. */
export function emptyMap<K extends string | number, V>(): PersistentMap<K, V> {
  return empty as unknown as PersistentMap<K, V>;
}
