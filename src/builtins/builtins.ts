import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  parseCast, parseFunction, parseOperator, parseType, type BuiltinCast, type BuiltinFunction, type BuiltinOperator, type BuiltinType,
} from './rows.ts';

export type { BuiltinCast, BuiltinFunction, BuiltinOperator, BuiltinType } from './rows.ts';

/** The majors of PostgreSQL whose built-in catalogs are known, the oldest first. */
export const majors: readonly number[] = [14, 15, 16, 17, 18];

/**
 * The built-in catalog of one major (pg_proc, pg_operator, pg_cast, pg_type of a real server, made by `npm run generate:builtins`). Types
 * are
 * pg_type.typname, arrays with brackets. Functions with an argument or result of a handler's type (`internal`, `trigger` …) are not here:
 * no
 * expression can call them. Answers are shared: do not change them.
 */
export interface Builtins {
  readonly major: number;
  /** Every overload of a name; none when there is no such function. */
  functions(name: string): readonly BuiltinFunction[];
  /** Every overload of an operator's name, prefix ones among them. */
  operators(name: string): readonly BuiltinOperator[];
  /** The row of pg_cast; arrays have none. */
  cast(source: string, target: string): BuiltinCast | undefined;
  castsFrom(source: string): readonly BuiltinCast[];
  /** A type by pg_type.typname; arrays are not types of their own here (ask for the element). */
  type(name: string): BuiltinType | undefined;
  /** A type by what format_type prints, or by its typname. */
  typePrinted(text: string): BuiltinType | undefined;
  types(): readonly BuiltinType[];
  /** All names of a kind, for tests and tables. */
  names(kind: 'functions' | 'operators' | 'casts'): readonly string[];
}

/** The data stands beside the bundle, or in `data` when the sources run as they are. */
function dataFile(): string {
  const beside = fileURLToPath(new URL('./builtins.txt', import.meta.url));
  return existsSync(beside) ? beside : fileURLToPath(new URL('./data/builtins.txt', import.meta.url));
}

/** Pure caches: the file, its sections, and one catalog a major. */
let sections: ReadonlyMap<string, string> | undefined;
const catalogs = new Map<number, Builtins>();

/** Sections begin with `# title`; each keeps its leading line break, so that a name is found by `\nname\t`. */
function readSections(): ReadonlyMap<string, string> {
  if (sections !== undefined) return sections;
  // Latin 1 makes one-byte strings without decoding; the file is ASCII (checked by its test).
  const text = `\n${readFileSync(dataFile(), 'latin1')}`;
  const found = new Map<string, string>();
  const starts = ['functions', 'operators', 'casts', 'types'].map(title => ({ title, at: text.indexOf(`\n# ${title}\n`) }));
  starts.forEach(({ title, at }, index) => found.set(title, text.slice(at + title.length + 3, (starts[index + 1]?.at ?? text.length) + 1)));
  sections = found;
  return found;
}

/** The row without its `@from-until`, or undefined when the major has none. */
function ofMajor(row: string, major: number): string | undefined {
  const at = row.lastIndexOf('@');
  const range = at < 0 ? null : /^(\d*)-(\d*)$/.exec(row.slice(at + 1));
  if (range === null) return row;
  const [, from = '', until = ''] = range;
  return (from === '' || major >= Number(from)) && (until === '' || major <= Number(until)) ? row.slice(0, at) : undefined;
}

const none: readonly never[] = [];

/** Rows under names, parsed when first asked for: a run that needs ten functions pays for ten. */
class Table<T> {
  readonly #text: string;
  readonly #major: number;
  readonly #parse: (name: string, row: string) => T;
  readonly #known = new Map<string, readonly T[]>();
  #asked = 0;
  #index: Map<string, number> | undefined;

  constructor(text: string, major: number, parse: (name: string, row: string) => T) {
    this.#text = text;
    this.#major = major;
    this.#parse = parse;
  }

  get(name: string): readonly T[] {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const at = this.#find(name);
    if (at < 0) return none;
    const rows = this.#rows(this.#text.slice(at + 1, this.#text.indexOf('\n', at + 1)));
    this.#known.set(name, rows);
    return rows;
  }

  /**
   * Where the line of a name begins, its line break included. A few names are looked for in the text; for many, an index is made of it
   * once.
   */
  #find(name: string): number {
    this.#asked += 1;
    if (this.#asked <= 40) return /[\t\n]/.test(name) ? -1 : this.#text.indexOf(`\n${name}\t`);
    if (this.#index === undefined) {
      this.#index = new Map();
      for (let at = 0; at < this.#text.length - 1; at = this.#text.indexOf('\n', at + 1)) {
        this.#index.set(this.#text.slice(at + 1, this.#text.indexOf('\t', at)), at);
      }
    }
    return this.#index.get(name) ?? -1;
  }

  names(): readonly string[] {
    return this.#lines().map(line => line.slice(0, line.indexOf('\t'))).filter(name => this.get(name).length > 0);
  }

  all(): readonly T[] {
    return this.#lines().flatMap(line => this.#rows(line));
  }

  #lines(): readonly string[] {
    return this.#text.split('\n').filter(line => line !== '');
  }

  #rows(line: string): readonly T[] {
    const [name = '', ...rows] = line.split('\t');
    return rows.flatMap(row => {
      const own = ofMajor(row, this.#major);
      return own === undefined ? [] : [this.#parse(name, own)];
    });
  }
}

/** The nearest known major: older ones are taken for the oldest, newer ones for the newest. */
const nearest = (major: number): number => Math.min(Math.max(Math.trunc(major) || majors.at(-1)!, majors[0]!), majors.at(-1)!);

/**
 * The built-in catalog of a major; read from disk on the first call, synchronously. Throws only when the package's own file is missing or
 * broken.
 */
export function builtins(major: number): Builtins {
  const wanted = nearest(major);
  const known = catalogs.get(wanted);
  if (known !== undefined) return known;
  const made = makeBuiltins(wanted);
  catalogs.set(wanted, made);
  return made;
}

function makeBuiltins(major: number): Builtins {
  const texts = readSections();
  const functions = new Table(texts.get('functions') ?? '', major, parseFunction);
  const operators = new Table(texts.get('operators') ?? '', major, parseOperator);
  const casts = new Table(texts.get('casts') ?? '', major, parseCast);
  const types = new Table(texts.get('types') ?? '', major, parseType);
  const printed = new Map([...(texts.get('types') ?? '').matchAll(/^(\S+)\t.*;as ([^\t\n@]+)/gm)].map(([, name = '', text = '']) => [text,
    name]));
  return {
    major,
    types: () => types.all(),
    functions: name => functions.get(name),
    operators: name => operators.get(name),
    cast: (source, target) => casts.get(source).find(row => row.target === target),
    castsFrom: source => casts.get(source),
    type: name => types.get(name)[0],
    typePrinted: text => types.get(printed.get(text) ?? text)[0],
    names: kind => ({ functions, operators, casts })[kind].names(),
  };
}
