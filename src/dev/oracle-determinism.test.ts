import { PGlite } from '@electric-sql/pglite';
import { expect, test } from 'vitest';
import { ready } from '../sql/parse.ts';
import { judgeDeterminism } from './determinism-oracle.ts';

test('what is tainted differs after a refresh and what is clean does not, on forty generated views', async () => {
  await ready();
  const db = await PGlite.create();
  try {
    const { judged, causes } = await judgeDeterminism(db, 11, 40);
    const wrong = judged.filter(({ verdict }) => verdict === 'missed' || verdict === 'alarm');
    expect(wrong.map(({ verdict, stage, column, query }) => `${verdict} (${stage}, ${column}): ${query}`)).toEqual([]);
    expect(judged).toHaveLength(360);
    expect(judged.filter(item => item.tainted && item.verdict === 'agreed').length).toBeGreaterThan(30);
    expect(Object.keys(causes).length).toBeGreaterThan(7);
  } finally {
    await db.close();
  }
}, 120_000);
