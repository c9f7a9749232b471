import type { Catalog } from '../model.ts';
import { readWrittenName } from '../sql/names.ts';
import type { Raised } from './places.ts';

/** Notes, for the findings of one migration, which relation their name means when it has ended. */
export function remember(raised: readonly Raised[], from: number, end: Catalog): void {
  for (let index = from; index < raised.length; index += 1) {
    const one = raised[index];
    const name = one?.problem.relation === undefined ? undefined : readWrittenName(one.problem.relation);
    const found = name === undefined ? undefined : end.find(name);
    if (one !== undefined && found?.is === 'present') one.alive = found.object.id;
  }
}

/** True when a later migration repaired the damage or removed the relation. One that was gone when its migration ended is the finding itself. */
export function isHistory(one: Raised, end: Catalog, crash: (rule: string, path: string, error: unknown) => void): boolean {
  if (one.problem.stillTrue !== undefined) {
    try {
      if (!one.problem.stillTrue(end)) return true;
    } catch (error) {
      crash(one.rule, one.problem.span.path, error);
    }
  }
  if (one.alive === undefined || one.problem.relation === undefined || end.get(one.alive) !== undefined) return false;
  const name = readWrittenName(one.problem.relation);
  return name !== undefined && end.find(name).is !== 'present';
}
