/**
 * Threads of ours, and V8's flags. A process that has changed one of them gets no code cache any more, not even Node's for its own modules: a thread that
 * begins then compiles all of them (measured: 75 ms instead of 35). So threads begin under the flags that V8 has by itself, and set the others when they
 * have begun. Flags hold for a whole process: whoever owns it says which.
 */
import { setFlagsFromString } from 'node:v8';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

/** The flags that a process changes, and the same ones as V8 has them by itself. */
export interface ChangedFlags {
  readonly changed: readonly string[];
  readonly original: readonly string[];
}

const key = 'mvlint.flags';
const known = (): ChangedFlags | undefined => getEnvironmentData(key) as unknown as ChangedFlags | undefined;
const set = (flags: readonly string[] = []): void => flags.forEach(flag => setFlagsFromString(flag));

/** Says which flags threads that are started from now on are to set. */
export function flagsForThreads({ changed, original }: ChangedFlags): void {
  setEnvironmentData(key, { changed: [...changed], original: [...original] } as never);
}

/** Before a thread is started that soon begins: until then the process has V8's own flags. */
export const leaveFlags = (): void => set(known()?.original);

/** In a thread: sets the flags that it was started with, for the whole process. */
export const takeFlags = (): void => set(known()?.changed);
