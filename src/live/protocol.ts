/** What the worker thread is started with. */
export interface WorkerData {
  /** A tar of a data directory; absent: make a new one (initdb, seconds). */
  readonly directory?: Uint8Array<ArrayBuffer>;
  /** Names of extensions that CREATE EXTENSION must find. */
  readonly extensions: readonly string[];
  readonly parts?: Parts;
}

/** PGlite's own files, read and compiled once for all threads. */
export interface Parts {
  /** A WebAssembly.Module: the compiler's ES library has no name for it, and the DOM's is not ours. */
  readonly wasm: object;
  readonly bundle: Uint8Array<ArrayBuffer>;
}

/** `blob`: what the statement reads from '/dev/blob'. */
export type WorkerRequest = { readonly id: number } & ({ readonly kind: 'run'; readonly sql: string; readonly blob?: string } | { readonly kind: 'dump' });

/** The first answer is ready, unavailable (the package is not installed) or broken (the directory cannot be used); then one answer a request. */
export type WorkerAnswer =
  | { readonly kind: 'ready'; readonly missing: readonly string[] }
  | { readonly kind: 'unavailable'; readonly because: string }
  | { readonly kind: 'broken'; readonly because: string }
  | { readonly kind: 'rows'; readonly id: number; readonly rows: readonly Record<string, unknown>[] }
  | { readonly kind: 'failure'; readonly id: number; readonly sqlstate: string; readonly message: string }
  | { readonly kind: 'bytes'; readonly id: number; readonly bytes: ArrayBuffer };
