/**
 * The promised verdicts on real servers: `MVLINT_TEST_POSTGRES=15,18 npx vitest run src/dev/verdicts-servers.test.ts`. A major that is named and was not fetched
 * (`npm run servers`) fails. Without the variable CI takes 18 and one older where they are there; elsewhere the embedded server vouches alone (verdicts.test.ts).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { extensionsOf } from '../live/stubs.ts';
import type { Rule } from '../model.ts';
import { historyOf, loadRules } from './fixtures.ts';
import { promisesOf, promisingFixtures, tried } from './promises.ts';
import { serverHost, type ServerHost } from './server-host.ts';
import { hasServer, withServer } from './server.ts';

const fetched = (): string => [[15, 16, 17, 14].find(hasServer), hasServer(18) ? 18 : undefined].filter(major => major !== undefined).join();
const majors = (process.env['MVLINT_TEST_POSTGRES'] ?? (process.env['CI'] ? fetched() : '')).split(/[\s,]+/).filter(word => word !== '').map(Number);
let rules: readonly Rule[];

beforeAll(async () => {
  rules = await loadRules();
});

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
  const fixtures = promisingFixtures().filter(([, { options }]) => options['postgres'] === undefined || Number(options['postgres']) === major);
  test.each(fixtures)('%s', async (_, fixture) => {
    const lacking = extensionsOf(historyOf(fixture)).filter(name => !host.available.has(name));
    // The packaged servers have contrib and nothing else; pg_ivm is tried on the embedded one.
    if (lacking.length > 0) return;
    await host.tidy();
    promised += promisesOf(fixture).length;
    const { missing, wrong, surprises } = await tried({ ...fixture, options: { ...fixture.options, postgres: String(major) } }, rules, host, major);
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
