import type { JsonOutput, Node, TypeName } from '../sql/tree.ts';
import { recordType, value, visit, type Place } from './expression.ts';
import { unknown, unknownValue, type Value } from './scope.ts';

const typed = (type: Value['type'], what: string): Value => ({ ...unknownValue(what), type });
const sure = (type: string): Value => ({ type, literal: false, nullable: false, taints: [] });

/** The type of an XML or JSON form that the grammar knows by itself (transformXmlExpr, transformJson… in parse_expr.c); undefined for other nodes. */
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
  if ('JsonScalarExpr' in node || 'JsonParseExpr' in node) {
    visit(node, place);
    return typed(returning(Object.values(node)[0] as { output?: JsonOutput }, place) ?? 'json', 'a JSON value');
  }
  if ('JsonSerializeExpr' in node) {
    visit(node, place);
    return typed(returning(node.JsonSerializeExpr, place) ?? 'text', 'a JSON text');
  }
  if ('JsonFuncExpr' in node) {
    const { op } = node.JsonFuncExpr;
    visit(node, place);
    const usual = op === 'JSON_EXISTS_OP' ? 'boolean' : op === 'JSON_VALUE_OP' ? 'text' : op === 'JSON_QUERY_OP' ? 'jsonb' : undefined;
    return typed(returning(node.JsonFuncExpr, place) ?? usual ?? unknown('type of the JSON query'), 'a JSON query');
  }
  return constructorValue(node, place);
}

const constructors = ['JsonObjectConstructor', 'JsonArrayConstructor', 'JsonArrayQueryConstructor'] as const;

/** JSON_OBJECT, JSON_ARRAY: json where nothing else is asked for and no part is jsonb, which makes it jsonb (transformJsonConstructorOutput). */
function constructorValue(node: Node, place: Place): Value | undefined {
  for (const kind of constructors) {
    const inner = (node as unknown as Record<string, { output?: JsonOutput } | undefined>)[kind];
    if (inner === undefined) continue;
    visit(node, place);
    const asked = returning(inner, place);
    return asked === undefined ? { ...sure('json'), type: unknown('type of the JSON constructor') } : typed(asked, 'a JSON value');
  }
  return undefined;
}

function returning(node: { readonly output?: JsonOutput }, place: Place): Value['type'] | undefined {
  const typeName: TypeName | undefined = node.output?.typeName;
  return typeName === undefined ? undefined : recordType(typeName, place);
}
