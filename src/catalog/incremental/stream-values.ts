import type { Misuse } from '../../model.ts';
import { textArgument, type EngineCall } from './calls.ts';
import { signatureText } from './functions.ts';

const modes = ['AUTO', 'FULL', 'DIFFERENTIAL', 'IMMEDIATE'];

/** A duration (`30s`, `1h30m`, bare seconds), five or six cron fields, `@hourly`, or `calculated` (facts §2.1). */
const schedule = /^(?:calculated|@[a-z]+|\d+|(?:\d+\s*(?:ms|s|m|h|d|w))+|\S+(?:\s+\S+){4,5})$/i;

/** The arguments that pg_trickle refuses whatever the query is: step 1 of its order of decisions (facts §2.1, §2.2). */
export function valueProblems(call: EngineCall, version: string): readonly Misuse[] {
  const problems: Misuse[] = [];
  const { called } = call;
  const add = (parameter: string, code: Misuse['code'], says: string, instead = signatureText(called)): void =>
    void problems.push({ engine: 'pg_trickle', code, says, instead, span: call.place(parameter) });
  const isCreate = called.name !== 'alter_stream_table';
  const mode = textArgument(call, 'refresh_mode');
  const immediate = mode?.toUpperCase() === 'IMMEDIATE';
  if (mode !== undefined && !modes.includes(mode.toUpperCase()))
    add('refresh_mode', 'value', `pg_trickle has no refresh mode ${mode}`, `one of ${modes.join(', ')}`);
  if (isCreate && call.values.get('schedule')?.is === 'null')
    add('schedule', 'value', 'pg_trickle refuses NULL as a schedule', "schedule => 'calculated', or a duration such as '5m'");
  const when = textArgument(call, 'schedule');
  if (when !== undefined && !schedule.test(when.trim()))
    add('schedule', 'value', `pg_trickle does not read the schedule ${when}`,
      "a duration such as '5m', five cron fields, '@hourly' or 'calculated'");
  else if (when !== undefined && /^0+\s*s?$/.test(when.trim()))
    add('schedule', 'value', 'pg_trickle refuses a schedule below one second', "'1s' is the shortest");
  if (when !== undefined && when !== 'calculated' && textArgument(call, 'target_freshness') !== undefined)
    add('target_freshness', 'value', 'pg_trickle refuses a schedule together with target_freshness',
      "schedule => 'calculated' with target_freshness");
  if (immediate && textArgument(call, 'cdc_mode')?.toLowerCase() === 'wal')
    add('cdc_mode', 'value', `pg_trickle ${version} refuses IMMEDIATE with capture from the WAL`,
      "cdc_mode => 'trigger', or another refresh mode");
  for (const parameter of ['partition_by', 'append_only']) {
    const value = call.values.get(parameter);
    const set = value !== undefined && value.is !== 'null' && !(value.is === 'boolean' && !value.value);
    if (immediate && set && value.is !== 'unknown') add(parameter, 'value', `pg_trickle refuses IMMEDIATE together with ${parameter}`,
      'another refresh mode');
  }
  return problems;
}
