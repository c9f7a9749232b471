import type { Taint } from '../model.ts';
import type { Node } from '../sql/tree.ts';
import type { ChangeClass } from './change-classes.ts';
import { isUnknown, unionTaints, type Flow, type Value } from './scope.ts';

/** What a call or keyword brings into a value by itself. */
export type Origin = Pick<Taint, 'cause' | 'flips' | 'setting' | 'form'> & { readonly says: string };

const clock: Origin = { cause: 'clock', flips: 'each refresh', says: 'reads the clock, which every refresh sees anew' };
const day: Origin = { cause: 'clock', flips: 'each day', says: 'is another date on every new day' };
const random: Origin = { cause: 'random', flips: 'each refresh', says: 'is drawn anew in every refresh' };
const session: Origin = { cause: 'session', flips: 'when the session differs',
  says: 'is what the refreshing session is, not what a table says' };
/** Of extensions (uuid-ossp, pgcrypto), in whatever schema they live. */
const extensionRandom = new Set(['uuid_generate_v1', 'uuid_generate_v1mc', 'uuid_generate_v4', 'gen_random_bytes', 'gen_salt']);
const sizes = new Set(['pg_total_relation_size', 'pg_relation_size', 'pg_table_size', 'pg_indexes_size', 'pg_database_size']);
const transactionIds = new Set(['txid_current', 'pg_current_xact_id']);
/** A snapshot names the transactions in progress: the next refresh sees one more that has ended (measured, npm run oracle:poison). */
const snapshots = new Set(['txid_current_snapshot', 'pg_current_snapshot']);

/**
 * What a keyword such as CURRENT_DATE brings (`name` as valueFunctionName gives it). current_user does not: inside REFRESH it is the
 * owner (measured, facts C3).
 */
export function keywordOrigin(name: string): Origin | undefined {
  if (name === 'current_date') return day;
  if (['current_time', 'current_timestamp', 'localtime', 'localtimestamp'].includes(name)) return clock;
  return name === 'session_user' ? session : undefined;
}

/**
 * What a call of a function brings by itself (measured, facts C1 to C3, G). `kind` is the class of the built-in overload that the call resolved to;
 * a function of the history is the caller's business.
 */
export function callOrigin(name: string, kind: ChangeClass | undefined): Origin | undefined {
  if (extensionRandom.has(name)) return random;
  if (kind === 'clock') return name === 'age' ? { ...day, says: 'counts from the current date' } : name === 'timezone' ? undefined : clock;
  if (kind === 'random') return random;
  if (name === 'nextval') return { cause: 'sequence', flips: 'each refresh',
    says: 'takes a new number from the sequence in every refresh' };
  if (transactionIds.has(name)) return { cause: 'transaction', flips: 'each refresh', says: 'is the number of the refreshing transaction' };
  if (snapshots.has(name)) return { cause: 'transaction', flips: 'each refresh', says: 'names the transactions that run while it refreshes' };
  if (name === 'pg_backend_pid') return { cause: 'transaction', flips: 'when the session differs', says: 'is the process that refreshes' };
  if (name === 'inet_client_addr' || name === 'inet_client_port' || name === 'system_user') return session;
  return sizes.has(name) ? { cause: 'physical', flips: 'when rows move', says: 'measures the files of a relation' } : undefined;
}

/** System columns: the row's place and its transactions. tableoid stays (measured, facts C3: 0 rewrites). */
export function systemColumnOrigin(name: string): Origin | undefined {
  return name === 'tableoid' ? undefined : { cause: 'physical', flips: 'when rows move',
    says: 'is where the row stands, not what it says' };
}

const isClock = (taint: Taint): boolean => taint.cause === 'clock';
const each = (taints: readonly Taint[], change: (taint: Taint) => Taint | undefined): readonly Taint[] =>
  taints.flatMap(taint => change(taint) ?? []);
