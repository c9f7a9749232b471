/**
 * What the live mode costs: the demo with and without a kept data directory, and a long history of 500 migrations of 5 statements each.
 *
 *     npm run bench:live [-- --runs 5]
 *
 * Wall clock and processor time, medians; a busy machine lengthens the one, hardly the other. It is no test: it prints figures and ends with 0.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '../..');
const cli = join(root, 'dist/cli.cjs');
const { values } = parseArgs({ options: { runs: { type: 'string', default: '3' } } });

interface Sample { readonly wall: number; readonly processor: number; readonly memory: number; readonly says: string }

/** One run of the command line; `usage` is where its observer writes what the operating system counted. */
function once(words: readonly string[], cwd: string, cache: string, usage: string): Sample {
  const observer = `import { writeFileSync } from 'node:fs'; import { isMainThread } from 'node:worker_threads';
    if (isMainThread) process.on('exit', () => writeFileSync(${JSON.stringify(usage)}, JSON.stringify(process.resourceUsage())));`;
  const started = performance.now();
  const { stdout } = spawnSync(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(observer)}`, cli, ...words], {
    cwd, encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, NO_COLOR: '1', MVLINT_CACHE_DIR: cache },
  });
  const wall = performance.now() - started;
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(readFileSync(usage, 'utf8')) as NodeJS.ResourceUsage;
  return { wall, processor: (userCPUTime + systemCPUTime) / 1000, memory: maxRSS / 1024, says: stdout.trim().split('\n').at(-1) ?? '' };
}

/** 500 migrations of five statements: tables that are filled, views over them that are indexed and refreshed; the last one makes a mistake. */
function longHistory(folder: string, migrations: number): void {
  mkdirSync(folder, { recursive: true });
  for (let at = 1; at <= migrations; at++) {
    const [table, view] = [`orders_${at}`, `totals_${at}`];
    const refreshed = at === migrations ? '' : 'concurrently ';
    writeFileSync(join(folder, `${String(at).padStart(4, '0')}_orders.sql`), `create table ${table} (id bigint primary key, region text not null, total numeric not null);
insert into ${table} select n, 'region ' || n % 5, n from generate_series(1, 20) as n;
create materialized view ${view} as select region, sum(total) as total from ${table} group by region;
create unique index ${view}_region_key on ${view} (region);
refresh materialized view ${refreshed}${at === migrations ? 'totals_1' : view};
`);
  }
}

const middle = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

function row(name: string, samples: readonly Sample[], limit: number): void {
  const wall = middle(samples.map(one => one.wall));
  const processor = middle(samples.map(one => one.processor));
  const verdict = wall <= limit ? 'holds' : 'MISSED on this clock';
  console.log(`${name.padEnd(34)} ${seconds(wall).padStart(8)}  target ${seconds(limit).padStart(8)}  ${verdict.padEnd(20)}  processor ${seconds(processor).padStart(8)}  ${Math.round(middle(samples.map(one => one.memory)))} MB  ${samples[0]?.says ?? ''}`);
}

const scratch = mkdtempSync(join(tmpdir(), 'mvlint-bench-live-'));
try {
  const runs = Math.max(1, Number(values.runs) || 3);
  const usage = join(scratch, 'usage.json');
  const cache = join(scratch, 'cache');
  const demo = ['--live', '--live-budget', '300', 'fixtures/projects/demo'];
  console.log(`Node ${process.versions.node}, ${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1) ?? '?'}; medians of ${runs} runs`);
  const times = (one: (at: number) => Sample): readonly Sample[] => Array.from({ length: runs }, (_, at) => one(at));
  row('the demo, first use', times(at => once(demo, root, join(scratch, `first-${at}`), usage)), 10_000);
  once(demo, root, cache, usage);
  row('the demo, warm', times(() => once(demo, root, cache, usage)), 3_000);
  longHistory(join(scratch, 'migrations'), 500);
  row('500 migrations × 5 statements', times(() => once(['--live', '--live-budget', '300', 'migrations'], scratch, cache, usage)), 10_000);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
