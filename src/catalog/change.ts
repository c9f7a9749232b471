import type {
  CatalogObject, Column, Effect, Evidence, Gap, Grants, Known, Lock, LockMode, Name, ObjectId, Refusal, Relation, Selectable, Span, Statement, Unit, Via, WrittenName,
} from '../model.ts';
import { nameEnd, sourceSpan } from '../sql/span.ts';
import type { Node, RangeVar } from '../sql/tree.ts';
import type { Value } from './code/values.ts';
import { isHole, isRelation, isSystemSchema } from './names.ts';
import type { Store } from './store.ts';

/** `unknown` stripped of its type: true when the fact is missing. */
export function isUnknown(value: unknown): value is { readonly unknown: string } {
  return typeof value === 'object' && value !== null && 'unknown' in value;
}

/** The columns of a relation, or none when they are not known. */
export function columnsOf(relation: Selectable): readonly Column[] {
  return isUnknown(relation.columns) ? [] : relation.columns;
}

/** Whether the relation has the column; unknown when its columns are. */
export function hasColumn(relation: Selectable, name: string): Known<boolean> {
  return isUnknown(relation.columns) ? relation.columns : relation.columns.some(column => column.name === name);
}

export function isSelectable(object: CatalogObject | undefined): object is Selectable {
  return object !== undefined && (object.kind === 'table' || object.kind === 'view' || object.kind === 'matview');
}

/** What a handler says of a statement: nothing, or that Postgres refuses it. */
export type Outcome = Refusal | undefined;

/** One statement while it is replayed: the catalog it changes, and what it says about it. */
export interface Change {
  readonly statement: Statement;
  readonly unit: Unit;
  readonly postgres: number;
  /** Inside a transaction block, where CONCURRENTLY on indexes is refused. */
  readonly inTransactionBlock: boolean;
  /** The catalog after the statement, being made. */
  readonly store: Store;
  readonly effects: Effect[];
  /** What the statements of code lock; what the statement itself locks is worked out when somebody asks (`locksOf`). */
  readonly locks: Lock[];
  readonly gaps: Gap[];
  /** Set once code did something that nobody can tell: what it made or gave, the catalog does not hold. */
  readonly blind: { is: boolean };
  readonly via: Via;
  /** Replays one more statement on this change's catalog: what a body holds. */
  readonly apply: (change: Change, node: Node) => Outcome;
  /** Runs only the history's own routines that the statement calls. */
  readonly calls: (change: Change, node: Node) => Outcome;
  /** Set inside of a routine body or DO block: how deep, how many statements are left, and what its variables are worth. */
  readonly code?: { readonly depth: number; readonly budget: { left: number };
    /** How often a name was not known: what it means may make a statement fail. */
    readonly strangers: { count: number };
    readonly variables: ReadonlyMap<string, Value> };
}

/** The span of a run of the statement's text. */
export function spanAt(change: Change, start: number, end: number): Span {
  return sourceSpan(change.statement, start, end);
}

/** The span of the name that begins at a node's location; the whole statement when the parser gives no location. */
export function nameSpan(change: Change, location: number | undefined): Span {
  return location === undefined ? change.statement.span : spanAt(change, location, nameEnd(change.statement.sql, location));
}

/** What stands in the statement at a place, as the first step of evidence. */
export function here(change: Change, says: string): Evidence {
  return { span: change.statement.span, says };
}

export function writtenName(range: RangeVar | undefined): WrittenName {
  const name = range?.relname ?? '';
  return range?.schemaname === undefined ? { name } : { schema: range.schemaname, name };
}

/** A qualified name from a list of String nodes: `a.b` or `b` (a database part is dropped, as Postgres requires it to be the current one). */
export function writtenFromList(items: readonly unknown[] | undefined): WrittenName {
  const parts = (items ?? []).map(item => (item as { String?: { sval?: string } }).String?.sval ?? '');
  const name = parts.at(-1) ?? '';
  const schema = parts.at(-2);
  return schema === undefined ? { name } : { schema, name };
}

/** Looks a relation up; a name the history does not show opens the world. */
export function find(change: Change, name: WrittenName): { readonly relation?: Relation; readonly absent?: Evidence | true } {
  const found = change.store.find(name);
  if (found.is === 'present') return { relation: found.object };
  if (found.is === 'absent') return { absent: found.because ?? true };
  if (name.schema === undefined || !isSystemSchema(name.schema)) meetStranger(change);
  return {};
}

