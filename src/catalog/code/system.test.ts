import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEmbedded, type Embedded } from '../../live/embedded.ts';
import { failed } from '../../live/session.ts';
import { parse, ready } from '../../sql/parse.ts';
import { systemNames } from './questions.ts';

let server: Embedded;
beforeAll(async () => {
  await ready();
  server = await openEmbedded();
}, 60_000);
afterAll(() => server.close());

async function names(sql: string): Promise<readonly string[]> {
  const answer = await server.run(sql);
  if (failed(answer)) throw new Error(answer.message);
  return answer.rows.map(row => String(row['name']));
}

test('the names of information_schema are those of a new database', async () => {
  const found = await names(`SELECT relname AS name FROM pg_class WHERE relnamespace = 'information_schema'::regnamespace AND relkind IN ('v', 'r')
    AND relname !~ '^(_pg_|sql_)' ORDER BY 1`);
  expect([...systemNames].sort()).toEqual([...found].sort());
});

test('a new database has no materialized view, and information_schema.tables never lists one', async () => {
  expect(await names('SELECT matviewname AS name FROM pg_matviews')).toEqual([]);
  await server.run('CREATE MATERIALIZED VIEW listed AS SELECT 1 AS one');
  expect(await names("SELECT table_name AS name FROM information_schema.tables WHERE table_name = 'listed'")).toEqual([]);
});

test.each([['constraints', 4], ['identity', 32], ['indexes', 64]])('LIKE … INCLUDING %s is the bit that the parser sets', (what, bit) => {
  const parsed = parse(`create table a (like b including ${what})`);
  const [element] = parsed.ok && 'CreateStmt' in parsed.node ? parsed.node.CreateStmt.tableElts ?? [] : [];
  expect(element && 'TableLikeClause' in element && element.TableLikeClause.options).toBe(bit);
});
