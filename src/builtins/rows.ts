import type { Volatility } from '../model.ts';

/**
 * The rows of the built-in catalogs, and how each is written in `data/builtins.txt`. Types are pg_type.typname (`int4`, `timestamptz`),
 * arrays with
 * brackets (`int4[]`). One line holds one name and, after tabs, its overloads; what is usual is left out, so that most overloads are a
 * dozen letters.
 */
export interface BuiltinFunction {
  readonly name: string;
  /** Input arguments (IN, INOUT, VARIADIC). */
  readonly arguments: readonly string[];
  readonly result: string;
  readonly returnsSet: boolean;
  readonly kind: 'function' | 'aggregate' | 'window' | 'procedure';
  readonly volatility: Volatility;
  readonly strict: boolean;
  readonly parallel: 'safe' | 'restricted' | 'unsafe';
  /** How many of the last arguments have a default. */
  readonly defaults: number;
  /** pg_proc.provariadic: the element of a VARIADIC array, `any` for VARIADIC "any". */
  readonly variadic?: string;
  /** Names of the input arguments, where there are any. */
  readonly names?: readonly string[];
  /** The columns of a row result. */
  readonly columns?: readonly { readonly name: string; readonly type: string }[];
  /** Aggregates only: normal, ordered-set or hypothetical-set, and how many arguments stand before WITHIN GROUP. */
  readonly aggregate?: { readonly kind: 'normal' | 'ordered' | 'hypothetical'; readonly direct: number };
}

export interface BuiltinOperator {
  readonly name: string;
  /** Absent for a prefix operator. */
  readonly left?: string;
  readonly right: string;
  readonly result: string;
  /** The implementing function: its name and arguments. */
  readonly function: string;
  readonly functionArguments: readonly string[];
}

export interface BuiltinCast {
  readonly source: string;
  readonly target: string;
  readonly context: 'explicit' | 'assignment' | 'implicit';
  readonly method: 'function' | 'binary' | 'inout';
  readonly function?: string;
  readonly functionArguments?: readonly string[];
}

export interface BuiltinType {
  readonly name: string;
  /**
   * As format_type prints it with the modifier -1: `bpchar` and `"bit"`, where the words `character` and `bit` would mean a length of 1.
   */
  readonly printed: string;
  /** pg_type.typtype. */
  readonly kind: 'base' | 'composite' | 'domain' | 'enum' | 'pseudo' | 'range' | 'multirange';
  /** pg_type.typcategory. */
  readonly category: string;
  readonly preferred: boolean;
  /** Volatility of the input and output function: a text that becomes this type, and back. */
  readonly input: Volatility;
  readonly output: Volatility;
  /** There is an array type of it. */
  readonly hasArray: boolean;
  /** pg_type.typelem, where the type can be subscripted itself; `true` arrays (int2vector, oidvector) coerce as arrays do. */
  readonly element?: { readonly type: string; readonly array: boolean };
  /** A default btree or hash operator class takes exactly this type. */
  readonly btree: boolean;
  readonly hash: boolean;
  readonly collatable: boolean;
  readonly modifiers: boolean;
  readonly base?: string;
  /** pg_range, of the range and of the multirange. */
  readonly range?: { readonly subtype: string; readonly range: string; readonly multirange: string };
}

const volatilities: Readonly<Record<string, Volatility>> = { i: 'immutable', s: 'stable', v: 'volatile' };
const kinds: Readonly<Record<string, BuiltinFunction['kind']>> = { f: 'function', a: 'aggregate', w: 'window', p: 'procedure' };
const parallels: Readonly<Record<string, BuiltinFunction['parallel']>> = { s: 'safe', r: 'restricted', u: 'unsafe' };
const aggregates: Readonly<Record<string, 'normal' | 'ordered' | 'hypothetical'>> = { n: 'normal', o: 'ordered', h: 'hypothetical' };
const contexts: Readonly<Record<string, BuiltinCast['context']>> = { e: 'explicit', a: 'assignment', i: 'implicit' };
const methods: Readonly<Record<string, BuiltinCast['method']>> = { f: 'function', b: 'binary', i: 'inout' };
const typeKinds: Readonly<Record<string, BuiltinType['kind']>> = {
  b: 'base', c: 'composite', d: 'domain', e: 'enum', p: 'pseudo', r: 'range', m: 'multirange',
};

const list = (text: string): readonly string[] => (text === '' ? [] : text.split(','));
const letter = (words: Readonly<Record<string, string>>, word: string): string =>
  Object.keys(words).find(key => words[key] === word) ?? '?';

/** What most functions are: immutable, strict, parallel safe, plain. */
const usual = 'ixsf';

/** `args>[*]result[:flags][=defaults][~variadic][(names)][{columns}][^aggregate]` */
export function printFunction(row: BuiltinFunction): string {
  const flags = `${letter(volatilities, row.volatility)}${row.strict ? 'x' : '-'}${letter(parallels, row.parallel)}${letter(kinds, row.kind)}`;
  return [
    `${row.arguments.join()}>${row.returnsSet ? '*' : ''}${row.result}`,
    flags === usual ? '' : `:${flags}`,
    row.defaults === 0 ? '' : `=${row.defaults}`,
    row.variadic === undefined ? '' : `~${row.variadic}`,
    row.names === undefined ? '' : `(${row.names.join()})`,
    row.columns === undefined ? '' : `{${row.columns.map(column => `${column.name} ${column.type}`).join()}}`,
    row.aggregate === undefined ? '' : `^${letter(aggregates, row.aggregate.kind)}${row.aggregate.direct}`,
  ].join('');
}

