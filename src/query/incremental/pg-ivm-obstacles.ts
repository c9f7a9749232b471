import type { Evidence, Obstacle, Span } from '../../model.ts';

/** Why pg_ivm takes a query or not: stable names of our own, in the order in which the extension looks (measured, facts on pg_ivm 1.16). */
export type PgIvmCode =
  | 'not-one-query' | 'not-a-select' | 'select-into' | 'temporary-source' | 'modifying-cte' | 'parameter' | 'no-equality' | 'mutable-function'
  | 'group-by-without-aggregate' | 'having' | 'order-by' | 'limit' | 'distinct-on' | 'window-function' | 'grouping-sets' | 'set-operation' | 'no-columns'
  | 'row-lock' | 'recursive' | 'system-column' | 'no-btree-order' | 'nested-distinct' | 'nested-aggregate'
  | 'tablesample' | 'partitioned-table' | 'partition' | 'inheritance-parent' | 'foreign-table' | 'view' | 'values' | 'immv-source'
  | 'reserved-column-name' | 'aggregate-in-expression' | 'aggregate-filter' | 'aggregate-distinct' | 'aggregate-order' | 'aggregate-function'
  | 'outer-join-with-subquery' | 'outer-join-with-aggregate' | 'subquery-expression' | 'exists-under-or-not' | 'nested-exists' | 'with-in-exists'
  | 'exists-with-outer-join' | 'reserved-cte-name' | 'unreferenced-cte' | 'exists-column-not-selected' | 'outer-join-condition'
  | 'outer-join-column-not-selected' | 'outer-join-where' | 'outer-join-non-strict' | 'exists-with-aggregate' | 'group-key-not-selected'
  | 'sequence-source' | 'no-collation' | 'duplicate-column' | 'record-column';

/** What pg_ivm takes and then does wrong. */
export type PgIvmHazard =
  | 'quoted-table-name' | 'quoted-column-name' | 'virtual-generated-column' | 'whole-row-value' | 'json-inside-value' | 'outer-join-over-cte' | 'outer-join-over-function'
  | 'lateral-in-exists' | 'set-returning-column' | 'outer-join-of-one-table' | 'outer-join-beside-join' | 'table-read-twice' | 'floating-point-sum';

const suffix = ' supported on incrementally maintainable materialized view';
export const notAllowed = 'this query is not allowed on incrementally maintainable materialized view';

/** The extension's message with its usual ending. */
export const notSupported = (what: string, verb: 'is' | 'are' = 'is'): string => `${what} ${verb} not${suffix}`;

/** An obstacle at one place. */
export function obstacle(code: PgIvmCode | PgIvmHazard, says: string, span: Span,
  rest: { readonly message?: string; readonly hint?: string; readonly before?: readonly Evidence[]; readonly here?: string } =
  {}): Obstacle {
  const { message, hint, before = [], here = says } = rest;
  const path = [...before, { span, says: here }] as unknown as Obstacle['evidence'];
  return { code, ...(message === undefined ? {} : { message }), ...(hint === undefined ? {} : { hint }), says, evidence: path };
}
