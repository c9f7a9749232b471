import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Rows, SqlFailure } from '../model.ts';
import { fromBlob, reasonNotToSend, refusedUnsent } from './boundary.ts';
import type { Host, Server, ServerOptions } from './host.ts';
import { cacheDirectory, pristineFile, readPristine, writePristine } from './pristine.ts';
import type { Parts, WorkerAnswer, WorkerData } from './protocol.ts';

/** A data directory as bytes (a tar): cheap to keep, and the start of any number of servers. */
export type Directory = Uint8Array<ArrayBuffer>;

/** One PGlite (PostgreSQL 18) in a thread of its own, with one session. */
export interface Embedded extends Server {
  dump(): Promise<Directory | undefined>;
  /** An independent server with the committed state of this moment and a new session. Throws LiveUnavailable when that cannot be had. */
  copy(): Promise<Embedded>;
}

export interface EmbeddedOptions extends ServerOptions {
  readonly cacheDir?: string;
}

/** The embedded server cannot be had; the message is one line that names the cure. */
export class LiveUnavailable extends Error {
  override readonly name = 'LiveUnavailable';
}

/** The live mode's own sentence for a missing optional dependency. */
const notInstalled = 'the embedded server is not installed: npm install @electric-sql/pglite@0.5.14';

interface Installed {
  readonly version: string;
  /** Its folder of built files. */
  readonly dist: string;
}

/** The installed PGlite; undefined when it is not installed. */
function installed(): Installed | undefined {
  try {
    const file = createRequire(import.meta.url).resolve('@electric-sql/pglite').replaceAll('\\', '/');
    const marker = '/@electric-sql/pglite/';
    const folder = file.slice(0, file.lastIndexOf(marker) + marker.length);
    return { version: (JSON.parse(readFileSync(`${folder}package.json`, 'utf8')) as { version: string }).version, dist: `${folder}dist/` };
  } catch {
    return undefined;
  }
}

/** The one name of WebAssembly used here (see `Parts.wasm`). */
const compiler = (globalThis as unknown as { readonly WebAssembly: { compile(bytes: Uint8Array): Promise<object> } }).WebAssembly;

/** Its wasm, compiled, and its files; undefined where it is built otherwise: then each thread loads them itself. */
async function partsOf({ dist }: Installed): Promise<Parts | undefined> {
  try {
    const [wasm, bundle] = await Promise.all([readFile(`${dist}pglite.wasm`), readFile(`${dist}pglite.data`)]);
    return { wasm: await compiler.compile(wasm), bundle: new Uint8Array(bundle) };
  } catch {
    return undefined;
  }
}

/** The bundled worker stands beside the bundle; from source it is the one that `npm run build` made. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? '../../dist/worker.js' : './worker.js', import.meta.url);
}

/** initdb in wasm takes seconds, and twice that on a busy machine (measured, facts 6). */
const startTimeout = 60_000;

type Started = { readonly worker: Worker; readonly missing: readonly string[] } | { readonly unavailable: string } | { readonly broken: string };

/** How somebody who does not wait for a server hears of it. */
interface Beginning {
  /** Its thread runs. */
  readonly begun: () => void;
  /** Nobody wants it any more: its thread is ended, however far it came. */
  readonly signal: AbortSignal;
}

