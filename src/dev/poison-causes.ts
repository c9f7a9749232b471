import type { Taint } from '../model.ts';

/** A cause as the figures count it. */
export type Cause = 'steady' | 'clock' | 'day' | 'random' | 'sequence' | 'transaction' | 'backend' | 'session user' | 'TimeZone' | 'DateStyle' | 'IntervalStyle'
  | 'default_text_search_config' | 'bytea_output' | 'extra_float_digits' | 'current setting' | 'order of an aggregate' | 'pick by order' | 'float sum' | 'physical'
  | 'random rows' | 'rows by order' | 'rows by place' | 'rows by clock' | 'rows by day' | 'NULL in a key';

/** What lies between two refreshes that are compared. */
export type Stage = 'again' | 'moved' | 'zone' | 'role' | 'DateStyle' | 'IntervalStyle' | 'search' | 'bytea' | 'float' | 'setting' | 'backend' | 'parallel';

/** The stage that must show a cause. */
export const shownBy: Readonly<Record<Cause, Stage>> = {
  'steady': 'again', 'clock': 'again', 'day': 'zone', 'random': 'again', 'sequence': 'again', 'transaction': 'again', 'backend': 'backend', 'session user': 'role',
  'TimeZone': 'zone', 'DateStyle': 'DateStyle', 'IntervalStyle': 'IntervalStyle', 'default_text_search_config': 'search', 'bytea_output': 'bytea',
  'extra_float_digits': 'float', 'current setting': 'setting', 'order of an aggregate': 'moved', 'pick by order': 'moved', 'float sum': 'moved', 'physical': 'moved',
  'random rows': 'again', 'rows by order': 'moved', 'rows by place': 'moved', 'rows by clock': 'again', 'rows by day': 'zone', 'NULL in a key': 'again',
};

const settings: Readonly<Record<string, Cause>> = {
  TimeZone: 'TimeZone', DateStyle: 'DateStyle', IntervalStyle: 'IntervalStyle', default_text_search_config: 'default_text_search_config', bytea_output: 'bytea_output',
  extra_float_digits: 'extra_float_digits',
};

/** The cause that a taint of a value claims. */
export function claimed({ cause, flips, form, setting }: Taint): Cause {
  if (cause === 'clock') return flips === 'each day' ? 'day' : 'clock';
  if (cause === 'transaction') return flips === 'each refresh' ? 'transaction' : 'backend';
  if (cause === 'session') return setting === undefined ? 'session user' : settings[setting] ?? 'current setting';
  if (cause === 'order') return form === 'float' ? 'float sum' : form === 'aggregate' ? 'order of an aggregate' : 'pick by order';
  if (cause === 'opaque-routine') throw new Error('no view of the oracle is opaque');
  return cause;
}

/** The cause that a taint of the rows claims. */
export function claimedOfRows(taint: Taint): Cause {
  const cause = claimed(taint);
  return cause === 'clock' ? 'rows by clock' : cause === 'day' ? 'rows by day' : cause === 'random' ? 'random rows' : cause === 'physical' ? 'rows by place'
    : cause === 'pick by order' || cause === 'order of an aggregate' ? 'rows by order' : cause;
}

/** Whether a taint allows that what it is of differs at a stage. */
export function allows(taint: Taint, stage: Stage): boolean {
  if (taint.flips === 'each refresh') return true;
  if (taint.flips === 'each day') return stage === 'zone';
  if (taint.flips === 'when rows move') return stage === 'moved' || stage === 'parallel';
  // The text of a time has the style of its date too; the zone is what mvlint names (settings.ts).
  return shownBy[claimed(taint)] === stage || (taint.setting === 'TimeZone' && stage === 'DateStyle');
}

