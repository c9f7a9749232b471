/**
 * Throws hostile SQL at every layer.
 *
 *     npm run fuzz                          100,000 inputs from seed 1
 *     npm run fuzz -- --seed 7 --inputs 500
 *     npm run fuzz -- --seed 7 --only 123   one input again, and its text
 *
 * Prints one line of counts, and one for each failure; ends with 1 when there is any. A watchdog in a second thread ends the process when
 * one input hangs, and names it.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { corpusOf, fuzz, inputOf } from './fuzzing.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, inputs: { type: 'string', default: '100000' }, only: { type: 'string' } },
});
const seed = Number(values.seed);
const only = values.only === undefined ? undefined : Number(values.only);
const inputs = Number(values.inputs);

/** Seconds without progress after which an input counts as hanging; far beyond the limit of an input, for busy machines. */
const patience = 30;
const heart = new Int32Array(new SharedArrayBuffer(4));
const watchdog = new Worker(`
  const { workerData: { heart, patience, seed } } = require('node:worker_threads');
  const { writeSync } = require('node:fs');
  let last = -1, since = Date.now();
  setInterval(() => {
    const now = Atomics.load(heart, 0);
    if (now !== last) { last = now; since = Date.now(); }
    else if (Date.now() - since > patience * 1000) {
      writeSync(2, 'fuzz: input ' + now + ' of seed ' + seed + ' hangs\\n');
      process.kill(process.pid, 'SIGKILL');
    }
  }, 1000);
`, { eval: true, workerData: { heart, patience, seed } });
watchdog.unref();

const corpus = corpusOf(join(import.meta.dirname, '../../fixtures'));
const [from, to] = only === undefined ? [0, inputs] : [only, only + 1];
if (only !== undefined) console.log(JSON.stringify(inputOf(corpus, seed, only)));

const began = performance.now();
const { counts, failures, slowest } = await fuzz(corpus, seed, from, to, number => Atomics.store(heart, 0, number));
for (const { number, because } of failures.slice(0, 50)) console.log(`input ${number}: ${because}`);
console.log(
  `fuzz: seed ${seed}, ${to - from} inputs, ${counts.statements} statements (${counts.parsed} parsed), ${counts.tokens} tokens, `
  + `${counts.histories} histories, ${counts.findings} findings, ${counts.gaps} gaps, ${failures.length} failures, `
  + `slowest ${Math.round(slowest)} ms, ${Math.round((performance.now() - began) / 1000)} s`,
);
await watchdog.terminate();
process.exitCode = failures.length > 0 ? 1 : 0;
