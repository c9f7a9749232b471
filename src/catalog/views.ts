import type { Column, Evidence, Known, Maintenance, Matview, Name, ObjectId, Query, Selectable, View } from '../model.ts';
import { normalOf } from '../query/normal.ts';
import { lowerQuery, type Lowered } from '../query/lower.ts';
import { walk } from '../sql/walk.ts';
import type { CreateTableAsStmt, Node, RangeVar, RefreshMatViewStmt, ViewStmt } from '../sql/tree.ts';
import {
  columnsOf, defaultGrants, find, isSelectable, isUnknown, kindWord, meetStranger, nameForCreate, printName, refuse, refuseMissing, writtenName, type Change, type Outcome,
} from './change.ts';
import { optionsOf } from './options.ts';
import { lacksTemporary, unreadable, unreadableSource } from './privileges.ts';
import { refuseRowLocks } from './row-locks.ts';
import { isRelation } from './names.ts';
import { dependOnColumnTypes } from './type-users.ts';

/** Names of a column list. */
function names(list: readonly Node[] | undefined): string[] {
  return (list ?? []).map(item => ('String' in item ? item.String.sval ?? '' : ''));
}

/** What the query needs and the history knows to be missing: 42P01 or 42703. Names that are merely unknown open the world. */
export function refuseQuery(change: Change, lowered: Lowered, variables = false): Outcome {
  for (const missing of lowered.missing) {
    if (missing.found === 'unknown') meetStranger(change);
    else {
      const found = change.store.find(missing.name);
      return refuseMissing(missing.name, (found.is === 'absent' && found.because) || true);
    }
  }
  // Inside a routine the name may be a variable's, where Postgres replaces those: in CREATE TABLE AS, not in the definition of a view.
  const column = variables ? undefined : lowered.missingColumns[0];
  return column && refuse('42703', `column "${column.column}" does not exist`, [], column.relation);
}

/** Records what a query holds on to: relations by column (whole, where none is read: count(*)), routines, types and keys whole. */
export function dependOnQuery(change: Change, id: ObjectId, lowered: Lowered): void {
  // A view that replaces itself may read itself; pg_depend holds no such row (measured by the agreement).
  for (const read of lowered.query.reads) if (read.id !== id) change.store.depend({ dependent: id, on: read.id, strength: 'normal', ...(read.columns?.length ? { columns: read.columns } : {}) });
  for (const on of [...lowered.routines, ...lowered.held, ...lowered.keys]) change.store.depend({ dependent: id, on, strength: 'normal' });
}

/** Records what the queries inside a tree hold on to: the statements of a BEGIN ATOMIC body, the sub-queries of a policy (measured, facts D). */
export function dependOnQueriesIn(change: Change, id: ObjectId, tree: Node | undefined): void {
  if (!tree) return;
  walk(tree, (kind, inner) => {
    if (kind !== 'SelectStmt') return undefined;
    dependOnQuery(change, id, lowerQuery(change.statement, { SelectStmt: inner } as Node, change.store));
    return false;
  });
}

/** Every relation that running the query reads: views are looked through, matviews are read as they stand. */
export function readsThrough(change: Change, query: Query): { readonly relation: Selectable; readonly span: Evidence['span'] }[] {
  const seen = new Map<ObjectId, { relation: Selectable; span: Evidence['span'] }>();
  const visit = (reads: Query['reads'], span?: Evidence['span']): void => {
    for (const read of reads) {
      const relation = change.store.get(read.id);
      if (!isSelectable(relation) || seen.has(relation.id)) continue;
      seen.set(relation.id, { relation, span: span ?? read.span });
      if (relation.kind === 'view') visit(relation.query.reads, span ?? read.span);
    }
  };
  visit(query.reads);
  return [...seen.values()];
}

/** 42501 when the session's role may not read what the query reads; permissions are asked before a scan starts (measured, ownership.test.ts). */
function refuseUnreadable(change: Change, query: Query): Outcome {
  const relation = unreadable(query, change.store.session.role, change.store);
  const made = relation?.madeAt && { span: relation.madeAt, says: `${printName(relation)} is made here` };
  return relation && refuse('42501', `permission denied for ${kindWord(relation)} ${relation.name.name}`, [made], relation.id);
}

