import type { Piece } from '../sql/split.ts';

/**
 * Comments by which tools mark the direction inside a file. Plain SQL honours them, because running a down part forward would invent drops;
 * everything else about such a tool stays as in plain SQL, and that is said.
 */
interface Marker {
  readonly tool: string;
  readonly up?: RegExp;
  readonly down?: RegExp;
}

const markers: readonly Marker[] = [
  { tool: 'goose', up: /^--\s*\+goose\s+up\b/i, down: /^--\s*\+goose\s+down\b/i },
  { tool: 'dbmate', up: /^--\s*migrate:up\b/, down: /^--\s*migrate:down\b/ },
  { tool: 'sql-migrate', up: /^--\s*\+migrate\s+up\b/i, down: /^--\s*\+migrate\s+down\b/i },
  { tool: 'node-pg-migrate', up: /^--\s*up migration\b/i, down: /^--\s*down migration\b/i },
  { tool: 'tern', down: /^---- create above \/ drop below ----/ },
  { tool: 'Play evolutions', up: /^--\s*!Ups\b/, down: /^--\s*!Downs\b/ },
  { tool: 'MyBatis Migrations', down: /^--\s*\/\/\s*@UNDO\b/ },
  { tool: 'Liquibase', up: /^--\s*liquibase formatted sql/i },
  { tool: 'Drizzle', up: /^--> statement-breakpoint/ },
  { tool: 'Graphile Migrate', up: /^--! (?:Previous|Hash|Message|no-transaction|include)\b/i },
];

/** One look at each comment; the list is gone through only where it can matter. */
const anyMark = /--[ \t]*(?:\+goose|\+migrate|migrate:|up migration|down migration|-- create above|![ A-Z]|\/\/|liquibase|> statement)/iy;

export interface Marked {
  readonly tool: string;
  readonly at: number;
  /** Whether the statement that starts here belongs to the down part. */
  readonly isDown: (start: number) => boolean;
}

/** The tool whose marks stand in a file, or undefined. */
export function markedBy(text: string, pieces: readonly Piece[]): Marked | undefined {
  const switches: { readonly at: number; readonly down: boolean }[] = [];
  let first: { readonly tool: string; readonly at: number } | undefined;
  for (const { kind, start, end } of pieces) {
    if (kind !== 'comment') continue;
    anyMark.lastIndex = start;
    if (!anyMark.test(text)) continue;
    const comment = text.slice(start, Math.min(end, start + 80));
    for (const { tool, up, down } of markers) {
      const isDown = down?.test(comment) === true;
      if (!isDown && up?.test(comment) !== true) continue;
      first ??= { tool, at: start };
      if (down !== undefined) switches.push({ at: start, down: isDown });
    }
  }
  if (first === undefined) return undefined;
  switches.sort((a, b) => a.at - b.at);
  return { ...first, isDown: start => switches.findLast(({ at }) => at <= start)?.down === true };
}
