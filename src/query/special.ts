import type { JsonAggConstructor, JsonOutput, JsonValueExpr, Node, TypeName } from '../sql/tree.ts';
import { recordType, value, visit, type Place } from './expression.ts';
import { aggregateTaint } from './order-taints.ts';
import { envWithin, isUnknown, unionTaints, unknown, unknownValue, type Value } from './scope.ts';
import { analyze } from './select.ts';
import { typesIn } from './sql-type.ts';
import { typeOfValue } from './types.ts';
import { placed, useCoercion } from './uses.ts';

const typed = (type: Value['type'], what: string): Value => ({ ...unknownValue(what), type });

/**
 * The type of an XML or JSON form that the grammar knows by itself (transformXmlExpr, transformJson… in parse_expr.c); undefined for
 * other nodes.
 */
export function specialValue(node: Node, place: Place): Value | undefined {
  if ('XmlExpr' in node) {
    visit(node, place);
    return typed(node.XmlExpr.op === 'IS_DOCUMENT' ? 'boolean' : 'xml', 'an XML value');
  }
  if ('XmlSerialize' in node) {
    value(node.XmlSerialize.expr, place);
    return typed(recordType(node.XmlSerialize.typeName, place), 'an XML text');
  }
  if ('JsonIsPredicate' in node) {
    visit(node, place);
    return typed('boolean', 'a JSON test');
  }
  if ('JsonScalarExpr' in node) {
    visit(node, place);
    return typed(returning(node.JsonScalarExpr, place) ?? 'json', 'a JSON value');
  }
  if ('JsonParseExpr' in node) return throughText(node.JsonParseExpr.expr, returning(node.JsonParseExpr, place) ?? 'json', place);
  if ('JsonSerializeExpr' in node) return throughText(node.JsonSerializeExpr.expr, returning(node.JsonSerializeExpr, place) ?? 'text',
    place);
  if ('JsonFuncExpr' in node) {
    const { op } = node.JsonFuncExpr;
    visit(node, place);
    const usual = op === 'JSON_EXISTS_OP' ? 'boolean' : op === 'JSON_VALUE_OP' ? 'text' : op === 'JSON_QUERY_OP' ? 'jsonb' : undefined;
    return typed(returning(node.JsonFuncExpr, place) ?? usual ?? unknown('type of the JSON query'), 'a JSON query');
  }
  return constructorValue(node, place);
}

/** JSON(x) and JSON_SERIALIZE(x) are casts in their own words. */
function throughText(expression: JsonValueExpr | undefined, type: Value['type'], place: Place): Value {
  const types = typesIn(place.run.catalog);
  const inner = value(expression?.raw_expr, place);
  const [from, to] = [typeOfValue(inner, types), types.parse(type)];
  if (from !== undefined && to !== undefined) useCoercion(place.run, types, from, to.type, 'explicit');
  return { ...typed(type, 'a JSON value'), taints: inner.taints };
}

/** The values that stand in a JSON constructor. */
function partsOf(nodes: readonly (Node | undefined)[]): readonly Node[] {
  return nodes.flatMap(node => {
    if (node === undefined) return [];
    if ('JsonKeyValue' in node) return partsOf([node.JsonKeyValue.key, node.JsonKeyValue.value?.raw_expr]);
    return 'JsonValueExpr' in node ? partsOf([node.JsonValueExpr.raw_expr]) : [node];
  });
}

/**
 * JSON_OBJECT, JSON_ARRAY and their aggregates: json, or jsonb where a part of it is (transformJsonConstructorOutput), unless RETURNING
 * says.
 */
function constructorValue(node: Node, place: Place): Value | undefined {
  if ('JsonObjectConstructor' in node || 'JsonArrayConstructor' in node) {
    const inner = 'JsonObjectConstructor' in node ? node.JsonObjectConstructor : node.JsonArrayConstructor;
    const values = partsOf(inner.exprs ?? []).map(part => value(part, place));
    return { ...constructed(values, returning(inner, place), place), nullable: false };
  }
  if ('JsonArrayQueryConstructor' in node) {
    const inner = node.JsonArrayQueryConstructor;
    const shape = inner.query === undefined ? undefined
      : analyze(inner.query, place.run, envWithin(place.scope, place.env.ctes, place.env.depth + 1));
    const column = shape?.columns[0];
    const values = column === undefined ? [unknownValue('the query')] : [{ ...unknownValue('the query'), type: column.type,
      taints: column.taints }];
    return aggregated('agg', inner.absent_on_null === true, false, values, returning(inner, place), place);
  }
  if ('JsonArrayAgg' in node || 'JsonObjectAgg' in node) {
    const isArray = 'JsonArrayAgg' in node;
    const inner = isArray ? node.JsonArrayAgg : node.JsonObjectAgg;
    const own: JsonAggConstructor = (Object.hasOwn(inner, 'constructor') ? inner.constructor : undefined) ?? {};
    const parts = isArray ? [node.JsonArrayAgg.arg?.raw_expr] : [node.JsonObjectAgg.arg?.key, node.JsonObjectAgg.arg?.value?.raw_expr];
    const values = parts.map(part => value(part, place));
    visit({ ...own, output: undefined }, place);
    const isUnique = 'unique' in inner && inner.unique === true;
    const result = aggregated(isArray ? 'agg' : 'object_agg', inner.absent_on_null === true, isUnique, values, returning(own, place), place,
      own.over !== undefined);
    const { order } = place.scope;
    if (order === undefined || own.over !== undefined) return result;
    const isKeyed = !isArray && result.type === 'jsonb';
    return { ...result, taints: unionTaints(result.taints,
      aggregateTaint('aggregate', parts.flatMap(part => part ?? []), own.agg_order, isKeyed, own.location, place, order)) };
  }
  return undefined;
}

function constructed(values: readonly Value[], asked: Value['type'] | undefined, place: Place): Value {
  const types = typesIn(place.run.catalog);
  const inputs = values.map(item => typeOfValue(item, types));
  const usual = inputs.some(type => type?.key === 'jsonb') ? 'jsonb' : inputs.includes(undefined) ? unknown('type of the JSON constructor')
    : 'json';
  return { ...typed(asked ?? usual, 'a JSON value'), taints: unionTaints(...values.map(item => item.taints)) };
}

/** The aggregate behind the form: json_agg_strict and the like. */
function aggregated(form: 'agg' | 'object_agg', strict: boolean, unique: boolean, values: readonly Value[],
  asked: Value['type'] | undefined, place: Place,
  over = false): Value {
  const result = constructed(values, asked, place);
  const base = isUnknown(result.type) ? undefined : result.type === 'jsonb' ? 'jsonb' : 'json';
  const name = `${base}_${form}${unique ? '_unique' : ''}${strict ? '_strict' : ''}`;
  const [row] = base === undefined ? [] : typesIn(place.run.catalog).builtins.functions(name);
  if (row === undefined) place.run.uses?.push(placed(place.run, { kind: 'unresolved', target: name }));
  else place.run.uses?.push(placed(place.run, { kind: over ? 'window' : 'aggregate', name, arguments: row.arguments }));
  return result;
}

function returning(node: { readonly output?: JsonOutput }, place: Place): Value['type'] | undefined {
  const typeName: TypeName | undefined = node.output?.typeName;
  return typeName === undefined ? undefined : recordType(typeName, place);
}