/**
 * 55000 when the query would read a matview that is not populated. Only a query that surely reads it: the executor raises it when the scan
 * starts, and a constant-false condition never starts one (measured, facts F), so a query with a constant `false` in its text is left alone.
 */
export function refuseUnpopulated(change: Change, query: Query): Outcome {
  if (/\bfalse\b/i.test(query.statement.sql) && /\bfalse\b/.test(normalOf(query))) return undefined;
  for (const { relation, span } of readsThrough(change, query)) {
    if (relation.kind !== 'matview' || relation.populated !== false) continue;
    const made: Evidence[] = relation.madeAt ? [{ span: relation.madeAt, says: `${printName(relation)} is not populated` }] : [];
    return refuse('55000', `materialized view "${relation.name.name}" has not been populated`,
      [...made, { span, says: `reads ${printName(relation)}` }], relation.id);
  }
  return undefined;
}

function announceReads(change: Change, query: Query): void {
  const reads = readsThrough(change, query);
  if (reads.length > 0) change.effects.push({ kind: 'readRelations', reads, via: change.via });
}

/** CREATE MATERIALIZED VIEW … AS. CREATE TABLE AS shares the node and is `createTableAs`. */
export function createMatview(change: Change, node: CreateTableAsStmt): Outcome {
  const into = node.into;
  if (!node.query) return undefined;
  const { name, existing } = nameForCreate(change, into?.rel);
  const lowered = lowerQuery(change.statement, node.query, change.store, names(into?.colNames), true);
  const missing = refuseQuery(change, lowered);
  if (missing) return missing;
  if (!name) return undefined;
  if (existing) return existsAlready(change, node.if_not_exists === true, 'matview', existing.id, name, lowered.query);
  const withData = into?.skipData !== true;
  if (withData) {
    const refused = refuseUnreadable(change, lowered.query) ?? refuseUnpopulated(change, lowered.query);
    if (refused) return refused;
  }
  const id = change.store.newId();
  const options = optionsOf(into?.options);
  const continuous = isOn(options.get('timescaledb.continuous'));
  const matview: Matview = {
    kind: 'matview', id, name, madeAt: change.statement.span, owner: change.store.session.role, columns: lowered.columns, query: lowered.query,
    options: continuous ? ownOptions(options) : options, ...(into?.tableSpaceName === undefined ? {} : { tablespace: into.tableSpaceName }),
    grants: defaultGrants(change, 'tables', name.schema), populated: continuous || withData, everPopulated: continuous || withData, statistics: new Map(),
    ...(continuous ? { maintenance: continuousAggregate(lowered.query, options, withData) } : {}),
  };
  change.store.put(matview);
  dependOnQuery(change, id, lowered);
  if (withData) announceReads(change, lowered.query);
  change.effects.push(continuous ? { kind: 'createContinuousAggregate', matview, via: change.via }
    : { kind: 'createMatview', matview, withData, via: change.via });
  return undefined;
}

