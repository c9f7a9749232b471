import type { Table } from '../model.ts';
import { isUnknown, type Key, type ScopeColumn } from './scope.ts';
import type { Surroundings } from './surroundings.ts';
import { isBuiltinType, withoutModifier } from './types.ts';

/** At most so many keys are followed: joins multiply them. */
const most = 6;

/** Drops keys that contain another one, the shortest first. */
export function minimal(keys: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const kept: (readonly number[])[] = [];
  for (const key of keys.map(key => [...new Set(key)].sort((a, b) => a - b)).sort((a, b) => a.length - b.length)) {
    if (!kept.some(other => other.every(id => key.includes(id)))) kept.push(key);
  }
  return kept.slice(0, most);
}

/** Whether another table inherits from this one (partitions are not inheritance here: a partitioned table's key spans its partitions). */
export function isParent(table: Table, catalog: Surroundings): boolean {
  return !table.partitioned && catalog.heirs(table.id).length > 0;
}

/**
 * Column lists that no two rows of the table share and that are never NULL: primary keys, unique constraints and plain unique indexes over
 * NOT NULL columns.
 * A parent of inheritance proves nothing, because children repeat its keys (measured, facts H), unless ONLY is written.
 */
export function tableKeys(table: Table, catalog: Surroundings, only: boolean): readonly (readonly string[])[] {
  if (!only && isParent(table, catalog)) return [];
  if (isUnknown(table.columns)) return table.constraints.filter(constraint => constraint.kind === 'primary key').map(constraint =>
    constraint.columns);
  const columns = table.columns;
  const never = (name: string): boolean => columns.some(column => column.name === name && column.notNull === true);
  const lists = table.constraints.filter(constraint => constraint.kind === 'primary key'
    || (constraint.kind === 'unique' && constraint.columns.every(never)))
    .map(constraint => constraint.columns);
  for (const index of catalog.indexesOf(table.id)) {
    if (!index.unique || index.predicate !== undefined || index.valid !== true || index.constraint !== undefined) continue;
    const names = index.columns.flatMap(key => (key.column === undefined || key.expression !== undefined ? [] : [key.column]));
    if (names.length === index.columns.length && names.every(never)) lists.push(names);
  }
  return lists.filter(list => list.length > 0);
}

/** Two columns that a condition equates so that equal values are equal to a unique index too. */
export type Equality = readonly [ScopeColumn, ScopeColumn];

/**
 * Types whose `=` over two different ones is exact; others must be the same (citext = text folds case; a double precision rounds a
 * bigint).
 */
const exactFamilies = [['smallint', 'integer', 'bigint'], ['text', 'character varying']];

/** Whether `a = b` means equality as a unique index over either sees it. */
export function isExact(a: ScopeColumn, b: ScopeColumn): boolean {
  if (isUnknown(a.type) || isUnknown(b.type)) return false;
  const left = withoutModifier(a.type);
  const right = withoutModifier(b.type);
  return left === right || exactFamilies.some(family => family.includes(left) && family.includes(right));
}

/** Whether `a = constant` leaves one value of `a`. */
export const isFixable = (column: ScopeColumn): boolean => !isUnknown(column.type) && isBuiltinType(column.type)
  && column.type !== 'double precision' && column.type !== 'real';

/** What is known of the rows of one side of a join. */
export interface Side {
  readonly keys: readonly Key[];
  readonly columns: readonly ScopeColumn[];
  /** Its keys hold for one row of what stands to its left (LATERAL), not for all. */
  readonly perRow: boolean;
}

export interface Condition {
  readonly equalities: readonly Equality[];
  /** Identities that the condition binds to a constant. */
  readonly fixed: ReadonlySet<number>;
}

const idsOf = (columns: readonly ScopeColumn[]): ReadonlySet<number> => new Set(columns.flatMap(column => column.ids));

/** Whether a row of the other side meets at most one row of `side`. */
function meetsOne(side: Side, condition: Condition): boolean {
  const own = idsOf(side.columns);
  const bound = new Set(condition.fixed);
  for (const [a, b] of condition.equalities) {
    const aOwn = a.ids.some(id => own.has(id));
    const bOwn = b.ids.some(id => own.has(id));
    if (aOwn === bOwn) continue;
    for (const id of aOwn ? a.ids : b.ids) bound.add(id);
  }
  return side.keys.some(key => key.every(id => bound.has(id)));
}

const pairs = (left: Side, right: Side): Key[] => left.keys.flatMap(a => right.keys.map(b => [...a, ...b]));

/** The keys of a join (measured, facts H): many-to-one keeps the many side's keys, else a pair of keys is one; NULLs do not join. */
export function joinKeys(type: 'inner' | 'left' | 'right' | 'full', left: Side, right: Side, condition: Condition): readonly Key[] {
  if (type === 'full') {
    const never = new Set([...left.columns, ...right.columns].filter(column => column.nullable === false).flatMap(column => column.ids));
    const solid = (key: Key): boolean => key.length > 0 && key.every(id => never.has(id));
    return minimal(pairs({ ...left, keys: left.keys.filter(solid) }, { ...right, keys: right.keys.filter(solid) }));
  }
  const keys: Key[] = [];
  if (type !== 'right' && meetsOne(right, condition)) keys.push(...left.keys);
  if (type !== 'left' && !right.perRow && meetsOne(left, condition)) keys.push(...right.keys);
  return minimal(keys.length > 0 ? keys : pairs(left, right));
}

/** Keys after a filter that binds columns to constants. */
export function filterKeys(keys: readonly Key[], fixed: ReadonlySet<number>): readonly Key[] {
  return fixed.size === 0 ? keys : minimal(keys.map(key => key.filter(id => !fixed.has(id))));
}
