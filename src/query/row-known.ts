import { closure, decidesRows, type RowFacts } from './laws.ts';
import type { Decided } from './row-order.ts';

/** What the values of columns decide in FROM and WHERE. `facts` is asked at most once, and only when an order is judged. */
export function decidedBy(facts: () => RowFacts): Decided {
  return {
    from: ids => closure(facts(), ids),
    isOneRow: ids => (decidesRows(facts(), ids) ? 'yes' : decidesRows(facts(), ids, { possible: true }) ? 'unknown' : 'no'),
  };
}
