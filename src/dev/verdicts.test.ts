import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Rule } from '../model.ts';
import { loadRules } from './fixtures.ts';
import { KeptServers } from './kept-servers.ts';
import { promisingFixtures, tried } from './promises.ts';

const servers = new KeptServers();
let rules: readonly Rule[];

beforeAll(async () => {
  rules = await loadRules();
});
afterAll(() => servers.close());

test.each(promisingFixtures())('%s: the laboratory gives the promised verdicts, and no surprise', async (_, fixture) => {
  expect(await tried(fixture, rules, servers, 18)).toEqual({ missing: [], wrong: [], surprises: [] });
});
