import { describe, evidence, happenings, isSelectable, list, madeAt, matviewsOver, normalOf, printsAnother, quote, rule } from '../src/rule.ts';
import type { Catalog, CatalogObject, Context, Effect, End, Matview, Query, Routine } from '../src/rule.ts';

/** Whether the new query is the old one with more columns at its end: what read the old ones reads the same rows. */
function onlyAddsColumns(old: Query, now: Query): boolean {
  const [a, b] = [normalOf(old), normalOf(now)];
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let tail = 0;
  while (tail < a.length - start && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  if (start + tail < a.length || /^select distinct\b/.test(b)) return false;
  const added = b.slice(start, b.length - tail);
  const depth = a.slice(0, start).split('(').length - a.slice(0, start).split(')').length;
  return depth === 0 && added.startsWith(',') && !added.includes('(') && a.slice(start).startsWith('from ');
}

const bodyOf = ({ statement: { sql }, body }: Routine): string =>
  (body ? sql.slice(body.start, body.end) : sql).replace(/\s+/g, ' ').trim();

/** The same words mean something else where a name of theirs went to another object in between. */
function readsTheSame(now: Query, old: Query): boolean {
  const ids = ({ reads }: Query): ReadonlySet<number> => new Set(reads.map(({ id }) => id));
  const then = ids(old);
  return normalOf(now) !== normalOf(old) || [...ids(now)].every(id => then.has(id));
}

/** The object whose meaning this effect changes, if it does. */
function redefined(effect: Effect): CatalogObject | undefined {
  if (effect.kind === 'createView' && effect.replaced) {
    const { view, replaced } = effect;
    if (!readsTheSame(view.query, replaced.query)) return view;
    return normalOf(view.query) === normalOf(replaced.query) || onlyAddsColumns(replaced.query, view.query) ? undefined : view;
  }
  if (effect.kind !== 'createRoutine' || !effect.replaced) return undefined;
  return bodyOf(effect.routine) === bodyOf(effect.replaced) ? undefined : effect.routine;
}

/** The views in use over it that keep the rows of the old definition to the end of the deploy. */
function over(object: CatalogObject, before: Catalog, ordinal: number, end: End, context: Context): readonly Matview[] {
  const refreshed = new Set(happenings(end.steps).flatMap(({ effect, step }) =>
    (step.ordinal > ordinal && effect.kind === 'refreshMatview' && effect.withData ? [effect.matview.id] : [])));
  return matviewsOver(object.id, before).flatMap(matview => {
    const now = context.step.after.get(matview.id);
    return now?.kind === 'matview' && now.populated === true && context.inUse(matview) === true && !refreshed.has(now.id) ? [now] : [];
  });
}

const stillMeans = (object: CatalogObject, end: Catalog): boolean => {
  const now = end.get(object.id);
  if (object.kind === 'view') return now?.kind === 'view' && now.query === object.query;
  return object.kind === 'routine' && now?.kind === 'routine' && now.statement === object.statement;
};

export default rule({
  id: 'no-redefined-source',
  summary: 'Disallow redefining a view or a function beneath a materialized view without refreshing it.',
  severity: 'warning',
  postgres: { from: 14 },
  why: `
\`CREATE OR REPLACE VIEW\` and \`CREATE OR REPLACE FUNCTION\` take effect at once for everybody but a materialized view, which keeps the
rows of the old definition until its next refresh. Then its contents change, at an hour when nobody deploys anything, and whoever
looks for the reason finds no change that day. Until then the view and what reads the source directly disagree.
`,
  fix: `
Refresh every materialized view above the source in the same migration:

\`\`\`sql
CREATE OR REPLACE VIEW paid_orders AS SELECT ...;
REFRESH MATERIALIZED VIEW CONCURRENTLY daily_sales;
\`\`\`
`,
  exceptions: `
A definition that is the same text again, or that only puts more columns at the end, changes nothing above it. A view that is not
populated, or was created in the same deploy, has no old rows. Functions that are called by other functions are not followed.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-createview.html',
    'https://www.postgresql.org/docs/current/sql-createfunction.html',
  ],
  deploysWith: ['createView', 'createRoutine'],
  check: {
    *endOfDeploy(end, context) {
      for (const { effect, step } of happenings(end.steps)) {
        const object = redefined(effect);
        const matviews = object ? over(object, step.before, step.ordinal, end, context) : [];
        if (!object || matviews.length === 0 || !stillMeans(object, context.step.after)) continue;
        const names = list(matviews.map(matview => quote(matview.name)));
        yield {
          span: effect.via.span,
          message: `${names} ${matviews.length === 1 ? 'keeps' : 'keep'} the rows of the old ${describe(object)} until the next refresh.`,
          relation: quote(matviews[0]!.name),
          stillTrue: last => stillMeans(object, last) && matviews.some(matview => isSelectable(last.get(matview.id))),
          evidence: [
            ...matviews.flatMap(matview => madeAt(matview, `${describe(matview)} is built from ${describe(object)}`)),
            evidence(effect.via.span, `${describe(object)} means something else from here on, and no refresh follows`),
          ],
          step,
          experiment: printsAnother(step, object),
        };
      }
    },
  },
});
