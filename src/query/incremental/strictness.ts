import type { A_Expr, Node } from '../../sql/tree.ts';
import { isUnknown } from '../scope.ts';
import type { Inspected, PlacedUse, RangeEntry } from './inspected.ts';
import { eachPart, kindOf } from './tree-walk.ts';

type Relations = ReadonlySet<RangeEntry>;
const none: Relations = new Set();
const union = (lists: readonly Relations[]): Relations => new Set(lists.flatMap(list => [...list]));
const common = ([first, ...rest]: readonly Relations[]): Relations =>
  new Set([...first ?? none].filter(entry => rest.every(list => list.has(entry))));

/** Uses by the node that they belong to. */
export type UsesByNode = ReadonlyMap<object, readonly PlacedUse[]>;

export function usesByNode(query: Inspected): UsesByNode {
  const map = new Map<object, PlacedUse[]>();
  for (const use of query.uses) {
    const list = map.get(use.node);
    if (list === undefined) map.set(use.node, [use]);
    else list.push(use);
  }
  return map;
}

/** Whether everything that a node itself calls is strict. A function that is not known is not taken for strict. */
const allStrict = (uses: readonly PlacedUse[] | undefined): boolean => (uses ?? []).every(({ strict }) => strict === true);

/** Every item of FROM of the root query that an expression mentions (pull_varnos), outer joins that make its columns NULL among them. */
export function mentioned(query: Inspected, node: unknown): Relations {
  const found = new Set<RangeEntry>();
  eachPart(node, part => {
    if (!('fields' in part)) return;
    const meaning = query.meaningOf(part);
    if (meaning.is !== 'unknown' && meaning.entry.block === query.root) found.add(meaning.entry);
  });
  return found;
}

/**
 * The items of FROM of which no column may be NULL if the condition holds: find_nonnullable_rels in clauses.c. `top`: the condition itself
 * has to be true, else it only has to be not NULL.
 */
export function nonNullable(query: Inspected, uses: UsesByNode, node: Node | undefined, top: boolean): Relations {
  const inner = (part: Node | undefined, isTop = false): Relations => nonNullable(query, uses, part, isTop);
  if (node === undefined) return none;
  if ('ColumnRef' in node) {
    const meaning = query.meaningOf(node.ColumnRef);
    return meaning.is !== 'unknown' && meaning.entry.block === query.root ? new Set([meaning.entry]) : none;
  }
  if ('A_Expr' in node) return ofOperator(node, node.A_Expr, top);
  if ('BoolExpr' in node) {
    const args = node.BoolExpr.args ?? [];
    if (node.BoolExpr.boolop === 'NOT_EXPR') return inner(args[0]);
    const parts = args.map(arg => inner(arg, top));
    return node.BoolExpr.boolop === 'AND_EXPR' && top ? union(parts) : common(parts);
  }
  if ('NullTest' in node) return top && node.NullTest.nulltesttype === 'IS_NOT_NULL' ? inner(node.NullTest.arg) : none;
  if ('BooleanTest' in node) {
    const proves = ['IS_TRUE', 'IS_FALSE', 'IS_NOT_UNKNOWN'].includes(node.BooleanTest.booltesttype ?? '');
    return top && proves ? inner(node.BooleanTest.arg) : none;
  }
  if ('TypeCast' in node) {
    const own = uses.get(node);
    return allStrict(own) && !(own ?? []).some(({ kind }) => kind === 'domain') ? inner(node.TypeCast.arg, top) : none;
  }
  if ('CollateClause' in node) return inner(node.CollateClause.arg, top);
  if ('FuncCall' in node) {
    const own = uses.get(node);
    if (own?.some(({ kind }) => kind !== 'function' && kind !== 'relabel' && kind !== 'io') !== false || !allStrict(own)) return none;
    return union((node.FuncCall.args ?? []).map(arg => inner('NamedArgExpr' in arg ? arg.NamedArgExpr.arg : arg)));
  }
  return none;

  function ofOperator(whole: Node, { kind, lexpr, rexpr }: A_Expr, isTop: boolean): Relations {
    const list = rexpr !== undefined && 'List' in rexpr ? rexpr.List.items ?? [] : [];
    const strict = allStrict(uses.get(whole));
    const either = (parts: readonly Relations[], isAnd: boolean): Relations => (isAnd && isTop ? union(parts) : common(parts));
    switch (kind) {
      case 'AEXPR_BETWEEN': case 'AEXPR_NOT_BETWEEN': case 'AEXPR_BETWEEN_SYM': case 'AEXPR_NOT_BETWEEN_SYM':
        return strict ? either(list.map(bound => union([inner(lexpr), inner(bound)])), kind === 'AEXPR_BETWEEN') : none;
      case 'AEXPR_DISTINCT':
        return isTop && isNull(rexpr) ? inner(lexpr) : isTop && isNull(lexpr) ? inner(rexpr) : none;
      case 'AEXPR_NOT_DISTINCT': case 'AEXPR_NULLIF':
        return none;
      case 'AEXPR_IN': {
        // Items that name no column become one array, of which nothing is strict; the others are compared one by one.
        const [single, ...others] = list;
        if (!strict || single === undefined) return none;
        const parts = list.map(item => union([inner(lexpr), mentioned(query, item).size > 0 || others.length === 0 ? inner(item) : none]));
        return either(parts, whole !== undefined && 'A_Expr' in whole && nameOf(whole.A_Expr) === '<>');
      }
      default: {
        const [left, right] = [rowOf(lexpr), rowOf(rexpr)];
        if (left !== undefined && right !== undefined && left.length === right.length) {
          const parts = left.map((item, at) => union([inner(item), inner(right[at])]));
          return nameOf({ ...(whole as { A_Expr: A_Expr }).A_Expr }) === '=' && strict ? either(parts, true) : none;
        }
        return strict ? union([inner(lexpr), inner(rexpr)]) : none;
      }
    }
  }
}

