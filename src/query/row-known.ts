import { closure, decidesRows } from './closure.ts';
import type { Ids } from './ids.ts';
import type { RowFacts } from './laws.ts';
import type { Decided } from './row-order.ts';

/** What the values of columns decide in FROM and WHERE. `facts` is asked at most once, and only when an order is judged. */
export function decidedBy(facts: () => RowFacts): Decided {
  // Each output of a select list asks for what the same few sets decide.
  const known = new Map<readonly number[], Ids>();
  return {
    from: ids => {
      const old = known.get(ids);
      if (old !== undefined) return old;
      const found = closure(facts(), ids);
      known.set(ids, found);
      return found;
    },
    isOneRow: ids => (decidesRows(facts(), ids) ? 'yes' : decidesRows(facts(), ids, { possible: true }) ? 'unknown' : 'no'),
  };
}
