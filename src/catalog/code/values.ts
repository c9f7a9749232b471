import type { ObjectId } from '../../model.ts';
import { plainText, type Text } from '../../sql/text.ts';

/**
 * What an expression of a routine body is worth, as far as the text alone tells. A text may hold holes: identifiers that stand for what is
 * only known at run time. `object` is an oid or regclass of something in the catalog.
 */
export type Value =
  | { readonly is: 'text'; readonly text: Text }
  /** With `upTo` it is a number somewhere above `value` and up to there: a version whose minor is not known. */
  | { readonly is: 'number'; readonly value: number; readonly upTo?: number }
  | { readonly is: 'boolean'; readonly value: boolean }
  | { readonly is: 'object'; readonly id: ObjectId }
  | { readonly is: 'list'; readonly items: readonly Value[] }
  | { readonly is: 'row'; readonly fields: ReadonlyMap<string, Value> }
  | { readonly is: 'null' }
  | { readonly is: 'unknown' };

export const unknownValue: Value = { is: 'unknown' };
export const nullValue: Value = { is: 'null' };
export const textValue = (text: string): Value => ({ is: 'text', text: plainText(text) });
export const booleanValue = (value: boolean | undefined): Value => (value === undefined ? unknownValue : { is: 'boolean', value });

/** An identifier that no catalog knows: it stands for a part of a text that is made from data. */
export const hole = 'mvlint_hole_data';
export const hasHole = (text: string): boolean => text.includes('mvlint_hole_');

/** The value's text as `||` and format() print it; undefined where that is not known. NULL has none. */
export function printed(value: Value): Text | undefined {
  if (value.is === 'text') return value.text;
  if (value.is === 'number') return value.upTo === undefined ? plainText(String(value.value)) : undefined;
  return undefined;
}

/** Truth in SQL's three values, and a fourth: not known to mvlint. */
export type Truth = boolean | 'null' | 'unknown';

export function truthOf(value: Value): Truth {
  if (value.is === 'boolean') return value.value;
  if (value.is === 'null') return 'null';
  if (value.is === 'text') return /^(?:t|true|on|yes|y|1)$/i.test(value.text.text) ? true : /^(?:f|false|off|no|n|0)$/i.test(value.text.text) ? false : 'unknown';
  return 'unknown';
}

export function ofTruth(truth: Truth): Value {
  return truth === 'unknown' ? unknownValue : truth === 'null' ? nullValue : { is: 'boolean', value: truth };
}

export function not(truth: Truth): Truth {
  return typeof truth === 'boolean' ? !truth : truth;
}
export function and(list: readonly Truth[]): Truth {
  if (list.includes(false)) return false;
  return list.includes('unknown') ? 'unknown' : list.includes('null') ? 'null' : true;
}
export function or(list: readonly Truth[]): Truth {
  if (list.includes(true)) return true;
  return list.includes('unknown') ? 'unknown' : list.includes('null') ? 'null' : false;
}

/** `a = b`. */
export function equal(a: Value, b: Value): Truth {
  if (a.is === 'null' || b.is === 'null') return 'null';
  if (a.is === 'text' && b.is === 'text') return hasHole(a.text.text) || hasHole(b.text.text) ? 'unknown' : a.text.text === b.text.text;
  if (a.is === 'number' && b.is === 'number') {
    const order = compare(a, b);
    return order === undefined ? 'unknown' : order === 0;
  }
  if (a.is === 'boolean' && b.is === 'boolean') return a.value === b.value;
  if (a.is === 'object' && b.is === 'object') return a.id === b.id;
  if (a.is === 'boolean' && b.is === 'text') return equal(a, ofTruth(truthOf(b)));
  if (b.is === 'boolean' && a.is === 'text') return equal(b, a);
  return 'unknown';
}

/** Orders two values of one kind; undefined where it is not known. Texts are left out: their order is the collation's. */
export function compare(a: Value, b: Value): number | undefined {
  if (a.is !== 'number' || b.is !== 'number') return undefined;
  if (a.upTo === undefined && b.upTo === undefined) return a.value - b.value;
  if (a.upTo !== undefined && b.upTo === undefined) return b.value <= a.value ? 1 : b.value > a.upTo ? -1 : undefined;
  if (b.upTo !== undefined && a.upTo === undefined) return a.value <= b.value ? -1 : a.value > b.upTo ? 1 : undefined;
  return undefined;
}
