/** Fixes that are edits: applied to every fixture that has some, the histories still run on Postgres, and what was fixed is not found again. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Rule } from '../model.ts';
import { applyFixes } from '../lint/fixes.ts';
import { agreementOf } from './agreement.ts';
import { allFindings, historyOf, lintFixture, loadRules, readFixtures, type Fixture } from './fixtures.ts';
import { KeptServers } from './kept-servers.ts';
import { knownDifference } from './known-differences.ts';

let rules: readonly Rule[];
const servers = new KeptServers();
beforeAll(async () => {
  rules = await loadRules();
});
afterAll(() => servers.close());

const textOf = (fixture: Fixture) => (path: string): string | undefined => fixture.files.find(file => file.path === path)?.text;
const fixable = new Set(['no-nondeterministic-output', 'require-unique-index', 'no-unordered-aggregate', 'no-session-dependent-output']);

test.each(readFixtures().filter(({ rule, bad }) => bad && fixable.has(rule)).map(fixture => [`${fixture.rule}/${fixture.name}`, fixture] as const))('%s', async (name, fixture) => {
  let fixed: Fixture = fixture;
  // Fixes at one place wait for each other, as those of --fix do.
  for (let round = 0; round < 5; round += 1) {
    const { texts } = applyFixes(lintFixture(fixed, rules).report, textOf(fixed), () => true);
    fixed = { ...fixed, files: fixed.files.map(file => ({ ...file, text: texts.get(file.path) ?? file.text })) };
  }
  const history = historyOf(fixed);
  // The same statements are refused as before, and no others.
  const { refusals, differences } = await agreementOf(name, history, servers);
  expect(refusals.filter(({ came }) => came !== undefined).map(({ came }) => came)).toEqual(fixture.refused.map(({ sqlstate }) => sqlstate));
  expect(differences.filter(difference => knownDifference(difference) === undefined)).toEqual([]);
  const left = allFindings(lintFixture(fixed, rules).report.findings).filter(({ fixes }) => fixes.length > 0);
  expect(left.map(({ message }) => message)).toEqual([]);
}, 60_000);

test('some are applied', () => {
  const count = (rule: string): number => readFixtures().filter(fixture => fixture.rule === rule && fixture.bad)
    .reduce((sum, fixture) => sum + applyFixes(lintFixture(fixture, rules).report, textOf(fixture), () => true).applied, 0);
  for (const rule of fixable) expect([rule, count(rule) > 0]).toEqual([rule, true]);
});
