/**
 * What mvlint costs, beside bare Node and beside the floor: the same parser, built the same way, that reads the same bytes, splits, parses, and does nothing else.
 *
 *     npm run bench                    about two minutes
 *     npm run bench -- --runs 15       more runs (medians of 9 by default; 3 of the largest history)
 *     npm run bench -- --quick         without the largest history
 *
 * The candidates of a row run in turns (A B A B), so that a busy machine hurts them alike. It is no test: it prints figures and ends with 0.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { makeHistory } from './history.ts';

const root = join(import.meta.dirname, '../..');
const cli = join(root, 'dist/cli.js');

const { values } = parseArgs({ options: { runs: { type: 'string', default: '9' }, quick: { type: 'boolean', default: false }, seed: { type: 'string', default: '1' } } });
const runs = Math.max(1, Number(values.runs) || 9);

/** The floor, as a program: files under a folder in the order of their names. */
const floorSource = `
  import { readFileSync, readdirSync, statSync } from 'node:fs';
  import { join } from 'node:path';
  import { parse, ready } from './src/sql/parse.ts';
  import { split } from './src/sql/split.ts';
  const target = process.argv[2];
  const files = statSync(target).isDirectory() ? readdirSync(target, { recursive: true }).filter(name => name.endsWith('.sql')).sort().map(name => join(target, name)) : [target];
  await ready();
  let statements = 0, refused = 0;
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    for (const piece of split(text, { psql: true })) {
      if (piece.kind !== 'statement') continue;
      statements++;
      if (!parse(text.slice(piece.start, piece.end)).ok) refused++;
    }
  }
  console.log(JSON.stringify({ files: files.length, statements, refused }));
`;

/** Bundles the floor with the settings of `build.ts`, the parser's wasm beside it. Returns its path. */
async function buildFloor(folder: string): Promise<string> {
  const result = await build({
    absWorkingDir: root, stdin: { contents: floorSource, resolveDir: root, loader: 'ts' }, bundle: true, format: 'esm', platform: 'node', target: 'node20',
    external: ['@electric-sql/*'], legalComments: 'none', logLevel: 'warning', write: false,
    banner: {
      js: "import { createRequire as floorCreateRequire } from 'node:module';\n"
        + 'const require = floorCreateRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;',
    },
  });
  const file = join(folder, 'floor.mjs');
  writeFileSync(file, result.outputFiles[0]?.text ?? '');
  copyFileSync(createRequire(import.meta.url).resolve('libpg-query/wasm/libpg-query.wasm'), join(folder, 'libpg-query.wasm'));
  return file;
}

interface Sample { readonly ms: number; readonly status: number | null; readonly errors: string; readonly output: string }
function once(words: readonly string[], cwd: string, env: Record<string, string> = {}): Sample {
  const start = process.hrtime.bigint();
  const { status, stderr, stdout } = spawnSync(process.execPath, words, {
    cwd, encoding: 'utf8', maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', ...env },
  });
  return { ms: Number(process.hrtime.bigint() - start) / 1e6, status, errors: stderr, output: stdout };
}
const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] ?? NaN : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
};

/** Median wall-clock of each candidate in milliseconds, run in turns after one unmeasured turn. A candidate that fails is NaN, with its first line of complaint. */
function compare(candidates: readonly (readonly string[])[], cwd: string, turns: number): readonly number[] {
  const times: number[][] = candidates.map(() => []);
  const failed = new Set<number>();
  for (let turn = -1; turn < turns; turn++)
    candidates.forEach((words, at) => {
      if (failed.has(at)) return;
      const sample = once(words, cwd);
      if (sample.status !== 0 && sample.status !== 1) {
        failed.add(at);
        console.log(`  ${words.join(' ')} ended with ${sample.status}: ${sample.errors.trim().split('\n')[0]}`);
      } else if (turn >= 0) {
        times[at]?.push(sample.ms);
      }
    });
  return times.map((list, at) => (failed.has(at) ? NaN : median(list)));
}

/** Peak resident memory in MB, in runs of their own: the observer costs time. */
function peak(words: readonly string[], cwd: string, scratch: string): number {
  const file = join(scratch, 'rss');
  const observer = `import { writeFileSync } from 'node:fs'; import { isMainThread } from 'node:worker_threads';
    if (isMainThread) process.on('exit', () => writeFileSync(${JSON.stringify(file)}, String(process.resourceUsage().maxRSS)));`;
  return median(Array.from({ length: 3 }, () => {
    rmSync(file, { force: true });
    once(['--import', `data:text/javascript,${encodeURIComponent(observer)}`, ...words], cwd);
    try {
      return Number(readFileSync(file, 'utf8')) / 1024;
    } catch {
      return NaN;
    }
  }));
}

