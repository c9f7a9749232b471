/**
 * What a lock on a relation means: which modes stand in each other's way, and who waits until the transaction that holds one ends.
 * One table, for everything that speaks of locks; `src/dev/lock-table.test.ts` tries all of it on real servers.
 */
import type { LockMode } from '../model.ts';

/** Every mode, weakest first, with those it conflicts with (the server's lock.c; measured mode by mode). */
const conflictsOf: Readonly<Record<LockMode, readonly LockMode[]>> = {
  AccessShareLock: ['AccessExclusiveLock'],
  RowShareLock: ['ExclusiveLock', 'AccessExclusiveLock'],
  RowExclusiveLock: ['ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'],
  ShareUpdateExclusiveLock: ['ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'],
  ShareLock: ['RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'],
  ShareRowExclusiveLock: [
    'RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock',
  ],
  ExclusiveLock: [
    'RowShareLock', 'RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
    'AccessExclusiveLock',
  ],
  AccessExclusiveLock: [
    'AccessShareLock', 'RowShareLock', 'RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock',
    'ExclusiveLock', 'AccessExclusiveLock',
  ],
};

/** The eight modes, weakest first. */
export const lockModes = Object.keys(conflictsOf) as readonly LockMode[];

/** Whether a transaction that asks for the one mode waits for another transaction that holds the other; the order does not matter. */
export function conflicts(asked: LockMode, held: LockMode): boolean {
  return conflictsOf[asked].includes(held);
}

/**
 * The mode that conflicts with most; undefined of none. It need not keep everybody waiting whom a weaker one does: index builds wait for
 * SHARE UPDATE EXCLUSIVE and not for SHARE.
 */
export function strongest(modes: Iterable<LockMode>): LockMode | undefined {
  let found: LockMode | undefined;
  for (const mode of modes) if (found === undefined || lockModes.indexOf(mode) > lockModes.indexOf(found)) found = mode;
  return found;
}

/** The mode as SQL and the manual write it: `ACCESS EXCLUSIVE`. */
export function modeName(mode: LockMode): string {
  return mode.replace(/Lock$/, '').replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toUpperCase();
}

/** What somebody does with a relation, and the strongest lock it takes there. */
export interface Activity {
  /** Those who do it, in plain words: `readers`. */
  readonly who: string;
  readonly needs: LockMode;
}

/** The kinds of relations that transactions lock against each other on purpose. */
export type Lockable = 'table' | 'view' | 'matview';

const readers: Activity = { who: 'readers', needs: 'AccessShareLock' };
/** A refresh reads what its query names, and looks through plain views. */
const refreshesAbove: Activity = { who: 'refreshes of views over it', needs: 'AccessShareLock' };
/** Forms of ALTER that need less exist (a comment, a storage option, VALIDATE CONSTRAINT); they wait where upkeep does. */
const definition: Activity = { who: 'DDL', needs: 'AccessExclusiveLock' };
/** ANALYZE and CREATE INDEX CONCURRENTLY need the same. */
const upkeep: Activity = { who: 'VACUUM', needs: 'ShareUpdateExclusiveLock' };
const indexBuilds: Activity = { who: 'index builds', needs: 'ShareLock' };

const activities: Readonly<Record<Lockable, readonly Activity[]>> = {
  table: [readers, refreshesAbove, { who: 'writers', needs: 'RowExclusiveLock' }, indexBuilds, upkeep, definition],
  view: [readers, refreshesAbove, definition],
  // There are no writers but its refreshes: every other write is refused (facts A).
  matview: [
    readers, refreshesAbove,
    { who: 'plain refreshes', needs: 'AccessExclusiveLock' }, { who: 'concurrent refreshes', needs: 'ExclusiveLock' },
    indexBuilds, upkeep, definition,
  ],
};

/** Everything people do with a relation of this kind. */
export function activitiesOn(kind: Lockable): readonly Activity[] {
  return activities[kind];
}

/** Who waits while a transaction holds the mode on a relation of this kind. */
export function waiting(held: LockMode, kind: Lockable): readonly Activity[] {
  return activities[kind].filter(({ needs }) => conflicts(needs, held));
}

/**
 * What a held lock means until its transaction ends, as the rest of a sentence: `readers go on; refreshes and DDL wait`. It says nothing
 * of who meets the lock of an index alone (REINDEX).
 */
export function meaning(held: LockMode, kind: Lockable): string {
  const waits = waiting(held, kind);
  const on = activities[kind].filter(activity => !waits.includes(activity));
  return on.length === 0 ? `everybody waits: ${together(waits)}` : `${together(on)} go on; ${whoWaits(held, kind)}`;
}

/** The half of it that hurts: `refreshes and DDL wait`. */
export function whoWaits(held: LockMode, kind: Lockable): string {
  const waits = waiting(held, kind);
  if (waits.length === activities[kind].length) return 'everybody waits';
  return `${together(waits)} ${waits.length === 1 && waits[0] === definition ? 'waits' : 'wait'}`;
}

function together(list: readonly Activity[]): string {
  const words = list.map(({ who }) => who);
  const both = words.includes('plain refreshes') && words.includes('concurrent refreshes');
  const merged = both ? words.filter(word => word !== 'plain refreshes').map(word => word.replace('concurrent ', '')) : words;
  return merged.length < 2 ? merged.join('') : `${merged.slice(0, -1).join(', ')} and ${merged.at(-1)}`;
}
