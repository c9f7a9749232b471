import { expect, test } from 'vitest';
import { PersistentMap } from './persistent.ts';

/** A small seeded generator, so that a failure repeats. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Near numbers, as ids are, and far ones, as a snapshot that somebody edited may have them. */
function numbers(seed: number): () => number {
  const next = random(seed);
  return () => Math.floor(next() * (next() < 0.9 ? 3000 : 2 ** 31));
}

test('agrees with Map over random changes, and old versions stay as they were', () => {
  const [next, key] = [random(7), numbers(11)];
  const truth = new Map<number, number>();
  let map: PersistentMap<number> = PersistentMap.empty;
  const kept: { map: typeof map; truth: Map<number, number> }[] = [];
  for (let turn = 0; turn < 20_000; turn++) {
    const at = key();
    if (next() < 0.3) {
      map = map.delete(at);
      truth.delete(at);
    } else {
      map = map.set(at, turn);
      truth.set(at, turn);
    }
    if (turn % 2000 === 0) kept.push({ map, truth: new Map(truth) });
  }
  for (const version of [...kept, { map, truth }]) {
    const ascending = [...version.truth].sort(([a], [b]) => a - b);
    expect(version.map.entries()).toEqual(ascending);
    expect(version.map.values()).toEqual(ascending.map(([, value]) => value));
    for (const [at, value] of version.truth) expect(version.map.get(at)).toBe(value);
  }
});

test('what differs between two versions is found, whichever has the higher keys', () => {
  const key = numbers(5);
  let base: PersistentMap<number> = PersistentMap.empty;
  for (let turn = 0; turn < 500; turn++) base = base.set(turn, turn);
  let changed = base;
  const touched = new Set<number>();
  for (let turn = 0; turn < 50; turn++) {
    const at = key();
    changed = turn % 3 === 0 ? changed.delete(at) : changed.set(at, -1);
    if (base.get(at) === changed.get(at)) touched.delete(at);
    else touched.add(at);
  }
  const expected = [...touched].sort((a, b) => a - b);
  expect(base.differences(changed)).toEqual(expected);
  expect(changed.differences(base)).toEqual(expected);
  expect(changed.differences(changed)).toEqual([]);
});

test('keys that were never set are not there', () => {
  const map: PersistentMap<number> = PersistentMap.empty;
  for (const key of [0, 31, 32, 2 ** 20, -1]) expect([map.get(key), map.set(7, 1).get(key), map.has(key)]).toEqual([undefined, undefined, false]);
});
