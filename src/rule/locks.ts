import { meaning, modeName } from '../catalog/locks.ts';
import type { LockMode, Selectable } from '../model.ts';
import { quote } from './words.ts';

/** The lock a refresh of a materialized view takes on it (facts A). */
export function refreshLock(concurrently: boolean): LockMode {
  return concurrently ? 'ExclusiveLock' : 'AccessExclusiveLock';
}

/** What a lock is to everybody else while it is held: `ACCESS EXCLUSIVE on daily_sales: everybody waits: readers, refreshes and DDL`. */
export function lockWords(mode: LockMode, relation: Selectable): string {
  return `${modeName(mode)} on ${quote(relation.name)}: ${meaning(mode, relation.kind)}`;
}
