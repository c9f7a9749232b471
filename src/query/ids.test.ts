import { expect, test } from 'vitest';
import { Ids } from './ids.ts';

/** Numbers that come out the same every time (a linear congruential generator). */
function* draws(seed: number): Generator<number> {
  for (let state = seed; ; yield state >>> 8) state = (state * 1664525 + 1013904223) >>> 0;
}

test('does what a set of numbers does', () => {
  const draw = draws(7);
  const next = (below: number): number => draw.next().value! % below;
  const list = (): number[] => Array.from({ length: next(20) }, () => next(4) === 0 ? -1 : next(2) === 0 ? next(40) : 60 + next(200));
  const sorted = (ids: Iterable<number>): readonly number[] => [...ids].sort((a, b) => a - b);
  for (let round = 0; round < 500; round += 1) {
    const [a, b] = [list(), list()];
    const [one, other] = [Ids.of(a), Ids.of(b)];
    const [from, until] = [next(100) - 2, next(260) - 2];
    const inside = (id: number): boolean => id > from && id <= until;
    const both = sorted(new Set([...a, ...b]));
    expect([...one]).toEqual(sorted(new Set(a)));
    expect([...one.union(other)]).toEqual(both);
    expect([...one.with(b)]).toEqual(both);
    expect([...one.within(from, until)]).toEqual(sorted(new Set(a.filter(inside))));
    expect([...one.outside(from, until)]).toEqual(sorted(new Set(a.filter(id => !inside(id)))));
    expect(one.meets(from, until)).toBe(a.some(inside));
    expect([...one.shifted(from, 33)]).toEqual(sorted(new Set(a.map(id => (id > from ? id + 33 : id)))));
    for (let id = -1; id < 300; id += 7) expect(one.has(id)).toBe(a.includes(id));
  }
});

test('is the same set when nothing is added', () => {
  const ids = Ids.of([3, 70]);
  expect(ids.with([70])).toBe(ids);
  expect(ids.union(Ids.of([3]))).toBe(ids);
  expect(Ids.of([3]).union(ids)).toBe(ids);
  expect(ids.within(70, 90)).toBe(Ids.none);
});