/** Text expressions over a row of items, by what makes them differ. A coin is tossed for each row, also in a sub-select: one toss may come out the same again. */
export const expressions: Readonly<Partial<Record<Cause, readonly string[]>>> = {
  'steady': ['id::text', 'grp::text', 'note', 'n::text', "(at at time zone 'UTC')::time::text", "to_char(n, '999.0')", "'x'", 'length(note)::text', 'extract(epoch from at)::text',
    '(at < now())::text', '(now() is null)::text', 'ignored(now()::text)::text', 'steady(note)', 'steady_pl(note)', '(id + ignored(random()::text))::text', 'current_user::text',
    'version()', 'tableoid::regclass::text', "to_char(ts, 'YYYY-MM-DD')", "to_tsvector('english', note)::text", "encode(raw, 'hex')", 'md5(raw)', 'to_jsonb(d)::text', 'to_jsonb(ts)::text',
    'extract(epoch from gap)::text', 'stored(note)', 'looped(note)', 'given(note)', "case when at < clock_timestamp() then 'past' else 'to come' end", 'greatest(n, 5)::text',
    '(now() - now())::text', 'round(n, 1)::text', '(current_date - current_date)::text', "to_char(date_trunc('hour', at, 'UTC') at time zone 'UTC', 'HH24:MI')"],
  'clock': ['now()::text', 'clock_timestamp()::text', 'current_timestamp::text', 'localtimestamp::text', 'statement_timestamp()::text', 'transaction_timestamp()::text', 'timeofday()',
    '(now() - at)::text', 'extract(epoch from now() - at)::text', 'extract(epoch from clock_timestamp())::text', 'moment()', 'stamped(note)', 'lying()::text', 'lying_pl()::text',
    'coalesce(nullif(at, at), clock_timestamp())::text', "'now'::text::timestamptz::text", 'age(clock_timestamp(), at)::text', 'localtime::text', 'current_time::text', 'now()::time::text',
    "to_char(now(), 'HH24:MI:SS.US')", 'to_jsonb(now())::text', 'greatest(now(), at)::text', "(now() at time zone 'UTC')::text", "(at + (now() - at))::text",
    "date_trunc('milliseconds', clock_timestamp() + id * interval '1 second')::text", '(select now())::text', "(now() + interval '1 day')::text"],
  'day': ['current_date::text', '(current_date - d)::text', "date_trunc('day', now())::date::text", 'now()::date::text', "to_char(current_date, 'YYYY-MM-DD')", 'age(ts)::text',
    "('today'::text)::date::text", "(d + (current_date - d))::text", "extract(doy from current_date)::text", "to_char(now(), 'YYYY-MM-DD')"],
  'random': ['random()::text', 'gen_random_uuid()::text', 'uuidv4()::text', 'uuidv7()::text', 'lucky(note)', '(random() * id)::text', 'md5(random()::text)', '(random() + id * 0 < 0.5)::text',
    'random_normal()::text', 'random(1, 1000000)::text', 'array_shuffle(array[id, 1001, 1002, 1003, 1004, 1005])::text', 'array_sample(array[1, 2, 3, 4, 5, 6, 7, 8], 3)::text',
    '(floor(random() * 1000000))::text', "case when random() + id * 0 < 0.5 then 'heads' else 'tails' end", 'width_bucket(random(), 0, 1, 1000)::text', '(now() + random() * interval \'1 year\')::date::text'],
  'sequence': ["nextval('counter')::text", "('no. ' || nextval('counter'))"],
  'transaction': ['txid_current()::text', 'pg_current_xact_id()::text', 'pg_current_snapshot()::text', 'txid_current_snapshot()::text'],
  'session user': ['session_user::text', "concat(session_user, '')"],
  'TimeZone': ["date_trunc('day', at)::date::text", 'at::date::text', 'extract(hour from at)::text', "to_char(at, 'HH24')", 'at::text', 'concat(at)', "format('%s', at)", 'to_jsonb(at)::text',
    'ts::timestamptz::text', 'extract(epoch from ts::timestamptz)::text', 'at::timestamp::text', 'at::time::text', 'jsonb_build_object(\'at\', at)::text', "(note || at)", 'row_to_json(items)::text',
    "array_to_string(array[at], ',')", "date_part('day', at)::int::text"],
  'DateStyle': ['d::text', 'ts::text', 'concat(d)', "format('%s', ts)", '(note || d)', 'daterange(d, d + 1)::text', "array_to_string(array[d], ',')", 'array[d]::text'],
  'IntervalStyle': ['gap::text', 'concat(gap)', '(gap * 2)::text', "(note || gap)"],
  'default_text_search_config': ["to_tsvector('the running dogs ' || id)::text", "plainto_tsquery('running dogs')::text", "ts_headline('the running dogs', plainto_tsquery('english', 'run'))"],
  'bytea_output': ['raw::text', 'concat(raw)', 'to_jsonb(raw)::text', 'array[raw]::text'],
  'extra_float_digits': ['f::text', 'concat(f)', '(f * 3)::text', 'to_jsonb(f)::text', '(note || f)'],
  'current setting': ["current_setting('app.tenant')", "current_setting('work_mem')", "coalesce(current_setting('app.tenant', true), '')"],
  'physical': ['ctid::text', 'xmin::text', "pg_relation_size('items')::text", "pg_total_relation_size('items')::text", "pg_size_pretty(pg_table_size('items'))"],
};

/** What passes a value on whole, so that each change of it shows. */
export const passing: readonly ((x: string) => string)[] = [
  x => `md5(${x})`, x => `('<' || ${x})`, x => `concat(${x}, note)`, x => `coalesce(${x}, 'none')`, x => `case when grp >= 0 then ${x} else 'none' end`,
  x => `jsonb_build_object('a', ${x})::text`, x => `(array[${x}])[1]`, x => `(select ${x})`, x => `steady(${x})`, x => `steady_pl(${x})`, x => `format('%s', ${x})`,
  x => `(${x})::varchar::text`, x => `reverse(${x})`, x => `replace(${x}, 'note', 'text')`, x => `looped(${x})`, x => `stored(${x})`, x => `given(${x})`, x => `to_jsonb(${x})::text`,
  x => `(row(${x}, 1))::text`, x => `encode(convert_to(${x}, 'UTF8'), 'hex')`, x => `array_to_string(array[${x}, 'x'], ',')`, x => `btrim(${x}, ' ')`, x => `nullif(${x}, '')`,
  x => `quote_literal(${x})`, x => `overlay(${x} placing '' from 1 for 0)`, x => `translate(${x}, 'x', 'y')`,
];
/** What ends it. */
export const ending: readonly ((x: string) => string)[] = [
  x => `(${x} is null)::text`, x => `length(md5(${x}))::text`, x => `ignored(${x})::text`, x => `(${x} is not null)::text`, x => `case when ${x} is null then 'none' else note end`,
  x => `pg_typeof(${x})::text`, x => `coalesce(note, ${x})`,
];
