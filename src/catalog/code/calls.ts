import type { Routine, SessionState } from '../../model.ts';
import { parse } from '../../sql/parse.ts';
import { statementText } from '../../sql/text.ts';
import { walkWithPath } from '../../sql/walk.ts';
import type { DoStmt, FuncCall, Node } from '../../sql/tree.ts';
import { gap, spanAt, writtenFromList, type Change, type Outcome } from '../change.ts';
import { engineCall, isEngineCall } from '../incremental/calls.ts';
import { createHypertable, isHypertableCall } from '../incremental/hypertables.ts';
import { defElemText } from '../options.ts';
import { argumentValues, takes } from './arguments.ts';
import { bodyOf, defElem } from './body.ts';
import { opaque } from './opaque.ts';
import { pathOf } from './refreshes.ts';
import { runBody, runMaybe } from './run.ts';
import type { Value } from './values.ts';

/** DO: its block runs at once. */
export function doBlock(change: Change, node: DoStmt): Outcome {
  const language = defElem(node.args, 'language') ? defElemText(defElem(node.args, 'language')).toLowerCase() : 'plpgsql';
  const body = bodyOf(change.statement);
  if (body === undefined || language !== 'plpgsql') {
    gap(change, `a DO block in ${language} is not followed`);
    return undefined;
  }
  return runBody(change, { language, text: body.text, create: change.statement.sql, variables: new Map(), via: 'do', from: change.via.from });
}

/** Below these an argument may not be evaluated at all. */
const conditional = new Set(['CaseExpr', 'CaseWhen', 'CoalesceExpr', 'BoolExpr', 'SubLink', 'A_Expr.filter']);

/** Runs the history's own routines that a statement calls: for sure where the statement has one row and no condition, else perhaps. */
export function runCalls(change: Change, node: Node): Outcome {
  const sure = 'SelectStmt' in node && isOneRow(node.SelectStmt);
  let refused: Outcome;
  walkWithPath(node, (kind, inner, path) => {
    if (kind !== 'FuncCall' || refused) return;
    const call = inner as FuncCall;
    const run = isEngineCall(change, call) ? engineCall : isHypertableCall(call) ? createHypertable : callRoutine;
    if (run === callRoutine && change.store.findRoutines(writtenFromList(call.funcname)).length === 0) return;
    if (sure && !path.some(step => conditional.has(step))) refused = run(change, call);
    else runMaybe(change, () => run(change, call));
  });
  return refused;
}

/** `SELECT f()` and `SELECT … FROM f()`. */
function isOneRow(select: Extract<Node, { SelectStmt: unknown }>['SelectStmt']): boolean {
  if (select.whereClause !== undefined || select.havingClause !== undefined || select.groupClause !== undefined || select.limitCount !== undefined) return false;
  return (select.fromClause ?? []).length === 0 || (select.fromClause?.length === 1 && 'RangeFunction' in (select.fromClause[0] ?? {}) && !walksCall(select.targetList));
}
function walksCall(list: readonly Node[] | undefined): boolean {
  return JSON.stringify(list ?? []).includes('"FuncCall"');
}

/** A call of a routine that the history made, from SELECT or CALL. Overloads that the arguments' number does not tell apart are not followed. */
export function callRoutine(change: Change, call: FuncCall): Outcome {
  const written = writtenFromList(call.funcname);
  const args = call.args ?? [];
  const fitting = change.store.findRoutines(written).filter(routine => takes(routine, args.length));
  const [routine] = fitting;
  if (routine === undefined || (routine.language !== 'plpgsql' && routine.language !== 'sql')) return undefined;
  const { statement } = routine;
  const body = bodyOf(statement);
  if (fitting.length > 1) return opaque(change, body?.text.text ?? '', `which ${written.name}() is called is not followed: it has overloads`);
  if (body === undefined) return opaque(change, statement.sql, `the BEGIN ATOMIC body of ${written.name}() is not followed`);
  const { store } = change;
  const saved: SessionState = store.session;
  const path = routine.settings.get('search_path');
  const asOwner = isSecurityDefiner(routine);
  store.session = { ...saved, ...(path === undefined ? {} : { searchPath: pathOf(path) }), ...(asOwner ? { role: routine.owner } : {}) };
  const outcome = runBody(change, {
    language: routine.language, text: body.text, create: statement.sql, variables: argumentsIn(change, routine, call), via: 'routine',
    from: change.via.from ?? { span: spanAt(change, 0, change.statement.sql.length), says: `calls ${routine.form} ${written.name}()` },
  });
  const after = store.session;
  store.session = { ...after, ...(path === undefined ? {} : { searchPath: saved.searchPath }), ...(asOwner ? { role: saved.role } : {}) };
  return outcome;
}

/** It runs as its owner. ALTER FUNCTION … SECURITY is not followed. */
function isSecurityDefiner(routine: Routine): boolean {
  if (!/\bdefiner\b/i.test(routine.statement.sql)) return false;
  const parsed = parse(routine.statement.sql);
  const option = parsed.ok && 'CreateFunctionStmt' in parsed.node ? defElem(parsed.node.CreateFunctionStmt.options, 'security') : undefined;
  return option !== undefined && 'Boolean' in option && option.Boolean.boolval === true;
}

function argumentsIn(change: Change, routine: Routine, call: FuncCall): ReadonlyMap<string, Value> {
  const outer = { catalog: change.store, postgres: change.postgres, variables: change.code?.variables ?? new Map<string, Value>() };
  return argumentValues(routine, call, statementText(change.statement), outer);
}
