/** Group B judged by what Postgres shows: refreshes that ran, what they locked, and what can be refreshed at the end. */
import { label, type Rel } from './observer.ts';
import type { Deploy, Happened, Sent, Site } from './trace.ts';
import { exchanges, indexesOf, inUse, isAside, keyOf, named, beneath, refreshed, relOf, statementKey, tablesBeneath, type Refreshed, type Truth } from './truth.ts';

export function* refreshing(deploy: Deploy): Iterable<Truth> {
  yield* plainOnes(deploy);
  yield* withoutIndex(deploy);
  yield* emptied(deploy);
  yield* held(deploy);
  yield* order(deploy);
  yield* orderInCode(deploy);
  yield* populates(deploy);
  yield* limits(deploy);
  yield* sites(deploy);
  yield* owners(deploy);
  yield* unqualified(deploy);
  yield* rowSecurity(deploy);
  yield* triggers(deploy);
}

/** What a refused transaction did for a while: a finding speaks of it with right, and need not. */
export function* undone(deploy: Deploy): Iterable<Truth> {
  if (deploy.undone.length === 0) return;
  const then = { ...deploy, events: deploy.undone, sitesAfter: [], refreshAfter: new Map() };
  for (const judge of [plainOnes, emptied, held, populates, limits, order])
    for (const truth of judge(then)) yield { ...truth, must: false };
}

/** A trigger ran it, at a write: that was told where the trigger came to be, and the replay does not run triggers. */
const byWrite = (event: Happened, { sent }: Deploy): boolean => sent.some(({ ordinal, sql }) => ordinal === event.ordinal && /^\s*(?:insert|update|delete)\b/i.test(sql));

type Ran = Refreshed & { readonly event: Happened };
const runs = ({ events }: Deploy): readonly Ran[] => events.flatMap(event => {
  const run = refreshed(event);
  return run ? [{ ...run, event }] : [];
});

function* plainOnes(deploy: Deploy): Iterable<Truth> {
  for (const { before, how, event } of runs(deploy))
    if (how === 'plain' && before.populated && inUse(before, deploy))
      yield { rule: 'prefer-concurrent-refresh', key: keyOf(deploy.migration, label(before)), must: !isAside(before, event.before) && !byWrite(event, deploy), why: event.sql };
  const old = new Set(deploy.sitesBefore.map(siteKey));
  for (const site of deploy.sitesAfter) {
    const target = named(deploy.end, site.name);
    if (old.has(siteKey(site)) || site.concurrently || target?.kind !== 'm' || !target.populated || /no\s+data$/i.test(site.sql)) continue;
    yield { rule: 'prefer-concurrent-refresh', key: keyOf(deploy.migration, site.name), must: true, why: `${site.holder}: ${site.sql}` };
  }
}
const siteKey = ({ routine, sql }: Site): string => `${routine} ${sql}`;

function* withoutIndex(deploy: Deploy): Iterable<Truth> {
  const changes = exchanges(deploy);
  for (const rel of deploy.end.rels) {
    if (rel.kind !== 'm' || relOf(deploy.start, rel.oid) || indexesOf(deploy.end, rel.oid).some(index => index.usable)) continue;
    const lost = changes.find(change => change.now.oid === rel.oid && change.old.kind === 'm');
    const headline = lost && indexesOf(deploy.start, lost.old.oid).some(index => index.unique);
    yield { rule: 'require-unique-index', key: keyOf(deploy.migration, label(rel)), must: !headline, why: `${label(rel)} has no usable unique index` };
  }
}

function* emptied(deploy: Deploy): Iterable<Truth> {
  const all = runs(deploy);
  for (const [at, { before, how, event }] of all.entries()) {
    if (how !== 'empty' || !before.populated || !inUse(before, deploy)) continue;
    const filled = all.slice(at + 1).some(later => later.after.oid === before.oid && later.how !== 'empty' && later.event.transaction === event.transaction);
    const end = relOf(deploy.end, before.oid);
    const aside = isAside(before, event.before) || (end !== undefined && isAside(end, deploy.end));
    if (!filled && !aside) yield { rule: 'no-emptied-view', key: keyOf(deploy.migration, label(before)), must: true, why: event.sql };
  }
}

const isEnd = (sql: string): boolean => /^\s*(commit|end|begin|start|set|reset|grant|revoke|comment|analyze)\b/i.test(sql);

