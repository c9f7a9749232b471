/**
 * How well mvlint knows the keys and NULLs of a query: generated queries over a small schema are run on many random data sets that respect its
 * constraints, and what mvlint claims is compared with the rows.
 *
 *     npm run oracle:keys                          1,000 queries, 40 data sets, on PGlite (PostgreSQL 18)
 *     npm run oracle:keys -- --count 2000 --seed 7 --sets 30
 *
 * Wrong claims, claims of repetition that no data set shows and keys that held but were not proved are listed. Ends with 1 when a claim is
 * wrong, or fewer than 95 % of the repetitions were seen.
 */
import { PGlite } from '@electric-sql/pglite';
import { parseArgs } from 'node:util';
import { judgeKeys } from './keys-oracle.ts';

const { values } = parseArgs({ options: {
  count: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' }, sets: { type: 'string', default: '40' },
    list: { type: 'string', default: '25' },
} });
const started = Date.now();
const db = await PGlite.create();
const figures = await judgeKeys(async sql => (await db.query<Record<string, unknown>>(sql)).rows, Number(values.seed),
  Number(values.count), Number(values.sets));
await db.close();
const { queries, refused, wrong, claims, unseen, held, proved, unproved } = figures;
const share = (part: number, whole: number): string => (whole === 0 ? '-' : `${(100 * part / whole).toFixed(2)} %`);
for (const line of wrong) console.log(`wrong: ${line}`);
for (const line of unseen.slice(0, Number(values.list))) console.log(`not seen to repeat: ${line}`);
for (const line of unproved.slice(0, Number(values.list))) console.log(`held, not proved: ${line}`);
console.log(`\n${queries} queries on ${values.sets} data sets (Postgres refused ${refused} more), ${((Date.now(
  ) - started) / 1000).toFixed(0)} s`);
console.log(`claims: ${claims.keys} keys, ${claims.unique} column lists unique, ${claims.neverNull} columns never NULL; wrong ${wrong.length}`);
console.log(`claims that rows repeat: ${claims.repeats}, seen ${claims.repeats - unseen.length} (${share(claims.repeats - unseen.length,
  claims.repeats)})`);
console.log(`keys of up to three columns that held in every data set: ${held}, proved ${proved} (${share(proved, held)})`);
process.exitCode = wrong.length === 0 && (claims.repeats - unseen.length) / claims.repeats >= 0.95 ? 0 : 1;
