import { describe, expect, test } from 'vitest';
import { historyOf, readFixtures } from '../dev/fixtures.ts';
import { catalogFacts } from '../live/facts.ts';
import type { Catalog, Step } from '../model.ts';
import { replay, type ReplayedMigration } from './replay.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';

function read(text: string): Catalog {
  const found = readSnapshot(text);
  if (!found.ok) throw new Error(found.problem);
  return found.catalog;
}

const told = (steps: readonly Step[]): readonly unknown[] => steps.map(({ effects, locks, refusal }) => [effects.map(({ kind }) => kind), locks(), refusal?.sqlstate]);

test('every fixture: a kept catalog is the catalog, and what follows on it is the same', () => {
  let continued = 0;
  for (const fixture of readFixtures()) {
    const history = historyOf(fixture);
    const postgres = Number(fixture.options['postgres'] ?? 18);
    const runs: ReplayedMigration[] = [...replay(history, { postgres })];
    const last = runs.at(-1);
    if (last === undefined) continue;
    const name = `${fixture.rule}/${fixture.name}`;
    for (const catalog of [last.start, last.end]) {
      const text = writeSnapshot(catalog, '0');
      const back = read(text);
      expect(writeSnapshot(back, '0'), name).toBe(text);
      expect(catalogFacts(back), name).toEqual(catalogFacts(catalog));
      expect(back.world, name).toBe(catalog.world);
    }
    if (last.pass !== 1 || last.migration.kind === 'repeatable') continue;
    const [again] = [...replay({ ...history, migrations: [last.migration] }, { postgres, from: read(writeSnapshot(last.start, '0')) })];
    expect(told(again?.steps ?? []), name).toEqual(told(last.steps));
    expect(catalogFacts(again?.end ?? last.start), name).toEqual(catalogFacts(last.end));
    continued += 1;
  }
  expect(continued).toBeGreaterThan(100);
});

describe('a file that is no snapshot', () => {
  test.each([
    ['', 'not JSON'], ['{', 'not JSON'], ['[]', 'no snapshot'], ['null', 'no snapshot'], ['{"version":2,"objects":[]}', 'version 2'], ['{"version":1,"objects":[3]}', 'no object'],
    ['{"version":1,"objects":[{"kind":"matview","id":1,"name":{"schema":"a","name":"b"}}]}', 'has no options'],
    ['{"version":1,"objects":[{"kind":"constructor","id":1}]}', 'no known kind'],
    ['{"version":1,"objects":[{"kind":"role","id":4294967297,"name":"a"}]}', 'no id'],
    ['{"version":1,"objects":[{"kind":"role","id":1.5,"name":"a"}]}', 'no id'],
    ['{"version":1,"objects":[{"kind":"role","id":1,"name":{"x":1}}]}', 'has no name'],
    ['{"version":1,"objects":[{"kind":"view","id":1,"name":{"schema":"a","name":"b"},"options":{"$map":[]},"grants":{"$map":[]},"columns":[],"query":4}]}', 'query'],
  ])('%s', (text, problem) => {
    expect(readSnapshot(text)).toMatchObject({ ok: false, problem: expect.stringContaining(problem) as string });
  });
});