function startWorker(data: WorkerData, beginning?: Beginning): Promise<Started> {
  const file = workerFile();
  if (!existsSync(fileURLToPath(file))) return Promise.resolve({ unavailable: 'dist/worker.js is missing: npm run build' });
  return new Promise(resolve => {
    // stdout and stderr are taken so that what the wasm prints never reaches the report.
    const worker = new Worker(file, { workerData: data, stdout: true, stderr: true, execArgv: [] });
    const onError = (error: Error): void => end({ broken: error.message });
    const onExit = (code: number): void => end({ broken: `the embedded server ended with status ${code} while starting` });
    const onMessage = (answer: WorkerAnswer): void => {
      if (answer.kind === 'ready') end({ worker, missing: answer.missing });
      else if (answer.kind === 'unavailable') end({ unavailable: notInstalled });
      else end({ broken: answer.kind === 'broken' ? answer.because : 'an answer before the start' });
    };
    const end = (started: Started): void => {
      clearTimeout(timer);
      // One by one: removeAllListeners would take the thread's own listeners with it, and no message would arrive any more.
      worker.off('error', onError).off('exit', onExit).off('message', onMessage);
      if (!('worker' in started)) void worker.terminate();
      resolve(started);
    };
    const timer = setTimeout(() => end({ broken: `the embedded server did not start within ${startTimeout / 1000} s` }), startTimeout);
    worker.on('error', onError).on('exit', onExit).on('message', onMessage);
    const unwanted = (): void => end({ broken: 'nobody wants it any more' });
    if (beginning?.signal.aborted === true) unwanted();
    else beginning?.signal.addEventListener('abort', unwanted, { once: true });
    beginning?.begun();
  });
}

type Settled = Rows | SqlFailure | Directory;
type Asked = { readonly kind: 'run'; readonly sql: string; readonly blob?: string } | { readonly kind: 'dump' };
const ended = (why: string): SqlFailure => ({ sqlstate: '57P01', message: `the embedded server has ended: ${why}` });

/** The parent's end of one thread: one request at a time, each with a time limit. */
function serverOf(worker: Worker, missing: readonly string[], options: EmbeddedOptions): Embedded {
  const limit = options.statementTimeout ?? 10_000;
  let over: string | undefined;
  let waiting: ((answer: Settled) => void) | undefined;
  let nextId = 1;
  let queue: Promise<unknown> = Promise.resolve();
  const settle = (answer: Settled): void => {
    const done = waiting;
    waiting = undefined;
    worker.unref();
    done?.(answer);
  };
  const end = (why: string): void => {
    over ??= why;
    settle(ended(over));
  };
  worker.on('message', (answer: WorkerAnswer) => {
    if (answer.kind === 'rows') settle({ rows: answer.rows });
    else if (answer.kind === 'failure') settle({ sqlstate: answer.sqlstate, message: answer.message });
    else if (answer.kind === 'bytes') settle(new Uint8Array(answer.bytes));
    else if (answer.kind === 'broken') {
      end(answer.because);
      void worker.terminate();
    }
  });
  worker.on('error', error => end(error.message));
  worker.on('exit', () => end('its thread is gone'));
  worker.unref();

  const ask = (request: Asked, time: number): Promise<Settled> => {
    const next = queue.then(() => new Promise<Settled>(resolve => {
      if (over !== undefined) return resolve(ended(over));
      const timer = setTimeout(() => {
        const says = `mvlint ended the statement after ${time / 1000} s`;
        over ??= says;
        settle({ sqlstate: '57014', message: says });
        void worker.terminate();
      }, time);
      waiting = answer => {
        clearTimeout(timer);
        resolve(answer);
      };
      // A server that nobody waits for does not keep the process alive.
      worker.ref();
      worker.postMessage({ ...request, id: nextId++ });
    }));
    queue = next;
    return next;
  };

  const server: Embedded = {
    missing,
    get alive() {
      return over === undefined;
    },
    async run(sql, { data, limit: own } = {}) {
      const reason = reasonNotToSend(sql, { data: data !== undefined });
      if (reason !== undefined) return refusedUnsent(reason);
      const copying = data === undefined ? undefined : fromBlob(sql);
      const answer = await ask({ kind: 'run', sql: copying ?? sql, ...(copying === undefined ? {} : { blob: data ?? '' }) }, own ?? limit);
      return answer instanceof Uint8Array ? { rows: [] } : answer;
    },
    async dump() {
      const answer = await ask({ kind: 'dump' }, startTimeout);
      return answer instanceof Uint8Array ? answer : undefined;
    },
    async copy() {
      const directory = await server.dump();
      if (!directory) throw new LiveUnavailable('the embedded server has ended and cannot be copied');
      return openEmbedded({ ...options, from: directory });
    },
    async close() {
      over ??= 'it was closed';
      await worker.terminate();
    },
  };
  return server;
}

