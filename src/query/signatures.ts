import type { BuiltinFunction } from '../builtins/builtins.ts';
import { newMemo, once } from '../memo.ts';
import type { Known, ObjectId, Routine, Volatility } from '../model.ts';
import { parse } from '../sql/parse.ts';
import { typeText } from '../sql/type-name.ts';
import type { CreateFunctionStmt, FunctionParameter, Node } from '../sql/tree.ts';
import { isUnknown } from './scope.ts';
import type { SqlType, Types } from './sql-type.ts';

/** A function as a call sees it, built in or of the history. */
export interface Signature {
  readonly name: string;
  readonly kind: BuiltinFunction['kind'];
  readonly arguments: readonly SqlType[];
  /** The keys of the arguments' types. */
  readonly keys: readonly string[];
  readonly names: readonly string[];
  readonly defaults: number;
  /** The element of a VARIADIC array; `any` takes everything as it is. */
  readonly variadic?: SqlType;
  /** Absent when it is not known. */
  readonly result?: SqlType;
  readonly returnsSet: boolean;
  readonly volatility: Known<Volatility>;
  readonly strict: Known<boolean>;
  /** The columns of a row result; unknown when the call must name them or they are not known. */
  readonly columns?: readonly { readonly name: string; readonly type: Known<string> }[];
  readonly aggregate?: BuiltinFunction['aggregate'];
  /** Set for a routine of the history. */
  readonly routine?: ObjectId;
}

const ofBuiltins = newMemo<BuiltinFunction, Signature>();

export function builtinSignature(row: BuiltinFunction, types: Types): Signature {
  const known = ofBuiltins.get(row);
  if (known !== undefined) return known;
  const made: Signature = {
    name: row.name, kind: row.kind, arguments: row.arguments.map(key => types.named(key)), keys: row.arguments, names: row.names ?? [], defaults: row.defaults,
    result: types.named(row.result), returnsSet: row.returnsSet, volatility: row.volatility, strict: row.strict,
    ...(row.variadic === undefined ? {} : { variadic: types.named(row.variadic) }),
    ...(row.columns === undefined ? {} : { columns: row.columns.map(({ name, type }) => ({ name, type: types.named(type).printed })) }),
    ...(row.aggregate === undefined ? {} : { aggregate: row.aggregate }),
  };
  ofBuiltins.set(row, made);
  return made;
}

/** What the text of a CREATE FUNCTION says beyond the catalog's row. */
interface Declared {
  readonly parameters: readonly FunctionParameter[];
  readonly returns?: { readonly text: string; readonly set: boolean };
  readonly strict: boolean;
  readonly window: boolean;
}

const declaredOf = once(({ statement }: Routine): Declared | undefined => {
  const parsed = parse(statement.sql);
  return parsed.ok && 'CreateFunctionStmt' in parsed.node ? declared(parsed.node.CreateFunctionStmt) : undefined;
});

function declared(node: CreateFunctionStmt): Declared {
  const has = (name: string): Node | undefined => (node.options ?? []).find(item => 'DefElem' in item && item.DefElem.defname === name);
  const isTrue = (item: Node | undefined): boolean =>
    item !== undefined && 'DefElem' in item && item.DefElem.arg !== undefined && 'Boolean' in item.DefElem.arg
      && item.DefElem.arg.Boolean.boolval === true;
  return {
    parameters: (node.parameters ?? []).flatMap(item => ('FunctionParameter' in item ? [item.FunctionParameter] : [])),
    ...(node.returnType === undefined ? {} : { returns: { text: typeText(node.returnType), set: node.returnType.setof === true } }),
    strict: isTrue(has('strict')), window: isTrue(has('window')),
  };
}

const inputModes = new Set<string | undefined>(['FUNC_PARAM_IN', 'FUNC_PARAM_INOUT', 'FUNC_PARAM_VARIADIC', 'FUNC_PARAM_DEFAULT',
  undefined]);

/** A routine of the history as a call sees it; undefined where a type of its arguments is not known. */
export function routineSignature(routine: Routine, types: Types): Signature | undefined {
  if (isUnknown(routine.arguments)) return undefined;
  const text = declaredOf(routine);
  const args = routine.arguments.map(argument => types.parse(argument)?.type);
  if (args.some(type => type === undefined)) return undefined;
  const inputs = (text?.parameters ?? []).filter(({ mode }) => inputModes.has(mode));
  const outputs = (text?.parameters ?? []).filter(({ mode }) =>
    mode === 'FUNC_PARAM_OUT' || mode === 'FUNC_PARAM_INOUT' || mode === 'FUNC_PARAM_TABLE');
  // A text that does not fit the row (an aggregate has none) says nothing about names and defaults.
  const fits = inputs.length === args.length;
  const isVariadic = fits && inputs.at(-1)?.mode === 'FUNC_PARAM_VARIADIC';
  const last = args.at(-1);
  const variadic = !isVariadic || last === undefined ? undefined : last.key === 'any' ? last : elementOf(last, types);
  if (isVariadic && variadic === undefined) return undefined;
  const columns = outputs.map(({ name, argType }, at) =>
    ({ name: name ?? `column${at + 1}`, type: argType === undefined ? { unknown: 'type' } : normal(typeText(argType), types) }));
  const isTable = outputs.some(({ mode }) => mode === 'FUNC_PARAM_TABLE');
  const returned = resultText(routine, text, columns);
  const result = returned === undefined ? undefined : types.parse(returned)?.type;
  return {
    name: routine.name.name, routine: routine.id, arguments: args as SqlType[], keys: (args as SqlType[]).map(({ key }) => key),
    kind: routine.form === 'aggregate' ? 'aggregate' : routine.form === 'procedure' ? 'procedure' : text?.window === true ? 'window'
      : 'function',
    names: fits ? inputs.map(({ name }) => name ?? '') : [], defaults: fits ? inputs.filter(({ defexpr }) => defexpr !== undefined).length
      : 0,
    ...(variadic === undefined ? {} : { variadic }), ...(result === undefined ? {} : { result }),
    returnsSet: isTable || text?.returns?.set === true || /^(setof|table)\b/i.test(isUnknown(routine.returns) ? '' : routine.returns),
    volatility: routine.volatility, strict: text === undefined ? { unknown: 'whether it is strict' } : text.strict,
    ...(columns.length > 1 || isTable ? { columns } : {}),
    ...(routine.form === 'aggregate' ? { aggregate: { kind: 'normal', direct: 0 } as const } : {}),
  };
}

/** The array's element: of `anyarray` it is the polymorphic one. */
function elementOf(array: SqlType, types: Types): SqlType | undefined {
  if (array.key === 'anyarray') return types.named('anyelement');
  return array.key === 'anycompatiblearray' ? types.named('anycompatible') : array.element;
}

const normal = (text: string, types: Types): Known<string> => types.parse(text)?.type.printed ?? { unknown: `type ${text}` };

/** One OUT column is the result, several are a record; the catalog's row says the rest. */
function resultText(routine: Routine, text: Declared | undefined,
  columns: readonly { readonly type: Known<string> }[]): string | undefined {
  if (columns.length > 1) return 'record';
  const [only] = columns;
  if (only !== undefined) return isUnknown(only.type) ? undefined : only.type;
  if (text?.returns !== undefined) return text.returns.text;
  return isUnknown(routine.returns) ? undefined : routine.returns.replace(/^setof /i, '');
}
