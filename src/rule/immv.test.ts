import { expect, test } from 'vitest';
import type { Laboratory, Matview, Statement } from '../model.ts';
import { refusesImmv } from './immv-experiment.ts';
import { openEmbedded } from '../live/embedded.ts';

test('pg_ivm is asked for real: it refuses, it takes, and where it cannot be had nothing is shown', async () => {
  const view = (sql: string): Matview => ({ name: { schema: 'public', name: 'v' }, query: { statement: { sql } as Statement, start: 0, end: sql.length } }) as Matview;
  const verdict = async (sql: string, extensions: readonly string[]): Promise<unknown> => {
    const server = await openEmbedded({ extensions });
    await server.run('CREATE TABLE t (id int PRIMARY KEY, k text)');
    const lab: Laboratory = { run: text => server.run(text), fill: () => Promise.resolve({}) };
    const found = await refusesImmv(view(sql)).run(lab);
    await server.close();
    return found;
  };
  expect(await verdict('SELECT id FROM t ORDER BY id', ['pg_ivm'])).toMatchObject({ kind: 'confirmed', says: expect.stringContaining('0A000') });
  expect(await verdict('SELECT id, k FROM t', ['pg_ivm'])).toEqual({ kind: 'refuted', says: 'pg_ivm makes an IMMV of the query of v.' });
  expect(await verdict('SELECT nothing FROM t', ['pg_ivm'])).toMatchObject({ kind: 'unproven', says: expect.stringContaining('42703') });
  expect(await verdict('SELECT id FROM t', [])).toMatchObject({ kind: 'unproven', says: expect.stringContaining('pg_ivm cannot be had here') });
}, 60_000);
