/**
 * The promised verdicts on real servers: `MVLINT_TEST_POSTGRES=15,18 npx vitest run src/dev/verdicts-servers.test.ts`. A major that is named and was not fetched
 * (`npm run servers`) fails. Without the variable CI takes 18 and one older where they are there; elsewhere the embedded server vouches alone (verdicts.test.ts).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../live/host.ts';
import { proveClaims } from '../live/prove.ts';
import { extensionsOf } from '../live/stubs.ts';
import type { Rule } from '../model.ts';
import { ready } from '../sql/parse.ts';
import { historyOf, lintFixture, loadRules, readFixtures, type Fixture } from './fixtures.ts';
import { serverHost, type ServerHost } from './server-host.ts';
import { hasServer, withServer } from './server.ts';

const fetched = (): string => [[15, 16, 17, 14].find(hasServer), hasServer(18) ? 18 : undefined].filter(major => major !== undefined).join();
const majors = (process.env['MVLINT_TEST_POSTGRES'] ?? (process.env['CI'] ? fetched() : '')).split(/[\s,]+/).filter(word => word !== '').map(Number);
const promising = readFixtures().filter(({ wants }) => wants.some(({ verdict }) => verdict !== undefined));
let rules: readonly Rule[];

beforeAll(async () => {
  await ready();
  rules = await loadRules();
});

const lineOf = (fixture: Fixture, path: string, offset: number): number =>
  (fixture.files.find(file => file.path === path)?.text ?? '').slice(0, offset).split('\n').length;

test('the variable names majors', () => expect(majors.filter(major => !Number.isInteger(major) || major < 14)).toEqual([]));

describe.each(majors)('PostgreSQL %i', major => {
  let host: ServerHost;
  let stop: () => void = () => undefined;
  let stopped: Promise<void> = Promise.resolve();
  let promised = 0;
  let missed = 0;

  beforeAll(async () => {
    host = await new Promise((resolve, reject) => {
      stopped = withServer(major, async server => {
        resolve(await serverHost(server));
        await new Promise<void>(done => { stop = done; });
      });
      stopped.catch(reject);
    });
  }, 120_000);
  afterAll(async () => {
    stop();
    await stopped;
  });

  // A fixture that names a version speaks of that one alone.
  const fixtures = promising.filter(({ options }) => options['postgres'] === undefined || Number(options['postgres']) === major);
  test.each(fixtures.map(fixture => [`${fixture.rule}/${fixture.name}`, fixture] as const))('%s', async (_, fixture) => {
    const lacking = extensionsOf(historyOf(fixture)).filter(name => !host.available.has(name));
    // The packaged servers have contrib and nothing else; pg_ivm is tried on the embedded one.
    if (lacking.length > 0) return;
    await host.tidy();
    promised += fixture.wants.filter(({ verdict }) => verdict !== undefined).length;
    const { missing, wrong, surprises } = await tried({ ...fixture, options: { ...fixture.options, postgres: String(major) } }, major, host);
    missed += missing.length;
    expect(wrong).toEqual([]);
    // An older server does not know every word of the fixtures, and not every rule holds for it.
    if (major === 18) expect({ missing, surprises }).toEqual({ missing: [], surprises: [] });
  }, 60_000);

  test('nearly all of the promises could be put to the test', () => {
    expect(promised).toBeGreaterThan(0);
    expect(missed / promised).toBeLessThan(0.1);
  });
});

async function tried(fixture: Fixture, major: number, host: Host): Promise<{ missing: readonly unknown[]; wrong: readonly unknown[]; surprises: readonly unknown[] }> {
  const history = historyOf(fixture);
  const [linted] = lintFixture(fixture, rules, history).claims;
  const claims = (linted?.claims ?? []).filter(({ finding }) => finding.rule === fixture.rule);
  const { verdicts, surprises } = await proveClaims(history, claims, linted?.predicted ?? new Map(), { budget: 60_000, postgres: major, host });
  const seen = claims.map(claim => {
    const { finding: { span, message } } = claim;
    return { line: `${span.path}:${lineOf(fixture, span.path, span.start)}`, message, verdict: verdicts.get(claim) };
  });
  const missing: unknown[] = [];
  const wrong: unknown[] = [];
  for (const want of fixture.wants.filter(({ verdict }) => verdict !== undefined)) {
    const found = seen.filter(({ line, message }) => line === `${want.path}:${want.line}` && message.includes(want.message));
    if (found.length === 0) missing.push(want);
    else if (!found.some(({ verdict }) => verdict?.kind === want.verdict)) wrong.push({ want, found });
  }
  return { missing, wrong, surprises };
}
