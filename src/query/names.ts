import type { Node } from '../sql/tree.ts';

/** The last plain name in a list of String nodes (`public.f` → `f`, `t.*` → `t`). */
export function lastName(list: readonly Node[] | undefined): string | undefined {
  for (let i = (list?.length ?? 0) - 1; i >= 0; i -= 1) {
    const item = list![i]!;
    if ('String' in item) return item.String.sval ?? '';
  }
  return undefined;
}

/** Every String of a list. */
export function strings(list: readonly Node[] | undefined): string[] {
  // Most names are of one word or two: a list that grows takes room for many.
  const first = list?.[0];
  const second = list?.[1];
  if (list !== undefined && list.length < 3 && first !== undefined && 'String' in first) {
    if (second === undefined) return [first.String.sval ?? ''];
    if ('String' in second) return [first.String.sval ?? '', second.String.sval ?? ''];
  }
  const found: string[] = [];
  if (list !== undefined) for (const item of list) if ('String' in item) found.push(item.String.sval ?? '');
  return found;
}

interface Figured {
  readonly name: string;
  /** 2: a name of the expression itself; 1: one that a better name may replace (a type, `case`). */
  readonly strength: 1 | 2;
}

const fixed: Readonly<Record<string, string>> = {
  GroupingFunc: 'grouping', MergeSupportFunc: 'merge_action', A_ArrayExpr: 'array', RowExpr: 'row', CoalesceExpr: 'coalesce',
    XmlSerialize: 'xmlserialize',
  JsonParseExpr: 'json', JsonScalarExpr: 'json_scalar', JsonSerializeExpr: 'json_serialize', JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array', JsonArrayQueryConstructor: 'json_array', JsonObjectAgg: 'json_objectagg',
    JsonArrayAgg: 'json_arrayagg',
};
const xmlNames: Readonly<Record<string, string>> = {
  IS_XMLCONCAT: 'xmlconcat', IS_XMLELEMENT: 'xmlelement', IS_XMLFOREST: 'xmlforest', IS_XMLPARSE: 'xmlparse', IS_XMLPI: 'xmlpi',
    IS_XMLROOT: 'xmlroot',
  IS_XMLSERIALIZE: 'xmlserialize',
};
const jsonNames: Readonly<Record<string, string>> = { JSON_EXISTS_OP: 'json_exists', JSON_QUERY_OP: 'json_query',
  JSON_VALUE_OP: 'json_value' };

/**
 * The name Postgres gives an unlabelled select-list item (FigureColname in parse_target.c; measured in the tests).
 * `subquery` answers the first output name of a scalar sub-select; undefined means that it is not known.
 */
export function outputName(node: Node | undefined, subquery: (select: Node) => string | undefined): string | undefined {
  let known = true;
  const figure = (item: Node | undefined, depth: number): Figured | undefined => {
    if (item === undefined || depth > 200) return undefined;
    const kind = Object.keys(item)[0] ?? '';
    const simple = fixed[kind];
    if (simple !== undefined) return { name: simple, strength: 2 };
    if ('ColumnRef' in item) return strong(lastName(item.ColumnRef.fields));
    if ('FuncCall' in item) return strong(lastName(item.FuncCall.funcname));
    if ('A_Indirection' in item) return strong(lastName(item.A_Indirection.indirection)) ?? figure(item.A_Indirection.arg, depth + 1);
    if ('A_Expr' in item) return item.A_Expr.kind === 'AEXPR_NULLIF' ? { name: 'nullif', strength: 2 } : undefined;
    if ('CollateClause' in item) return figure(item.CollateClause.arg, depth + 1);
    if ('MinMaxExpr' in item) return { name: item.MinMaxExpr.op === 'IS_LEAST' ? 'least' : 'greatest', strength: 2 };
    if ('SQLValueFunction' in item) return { name: valueFunctionName(item.SQLValueFunction.op ?? ''), strength: 2 };
    if ('XmlExpr' in item) return strong(xmlNames[item.XmlExpr.op ?? '']);
    if ('JsonFuncExpr' in item) return strong(jsonNames[item.JsonFuncExpr.op ?? '']);
    if ('TypeCast' in item) {
      const inner = figure(item.TypeCast.arg, depth + 1);
      if (inner?.strength === 2) return inner;
      const type = lastName(item.TypeCast.typeName?.names);
      return type === undefined ? inner : { name: type, strength: 1 };
    }
    if ('CaseExpr' in item) {
      const inner = figure(item.CaseExpr.defresult, depth + 1);
      return inner?.strength === 2 ? inner : { name: 'case', strength: 1 };
    }
    if ('SubLink' in item) {
      const { subLinkType, subselect } = item.SubLink;
      if (subLinkType === 'EXISTS_SUBLINK') return { name: 'exists', strength: 2 };
      if (subLinkType === 'ARRAY_SUBLINK') return { name: 'array', strength: 2 };
      if (subLinkType !== 'EXPR_SUBLINK' || subselect === undefined) return undefined;
      const name = subquery(subselect);
      if (name === undefined) known = false;
      return name === undefined ? undefined : { name, strength: 2 };
    }
    return undefined;
  };
  const figured = figure(node, 0);
  if (!known) return undefined;
  return figured?.name ?? '?column?';
}

const strong = (name: string | undefined): Figured | undefined => (name === undefined ? undefined : { name, strength: 2 });

/** SVFOP_CURRENT_TIMESTAMP_N → current_timestamp. */
export function valueFunctionName(op: string): string {
  return op.replace(/^SVFOP_/, '').replace(/_N$/, '').toLowerCase();
}
