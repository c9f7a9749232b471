import { strongest } from '../../catalog/locks.ts';
import type { TracedChange, TracedLock, TracedRows } from '../../model.ts';
import type { Look, SeenObject } from './look.ts';

/** A lock before it is known how long it is held. */
export type Taken = Omit<TracedLock, 'held'>;

/**
 * The locks that a statement added, by name. `old`: what was there when the transaction began. Left out: locks on an index or a sequence where the statement holds
 * as much on its table, and what merely uses a sequence.
 */
export function locksTaken(before: Look, after: Look, old: Look): readonly Taken[] {
  const taken: Taken[] = [];
  for (const [key, mode] of after.locks) {
    const relation = before.relations.get(key);
    if (relation === undefined || !old.relations.has(key)) continue;
    const already = before.locks.get(key);
    if (already !== undefined && strongest([already, mode]) === already) continue;
    taken.push({ relation: relation.name, kind: relation.kind, mode });
  }
  const onTables = new Map(taken.filter(({ kind }) => kind !== 'index').map(({ relation, mode }) => [relation, mode]));
  const tableOf = new Map([...before.relations.values()].map(({ name, on }) => [name, on]));
  const isWeaker = ({ relation, kind, mode }: Taken): boolean => {
    if (kind === 'sequence') return mode === 'AccessShareLock' || mode === 'RowShareLock' || mode === 'RowExclusiveLock';
    const table = kind === 'index' ? onTables.get(tableOf.get(relation) ?? '') : undefined;
    return table !== undefined && strongest([table, mode]) === table;
  };
  return taken.filter(lock => !isWeaker(lock)).sort((a, b) => (a.relation < b.relation ? -1 : 1));
}

/** Rows written between two looks of one transaction. `count`: the rows that a rewritten relation holds now; undefined when the role may not read it. */
export async function rowsWritten(before: Look, after: Look, count: (relation: string) => Promise<number | undefined>): Promise<readonly TracedRows[]> {
  const found: TracedRows[] = [];
  for (const [key, { name, kind, file, written }] of after.relations) {
    if (kind !== 'table' && kind !== 'matview') continue;
    const then = before.relations.get(key);
    // The rows are counted: with new files the server's counters begin anew (measured, trace.test.ts).
    if (then !== undefined && then.file !== file && file !== '0') {
      const rows = await count(name);
      found.push({ relation: name, kind, rewritten: true, ...(rows === undefined ? {} : { inserted: rows }), updated: 0, deleted: 0 });
    } else {
      const { inserted, updated, deleted } = then?.written ?? { inserted: 0, updated: 0, deleted: 0 };
      const rows = { inserted: written.inserted - inserted, updated: written.updated - updated, deleted: written.deleted - deleted };
      if (rows.inserted > 0 || rows.updated > 0 || rows.deleted > 0) found.push({ relation: name, kind, rewritten: false, ...rows });
    }
  }
  return found.sort((a, b) => (a.relation < b.relation ? -1 : 1));
}

/** Properties whose value is no text for people. */
const hidden: Readonly<Record<string, string>> = { query: 'its query', body: 'its body', place: 'its definition', columns: 'its columns' };

/** `reader=r/app, app=arwd/app` as a set. */
const items = (text: string | undefined): readonly string[] => (text ?? '').split(', ').filter(item => item !== '');

/** What was added to a list and what was taken from it: `+a, -b`; the same members in another order are another order. */
function listed(then: string | undefined, now: string | undefined): string {
  const [old, fresh] = [items(then), items(now)];
  const told = [...old.filter(item => !fresh.includes(item)).map(item => `-${item}`), ...fresh.filter(item => !old.includes(item)).map(item => `+${item}`)];
  return told.length > 0 ? told.join(', ') : 'another order';
}

/** `numeric(10, 2)` holds a comma of its own: columns are told apart by the commas outside of parentheses. */
const columnItems = (text: string): string => text.replace(/\([^)]*\)/g, inner => inner.replaceAll(', ', ','));

function changeOf(property: string, then: string | undefined, now: string | undefined): string {
  if (property === 'columns') return `columns ${listed(columnItems(then ?? ''), columnItems(now ?? ''))}`;
  if (property === 'grants' || property === 'options' || property === 'settings' || property === 'labels') return `${property} ${listed(then, now)}`;
  if (property === 'populated') return now === 'true' ? 'populated' : 'emptied: every reader is refused';
  if (property in hidden) return hidden[property] ?? property;
  return `${property} ${then ?? 'none'} -> ${now ?? 'none'}`;
}

function changed(then: SeenObject, now: SeenObject): readonly string[] {
  const properties = [...new Set([...Object.keys(then.properties), ...Object.keys(now.properties)])];
  // An index's relation is called by its name, which a rename changes; that is told of the relation.
  return properties.filter(key => key !== 'on' && then.properties[key] !== now.properties[key]).map(key => changeOf(key, then.properties[key], now.properties[key]));
}

const place = ({ kind, properties }: SeenObject): string => (kind === 'index' && properties['on'] !== undefined ? ` on ${properties['on']}` : '');

/** What is other in the catalog: what is gone first, then what is other, then what is new; each in the order of kinds and names. */
export function changesBetween(before: Look, after: Look): readonly TracedChange[] {
  const dropped: TracedChange[] = [];
  const other: TracedChange[] = [];
  const created: TracedChange[] = [];
  for (const [key, then] of before.objects) {
    const now = after.objects.get(key);
    const { kind, name } = then;
    if (now === undefined) dropped.push({ action: 'dropped', kind, name: `${name}${place(then)}` });
    else {
      if (now.name !== name) other.push({ action: 'renamed', kind, name: now.name, says: name });
      const says = changed(then, now);
      if (says.length > 0) other.push({ action: 'changed', kind, name: now.name, says: says.join('; ') });
    }
  }
  for (const [key, now] of after.objects)
    if (!before.objects.has(key)) created.push({ action: 'created', kind: now.kind, name: `${now.name}${place(now)}`, ...(now.properties['populated'] === 'false' ? { says: 'not populated' } : {}) });
  const inOrder = (a: TracedChange, b: TracedChange): number => (a.kind === b.kind ? (a.name < b.name ? -1 : 1) : a.kind < b.kind ? 1 : -1);
  return [...dropped.sort(inOrder), ...other.sort(inOrder), ...created.sort(inOrder)];
}
