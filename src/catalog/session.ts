import type { SessionState } from '../model.ts';
import type { Node, VariableSetStmt } from '../sql/tree.ts';
import type { Change, Outcome } from './change.ts';
import { constantText } from './routines.ts';
import { pathOf } from './code/refreshes.ts';

/** Settings of the session after a parameter changes; search_path and role are read out of it. */
export function withParameter(session: SessionState, name: string, value: string | undefined, initial: SessionState): SessionState {
  const parameters = new Map(session.parameters);
  if (value === undefined) parameters.delete(name);
  else parameters.set(name, value);
  if (name === 'search_path') return { ...session, parameters, searchPath: value === undefined ? initial.searchPath : pathOf(value) };
  if (name === 'role') return { ...session, parameters, role: value === undefined || value === 'none' ? initial.role : value };
  return { ...session, parameters };
}

/** SET, SET LOCAL, RESET. What SET LOCAL replaces is put back by the transaction. */
export function setParameter(change: Change, node: VariableSetStmt, initial: SessionState): Outcome {
  const name = (node.name ?? '').toLowerCase();
  const values = (node.args ?? []).map(constantText);
  if (node.kind === 'VAR_RESET_ALL') change.store.session = { ...initial, role: change.store.session.role };
  else if (node.kind === 'VAR_SET_VALUE') assign(change, name, values.some(value => value === undefined) ? undefined : values.join(', '), node.is_local === true, initial);
  else if (node.kind === 'VAR_SET_DEFAULT' || node.kind === 'VAR_RESET') assign(change, name, undefined, node.is_local === true, initial);
  else if (node.kind === 'VAR_SET_MULTI' && (name === 'transaction' || name === 'session characteristics')) {
    for (const item of node.args ?? [])
      if ('DefElem' in item && item.DefElem.defname === 'transaction_read_only')
        assign(change, 'transaction_read_only', item.DefElem.arg && constantText(item.DefElem.arg) === '0' ? 'off' : 'on', name === 'transaction', initial);
  }
  return undefined;
}

function assign(change: Change, name: string, value: string | undefined, local: boolean, initial: SessionState): void {
  change.store.session = withParameter(change.store.session, name, value, initial);
  change.effects.push({ kind: 'setParameter', name, value: value ?? { unknown: 'the default' }, local, via: change.via });
}

/** `set_config('name', 'value', is_local)` with constants, as pg_dump writes it. */
export function setConfig(change: Change, argumentsOf: readonly Node[], initial: SessionState): Outcome {
  const [name, value, local] = argumentsOf.map(constantText);
  if (name !== undefined && value !== undefined) assign(change, name.toLowerCase(), value, local === 'true', initial);
  return undefined;
}
