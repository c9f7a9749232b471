import { afterAll, beforeAll, expect, test } from 'vitest';
import { ready } from '../sql/parse.ts';
import { agreementOf, allHistories, allowed, Bench, isAllowed, type Difference } from './agreement.ts';

const bench = new Bench();
beforeAll(ready);
afterAll(() => bench.close());

/** Everything under fixtures/, in the order `npm run agreement` takes it; the whole set is a few seconds on one server. */
const histories = allHistories();
const seen: Difference[] = [];

test.each(histories.map(({ name, history }) => [name, history] as const))('%s: the replay and Postgres hold the same catalog', async (name, history) => {
  const { agreed, differences } = await agreementOf(name, history, bench);
  expect(agreed).toBeGreaterThan(0);
  seen.push(...differences);
  expect(differences.filter(difference => !isAllowed(difference))).toEqual([]);
});

test('every allowed difference still exists', () => {
  expect(allowed.filter(one => !seen.some(difference => isAllowed(difference) && difference.history.includes(one.history) && difference.fact.includes(one.fact)))).toEqual([]);
});
