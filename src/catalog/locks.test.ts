import { expect, test } from 'vitest';
import type { LockMode } from '../model.ts';
import { activitiesOn, conflicts, lockModes, meaning, modeName, strongest, waiting } from './locks.ts';

test('conflict is mutual, and a stronger mode conflicts with no fewer modes', () => {
  for (const a of lockModes) for (const b of lockModes) expect(conflicts(a, b)).toBe(conflicts(b, a));
  const counts = lockModes.map(mode => lockModes.filter(other => conflicts(mode, other)).length);
  expect(counts).toEqual([...counts].sort((a, b) => a - b));
});

test('the modes are named as SQL does', () => {
  expect(lockModes.map(modeName)).toEqual([
    'ACCESS SHARE', 'ROW SHARE', 'ROW EXCLUSIVE', 'SHARE UPDATE EXCLUSIVE', 'SHARE', 'SHARE ROW EXCLUSIVE', 'EXCLUSIVE', 'ACCESS EXCLUSIVE',
  ]);
});

test('the strongest of some modes', () => {
  expect(strongest(['RowExclusiveLock', 'ExclusiveLock', 'AccessShareLock'])).toBe('ExclusiveLock');
  expect(strongest([])).toBeUndefined();
});

test('what a lock means, in words', () => {
  expect(meaning('AccessExclusiveLock', 'matview'))
    .toBe('everybody waits: readers, refreshes of views over it, refreshes, index builds, VACUUM and DDL');
  expect(meaning('ExclusiveLock', 'matview'))
    .toBe('readers and refreshes of views over it go on; refreshes, index builds, VACUUM and DDL wait');
  expect(meaning('ShareLock', 'matview'))
    .toBe('readers, refreshes of views over it and index builds go on; refreshes, VACUUM and DDL wait');
  expect(meaning('AccessShareLock', 'matview'))
    .toBe('readers, refreshes of views over it, concurrent refreshes, index builds and VACUUM go on; plain refreshes and DDL wait');
  expect(meaning('ShareLock', 'table')).toBe('readers, refreshes of views over it and index builds go on; writers, VACUUM and DDL wait');
  expect(meaning('RowExclusiveLock', 'table'))
    .toBe('readers, refreshes of views over it, writers and VACUUM go on; index builds and DDL wait');
  expect(meaning('AccessShareLock', 'view')).toBe('readers and refreshes of views over it go on; DDL waits');
});

test('everybody waits for the strongest mode', () => {
  for (const kind of ['table', 'view', 'matview'] as const) expect(waiting('AccessExclusiveLock', kind)).toEqual(activitiesOn(kind));
});

test('the order of strength is not one of who waits: SHARE lets index builds go on, which wait for weaker modes', () => {
  const builds = (mode: LockMode): boolean => waiting(mode, 'table').some(({ who }) => who === 'index builds');
  expect([builds('RowExclusiveLock'), builds('ShareUpdateExclusiveLock'), builds('ShareLock')]).toEqual([true, true, false]);
});
