import {
  describe, evidence, happenings, isStored, known, madeAt, maintainedBy, nameGone, quote, readsOf, rule, sameName, stemOf, visibleColumns,
} from '../src/rule.ts';
import type { Catalog, Context, End, Query, Selectable, Stored } from '../src/rule.ts';

const columnsOf = (relation: Selectable): string => (known(visibleColumns(relation)) ?? []).map(column => column.name).sort().join('\0');

/** Whether two views are generations of one: by their names, or because they put out the same columns from the same columns of their sources. */
function isGeneration(old: Stored, next: Stored): boolean {
  if (stemOf(old.name) === stemOf(next.name)) return true;
  // The same columns out of the same columns: two reports over one table are no versions of each other.
  const isRead = (read: Query['reads'][number]): boolean => readsOf(next).some(({ id, columns }) => id === read.id
    && (columns === undefined || read.columns?.every(column => columns.includes(column)) === true));
  return columnsOf(old).includes('\0') && columnsOf(old) === columnsOf(next) && readsOf(old).length > 0 && readsOf(old).every(isRead);
}

/** Whether a view that read the old one reads the new one at the end: readers go through the view, and it was re-pointed. */
function repointed(old: Stored, next: Stored, start: Catalog, end: Catalog): boolean {
  const readers = new Set(end.dependants(next.id).map(link => link.dependent));
  return start.dependants(old.id).some(({ dependent }) => {
    const view = start.get(dependent);
    if (view?.kind !== 'view') return false;
    const now = end.find(view.name);
    return now.is === 'present' && readers.has(now.object.id);
  });
}

/** The view of this deploy that is to replace an old one under another name. */
function successor(old: Stored, end: End, { step: { after } }: Context): Stored | undefined {
  for (const { effect } of happenings(end.steps)) {
    const made = effect.kind === 'createMatview' ? effect.matview : effect.kind === 'changeMaintenance' ? undefined : maintainedBy(effect);
    const next = made && after.get(made.id);
    if (!isStored(next) || sameName(next.name, old.name) || !isGeneration(old, next)) continue;
    if (!repointed(old, next, end.start, after)) return next;
  }
  return undefined;
}

export default rule({
  id: 'no-early-drop',
  summary: 'Disallow dropping a materialized view in the deploy that creates its replacement under another name.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
A new version under another name is the careful way: both stand side by side, somebody compares them, and the readers move over one by
one. Dropping the old version in the same deploy takes all of that back. Whoever still asks for the old name gets \`42P01: relation does
not exist\` from that moment on, nobody has seen whether the two agree, and the way back is to build the old one from nothing.
`,
  fix: `
Create the new version now, let the readers move, and drop the old one in a deploy of its own:

\`\`\`sql
-- this deploy
CREATE MATERIALIZED VIEW daily_sales_v2 AS SELECT ...;
CREATE UNIQUE INDEX daily_sales_v2_day_key ON daily_sales_v2 (day);
-- a later one, when nothing asks for daily_sales any more
DROP MATERIALIZED VIEW daily_sales;
\`\`\`

With a plain view in front of the versions readers need not move: point the view to the new version and drop the old one at once.
`,
  exceptions: `
Two views are taken for versions of one when their names differ only in a version or in a word like \`next\`, or when they put out the
same columns from the same columns of their sources. A view whose readers go through a plain view that is re-pointed in the same deploy may go at once.
The same name again is no-recreate-in-place. An IMMV, a stream table or a continuous aggregate is a version like any other.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-dropmaterializedview.html',
    'https://www.postgresql.org/docs/current/sql-creatematerializedview.html',
  ],
  deploysWith: ['dropObject'],
  check: {
    *endOfDeploy(end, context) {
      const { after } = context.step;
      for (const { effect, step } of happenings(end.steps)) {
        if (effect.kind !== 'dropObject') continue;
        const old = end.start.get(effect.object.id);
        if (!isStored(old) || context.inUse(old) !== true || after.find(old.name).is === 'present') continue;
        const next = successor(old, end, context);
        if (!next) continue;
        const [name, heir] = [quote(old.name), quote(next.name)];
        yield {
          span: effect.via.span,
          message: `${name} is dropped in the deploy that creates ${heir}, so its readers fail before they have moved.`,
          relation: name,
          stillTrue: last => last.find(old.name).is !== 'present' && last.get(next.id) !== undefined,
          evidence: [...madeAt(next, `${describe(next)} is made here to replace it`), evidence(effect.via.span, `${name} is dropped`)],
          step,
          experiment: nameGone(old.name),
        };
      }
    },
  },
});