const isNull = (node: Node | undefined): boolean => node !== undefined && 'A_Const' in node && node.A_Const.isnull === true;
const rowOf = (node: Node | undefined): readonly Node[] | undefined => (node !== undefined && 'RowExpr' in node ? node.RowExpr.args ?? []
  : undefined);
const nameOf = ({ name }: A_Expr): string => {
  const last = name?.at(-1);
  return last !== undefined && 'String' in last ? last.String.sval ?? '' : '';
};

/** Kinds of nodes that can give a value although an argument is NULL (contain_nonstrict_functions in clauses.c). */
const lenient = new Set(['CaseExpr', 'CoalesceExpr', 'MinMaxExpr', 'RowExpr', 'A_ArrayExpr', 'NullTest', 'BooleanTest', 'SubLink',
  'GroupingFunc', 'XmlExpr',
  'JsonObjectConstructor', 'JsonArrayConstructor', 'JsonArrayQueryConstructor', 'JsonObjectAgg', 'JsonArrayAgg', 'JsonScalarExpr',
    'JsonParseExpr', 'JsonSerializeExpr']);
const lenientOperations = new Set(['AEXPR_DISTINCT', 'AEXPR_NOT_DISTINCT', 'AEXPR_NULLIF', 'AEXPR_BETWEEN', 'AEXPR_NOT_BETWEEN',
  'AEXPR_BETWEEN_SYM', 'AEXPR_NOT_BETWEEN_SYM']);

/** The first part of an expression that is not strict; undefined when all of it surely is. */
export function nonStrictPart(uses: UsesByNode, node: unknown): object | undefined {
  let found: object | undefined;
  eachPart(node, part => {
    if (found !== undefined) return false;
    const kind = kindOf(part);
    if (kind !== undefined && lenient.has(kind)) found = part;
    else if ('BoolExpr' in part && (part as { BoolExpr: { boolop?: string } }).BoolExpr.boolop !== 'NOT_EXPR') found = part;
    else if ('A_Expr' in part) {
      const { kind: form, rexpr } = (part as { A_Expr: A_Expr }).A_Expr;
      if (lenientOperations.has(form ?? '') || (form === 'AEXPR_IN' && rexpr !== undefined && 'List' in rexpr
        && (rexpr.List.items?.length ?? 0) > 1)) found = part;
    }
    if (found === undefined && (uses.get(part) ?? []).some(({ strict }) => !isUnknown(strict) && !strict)) found = part;
    return undefined;
  });
  return found;
}
