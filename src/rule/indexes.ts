import type { Catalog, Index, IndexColumn, Known, Matview } from '../model.ts';
import { list, quote } from './words.ts';

/** Why REFRESH … CONCURRENTLY passes over an index, or undefined when it takes it (measured, facts B). */
export function unusable(index: Index): string | undefined {
  if (!index.unique) return 'it is not unique';
  if (index.predicate !== undefined) return 'it has a WHERE clause';
  if (index.columns.some(column => column.column === undefined)) return 'it contains an expression';
  return index.valid === false ? 'it is invalid' : undefined;
}

/** The indexes that REFRESH … CONCURRENTLY can use: unique, no predicate, plain columns only, valid. */
export function usableUniqueIndexes(matview: Matview, catalog: Catalog): readonly Index[] {
  return catalog.indexesOf(matview.id).filter(index => unusable(index) === undefined);
}

/** Whether CONCURRENTLY finds an index; unknown while nobody knows whether the only candidate is valid. */
export function hasUsableUniqueIndex(matview: Matview, catalog: Catalog): Known<boolean> {
  const candidates = usableUniqueIndexes(matview, catalog);
  if (candidates.some(index => index.valid === true)) return true;
  return candidates.length === 0 ? false : { unknown: `whether ${quote(candidates[0]!.name)} is valid` };
}

/** What stands where a usable unique index is missing: the unique indexes that are passed over, each with its reason. */
export function passedOver(matview: Matview, catalog: Catalog): string {
  const near = catalog.indexesOf(matview.id).filter(index => index.unique && unusable(index) !== undefined);
  return list(near.map(index => `${quote(index.name.name)} is passed over because ${unusable(index)}`));
}

const sameKey = (a: IndexColumn, b: IndexColumn): boolean =>
  a.column === b.column && a.expression === b.expression && a.opclass === b.opclass && a.collation === b.collation;
const sameOrder = (a: IndexColumn, b: IndexColumn): boolean => a.descending === b.descending && a.nullsFirst === b.nullsFirst;

/**
 * Whether two indexes serve the same queries and the same refreshes, whatever their names. The direction counts only with several columns:
 * an index over one column is read from either end.
 */
export function equivalentIndex(a: Index, b: Index): boolean {
  return a.unique === b.unique && a.method === b.method && a.predicate === b.predicate && a.nullsNotDistinct === b.nullsNotDistinct
    && a.columns.length === b.columns.length && [...a.include].sort().join('\0') === [...b.include].sort().join('\0')
    && a.columns.every((column, at) => sameKey(column, b.columns[at]!) && (a.columns.length === 1 || sameOrder(column, b.columns[at]!)));
}
