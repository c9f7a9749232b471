import type { Catalog, Context, Effect, Evidence, Index, Matview, Routine, Span } from '../model.ts';
import { stabilityOf, type Stability } from '../query/routine-stability.ts';
import { matviewsOver, viewsBeneath } from './dependants.ts';

/** A routine of the history that a materialized view or an index calls. */
export interface UsedRoutine {
  readonly routine: Routine;
  readonly stability: Stability;
  /** What calls it: the relation that the finding is about, in words and by name. */
  readonly user: Matview | { readonly index: string; readonly on: string };
  readonly span: Span;
  readonly evidence: readonly Evidence[];
}

const routineOf = (id: number, catalog: Catalog): Routine | undefined => {
  const object = catalog.get(id);
  return object?.kind === 'routine' && object.form === 'function' ? object : undefined;
};

/** A function of the history that filling a materialized view calls, and where: in its own query, or where it reads the view that calls it. */
export interface CalledRoutine extends Pick<UsedRoutine, 'span' | 'evidence'> {
  readonly routine: Routine;
}

/** The functions of the history in a materialized view's query and in the plain views beneath, each once. */
export function* calledBy(matview: Matview, { facts, step }: Context): Iterable<CalledRoutine> {
  const beneath = viewsBeneath(matview, step.after);
  const own = facts(matview).calls;
  if (own.length === 0 && beneath.length === 0) return;
  const calls = [
    ...own.map(made => ({ made, read: undefined })),
    ...beneath.flatMap(({ view, read }) => facts(view).calls.map(made => ({ made, read }))),
  ];
  const seen = new Set<number>();
  for (const { made, read } of calls) {
    const routine = routineOf(made.routine, step.after);
    if (routine === undefined || seen.has(made.routine)) continue;
    seen.add(made.routine);
    const { span } = made;
    const at = read ?? span;
    const call = { span, says: `${routine.name.name}() is called here` };
    yield { routine, span: at, evidence: at === span ? [call] : [call, { span: at, says: 'the view that calls it is read here' }] };
  }
}

function* ofMatview(matview: Matview, context: Context): Iterable<UsedRoutine> {
  for (const called of calledBy(matview, context)) yield { ...called, stability: stabilityOf(called.routine, context.step.after), user: matview };
}

const isPlain = ({ columns, predicate }: Index): boolean => predicate === undefined && columns.every(({ expression }) => expression === undefined);

/** Names that an index expression calls. One of several overloads is not chosen here. */
function* ofIndex(effect: Effect & { readonly kind: 'createIndex' }, { step }: Context): Iterable<UsedRoutine> {
  const { index, on, via } = effect;
  const texts = [...index.columns.map(({ expression }) => expression), index.predicate].filter(text => text !== undefined);
  const names = new Set(texts.flatMap(text => [...text.matchAll(/([\w.]+)\s*\(/g)].map(match => match[1]!)));
  for (const written of names) {
    const [name = '', schema] = written.split('.').reverse();
    const [routine, ...others] = step.after.findRoutines({ name, ...(schema === undefined ? {} : { schema }) });
    if (routine === undefined || others.length > 0 || routine.form !== 'function') continue;
    yield { routine, stability: stabilityOf(routine, step.after), user: { index: index.name.name, on: on.name.name }, span: via.span,
      evidence: [{ span: via.span, says: `index ${index.name.name} calls ${name}()` }] };
  }
}

/** The routines that a new materialized view or index calls, and a replaced routine that one called already. */
export function usedRoutines(effect: Effect, context: Context): Iterable<UsedRoutine> {
  if (effect.kind === 'createMatview') return ofMatview(effect.matview, context);
  if (effect.kind === 'createIndex') return isPlain(effect.index) ? [] : ofIndex(effect, context);
  return effect.kind === 'createRoutine' && effect.replaced !== undefined ? ofReplaced(effect.routine, effect.replaced, effect.via, context) : [];
}

function* ofReplaced(routine: Routine, replaced: Routine, via: Effect['via'], context: Context): Iterable<UsedRoutine> {
  const [matview] = matviewsOver(routine.id, context.step.after);
  if (matview === undefined) return;
  const then = stabilityOf(replaced, context.step.before);
  const stability = stabilityOf(routine, context.step.after);
  if ((then.notImmutable !== undefined) === (stability.notImmutable !== undefined)) return;
  yield { routine, stability, user: matview, span: via.span, evidence: [{ span: via.span, says: `${matview.name.name} calls ${routine.name.name}()` }] };
}