/** A refresh whose locks are held while its transaction works on, or that runs beneath locks on others. */
function* held(deploy: Deploy): Iterable<Truth> {
  for (const { after, before, event } of runs(deploy).filter(({ how }) => how !== 'empty')) {
    if (!inUse(before, deploy)) continue;
    const together = deploy.sent.filter(one => one.transaction === event.transaction);
    const later = deploy.events.filter(other => other.transaction === event.transaction && deploy.events.indexOf(other) > deploy.events.indexOf(event));
    const works = later.some(({ tag }) => /^(REFRESH|CREATE (INDEX|MATERIALIZED VIEW)|ALTER|DROP)/.test(tag))
      || together.some(({ ordinal, sql }) => ordinal > event.ordinal && !isEnd(sql));
    const others = event.before.exclusive.filter(oid => oid !== after.oid).flatMap(oid => relOf(deploy.start, oid) ?? []).filter(rel => inUse(rel, deploy));
    if (!works && others.length === 0) continue;
    const explicit = together.some(({ sql }) => /^\s*(begin|start)\b/i.test(sql));
    const sure = later.some(other => other.ordinal > event.ordinal && (/^(REFRESH|CREATE INDEX|ALTER MAT)/.test(other.tag) || other.dropped.length > 0)) && !isAside(before, event.before);
    yield { rule: 'no-refresh-in-transaction', key: keyOf(deploy.migration, label(before)), must: explicit && sure && isFirst(event, deploy), why: event.sql };
  }
}

/** One finding a transaction is enough: it names the first refresh. */
const isFirst = (event: Happened, deploy: Deploy): boolean =>
  runs(deploy).find(one => one.event.transaction === event.transaction && one.how !== 'empty' && inUse(one.before, deploy))?.event === event;

/** A view that is refreshed before one beneath it, and not again. */
function* order(deploy: Deploy): Iterable<Truth> {
  const last = new Map<number, number>();
  const ran = runs(deploy).filter(({ how }) => how !== 'empty');
  for (const [at, { after }] of ran.entries()) last.set(after.oid, at);
  for (const [oid, at] of last) {
    const outer = relOf(deploy.end, oid);
    const inner = outer && beneath(oid, deploy.end).find(rel => (last.get(rel.oid) ?? -1) > at);
    if (inner) yield { rule: 'require-refresh-order', key: keyOf(deploy.migration, label(outer)), must: true, why: `${label(inner)} is refreshed after it` };
  }
}

/** The same in a new routine, by the order of its text. */
function* orderInCode(deploy: Deploy): Iterable<Truth> {
  const old = new Set(deploy.sitesBefore.map(siteKey));
  for (const [at, outer] of deploy.sitesAfter.entries()) {
    const rel = named(deploy.end, outer.name);
    const same = deploy.sitesAfter.filter(site => site.routine === outer.routine);
    const inner = rel && deploy.sitesAfter.slice(at + 1).find(site => site.routine === outer.routine && beneath(rel.oid, deploy.end).some(source => label(source) === site.name));
    const source = deploy.end.routines.find(({ oid }) => oid === outer.routine)?.source ?? '';
    if (inner && !old.has(siteKey(outer)))
      yield { rule: 'require-refresh-order', key: keyOf(deploy.migration, outer.name), must: same.length === 2 && !/\b(if|case|exception)\b/i.test(source), why: `${outer.holder}: ${inner.name} is refreshed after it` };
  }
}

function* populates(deploy: Deploy): Iterable<Truth> {
  const old = (rel: Rel, event: Happened): boolean => tablesBeneath(rel.oid, event.after).some(table => relOf(deploy.start, table.oid) !== undefined);
  for (const event of deploy.events) {
    const made = event.tag === 'CREATE MATERIALIZED VIEW' ? relOf(event.after, event.objects[0] ?? 0) : undefined;
    const run = refreshed(event);
    const rel = made?.populated ? made : run && run.how !== 'empty' ? run.after : undefined;
    if (rel && old(rel, event)) yield { rule: 'no-populate-in-migration', key: keyOf(deploy.migration, label(rel)), must: made !== undefined, why: event.sql };
  }
}

