import { join } from 'node:path';
import { expect, test } from 'vitest';
import { corpusOf, fuzz, inputOf } from './fuzzing.ts';

const corpus = corpusOf(join(import.meta.dirname, '../../fixtures'));

test('three hundred hostile inputs break no promise', async () => {
  const { counts, failures } = await fuzz(corpus, 20240501, 0, 300);
  expect(failures).toEqual([]);
  expect(counts.statements).toBeGreaterThan(300);
  expect(counts.parsed).toBeGreaterThan(100);
  expect(counts.histories).toBeGreaterThan(100);
  expect(counts.findings).toBeGreaterThan(0);
});

test('an input depends on its seed and number alone', () => {
  expect(inputOf(corpus, 3, 17)).toBe(inputOf(corpus, 3, 17));
  expect(new Set(Array.from({ length: 50 }, (_, number) => inputOf(corpus, 3, number))).size).toBeGreaterThan(45);
  expect(inputOf(corpus, 3, 17)).not.toBe(inputOf(corpus, 4, 17));
});
