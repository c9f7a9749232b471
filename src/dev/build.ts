/**
 * Builds `dist`: the library as modules with shared chunks, the command line as scripts, of which `--help` and `--version` load nothing but the entry, and the
 * parser's wasm beside them.
 *
 *     npm run build              the bundle alone, some seconds: most of them go to the types that `counted-loops.ts` asks for
 *     npm run build -- --types   and the declarations; fails when the sources do not type-check
 *
 * PGlite and its pg_ivm stay outside: they are optional, large, and find their own files from where they are installed. So does pg: whoever runs
 * mvlint can renew a client of databases without waiting for us, and `npm audit` sees it.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import { asFunction } from '../hosts/loading.ts';
import { withCountedLoops } from './counted-loops.ts';

const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');

/** Where each module of the package comes from. */
const modules: Readonly<Record<string, string>> = {
  action: 'src/hosts/action.ts',
  index: 'src/index.ts',
  rule: 'src/rule.ts',
  worker: 'src/live/worker.ts',
};

/** Programs whose start is waited for. They are CommonJS: Node begins one, in a process as in a thread, before it has its loader of modules (measured: 5 and 9 ms). */
const programs: Readonly<Record<string, string>> = {
  cli: 'src/hosts/cli.ts',
  'parser-thread': 'src/sql/ahead-thread.ts',
};

/** The commands are one script, for which V8 keeps a code cache (`hosts/loading.ts`). */
const script = 'commands.cjs';
const scriptSource = 'src/hosts/commands.ts';

const plugins = [withCountedLoops(root, [...Object.values(modules), ...Object.values(programs), scriptSource])];

/** CommonJS dependencies ask for `require` and `__dirname`, which an ES module does not have. */
const banner = [
  "import { createRequire as mvlintCreateRequire } from 'node:module';",
  'const require = mvlintCreateRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;',
].join('\n');

/** What every bundle has. */
function shared(): BuildOptions {
  const version = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
  return {
    absWorkingDir: root, outdir: dist, bundle: true, platform: 'node', target: 'node20', external: ['@electric-sql/*', 'pg'], plugins,
    define: { 'process.env.MVLINT_VERSION': JSON.stringify(version) }, legalComments: 'none', logLevel: 'warning',
  };
}

async function bundle(): Promise<void> {
  // Everything is in memory before the first byte is written: a process that runs the old bundle meanwhile sees it whole for as long as possible.
  const files = [...await moduleFiles(), ...await commonFiles()];
  for (const { path, text } of files) writeFileSync(path, text);
  chmodSync(join(dist, 'cli.cjs'), 0o755);

  // The parser looks for its wasm beside the file it was bundled into; entries and chunks stand in one folder, so one copy serves all.
  const wasm = 'libpg-query.wasm';
  copyFileSync(createRequire(import.meta.url).resolve(`libpg-query/wasm/${wasm}`), join(dist, wasm));
  // So do the built-in catalogs: text that is read when a query first needs a type, and costs no start-up as a module would.
  copyFileSync(join(root, 'src/builtins/data/builtins.txt'), join(dist, 'builtins.txt'));
  const written = new Set(files.map(({ path }) => path));
  for (const name of readdirSync(dist)) if (/\.(?:c?js|cache)$/.test(name) && !written.has(join(dist, name))) rmSync(join(dist, name));
  // In a process of its own: the cache holds what that process has run.
  spawnSync(process.execPath, ['--import', 'tsx', join(root, 'src/dev/code-cache.ts'), join(dist, script)], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}

interface Written {
  readonly path: string;
  readonly text: string;
}

async function moduleFiles(): Promise<readonly Written[]> {
  const { outputFiles } = await build({ ...shared(), entryPoints: modules, chunkNames: '[name]-[hash]', splitting: true, format: 'esm', write: false });
  return outputFiles.map(({ path, text }) => ({ path, text: /\b(?:require|__dirname|__filename)\b/.test(text) ? `${banner}\n${text}` : text }));
}

/** `import.meta` is not CommonJS: what it says of a program comes from the program's own file, and for the commands from whoever runs them. */
async function commonFiles(): Promise<readonly Written[]> {
  const common = shared();
  const meta = { 'import.meta.url': 'metaUrl', 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' };
  const options = { ...common, format: 'cjs', define: { ...common.define, ...meta }, outExtension: { '.js': '.cjs' }, write: false } as const;
  const small = await build({ ...options, entryPoints: programs, banner: { js: `"use strict";\nconst metaUrl = require('node:url').pathToFileURL(__filename).href;` } });
  const commands = await build({ ...options, entryPoints: { commands: scriptSource } });
  return [
    ...small.outputFiles.map(({ path, text }) => ({ path, text })),
    ...commands.outputFiles.map(({ path, text }) => ({ path, text: asFunction(text.replace(/\bawait import\(/g, 'await importModule(')) })),
  ];
}

/** Declarations of the public entries. Returns the exit status of the compiler. */
function declarations(): number {
  const config = join(dist, 'tsconfig.types.json');
  writeFileSync(config, JSON.stringify({
    extends: '../tsconfig.json',
    // `npm install` of a clone and the `npm pack` after it both come here: the second finds what the first wrote.
    compilerOptions: { noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: '..', outDir: 'types', incremental: true, tsBuildInfoFile: 'types.tsbuildinfo' },
    include: [],
    // The ambient declaration of the parser's glue has to be named: nothing imports it.
    files: ['../src/index.ts', '../src/rule.ts', '../src/sql/libpg-query.d.ts'],
  }));
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, '--project', config], { stdio: 'inherit' });
  rmSync(config);
  return status ?? 1;
}

mkdirSync(dist, { recursive: true });
await bundle();
if (process.argv.includes('--types')) process.exitCode = declarations();
