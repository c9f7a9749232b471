import type { Context, Effect, Evidence, Experiment, Matview, Name, Span } from '../model.ts';
import { unqualifiedIn, type UnqualifiedName } from '../query/unqualified.ts';
import { matviewsOver } from './dependants.ts';
import { failed, unproven } from './laboratory.ts';
import { calledBy } from './routines.ts';
import { qualified, quote } from './words.ts';

export type { UnqualifiedName } from '../query/unqualified.ts';

/** A name without its schema that filling a materialized view comes upon, and how. */
export interface UnqualifiedCall {
  readonly matview: Matview;
  readonly name: UnqualifiedName;
  /** Where the view, or a view that it reads, calls the routine: in the statement that made it so. */
  readonly span: Span;
  readonly evidence: readonly Evidence[];
}

function* ofMatview(matview: Matview, context: Context, only?: number): Iterable<UnqualifiedCall> {
  for (const { routine, span, evidence } of calledBy(matview, context)) {
    const name = only === undefined || routine.id === only ? unqualifiedIn(routine, context.step.after) : undefined;
    if (name !== undefined) yield { matview, name, span, evidence };
  }
}

const at = (span: Span, call: UnqualifiedCall, says: string): UnqualifiedCall => ({ ...call, span, evidence: [...call.evidence, { span, says }] });

/** Materialized views that this statement brings such a name to: a new one, and those that call a function or read a view that is replaced. */
export function* unqualifiedCalls(effect: Effect, context: Context): Iterable<UnqualifiedCall> {
  const { after, before } = context.step;
  if (effect.kind === 'createMatview') yield* ofMatview(effect.matview, context);
  if (effect.kind === 'createRoutine' && effect.replaced !== undefined) {
    const callers = matviewsOver(effect.routine.id, after);
    if (callers.length === 0 || unqualifiedIn(effect.replaced, before) !== undefined) return;
    for (const matview of callers)
      for (const call of ofMatview(matview, context, effect.routine.id)) yield at(effect.via.span, call, `${quote(effect.routine.name)} is replaced here`);
  }
  if (effect.kind === 'createView' && effect.replaced !== undefined) {
    const readers = matviewsOver(effect.view.id, after);
    const calls = readers.length === 0 ? [] : context.facts(effect.view).calls;
    if (calls.length === 0) return;
    const old = new Set(context.facts(effect.replaced, before).calls.map(({ routine }) => routine));
    const fresh = new Set(calls.map(({ routine }) => routine).filter(id => !old.has(id)));
    for (const matview of readers)
      for (const id of fresh)
        for (const call of ofMatview(matview, context, id)) yield at(effect.via.span, call, `${quote(effect.view.name)} is replaced here`);
  }
}

/** With rows beneath, filling the view is refused with this SQLSTATE. */
export function refreshFails(name: Name, sqlstate: string): Experiment {
  return {
    at: 'after', isolation: 'copy',
    run: async lab => {
      await lab.fill(name, 5);
      const answer = await lab.run(`REFRESH MATERIALIZED VIEW ${qualified(name)}`);
      if (!failed(answer)) return unproven(`${quote(name)} can be filled with the rows that were made up: none may have reached the function.`);
      return answer.sqlstate === sqlstate ? { kind: 'confirmed', says: `REFRESH is refused with ${sqlstate}: ${answer.message}.` }
        : unproven(`REFRESH is refused for another reason: ${answer.message}.`);
    },
  };
}
