import { PGlite } from '@electric-sql/pglite';
import { expect, test } from 'vitest';
import { makeHistory } from './history.ts';

test('the same seed makes the same history, and a longer one begins with the shorter', () => {
  const short = [...makeHistory(50, 7)];
  expect([...makeHistory(50, 7)]).toEqual(short);
  expect([...makeHistory(80, 7)].slice(0, 50)).toEqual(short);
  expect([...makeHistory(50, 8)]).not.toEqual(short);
});

test('a thousand files are about one megabyte', () => {
  const bytes = [...makeHistory(1000).values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  expect(bytes).toBeGreaterThan(800_000);
  expect(bytes).toBeLessThan(1_300_000);
});

test('Postgres takes every file', async () => {
  const server = await PGlite.create();
  const refused: string[] = [];
  for (const [path, text] of makeHistory(250)) {
    try {
      await server.exec(text);
    } catch (error) {
      refused.push(`${path}: ${String(error)}`);
      await server.exec('rollback');
    }
  }
  await server.close();
  expect(refused).toEqual([]);
});
