/**
 * What mvlint costs, beside bare Node and beside the floor: the same parser, built the same way, that reads the same bytes, splits, parses, and does nothing else.
 *
 *     npm run bench                    a few minutes
 *     npm run bench -- --runs 31       more runs (medians of 15 by default; 3 of the largest history)
 *     npm run bench -- --quick         without the largest history
 *
 * The candidates of a row run in turns (A B A B), and a ratio is the median of the turns' own ratios: a machine that is busy, or slows its clock, for some
 * seconds hurts both sides of a turn alike. It is no test: it prints figures and ends with 0.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { withCountedLoops } from './counted-loops.ts';
import { makeHistory } from './history.ts';
import type { ViewCost } from './view-cost.ts';

const root = join(import.meta.dirname, '../..');

const { values } = parseArgs({ options: { runs: { type: 'string', default: '15' }, quick: { type: 'boolean', default: false }, seed: { type: 'string', default: '1' } } });
const runs = Math.max(1, Number(values.runs) || 15);

/** The floor, as a program: files under a folder in the order of their names. */
const floorSource = `
  import { readFileSync, readdirSync, statSync } from 'node:fs';
  import { join } from 'node:path';
  import { parse } from './src/sql/parse.ts';
  import { split } from './src/sql/split.ts';
  const target = process.argv[2];
  const files = statSync(target).isDirectory() ? readdirSync(target, { recursive: true }).filter(name => name.endsWith('.sql')).sort().map(name => join(target, name)) : [target];
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

/** The cost of one large view, as a program. */
const viewSource = `
  import { viewCost } from './src/dev/view-cost.ts';
  console.log(JSON.stringify(viewCost()));
`;

const plugins = [withCountedLoops(root, ['src/sql/parse.ts', 'src/sql/split.ts', 'src/dev/view-cost.ts'])];

/** Bundles a program with the settings of `build.ts`, the parser's wasm and the built-in catalogs beside it. Returns its path. */
async function buildProgram(folder: string, name: string, contents: string): Promise<string> {
  const result = await build({
    absWorkingDir: root, stdin: { contents, resolveDir: root, loader: 'ts' }, bundle: true, format: 'esm', platform: 'node', target: 'node20',
    external: ['@electric-sql/*'], legalComments: 'none', logLevel: 'warning', write: false, plugins,
    banner: {
      js: "import { createRequire as floorCreateRequire } from 'node:module';\n"
        + 'const require = floorCreateRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;',
    },
  });
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, result.outputFiles[0]?.text ?? '');
  copyFileSync(createRequire(import.meta.url).resolve('libpg-query/wasm/libpg-query.wasm'), join(folder, 'libpg-query.wasm'));
  copyFileSync(join(root, 'src/builtins/data/builtins.txt'), join(folder, 'builtins.txt'));
  return file;
}

/** The flags of `tuneCompilers`, without that of one version: the floor hardly runs JavaScript. */
const baselineWasm = ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering', '--wasm-lazy-validation'];

/** A run that takes longer is ended and counts as failed. */
const longest = 300_000;

interface Sample { readonly ms: number; readonly status: number | null; readonly errors: string; readonly output: string }
function once(words: readonly string[], cwd: string, env: Record<string, string> = {}): Sample {
  const start = process.hrtime.bigint();
  const { status, stderr, stdout } = spawnSync(process.execPath, words, {
    cwd, encoding: 'utf8', maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'pipe'], timeout: longest, env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', ...env },
  });
  return { ms: Number(process.hrtime.bigint() - start) / 1e6, status, errors: stderr, output: stdout };
}
const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] ?? NaN : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
};

/** Wall-clock of each candidate in milliseconds, turn by turn, after one unmeasured turn. A candidate that fails has none, with its first line of complaint. */
function compare(candidates: readonly (readonly string[])[], cwd: string, turns: number): readonly (readonly number[])[] {
  const times: number[][] = candidates.map(() => []);
  const failed = new Set<number>();
  for (let turn = -1; turn < turns; turn++)
    candidates.forEach((words, at) => {
      if (failed.has(at)) return;
      const sample = once(words, cwd);
      if (sample.status !== 0 && sample.status !== 1) {
        failed.add(at);
        console.log(`  ${words.join(' ')} ended with ${sample.status ?? `the limit of ${longest / 1000} s`} ${sample.errors.trim().split('\n')[0]}`);
      } else if (turn >= 0) {
        times[at]?.push(sample.ms);
      }
    });
  return times.map((list, at) => (failed.has(at) ? [] : list));
}

/** The median of what the turns say, each by itself. */
const paired = (own: readonly number[], base: readonly number[], beside: (own: number, base: number) => number): number =>
  median(own.map((value, turn) => beside(value, base[turn] ?? NaN)));
const ratio = (own: number, base: number): number => own / base;

/** What the operating system counts: peak resident memory in MB, processor time in ms. */
interface Usage { readonly memory: number; readonly cpu: number }
/** Usage in runs of its own (the observer costs time), medians. A busy machine lengthens the clock's time, hardly the processor's. */
function usageOf(words: readonly string[], cwd: string, scratch: string, samples = 3): Usage {
  const file = join(scratch, 'usage.json');
  const observer = `import { writeFileSync } from 'node:fs'; import { isMainThread } from 'node:worker_threads';
    if (isMainThread) process.on('exit', () => writeFileSync(${JSON.stringify(file)}, JSON.stringify(process.resourceUsage())));`;
  const seen = Array.from({ length: samples }, (): Usage => {
    rmSync(file, { force: true });
    once(['--import', `data:text/javascript,${encodeURIComponent(observer)}`, ...words], cwd);
    try {
      const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(readFileSync(file, 'utf8')) as NodeJS.ResourceUsage;
      return { memory: maxRSS / 1024, cpu: (userCPUTime + systemCPUTime) / 1000 };
    } catch {
      return { memory: NaN, cpu: NaN };
    }
  });
  return { memory: median(seen.map(one => one.memory)), cpu: median(seen.map(one => one.cpu)) };
}

const ms = (value: number): string => (Number.isNaN(value) ? '–' : `${value < 1000 ? value.toFixed(0) : value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ',')} ms`);
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(0)} ms`;
const mb = (value: number): string => (Number.isNaN(value) ? '–' : `${value.toFixed(0)} MB`);
const times = (value: number): string => (Number.isNaN(value) ? '–' : `${value.toFixed(2)} ×`);
const judge = (value: number, limit: number): string => (Number.isNaN(value) ? 'not measured' : value <= limit ? 'holds' : 'MISSED');

