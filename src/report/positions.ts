import type { Span } from '../model.ts';

/** 1-based line and column, and the offset; all in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

export interface Positions {
  readonly start: (span: Span) => Position;
  readonly end: (span: Span) => Position;
  /** The text of a 1-based line without its line end; undefined when there is no such line. */
  readonly line: (path: string, line: number) => string | undefined;
  /** The 1-based column of a position, counted in UTF-8 bytes. */
  readonly byteColumn: (path: string, position: Position) => number;
}

/** Offsets at which the lines of a text start. Lines end at LF, CRLF or a lone CR, as editors and the language server protocol count. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return starts;
}

/**
 * The only place that counts lines and columns. Each text is scanned once, on first asking. A source that cannot be read any more answers with
 * line 1 and a column that follows the offset, so that a report never fails for it.
 */
export function positions(text: (path: string) => string | undefined): Positions {
  const tables = new Map<string, { readonly text: string; readonly starts: readonly number[] }>();
  const table = (path: string) => {
    let known = tables.get(path);
    if (known === undefined) {
      const source = text(path) ?? '';
      known = { text: source, starts: lineStarts(source) };
      tables.set(path, known);
    }
    return known;
  };
  const at = (path: string, offset: number): Position => {
    const { starts } = table(path);
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? Infinity) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1, offset };
  };
  const line = (path: string, number: number): string | undefined => {
    const { text: source, starts } = table(path);
    const start = starts[number - 1];
    return start === undefined ? undefined : source.slice(start, starts[number] ?? source.length).replace(/[\r\n]+$/, '');
  };
  return {
    start: span => at(span.path, span.start),
    end: span => at(span.path, Math.max(span.start, span.end)),
    line,
    byteColumn: (path, position) => Buffer.byteLength((line(path, position.line) ?? '').slice(0, position.column - 1)) + 1,
  };
}
