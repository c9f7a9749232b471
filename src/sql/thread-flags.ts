/**
 * What threads of ours ask of V8. Its flags hold for a whole process, so whoever owns the process says them, and a thread sets them itself when it has
 * begun: with another flag than at the start of the process, V8 takes no code cache, and a thread compiles all of Node's own modules before it does
 * anything (measured: 75 ms instead of 35).
 */
import { setFlagsFromString } from 'node:v8';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

const key = 'mvlint.flags';

/** Has the threads that are started from now on set these flags of V8 before they compile wasm. */
export function flagsForThreads(flags: readonly string[]): void {
  setEnvironmentData(key, [...flags]);
}

/** In a thread: sets the flags that it was started with. */
export function takeFlags(): void {
  for (const flag of getEnvironmentData(key) as unknown as readonly string[] | undefined ?? []) setFlagsFromString(flag);
}
