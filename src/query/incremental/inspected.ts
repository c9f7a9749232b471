import type { Known, Matview, ObjectId, Relation, Span, Statement, Table, View, Volatility } from '../../model.ts';
import type { CommonTableExpr, JoinExpr, Node, SelectStmt } from '../../sql/tree.ts';
import type { Called } from '../call.ts';
import type { ScopeColumn, Value } from '../scope.ts';
import type { SqlType, Types } from '../sql-type.ts';
import type { Use } from '../uses.ts';

/**
 * A query as an engine sees it: what parse analysis makes of the tree (Query in nodes/parsenodes.h), with the places in the text. The tree
 * itself stays as it was written; the answers below are asked by its nodes.
 */
export interface Inspected {
  readonly statement: Statement;
  readonly root: Block;
  /** Every query in it, an outer one before the inner ones, in the order of the text. */
  readonly blocks: readonly Block[];
  /** Every function, operator and conversion, SQL's keywords among them; the nodes of one place stand together. */
  readonly uses: readonly PlacedUse[];
  /** What the defaults of arguments that a call leaves out use. Some engines look at them, others do not. */
  readonly defaults: readonly PlacedUse[];
  /** What is not known, the cause of others first. Empty: everything is. */
  readonly missing: readonly Missing[];
  readonly types: Types;
  /** The query of a SELECT in the tree. */
  blockOf(select: object): Block | undefined;
  /** What a ColumnRef (the inner object) names. */
  meaningOf(column: object): ColumnMeaning;
  /** What a column of a scope stands for: that of a select list's `*`, the sides of USING. */
  columnMeaning(column: ScopeColumn): ColumnMeaning;
  /** What a FuncCall (the inner object) was found to call. */
  callOf(call: object): Called | undefined;
  /** What an expression is worth, by its `{ Kind: … }` node. */
  valueOf(node: object): Value | undefined;
  /** Its type; undefined when it is not known. */
  typeOf(node: object): SqlType | undefined;
  /** The place in the source of a node or inner object. */
  spanOf(node: object): Span;
}

export type BlockRole = 'query' | 'sub-select' | 'CTE' | 'sublink' | 'set operand';

/** One query of a query. */
export interface Block {
  readonly select: SelectStmt;
  readonly role: BlockRole;
  /** The query around it. */
  readonly outer?: Block;
  /** `union`: the arms are its `operands`, and it has no FROM of its own. */
  readonly form: 'select' | 'values' | 'set operation';
  /** In the order in which parse analysis adds them: an item of FROM after what it is made of. */
  readonly range: readonly RangeEntry[];
  readonly from: readonly FromNode[];
  /** The select list, `*` spelled out. */
  readonly targets: readonly Target[];
  readonly ctes: readonly Cte[];
  /** The arms of a set operation, the first one first. */
  readonly operands: readonly Block[];
  /** FuncCall, JsonArrayAgg and JsonObjectAgg nodes that aggregate over its rows, wherever they stand. */
  readonly aggregates: readonly object[];
  /** GROUPING(…) nodes of its grouping sets; Postgres counts them as aggregates. */
  readonly groupings: readonly object[];
  /** Calls with OVER. */
  readonly windowCalls: readonly object[];
  /** What `*` stands for is not known. */
  readonly open: boolean;
}

export interface Target {
  readonly name: string;
  /** The expression; absent for a column that `*` stands for. */
  readonly node?: Node;
  /** Set when the value is nothing but this column. */
  readonly column?: ScopeColumn;
  readonly type: SqlType | undefined;
  readonly span: Span;
}

/** An item of FROM: RangeTblEntry. */
export interface RangeEntry {
  readonly kind: 'relation' | 'sub-select' | 'function' | 'values' | 'CTE' | 'join' | 'table function' | 'unknown';
  readonly block: Block;
  /** The alias, or the name. */
  readonly name: string;
  readonly span: Span;
  readonly node: object;
  /** Of a relation, where it is known. */
  readonly relation?: Relation;
  /** Of a sub-select. */
  readonly query?: Block;
  readonly cte?: Cte;
  readonly join?: Join;
  readonly columns: readonly ScopeColumn[];
  readonly lateral: boolean;
  readonly sampled: boolean;
}

export type JoinKind = 'inner' | 'left' | 'right' | 'full';

/** The join tree: an entry, or a join of two trees. */
export type FromNode = { readonly entry: RangeEntry } | { readonly join: Join };

export interface Join {
  readonly kind: JoinKind;
  readonly node: JoinExpr;
  readonly left: FromNode;
  readonly right: FromNode;
  readonly on?: Node;
  /** The columns of USING and NATURAL with their sides. */
  readonly merged: readonly { readonly column: ScopeColumn; readonly left: ScopeColumn | undefined; readonly right: ScopeColumn | undefined }[];
  readonly entry: RangeEntry;
}

export interface Cte {
  readonly name: string;
  readonly node: CommonTableExpr;
  readonly block: Block;
  /** Absent for INSERT, UPDATE, DELETE and MERGE. */
  readonly query?: Block;
  /** How often FROM names it; its own recursion does not count. */
  readonly references: number;
  readonly span: Span;
}

/** What a name stands for: Var. */
export type ColumnMeaning =
  | { readonly is: 'column'; readonly entry: RangeEntry; /** From 0. */ readonly at: number; readonly column: ScopeColumn }
  /** The column that USING makes of two that are not of one type, or that a full join makes of both. */
  | { readonly is: 'merged'; readonly entry: RangeEntry; readonly column: ScopeColumn; readonly sides: readonly ScopeColumn[] }
  | { readonly is: 'system'; readonly entry: RangeEntry; readonly name: string }
  | { readonly is: 'row'; readonly entry: RangeEntry }
  | { readonly is: 'unknown' };

export interface PlacedUse {
  readonly kind: Use['kind'] | 'keyword' | 'json';
  /** `now()`, `the operator + over timestamptz and interval`, `the conversion of date to text`. */
  readonly says: string;
  readonly volatility: Known<Volatility>;
  readonly strict: Known<boolean>;
  readonly use?: Use;
  /** The routine of the history that is called. */
  readonly routine?: ObjectId;
  /** In the source, in the routine's own statement for a default. */
  readonly span: Span;
  /** The node, or inner object, that it belongs to. */
  readonly node: object;
}

/** A fact that the history does not show. */
export interface Missing {
  readonly what: string;
  readonly span: Span;
}

/** What can be inspected: a view of the catalog, or a query as a text that names things as the session finds them. */
export type Subject = View | Matview | Statement;

/** The table that an item of FROM is. */
export const tableOf = ({ relation }: RangeEntry): Table | undefined => (relation?.kind === 'table' ? relation : undefined);
