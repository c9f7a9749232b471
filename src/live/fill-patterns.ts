/**
 * Texts that match a pattern: what CHECK constraints ask of codes, addresses and numbers. A regular expression is read as far as people use them in checks
 * (literals, classes, groups, alternatives, quantifiers, anchors); undefined where it holds more. Every text is offered to Postgres before it is used.
 */

type Node =
  | { readonly kind: 'letters'; readonly letters: readonly string[] }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'choice'; readonly options: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly least: number; readonly most: number };

const range = (from: string, to: string): readonly string[] => {
  const [first, last] = [from.charCodeAt(0), to.charCodeAt(0)];
  return first > last || last - first > 200 ? [from] : Array.from({ length: last - first + 1 }, (_, at) => String.fromCharCode(first + at));
};
const lower = range('a', 'z');
const digits = range('0', '9');
const classes: Readonly<Record<string, readonly string[]>> = {
  d: digits, w: [...lower, ...digits, '_'], s: [' '], D: lower, W: ['-', ' '], S: lower,
  alpha: lower, digit: digits, alnum: [...lower, ...digits], upper: range('A', 'Z'), lower, space: [' '], xdigit: [...digits, ...range('a', 'f')], punct: ['-', '.'],
};
/** Letters that a negated class may take. */
const usual = [...lower, ...digits, ...range('A', 'Z'), '-', '_'];
/** What a repetition without an upper end gets. */
const plenty = 4;

class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The whole pattern; throws a plain marker where it is not understood. */
  whole(): Node {
    const node = this.choice(0);
    if (this.at < this.text.length) throw notUnderstood;
    return node;
  }

  private peek(): string {
    return this.text.charAt(this.at);
  }

  private choice(depth: number): Node {
    if (depth > 20) throw notUnderstood;
    const options = [this.sequence(depth)];
    while (this.peek() === '|') {
      this.at += 1;
      options.push(this.sequence(depth));
    }
    return options.length === 1 && options[0] ? options[0] : { kind: 'choice', options };
  }

  private sequence(depth: number): Node {
    const parts: Node[] = [];
    while (this.at < this.text.length && this.peek() !== '|' && this.peek() !== ')') {
      const c = this.peek();
      if (c === '^' || c === '$') this.at += 1;
      else parts.push(this.repeated(this.one(depth)));
    }
    return { kind: 'sequence', parts };
  }

  private repeated(node: Node): Node {
    const bounds = /^\{(\d{1,3})(,(\d{1,3})?)?\}/.exec(this.text.slice(this.at));
    const c = this.peek();
    const fewest = Number(bounds?.[1] ?? 0);
    const [least, most, length] = bounds ? [fewest, bounds[2] === undefined ? fewest : Number(bounds[3] ?? fewest + plenty), bounds[0].length]
      : c === '*' ? [0, plenty, 1] : c === '+' ? [1, plenty, 1] : c === '?' ? [0, 1, 1] : [1, 1, 0];
    if (length === 0) return node;
    this.at += length;
    if (this.peek() === '?') this.at += 1;
    return { kind: 'repeat', node, least, most: Math.max(least, most) };
  }

  private one(depth: number): Node {
    const c = this.peek();
    this.at += 1;
    if (c === '(') {
      if (this.text.startsWith('?:', this.at)) this.at += 2;
      else if (this.peek() === '?') throw notUnderstood;
      const node = this.choice(depth + 1);
      if (this.peek() !== ')') throw notUnderstood;
      this.at += 1;
      return node;
    }
    if (c === '[') return { kind: 'letters', letters: this.bracket() };
    if (c === '.') return { kind: 'letters', letters: lower };
    if (c === '\\') return { kind: 'letters', letters: this.escaped() };
    return { kind: 'letters', letters: [c] };
  }

  private escaped(): readonly string[] {
    const c = this.peek();
    this.at += 1;
    if (/[A-Za-z0-9]/.test(c) && classes[c] === undefined) throw notUnderstood;
    return classes[c] ?? [c];
  }

  private bracket(): readonly string[] {
    const negated = this.peek() === '^';
    if (negated) this.at += 1;
    const letters: string[] = [];
    for (let first = true; this.at < this.text.length && (first || this.peek() !== ']'); first = false) {
      const named = /^\[:(\w+):\]/.exec(this.text.slice(this.at, this.at + 20));
      if (named) {
        letters.push(...classes[named[1] ?? ''] ?? []);
        this.at += named[0].length;
        continue;
      }
      const from = this.peek();
      this.at += 1;
      if (from === '\\') letters.push(...this.escaped());
      else if (this.peek() === '-' && this.at + 1 < this.text.length && this.text.charAt(this.at + 1) !== ']') {
        letters.push(...range(from, this.text.charAt(this.at + 1)));
        this.at += 2;
      } else letters.push(from);
    }
    this.at += 1;
    const found = negated ? usual.filter(letter => !letters.includes(letter)) : letters;
    if (found.length === 0) throw notUnderstood;
    return found;
  }
}
const notUnderstood = new Error('not understood');

/** Takes a choice among `size` from a counter; nested repetitions end with `steps`. */
interface Counter { left: number; steps: number }
const choose = (counter: Counter, size: number): number => {
  const chosen = counter.left % size;
  counter.left = Math.floor(counter.left / size);
  return chosen;
};

function write(node: Node, counter: Counter): string {
  if (counter.steps-- < 0) throw notUnderstood;
  switch (node.kind) {
    case 'letters': return node.letters[choose(counter, node.letters.length)] ?? '';
    case 'sequence': return node.parts.map(part => write(part, counter)).join('');
    case 'choice': return write(node.options[choose(counter, node.options.length)] as Node, counter);
    case 'repeat': {
      // Long enough for the counter to tell rows apart, short enough for a column's length.
      const times = Math.min(node.most, Math.max(node.least, 1) + 1);
      return Array.from({ length: Math.max(node.least, times) }, () => write(node.node, counter)).join('').slice(0, 400);
    }
  }
}

/** `count` texts that match a regular expression of Postgres, different as far as it leaves room; undefined when it is not understood. */
export function textsMatching(pattern: string, count: number): readonly string[] | undefined {
  if (pattern.length > 500) return undefined;
  try {
    const node = new Reader(pattern.replace(/^\*\*\*[:=]|^\(\?i\)/, '')).whole();
    return Array.from({ length: count }, (_, at) => write(node, { left: at, steps: 3_000 }));
  } catch (error) {
    if (error === notUnderstood) return undefined;
    throw error;
  }
}

/** The same for a pattern of LIKE. */
export function textsLike(pattern: string, count: number): readonly string[] | undefined {
  const escaped = pattern.replaceAll(/[\\^$.*+?()[\]{}|]/g, match => `\\${match}`);
  return textsMatching(escaped.replaceAll('%', '[a-z0-9]{2}').replaceAll('_', '[a-z]'), count);
}
