import { once } from '../memo.ts';
import { offsetKeys } from '../sql/parse.ts';
import type { FuncCall, Node } from '../sql/tree.ts';
import { walk } from '../sql/walk.ts';

/** What stands in an expression at its query's own level: of sub-selects only that there are any. */
export interface Parts {
  readonly calls: readonly FuncCall[];
  /** The names of columns, as nodes. */
  readonly columns: readonly Node[];
  readonly hasSubSelect: boolean;
  /** An aggregate with a grammar of its own (JSON_ARRAYAGG, JSON_OBJECTAGG). */
  readonly hasAggregateForm: boolean;
  /** Calls aside, nothing but kinds of nodes whose value their parts decide. */
  readonly isTransparent: boolean;
}

/** Kinds of nodes whose value their parts decide. Everything else is opaque. */
const transparent = new Set([
  'A_Const', 'Integer', 'Float', 'String', 'Boolean', 'A_Expr', 'BoolExpr', 'NullTest', 'BooleanTest', 'CaseExpr', 'CaseWhen',
  'CoalesceExpr', 'MinMaxExpr', 'TypeCast', 'TypeName', 'SQLValueFunction', 'List', 'A_ArrayExpr', 'RowExpr', 'CollateClause', 'NamedArgExpr',
]);

const none: readonly never[] = [];

/** The parts of an expression, found at once; many questions about one expression ask for them. */
export const partsOf = (node: Node): Parts => ('ColumnRef' in node ? { calls: none, columns: [node], hasSubSelect: false, hasAggregateForm: false, isTransparent: true }
  : collected(node));

const collected = once((node: Node): Parts => {
  const found = new Collector();
  found.see(node);
  const { calls = none, columns = none, hasSubSelect, hasAggregateForm, isTransparent } = found;
  return { calls, columns, hasSubSelect, hasAggregateForm, isTransparent };
});

/** Looks through an expression. The common kinds are looked into by their fields, in three quarters of the time (measured); the others are walked. */
class Collector {
  // Most expressions have one of each at most: a list that grows takes room for many.
  calls: FuncCall[] | undefined;
  columns: Node[] | undefined;
  hasSubSelect = false;
  hasAggregateForm = false;
  isTransparent = true;

  see(node: Node | undefined): void {
    if (node === undefined) return;
    if ('ColumnRef' in node) this.addColumn(node);
    else if ('A_Const' in node || 'String' in node) return;
    else if ('FuncCall' in node) {
      const { args, agg_order, agg_filter, over } = node.FuncCall;
      this.addCall(node.FuncCall);
      this.seeAll(args);
      if (agg_order !== undefined) this.walk(agg_order);
      this.see(agg_filter);
      if (over !== undefined) this.walk({ WindowDef: over });
    } else if ('A_Expr' in node) {
      this.see(node.A_Expr.lexpr);
      this.see(node.A_Expr.rexpr);
    } else if ('TypeCast' in node) {
      this.see(node.TypeCast.arg);
      if (node.TypeCast.typeName?.typmods !== undefined) this.walk({ TypeName: node.TypeCast.typeName });
    } else if ('BoolExpr' in node) this.seeAll(node.BoolExpr.args);
    else if ('CaseExpr' in node) {
      this.see(node.CaseExpr.arg);
      this.seeAll(node.CaseExpr.args);
      this.see(node.CaseExpr.defresult);
    } else if ('CaseWhen' in node) {
      this.see(node.CaseWhen.expr);
      this.see(node.CaseWhen.result);
    } else if ('CoalesceExpr' in node) this.seeAll(node.CoalesceExpr.args);
    else if ('NullTest' in node) this.see(node.NullTest.arg);
    else if ('List' in node) this.seeAll(node.List.items);
    else this.walk(node);
  }

  private seeAll(nodes: readonly Node[] | undefined): void {
    if (nodes !== undefined) for (const node of nodes) this.see(node);
  }

  private walk(tree: unknown): void {
    walk(tree, (kind, inner, whole) => {
      if (kind === 'ColumnRef') {
        this.addColumn(whole as Node);
        return false;
      }
      if (kind === 'SubLink' || kind === 'SelectStmt') {
        this.hasSubSelect = true;
        return false;
      }
      if (kind === 'FuncCall') this.addCall(inner as FuncCall);
      else if (!transparent.has(kind)) {
        this.isTransparent = false;
        if (kind === 'JsonArrayAgg' || kind === 'JsonObjectAgg') this.hasAggregateForm = true;
      }
      return undefined;
    });
  }

  private addColumn(node: Node): void {
    if (this.columns === undefined) this.columns = [node];
    else this.columns.push(node);
  }

  private addCall(call: FuncCall): void {
    if (this.calls === undefined) this.calls = [call];
    else this.calls.push(call);
  }
}

/** A tree without its places, as text: equal for equal expressions. Undefined when it is too deep to print. */
export const plainText = once((node: Node): string | undefined => {
  try {
    return print(node);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
});

function print(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  if (Array.isArray(value)) return `[${value.map(print).join()}]`;
  let text = '{';
  for (const key in value) {
    if (!offsetKeys.has(key)) text += `${key}:${print((value as Record<string, unknown>)[key])},`;
  }
  return `${text}}`;
}
