/** How the commands come into a process: with the fewest compilations by V8 that a single run needs. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';
import { restoreCompilers } from './v8.ts';

type Commands = typeof import('./commands.ts');

/** The commands, from the script beside this file. */
export function loadCommands(file = fileURLToPath(new URL('./commands.cjs', import.meta.url))): Commands {
  return runScript(scriptOf(file, cacheFor(file)), file);
}

/** Whether V8 takes the code cache of a script: not in another version of Node, on another processor, with other flags. Without it everything is compiled anew. */
export const takesCache = (file: string): boolean => scriptOf(file, cacheFor(file)).cachedDataRejected === false;

function cacheFor(file: string): Buffer | undefined {
  try {
    return readFileSync(cacheOf(file));
  } catch {
    return undefined;
  }
}

/** Writes the code cache of the script `file`, with what `use` makes it run; for the build. */
export async function makeCache(file: string, use: (commands: Commands) => Promise<unknown>): Promise<{ readonly path: string; readonly data: Buffer }> {
  const script = scriptOf(file);
  const path = cacheOf(file);
  await use(runScript(script, file));
  restoreCompilers();
  if (cacheOf(file) !== path) throw new Error('the commands leave V8 with other flags than they found');
  return { path, data: script.createCachedData() };
}

/** The tag holds the version of V8, its flags and the processor's features. */
const cacheOf = (file: string): string => `${file}.${cachedDataVersionTag().toString(16)}.cache`;

function scriptOf(file: string, cachedData?: Buffer): Script {
  // The bundle is ASCII: read as such it stays one byte a character.
  return new Script(readFileSync(file, 'latin1'), { filename: file, ...(cachedData === undefined ? {} : { cachedData }) });
}

/** A CommonJS bundle as the function that `runScript` calls. The build makes it: done at each start, it would copy two megabytes once more. */
export const asFunction = (bundle: string): string => `(function (exports, require, module, __filename, __dirname, metaUrl, importModule) {${bundle}\n})`;

/**
 * Runs a CommonJS bundle that `asFunction` has wrapped. Its `import.meta.url` is the parameter
 * `metaUrl`, its `import()` the parameter `importModule`: in Node 20 a script from a code cache that another process made has no `import()` of its own
 * (ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING, whatever `importModuleDynamically` says).
 */
function runScript(script: Script, file: string): Commands {
  const module = { exports: {} };
  const body = script.runInThisContext() as (...given: readonly unknown[]) => void;
  body(module.exports, createRequire(file), module, file, dirname(file), pathToFileURL(file).href, (specifier: string) => import(specifier));
  return module.exports as Commands;
}