const withoutClock = (taints: readonly Taint[]): readonly Taint[] => each(taints, taint => (isClock(taint) ? undefined : taint));
/** A sum of floating-point numbers that is made exact or rounded seldom shows its last digits (measured, facts C2: 0 rewrites). */
const withoutDigits = (taints: readonly Taint[]): readonly Taint[] => each(taints, taint => (taint.form === 'float' ? undefined : taint));
/** A rounded clock changes seldom: by the day at the latest where it is a date. */
const coarse = (taints: readonly Taint[]): readonly Taint[] =>
  each(taints, taint => (isClock(taint) ? { ...taint, flips: 'each day' } : taint));

/**
 * The taints of a condition. A comparison with the clock is stable almost always (measured, facts C3: 0 rewrites), so a clock only decides
 * here, as do numbers and places compared with constants; a random, session-bound or order-bound condition is so itself.
 */
export function ofCondition(taints: readonly Taint[]): readonly Taint[] {
  return each(taints, (taint): Flow | undefined => {
    const stays = taint.cause === 'random' || taint.cause === 'session' || (taint.cause === 'order' && taint.form !== 'float');
    return stays ? taint : { ...taint, decides: true };
  });
}

/** The taints of an arithmetic or text operator. A difference of two clocks is the same on every refresh, so it brings none. */
export function ofOperator(operator: string, left: readonly Taint[], right: readonly Taint[]): readonly Taint[] {
  if (!['+', '-', '*', '/', '||', '^', '%'].includes(operator)) return [];
  const both = unionTaints(left, right);
  if (operator === '%') return withoutClock(both);
  if (operator !== '||' && left.some(isClock) && right.some(isClock)) return withoutClock(both);
  return both;
}

const passing = new Set([
  'md5', 'sha224', 'sha256', 'sha384', 'sha512', 'concat', 'concat_ws', 'format', 'to_json', 'to_jsonb', 'row_to_json',
    'json_build_object', 'jsonb_build_object',
  'json_build_array', 'jsonb_build_array', 'array_agg', 'string_agg', 'json_agg', 'jsonb_agg', 'min', 'max', 'sum', 'avg', 'any_value',
    'first_value', 'last_value',
  'to_timestamp', 'age', 'justify_days', 'justify_hours', 'justify_interval', 'quote_literal', 'upper', 'lower', 'abs', 'sqrt', 'text',
    'timestamptz', 'timestamp', 'reverse', 'initcap', 'lpad', 'rpad', 'repeat', 'quote_ident', 'quote_nullable', 'regexp_replace', 'overlay', 'hashtext',
  'ltrim', 'rtrim', 'exp', 'ln', 'log', 'power', 'pow', 'cbrt', 'degrees', 'radians', 'sin', 'cos', 'tan', 'atan', 'array_append', 'array_prepend',
  'array_cat', 'array_to_string', 'array_to_json', 'string_to_array', 'unnest', 'jsonb_set', 'jsonb_insert', 'replace', 'translate', 'btrim', 'encode', 'decode', 'convert_to', 'jsonb_pretty', 'jsonb_agg_strict', 'json_agg_strict',
  'json_object_agg', 'jsonb_object_agg', 'json_object', 'jsonb_object', 'hstore', 'range_agg', 'tstzrange', 'tsrange', 'daterange', 'numrange', 'lag', 'lead', 'nth_value',
  'percentile_cont', 'percentile_disc', 'mode', 'stddev', 'variance', 'stddev_pop', 'stddev_samp', 'var_pop', 'var_samp', 'xmlagg', 'digest', 'hmac', 'sha1', 'xmlforest',
  'pg_size_pretty',
]);
/** A part of a random text is random; a part of a clock's text may be its year. */
const parts = new Set(['width_bucket', 'mod', 'left', 'right', 'substr', 'substring', 'split_part']);
const roundings = new Set(['round', 'floor', 'ceil', 'ceiling', 'trunc']);
const fine = new Set(['epoch', 'julian', 'microseconds', 'milliseconds', 'second', 'microsecond', 'millisecond', 'seconds']);
const ofTheDay = new Set(['microseconds', 'milliseconds', 'second', 'microsecond', 'millisecond', 'seconds', 'minute', 'minutes', 'hour',
  'hours']);

