import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WorkerAnswer } from './protocol.ts';

/**
 * What a hostile migration meets when it gets past `reasonNotToSend` (a name that a routine puts together while it runs): the thread is asked directly,
 * without that check. The machine's files, programs and network must stay out of its reach.
 */
const folder = mkdtempSync(join(tmpdir(), 'mvlint-outside-'));
const secret = join(folder, 'secret');
const witness = join(folder, 'witness');
let worker: Worker;
let next = 1;

const start = (): Promise<void> => new Promise(ready => {
  worker = new Worker(fileURLToPath(new URL('../../dist/worker.js', import.meta.url)), { workerData: { extensions: [] }, stdout: true, stderr: true });
  worker.once('message', () => ready());
});
/** The text of the answer; a thread that does not answer within five seconds is ended, as the laboratory would end it. */
const ask = (sql: string): Promise<string> => new Promise(resolve => {
  const done = (text: string): void => {
    clearTimeout(timer);
    worker.off('message', heard);
    resolve(text);
  };
  const timer = setTimeout(() => void worker.terminate().then(start).then(() => done('no answer')), 5_000);
  const heard = (answer: WorkerAnswer): void => done(JSON.stringify(answer));
  worker.once('message', heard);
  worker.postMessage({ kind: 'run', id: next++, sql });
});

beforeAll(async () => {
  writeFileSync(secret, 'the secret\n');
  await start();
}, 60_000);
afterAll(async () => {
  await worker.terminate();
  rmSync(folder, { recursive: true });
});

test('the thread answers, and reads its own files: nothing but the walls keeps it from ours', async () => {
  expect(await ask("SELECT pg_read_file('PG_VERSION')")).toContain('18');
  expect(await ask("COPY (SELECT 'x') TO '/tmp/x'")).toContain('rows');
  expect(await ask("SELECT pg_read_file('/tmp/x')")).toContain('x\\n');
});

test.each([
  [`SELECT pg_read_file('${secret}')`], [`SELECT pg_read_file('/proc/self/environ')`], [`SELECT pg_read_binary_file('/etc/passwd')`], [`SELECT lo_import('${secret}')`],
  [`CREATE TABLE a (t text); COPY a FROM '${secret}'; SELECT * FROM a`], [`COPY (SELECT 'x') TO '${witness}'`], [`SELECT lo_export(lo_from_bytea(0, 'x'), '${witness}')`],
  [`COPY (SELECT 'x') TO PROGRAM 'tee ${witness}'`], [`CREATE TABLE b (t text); COPY b FROM PROGRAM 'touch ${witness}; cat ${secret}'; SELECT * FROM b`],
  [`LOAD '${secret}'`], [`CREATE FUNCTION c() RETURNS int LANGUAGE c AS '${secret}', 'main'`], [`CREATE TABLESPACE d LOCATION '${folder}'`],
  [`ALTER SYSTEM SET archive_command = 'touch ${witness}'; SELECT pg_switch_wal()`], [`SET dynamic_library_path = '${folder}'; LOAD 'secret'`],
  [`DO $$ BEGIN EXECUTE concat('cop', 'y (select 1) to program ''touch ${witness}'''); END $$`],
])('%s', async sql => {
  const answer = await ask(sql);
  expect(answer).not.toContain('the secret');
  expect(answer).not.toMatch(/PATH=|root:/);
  expect(existsSync(witness)).toBe(false);
  expect(readdirSync(folder)).toEqual(['secret']);
}, 60_000);

test('no connection leaves the thread', async () => {
  let seen = 0;
  const server = createServer(socket => {
    seen += 1;
    socket.destroy();
  });
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', () => listening()));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  for (const sql of [
    `CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=${port} dbname=x' PUBLICATION p`, 'CREATE EXTENSION dblink', `SELECT dblink_connect('host=127.0.0.1 port=${port}')`,
    'CREATE EXTENSION postgres_fdw', `COPY (SELECT 1) TO PROGRAM 'nc 127.0.0.1 ${port}'`,
  ]) await ask(sql);
  expect(seen).toBe(0);
  await new Promise(closed => server.close(closed));
}, 60_000);
