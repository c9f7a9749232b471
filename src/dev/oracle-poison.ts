/**
 * Whether what mvlint calls poisoned differs after a refresh, and what it calls clean does not: generated views with a unique index over
 * filled tables are refreshed concurrently with nothing changed, under other settings, by another role, on another day (played by the time
 * zone) and after the rows have moved.
 *
 *     npm run oracle:poison                      800 views on PGlite (PostgreSQL 18), 95 on a real server of that major
 *     npm run oracle:poison -- --count 2000 --seed 7 --server 15
 *
 * Of each cause the recall (of what differed, what was claimed) and the precision (of what was claimed, what differed) are printed, and
 * every difference is listed. Plans of several workers and other sessions need the server (`npm run servers -- 18`); without it they are
 * counted as not tried. Ends with 1 when a figure is below 99 %.
 */
import { PGlite } from '@electric-sql/pglite';
import { parseArgs } from 'node:util';
import { byCause, precision, recall, table } from './poison-figures.ts';
import { judgePoison, type Figures } from './poison-oracle.ts';
import { judgeOnServer } from './poison-server.ts';
import { hasServer } from './server.ts';

const { values } = parseArgs({ options: { count: { type: 'string', default: '800' }, seed: { type: 'string', default: '1' }, server: { type: 'string', default: '18' },
  'on-server': { type: 'string', default: '95' } } });

function told({ judged, views, depths, refused }: Figures, where: string, started: number): boolean {
  for (const { verdict, cause, target, stages, query } of judged) {
    if (verdict !== 'agreed') console.log(`${verdict} (${cause}; ${target} differs: ${stages.join(', ') || 'never'}): ${query}`);
  }
  for (const line of refused) console.log(`refused: ${line}`);
  const figures = byCause(judged);
  console.log(`\n${views} views on ${where}, nested ${depths.map((number, depth) => `${depth} deep ${number}`).join(', ')}; Postgres refused ${refused.length} more; ${
    ((Date.now() - started) / 1000).toFixed(0)} s\n`);
  for (const line of table(figures)) console.log(line);
  console.log('');
  return figures.every(item => recall(item) >= 0.99 && precision(item) >= 0.99);
}

let started = Date.now();
const db = await PGlite.create();
const here = await judgePoison({ exec: sql => db.exec(sql), rows: async sql => (await db.query<Record<string, string | null>>(sql)).rows }, Number(values.seed), Number(values.count));
await db.close();
const good = [told(here, 'PGlite', started)];
const [major, number] = [Number(values.server), Number(values['on-server'])];
started = Date.now();
if (number > 0 && hasServer(major)) good.push(told(await judgeOnServer(major, Number(values.seed), number), `PostgreSQL ${major}, by several workers and from several sessions`, started));
else if (number > 0) console.log(`not tried: ${number} views of plans with several workers and of other sessions (npm run servers -- ${major})`);
console.log('not generated: writes that change a value\'s spelling only (1.0 to 1.00), since a table changes there, and keys that are equal without being identical: nothing is claimed of either');
process.exitCode = good.every(Boolean) ? 0 : 1;
