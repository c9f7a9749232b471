import type { ObjectId, Routine, Span, Statement, Taint } from '../model.ts';
import { parse } from '../sql/parse.ts';
import { nodeEnd, sourceSpan } from '../sql/span.ts';
import type { FuncCall, FunctionParameter } from '../sql/tree.ts';
import { placeIn, value, type Place } from './expression.ts';
import { passOn } from './from.ts';
import { outerScope, partRun, readBody, type Reading } from './routine-body.ts';
import { envWithin, newId, unknown, type Run, type ScopeColumn, type Shape, type Value } from './scope.ts';
import type { Signature } from './signatures.ts';

/** A call of a routine of the history. Its end is found by its tokens, which is dear: few are asked for it. */
class RoutineCall {
  readonly routine: ObjectId;
  /** Where it begins in the text of the statement. */
  readonly start: number;
  private readonly statement: Statement;
  private known: Span | undefined;

  constructor(routine: ObjectId, statement: Statement, start: number) {
    this.routine = routine;
    this.start = start;
    this.statement = statement;
  }

  get span(): Span {
    return (this.known ??= sourceSpan(this.statement, this.start, nodeEnd(this.statement.sql, this.start)));
  }
}

/** Routines that call routines: beyond this nothing is followed. */
const deepest = 8;

/**
 * What a call of a routine of the history gives, by its body: SQL and PL/pgSQL are read, other languages and bodies that call themselves
 * are not, and then nothing is claimed. The arguments bring their taints along.
 */
export function callRoutine(signature: Signature, node: FuncCall, values: readonly Value[], place: Place): Shape | undefined {
  const { run } = place;
  const id = signature.routine;
  const notes = run.notes;
  if (id === undefined || notes === undefined) return undefined;
  const start = node.location ?? 0;
  const here = notes.calls.find(call => call.routine === id && call.start === start) ?? new RoutineCall(id, run.statement, start);
  const span = (): Span => here.span;
  if (!notes.calls.includes(here)) notes.calls.push(here);
  const routine = run.catalog.get(id);
  if (routine?.kind !== 'routine' || notes.within.includes(id) || notes.within.length >= deepest) return undefined;
  const names = (node.args ?? []).map(arg => ('NamedArgExpr' in arg ? arg.NamedArgExpr.name : undefined));
  const given = signature.arguments.map((_, at) => {
    const byName = names.findIndex(name => name !== undefined && name === signature.names[at]);
    return values[byName >= 0 ? byName : names[at] === undefined ? at : -1];
  });
  const plain = given.every(item => item === undefined || item.taints.length === 0) && given.length === values.length;
  const known = plain ? notes.bodies.get(id) : undefined;
  if (known !== undefined) return known === 'unknown' ? undefined : passed(known, span, routine);
  const declared = parametersOf(routine);
  const inputs = declared.filter(isInput);
  const parameters = signature.arguments.map((type, at): ScopeColumn => ({
    name: signature.names[at] === undefined || signature.names[at] === '' ? `$${at + 1}` : signature.names[at]!, type: type.printed, literal: false,
    nullable: unknown('an argument'), ids: [newId(run)], uses: [],
    taints: given[at]?.taints ?? (given[at] === undefined ? ofDefault(inputs[at], routine, run) : []),
  }));
  const outputs = declared.filter(parameter => !isInput(parameter) || parameter.mode === 'FUNC_PARAM_INOUT').flatMap(({ name }) => name ?? []);
  const shape = readBody({ routine, parameters, outputs, run });
  if (plain) notes.bodies.set(id, shape ?? 'unknown');
  return shape === undefined ? undefined : passed(shape, span, routine);
}

function passed(shape: Shape, span: () => Span, routine: Routine): Shape {
  const on = (taint: Taint): Taint => passOn(taint, span(), `what ${routine.name.name}() returns`);
  return { ...shape, rows: (shape.rows ?? []).map(on), columns: shape.columns.map(column => ({ ...column, taints: column.taints.map(on) })) };
}

const isInput = ({ mode }: FunctionParameter): boolean => mode !== 'FUNC_PARAM_OUT' && mode !== 'FUNC_PARAM_TABLE';

export function parametersOf(routine: Routine): readonly FunctionParameter[] {
  const parsed = parse(routine.statement.sql);
  if (!parsed.ok || !('CreateFunctionStmt' in parsed.node)) return [];
  return (parsed.node.CreateFunctionStmt.parameters ?? []).flatMap(item => ('FunctionParameter' in item ? [item.FunctionParameter] : []));
}

/** An argument that is left out is its default, evaluated in the call. */
function ofDefault(parameter: FunctionParameter | undefined, routine: Routine, run: Run): readonly Taint[] {
  if (parameter?.defexpr === undefined) return [];
  const reading: Reading = { routine, parameters: [], run };
  return value(parameter.defexpr, placeIn(partRun(routine.statement, reading), outerScope({ columns: [] }, ''), envWithin(undefined, undefined, 1))).taints;
}
