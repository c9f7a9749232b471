import type { Context, Effect, Evidence, Experiment, Matview, Name, Span } from '../model.ts';
import { unqualifiedIn, type UnqualifiedName } from '../query/unqualified.ts';
import { matviewsOver, viewsBeneath } from './dependants.ts';
import { failed, unproven } from './laboratory.ts';
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

/** The calls in a materialized view's query and in the plain views beneath, each routine once. */
function* callsBeneath(matview: Matview, context: Context): Iterable<{ routine: number; span: Span; at: Span }> {
  const { after } = context.step;
  const seen = new Set<number>();
  const all = [
    ...context.facts(matview).calls.map(call => ({ ...call, at: call.span })),
    ...viewsBeneath(matview, after).flatMap(({ view, read }) => context.facts(view).calls.map(call => ({ ...call, at: read }))),
  ];
  for (const call of all) if (!seen.has(call.routine)) {
    seen.add(call.routine);
    yield call;
  }
}

function* ofMatview(matview: Matview, context: Context, only?: number): Iterable<UnqualifiedCall> {
  const { after } = context.step;
  for (const { routine: id, span, at } of callsBeneath(matview, context)) {
    const routine = after.get(id);
    if (routine?.kind !== 'routine' || (only !== undefined && id !== only)) continue;
    const name = unqualifiedIn(routine, after);
    if (name === undefined) continue;
    const call = { span, says: `${routine.name.name}() is called here` };
    yield { matview, name, span: at, evidence: at === span ? [call] : [call, { span: at, says: 'the view that calls it is read here' }] };
  }
}

const at = (span: Span, call: UnqualifiedCall, says: string): UnqualifiedCall => ({ ...call, span, evidence: [...call.evidence, { span, says }] });

/** Materialized views that this statement brings such a name to: a new one, and those that call a function or read a view that is replaced. */
export function* unqualifiedCalls(effect: Effect, context: Context): Iterable<UnqualifiedCall> {
  const { after, before } = context.step;
  if (effect.kind === 'createMatview') yield* ofMatview(effect.matview, context);
  if (effect.kind === 'createRoutine' && effect.replaced !== undefined && unqualifiedIn(effect.replaced, before) === undefined) {
    for (const matview of matviewsOver(effect.routine.id, after))
      for (const call of ofMatview(matview, context, effect.routine.id)) yield at(effect.via.span, call, `${quote(effect.routine.name)} is replaced here`);
  }
  if (effect.kind === 'createView' && effect.replaced !== undefined) {
    const old = new Set(context.facts(effect.replaced, before).calls.map(({ routine }) => routine));
    const fresh = new Set(context.facts(effect.view).calls.map(({ routine }) => routine).filter(id => !old.has(id)));
    if (fresh.size === 0) return;
    for (const matview of matviewsOver(effect.view.id, after))
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
