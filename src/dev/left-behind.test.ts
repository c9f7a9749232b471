import { expect, test } from 'vitest';
import { lint, memoryFiles, open } from '../index.ts';

const made = `create extension pg_ivm;
create extension pg_trickle;
create table orders (id bigint primary key, customer_id bigint not null, total numeric not null);
select pgivm.create_immv('totals', 'select customer_id, sum(total) as total from orders group by customer_id');
create view customer_totals as select customer_id, total from totals;
`;
const moved = `select pgtrickle.create_stream_table('totals_v2', 'select customer_id, sum(total) as total from orders group by customer_id');
create or replace view customer_totals as select customer_id, total from totals_v2;
`;

/** What no-misused-ivm says to a history that goes on after the readers of an IMMV have moved to a stream table. */
async function said(last?: string): Promise<readonly string[]> {
  const session = await open(memoryFiles({ 'db/001_made.sql': made, 'db/002_moved.sql': moved, ...(last === undefined ? {} : { 'db/003_last.sql': last }) }));
  return lint(session).report.findings.flatMap(finding => [finding, ...finding.also])
    .filter(({ rule }) => rule === 'no-misused-ivm').map(({ message }) => message);
}

const leftBehind = ['totals is still maintained by pg_ivm although nothing reads it since table totals_v2 took its place.'];

test('in the deploy that moves the readers it may stay, as the way back', async () => {
  expect(await said()).toEqual([]);
});

test.each([
  ['nothing', 'select 1;', leftBehind],
  ['an index', 'create index on totals (total);', leftBehind],
  ['another view over it', 'create view again as select total from totals;', []],
  ['the drop of it', 'drop table totals;', []],
  ['the end of its maintenance', `select pgivm.refresh_immv('totals', false);`, []],
])('an IMMV without readers, and a later migration with %s', async (_, last, findings) => {
  expect(await said(last)).toEqual(findings);
});
