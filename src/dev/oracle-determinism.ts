/**
 * Whether what mvlint calls tainted differs after a refresh, and what it calls clean does not: generated views over filled tables are
 * refreshed again, on another day (played by the time zone), and after the rows have moved.
 *
 *     npm run oracle:poison                      500 views on PGlite (PostgreSQL 18)
 *     npm run oracle:poison -- --count 2000 --seed 7
 *
 * Clock, random, sequence and transaction must show, and so must their absence; what only can show (order, places, another session) is
 * counted apart where it does not. Every difference is listed. Ends with 1 when more than 1 % of the judgements differ.
 */
import { PGlite } from '@electric-sql/pglite';
import { parseArgs } from 'node:util';
import { ready } from '../sql/parse.ts';
import { judgeDeterminism } from './determinism-oracle.ts';

const { values } = parseArgs({ options: { count: { type: 'string', default: '500' }, seed: { type: 'string', default: '1' } } });
await ready();
const started = Date.now();
const db = await PGlite.create();
const { judged, queries, causes, refused } = await judgeDeterminism(db, Number(values.seed), Number(values.count));
await db.close();
for (const { verdict, stage, column, query } of judged) {
  if (verdict === 'missed' || verdict === 'alarm') console.log(`${verdict} (${stage}, column ${column}): ${query}`);
}
const of = (verdict: string): number => judged.filter(item => item.verdict === verdict).length;
const tainted = judged.filter(item => item.tainted).length;
console.log(`\n${queries} views (${Object.entries(causes).map(([cause, number]) => `${cause} ${number}`).join(', ')}); Postgres refused ${refused.length} more; ${((Date.now() - started) / 1000).toFixed(0)} s`);
console.log(`${judged.length} judgements (${tainted} claim a change): agreed ${of('agreed')}, missed ${of('missed')}, false alarms ${of('alarm')}, claimed and not forced to show ${of('unforced')}`);
const wrong = of('missed') + of('alarm');
console.log(`agreement ${(100 * (1 - wrong / (judged.length - of('unforced')))).toFixed(2)} %`);
process.exitCode = wrong <= judged.length / 100 ? 0 : 1;
