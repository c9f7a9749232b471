import { Follower } from './closure.ts';
import type { RowFacts } from './laws.ts';

/** Closures that one search for keys may take. */
const usualBudget = 1500;
const mostKeys = 24;

/**
 * The minimal lists of columns that decide the rows, as positions: the shortest first, then by position. `columns`: the identities of
 * each column. All of them while there are few candidates, else the short ones and one from either end.
 */
export function minimalKeys(facts: RowFacts, columns: readonly (readonly number[])[],
  budget = usualBudget): readonly (readonly number[])[] {
  const follower = new Follower(facts);
  const decides = (positions: readonly number[]): boolean => follower.decides(idsAt(positions, columns));
  if (decides([])) return [[]];
  // A column that no law asks for is in no minimal key.
  const asked = new Set<number>();
  for (const { from, possible } of facts.laws) if (!possible) for (const id of from) asked.add(id);
  const candidates = columns.flatMap((ids, at) => (ids.some(id => asked.has(id)) ? [at] : []));
  if (!decides(candidates)) return [];
  const keys: (readonly number[])[] = [];
  const covered = (list: readonly number[]): boolean => keys.some(key => key.every(at => list.includes(at)));
  let spent = 0;
  let level: (readonly number[])[] = [[]];
  while (level.length > 0 && keys.length < mostKeys) {
    const next: (readonly number[])[] = [];
    for (const list of level) {
      for (const at of candidates) {
        if (at <= (list.at(-1) ?? -1)) continue;
        const longer = [...list, at];
        if (covered(longer)) continue;
        if ((spent += 1) > budget) break;
        if (decides(longer)) keys.push(longer);
        else next.push(longer);
      }
    }
    if (spent > budget) break;
    level = next;
  }
  if (spent > budget) for (const order of [candidates, [...candidates].reverse()]) {
    const key = reduced(order, decides);
    if (!covered(key)) keys.push(key);
  }
  return keys.slice(0, mostKeys);
}

function idsAt(positions: readonly number[], columns: readonly (readonly number[])[]): readonly number[] {
  const ids: number[] = [];
  for (const at of positions) ids.push(...columns[at]!);
  return ids;
}

/** One minimal key: columns are left out from the end while the rest still decides. */
function reduced(columns: readonly number[], decides: (list: readonly number[]) => boolean): readonly number[] {
  let list = [...columns];
  for (const at of [...columns].reverse()) {
    const less = list.filter(other => other !== at);
    if (decides(less)) list = less;
  }
  return list.sort((a, b) => a - b);
}
