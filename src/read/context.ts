import type { Files, ToolId } from '../model.ts';
import type { Values } from './statements.ts';

/** How the caller wants a repository read. */
export interface ReadOptions {
  /** Decides what detection would have to guess. */
  readonly tool?: ToolId;
  /** What the user named: folders, files, globs. Decides which histories are read and what is reported. */
  readonly paths?: readonly string[];
  /** The folders of the one history, in order. */
  readonly migrations?: readonly string[];
  readonly placeholders?: Values;
  /** Globs of files that do not exist for mvlint. */
  readonly ignore?: readonly string[];
  /** A named file is its own history. */
  readonly isolated?: boolean;
  /** A text that stands for a file; it is reported alone, in the history its name belongs to. */
  readonly stdin?: { readonly text: string; readonly filename: string };
  /** Name of the one history; by default the folder it belongs to. */
  readonly name?: string;
  /** The files at the merge base: says which migrations are shipped. */
  readonly base?: Files;
  /** For plain SQL: `migration` and `batch` when the scripts run inside a transaction of their own (`psql -1`); autocommit by default. */
  readonly transaction?: 'none' | 'migration' | 'batch';
}

/** Where a history was found: one folder or several in order, or (psql) one entry script or file. */
export interface Candidate {
  readonly tool: ToolId;
  readonly roots: readonly string[];
  /** The tool's own configuration, when that is what named the folders. */
  readonly config?: string;
  /** A tool that is not modelled claims these files: they are read as plain SQL and that is said. */
  readonly foreign?: Foreign;
  /** Only these files, when a folder holds more than the history. */
  readonly files?: readonly string[];
}

export interface Foreign {
  readonly tool: string;
  /** What gave it away. */
  readonly path: string;
}

/** What the readers of the tools share. */
export interface Context {
  readonly files: Files;
  /** Every listed path, sorted; listed once. */
  readonly all: readonly string[];
  readonly known: ReadonlySet<string>;
  readonly options: ReadOptions;
}

/** The paths beneath a folder, by binary search in the sorted list. */
export function pathsUnder(context: Pick<Context, 'all'>, folder: string): readonly string[] {
  if (folder === '') return context.all;
  const prefix = `${folder}/`;
  const from = lowerBound(context.all, prefix);
  let to = from;
  while (context.all[to]?.startsWith(prefix) === true) to++;
  return context.all.slice(from, to);
}

function lowerBound(sorted: readonly string[], wanted: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
