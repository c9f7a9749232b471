/** Sessions on real servers for the tests about locks. */
import type pg from 'pg';
import { missingServers, withServer, type ScratchOptions, type ScratchServer } from './server.ts';

/** The oldest of the supported majors that differ in locks, and the newest. */
export const testedMajors = [15, 18];

const missing = missingServers(testedMajors);
if (missing.length > 0) {
  const skipped = `${missing.length} of ${testedMajors.length} servers are missing; their tests are skipped`;
  process.stderr.write(`${skipped}: npm run servers -- ${missing.join(' ')}\n`);
}

/** What a session was answered: the rows of its last statement, or a refusal. */
export interface Answer {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly sqlstate?: string;
}

/** One client, whose refusals are answers. */
export interface Session {
  readonly client: pg.Client;
  readonly pid: number;
  /** Sends the statements one by one, up to the first that is refused. */
  run(...statements: readonly string[]): Promise<Answer>;
}

/** A scratch server that lives from `start` to `stop`, for the hooks of a test file. */
export interface TestServer {
  readonly missing: boolean;
  start(): Promise<void>;
  /** The running server. */
  readonly scratch: ScratchServer;
  connect(): Promise<pg.Client>;
  session(): Promise<Session>;
  stop(): Promise<void>;
}

export function serverForTests(major: number, options: ScratchOptions = {}): TestServer {
  let running: ScratchServer | undefined;
  let release: () => void = () => undefined;
  let ended: Promise<void> = Promise.resolve();
  const connect = (): Promise<pg.Client> => (running ? running.connect() : Promise.reject(new Error('the server is not started')));
  return {
    missing: missing.includes(major),
    start: () => new Promise((started, failed) => {
      ended = withServer(major, server => new Promise<void>(done => {
        running = server;
        release = done;
        started();
      }), options).catch(failed);
    }),
    get scratch() {
      if (!running) throw new Error('the server is not started');
      return running;
    },
    connect,
    session: async () => {
      const client = await connect();
      const { rows: [own] } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      return { client, pid: own!.pid, run: (...statements) => runAll(client, statements) };
    },
    stop: async () => {
      release();
      await ended;
    },
  };
}

async function runAll(client: pg.Client, statements: readonly string[]): Promise<Answer> {
  let rows: Answer['rows'] = [];
  for (const sql of statements) {
    try {
      ({ rows } = await client.query<Record<string, unknown>>(sql));
    } catch (error) {
      if (error instanceof Error && 'code' in error && typeof error.code === 'string') return { rows: [], sqlstate: error.code };
      throw error;
    }
  }
  return { rows };
}

/** The SQLSTATE of a refusal, undefined when the statement is done. */
export async function sqlstateOf(client: pg.Client, sql: string): Promise<string | undefined> {
  return (await runAll(client, [sql])).sqlstate;
}

/**
 * Returns once a backend waits for a lock of somebody else's, with the backends that hold it or stand before it in the queue. Rejects after
 * 5 s without a wait.
 */
export async function untilWaiting(observer: pg.Client, pid: number): Promise<readonly number[]> {
  for (const until = Date.now() + 5_000; Date.now() < until;) {
    const { rows: [row] } = await observer.query<{ by: readonly number[] }>('SELECT pg_blocking_pids($1) AS by', [pid]);
    if (row && row.by.length > 0) return row.by;
    await new Promise(done => setTimeout(done, 5));
  }
  throw new Error(`backend ${pid} does not wait`);
}