/** The first statement of a transaction that locks readers out of a view, with no limit for the wait. */
function* limits(deploy: Deploy): Iterable<Truth> {
  // Event triggers do not see CLUSTER, which takes ACCESS EXCLUSIVE (measured, facts A).
  for (const { sql, refusal } of deploy.sent) {
    const name = refusal ? undefined : /^\s*cluster\s+(\w+)/i.exec(sql)?.[1];
    if (name !== undefined) yield { rule: 'require-lock-timeout', key: keyOf(deploy.migration, name), must: false, why: sql };
  }
  const seen = new Set<number>();
  for (const event of deploy.events) {
    const sent = deploy.sent.find(one => one.ordinal === event.ordinal);
    if (sent && /^0/.test(sent.before.lockTimeout) === false) continue;
    const already = new Set(event.transaction === deploy.events[deploy.events.indexOf(event) - 1]?.transaction ? event.before.exclusive : []);
    const locked = event.after.exclusive.filter(oid => !already.has(oid)).flatMap(oid => relOf(event.before, oid) ?? [])
      .filter(rel => rel.kind === 'm' && rel.populated && inUse(rel, deploy) && !isAside(rel, event.before));
    for (const rel of locked) {
      yield { rule: 'require-lock-timeout', key: keyOf(deploy.migration, label(rel)), must: !seen.has(event.transaction) && locked.length === 1 && !event.code, why: event.sql };
    }
    if (locked.length > 0) seen.add(event.transaction);
  }
}

/** Refreshes in routines that Postgres ran before and refuses now, and new ones that it refuses at once. */
function* sites(deploy: Deploy): Iterable<Truth> {
  const before = new Map(deploy.sitesBefore.map(site => [siteKey(site), site]));
  for (const site of deploy.sitesAfter) {
    if (site.answer === 'ok' || site.guarded) continue;
    const was = before.get(siteKey(site));
    const target = named(deploy.start, site.name);
    const now = target && relOf(deploy.end, target.oid);
    const unknown = was === undefined && named(deploy.end, site.name) === undefined;
    const why = `${site.holder}: ${site.sql} was ${was?.answer ?? 'not there'} and is ${site.answer}`;
    // Who may run it, no-refused-owner says; behind a condition it need not run.
    const branches = /\b(?:if|case|exception)\b/i.test(deploy.end.routines.find(({ oid }) => oid === site.routine)?.source ?? '');
    const truth = { rule: 'no-broken-refresh', must: site.answer !== '42501' && !branches && (was?.answer === 'ok' || (was === undefined && !unknown)), why };
    yield { ...truth, key: keyOf(deploy.migration, site.name) };
    if (now && label(now) !== site.name) yield { ...truth, key: keyOf(deploy.migration, label(now)), must: false };
    // Where it cannot run for what lies beneath, the finding may name that.
    const over = named(deploy.end, site.name);
    for (const source of over ? beneath(over.oid, deploy.end) : []) yield { ...truth, key: keyOf(deploy.migration, label(source)), must: false };
  }
}

function* owners(deploy: Deploy): Iterable<Truth> {
  for (const [oid, answer] of deploy.refreshAfter) {
    const rel = relOf(deploy.end, oid);
    if (!rel || answer !== '42501') continue;
    const before = relOf(deploy.start, oid)?.super === true ? 'ok' : deploy.refreshBefore.get(oid) ?? 'new';
    yield { rule: 'no-refused-owner', key: keyOf(deploy.migration, label(rel)), must: before === 'ok', why: `refresh as ${rel.owner} was ${before}, is 42501` };
  }
}

/** Views that cannot be filled for a name that no schema of a refresh holds, although the database holds it. */
function* unqualified(deploy: Deploy): Iterable<Truth> {
  for (const [oid, answer] of deploy.refreshAfter) {
    const rel = relOf(deploy.end, oid);
    if (!rel || (answer !== '42P01' && answer !== '42883')) continue;
    const before = deploy.refreshBefore.get(oid) ?? 'new';
    // A relation that this deploy takes from under a routine is gone from every path.
    const taken = deploy.start.rels.some(one => relOf(deploy.end, one.oid) === undefined && deploy.end.routines.some(({ source }) => new RegExp(`\\b${one.name}\\b`).test(source)));
    yield { rule: 'no-unqualified-routine', key: keyOf(deploy.migration, label(rel)), must: !taken && (before === 'ok' || before === 'new'), why: `refresh was ${before}, is ${answer}` };
  }
}

function* rowSecurity(deploy: Deploy): Iterable<Truth> {
  for (const rel of deploy.end.rels.filter(one => one.kind === 'm')) {
    const born = relOf(deploy.start, rel.oid) === undefined;
    for (const table of tablesBeneath(rel.oid, deploy.end)) {
      const fresh = relOf(deploy.start, table.oid)?.rowSecurity !== true;
      if (!table.rowSecurity || (!born && !fresh)) continue;
      yield { rule: 'no-rls-bypass', key: keyOf(deploy.migration, label(rel)), must: born || relOf(deploy.start, table.oid) !== undefined, why: label(table) };
    }
  }
}

const calls = (source: string, name: string): boolean => new RegExp(`\\b${name}\\s*\\(`).test(source);

