import { expect, test } from 'vitest';
import { emptyMap, type PersistentMap } from './persistent.ts';

/** A small seeded generator, so that a failure repeats. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

test('agrees with Map over random changes, and old versions stay as they were', () => {
  const next = random(7);
  const truth = new Map<string | number, number>();
  let map: PersistentMap<string | number, number> = emptyMap();
  const kept: { map: typeof map; truth: Map<string | number, number> }[] = [];
  for (let turn = 0; turn < 20_000; turn++) {
    const number = Math.floor(next() * 3000);
    const key = next() < 0.5 ? number : `name${number}`;
    if (next() < 0.3) {
      map = map.delete(key);
      truth.delete(key);
    } else {
      map = map.set(key, turn);
      truth.set(key, turn);
    }
    if (turn % 2000 === 0) kept.push({ map, truth: new Map(truth) });
  }
  for (const version of [...kept, { map, truth }]) {
    expect([...version.map.entries()].length).toBe(version.truth.size);
    expect(new Map(version.map.entries())).toEqual(version.truth);
    for (const [key, value] of version.truth) expect(version.map.get(key)).toBe(value);
  }
});

test('keys whose hashes collide are kept apart', () => {
  // FNV-1a over UTF-16 units: these two texts have the same 32-bit hash.
  const [a, b] = collision();
  const map = emptyMap<string, number>().set(a, 1).set(b, 2);
  expect([map.get(a), map.get(b), [...map.entries()].length]).toEqual([1, 2, 2]);
  expect([map.set(a, 3).get(a), map.set(a, 3).get(b)]).toEqual([3, 2]);
  expect([map.delete(a).get(b), map.delete(a).has(a), [...map.delete(a).entries()]]).toEqual([2, false, [[b, 2]]]);
});

/** Two texts with one FNV-1a hash, by the birthday paradox. */
function collision(): [string, string] {
  const seen = new Map<number, string>();
  for (let n = 0; ; n++) {
    const text = `k${n.toString(36)}`;
    let hash = 0x811c9dc5;
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    const other = seen.get(hash);
    if (other !== undefined) return [other, text];
    seen.set(hash, text);
  }
}
