import type { Routine, Trigger } from '../model.ts';
import { typeText } from '../sql/type-name.ts';
import type { CreateFunctionStmt, CreateTrigStmt, Node } from '../sql/tree.ts';
import { bodyOf, defElem } from './code/body.ts';
import { settleRoutine, settleTrigger } from './code/sites.ts';
import { find, isUnknown, refuse, refuseMissing, writtenFromList, writtenName, type Change, type Outcome } from './change.ts';
import { defElemText } from './options.ts';
import { isHole } from './names.ts';
import { namesOf } from './tables.ts';
import { dependOnTypes } from './type-users.ts';
import { dependOnQueriesIn } from './views.ts';

function settingsOf(change: Change, options: readonly Node[] | undefined): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const item of options ?? []) {
    const set = 'DefElem' in item && item.DefElem.defname === 'set' ? item.DefElem.arg : undefined;
    if (!set || !('VariableSetStmt' in set)) continue;
    const values = (set.VariableSetStmt.args ?? []).map(constantText).filter(value => value !== undefined);
    settings.set((set.VariableSetStmt.name ?? '').toLowerCase(), set.VariableSetStmt.kind === 'VAR_SET_CURRENT' ? change.store.session.parameters.get(set.VariableSetStmt.name ?? '') ?? '' : values.join(', '));
  }
  return settings;
}

/** A constant argument of SET as text. */
export function constantText(node: Node): string | undefined {
  const inner = 'TypeCast' in node ? node.TypeCast.arg : node;
  if (!inner || !('A_Const' in inner)) return undefined;
  const { sval, ival, fval, boolval } = inner.A_Const;
  return sval ? sval.sval ?? '' : fval ? fval.fval : boolval ? String(boolval.boolval ?? false) : ival ? String(ival.ival ?? 0) : undefined;
}

/** CREATE [OR REPLACE] FUNCTION | PROCEDURE: the routine and the refreshes its body plainly holds. */
export function createRoutine(change: Change, node: CreateFunctionStmt): Outcome {
  const written = writtenFromList(node.funcname);
  const schema = written.schema ?? change.store.creationSchema();
  if (schema === undefined || isHole(written.name)) return undefined;
  const parameters = (node.parameters ?? []).map(item => ('FunctionParameter' in item ? item.FunctionParameter : {}));
  const inputs = parameters.filter(item => item.mode !== 'FUNC_PARAM_OUT' && item.mode !== 'FUNC_PARAM_TABLE').map(item => (item.argType ? typeText(item.argType) : ''));
  const language = (defElem(node.options, 'language') ? defElemText(defElem(node.options, 'language')) : 'sql').toLowerCase();
  const volatility = defElem(node.options, 'volatility');
  const existing = change.store.findRoutines({ schema, name: written.name })
    .find(routine => !isUnknown(routine.arguments) && routine.arguments.join() === inputs.join());
  const body = bodyOf(change.statement);
  const declared = volatility ? defElemText(volatility) : 'volatile';
  const routine: Routine = {
    kind: 'routine', id: existing?.id ?? change.store.newId(), name: { schema, name: written.name }, madeAt: change.statement.span,
    owner: existing?.owner ?? change.store.session.role, form: node.is_procedure === true ? 'procedure' : 'function', arguments: inputs,
    returns: node.returnType ? `${node.returnType.setof === true ? 'SETOF ' : ''}${typeText(node.returnType)}` : { unknown: 'OUT parameters' }, language,
    volatility: declared === 'immutable' || declared === 'stable' ? declared : 'volatile', settings: settingsOf(change, node.options), statement: change.statement,
    ...(body ? { body: { start: body.start, end: body.end } } : {}),
  };
  change.store.put(routine);
  change.store.clearDependencies(routine.id);
  dependOnQueriesIn(change, routine.id, node.sql_body);
  dependOnTypes(change, routine.id, [...parameters.map(item => item.argType), node.returnType]);
  settleRoutine(change, routine, existing);
  change.effects.push({ kind: 'createRoutine', routine, ...(existing ? { replaced: existing } : {}), via: change.via });
  return undefined;
}

/** CREATE TRIGGER: what runs it, so that its refreshes are trigger refreshes. */
export function createTrigger(change: Change, node: CreateTrigStmt): Outcome {
  const written = writtenName(node.relation);
  const { relation, absent } = find(change, written);
  if (absent) return refuseMissing(written, absent);
  if (!relation) return undefined;
  // Before the function is looked for (measured, refusals.test.ts). Left out: which kinds of triggers tables and plain views take.
  if (relation.kind === 'matview' || relation.kind === 'sequence')
    return refuse('42809', `relation "${relation.name.name}" cannot have triggers`, [], relation.id);
  const routines = change.store.findRoutines(writtenFromList(node.funcname));
  const trigger: Trigger = {
    kind: 'trigger', id: change.store.newId(), name: node.trigname ?? '', on: relation.id, madeAt: change.statement.span, owner: relation.owner,
    routine: routines.length === 1 ? routines[0]!.id : { unknown: 'the trigger function' },
    ...(node.args?.length ? { arguments: namesOf(node.args) } : {}),
  };
  change.store.put(trigger);
  change.store.depend({ dependent: trigger.id, on: relation.id, strength: 'auto' });
  if (routines.length === 1) change.store.depend({ dependent: trigger.id, on: routines[0]!.id, strength: 'normal' });
  settleTrigger(change, trigger);
  change.effects.push({ kind: 'createTrigger', trigger, via: change.via });
  return undefined;
}
