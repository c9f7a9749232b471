/** Empty tables of random schemas are filled: every table gets rows, whatever its keys, types and checks. Postgres itself is the judge of every row. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEmbedded, type Embedded } from '../live/embedded.ts';
import { fillBeneath } from '../live/fill.ts';
import { failed } from '../live/session.ts';
import { fillSchema } from './fill-schema.ts';

let server: Embedded;
beforeAll(async () => { server = await openEmbedded(); }, 60_000);
afterAll(() => server.close());

const seeds = Array.from({ length: 60 }, (_, at) => at + 1);
const wanted = 40;

test('every table of every schema gets rows, nearly all of them as many as were asked for', async () => {
  const poor: string[] = [];
  let tables = 0;
  let rich = 0;
  for (const seed of seeds) {
    const schema = fillSchema(seed);
    for (const sql of ['DROP SCHEMA public CASCADE', 'CREATE SCHEMA public', ...schema.statements]) {
      const answer = await server.run(sql);
      if (failed(answer)) throw new Error(`seed ${seed}: ${answer.message}\n${sql}`);
    }
    const over = schema.tables.map(name => `(SELECT count(*) FROM ${name}) AS ${name}`);
    await server.run(`CREATE MATERIALIZED VIEW mv AS SELECT ${over.join(', ')} WITH NO DATA`);
    const filled = await fillBeneath(sql => server.run(sql), { schema: 'public', name: 'mv' }, wanted);
    for (const name of schema.tables) {
      const rows = filled[`public.${name}`] ?? 0;
      tables += 1;
      if (rows >= wanted / 4) rich += 1;
      if (rows === 0) poor.push(`seed ${seed} ${name}: ${schema.statements.filter(sql => sql.includes(`TABLE ${name}`)).join('; ')}`);
    }
  }
  expect(poor).toEqual([]);
  expect(rich / tables).toBeGreaterThan(0.95);
}, 300_000);
