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

/** A pure cache: trees never change. */
const known = new WeakMap<Node, Parts>();

/** The parts of an expression, found in one walk; many questions about one expression ask for them. */
export function partsOf(node: Node): Parts {
  if ('ColumnRef' in node) return { calls: none, columns: [node], hasSubSelect: false, hasAggregateForm: false, isTransparent: true };
  const old = known.get(node);
  if (old !== undefined) return old;
  // Most expressions have one of each at most: a list that grows takes room for many.
  let calls: FuncCall[] | undefined;
  let columns: Node[] | undefined;
  let hasSubSelect = false;
  let hasAggregateForm = false;
  let isTransparent = true;
  walk(node, (kind, inner, whole) => {
    if (kind === 'ColumnRef') {
      if (columns === undefined) columns = [whole as Node];
      else columns.push(whole as Node);
      return false;
    }
    if (kind === 'SubLink' || kind === 'SelectStmt') {
      hasSubSelect = true;
      return false;
    }
    if (kind === 'FuncCall') {
      if (calls === undefined) calls = [inner as FuncCall];
      else calls.push(inner as FuncCall);
    } else if (!transparent.has(kind)) {
      isTransparent = false;
      if (kind === 'JsonArrayAgg' || kind === 'JsonObjectAgg') hasAggregateForm = true;
    }
    return undefined;
  });
  const made: Parts = { calls: calls ?? none, columns: columns ?? none, hasSubSelect, hasAggregateForm, isTransparent };
  known.set(node, made);
  return made;
}

const texts = new WeakMap<Node, { readonly text: string | undefined }>();

/** A tree without its places, as text: equal for equal expressions. Undefined when it is too deep to print. */
export function plainText(node: Node): string | undefined {
  let old = texts.get(node);
  if (old === undefined) {
    old = { text: printed(node) };
    texts.set(node, old);
  }
  return old.text;
}

function printed(node: Node): string | undefined {
  try {
    return print(node);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function print(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  if (Array.isArray(value)) return `[${value.map(print).join()}]`;
  let text = '{';
  for (const key in value) {
    if (!offsetKeys.has(key)) text += `${key}:${print((value as Record<string, unknown>)[key])},`;
  }
  return `${text}}`;
}
