import type { Known, Volatility } from '../../model.ts';
import type { Node } from '../../sql/tree.ts';
import type { Inspection } from '../inspection.ts';
import { unknown } from '../scope.ts';
import type { SqlType, Types } from '../sql-type.ts';
import { typeOfValue } from '../types.ts';
import { eachPart } from './tree-walk.ts';

/** How stable a constructor or query of SQL/JSON is; undefined for other nodes (contain_mutable_functions_walker in clauses.c). */
export function jsonUse(node: Node, seen: Inspection,
  types: Types): { readonly says: string; readonly volatility: Known<Volatility> } | undefined {
  if ('JsonFuncExpr' in node) return { says: 'the SQL/JSON query', volatility: pathVolatility(node.JsonFuncExpr) };
  const inner = 'JsonObjectConstructor' in node ? node.JsonObjectConstructor : 'JsonArrayConstructor' in node ? node.JsonArrayConstructor
    : 'JsonScalarExpr' in node ? node.JsonScalarExpr : undefined;
  if (inner === undefined) return undefined;
  const parts: (SqlType | undefined)[] = [];
  eachPart(inner, part => {
    const worth = seen.values.get(part);
    if (worth === undefined) return undefined;
    parts.push(typeOfValue(worth, types));
    return false;
  });
  const says = 'the JSON constructor';
  if (parts.includes(undefined)) return { says, volatility: unknown('the type of a value in the JSON constructor') };
  return { says, volatility: parts.every(type => isSteady(type!, types)) ? 'immutable' : 'stable' };
}

/** to_json_is_immutable and to_jsonb_is_immutable: dates depend on the session, arrays and rows are not looked into. */
function isSteady(type: SqlType, types: Types): boolean {
  const base = types.baseOf(type);
  if (base.element !== undefined || base.kind === 'composite' || base.key === 'record') return false;
  return base.key === 'unknown' || base.output === 'immutable';
}

/** jspIsMutable: only the methods and comparisons of dates are; a path that is no constant is always taken to be. */
function pathVolatility({ pathspec }: { readonly pathspec?: Node }): Known<Volatility> {
  if (pathspec === undefined || !('A_Const' in pathspec)) return 'stable';
  const text = pathspec.A_Const.sval?.sval ?? '';
  if (!/\.\s*(datetime|date|time|time_tz|timestamp|timestamp_tz)\s*\(/.test(text)) return 'immutable';
  return unknown('whether the date methods of the JSON path depend on the session');
}
