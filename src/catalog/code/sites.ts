import type { Known, RefreshSite, Routine, Trigger } from '../../model.ts';
import { parse } from '../../sql/parse.ts';
import { split } from '../../sql/split.ts';
import { sliceText, textStatement, type Text } from '../../sql/text.ts';
import { sameValue } from '../blend.ts';
import type { Change } from '../change.ts';
import { calledNames } from './called-names.ts';
import { leadsToRefresh, pathOf, refreshesIn, refreshesOfRoutine, refreshesOfTrigger, refreshesThrough, takesArguments, type Reading, type Refresh } from './refreshes.ts';

type Around = Pick<Change, 'store' | 'postgres'>;
const readingOf = ({ store, postgres }: Around): Reading => ({ catalog: store, postgres });

const facts = ({ target, concurrently, withData, guarded }: Omit<Refresh, 'text'>): Pick<RefreshSite, 'target' | 'concurrently' | 'withData' | 'guarded'> =>
  ({ target, concurrently, ...(withData === false ? { withData } : {}), ...(guarded ? { guarded } : {}) });

/** The sites of a routine's body. */
export function sitesOfRoutine(around: Around, routine: Routine): readonly RefreshSite[] {
  const path = routine.settings.get('search_path');
  // Without a SET of its own the caller's path decides; the one the history runs with stands for it.
  const searchPath: Known<readonly string[]> = path === undefined ? around.store.session.searchPath : pathOf(path);
  return refreshesOfRoutine(readingOf(around), routine).map(refresh => ({
    by: routine.returns === 'trigger' ? 'trigger' : 'routine', holder: `${routine.form} ${routine.name.name}()`, holderId: routine.id,
    searchPath: refresh.searchPath ?? searchPath, span: textStatement(refresh.text, routine.statement.span).span, ...facts(refresh),
  }));
}

/** The sites that a trigger's arguments make. */
function sitesOfTrigger(around: Around, trigger: Trigger): readonly RefreshSite[] {
  const routine = typeof trigger.routine === 'number' ? around.store.get(trigger.routine) : undefined;
  const { madeAt: span } = trigger;
  if (routine?.kind !== 'routine' || span === undefined) return [];
  return refreshesOfTrigger(readingOf(around), trigger, routine).map(refresh => ({
    by: 'trigger', holder: `trigger ${trigger.name}`, holderId: trigger.id, searchPath: refresh.searchPath ?? around.store.session.searchPath, span, ...facts(refresh),
  }));
}

/** The refreshes of a job's text, and those that its calls of routines lead to. */
export function sitesOfJob(change: Pick<Change, 'store' | 'statement'>, text: Text, holder: string): readonly RefreshSite[] {
  const reading: Reading = { catalog: change.store, postgres: change.store.postgres ?? 18 };
  const called = split(text.text).flatMap(piece => {
    const own = sliceText(text, piece.start, piece.end);
    if (piece.kind !== 'statement' || !/^\s*(?:select|call|with)\b/i.test(own.text)) return [];
    const parsed = parse(own.text);
    return parsed.ok ? refreshesThrough(reading, own, parsed.node) : [];
  });
  return [...refreshesIn(text), ...called].map(refresh => ({
    ...facts(refresh), by: 'job', holder, searchPath: refresh.searchPath ?? change.store.session.searchPath, span: textStatement(refresh.text, change.statement.span).span,
  }));
}

/** Gives a routine or trigger its sites. Those that say what old ones said stay the same objects: nothing touched them. */
function settle({ store }: Around, holder: Routine | Trigger, sites: readonly RefreshSite[]): void {
  const old = store.sites.filter(site => site.holderId === holder.id);
  if (old.length === 0 && sites.length === 0) return;
  store.sites = [...store.sites.filter(site => site.holderId !== holder.id), ...sites.map(site => old.find(other => sameValue(other, site)) ?? site)];
}

/** A routine was made or replaced: its sites, and those of whoever hands it the name of what it refreshes; a call is bound when it runs. */
export function settleRoutine(around: Around, routine: Routine, replaced: Routine | undefined): void {
  const { store } = around;
  settle(around, routine, sitesOfRoutine(around, routine));
  if (!(takesArguments(routine) || routine.returns === 'trigger') || ![routine, ...replaced ? [replaced] : []].some(one => leadsToRefresh(one, store))) return;
  const routines = [...store.objects()].filter((object): object is Routine => object.kind === 'routine');
  const names = new Set([routine.name.name]);
  const callers = new Set<Routine>();
  for (let size = 0; size < names.size;) {
    size = names.size;
    for (const other of routines) if (other !== routine && !callers.has(other) && calledNames(other).some(({ name }) => names.has(name))) {
      callers.add(other);
      names.add(other.name.name);
    }
  }
  for (const caller of callers) settle(around, caller, sitesOfRoutine(around, caller));
  for (const trigger of store.triggers())
    if (typeof trigger.routine === 'number' && (trigger.routine === routine.id || [...callers].some(({ id }) => id === trigger.routine))) settleTrigger(around, trigger);
}

/** A trigger was made, or its routine replaced. */
export function settleTrigger(around: Around, trigger: Trigger): void {
  settle(around, trigger, sitesOfTrigger(around, trigger));
}
