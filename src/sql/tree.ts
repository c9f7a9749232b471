/**
 * The syntax tree as libpg_query 18 writes it: types only, no code. Every other layer takes tree types from here, so that one
 * folder knows the parser. A child typed `Node` is wrapped (`{ ColumnRef: { … } }`); a child typed by its own interface is bare
 * (`SelectStmt.larg`, `IntoClause.rel`, `TypeCast.typeName`); `walk` knows both.
 *
 * Fields with their zero value are left out by the parser: `location` 0, `ival` 0, `false`, empty lists.
 */
export type * from '@pgsql/types';