const widths = [22, 11, 21, 9, 9, 13, 10, 12];
function row(...cells: readonly string[]): void {
  console.log(cells.map((text, at) => text.padEnd(widths[at] ?? 0)).join(' ').trimEnd());
}

async function main(): Promise<void> {
  const built = spawnSync('npm', ['run', 'build', '--silent'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (built.status !== 0) {
    console.log('The bundle does not build; nothing was measured.');
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'mvlint-bench-'));
  try {
    // A copy, so that a build in the meantime does not change what is measured.
    cpSync(join(root, 'dist'), join(scratch, 'dist'), { recursive: true });
    writeFileSync(join(scratch, 'package.json'), '{ "type": "module" }');
    const cli = join(scratch, 'dist/cli.cjs');
    const floor = await buildProgram(scratch, 'floor', floorSource);
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

    row('', 'median', 'beside', 'ratio', 'target', '', 'processor', 'peak memory');
    const [bare = [], help = []] = compare([[empty], [cli, '--help']], scratch, runs);
    const more = paired(help, bare, (own, base) => own - base);
    const [bareUsage, helpUsage] = [usageOf([empty], scratch, scratch), usageOf([cli, '--help'], scratch, scratch)];
    row('--help', ms(median(help)), `bare Node ${ms(median(bare))}`, signed(more), '<= 10 ms', judge(more, 10),
      signed(helpUsage.cpu - bareUsage.cpu), `${mb(helpUsage.memory)} (bare ${mb(bareUsage.memory)})`);

    const view = JSON.parse(once([await buildProgram(scratch, 'view', viewSource)], scratch).output) as ViewCost;
    // Within one process, warm: what an editor pays at each change, and a history for each of its views.
    row(`view of ${view.lines} lines`, `${view.analysis.toFixed(1)} ms`, `parse ${view.parse.toFixed(1)} ms`, times(view.analysis / view.parse), '<= 5 ms', judge(view.analysis, 5));

    const tunedFloors: string[] = [];
    const took = new Map<number, number>();
    const used = new Map<number, Usage>();
    for (const size of sizes) {
      const cwd = folders.get(size) ?? scratch;
      const [base = [], own = [], tuned = []] = compare([[floor, 'migrations'], [cli, 'migrations'], [...baselineWasm, floor, 'migrations']], cwd,
        size > 1000 ? Math.min(3, runs) : runs);
      const beside = paired(own, base, ratio);
      tunedFloors.push(`${ms(median(tuned))} (${times(paired(own, tuned, ratio))})`);
      const samples = size > 1000 ? 1 : 3;
      const [floorUsage, usage] = [usageOf([floor, 'migrations'], cwd, scratch, samples), usageOf([cli, 'migrations'], cwd, scratch, samples)];
      took.set(size, median(own));
      used.set(size, usage);
      const limit = size === 1 ? 1.25 : size === 1000 ? 1.6 : undefined;
      row(size === 1 ? 'one file' : `${size.toLocaleString('en')} files`, ms(median(own)), `floor ${ms(median(base))}`, times(beside), limit ? `<= ${limit.toFixed(2)}` : '',
        limit ? judge(beside, limit) : '', times(usage.cpu / floorUsage.cpu), `${mb(usage.memory)} (floor ${mb(floorUsage.memory)})`);
    }
    if (!values.quick) {
      const grown = (of: (size: number) => number): number => (of(10_000) - of(1)) / (of(1000) - of(1));
      const growth = grown(size => took.get(size) ?? NaN);
      // Twelve instead of ten: the longer history also has the larger catalog, and collecting garbage is not linear.
      row('10,000 beside 1,000', '', 'time after start-up', times(growth), '<= 12', judge(growth, 12), times(grown(size => used.get(size)?.cpu ?? NaN)));
      const space = (used.get(10_000)?.memory ?? NaN) / (used.get(1000)?.memory ?? NaN);
      row('', '', 'peak memory', times(space), '<= 2', judge(space, 2));
    }
    console.log(`\nThe floor runs as V8 runs any program. With the flags for wasm that mvlint sets (src/hosts/v8.ts) it takes ${tunedFloors.join(', ')}.`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

await main();
