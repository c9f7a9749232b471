import type { CommonTableExpr } from '../sql/tree.ts';
import type { Called } from './call.ts';
import type { Lookup, Scope, ScopeColumn, Source, Value } from './scope.ts';
import type { Output } from './output-identities.ts';
import type { Use } from './uses.ts';

/**
 * What the analysis of a query found out, by the nodes of its tree: `incremental/` makes of it what Postgres calls the analysed query. Kept
 * only where somebody asks (`Run.inspection`), for most analyses do not.
 */
export interface Inspection {
  /** The node whose meaning is being found: what is used now, it uses. */
  at: object | undefined;
  /** The node that each use belongs to. */
  readonly places: Map<Use, object>;
  /** Of every expression, by its `{ Kind: … }` node. */
  readonly values: Map<object, Value>;
  /** Of every ColumnRef (the inner object): what it names. */
  readonly columns: Map<object, Lookup>;
  /** Of every FuncCall (the inner object). */
  readonly calls: Map<object, Called>;
  /** Of every item of FROM, by its `{ Kind: … }` node. */
  readonly items: Map<object, Source>;
  /** Of every join, by its inner object: its columns before an alias renames them. */
  readonly joins: Map<object, JoinedColumns>;
  /** The CTE that a RangeVar (the inner object) reads. */
  readonly cteReads: Map<object, CommonTableExpr | undefined>;
  /** Of every plain SELECT. */
  readonly selects: Map<object, { readonly scope: Scope; readonly outputs: readonly Output[]; readonly open: boolean }>;
}

/** The columns of a join: those of USING or NATURAL with their sides first. */
export interface JoinedColumns {
  readonly merged: readonly { readonly column: ScopeColumn; readonly left: ScopeColumn | undefined; readonly right: ScopeColumn | undefined }[];
  readonly columns: readonly ScopeColumn[];
}

export const newInspection = (): Inspection => ({
  at: undefined, places: new Map(), values: new Map(), columns: new Map(), calls: new Map(), items: new Map(), joins: new Map(),
  cteReads: new Map(), selects: new Map(),
});
