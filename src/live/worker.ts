/**
 * The thread that holds one PGlite. It can be ended at any moment, which is the only way to stop a statement: PGlite ignores statement_timeout
 * and blocks its event loop (measured, facts 6). Started by `embedded.ts`; bundled to `dist/worker.js`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { PGlite, PGliteOptions } from '@electric-sql/pglite';
import { takeFlags } from '../sql/thread-flags.ts';
import type { WorkerAnswer, WorkerData, WorkerRequest } from './protocol.ts';

const port = parentPort;
if (!port) throw new Error('worker.ts is started as a worker thread');
const data = workerData as WorkerData;
const answer = (message: WorkerAnswer, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Bundles of contrib modules inside PGlite, and pg_ivm of its own package; what is not there stays out. */
async function extensionsOf(names: readonly string[]): Promise<{ found: NonNullable<PGliteOptions['extensions']>; missing: string[] }> {
  const found: NonNullable<PGliteOptions['extensions']> = {};
  const missing: string[] = [];
  for (const name of names) {
    const key = name.replaceAll('-', '_');
    const from = name === 'pg_ivm' ? '@electric-sql/pglite-pg_ivm' : `@electric-sql/pglite/contrib/${key}`;
    try {
      const module = await import(from) as Record<string, NonNullable<PGliteOptions['extensions']>[string]>;
      const extension = module[key];
      if (extension) found[key] = extension;
      else missing.push(name);
    } catch {
      missing.push(name);
    }
  }
  return { found, missing };
}

async function start(): Promise<PGlite | undefined> {
  takeFlags();
  let pglite: typeof import('@electric-sql/pglite');
  try {
    pglite = await import('@electric-sql/pglite');
  } catch (error) {
    answer({ kind: 'unavailable', because: textOf(error) });
    return undefined;
  }
  try {
    const { found, missing } = await extensionsOf(data.extensions);
    const database = await pglite.PGlite.create({
      extensions: found, ...(data.parts ? { pgliteWasmModule: data.parts.wasm as NonNullable<PGliteOptions['pgliteWasmModule']>, fsBundle: new Blob([data.parts.bundle]) } : {}), ...(data.directory ? { loadDataDir: new Blob([data.directory]) } : {}), onStdout: () => false, onStderr: () => false,
    });
    answer({ kind: 'ready', missing });
    return database;
  } catch (error) {
    answer({ kind: 'broken', because: textOf(error) });
    return undefined;
  }
}

// No await of the module itself: a thread that is ended while its module waits takes the process along (V8 in Node 20).
const database = start();
port.on('message', (request: WorkerRequest) => void serve(request));

async function serve(request: WorkerRequest): Promise<void> {
  const { id } = request;
  const opened = await database;
  if (opened === undefined) return;
  try {
    if (request.kind === 'dump') {
      const bytes = await (await opened.dumpDataDir('none')).arrayBuffer();
      answer({ kind: 'bytes', id, bytes }, [bytes]);
    } else if (request.blob !== undefined) {
      await opened.query(request.sql, [], { blob: new Blob([request.blob]) });
      answer({ kind: 'rows', id, rows: [] });
    } else {
      const results = await opened.exec(request.sql);
      answer({ kind: 'rows', id, rows: (results.at(-1)?.rows ?? []) as Record<string, unknown>[] });
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
    if (code !== undefined && /^[0-9A-Z]{5}$/.test(code)) answer({ kind: 'failure', id, sqlstate: code, message: textOf(error) });
    else answer({ kind: 'broken', because: textOf(error) });
  }
}
