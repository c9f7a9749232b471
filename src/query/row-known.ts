import { closure, decidesRows } from './closure.ts';
import type { Ids } from './ids.ts';
import type { RowFacts } from './laws.ts';
import type { Decided } from './row-order.ts';

/** What the values of columns decide in FROM and WHERE. `facts` is asked at most once, and only when an order is judged. */
export function decidedBy(facts: () => RowFacts): Decided {
  // Each output of a select list asks for what the same few sets decide.
  const known = new Map<readonly number[], Ids>();
  const from = (ids: readonly number[]): Ids => {
    let found = known.get(ids);
    if (found === undefined) known.set(ids, (found = closure(facts(), ids)));
    return found;
  };
  const decides = (ids: readonly number[]): boolean => {
    const found = from(ids);
    return facts().rows.every(row => found.has(row));
  };
  return { from, decides, isOneRow: ids => (decides(ids) ? 'yes' : decidesRows(facts(), ids, { possible: true }) ? 'unknown' : 'no') };
}
