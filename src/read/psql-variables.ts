import type { Known } from '../model.ts';
import { quoteLiteral } from '../sql/print.ts';
import { tokenize } from '../sql/tokens.ts';
import type { FoundName, Values } from './statements.ts';

/** The variables of one psql session. What a query, a prompt or the shell set is unknown; what is not there was never set here. */
export interface Variables {
  readonly values: Map<string, Known<string>>;
  /** A `\gset` of unknown columns ran: any name can be set. */
  anything: boolean;
}

export const newVariables = (given: Values): Variables => ({ values: new Map(Object.entries(given)), anything: false });

const known = (variables: Variables, name: string): string | undefined => {
  const value = variables.values.get(name);
  return typeof value === 'string' ? value : undefined;
};

/** Whether a variable is set; undefined when that cannot be known. */
function isSet(variables: Variables, name: string): boolean | undefined {
  if (variables.values.has(name)) return true;
  return variables.anything ? undefined : false;
}

/** Quick test for `:name` forms, casts aside: most statements have none. */
function mayHoldVariable(sql: string): boolean {
  for (let at = sql.indexOf(':'); at >= 0; at = sql.indexOf(':', at + 1)) {
    if (sql.charCodeAt(at + 1) === 58) at++;
    else if (/['"{A-Za-z_\u0080-\uffff]/.test(sql.charAt(at + 1))) return true;
  }
  return false;
}

/** The variables of a statement with their values; quotes of `:'x'` and `:"x"` are put on. */
export function variableNames(sql: string, variables: Variables): readonly FoundName[] {
  if (!mayHoldVariable(sql)) return [];
  return tokenize(sql, { psql: true }).filter(({ kind }) => kind === 'variable').map(({ start, end }) => {
    const written = sql.slice(start + 1, end);
    const mark = written.charAt(0);
    if (mark === '{') {
      const set = isSet(variables, written.slice(2, -1));
      return { start, end, name: `:${written}`, value: set === undefined ? undefined : set ? 'TRUE' : 'FALSE' };
    }
    const quoted = mark === '\'' || mark === '"';
    const name = quoted ? written.slice(1, -1) : written;
    const value = known(variables, name);
    const text = value === undefined ? undefined : mark === '\'' ? quoteLiteral(value) : mark === '"' ? `"${value.replaceAll('"', '""')}"`
      : value;
    return { start, end, name: `:${name}`, value: text, wrap: quoted ? mark : '' };
  });
}

/**
 * The arguments of a psql command: blanks separate, single quotes group (with `''` and C escapes), variables are filled, backticks are the
 * shell's.
 */
export function argumentsOf(argument: string, variables: Variables): readonly Known<string>[] {
  const found: Known<string>[] = [];
  const part = /\s+|'((?:[^'\\]|''|\\.)*)'?|`[^`]*`?|"(?:[^"]|"")*"?|:\{\?(\w+)\}|:'(\w+)'|:"(\w+)"|:([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)|[^\s'"`:]+|:/gs;
  let current: Known<string> | undefined;
  const add = (value: Known<string>): void => {
    current = typeof value !== 'string' ? value : current === undefined ? value : typeof current === 'string' ? current + value : current;
  };
  const valueOrUnknown = (name: string): Known<string> => known(variables, name) ?? { unknown: `variable ${name} has no value here` };
  for (const match of argument.matchAll(part)) {
    const [text, quoted, tested, literal, identifier, plain] = match;
    if (/^\s/.test(text)) {
      if (current !== undefined) found.push(current);
      current = undefined;
    } else if (quoted !== undefined) add(unescape(quoted));
    else if (text.startsWith('`')) add({ unknown: 'the shell gives the value' });
    else if (tested !== undefined) {
      const set = isSet(variables, tested);
      add(set === undefined ? { unknown: `whether ${tested} is set` } : set ? 'TRUE' : 'FALSE');
    } else if (literal !== undefined) add(mapKnown(valueOrUnknown(literal), quoteLiteral));
    else if (identifier !== undefined) add(mapKnown(valueOrUnknown(identifier), value => `"${value.replaceAll('"', '""')}"`));
    else if (plain !== undefined) add(valueOrUnknown(plain));
    else add(text);
  }
  if (current !== undefined) found.push(current);
  return found;
}

const mapKnown = (value: Known<string>, change: (text: string) => string): Known<string> =>
  (typeof value === 'string' ? change(value) : value);
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };
const unescape = (text: string): string =>
  text.replace(/''|\\(.)/gs, (_, escaped: string | undefined) => (escaped === undefined ? '\'' : escapes[escaped] ?? escaped));

/**
 * The value of a `\if` condition as psql reads booleans; undefined when it cannot be known. A word psql does not take counts as false
 * there.
 */
export function conditionOf(argument: string, variables: Variables): boolean | undefined {
  const [value = '', ...rest] = argumentsOf(argument, variables);
  if (typeof value !== 'string' || rest.some(one => typeof one !== 'string')) return undefined;
  const word = value.toLowerCase();
  if (word === '') return false;
  return 'true'.startsWith(word) || 'yes'.startsWith(word) || word === 'on' || word === '1';
}
