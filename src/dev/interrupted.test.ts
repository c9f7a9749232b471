/** Ctrl-C in the middle of the live mode: status 130, no process left, no half data directory in the cache. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPristine } from '../live/pristine.ts';

const cli = join(import.meta.dirname, '../../dist/cli.cjs');
const folder = mkdtempSync(join(tmpdir(), 'mvlint-interrupted-'));
const cache = join(folder, 'cache');
beforeAll(() => {
  if (!existsSync(cli)) throw new Error('dist/cli.cjs is not built: npm run build');
  mkdirSync(join(folder, 'migrations'));
  writeFileSync(join(folder, 'migrations/001.sql'), `CREATE TABLE t (a int);
CREATE MATERIALIZED VIEW v AS SELECT now() AS at, a FROM t;
SELECT pg_sleep(3600);
`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended { readonly status: number | null; readonly signal: string | null; readonly ms: number; readonly left: boolean }

/** Starts the command line in a process group of its own and interrupts it after some milliseconds, as a terminal does. */
function interrupted(after: number): Promise<Ended> {
  const child = spawn(process.execPath, [cli, 'migrations', '--live', '--live-budget=600'], {
    cwd: folder, stdio: 'ignore', detached: true, env: { ...process.env, MVLINT_CACHE_DIR: cache, NODE_OPTIONS: '' },
  });
  const group = -(child.pid ?? 0);
  return new Promise(resolve => {
    let sent = 0;
    setTimeout(() => {
      sent = performance.now();
      process.kill(group, 'SIGINT');
    }, after);
    child.on('exit', (status, signal) => resolve({ status, signal, ms: performance.now() - sent, left: isAlive(group) }));
  });
}

function isAlive(group: number): boolean {
  try {
    process.kill(group, 0);
    return true;
  } catch {
    return false;
  }
}

/** What stands in the cache: every file whole, or none. */
async function cached(): Promise<readonly boolean[]> {
  const names = existsSync(cache) ? readdirSync(cache) : [];
  return Promise.all(names.map(async name => await readPristine(join(cache, name)) !== undefined));
}

// From the start of the process through initdb, the first write of the cache and the replay to a statement that hangs.
test.each([[250], [800], [1_600], [2_400], [3_200], [4_500], [7_000]])('interrupted after %i ms', async after => {
  const { status, signal, ms, left } = await interrupted(after);
  // Before the live mode begins nobody handles the signal, and the process ends by it.
  expect(status ?? signal).toSatisfy((end: unknown) => end === 130 || end === 'SIGINT');
  expect(left).toBe(false);
  expect(ms).toBeLessThan(5_000);
  expect((await cached()).every(whole => whole)).toBe(true);
}, 30_000);