const text = (node: Node | undefined): string | undefined =>
  node !== undefined && 'A_Const' in node && node.A_Const.sval !== undefined ? (node.A_Const.sval.sval ?? '').toLowerCase() : undefined;

/** The taints that a built-in function lets through from its arguments; functions that are not listed let none through. */
export function ofCall(name: string, values: readonly Value[], nodes: readonly Node[]): readonly Taint[] {
  const all = unionTaints(...values.map(value => value.taints));
  if (all.length === 0) return all;
  if (name === 'age' && values.length === 2) return ofOperator('-', values[0]!.taints, values[1]!.taints);
  if (passing.has(name)) return all;
  if (parts.has(name)) return withoutClock(all);
  if (roundings.has(name)) {
    const [inner] = nodes;
    const rounded = coarse(withoutDigits(all));
    return inner !== undefined && 'FuncCall' in inner ? each(rounded, taint => (taint.cause === 'random' ? undefined : taint)) : rounded;
  }
  if (name === 'timezone') return values[1]?.taints ?? [];
  if (name === 'date_trunc') {
    const unit = text(nodes[0]);
    return unit === 'microseconds' || unit === 'milliseconds' ? values[1]!.taints : coarse(values[1]?.taints ?? []);
  }
  if (name === 'date') return coarse(all);
  if (name === 'extract' || name === 'date_part') {
    const field = text(nodes[0]);
    const taints = values[1]?.taints ?? [];
    if (field === undefined || field.startsWith('timezone')) return [];
    return each(taints, taint => {
      if (!isClock(taint)) return taint;
      if (taint.flips === 'each day') return ofTheDay.has(field) ? undefined : taint;
      return fine.has(field) ? taint : { ...taint, flips: 'each day' };
    });
  }
  if (name === 'to_char') {
    const format = text(nodes[1]);
    return format !== undefined && /hh|mi|ss|ms|us|ff/.test(format) ? values[0]!.taints : coarse(values[0]?.taints ?? []);
  }
  return [];
}

/** The taints that a cast lets through; `target` as format_type prints it. */
export function ofCast(given: Value, target: Value['type']): readonly Taint[] {
  if (given.taints.length === 0) return given.taints;
  if (isUnknown(target)) return withoutClock(given.taints);
  const value = { taints: /^(numeric|smallint|integer|bigint)/.test(target) ? withoutDigits(given.taints) : given.taints };
  if (target === 'date' || /^(smallint|integer|bigint|numeric\()/.test(target)) return coarse(value.taints);
  if (target.startsWith('time ') || target.startsWith('time(')) return each(value.taints, taint =>
    (isClock(taint) && taint.flips === 'each day' ? undefined : taint));
  return target === 'boolean' ? withoutClock(value.taints) : value.taints;
}

/** `'now'::text::timestamptz` is read anew in every refresh, while `'now'::timestamptz` is frozen at CREATE (measured, facts G). */
export function lateClock(word: string, target: Value['type']): Origin | undefined {
  if (isUnknown(target) || !/^(timestamp|date\b)/.test(target)) return undefined;
  const name = word.trim().toLowerCase();
  if (name === 'now') return target === 'date' ? day : clock;
  return ['today', 'tomorrow', 'yesterday'].includes(name) ? day : undefined;
}

/** GREATEST keeps all; of LEAST with a clock, rows in the past keep their own value, so the clock is left out. */
export function ofExtreme(least: boolean, taints: readonly Taint[]): readonly Taint[] {
  return least ? withoutClock(taints) : taints;
}

/** Only what survives taking one element out of a value. */
export const ofElement = withoutClock;
