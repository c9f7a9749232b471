import { expect, test } from 'vitest';
import schema from '../report/config.schema.json' with { type: 'json' };
import { readArguments } from './arguments.ts';
import { globToRegExp } from './glob.ts';
import { shapeError, type Schema } from './shape.ts';
import { nearest } from './usage.ts';

test.each([
  ['V2__*.sql', 'V2__a.sql', true], ['V2__*.sql', 'x/V2__a.sql', false], ['**/V2*.sql', 'a/b/V2.sql', true], ['**/V2*.sql', 'V2.sql', true], ['db/**', 'db/a/b', true],
  ['{2,3}_*.sql', '3_x.sql', true], ['{2,3}_*.sql', '4_x.sql', false], ['[!1]?.sql', '2a.sql', true], ['[!1]?.sql', '1a.sql', false], ['a.sql', 'axsql', false], ['a(b)+.sql', 'a(b)+.sql', true],
])('%s on %s is %s', (pattern, path, matches) => {
  expect(globToRegExp(pattern).test(path)).toBe(matches);
});

test('near names', () => {
  expect(nearest('migratons', ['migrations', 'tool'])).toBe('migrations');
  expect(nearest('xyz', ['migrations', 'tool'])).toBeUndefined();
  expect(nearest('no-recreate-in-plcae', ['no-recreate-in-place'])).toBe('no-recreate-in-place');
});

test('words keep their order, and what follows -- is a path', () => {
  const words = readArguments(['a', '--format', 'json', '--output=o', '--', '--quiet', '-']);
  expect(words.words).toEqual([{ value: 'a' }, { option: 'format', value: 'json' }, { option: 'output', value: 'o' }, { value: '--quiet' }, { value: '-' }]);
  expect(words.has('quiet')).toBe(false);
  expect(() => readArguments(['--nope'])).toThrow('there is no option --nope');
  expect(() => readArguments(['-x'])).toThrow('there is no option -x');
});

test('the example of the documentation is a valid configuration', () => {
  const example = {
    $schema: './x.json', migrations: ['db/migrations'], tool: 'flyway', postgres: 16, preset: 'recommended', rules: { 'no-sliding-window': 'warning' },
    ivm: { engines: ['pg_ivm'], pg_trickle: { version: '0.108' } }, shadow: ['*_refresh', '*_blue'], refreshes: { concurrently: ['public.daily_sales'], complete: false },
    session: { searchPath: ['app', 'public'], role: 'migrator', timezone: 'UTC' }, extensions: { postgis: 'stub' }, sizes: { small: '100MB', huge: '10GB' },
    placeholders: { schema: 'app' }, ignore: ['**/seed/**'],
  };
  expect(shapeError(example, schema as Schema, schema.definitions as Record<string, Schema>)).toBeUndefined();
  expect(shapeError({ projects: [{ name: 'a', root: 'b', ...example, $schema: undefined }] }, schema as Schema, schema.definitions as Record<string, Schema>)).toContain('$schema');
});
