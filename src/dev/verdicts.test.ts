import { beforeAll, describe, expect, test } from 'vitest';
import { proveClaims } from '../live/prove.ts';
import { ready } from '../sql/parse.ts';
import type { Rule } from '../model.ts';
import { historyOf, lintFixture, loadRules, readFixtures, type Fixture } from './fixtures.ts';

const fixtures = readFixtures().filter(({ wants }) => wants.some(({ verdict }) => verdict !== undefined));
let rules: readonly Rule[];

beforeAll(async () => {
  await ready();
  rules = await loadRules();
});

const lineOf = (fixture: Fixture, path: string, offset: number): number =>
  (fixture.files.find(file => file.path === path)?.text ?? '').slice(0, offset).split('\n').length;

describe.each(fixtures.map(fixture => [`${fixture.rule}/${fixture.name}`, fixture] as const))('%s', (_, fixture) => {
  test('the laboratory gives the promised verdicts, and no surprise', async () => {
    const history = historyOf(fixture);
    const claims = lintFixture(fixture, rules, history).claims.flatMap(one => one.claims).filter(({ finding }) => finding.rule === fixture.rule);
    const predicted = lintFixture(fixture, rules, history).claims[0]?.predicted ?? new Map();
    const { verdicts, surprises } = await proveClaims(history, claims, predicted, { budget: 60_000, postgres: 18 });
    const seen = claims.map(claim => {
      const { finding: { span, message } } = claim;
      return { line: `${span.path}:${lineOf(fixture, span.path, span.start)}`, message, verdict: verdicts.get(claim) };
    });
    const broken = fixture.wants.filter(want => want.verdict !== undefined).flatMap(want => {
      const found = seen.filter(({ line, message }) => line === `${want.path}:${want.line}` && message.includes(want.message));
      return found.some(({ verdict }) => verdict?.kind === want.verdict) ? [] : [{ want, found }];
    });
    expect(broken).toEqual([]);
    expect(surprises).toEqual([]);
  });
});
