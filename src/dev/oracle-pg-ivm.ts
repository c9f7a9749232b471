/**
 * How well mvlint knows pg_ivm: generated queries over a rich schema go to the extension's own `pgivm.create_immv` in PGlite, and what it
 * says, and what becomes of writes to the sources, is compared with what mvlint says offline.
 *
 *     npm run oracle:pg-ivm                               8,000 queries
 *     npm run oracle:pg-ivm -- --queries 20000 --seed 7
 *
 * Every difference is listed. Ends with 1 when acceptance agrees on fewer than 99.5 %, the first reason on fewer than 98 % of the refusals,
 * or a write breaks (or does not) against what was said; and when a run of the usual length meets a check fewer than 20 times alone or
 * fewer than 20 times together with others.
 */
import { parseArgs } from 'node:util';
import { summed } from './pg-ivm-figures.ts';
import { Generator } from './pg-ivm-generator.ts';
import { judgeMany, openBench } from './pg-ivm-oracle.ts';

const usual = 8000;
const { values } = parseArgs({ options: { queries: { type: 'string', default: String(usual) }, seed: { type: 'string', default: '1' },
  quiet: { type: 'boolean', default: false } } });
const started = Date.now();
const bench = await openBench();
const figures = await judgeMany(bench, new Generator(Number(values.seed)), Number(values.queries), done => {
  if (!values.quiet) process.stderr.write(`${done} queries, ${((Date.now() - started) / 1000).toFixed(0)} s\n`);
});
await bench.db.close();
for (const { verdict, because, query } of figures.judged) if (verdict !== 'equal') console.log(`${verdict}: ${because}\n    ${query}`);
const { lines, good, missed } = summed(figures);
console.log(`\n${lines.join('\n')}\n${((Date.now() - started) / 1000).toFixed(0)} s`);
process.exitCode = good && (missed.length === 0 || Number(values.queries) < usual) ? 0 : 1;