/**
 * Starts an embedded server: from `directory`, else from the kept pristine data directory (about a second), else by initdb (seconds), whose result
 * is kept. A kept directory that is damaged is made anew. Rejects with LiveUnavailable (one line) when PGlite is not installed or does not start.
 */
export function openEmbedded(options: EmbeddedOptions = {}): Promise<Embedded> {
  return opener(options.cacheDir)(options);
}

/** Opens servers; what they all start from is read once. */
function opener(cacheDir: string | undefined): (options: EmbeddedOptions, beginning?: Beginning) => Promise<Embedded> {
  let parts: Promise<Parts | undefined> | undefined;
  let pristine: Promise<Directory | undefined> | undefined;
  return async (options, beginning) => {
    const pglite = installed();
    if (pglite === undefined) throw new LiveUnavailable(notInstalled);
    const folder = cacheDir ?? cacheDirectory();
    const file = pristineFile(folder, pglite.version);
    const extensions = options.extensions ?? [];
    parts ??= partsOf(pglite);
    const shared = await parts;
    const open = async (directory?: Directory): Promise<Embedded | string> => {
      const started = await startWorker({ extensions, ...(directory ? { directory } : {}), ...(shared ? { parts: shared } : {}) }, beginning);
      if ('unavailable' in started) throw new LiveUnavailable(started.unavailable);
      if ('broken' in started) return started.broken;
      return serverOf(started.worker, started.missing, options);
    };

    const { from } = options;
    if (from && 'template' in from) throw new LiveUnavailable('the embedded server does not start from a template');
    if (from) {
      const server = await open(from);
      if (typeof server === 'string') throw new LiveUnavailable(`the embedded server does not start from a copy: ${server}`);
      return server;
    }
    pristine ??= readPristine(file);
    const kept = await pristine;
    const server = kept && await open(kept);
    if (server && typeof server !== 'string') return server;
    if (beginning?.signal.aborted === true) throw new LiveUnavailable('the embedded server was not wanted any more');
    const made = await open();
    if (typeof made === 'string') throw new LiveUnavailable(`the embedded server does not start: ${made}`);
    const directory = await made.dump();
    if (directory) await writePristine(folder, file, directory);
    pristine = Promise.resolve(directory);
    return made;
  };
}

/** A server that was begun before anybody asked for it. */
interface Spare {
  readonly server: Promise<Embedded>;
  readonly wanted: string;
  readonly unwanted: AbortController;
}

/** The embedded server as a place where throwaway servers come from. */
export function embeddedHost(cacheDir?: string): Host {
  const open = opener(cacheDir);
  let spare: Spare | undefined;
  const wantedOf = ({ extensions = [] }: ServerOptions): string => extensions.join();
  const drop = async (): Promise<void> => {
    const left = spare;
    spare = undefined;
    left?.unwanted.abort();
    await left?.server.then(server => server.close(), () => undefined);
  };
  return {
    major: 18, name: 'PostgreSQL 18', sharesRoles: false,
    async open(options) {
      if (options.from || spare?.wanted !== wantedOf(options)) return open(options);
      const { server } = spare;
      spare = undefined;
      return server;
    },
    async warm(options) {
      const wanted = wantedOf(options);
      if (spare?.wanted === wanted) return;
      void drop();
      const unwanted = new AbortController();
      let begun = (): void => undefined;
      const running = new Promise<void>(done => {
        begun = done;
      });
      const server = open(options, { begun, signal: unwanted.signal });
      // It is asked for later, or never: until then nobody listens.
      server.then(begun, begun);
      spare = { server, wanted, unwanted };
      await running;
    },
    cool: drop,
  };
}
