import type { Origin, Span, Statement } from '../model.ts';
import { decodeLiteral } from './literal.ts';
import { originsOf, sourceSpan } from './span.ts';

/** Text made of parts of sources, with the place of each part: a literal, a slice of a body, a constant expression folded together. */
export interface Text {
  readonly text: string;
  /** In order, over offsets of `text`; what no source holds (a placeholder) has none. */
  readonly origins: readonly Origin[];
}

/** Text that stands in no source. */
export const plainText = (text: string): Text => ({ text, origins: [] });

/** A statement's own text. */
export const statementText = (statement: Statement): Text => ({ text: statement.sql, origins: originsOf(statement) });

/** A run of a text. */
export function sliceText({ text, origins }: Text, start: number, end: number): Text {
  const parts: Origin[] = [];
  for (const origin of origins) {
    const from = Math.max(origin.start, start);
    const to = Math.min(origin.end, end);
    if (from >= to) continue;
    const same = origin.end - origin.start === origin.span.end - origin.span.start;
    const span: Span = same
      ? { path: origin.span.path, start: origin.span.start + from - origin.start, end: origin.span.start + to - origin.start } : origin.span;
    parts.push({ start: from - start, end: to - start, span });
  }
  return { text: text.slice(start, end), origins: parts };
}

export function joinTexts(parts: readonly Text[]): Text {
  let length = 0;
  const origins: Origin[] = [];
  for (const part of parts) {
    for (const origin of part.origins) origins.push({ start: origin.start + length, end: origin.end + length, span: origin.span });
    length += part.text.length;
  }
  return { text: parts.map(part => part.text).join(''), origins };
}

/** The text of the string literal token at `start`–`end` of a text; undefined for what `decodeLiteral` does not read. */
export function literalText(source: Text, start: number, end: number): Text | undefined {
  const literal = decodeLiteral(source.text, start, end);
  if (literal === undefined) return undefined;
  return joinTexts(literal.origins.map(({ start: from, end: to, sourceStart, sourceEnd }) => {
    const run = sliceText(source, sourceStart, sourceEnd);
    const decoded = literal.text.slice(from, to);
    if (decoded.length === run.text.length) return { text: decoded, origins: run.origins };
    const [first, last] = [run.origins[0], run.origins.at(-1)];
    if (first === undefined || last === undefined || first.span.path !== last.span.path) return plainText(decoded);
    return { text: decoded, origins: [{ start: 0, end: decoded.length, span: { path: first.span.path, start: first.span.start, end: last.span.end } }] };
  }));
}

/** The same text with its edges trimmed. */
function trimText(text: Text): Text {
  const start = text.text.length - text.text.trimStart().length;
  return sliceText(text, start, Math.max(start, text.text.trimEnd().length));
}

/** A text as a statement that Postgres would receive; `outer` answers for places that stand in no source. */
export function textStatement(text: Text, outer: Span): Statement {
  const trimmed = trimText(text);
  const base = { sql: trimmed.text, origins: trimmed.origins, ignores: [] };
  const [first, ...rest] = trimmed.origins;
  if (first === undefined) return { ...base, span: outer, origins: [{ start: 0, end: Math.max(1, trimmed.text.length), span: outer }] };
  const inOrder = rest.every(({ span }, at) => span.path === first.span.path && span.start >= (trimmed.origins[at]?.span.end ?? 0));
  // A text put together from several places stands where its longest part does.
  const longest = trimmed.origins.reduce((best, origin) => (origin.end - origin.start > best.end - best.start ? origin : best), first);
  return { ...base, span: inOrder ? sourceSpan({ ...base, span: outer }, 0, trimmed.text.length) : longest.span };
}
