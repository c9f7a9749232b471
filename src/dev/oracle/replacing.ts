/** Group A judged by what Postgres shows: what became of names, of the objects behind them and of what hung on those. */
import { label, type Col, type Rel, type State } from './observer.ts';
import type { Deploy } from './trace.ts';
import { beneath, exchanges, indexesOf, inUse, isAside, keyOf, matviewsOver, named, refreshed, relOf, statementKey, type Exchange, type Truth } from './truth.ts';

export function* replacing(deploy: Deploy): Iterable<Truth> {
  const changes = exchanges(deploy);
  for (const change of changes) yield* exchanged(change, deploy);
  yield* cascades(deploy);
  yield* ignored(deploy);
  const undone = { ...deploy, events: deploy.undone };
  for (const truth of [...cascades(undone), ...ignored(undone)]) yield { ...truth, must: false };
  yield* redefined(deploy);
  yield* legs(deploy);
  yield* earlyDrops(deploy);
}

function* exchanged(change: Exchange, deploy: Deploy): Iterable<Truth> {
  const { name, old, now, taken, given, by } = change;
  const truth = (rule: string, why: string, must = true): Truth => ({ rule, key: keyOf(deploy.migration, name), must, why });
  const matviews = old.kind === 'm' && now.kind === 'm';
  const madeInPlace = given?.tag.startsWith('CREATE') === true && given.objects.includes(now.oid);
  const rebuilt = matviews && by === 'drop' && madeInPlace;
  if (rebuilt) yield truth('no-recreate-in-place', `${name} was ${old.oid} and is ${now.oid}`);
  if (matviews) {
    const lost = lostShapes(old, now, deploy);
    if (lost.length > 0) yield truth('no-lost-index', `no equivalent of ${lost.join('; ')}`);
    const settings = lostSettings(old, now, deploy);
    if (settings.length > 0) yield truth('no-lost-settings', settings.join(', '));
    if (now.populated === false && old.populated && !madeInPlace) yield truth('no-emptied-view', `${name} is an unpopulated generation`);
  }
  if (old.kind === 'm') {
    const rights = lostRights(old, now);
    if (rights.length > 0) yield truth('no-lost-privileges', rights.join(', '));
    const shape = (rel: Rel): string => rel.columns.map(column => `${column.name} ${column.type}`).join(', ');
    if (shape(old) !== shape(now)) yield truth('no-changed-shape', `${shape(old)} is ${shape(now)}`, now.kind === 'm');
  }
  if ((old.kind === 'm' || now.kind === 'm') && !rebuilt && taken && given && taken.transaction !== given.transaction)
    yield truth('require-atomic-swap', `${taken.sql} … ${given.sql}`);
  if (by === 'rename' && taken) {
    const left = stale(old, taken.before, deploy);
    if (left.length > 0) yield truth('no-stale-dependents', `${left.join(', ')} still on ${old.oid}`);
  }
}

function lostShapes(old: Rel, now: Rel, deploy: Deploy): readonly string[] {
  const columns = new Set(now.columns.map(column => column.name));
  const has = new Set(indexesOf(deploy.end, now.oid).filter(index => index.valid).map(index => index.shape));
  return indexesOf(deploy.start, old.oid).filter(index => index.valid && !has.has(index.shape) && index.columns.every(column => columns.has(column)))
    .map(index => index.shape);
}

function lostSettings(old: Rel, now: Rel, { start, end }: Deploy): readonly string[] {
  const keys = (rel: Rel): readonly string[] => rel.options.map(option => option.split('=')[0]!);
  const same = (column: Col): Col | undefined => now.columns.find(other => other.name === column.name);
  const marked = (oid: number, state: State): boolean => indexesOf(state, oid).some(index => index.clustered);
  return [
    ...(old.comment !== null && now.comment === null ? ['comment'] : []),
    ...keys(old).filter(key => !keys(now).includes(key)),
    ...(old.tablespace !== 0 && now.tablespace === 0 ? ['tablespace'] : []),
    ...(marked(old.oid, start) && !marked(now.oid, end) ? ['cluster mark'] : []),
    ...old.columns.flatMap(column => {
      const other = same(column);
      if (!other) return [];
      return [
        ...(column.comment !== null && other.comment === null ? [`comment of ${column.name}`] : []),
        ...(column.statistics !== null && other.statistics === null ? [`statistics of ${column.name}`] : []),
      ];
    }),
  ];
}

