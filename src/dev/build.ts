/**
 * Builds `dist`: one ESM bundle with shared chunks, so that `--help` and `--version` load nothing but the entry, and the parser's wasm beside it.
 *
 *     npm run build              the bundle alone, some seconds: most of them go to the types that `counted-loops.ts` asks for
 *     npm run build -- --types   and the declarations; fails when the sources do not type-check
 *
 * PGlite and its pg_ivm stay outside: they are optional, large, and find their own files from where they are installed. So does pg: whoever runs
 * mvlint can renew a client of databases without waiting for us, and `npm audit` sees it.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { withCountedLoops } from './counted-loops.ts';

const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');

/** Where each entry of the package comes from; the ones whose source is not there are left out. */
const entries: Readonly<Record<string, string>> = {
  cli: 'src/hosts/cli.ts',
  action: 'src/hosts/action.ts',
  index: 'src/index.ts',
  rule: 'src/rule.ts',
  worker: 'src/live/worker.ts',
  'parser-thread': 'src/sql/ahead-thread.ts',
};

const plugins = [withCountedLoops(root, [...Object.values(entries), 'src/hosts/commands.ts'])];

/** CommonJS dependencies ask for `require` and `__dirname`, which an ES module does not have. */
const banner = [
  "import { createRequire as mvlintCreateRequire } from 'node:module';",
  'const require = mvlintCreateRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;',
].join('\n');

async function bundle(): Promise<void> {
  const version = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
  const result = await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(Object.entries(entries).filter(([, source]) => existsSync(join(root, source)))),
    outdir: dist,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['@electric-sql/*', 'pg'],
    define: { 'process.env.MVLINT_VERSION': JSON.stringify(version) },
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
    plugins,
  });

  const script = await commandScript(version);
  // Everything is in memory before the first byte is written: a process that runs the old bundle meanwhile sees it whole for as long as possible.
  const written = new Set<string>();
  for (const file of result.outputFiles) {
    const needsBanner = /\b(?:require|__dirname|__filename)\b/.test(file.text);
    const [shebang, rest] = file.text.startsWith('#!') ? [file.text.slice(0, file.text.indexOf('\n') + 1), file.text.slice(file.text.indexOf('\n') + 1)] : ['', file.text];
    mkdirSync(dirname(file.path), { recursive: true });
    writeFileSync(file.path, needsBanner ? `${shebang}${banner}\n${rest}` : file.text);
    written.add(relative(dist, file.path));
  }
  chmodSync(join(dist, 'cli.js'), 0o755);
  writeFileSync(join(dist, scriptName), script);

  // The parser looks for its wasm beside the file it was bundled into; entries and chunks stand in one folder, so one copy serves all.
  const wasm = 'libpg-query.wasm';
  copyFileSync(createRequire(import.meta.url).resolve(`libpg-query/wasm/${wasm}`), join(dist, wasm));
  // So do the built-in catalogs: text that is read when a query first needs a type, and costs no start-up as a module would.
  copyFileSync(join(root, 'src/builtins/data/builtins.txt'), join(dist, 'builtins.txt'));
  for (const name of readdirSync(dist)) if ((name.endsWith('.js') && !written.has(name)) || name.endsWith('.cache')) rmSync(join(dist, name));
  // In a process of its own: the cache holds what that process has run.
  spawnSync(process.execPath, ['--import', 'tsx', join(root, 'src/dev/code-cache.ts'), join(dist, scriptName)], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}

const scriptName = 'commands.cjs';

/** The commands as one CommonJS script: V8 keeps a code cache for scripts, not for modules (`hosts/loading.ts`). */
async function commandScript(version: string): Promise<string> {
  const result = await build({
    absWorkingDir: root, entryPoints: [join(root, 'src/hosts/commands.ts')], bundle: true, format: 'cjs', platform: 'node', target: 'node20',
    external: ['@electric-sql/*', 'pg'], legalComments: 'none', logLevel: 'warning', write: false, plugins,
    define: { 'process.env.MVLINT_VERSION': JSON.stringify(version), 'import.meta.url': 'metaUrl', 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' },
  });
  return result.outputFiles[0]!.text.replace(/\bawait import\(/g, 'await importModule(');
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