const functionPattern = /^([^>]*)>(\*?)([\w[\]]+)(?::(....))?(?:=(\d+))?(?:~([\w[\]]+))?(?:\(([^)]*)\))?(?:\{([^}]*)\})?(?:\^(.)(\d+))?$/;

/** The reverse of `printFunction`; throws on text that is no row, which is a broken data file. */
export function parseFunction(name: string, text: string): BuiltinFunction {
  const [whole, args = '', set, result = '', flags = usual, defaults, variadic, names, columns, kind, direct] = functionPattern.exec(text)
    ?? [];
  if (whole === undefined) throw new Error(`no function row: ${name} ${text}`);
  return {
    name, arguments: list(args), result, returnsSet: set === '*', kind: kinds[flags[3]!]!, volatility: volatilities[flags[0]!]!,
    strict: flags[1] === 'x', parallel: parallels[flags[2]!]!, defaults: Number(defaults ?? 0),
    ...(variadic === undefined ? {} : { variadic }),
    ...(names === undefined ? {} : { names: names.split(',') }),
    ...(columns === undefined ? {} : { columns: list(columns).map(column => {
      const [label = '', type = ''] = column.split(' ');
      return { name: label, type };
    }) }),
    ...(kind === undefined ? {} : { aggregate: { kind: aggregates[kind]!, direct: Number(direct) } }),
  };
}

/** `[left],right>result:function[(args)]`; the function's arguments where they are not the operands. */
export function printOperator(row: BuiltinOperator): string {
  const operands = [...(row.left === undefined ? [] : [row.left]), row.right];
  const args = operands.join() === row.functionArguments.join() ? '' : `(${row.functionArguments.join()})`;
  return `${row.left ?? ''},${row.right}>${row.result}:${row.function}${args}`;
}

export function parseOperator(name: string, text: string): BuiltinOperator {
  const [whole, left = '', right = '', result = '', implementation = '', args] = /^([^,]*),([^>]*)>([^:]*):(\w+)(?:\((.*)\))?$/.exec(text)
    ?? [];
  if (whole === undefined) throw new Error(`no operator row: ${name} ${text}`);
  return {
    name, right, result, function: implementation, functionArguments: args === undefined ? [...(left === '' ? [] : [left]), right]
      : list(args),
    ...(left === '' ? {} : { left }),
  };
}

/** `target:context method[function(args)]` under the name of the source. */
export function printCast(row: BuiltinCast): string {
  const implementation = row.function === undefined ? '' : `${row.function}(${(row.functionArguments ?? []).join()})`;
  return `${row.target}:${letter(contexts, row.context)}${letter(methods, row.method)}${implementation}`;
}

export function parseCast(source: string, text: string): BuiltinCast {
  const [whole, target = '', context = '', method = '', implementation, args] = /^([^:]*):(.)(.)(?:(\w+)\((.*)\))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`no cast row: ${source} ${text}`);
  return {
    source, target, context: contexts[context]!, method: methods[method]!,
    ...(implementation === undefined ? {} : { function: implementation, functionArguments: list(args ?? '') }),
  };
}

/** `kind category in out [flags][[element]][=base][<subtype range multirange>][printed]` */
export function printType(row: BuiltinType): string {
  const flags = [row.preferred ? 'p' : '', row.hasArray ? 'a' : '', row.btree ? 'b' : '', row.hash ? 'h' : '', row.collatable ? 'c' : '',
    row.modifiers ? 'm' : ''].join('');
  return [
    letter(typeKinds, row.kind), row.category, letter(volatilities, row.input), letter(volatilities, row.output), `:${flags}`,
    row.element === undefined ? '' : `;elem ${row.element.type} ${row.element.array ? 'array' : 'raw'}`,
    row.base === undefined ? '' : `;base ${row.base}`,
    row.range === undefined ? '' : `;range ${row.range.subtype} ${row.range.range} ${row.range.multirange}`,
    row.printed === row.name ? '' : `;as ${row.printed}`,
  ].join('');
}

export function parseType(name: string, text: string): BuiltinType {
  const [head = '', ...parts] = text.split(';');
  const flags = head.slice(5);
  const part = (word: string): readonly string[] | undefined => parts.find(item => item.startsWith(`${word} `))?.slice(word.length + 1).split(' ');
  const [element, range, printed, base] = [part('elem'), part('range'), part('as'), part('base')];
  return {
    name, printed: printed?.join(' ') ?? name, kind: typeKinds[head[0]!]!, category: head[1]!, preferred: flags.includes('p'),
    input: volatilities[head[2]!]!, output: volatilities[head[3]!]!, hasArray: flags.includes('a'), btree: flags.includes('b'),
    hash: flags.includes('h'), collatable: flags.includes('c'), modifiers: flags.includes('m'),
    ...(element === undefined ? {} : { element: { type: element[0]!, array: element[1] === 'array' } }),
    ...(base === undefined ? {} : { base: base[0]! }),
    ...(range === undefined ? {} : { range: { subtype: range[0]!, range: range[1]!, multirange: range[2]! } }),
  };
}
