import { readFileSync } from 'node:fs';
import { normalOf } from '../query/normal.ts';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingServers, withServer } from '../dev/server.ts';
import type { Catalog, Index, Matview } from '../model.ts';
import { split } from '../sql/split.ts';
import { openEmbedded, type Embedded } from './embedded.ts';
import { catalogFacts, compare } from './facts.ts';
import { introspect } from './introspect.ts';
import { failed } from './session.ts';

const text = readFileSync(join(import.meta.dirname, '../../fixtures/live/every-kind.sql'), 'utf8');
const statements = split(text).filter(piece => piece.kind === 'statement').map(piece => text.slice(piece.start, piece.end));
const expected = readFileSync(join(import.meta.dirname, '../../fixtures/live/every-kind.facts'), 'utf8').trimEnd().split('\n');

let server: Embedded;
let catalog: Catalog;

const rows = (from: Embedded) => async (sql: string): Promise<readonly Record<string, unknown>[]> => {
  const answer = await from.run(sql);
  if (failed(answer)) throw new Error(`${answer.message}\n${sql}`);
  return answer.rows;
};

beforeAll(async () => {
  server = await openEmbedded();
  for (const sql of statements) await rows(server)(sql);
  catalog = await introspect(rows(server));
});
afterAll(() => server.close());

const matview = (name: string): Matview => {
  const found = catalog.find({ schema: 'app', name });
  if (found.is !== 'present' || found.object.kind !== 'matview') throw new Error(`no matview ${name}`);
  return found.object;
};

test('a database of every kind of object gives exactly these facts', () => {
  expect(catalogFacts(catalog)).toEqual(expected);
});

test('the world is closed: a name that is not there is absent', () => {
  expect(catalog.find({ schema: 'app', name: 'nothing' })).toEqual({ is: 'absent' });
  expect(catalog.find({ name: 'orders' }, ['app']).is).toBe('present');
});

test('indexes keep their shape: expressions, predicates, order, INCLUDE, NULLS NOT DISTINCT', () => {
  const indexes = new Map(catalog.indexesOf(matview('daily').id).map((index): [string, Index] => [index.name.name, index]));
  expect(indexes.get('daily_expression')).toMatchObject({ unique: true, columns: [{ expression: 'lower ( status )' }] });
  expect(indexes.get('daily_partial')?.predicate).toBe("( day > '2020-01-01' :: date )");
  expect(indexes.get('daily_ordered')?.columns).toMatchObject([{ column: 'day', descending: true, nullsFirst: false }, { column: 'status', descending: false, nullsFirst: true }]);
  expect(indexes.get('daily_key')).toMatchObject({ unique: true, include: ['total'], nullsNotDistinct: true, valid: true });
});

test('a view reads relations with columns, and its definition is schema-qualified whatever the path', () => {
  const { query } = matview('daily');
  expect(query.reads.map(read => read.columns)).toEqual([['status', 'placed_at', 'total']]);
  expect(normalOf(query)).toContain('from app . orders');
});

test('what the replay does not know is neither agreement nor difference', () => {
  const found = compare(['table t: owner = ?', 'table t: exists = yes', 'table t: columns = ?', 'table x: exists = yes'],
    ['table t: owner = a', 'table t: exists = yes', 'table t: columns = a', 'table t: column a type = text', 'table y: exists = yes']);
  expect(found).toEqual({
    agreed: ['table t: exists = yes'], replayedOnly: ['table x: exists = yes'], introspectedOnly: ['table y: exists = yes'],
    unknown: ['table t: owner = a', 'table t: columns = a', 'table t: column a type = text'],
  });
});

const majors = [15, 18];
const missing = missingServers(majors);
if (missing.length > 0) process.stderr.write(`${missing.length} of ${majors.length} servers are missing; their tests are skipped: npm run servers -- ${missing.join(' ')}\n`);

describe.each(majors)('PostgreSQL %i', major => {
  test.skipIf(missing.includes(major))('gives the same facts', async () => {
    await withServer(major, async scratch => {
      const client = await scratch.connect();
      for (const sql of statements) await client.query(sql);
      const facts = catalogFacts(await introspect(async sql => (await client.query<Record<string, unknown>>(sql)).rows));
      // MAINTAIN came with 17; nothing else in the file depends on the version.
      expect(facts).toEqual(major >= 17 ? expected : expected.filter(fact => !fact.includes('grant MAINTAIN')));
    });
  });
});