/** The options that Postgres itself keeps: TimescaleDB takes its own out. */
const ownOptions = (options: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map([...options].filter(([key]) => !key.startsWith('timescaledb.')));

const isOn = (value: string | undefined): boolean => value !== undefined && !/^(?:false|off|no|0)$/i.test(value);

/** Of a continuous aggregate nothing is claimed that rests on being populated: TimescaleDB keeps its rows elsewhere, and no server of ours has it. */
function continuousAggregate(query: Query, options: ReadonlyMap<string, string>, withData: boolean): Maintenance {
  const own = [...options].filter(([key]) => key.startsWith('timescaledb.')).map(([key, value]) => [key.slice('timescaledb.'.length), value] as const);
  return { engine: 'timescaledb', query, options: new Map(own), filled: withData };
}

/** The outcome of creating a relation over a taken name: skipped under IF NOT EXISTS, else 42P07 (measured, facts E). */
export function existsAlready(
  change: Change, ifNotExists: boolean, wanted: 'table' | 'matview' | 'index' | 'sequence', existing: ObjectId, name: Name, query?: Query, on?: Selectable,
): Outcome {
  const object = change.store.get(existing);
  if (!isRelation(object)) return undefined;
  if (!ifNotExists) {
    const made = object.madeAt ? { span: object.madeAt, says: `${printName(object)} is made here` } : undefined;
    return refuse('42P07', `relation "${name.name}" already exists`, [made], object.id);
  }
  change.effects.push({ kind: 'skipCreate', wanted, name, existing: object, ...(query ? { query } : {}), ...(on ? { on } : {}), via: change.via });
  return undefined;
}

/** The columns of a view that replaces another keep what was said of the old ones and granted on them (measured by the agreement). */
function withNotes(columns: Known<readonly Column[]>, old: Known<readonly Column[]>): Known<readonly Column[]> {
  if (isUnknown(columns) || isUnknown(old)) return columns;
  return columns.map((column, at) => {
    const { comment, grants } = old[at] ?? {};
    return comment === undefined && grants === undefined ? column : { ...column, ...(comment === undefined ? {} : { comment }), ...(grants === undefined ? {} : { grants }) };
  });
}

/** CREATE [OR REPLACE] VIEW. Replacing keeps identity, grants and dependants; columns may only be added at the end (42P16). */
export function createView(change: Change, node: ViewStmt): Outcome {
  if (!node.query) return undefined;
  const { name, existing } = nameForCreate(change, node.view);
  const lowered = lowerQuery(change.statement, node.query, change.store, names(node.aliases));
  const missing = refuseQuery(change, lowered);
  if (missing) return missing;
  if (!name) return undefined;
  if (existing && node.replace !== true) return existsAlready(change, false, 'table', existing.id, name);
  if (existing && existing.kind !== 'view') return refuse('42809', `"${name.name}" is not a view`, [], existing.id);
  const shrunk = existing && refuseShrinking(existing, lowered.columns);
  if (shrunk) return shrunk;
  const view: View = {
    kind: 'view', id: existing?.id ?? change.store.newId(), name, madeAt: change.statement.span, owner: existing?.owner ?? change.store.session.role,
    columns: existing === undefined ? lowered.columns : withNotes(lowered.columns, existing.columns), query: lowered.query, options: optionsOf(node.options),
    grants: existing?.grants ?? defaultGrants(change, 'tables', name.schema), ...(existing?.comment === undefined ? {} : { comment: existing.comment }),
  };
  change.store.clearDependencies(view.id);
  change.store.put(view);
  dependOnQuery(change, view.id, lowered);
  change.effects.push({ kind: 'createView', view, ...(existing ? { replaced: existing } : {}), via: change.via });
  return undefined;
}

/** 42P16: OR REPLACE keeps every column's name, order and type (checkViewColumns in view.c; measured by the agreement fixtures). */
function refuseShrinking(existing: View, columns: Known<readonly Column[]>): Outcome {
  if (isUnknown(columns) || isUnknown(existing.columns)) return undefined;
  if (columns.length < existing.columns.length) return refuse('42P16', 'cannot drop columns from view', [], existing.id);
  for (const [at, old] of existing.columns.entries()) {
    const now = columns[at];
    if (now && now.name !== old.name) return refuse('42P16', `cannot change name of view column "${old.name}" to "${now.name}"`, [], existing.id);
    if (now && typeof now.type === 'string' && typeof old.type === 'string' && now.type !== old.type)
      return refuse('42P16', `cannot change data type of view column "${old.name}" from ${old.type} to ${now.type}`, [], existing.id);
  }
  return undefined;
}

/** A unique index that REFRESH … CONCURRENTLY can use: valid, no predicate, plain columns only (measured, facts B). */
function concurrentRefreshIndex(change: Change, matview: Matview): Known<boolean> {
  const usable = change.store.indexesOf(matview.id).filter(index =>
    index.unique && index.predicate === undefined && index.columns.every(column => column.column !== undefined));
  if (usable.some(index => index.valid === true)) return true;
  const doubtful = usable.find(index => isUnknown(index.valid));
  return doubtful && isUnknown(doubtful.valid) ? doubtful.valid : false;
}

/** REFRESH MATERIALIZED VIEW, with the refusals in the order Postgres checks them (measured, facts B). */
export function refreshMatview(change: Change, node: RefreshMatViewStmt): Outcome {
  const written = writtenName(node.relation as RangeVar | undefined);
  const { relation, absent } = find(change, written);
  if (absent) return refuseMissing(written, absent);
  if (!relation) return undefined;
  if (relation.kind === 'table') return refuse('0A000', `"${relation.name.name}" is not a materialized view`, [], relation.id);
  if (relation.kind !== 'matview') return refuse('42809', `"${relation.name.name}" is not a table or materialized view`, [], relation.id);
  const concurrently = node.concurrent === true;
  const withData = node.skipData !== true;
  if (change.store.session.parameters.get('transaction_read_only') === 'on')
    return refuse('25006', 'cannot execute REFRESH MATERIALIZED VIEW in a read-only transaction', [], relation.id);
  const made: Evidence | undefined = relation.madeAt && { span: relation.madeAt, says: `${printName(relation)} is made here` };
  if (concurrently && relation.populated === false)
    return refuse('0A000', 'CONCURRENTLY cannot be used when the materialized view is not populated', [made], relation.id);
  if (concurrently && !withData) return refuse('42601', 'CONCURRENTLY and WITH NO DATA options cannot be used together', [made], relation.id);
  if (concurrently && concurrentRefreshIndex(change, relation) === false)
    return refuse('55000', `cannot refresh materialized view "${relation.name.schema}.${relation.name.name}" concurrently`, [made], relation.id);
  const unreadable = withData ? unreadableSource(relation, change.store) : undefined;
  if (unreadable) return refuse('42501', `permission denied for ${kindWord(unreadable)} ${unreadable.name.name}`, [made], relation.id);
  if (withData) {
    const refused = refuseUnpopulated(change, relation.query);
    if (refused) return refused;
  }
  if (concurrently && lacksTemporary(relation, change.store))
    return refuse('42501', 'permission denied to create temporary tables in database', [made], relation.id);
  if (withData) announceReads(change, relation.query);
  const after: Matview = { ...relation, populated: withData, everPopulated: withData ? true : relation.everPopulated };
  change.store.put(after);
  change.effects.push({ kind: 'refreshMatview', matview: relation, concurrently, withData, via: change.via });
  return undefined;
}

/** CREATE TABLE … AS and SELECT INTO: a table whose columns are the query's. */
export function createTableAs(change: Change, node: CreateTableAsStmt): Outcome {
  const into = node.into;
  if (!node.query || !('SelectStmt' in node.query)) return undefined;
  const { name, existing } = nameForCreate(change, into?.rel);
  const lowered = lowerQuery(change.statement, node.query, change.store, names(into?.colNames));
  const missing = refuseQuery(change, lowered, change.code !== undefined);
  if (missing || !name) return missing;
  if (existing) return existsAlready(change, node.if_not_exists === true, 'table', existing.id, name);
  const refused = into?.skipData === true ? undefined : refuseUnreadable(change, lowered.query) ?? refuseUnpopulated(change, lowered.query);
  if (refused) return refused;
  const table = {
    kind: 'table' as const, id: change.store.newId(), name, madeAt: change.statement.span, owner: change.store.session.role, columns: lowered.columns,
    options: optionsOf(into?.options), grants: defaultGrants(change, 'tables', name.schema), constraints: [], inherits: [], partitioned: false, rowSecurity: false,
    persistence: into?.rel?.relpersistence === 't' ? 'temporary' as const : into?.rel?.relpersistence === 'u' ? 'unlogged' as const : 'permanent' as const,
  };
  change.store.put(table);
  dependOnColumnTypes(change.store, table.id, columnsOf(table));
  if (into?.skipData !== true) announceReads(change, lowered.query);
  change.effects.push({ kind: 'createTable', table, via: change.via });
  return undefined;
}

/** A top-level SELECT: what it reads, and 55000 when a matview of it is not populated. */
export function select(change: Change, node: Node): Outcome {
  const lowered = lowerQuery(change.statement, node, change.store, []);
  for (const missing of lowered.missing) {
    if (missing.found === 'unknown') meetStranger(change);
    else {
      const found = change.store.find(missing.name);
      return refuseMissing(missing.name, (found.is === 'absent' && found.because) || true);
    }
  }
  const refused = refuseUnreadable(change, lowered.query) ?? refuseRowLocks(change, node) ?? refuseUnpopulated(change, lowered.query);
  if (refused) return refused;
  announceReads(change, lowered.query);
  return undefined;
}

/** Whether two defining queries are the same text, comments and layout aside. */
export function sameQuery(a: Query, b: Query): boolean {
  return normalOf(a) === normalOf(b);
}