const ms = (value: number): string => (Number.isNaN(value) ? '–' : `${value < 1000 ? value.toFixed(0) : value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ',')} ms`);
const mb = (value: number): string => (Number.isNaN(value) ? '–' : `${value.toFixed(0)} MB`);
const times = (value: number): string => (Number.isNaN(value) ? '–' : `${value.toFixed(2)} ×`);
const judge = (value: number, limit: number): string => (Number.isNaN(value) ? 'not measured' : value <= limit ? 'holds' : 'MISSED');
const rows: string[][] = [];

async function main(): Promise<void> {
  const built = spawnSync('npm', ['run', 'build', '--silent'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (built.status !== 0) {
    console.log('The bundle does not build; nothing was measured.');
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'mvlint-bench-'));
  try {
    const floor = await buildFloor(scratch);
    const empty = join(scratch, 'empty.mjs');
    writeFileSync(empty, '');
    const sizes = values.quick ? [1, 1000] : [1, 1000, 10_000];
    const folders = new Map<number, string>();
    for (const size of sizes) {
      const folder = join(scratch, `history-${size}`);
      let bytes = 0;
      for (const [path, text] of makeHistory(size, Number(values.seed) || 1)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
        bytes += Buffer.byteLength(text);
      }
      folders.set(size, folder);
      const { statements, refused } = JSON.parse(once([floor, 'migrations'], folder).output) as { statements: number; refused: number };
      console.log(`${size.toLocaleString('en')} ${size === 1 ? 'file' : 'files'}: ${(bytes / 1e6).toFixed(2)} MB, ${statements.toLocaleString('en')} statements`
        + (refused > 0 ? `, ${refused} of them refused by the parser` : ''));
    }
    console.log(`Node ${process.versions.node} on ${availableParallelism()} of ${cpus()[0]?.model ?? 'unknown processors'}; medians of ${runs} runs in turns\n`);

    const [bare = NaN, help = NaN] = compare([[empty], [cli, '--help']], scratch, runs);
    rows.push(['--help', ms(help), `bare Node ${ms(bare)}`, `+${(help - bare).toFixed(0)} ms`, '≤ +10 ms', judge(help - bare, 10), mb(peak([cli, '--help'], scratch, scratch)), '']);

    const took = new Map<number, number>();
    const memory = new Map<number, number>();
    for (const size of sizes) {
      const cwd = folders.get(size) ?? scratch;
      const [base = NaN, own = NaN] = compare([[floor, 'migrations'], [cli, 'migrations']], cwd, size > 1000 ? Math.min(3, runs) : runs);
      took.set(size, own);
      memory.set(size, peak([cli, 'migrations'], cwd, scratch));
      const limit = size === 1 ? 1.25 : size === 1000 ? 1.6 : Infinity;
      rows.push([
        size === 1 ? 'one file' : `${size.toLocaleString('en')} files`, ms(own), `floor ${ms(base)}`, times(own / base), limit === Infinity ? '' : `≤ ${limit.toFixed(2)} ×`,
        limit === Infinity ? '' : judge(own / base, limit), mb(memory.get(size) ?? NaN), `floor ${mb(peak([floor, 'migrations'], cwd, scratch))}`,
      ]);
    }
    if (!values.quick) {
      const start = took.get(1) ?? NaN;
      const growth = ((took.get(10_000) ?? NaN) - start) / ((took.get(1000) ?? NaN) - start);
      // Twelve instead of ten: the longer history also has the larger catalog, and garbage collection is not linear.
      rows.push(['ten times the files', '', 'time beyond start-up', times(growth), '≤ 12 ×', judge(growth, 12), '', '']);
      const space = (memory.get(10_000) ?? NaN) / (memory.get(1000) ?? NaN);
      rows.push(['', '', 'peak memory', times(space), '≤ 2 ×', judge(space, 2), '', '']);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const head = ['', 'median', 'beside', 'ratio', 'target', '', 'peak memory', ''];
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map(row => (row[at] ?? '').length)));
  for (const row of [head, ...rows]) console.log(row.map((text, at) => (text).padEnd(widths[at] ?? 0)).join('  ').trimEnd());
}

await main();
