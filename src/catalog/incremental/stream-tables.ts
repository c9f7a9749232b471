/** What pg_trickle's functions do to a catalog (facts §2.1; derived from its source and documentation, no server of ours has it). */
import type { Table, WrittenName } from '../../model.ts';
import { readWrittenName } from '../../sql/names.ts';
import { find, gap, nameForCreate, type Change, type Outcome } from '../change.ts';
import { notable, removeAll, tollOf } from '../drops.ts';
import { hasHole } from '../code/values.ts';
import { dependOnQuery, refuseQuery } from '../views.ts';
import { flagArgument, misuse, textArgument, versionOf, type EngineCall } from './calls.ts';
import { lowered, maintainedTable, optionsOfCall, readDefinition } from './definition.ts';
import { valueProblems } from './stream-values.ts';

/** The name argument: `name` or `schema.name`. How letters fold is in no fact, so a name with capitals is not followed. */
function nameOf(change: Change, call: EngineCall): WrittenName | undefined {
  const given = textArgument(call, 'name');
  const name = given === undefined || given !== given.toLowerCase() ? undefined : readWrittenName(given.trim());
  if (name === undefined) gap(change, `which stream table ${call.called.name} is about is not known`, call.place('name'));
  return name;
}

/**
 * create_stream_table and its kin. What pg_trickle refuses is a misuse or an obstacle; the table is there for the rest of the history all
 * the same.
 */
export function createStreamTable(change: Change, call: EngineCall): Outcome {
  for (const problem of valueProblems(call, versionOf(change, 'pg_trickle'))) misuse(change, problem);
  const written = nameOf(change, call);
  if (written === undefined) return undefined;
  const range = { relname: written.name, ...(written.schema === undefined ? {} : { schemaname: written.schema }) };
  const { name, existing } = nameForCreate(change, range);
  if (!name) return undefined;
  const old = existing?.kind === 'table' ? existing : undefined;
  if (existing && (call.called.name !== 'create_or_replace_stream_table' || old === undefined)) return undefined;
  const value = call.values.get('query');
  if (value?.is !== 'text' || hasHole(value.text.text)) {
    gap(change, 'the query that pg_trickle maintains is only known at run time', call.place('query'));
    const table = maintainedTable(change, name, { unknown: 'the columns of a query that is made from data' }, undefined);
    change.store.put(old === undefined ? table : { ...table, id: old.id });
    return undefined;
  }
  const definition = readDefinition(change, value.text);
  if ('sqlstate' in definition) {
    gap(change, `the query of stream table ${name.name} is not read: ${definition.because}`, call.place('query'));
    return undefined;
  }
  const made = lowered(change, definition, []);
  const missing = refuseQuery(change, made);
  if (missing) return missing;
  const filled = flagArgument(call, 'initialize', true) ?? { unknown: 'initialize' };
  const maintenance = { engine: 'pg_trickle' as const, query: made.query, options: optionsOfCall(call), filled };
  const fresh = maintainedTable(change, name, made.columns, maintenance);
  const table: Table = old === undefined ? fresh : { ...fresh, id: old.id, owner: old.owner, grants: old.grants };
  change.store.clearDependencies(table.id);
  change.store.put(table);
  dependOnQuery(change, table.id, made);
  change.effects.push({ kind: 'createStreamTable', table, ...(old === undefined ? {} : { replaced: old }), via: change.via });
  return undefined;
}

/** The stream table that a call names; undefined when it is not known or no stream table. */
function target(change: Change, call: EngineCall): Table | undefined {
  const name = nameOf(change, call);
  const { relation } = name === undefined ? {} : find(change, name);
  return relation?.kind === 'table' && relation.maintenance?.engine === 'pg_trickle' ? relation : undefined;
}

/** alter_stream_table: a new query, another mode, a status. */
export function alterStreamTable(change: Change, call: EngineCall): Outcome {
  for (const problem of valueProblems(call, versionOf(change, 'pg_trickle'))) misuse(change, problem);
  const table = target(change, call);
  if (table?.maintenance === undefined) return undefined;
  const given = new Map([...optionsOfCall(call)].filter(([name, value]) => name !== 'name' && value !== ''));
  const options = new Map([...table.maintenance.options, ...given]);
  const value = call.values.get('query');
  let to: Table = { ...table, maintenance: { ...table.maintenance, options } };
  if (value !== undefined && value.is !== 'null') {
    const definition = value.is === 'text' && !hasHole(value.text.text) ? readDefinition(change, value.text) : undefined;
    if (definition === undefined || 'sqlstate' in definition) {
      gap(change, `the new query of stream table ${table.name.name} is not known`, call.place('query'));
      const { maintenance: _, ...rest } = table;
      to = { ...rest, columns: { unknown: 'the columns of a query that is not known' } };
    } else {
      const made = lowered(change, definition, []);
      const missing = refuseQuery(change, made);
      if (missing) return missing;
      change.store.clearDependencies(table.id);
      dependOnQuery(change, table.id, made);
      to = { ...table, columns: made.columns, maintenance: { ...table.maintenance, options, query: made.query } };
    }
  }
  change.store.put(to);
  change.effects.push({ kind: 'changeMaintenance', from: table, to, what: 'alter_stream_table', via: change.via });
  return undefined;
}

/** drop_stream_table: with dependants and without `cascade` an error of pg_trickle's own, which is not predicted. */
export function dropStreamTable(change: Change, call: EngineCall): Outcome {
  const table = target(change, call);
  if (table === undefined) return undefined;
  const cascade = flagArgument(call, 'cascade', false) === true;
  const toll = tollOf(change, [table]);
  if (!cascade && toll.blocked.length > 0) return undefined;
  const takes = notable(toll, new Set([table.id])).filter(taken => change.store.isCertain(taken.id));
  change.effects.push({ kind: 'dropObject', object: table, cascade, takes, via: change.via });
  removeAll(change, toll.goes);
  return undefined;
}

/** pause, resume and refresh: what they are refused for (facts §2.1). */
export function switchStreamTable(change: Change, call: EngineCall): Outcome {
  const table = target(change, call);
  if (table?.maintenance === undefined) return undefined;
  const status = table.maintenance.options.get('status');
  const suspended = typeof status === 'string' && status.toUpperCase() === 'SUSPENDED';
  const { name } = call.called;
  if (name === 'refresh_stream_table') {
    if (suspended)
      misuse(change, { engine: 'pg_trickle', code: 'by-hand', span: call.place('name'), relation: table.id,
        says: `refresh_stream_table is refused because ${table.name.name} is suspended`,
          instead: `pgtrickle.resume_stream_table('${table.name.name}') first` });
    return undefined;
  }
  const to: Table = { ...table, maintenance: { ...table.maintenance,
    options: new Map([...table.maintenance.options, ['status', name === 'pause_stream_table' ? 'SUSPENDED' : 'ACTIVE']]) } };
  change.store.put(to);
  change.effects.push({ kind: 'changeMaintenance', from: table, to, what: name, via: change.via });
  return undefined;
}
