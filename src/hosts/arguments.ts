import { parseArgs } from 'node:util';
import { suggestion, UsageError } from './usage.ts';

/** How an option takes its value: not at all, always, or only as `--name=value`. */
type Kind = 'flag' | 'value' | 'optional';

const options = {
  changed: 'optional', since: 'value', pending: 'value', isolated: 'flag', 'all-history': 'flag', down: 'flag',
  postgres: 'value', preset: 'value', rule: 'value', tool: 'value',
  format: 'value', output: 'value', color: 'optional', 'no-color': 'flag', quiet: 'flag', stats: 'flag', debug: 'flag',
  'fail-on': 'value', gaps: 'value', baseline: 'value', 'update-baseline': 'flag', 'allow-empty': 'flag',
  fix: 'flag', 'fix-dry-run': 'flag', 'fix-shipped': 'flag',
  'stdin-filename': 'value', config: 'value', code: 'value', 'no-config': 'flag',
  live: 'optional', 'live-budget': 'value', 'live-explain': 'flag', db: 'value', catalog: 'value', rows: 'value', 'i-know-this-database-is-disposable': 'flag',
} as const satisfies Record<string, Kind>;
type OptionName = keyof typeof options;

/** Options of other commands. */
const notOfCheck: ReadonlySet<OptionName> = new Set(['db', 'rows', 'i-know-this-database-is-disposable']);
const ofCheck = (Object.keys(options) as OptionName[]).filter(name => !notOfCheck.has(name));

/** One word of the command line, in order; options carry their value, and whether it was written with `=`. */
export interface Word {
  readonly option?: OptionName;
  readonly value: string | undefined;
}

export interface Arguments {
  readonly words: readonly Word[];
  has(name: OptionName): boolean;
  /** The last value given; undefined when the option is absent or has none. */
  last(name: OptionName): string | undefined;
  all(name: OptionName): readonly string[];
  /** The last value, which must be one of some. */
  choice<T extends string>(name: OptionName, choices: readonly T[]): T | undefined;
}

/**
 * Reads a command line. Throws `UsageError` for an option that does not exist (naming the near one), one of a command that does not take it, one that
 * this version does not have, and values that are missing or too many.
 */
export function readArguments(argv: readonly string[], allowed: readonly OptionName[] = ofCheck): Arguments {
  const { tokens } = parseArgs({
    args: [...argv], strict: false, tokens: true, allowPositionals: true,
    options: {
      ...Object.fromEntries(Object.entries(options).map(([name, kind]) => [name, { type: kind === 'value' ? 'string' as const : 'boolean' as const, multiple: true }])),
      quiet: { type: 'boolean', short: 'q' }, format: { type: 'string', short: 'f', multiple: true }, output: { type: 'string', short: 'o', multiple: true },
    },
  });
  const words = tokens.flatMap((token): Word[] => {
    if (token.kind === 'positional') {
      // Nothing of it is repeated: it may hold a password.
      if (/^postgres(?:ql)?:/i.test(token.value)) throw new UsageError('a database URL is no path; write --live=<url> or --db=<url>, or better --live=env');
      return [{ value: token.value }];
    }
    if (token.kind === 'option-terminator') return [];
    const { name, rawName } = token;
    if (!Object.hasOwn(options, name) || !allowed.includes(name as OptionName)) {
      const near = suggestion(name, allowed).replace("'", "'--");
      throw new UsageError(`there is no option ${rawName}${near || (Object.hasOwn(options, name) ? ' for this command' : '; see mvlint --help')}`);
    }
    const kind: Kind = options[name as OptionName];
    const value = token.value ?? undefined;
    if (kind === 'value' && (value === undefined || value === '' || (!token.inlineValue && value.startsWith('-') && value !== '-')))
      throw new UsageError(`${rawName} needs a value`);
    if (kind === 'flag' && value !== undefined && /:\/\//.test(value)) throw new UsageError(`${rawName} takes no value`);
    if (kind === 'flag' && value !== undefined) throw new UsageError(`${rawName} takes no value, but has '${value}'`);
    return [{ option: name as OptionName, value }];
  });
  const all = (name: OptionName): readonly string[] => words.flatMap(word => (word.option === name && word.value !== undefined ? [word.value] : []));
  return {
    words, all,
    has: name => words.some(word => word.option === name),
    last: name => all(name).at(-1),
    choice(name, choices) {
      const value = all(name).at(-1);
      const chosen = choices.find(choice => choice === value);
      if (value !== undefined && chosen === undefined)
        throw new UsageError(`--${name} is ${oneOf(choices)}, not '${value}'${suggestion(value, choices)}`);
      return chosen;
    },
  };
}

/** `a, b or c`. */
export function oneOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