/** A trigger whose routine, or one that it calls, holds a refresh. */
function* triggers(deploy: Deploy): Iterable<Truth> {
  const { end, start } = deploy;
  for (const trigger of end.triggers) {
    const reached = new Set([trigger.routine]);
    for (const oid of reached) {
      const routine = end.routines.find(one => one.oid === oid);
      for (const other of end.routines) if (routine && calls(routine.source, other.name)) reached.add(other.oid);
    }
    const stood = start.triggers.some(one => one.oid === trigger.oid);
    const before = new Set(deploy.sitesBefore.map(siteKey));
    for (const site of deploy.sitesAfter.filter(one => reached.has(one.routine)))
      if (!stood || !before.has(siteKey(site)))
        yield { rule: 'no-refresh-in-trigger', key: keyOf(deploy.migration, site.name), must: true, why: `${trigger.name}: ${site.sql}` };
  }
}

/** Refusals, by what Postgres says. */
export function* refusals(deploy: Deploy): Iterable<Truth> {
  // What a list of the catalog does not hold is decided by the list (facts D); whether it is asked for is in the text alone.
  for (const { sql, ordinal } of deploy.sent) if (/information_schema|pg_tables|pg_views/.test(sql)) yield { rule: 'no-blind-guard', key: statementKey(ordinal), must: false, why: sql };
  for (const sent of deploy.sent) if (sent.refusal) for (const [rule, must] of blamed(sent)) yield { rule, key: statementKey(sent.ordinal), must, why: `${sent.refusal.sqlstate} ${sent.refusal.message}: ${sent.sql}` };
}

/** The rules that speak of a refusal, and whether one of them has to. */
function blamed({ refusal, sql, before }: Sent): readonly (readonly [rule: string, must: boolean])[] {
  const { sqlstate, message } = refusal!;
  const refresh = /^\s*refresh\b/i.test(sql);
  const mentioned = /"([^"]+)"/.exec(message)?.[1];
  const holder = before.rels.find(rel => rel.name === mentioned)
    ?? before.rels.find(rel => rel.oid === before.indexes.find(index => index.name === mentioned)?.on);
  if (sqlstate === '2BP01') return /^role /.test(message) ? [] : /^cannot drop (column|constraint|default)/.test(message)
    ? [['no-blocked-column-change', aMatviewBlocks(sql, message, before)]] : [['no-drop-with-dependents', true]];
  if (sqlstate === '0A000' && /alter type of a column/.test(message)) return [['no-blocked-column-change', aMatviewBlocks(sql, message, before)]];
  if (sqlstate === '55000' && /has not been populated/.test(message)) return [['no-unpopulated-read', true]];
  if (sqlstate === '55000' && /materialized view .* concurrently/.test(message)) return [['no-impossible-refresh', true]];
  if (sqlstate === '0A000' && /CONCURRENTLY cannot be used/.test(message)) return [['no-impossible-refresh', true]];
  if (sqlstate === '42601' && /CONCURRENTLY/.test(message)) return [['no-impossible-refresh', true]];
  if (sqlstate === '25001') return [['no-concurrent-index-in-transaction', true]];
  if (sqlstate === '42P07') return [['no-incomplete-swap', holder?.kind === 'm' && /rename/i.test(sql)]];
  // Which statement of a block was refused, the answer does not tell.
  if (['42P01', '0A000'].includes(sqlstate) && /^\s*(do|select)\b/i.test(sql)) return [['no-impossible-refresh', false], ['no-blind-guard', false]];
  if (['42P01', '42809', '0A000', '42501'].includes(sqlstate) && refresh) return [['no-impossible-refresh', sqlstate !== '42501'], ['no-blind-guard', false]];
  if (sqlstate === '42809') return [['no-blind-guard', holder?.kind === 'm' && !/not an index for/.test(message) && !/^\s*(do|select)\b/i.test(sql)], ['no-impossible-refresh', false]];
  return [];
}

/** Whether a materialized view, or a view beneath one, reads the table that a refused ALTER speaks of. */
function aMatviewBlocks(sql: string, message: string, state: Sent['before']): boolean {
  const name = /of table (?:public\.)?"?(\w+)/.exec(message)?.[1] ?? /alter table (?:public\.)?"?(\w+)/i.exec(sql)?.[1] ?? '';
  const table = named(state, name);
  return table !== undefined && state.rels.some(rel => rel.kind === 'm' && beneath(rel.oid, state).some(source => source.oid === table.oid)
    && (rel.query ?? '').includes(/column (\w+) of/.exec(message)?.[1] ?? /column (\w+)/i.exec(sql)?.[1] ?? ''));
}
