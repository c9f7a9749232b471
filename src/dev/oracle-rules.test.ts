import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Rule } from '../model.ts';
import { randomValid, validHistory } from './agreement.ts';
import { loadRules } from './fixtures.ts';
import { KeptServers } from './kept-servers.ts';
import { randomDeploys } from './random-deploys.ts';
import { added, isAllowed, judged, scoresOf, type Score } from './oracle-rules.ts';

const servers = new KeptServers();
let rules: readonly Rule[];
beforeAll(async () => {
  rules = await loadRules();
});
afterAll(() => servers.close());

test('random histories: every finding came true on Postgres, and nothing that happened was missed', async () => {
  const scores: ReadonlyMap<string, Score>[] = [];
  for (let seed = 1; seed <= 6; seed += 1) {
    const { name, history } = await randomValid(seed, servers);
    scores.push(await scoresOf(name, history, seed % 2 === 0, rules, servers));
    const deploys = await validHistory(`deploys/${seed}`, randomDeploys(seed), false, servers);
    scores.push(await scoresOf(deploys.name, deploys.history, false, rules, servers));
  }
  const sum = [...added(scores).values()];
  expect(sum.flatMap(({ mistakes }) => mistakes).filter(mistake => !isAllowed(mistake))).toEqual([]);
  expect(sum.reduce((total, { true: right }) => total + right, 0)).toBeGreaterThan(60);
}, 120_000);

test('a rule that is silent misses something, and one that speaks of what did not happen raises false alarms', async () => {
  const { name, history } = await randomValid(9, servers);
  const loud = rules.map((rule): Rule => (rule.meta.id !== 'no-recreate-in-place' ? rule : {
    ...rule, check: { *refreshMatview({ via, matview }) { yield { span: via.span, message: 'It is gone.', relation: matview.name.name }; } },
  }));
  const silent = loud.map(rule => (rule.meta.id === 'prefer-concurrent-refresh' ? { ...rule, check: {} } : rule));
  const scores = await scoresOf(name, history, false, silent, servers);
  expect(scores.get('no-recreate-in-place')?.mistakes.map(({ is }) => is)).toContain('false alarm');
  expect(scores.get('prefer-concurrent-refresh')?.mistakes.map(({ is }) => is)).toContain('miss');
}, 120_000);

test('the oracle judges rules that exist', () => {
  const ids = rules.map(({ meta }) => meta.id);
  expect([...judged].filter(id => !ids.includes(id))).toEqual([]);
});
