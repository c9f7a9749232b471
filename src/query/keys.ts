import { once } from '../memo.ts';
import type { Constraint, Evidence, Index, Known, Matview, Table } from '../model.ts';
import { Ids } from './ids.ts';
import { anyRows, factsOfRows, law, noteAt, perhaps, tangled, type Law, type RowFacts } from './laws.ts';
import { isUnknown, newId, type Run, type ScopeColumn } from './scope.ts';
import type { Surroundings } from './surroundings.ts';
import { isBuiltinType, withoutModifier } from './types.ts';

/** Whether another table inherits from this one (partitions are not inheritance here: a partitioned table's key spans its partitions). */
export function isParent(table: Table, catalog: Surroundings): boolean {
  return !table.partitioned && catalog.heirs(table.id).length > 0;
}

/**
 * Column lists that no two rows of the table share and that are never NULL: primary keys, unique constraints and plain unique indexes over
 * NOT NULL columns. None of a parent of inheritance, unless ONLY is written.
 */
export function tableKeys(table: Table, catalog: Surroundings, only: boolean): readonly (readonly string[])[] {
  if (!only && isParent(table, catalog)) return [];
  if (isUnknown(table.columns)) return table.constraints.filter(constraint => constraint.kind === 'primary key').map(constraint =>
    constraint.columns);
  const columns = table.columns;
  const never = (name: string): boolean => columns.some(column => column.name === name && column.notNull === true);
  const lists = table.constraints.filter(({ kind }) => kind === 'primary key' || kind === 'unique').map(constraint => constraint.columns);
  for (const index of catalog.indexesOf(table.id)) {
    if (!index.unique || index.predicate !== undefined || index.valid !== true || index.constraint !== undefined) continue;
    const names = index.columns.flatMap(key => (key.column === undefined || key.expression !== undefined ? [] : [key.column]));
    if (names.length === index.columns.length) lists.push(names);
  }
  return lists.filter(list => list.length > 0 && list.every(never));
}

/** The identities of some columns by name; undefined when one is not known. */
type Find = (names: readonly string[]) => readonly number[] | undefined;

/** The laws of a unique index: its columns decide the row, among rows without NULLs unless none of them can be NULL. */
function ofIndex(index: Index, row: number, find: Find): readonly Law[] {
  if (!index.unique) return [];
  const columns = index.columns.flatMap(key => (key.column === undefined || key.expression !== undefined ? [] : [key.column]));
  const ids = find(columns);
  // An expression may be one to one with a column, so nothing is known of what it reads.
  if (ids === undefined || columns.length < index.columns.length) return [perhaps([], [row])];
  // A partial index says nothing of the other rows, yet the query may read only those that it covers.
  if (index.predicate !== undefined || index.valid !== true) return [perhaps(ids, [row])];
  return [law(ids, [row], index.nullsNotDistinct ? {} : { weak: true })];
}

/** Of several constraints with one name the last. */
const constraintsOf = once(({ constraints }: Table): readonly Constraint[] => [...new Map(constraints.map(constraint => [constraint.name, constraint])).values()]);

function ofConstraint(constraint: Constraint, row: number, find: Find): readonly Law[] {
  const { kind, columns } = constraint;
  if (kind === 'foreign key') return [];
  if (kind === 'exclude') return [perhaps([], [row])];
  const named = kind === 'check' ? constraint.mentions ?? columns : columns;
  const ids = find(named);
  if (kind === 'check') return named.length === 0 || ids === undefined ? [perhaps([], [row])] : tangled(ids);
  return ids === undefined || ids.length === 0 ? [] : [law(ids, [row], { weak: true })];
}

/**
 * What decides the rows of a table: primary keys, unique constraints and plain unique indexes. A parent of inheritance proves nothing,
 * because children repeat its keys (measured, facts H), unless ONLY is written; a partitioned table's keys span its partitions, and a
 * partition may hold one value of a column only.
 */
export function tableFacts(table: Table, columns: readonly ScopeColumn[], run: Run, only: boolean, note: Evidence): RowFacts {
  const { catalog } = run;
  const row = newId(run);
  if (isUnknown(table.columns)) return anyRows(row);
  const find: Find = names => idsOf(names, columns);
  const parent = !only && isParent(table, catalog);
  const all: number[] = [];
  for (const { ids } of columns) all.push(...ids);
  const laws: Law[] = [law([row], all, { missingToo: true, everywhere: true })];
  const add = (more: readonly Law[]): void => {
    for (const { from, to, possible, weak, missingToo } of more) laws.push({ from, to, possible, weak, missingToo, everywhere: true });
  };
  const constraints = constraintsOf(table);
  if (!parent) {
    for (const constraint of constraints) add(ofConstraint(constraint, row, find));
    for (const index of catalog.indexesOf(table.id)) if (index.constraint === undefined
      || index.nullsNotDistinct) add(ofIndex(index, row, find));
  } else if (constraints.some(({ kind }) => kind === 'check' || kind === 'exclude')
    || catalog.heirs(table.id).some(heir => heir.constraints.some(({ kind }) => kind === 'check' || kind === 'exclude'))) {
    add([perhaps([], [row])]);
  }
  if (isPartition(table, catalog)) add([perhaps([], [row])]);
  // A type of the history may have one value.
  for (const { type, ids } of columns) if (isUnknown(type) || !isBuiltinType(type)) laws.push(perhaps([], ids));
  const solid = [row];
  for (const { nullable, ids } of columns) if (nullable === false) solid.push(...ids);
  return factsOfRows([row], laws, Ids.of(solid), { notes: [noteAt(row, note.says, note.span)] });
}

/** Keys that the unique indexes of a materialized view keep, as of its last refresh. */
export function matviewLaws(matview: Matview, columns: readonly ScopeColumn[], rows: readonly number[],
  catalog: Surroundings): readonly Law[] {
  const [row] = rows;
  if (row === undefined) return [];
  return catalog.indexesOf(matview.id).flatMap(index => ofIndex(index, row, names => idsOf(names, columns)))
    .filter(item => !item.possible).map(item => law(item.from, rows, item));
}

function idsOf(names: readonly string[], columns: readonly ScopeColumn[]): readonly number[] | undefined {
  const ids = names.map(name => columns.find(column => column.name === name)?.ids[0]);
  return ids.every(id => id !== undefined) ? ids : undefined;
}

const isPartition = (table: Table, catalog: Surroundings): boolean => table.inherits.some(id => {
  const parent = catalog.get(id);
  return parent?.kind !== 'table' || parent.partitioned;
});

/**
 * Types whose `=` over two different ones is exact; others must be the same (citext = text folds case; a double precision rounds a
 * bigint).
 */
const exactFamilies = [['smallint', 'integer', 'bigint'], ['text', 'character varying']];

/** Whether `a = b` means equality as a unique index over either sees it. */
export function isExact(a: { readonly type: Known<string> }, b: { readonly type: Known<string> }): boolean {
  if (isUnknown(a.type) || isUnknown(b.type)) return false;
  const left = withoutModifier(a.type);
  const right = withoutModifier(b.type);
  return left === right || exactFamilies.some(family => family.includes(left) && family.includes(right));
}

/** Whether `a = constant` leaves one value of `a`. */
export const isFixable = (column: { readonly type: Known<string> }): boolean => !isUnknown(column.type) && isBuiltinType(column.type)
  && column.type !== 'double precision' && column.type !== 'real';
