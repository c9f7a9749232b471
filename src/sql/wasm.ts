import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import glue, { type RawModule } from 'libpg-query/wasm/libpg-query.js';

/** The few names of WebAssembly used here; the compiler's ES library has none of them and the DOM's is not ours. */
interface WebAssemblyHost {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

/**
 * Our own instance of libpg_query. The package's wrapper is not used: it starts at import, and it keeps an instance that a stack
 * overflow has broken (measured: after 30 of them every later parse of good SQL fails). Here such an instance is thrown away.
 */
interface Parser {
  /** A fresh instance, synchronously: 4-8 ms. */
  readonly make: () => RawModule;
  current: RawModule | undefined;
}

/** A pure cache: compiled once, instances hold no state between calls. */
let parser: Parser | undefined;

/** Compiles and instantiates the parser: 10-15 ms, functions of it when they are called first. Throws only when the wasm file is missing or broken. */
function load(): Parser {
  const host = (globalThis as unknown as { WebAssembly: WebAssemblyHost }).WebAssembly;
  const compiled = new host.Module(readFileSync(wasmPath()));
  const make = (): RawModule => {
    const module: Record<string, unknown> = {
      print: () => {},
      printErr: () => {},
      instantiateWasm: (imports: object, done: (instance: { readonly exports: object }) => void) => {
        const instance = new host.Instance(compiled, imports);
        done(instance);
        return instance.exports;
      },
    };
    // The factory assigns every export before its first await, so the module is usable at once; what
    // follows (stdio, start values of its stack checks) changes nothing a parse uses (measured: parses before and after agree).
    glue(module).catch(() => {});
    return module as unknown as RawModule;
  };
  return { make, current: undefined };
}

/** The file stands beside the bundle, or in the package when the sources run as they are. */
function wasmPath(): string {
  const beside = fileURLToPath(new URL('./libpg-query.wasm', import.meta.url));
  if (existsSync(beside)) return beside;
  return createRequire(import.meta.url).resolve('libpg-query/wasm/libpg-query.wasm');
}

/** A call that broke the instance: the JavaScript stack or the wasm memory ran out. */
export class ParserOverflow extends Error {}

/**
 * Calls into the parser with `text` as a C string. Throws `ParserOverflow` when the instance broke (it is replaced), and an
 * ordinary error when the parser cannot be loaded.
 */
export function withParser<T>(text: string, call: (module: RawModule, pointer: number) => T): T {
  parser ??= load();
  const module = (parser.current ??= parser.make());
  try {
    const length = module.lengthBytesUTF8(text) + 1;
    const pointer = module._malloc(length);
    if (pointer === 0) throw new RangeError('out of memory');
    module.stringToUTF8(text, pointer, length);
    const result = call(module, pointer);
    module._free(pointer);
    return result;
  } catch (error) {
    parser.current = undefined;
    // A function that is damaged is found when it is called.
    if (error instanceof Error && error.name === 'CompileError') throw error;
    throw new ParserOverflow(error instanceof Error ? error.message : String(error));
  }
}