/** A name that the history does not show: the world is open from here on. */
export function meetStranger(change: Change): void {
  change.store.world = 'open';
  if (change.code) change.code.strangers.count += 1;
}

export function refuse(sqlstate: string, because: string, evidence: readonly (Evidence | true | undefined)[] = [], relation?: ObjectId): Refusal {
  return {
    sqlstate, because, evidence: evidence.filter((item): item is Evidence => item !== undefined && item !== true),
    ...(relation === undefined ? {} : { relation }),
  };
}

/** 42P01 for a name that the history itself removed. */
export function refuseMissing(name: WrittenName, absent: Evidence | true): Refusal {
  const printed = name.schema === undefined ? name.name : `${name.schema}.${name.name}`;
  return refuse('42P01', `relation "${printed}" does not exist`, [absent]);
}

export function gap(change: Change, because: string, span: Span = change.statement.span): void {
  change.gaps.push({ span, because });
}

export function lock(change: Change, relation: ObjectId, mode: LockMode): void {
  change.locks.push({ relation, mode });
}

/**
 * The name a CREATE gives: refused 42P07 when it is taken, undefined inside `name` when the search path is unknown. A schema that the
 * history does not show opens the world.
 */
export function nameForCreate(change: Change, range: RangeVar | undefined): { readonly name?: Name; readonly existing?: Relation } {
  const written = writtenName(range);
  if (isHole(written.name) || (written.schema !== undefined && isHole(written.schema))) return {};
  const schema = range?.relpersistence === 't' ? 'pg_temp' : written.schema ?? change.store.creationSchema();
  if (schema === undefined) return {};
  if (schema !== 'pg_temp' && change.store.findSchema(schema).is === 'unknown') change.store.world = 'open';
  const name = { schema, name: written.name };
  const found = change.store.find(name);
  return found.is === 'present' ? { name, existing: found.object } : { name };
}

/** A new name for a counter clash, as Postgres's ChooseRelationName does: `base`, `base1`, `base2` … */
export function freeName(store: Store, schema: string, base: string, taken: ReadonlySet<string> = new Set()): string {
  for (let n = 0; ; n++) {
    const name = n === 0 ? base : `${base}${n}`;
    if (!taken.has(name) && store.find({ schema, name }).is !== 'present') return name;
  }
}

/** `table_column_suffix` cut to 63 bytes as makeObjectName does: the longer of the two parts loses first. Identifiers of ASCII length are counted in UTF-16 units. */
export function objectName(first: string, second: string | undefined, suffix: string): string {
  let a = first;
  let b = second ?? '';
  const fixed = suffix.length + 1 + (second === undefined ? 0 : 1);
  while (a.length + b.length + fixed > 63) {
    if (a.length > b.length) a = a.slice(0, -1);
    else b = b.slice(0, -1);
  }
  return [a, ...(second === undefined ? [] : [b]), suffix].join('_');
}

/** What a new object has as long as nobody altered the default privileges: one map for all of them. */
const noGrants: Grants = new Map();

/** The privileges and grants that default privileges give a new object of the current role. */
export function defaultGrants(change: Change, objects: 'tables' | 'sequences' | 'schemas', schema: string): Grants {
  if (change.store.defaultPrivileges.length === 0) return noGrants;
  const grants = new Map<string, Set<string>>();
  const { role } = change.store.session;
  for (const entry of change.store.defaultPrivileges) {
    if (entry.objects !== objects || (entry.schema !== undefined && entry.schema !== schema) || !sameRole(entry.role, role)) continue;
    const held = grants.get(entry.grantee) ?? new Set<string>();
    for (const privilege of entry.privileges) held.add(privilege);
    grants.set(entry.grantee, held);
  }
  return grants;
}

/** The same role, or both the one that nobody named: a migration's own role stays itself. */
export function sameRole(a: Known<string>, b: Known<string>): boolean {
  return isUnknown(a) ? isUnknown(b) : a === b;
}

/** The words for a kind, as Postgres's messages have them. */
export function kindWord(object: CatalogObject): string {
  return object.kind === 'matview' ? 'materialized view' : object.kind === 'routine' ? object.form : object.kind;
}

/** `schema.name`, or the one name of what has no schema. */
export function printName(object: CatalogObject): string {
  if (isRelation(object) || object.kind === 'type' || object.kind === 'routine')
    return object.name.schema === 'public' || object.name.schema === 'pg_temp' ? object.name.name : `${object.name.schema}.${object.name.name}`;
  return object.name;
}
