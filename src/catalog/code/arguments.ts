import type { Routine } from '../../model.ts';
import { parse } from '../../sql/parse.ts';
import { statementText, type Text } from '../../sql/text.ts';
import type { CreateFunctionStmt, FuncCall, FunctionParameter } from '../../sql/tree.ts';
import { isUnknown } from '../change.ts';
import { fold, type Scope } from './fold.ts';
import { unknownValue, type Value } from './values.ts';

function parametersOf(routine: Routine): readonly FunctionParameter[] {
  const parsed = parse(routine.statement.sql);
  const node: CreateFunctionStmt = parsed.ok && 'CreateFunctionStmt' in parsed.node ? parsed.node.CreateFunctionStmt : {};
  return (node.parameters ?? []).map(item => ('FunctionParameter' in item ? item.FunctionParameter : {}));
}
const isInput = (parameter: FunctionParameter): boolean => parameter.mode !== 'FUNC_PARAM_OUT' && parameter.mode !== 'FUNC_PARAM_TABLE';

/** Whether a call with so many arguments can mean the routine. */
export function takes(routine: Routine, count: number): boolean {
  if (isUnknown(routine.arguments)) return true;
  const { length } = routine.arguments;
  const least = parametersOf(routine).filter(parameter => isInput(parameter) && parameter.defexpr === undefined).length;
  return count <= length && count >= Math.min(least, length);
}

/** What the parameters are worth in a call, by name and by number; `source` is the text that holds the call, read in `outer`. */
export function argumentValues(routine: Routine, call: FuncCall, source: Text, outer: Scope): ReadonlyMap<string, Value> {
  const variables = new Map<string, Value>();
  const given = call.args ?? [];
  parametersOf(routine).filter(isInput).forEach((parameter, at) => {
    const named = given.find(arg => 'NamedArgExpr' in arg && arg.NamedArgExpr.name === parameter.name);
    const positional = given[at];
    const node = named !== undefined && 'NamedArgExpr' in named ? named.NamedArgExpr.arg : positional !== undefined && !('NamedArgExpr' in positional) ? positional : undefined;
    const value = node !== undefined ? fold(node, source, outer)
      : parameter.defexpr !== undefined ? fold(parameter.defexpr, statementText(routine.statement), { ...outer, variables: new Map() }) : unknownValue;
    variables.set(`$${at + 1}`, value);
    if (parameter.name !== undefined && parameter.name !== '') variables.set(parameter.name, value);
  });
  return variables;
}
