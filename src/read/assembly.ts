import type { Origin, Span } from '../model.ts';
import type { Replacement } from './fill.ts';

/** A run of an assembled text and the place it was read from; a run of the same length maps unit by unit, any other maps whole. */
interface TextRun {
  readonly start: number;
  readonly end: number;
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

/** A name without a value; a sentinel stands for it in the text. */
export interface Hole {
  readonly start: number;
  readonly span: Span;
  readonly name: string;
}

/**
 * A text put together from one source or several (templates, includes, filled placeholders); the runs cover it without a break, in
 * order.
 */
export interface Assembled {
  readonly text: string;
  readonly runs: readonly TextRun[];
  readonly holes: readonly Hole[];
}

/** A text as it stands in its file. */
export const whole = (path: string, text: string): Assembled =>
  ({ text, runs: text === '' ? [] : [{ start: 0, end: text.length, path, from: 0, to: text.length }], holes: [] });

/** Collects an assembled text piece by piece. */
export class Assembler {
  private readonly parts: string[] = [];
  private readonly runs: TextRun[] = [];
  private readonly holes: Hole[] = [];
  private length = 0;

  /** How long the text is so far. */
  get size(): number {
    return this.length;
  }

  /** Text that stands in a file from `from` on. */
  source(path: string, text: string, from: number): void {
    this.push(text, path, from, from + text.length);
  }

  /** Text that takes the place of a span; with the name of what has no value, when the text only stands for it. */
  value(text: string, span: Span, hole?: string): void {
    if (hole !== undefined) this.holes.push({ start: this.length, span, name: hole });
    this.push(text, span.path, span.start, span.end);
  }

  /** A range of another assembled text. */
  range(of: Assembled, start = 0, end = of.text.length): void {
    for (let i = firstAtOrAfter(of.holes, start); (of.holes[i]?.start ?? Infinity) < end; i++) {
      const hole = of.holes[i];
      if (hole !== undefined) this.holes.push({ ...hole, start: this.length + hole.start - start });
    }
    for (const origin of originsIn(of, start, end)) {
      this.push(of.text.slice(start + origin.start, start + origin.end), origin.span.path, origin.span.start, origin.span.end);
    }
  }

  private push(text: string, path: string, from: number, to: number): void {
    if (text === '') return;
    this.parts.push(text);
    this.runs.push({ start: this.length, end: this.length + text.length, path, from, to });
    this.length += text.length;
  }

  done(): Assembled {
    return { text: this.parts.join(''), runs: this.runs, holes: this.holes };
  }
}

/** A range of a text with replacements; their offsets are those of the whole text. */
export function replaced(of: Assembled, list: readonly Replacement[], start = 0, end = of.text.length): Assembled {
  if (list.length === 0 && start === 0 && end === of.text.length) return of;
  const out = new Assembler();
  let at = start;
  for (const one of list) {
    out.range(of, at, one.start);
    out.value(one.text, spanOf(of, one.start, one.end), one.hole);
    at = one.end;
  }
  out.range(of, at, end);
  return out.done();
}

/** The place of an offset of the text; inside a value, the start or the end of what it stands for. */
export function placeOf({ runs }: Assembled, at: number, isEnd: boolean): { readonly path: string; readonly at: number } {
  const run = runs[runAt(runs, isEnd ? at - 1 : at)];
  if (run === undefined) return { path: '', at };
  if (run.end - run.start !== run.to - run.from) return { path: run.path, at: isEnd ? run.to : run.from };
  return { path: run.path, at: Math.max(run.from, Math.min(run.to, run.from + (at - run.start))) };
}

/** The span of a range; of a range that goes over several files, the part in the file it begins in. */
export function spanOf(of: Assembled, start: number, end: number): Span {
  const first = placeOf(of, start, false);
  const last = placeOf(of, end, true);
  if (first.path === last.path && last.at >= first.at) return { path: first.path, start: first.at, end: last.at };
  let stop = first.at;
  for (let i = runAt(of.runs, start); i < of.runs.length; i++) {
    const run = of.runs[i];
    if (run === undefined || run.start >= end || run.path !== first.path || run.from < stop) break;
    stop = placeOf(of, Math.min(run.end, end), true).at;
  }
  return { path: first.path, start: first.at, end: stop };
}

function firstAtOrAfter(list: readonly { readonly start: number }[], at: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.start ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last run that begins at or before an offset. */
function runAt(runs: readonly TextRun[], at: number): number {
  let low = 0;
  let high = runs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((runs[middle]?.start ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The origins of a range, counted from its start. */
export function originsIn({ runs }: Assembled, start: number, end: number): readonly Origin[] {
  const origins: Origin[] = [];
  for (let i = runAt(runs, start); i < runs.length; i++) {
    const run = runs[i];
    if (run === undefined || run.start >= end) break;
    const from = Math.max(run.start, start);
    const to = Math.min(run.end, end);
    if (from >= to) continue;
    const same = run.end - run.start === run.to - run.from;
    const span: Span = same ? { path: run.path, start: run.from + (from - run.start), end: run.from + (to - run.start) }
      : { path: run.path, start: run.from, end: run.to };
    origins.push({ start: from - start, end: to - start, span });
  }
  return origins;
}
