/** Sessions on real servers for the tests about locks. */
import type pg from 'pg';
import { missingServers, withServer, type ScratchServer } from './server.ts';

/** The oldest of the supported majors that differ in locks, and the newest. */
export const testedMajors = [15, 18];

const missing = missingServers(testedMajors);
if (missing.length > 0) {
  const skipped = `${missing.length} of ${testedMajors.length} servers are missing; their tests are skipped`;
  process.stderr.write(`${skipped}: npm run servers -- ${missing.join(' ')}\n`);
}

/** A scratch server that lives from `start` to `stop`, for the hooks of a test file. */
export interface TestServer {
  readonly missing: boolean;
  start(): Promise<void>;
  connect(): Promise<pg.Client>;
  stop(): Promise<void>;
}

export function serverForTests(major: number): TestServer {
  let running: ScratchServer | undefined;
  let release: () => void = () => undefined;
  let ended: Promise<void> = Promise.resolve();
  return {
    missing: missing.includes(major),
    start: () => new Promise((started, failed) => {
      ended = withServer(major, server => new Promise<void>(done => {
        running = server;
        release = done;
        started();
      })).catch(failed);
    }),
    connect: () => (running ? running.connect() : Promise.reject(new Error('the server is not started'))),
    stop: async () => {
      release();
      await ended;
    },
  };
}

/** The SQLSTATE of a refusal, undefined when the statement is done. */
export async function sqlstateOf(client: pg.Client, sql: string): Promise<string | undefined> {
  try {
    await client.query(sql);
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
    throw error;
  }
}

/**
 * Returns once a backend waits for a lock of somebody else's, with the backends that hold it or stand before it in the queue. Rejects after
 * 20 s without a wait.
 */
export async function untilWaiting(observer: pg.Client, pid: number): Promise<readonly number[]> {
  for (const until = Date.now() + 20_000; Date.now() < until;) {
    const { rows: [row] } = await observer.query<{ by: readonly number[] }>('SELECT pg_blocking_pids($1) AS by', [pid]);
    if (row && row.by.length > 0) return row.by;
    await new Promise(done => setTimeout(done, 5));
  }
  throw new Error(`backend ${pid} does not wait`);
}
