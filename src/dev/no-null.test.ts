/** Functions that the analysis holds to give no NULL for values are asked with the values that are most likely to make them. */
import { PGlite } from '@electric-sql/pglite';
import { expect, test } from 'vitest';
import { withoutNull } from '../query/call.ts';

const instants = ["'infinity'::timestamptz", "'-infinity'::timestamptz", 'now()', "'4713-01-01 BC'::timestamptz"];
const times = ["'infinity'::timestamp", "'-infinity'::timestamp", 'localtimestamp'];
const others = ["'1 day'::interval", "'infinity'::interval", "'-infinity'::interval", "'infinity'::date", 'current_date'];
const texts = ["''", "'a'", "'  '", "repeat('x', 100000)"];
const numbers = ["'NaN'::float8", "'infinity'::float8", '0::float8', "'NaN'::numeric", "'infinity'::numeric", '1.5::numeric', '0', '0::bigint', "(-'32767'::int2)"];
const units = ['microseconds', 'hour', 'day', 'week', 'month', 'quarter', 'year', 'century', 'millennium'];

/** Every call of the function that is worth a try. */
function callsOf(name: string): readonly string[] {
  if (name === 'date_trunc')
    return units.flatMap(unit => [...[...instants, ...times, ...others].map(value => `date_trunc('${unit}', ${value})`), ...instants.map(value => `date_trunc('${unit}', ${value}, 'UTC')`)]);
  if (name === 'timezone') return [...instants, ...times].map(value => `timezone('UTC', ${value})`);
  if (name === 'date') return [...instants, ...times].map(value => `date(${value})`);
  if (name === 'replace') return texts.map(text => `replace(${text}, '', '')`);
  if (name === 'split_part') return texts.flatMap(text => [1, 9, -1].map(at => `split_part(${text}, ',', ${at})`));
  if (name === 'left' || name === 'right' || name === 'repeat') return texts.flatMap(text => [0, 1, -1].map(count => `${name === 'left' || name === 'right' ? `"${name}"` : name}(${text}, ${count})`));
  return [...texts, ...numbers].map(value => `${name}(${value})`);
}

test('none of them gives NULL', async () => {
  const server = await PGlite.create();
  const nulls: string[] = [];
  const tried = new Set<string>();
  for (const name of withoutNull)
    for (const call of callsOf(name)) {
      // A call that is refused gives nothing at all.
      const answer = await server.query<{ isnull: boolean }>(`select (${call}) is null as isnull`).catch(() => undefined);
      if (answer !== undefined) tried.add(name);
      if (answer?.rows[0]?.isnull === true) nulls.push(call);
    }
  const control = await server.query<{ isnull: boolean }>("select extract(hour from 'infinity'::timestamp) is null as isnull");
  await server.close();
  expect(nulls).toEqual([]);
  expect([...withoutNull].filter(name => !tried.has(name))).toEqual([]);
  expect(control.rows[0]?.isnull).toBe(true);
}, 60_000);