/** Reading and, from 17, MAINTAIN: the other privileges mean nothing on a materialized view. */
const rights = ['SELECT', 'MAINTAIN'];

function lostRights(old: Rel, now: Rel): readonly string[] {
  const holds = (who: string, right: string): boolean => now.owner === who || now.grants.some(([grantee, privilege]) => (grantee === who || grantee === 'public') && privilege === right);
  const wide = (who: string): boolean => old.grants.some(([grantee, privilege]) => (grantee === who || grantee === 'public') && privilege === 'SELECT');
  return [
    ...(old.owner === now.owner ? [] : [`owner ${old.owner}`]),
    ...old.grants.filter(([who, right]) => rights.includes(right) && !holds(who, right)).map(([who, right]) => `${right} for ${who}`),
    ...old.columns.flatMap(column => {
      const other = now.columns.find(one => one.name === column.name);
      return column.grants.filter(([who, right]) => right === 'SELECT' && other && !wide(who) && !holds(who, 'SELECT')
        && !other.grants.some(([grantee, privilege]) => (grantee === who || grantee === 'public') && privilege === 'SELECT')).map(([who]) => `SELECT (${column.name}) for ${who}`);
    }),
  ];
}

/** What read the old one when it lost the name, reads it still, and was not made again since. */
function stale(old: Rel, then: State, { end, events }: Deploy): readonly string[] {
  const replacedSince = (oid: number): boolean => events.some(({ tag, objects, before }) => tag === 'CREATE VIEW' && objects.includes(oid)
    && relOf(before, oid) !== undefined && relOf(before, old.oid) !== undefined && label(relOf(before, old.oid)!) !== label(old));
  const holders = ({ links }: State): readonly string[] => links.filter(link => link.on === old.oid).map(link => `${link.kind} ${link.by}`);
  const before = new Set(holders(then));
  return [...new Set(holders(end))].filter(one => before.has(one)).filter(one => {
    const oid = Number(one.split(' ')[1]);
    if (!one.startsWith('relation')) return old.kind === 'm';
    if (replacedSince(oid)) return false;
    return old.kind === 'm' || relOf(end, oid)?.kind === 'm' || matviewsOver(oid, end).length > 0;
  });
}

/** What CASCADE took: not named, reached over a dependency of type n, in use when the migration began, and nothing's own part. */
function* cascades({ events, migration, ...deploy }: Deploy): Iterable<Truth> {
  const lost = new Map<number, string[]>();
  for (const { ordinal, dropped, before } of events) {
    const taken = dropped.filter(one => !one.original && one.normal && one.part === 0);
    const relations = taken.filter(one => ['view', 'materialized view', 'table', 'foreign table'].includes(one.type)).filter(one => {
      const rel = relOf(before, one.oid);
      return rel !== undefined && inUse(rel, { events, migration, ...deploy });
    });
    const others = taken.filter(one => ['function', 'procedure', 'type'].includes(one.type) && deploy.start.routines.some(routine => routine.oid === one.oid));
    const words = [...relations, ...others].map(one => one.identity.replace(/^public\./, ''));
    if (words.length > 0) lost.set(ordinal, [...(lost.get(ordinal) ?? []), ...words]);
  }
  for (const [ordinal, words] of lost) yield { rule: 'no-drop-cascade', key: statementKey(ordinal), must: true, why: [...new Set(words)].sort().join(', ') };
}

