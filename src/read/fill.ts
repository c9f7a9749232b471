import type { Origin, Span } from '../model.ts';

/** A range of a text and what stands there instead. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** The name that had no value: the text is a sentinel then. */
  readonly hole?: string;
}

/** A text after replacements; `runs` says where its parts came from, in order and without holes between them. */
export interface Filled {
  readonly text: string;
  readonly runs: readonly { readonly start: number; readonly end: number; readonly from: number; readonly to: number }[];
}

/** Identifiers that stand for what mvlint does not know begin with this: a catalog answers `unknown` for them. */
export const holePrefix = 'mvlint_hole_';
const isIdentifierUnit = (text: string, at: number): boolean => /[A-Za-z0-9_\u0080-\uffff]/.test(text.charAt(at));
const sentinel = (name: string): string => holePrefix + name.toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '').slice(0, 40);

/**
 * Turns found names into replacements, in order of place. A name without value becomes a sentinel identifier; identifier characters that
 * touch it in front (`orders_${env}`) are taken in, so that the whole identifier is recognisably unknown.
 */
export function replacements(text: string,
  found: Iterable<{ readonly start: number; readonly end: number; readonly name: string; readonly value: string | undefined; readonly wrap?: string }>): readonly Replacement[] {
  const list: Replacement[] = [];
  for (const { start, end, name, value, wrap = '' } of found) {
    if (value !== undefined) {
      list.push({ start, end, text: value });
      continue;
    }
    let begin = start;
    let front = '';
    const previous = list.at(-1);
    if (wrap === '') {
      const floor = previous?.end ?? 0;
      while (begin > floor && isIdentifierUnit(text, begin - 1)) begin--;
      front = text.slice(begin, start);
      if (previous !== undefined && begin === previous.end && isIdentifierUnit(previous.text, previous.text.length - 1)) {
        list.pop();
        begin = previous.start;
        front = previous.text.replace(holePrefix, '') + front;
      }
    }
    list.push({ start: begin, end, text: wrap + sentinel(front === '' ? name : `${front}_${name}`) + wrap, hole: name });
  }
  return list;
}

/** Applies replacements to a range of a text; the runs speak in offsets of the whole text. */
export function fill(text: string, start: number, end: number, list: readonly Replacement[]): Filled {
  if (list.length === 0) return { text: text.slice(start, end), runs: [{ start: 0, end: end - start, from: start, to: end }] };
  const runs: { start: number; end: number; from: number; to: number }[] = [];
  let out = '';
  const add = (part: string, from: number, to: number): void => {
    if (part !== '') runs.push({ start: out.length, end: out.length + part.length, from, to });
    out += part;
  };
  let at = start;
  for (const replacement of list) {
    add(text.slice(at, replacement.start), at, replacement.start);
    add(replacement.text, replacement.start, replacement.end);
    at = replacement.end;
  }
  add(text.slice(at, end), at, end);
  return { text: out, runs };
}

/** The place in the original of offset `at` of a filled text; inside a value, its placeholder as a whole. */
export function originalOffset(filled: Filled, at: number, isEnd: boolean): number {
  const run = filled.runs[runAt(filled, isEnd ? at - 1 : at)];
  if (run === undefined) return at;
  if (run.end - run.start !== run.to - run.from) return isEnd ? run.to : run.from;
  return Math.min(run.to, run.from + (at - run.start));
}

/** The last run that begins at or before an offset. */
function runAt({ runs }: Filled, at: number): number {
  let low = 0;
  let high = runs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((runs[middle]?.start ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The origins of a range of a filled text, counted from the start of the range. */
export function originsOf(filled: Filled, path: string, start: number, end: number): readonly Origin[] {
  const origins: Origin[] = [];
  for (let i = runAt(filled, start); i < filled.runs.length; i++) {
    const run = filled.runs[i];
    if (run === undefined || run.start >= end) break;
    const from = Math.max(run.start, start);
    const to = Math.min(run.end, end);
    if (from >= to) continue;
    const same = run.end - run.start === run.to - run.from;
    const span: Span = { path, start: same ? run.from + (from - run.start) : run.from, end: same ? run.from + (to - run.start) : run.to };
    origins.push({ start: from - start, end: to - start, span });
  }
  return origins;
}

/** Every `${name}`, with other marks when a tool is configured so; in order, in linear time. */
export function* placeholdersIn(
  text: string, prefix = '${', suffix = '}',
): Generator<{ readonly start: number; readonly end: number; readonly name: string }> {
  let close = -1;
  for (let at = text.indexOf(prefix); at >= 0; at = text.indexOf(prefix, at)) {
    const begin = at + prefix.length;
    if (close < begin) close = text.indexOf(suffix, begin);
    if (close < 0) return;
    const name = close - begin > 128 ? '' : text.slice(begin, close);
    if (/^[^\s{}'"]+$/.test(name)) {
      yield { start: at, end: close + suffix.length, name };
      at = close + suffix.length;
    } else at = begin;
  }
}
