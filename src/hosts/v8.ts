/** What the command line asks of V8. A library asks nothing: its process belongs to somebody else. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ChangedFlags } from '../index.ts';

/**
 * Leaves wasm, that of the parser and of the embedded server, to V8's baseline compiler. The optimizing one takes on the largest functions (the grammar's)
 * within the first statements: it keeps the other processors busy, a process does not end before it is done, and what it makes does not win back
 * what it costs (measured: one file in half the time, 1,000 files sooner by a tenth, 10,000 files and the live mode no later, each with less memory).
 */
const baselineWasm: ChangedFlags = { changed: ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering'], original: ['--wasm-tier-up', '--wasm-dynamic-tiering'] };

/** Checks a function of wasm when it is first called, as it compiles it then: of our two programs only a part runs (measured: the parser is there 10 ms sooner). */
const lazyWasm: ChangedFlags = { changed: ['--wasm-lazy-validation'], original: ['--no-wasm-lazy-validation'] };

/**
 * Lets V8's optimizing compiler take on a function after several times as much bytecode of it as usual. A run of a second or two runs much code a few
 * hundred times: what the compiler made of it hardly pays, and the compiler keeps the other processors from the parser and the collector (measured with
 * 1,000 files: a quarter less of the processors' time, a tenth to a quarter less of the clock's; 10,000 files a tenth less). V8 11 is that of Node 20;
 * later ones have a compiler in between and wait of themselves.
 */
const lateOptimizing: ChangedFlags = process.versions.v8.startsWith('11.') ? { changed: ['--interrupt-budget=400000'], original: ['--interrupt-budget=67584'] } : { changed: [], original: [] };

/** What the command line asks for; threads of ours too, once they have begun. */
export const flags: ChangedFlags = {
  changed: [baselineWasm, lazyWasm, lateOptimizing].flatMap(({ changed }) => changed),
  original: [baselineWasm, lazyWasm, lateOptimizing].flatMap(({ original }) => original),
};

/** Asks for it, once everything is loaded: with other flags than at its start V8 takes no code cache, neither ours nor Node's own for its modules. */
export const tuneCompilers = (): void => flags.changed.forEach(flag => setFlagsFromString(flag));

/** Asks for what V8 does by itself. */
export const restoreCompilers = (): void => flags.original.forEach(flag => setFlagsFromString(flag));

/** Histories of so many migrations are long. */
const long = 2_000;

/**
 * Lets the heap grow by a fifth of what lives in it between two collections, for a long history. V8 lets it grow to four times: 10,000 files took 475 MB,
 * and take 280 in the same time (measured). A short history would only be collected more often. The limit is set by the collection before, so one is made.
 */
export function keepHeapSmall(migrations: number): void {
  if (migrations < long) return;
  setFlagsFromString('--heap-growing-percent=20');
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