/** CREATE MATERIALIZED VIEW IF NOT EXISTS that did nothing, over something else than what it says. */
function* ignored({ events }: Deploy): Iterable<Truth> {
  for (const { tag, ordinal, ignored, sql, before } of events) {
    if (tag !== 'CREATE MATERIALIZED VIEW' || ignored === null) continue;
    const name = /exists\s+([^\s(]+)/i.exec(sql)?.[1]?.replaceAll('"', '').replace(/^public\./, '') ?? '';
    const existing = named(before, name);
    if (existing?.kind !== 'm' || existing.query !== ignored)
      yield { rule: 'no-ignored-definition', key: statementKey(ordinal), must: true, why: `${name}: ${existing?.query ?? 'no materialized view'} is not ${ignored}` };
  }
}

/** A view that now means something else beneath a populated materialized view that nobody refreshed since. */
function* redefined(deploy: Deploy): Iterable<Truth> {
  for (const [at, { tag, objects, before, after }] of deploy.events.entries()) {
    const [was, is] = [relOf(before, objects[0] ?? 0), relOf(after, objects[0] ?? 0)];
    if (tag !== 'CREATE VIEW' || !was || !is || was.query === is.query || relOf(deploy.end, is.oid)?.query !== is.query) continue;
    const later = deploy.events.slice(at + 1).flatMap(event => refreshed(event) ?? []).filter(({ how }) => how !== 'empty').map(one => one.after.oid);
    const over = matviewsOver(is.oid, before).filter(rel => relOf(deploy.end, rel.oid)?.populated === true && inUse(rel, deploy) && !later.includes(rel.oid));
    for (const rel of over)
      yield {
        rule: 'no-redefined-source', key: keyOf(deploy.migration, label(relOf(deploy.end, rel.oid)!)), why: `${was.query} is ${is.query}`,
        must: is.columns.length === was.columns.length && rel === over[0],
      };
  }
}

/** A swap that stopped half-way: the live name is gone, and a generation that was made for it waits under its own. */
function* legs(deploy: Deploy): Iterable<Truth> {
  for (const old of deploy.start.rels.filter(rel => rel.kind === 'm' && inUse(rel, deploy) && !isAside(rel, deploy.start))) {
    const now = relOf(deploy.end, old.oid);
    if (!now) continue;
    const renamed = [...deploy.events, ...deploy.undone].some(({ before, after }) => relOf(before, old.oid)?.name === old.name && relOf(after, old.oid)?.name !== old.name);
    const next = deploy.end.rels.find(rel => rel.kind !== 'r' && rel.schema === old.schema && new RegExp(`^${old.name}_(new|next)$`).test(rel.name)
      && rel.oid !== old.oid && relOf(deploy.start, rel.oid) === undefined);
    if (!renamed || !next) continue;
    const gone = named(deploy.end, label(old)) === undefined;
    if (gone || label(now) === label(old)) yield { rule: 'no-incomplete-swap', key: keyOf(deploy.migration, label(old)), must: gone && now.name === `${old.name}_old`, why: `${label(next)} never got the name` };
  }
}

/** A view in use went, its name with it, in the migration that made another one of its columns from a common source. */
function* earlyDrops(deploy: Deploy): Iterable<Truth> {
  for (const old of deploy.start.rels.filter(rel => rel.kind === 'm' && inUse(rel, deploy))) {
    if (relOf(deploy.end, old.oid) || named(deploy.end, label(old))) continue;
    const made = deploy.end.rels.filter(rel => rel.kind === 'm' && relOf(deploy.start, rel.oid) === undefined);
    if (made.length === 0) continue;
    const dropped = deploy.events.find(({ before, after }) => relOf(before, old.oid) !== undefined && relOf(after, old.oid) === undefined);
    const name = dropped ? label(relOf(dropped.before, old.oid)!) : label(old);
    const readers = deploy.start.links.filter(link => link.on === old.oid && link.kind === 'relation').flatMap(link => relOf(deploy.start, link.by) ?? []).filter(rel => rel.kind === 'v');
    const columns = (rel: Rel): string => rel.columns.map(column => column.name).sort().join();
    const sources = new Set(beneath(old.oid, deploy.start).map(rel => rel.oid));
    const original = dropped?.dropped.some(one => one.oid === old.oid && one.original) === true;
    const next = made.find(rel => columns(rel) === columns(old) && beneath(rel.oid, deploy.end).some(source => sources.has(source.oid)));
    const why = `${name} went, ${made.map(label).join(', ')} came`;
    yield {
      rule: 'no-early-drop', key: keyOf(deploy.migration, name), why,
      must: next !== undefined && readers.length === 0 && old.columns.length > 1 && original && name === label(old),
    };
    // Renamed first, it is still spoken of by the name that its readers know.
    if (name !== label(old)) yield { rule: 'no-early-drop', key: keyOf(deploy.migration, label(old)), why, must: false };
  }
}
