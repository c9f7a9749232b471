/** A range of a text and what stands there instead. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** The name that had no value: the text is a sentinel then. */
  readonly hole?: string;
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
