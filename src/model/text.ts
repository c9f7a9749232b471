/** Places in text, and what is not known. */

/** A half-open range of UTF-16 units in one source file; `path` is relative to the `Files` root, with `/`. */
export interface Span {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** The missing fact, in words a reader understands. */
export interface Unknown {
  readonly unknown: string;
}
export type Known<T> = T | Unknown;

/** A place and what it shows. A finding's evidence leads from the cause to the effect. */
export interface Evidence {
  readonly span: Span;
  readonly says: string;
}

/** A text that takes the place of a span; an empty span is a place between two characters. */
export interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** What mvlint could not see. Counted in every report, never dropped. */
export interface Gap {
  readonly span: Span;
  readonly because: string;
}

/**
 * The only way the core reads a repository. Paths are relative to the root, with `/`; what leaves the root is never read.
 * Implementations: a disk, a git tree, memory, buffers over another `Files`.
 */
export interface Files {
  /** Every file under a folder (`''` is the root), recursively, sorted by code unit; an absent folder is empty. */
  list(under: string): readonly string[];
  /** The bytes, or undefined when there is no such file or it cannot be read. */
  read(path: string): Uint8Array | undefined;
  /** The text of a file of whole UTF-8 without a NUL, a BOM kept; undefined for any other one, and where there is no quick way to it: then `read` knows. */
  readText?(path: string): string | undefined;
}
