import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { expect, test } from 'vitest';

/**
 * The architecture, as a test. A layer imports itself and the layers before it, nothing after it; two doors narrow that further:
 * rules see `src/rule.ts` alone, and hosts see the public API, the reports and the vocabulary.
 */
const layers = [
  'src/memo.ts', 'src/model/', 'src/model.ts', 'src/sql/', 'src/read/', 'src/builtins/', 'src/query/', 'src/catalog/', 'src/rewrite/', 'src/live/', 'src/rule/', 'src/rule.ts', 'rules/',
  'src/lint/', 'src/lint.ts', 'src/report/', 'src/index.ts', 'src/hosts/', 'src/dev/',
] as const;

/** Only these may import the parsers: one door to the syntax tree. */
const parsers = ['libpg-query', '@pgsql/types', 'pgsql-ast-parser'];

const root = join(import.meta.dirname, '..');
const files = ['src', 'rules']
  .flatMap(folder => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(file => `${folder}/${file}`))
  .filter(file => file.endsWith('.ts'));

const layerOf = (file: string): number => layers.findIndex(layer => (layer.endsWith('/') ? file.startsWith(layer) : file === layer));

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^\s*(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gm)]
    .map(match => match[1] ?? match[2] ?? match[3] ?? '');
}
const resolve = (from: string, to: string): string => relative(root, normalize(join(root, dirname(from), to)));

test('every source file stands in a layer', () => {
  const homeless = files.filter(file => layerOf(file) < 0 && !file.endsWith('.test.ts') && !file.endsWith('rules/index.ts'));
  expect(homeless).toEqual([]);
});

test('a layer imports itself and the layers above it, nothing below', () => {
  const wrong = files.filter(file => !file.endsWith('.test.ts')).flatMap(file => importsOf(file)
    .filter(to => to.startsWith('.') && to.endsWith('.ts'))
    .map(to => resolve(file, to))
    .filter(to => layerOf(to) > layerOf(file))
    .map(to => `${file} -> ${to}`));
  expect(wrong).toEqual([]);
});

test('the vocabulary imports itself alone, and everyone else comes through its door', () => {
  const isInside = (path: string): boolean => path === 'src/model.ts' || path.startsWith('src/model/');
  const outside = files.flatMap(file => importsOf(file).map(to => [file, to.startsWith('.') ? resolve(file, to) : to] as const))
    .filter(([file, to]) => (isInside(file) ? !to.startsWith('src/model/') : to.startsWith('src/model/')));
  expect(outside).toEqual([]);
});

test('rules see src/rule.ts alone', () => {
  const wrong = files.filter(file => file.startsWith('rules/') && file !== 'rules/index.ts')
    .flatMap(file => importsOf(file).filter(to => to !== '../src/rule.ts').map(to => `${file} -> ${to}`));
  expect(wrong).toEqual([]);
});

test('hosts see the public API, the reports and the vocabulary; what begins before them, the thread alone', () => {
  const allowed = ['src/index.ts', 'src/report/', 'src/hosts/', 'src/model.ts', 'src/sql/thread.ts'];
  const wrong = files.filter(file => file.startsWith('src/hosts/') && !file.endsWith('.test.ts')).flatMap(file => importsOf(file)
    .filter(to => to.startsWith('.') && to.endsWith('.ts'))
    .map(to => resolve(file, to))
    .filter(to => !allowed.some(place => (place.endsWith('/') ? to.startsWith(place) : to === place)))
    .map(to => `${file} -> ${to}`));
  expect(wrong).toEqual([]);
});

test('only src/index.ts and contributors\' tools import the rules', () => {
  const wrong = files.filter(file => file.startsWith('src/') && file !== 'src/index.ts' && !file.startsWith('src/dev/') && !file.endsWith('.test.ts'))
    .flatMap(file => importsOf(file).filter(to => resolve(file, to).startsWith('rules/')).map(to => `${file} -> ${to}`));
  expect(wrong).toEqual([]);
});

test('only src/sql imports the parsers', () => {
  const wrong = files.filter(file => !file.startsWith('src/sql/')).flatMap(file => importsOf(file).filter(to => parsers.includes(to)).map(to => `${file} -> ${to}`));
  expect(wrong).toEqual([]);
});

test('what is known of objects is kept by src/memo.ts', () => {
  const tables = files.filter(file => !file.endsWith('.test.ts') && /\bnew WeakMap\b/.test(readFileSync(join(root, file), 'utf8')));
  expect(tables).toEqual([]);
});
