/** What no-drift says of databases that the migrations themselves made: nothing, wherever in its history each stands. */
import { replay } from '../catalog/replay.ts';
import { driftOf } from '../lint/drift.ts';
import { standingOf, type Moment } from '../lint/standing.ts';
import type { History } from '../model.ts';
import type { Agreement } from './agreement.ts';

export interface Drifts {
  /** How many databases were recognised as one of the history, and how many of them as the one after their own migration. */
  readonly compared: number;
  readonly placed: number;
  readonly wrong: readonly string[];
}

export function driftsOf(name: string, history: History, databases: Agreement['databases']): Drifts {
  const moments: Moment[] = [];
  // Whoever reads a database does not know the role that made it.
  let blind = false;
  for (const { migration, judged, end, steps } of replay(history)) {
    blind ||= steps.some(step => step.blind === true);
    const last = steps.at(-1)?.statement.span;
    if (judged) moments.push({ migration, end, blind, ...(last === undefined ? {} : { last }) });
  }
  let compared = 0;
  let placed = 0;
  const wrong: string[] = [];
  for (const { migration, catalog } of databases) {
    const standing = standingOf(moments, catalog, () => false);
    if (standing === undefined) continue;
    compared += 1;
    if (standing.last.migration === migration) placed += 1;
    for (const { message } of driftOf(standing, catalog, { sameMajor: true })) wrong.push(`${name} after ${migration.id} (taken for ${standing.last.migration.id}): ${message}`);
  }
  return { compared, placed, wrong };
}
