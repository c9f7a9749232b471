import type { Piece } from '../sql/split.ts';

/**
 * Comments by which tools that mvlint does not model mark the direction inside a file. They are honoured, because running a down part
 * forward would invent drops; everything else about such a tool stays as in plain SQL, and that is said.
 */
interface Marker {
  readonly tool: string;
  readonly hint: string;
  readonly up?: RegExp;
  readonly down?: RegExp;
}

const markers: readonly Marker[] = [
  { tool: 'goose', hint: '+goose', up: /^--\s*\+goose\s+up\b/i, down: /^--\s*\+goose\s+down\b/i },
  { tool: 'dbmate', hint: 'migrate:', up: /^--\s*migrate:up\b/, down: /^--\s*migrate:down\b/ },
  { tool: 'sql-migrate', hint: '+migrate', up: /^--\s*\+migrate\s+up\b/i, down: /^--\s*\+migrate\s+down\b/i },
  { tool: 'node-pg-migrate', hint: ' Migration', up: /^--\s*up migration\b/i, down: /^--\s*down migration\b/i },
  { tool: 'tern', hint: 'drop below', down: /^---- create above \/ drop below ----/ },
  { tool: 'Play evolutions', hint: '!', up: /^--\s*!Ups\b/, down: /^--\s*!Downs\b/ },
  { tool: 'MyBatis Migrations', hint: '@UNDO', down: /^--\s*\/\/\s*@UNDO\b/ },
  { tool: 'Liquibase', hint: 'liquibase formatted', up: /^--\s*liquibase formatted sql/i },
  { tool: 'Drizzle', hint: 'statement-breakpoint', up: /^--> statement-breakpoint/ },
  { tool: 'Graphile Migrate', hint: '--! ', up: /^--! (?:Previous|Hash|Message|no-transaction|include)\b/i },
];

export interface Marked {
  readonly tool: string;
  readonly at: number;
  /** Whether the statement that starts here belongs to the down part. */
  readonly isDown: (start: number) => boolean;
}

/** The tool whose marks stand in a file, or undefined. */
export function markedBy(text: string, pieces: readonly Piece[]): Marked | undefined {
  const possible = markers.filter(({ hint }) => text.includes(hint));
  if (possible.length === 0) return undefined;
  const switches: { readonly at: number; readonly down: boolean }[] = [];
  let first: { readonly tool: string; readonly at: number } | undefined;
  for (const { kind, start, end } of pieces) {
    if (kind !== 'comment') continue;
    const comment = text.slice(start, Math.min(end, start + 80));
    for (const { tool, up, down } of possible) {
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
