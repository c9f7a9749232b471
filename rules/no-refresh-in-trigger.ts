import {
  describe, evidence, firesRefresh, freshSites, happenings, isSelectable, lockWords, madeAt, quote, refreshesBy, refreshesOf, refreshLock,
  rule, runsOneOf, sitesOf,
} from '../src/rule.ts';
import type { Catalog, End, Evidence, Matview, ObjectId, Problem, Selectable, Span, Trigger, TriggeredRefresh } from '../src/rule.ts';

/** The triggers that this deploy can have made refresh something: its own, and those that lead to a routine it made that refreshes, itself or by others. */
function suspects(end: End, after: Catalog): readonly Trigger[] {
  const made: Trigger[] = [];
  const changed = new Set<ObjectId>();
  for (const { effect } of happenings(end.steps)) {
    if (effect.kind === 'createTrigger' && after.get(effect.trigger.id) !== undefined) made.push(effect.trigger);
    if (effect.kind === 'createRoutine' && refreshesBy(effect.routine, after).length > 0) changed.add(effect.routine.id);
  }
  // A replaced routine may refresh what its triggers' arguments name: such a site is the trigger's.
  for (const { holderId } of freshSites(after, end.start)) if (holderId !== undefined) changed.add(holderId);
  if (changed.size === 0) return made;
  const own = new Set(made.map(({ id }) => id));
  return [...after.triggers()].filter(trigger => own.has(trigger.id) || changed.has(trigger.id) || runsOneOf(changed, trigger, after));
}

/** What made the chain whole, in this deploy; undefined when it was whole before. */
function newest({ trigger, through, site }: TriggeredRefresh, start: Catalog): Span | undefined {
  if (!sitesOf(start)(site)) return site.span;
  if (start.get(trigger.id) === undefined) return trigger.madeAt;
  return through.find(routine => start.get(routine.id) !== routine)?.statement.span;
}

function path(found: TriggeredRefresh, table: Selectable, matview: Matview | undefined, at: Span): readonly Evidence[] {
  const { trigger, through, site } = found;
  const links = [
    ...madeAt(trigger, `trigger ${quote(trigger.name)} on ${quote(table.name)} runs ${describe(through[0])}`),
    ...through.slice(1).flatMap((routine, index) => madeAt(routine, `${describe(through[index]!)} calls ${describe(routine)}`)),
    evidence(site.span, matview === undefined ? 'this refresh runs inside the transaction of the writer'
      : `until the writer commits this holds ${lockWords(refreshLock(site.concurrently), matview)}`),
  ];
  const last = links.findLast(({ span }) => span.path === at.path && span.start >= at.start && span.end <= at.end) ?? links[0]!;
  return [...links.filter(link => link !== last), last];
}

function problem(found: TriggeredRefresh, after: Catalog, span: Span): Problem | undefined {
  const { trigger, site } = found;
  const table = after.get(trigger.on);
  if (!isSelectable(table)) return undefined;
  const target = after.find(site.target, site.searchPath);
  const matview = target.is === 'present' && target.object.kind === 'matview' ? target.object : undefined;
  const written = site.target.schema === undefined ? site.target.name : { schema: site.target.schema, name: site.target.name };
  const name = quote(matview?.name ?? written);
  return {
    span,
    message: `Every write to ${quote(table.name)} that fires trigger ${quote(trigger.name)} refreshes ${name} and waits until it is done.`,
    relation: name,
    stillTrue: end => end.get(trigger.id) !== undefined && sitesOf(end)(site),
    evidence: path(found, table, matview, span),
    ...(matview ? { experiment: firesRefresh(table.name, matview.name) } : {}),
  };
}

export default rule({
  id: 'no-refresh-in-trigger',
  summary: 'Disallow triggers that refresh a materialized view.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
A trigger runs inside the transaction that writes. With a refresh in it each write, however small, runs the whole query of the view, and
its lock is held until the writer commits: with a plain \`REFRESH\` every reader of the view waits, and in both forms the next writer
waits for the first, so that writes to the table happen one at a time. Two writers that reach two such views in different orders end in
a deadlock (\`40P01\`). A refresh that fails, for want of an index or of memory, fails the write.
`,
  fix: `
Refresh on a schedule, or let the trigger only note that something changed and have one worker do the refresh:

\`\`\`sql
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NOTIFY daily_sales_changed;      -- delivered at commit, equal ones once
  RETURN NULL;
END $$;
\`\`\`

Where the view must follow every write, it should be maintained incrementally: a summary table that the trigger updates, or an extension
such as pg_ivm.
`,
  exceptions: `
A trigger function that no trigger uses is not reported. Calls are followed through the bodies that the history shows, by name.
`,
  references: [
    'https://www.postgresql.org/docs/current/trigger-definition.html',
    'https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES',
  ],
  deploysWith: ['createTrigger', 'createRoutine'],
  check: {
    *endOfDeploy(end, context) {
      const { after } = context.step;
      for (const trigger of suspects(end, after))
        for (const found of refreshesOf(trigger, after)) {
          const at = newest(found, end.start);
          const raised = at && problem(found, after, at);
          if (raised) yield raised;
        }
    },
  },
});
