/**
 * How well mvlint knows the keys and NULLs of a query: generated queries over a small schema are run on many random data sets that respect its
 * constraints, and what mvlint claims is compared with the rows.
 *
 *     npm run oracle:keys                          1,000 random queries, 600 with a key by construction, 40 data sets, on PGlite (PostgreSQL 18)
 *     npm run oracle:keys -- --count 2000 --seed 7 --sets 30
 *
 * Wrong claims, claims of repetition that no data set shows and keys that held but were not proved are listed. Ends with 1 when a claim is
 * wrong, fewer than 95 % of the repetitions were seen, or fewer than 97 % of the keys by construction were found; the share of each shape is
 * printed (a query is of several).
 */
import { PGlite } from '@electric-sql/pglite';
import { parseArgs } from 'node:util';
import { judgeKeys } from './keys-oracle.ts';

const { values } = parseArgs({ options: {
  count: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' }, sets: { type: 'string', default: '40' },
  list: { type: 'string', default: '25' }, constructed: { type: 'string', default: '600' },
} });
const started = Date.now();
const db = await PGlite.create();
const figures = await judgeKeys(async sql => (await db.query<Record<string, unknown>>(sql)).rows, Number(values.seed),
  Number(values.count), Number(values.sets), Number(values.constructed));
await db.close();
const { queries, refused, wrong, claims, unseen, held, proved, unproved, constructed } = figures;
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
const missed = constructed.filter(({ found }) => !found);
for (const { made } of missed.slice(0, Number(values.list))) console.log(`by construction, not found: (${made.key.join(', ')}) [${made.shapes.join(' > ')}] of ${made.sql}`);
const mistaken = constructed.filter(({ contradicted }) => contradicted);
for (const { made } of mistaken) console.log(`no key after all: (${made.key.join(', ')}) [${made.shapes.join(' > ')}] of ${made.sql}`);
console.log('\nkeys by construction, of each shape: found of all');
for (const shape of [...new Set(constructed.flatMap(({ made }) => made.shapes))].sort()) {
  const own = constructed.filter(({ made }) => made.shapes.includes(shape));
  console.log(`${shape.padEnd(32)}${`${own.filter(({ found }) => found).length}`.padStart(6)} of ${`${own.length}`.padStart(4)}  ${share(own.filter(({ found }) => found).length, own.length).padStart(9)}`);
}
const foundShare = constructed.length === 0 ? 1 : 1 - missed.length / constructed.length;
console.log(`keys by construction: ${constructed.length - missed.length} of ${constructed.length} found (${share(constructed.length - missed.length, constructed.length)})`);
process.exitCode = mistaken.length === 0 && foundShare >= 0.97 && wrong.length === 0 && (claims.repeats - unseen.length) / claims.repeats >= 0.95 ? 0 : 1;
