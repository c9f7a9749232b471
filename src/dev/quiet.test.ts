import { expect, test } from 'vitest';
import { loudness, written } from './quiet.ts';

test('the projects yield what is written down for them, and nothing else', async () => {
  const found = await loudness();
  expect(found.length).toBeGreaterThan(15);
  expect(Object.fromEntries(found.map(one => [one.project, one.findings]))).toEqual(written());
});
