/** What the judges share: what a true finding is called, and who had which name. */
import { label, type Idx, type Rel, type State } from './observer.ts';
import type { Deploy, Happened } from './trace.ts';

/** Something that happened and that a rule speaks of. */
export interface Truth {
  readonly rule: string;
  /** Where: a migration and a relation, or the statement's position in the history. */
  readonly key: string;
  /** A linter that is silent here misses something; otherwise a finding is right, and silence is too. */
  readonly must: boolean;
  /** For people. */
  readonly why: string;
}

/** What a finding is compared by. */
export const keyOf = (migration: string, relation: string): string => `${migration} ${relation}`;
export const statementKey = (ordinal: number): string => `statement ${ordinal}`;

export const relOf = ({ rels }: State, oid: number): Rel | undefined => rels.find(rel => rel.oid === oid);
export const named = ({ rels }: State, name: string): Rel | undefined => rels.find(rel => label(rel) === name);
export const indexesOf = ({ indexes }: State, oid: number): readonly Idx[] => indexes.filter(index => index.on === oid);
export const isSelectable = (rel: Rel | undefined): rel is Rel => rel !== undefined;

/** Whether somebody could use it when the migration began: it stood, and a materialized view had rows once. */
export function inUse(rel: Rel, deploy: Deploy): boolean {
  return relOf(deploy.start, rel.oid) !== undefined && (rel.kind !== 'm' || deploy.everPopulated.has(rel.oid));
}

/** A name that one relation in use had at the start of a migration and another one has at its end. */
export interface Exchange {
  readonly name: string;
  readonly old: Rel;
  readonly now: Rel;
  /** The events at which the old one lost the name and the new one got it for good. */
  readonly taken: Happened | undefined;
  readonly given: Happened | undefined;
  /** How the old one lost the name. */
  readonly by: 'drop' | 'rename';
}

export function exchanges(deploy: Deploy): readonly Exchange[] {
  return deploy.start.rels.flatMap(old => {
    const name = label(old);
    const now = named(deploy.end, name);
    if (!inUse(old, deploy) || !now || now.oid === old.oid) return [];
    const has = (state: State, oid: number): boolean => named(state, name)?.oid === oid;
    const taken = deploy.events.find(({ before, after }) => has(before, old.oid) && !has(after, old.oid));
    const given = deploy.events.findLast(({ before, after }) => !has(before, now.oid) && has(after, now.oid));
    const by = taken !== undefined && relOf(taken.after, old.oid) === undefined ? 'drop' as const : 'rename' as const;
    return [{ name, old, now, taken, given, by }];
  });
}

/** The relations whose rows a relation's query reads, plain views looked through. */
export function beneath(oid: number, state: State): readonly Rel[] {
  const found = new Map<number, Rel>();
  const queue = [oid];
  const seen = new Set(queue);
  for (let next = queue.shift(); next !== undefined; next = queue.shift())
    for (const link of state.links) {
      if (link.kind !== 'relation' || link.by !== next || seen.has(link.on)) continue;
      seen.add(link.on);
      const rel = relOf(state, link.on);
      if (!rel) continue;
      if (rel.kind === 'v') queue.push(rel.oid);
      else found.set(rel.oid, rel);
    }
  return [...found.values()];
}

/** The tables beneath, materialized views looked through as well. */
export function tablesBeneath(oid: number, state: State, seen = new Set<number>()): readonly Rel[] {
  return beneath(oid, state).flatMap(rel => {
    if (seen.has(rel.oid)) return [];
    seen.add(rel.oid);
    return rel.kind === 'm' ? tablesBeneath(rel.oid, state, seen) : [rel];
  });
}

/** The materialized views whose rows come from a relation, plain views looked through. */
export const matviewsOver = (oid: number, state: State): readonly Rel[] =>
  state.rels.filter(rel => rel.kind === 'm' && (reads(rel.oid, oid, state)));

const reads = (by: number, on: number, state: State, seen = new Set<number>()): boolean => state.links.some(link => {
  if (link.kind !== 'relation' || link.by !== by || seen.has(link.on)) return false;
  if (link.on === on) return true;
  seen.add(link.on);
  return relOf(state, link.on)?.kind === 'v' && reads(link.on, on, state, seen);
});

/** A refresh that ran: of what, and how; undefined for other commands. Concurrently leaves the file of the view in its place. */
export interface Refreshed {
  readonly before: Rel;
  readonly after: Rel;
  readonly how: 'plain' | 'concurrent' | 'empty';
}
export function refreshed(event: Happened): Refreshed | undefined {
  const [oid] = event.objects;
  if (event.tag !== 'REFRESH MATERIALIZED VIEW' || oid === undefined) return undefined;
  const [before, after] = [relOf(event.before, oid), relOf(event.after, oid)];
  if (!before || !after) return undefined;
  return { before, after, how: !after.populated ? 'empty' : before.file === after.file ? 'concurrent' : 'plain' };
}

/** Whether a name is that of a generation put aside or in waiting while another one has the live name. */
export function isAside(rel: Rel, state: State): boolean {
  const live = /^(.+)_(?:old|new|next|prev|tmp)$/.exec(rel.name)?.[1];
  const other = live === undefined ? undefined : named(state, label({ schema: rel.schema, name: live }));
  return other !== undefined && other.oid !== rel.oid;
}
