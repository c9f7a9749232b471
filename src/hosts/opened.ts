/** What commands open that tell of migrations and judge nothing, and how they show places in them. */
import type { Span } from '../index.ts';
import { positions } from '../report/positions.ts';
import type { Arguments } from './arguments.ts';
import { locateAll, openAll, textOf, type Opened } from './check.ts';
import { readSettings } from './settings.ts';
import type { Sources } from './sources.ts';
import { UsageError } from './usage.ts';

export interface OpenedMigrations {
  readonly sources: Sources;
  readonly sessions: readonly Opened[];
  /** `line:column`. */
  readonly position: (span: Span) => string;
  /** `path:line:column`, the path as the working directory names it. */
  readonly place: (span: Span) => string;
  /** The same with every span as path, start and end in lines and columns, as reports have them. */
  readonly placed: (item: unknown) => unknown;
}

/** Reads the migrations of these paths, or those that are found; whatever cannot be read is an error of use. */
export async function openMigrations(words: Arguments, cwd: string, paths: readonly string[]): Promise<OpenedMigrations> {
  const settings = await readSettings(words, cwd);
  const sources = await locateAll(cwd, settings, paths, undefined, undefined);
  const [error] = sources.errors;
  if (error !== undefined) throw new UsageError(error);
  const sessions = await openAll(settings, words, sources, undefined);
  for (const { session } of sessions) for (const problem of session.problems) throw new UsageError(problem);
  const at = positions(textOf(sessions));
  const { display } = sources;
  const position = (span: Span): string => {
    const { line, column } = at.start(span);
    return `${line}:${column}`;
  };
  const placed = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(placed);
    if (typeof item !== 'object' || item === null) return item;
    const { path, start, end } = item as Partial<Span>;
    if (path !== undefined && typeof start === 'number' && typeof end === 'number') {
      const span = { path, start, end };
      return { path: display(path), start: at.start(span), end: at.end(span) };
    }
    return Object.fromEntries(Object.entries(item).map(([key, value]) => [key, placed(value)]));
  };
  return { sources, sessions, position, place: span => `${display(span.path)}:${position(span)}`, placed };
}
