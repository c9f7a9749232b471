import {
  describe, evidence, givenWords, happenings, isAside, madeAt, qualified, quote, refusedAfter, replacements, rule, takenWords, together,
} from '../src/rule.ts';
import type { Catalog, Context, End, Happening, Matview, Name, Problem } from '../src/rule.ts';

const emptied = (id: number, end: Catalog): boolean => {
  const matview = end.get(id);
  return matview?.kind === 'matview' && matview.populated === false;
};
/** What a later deploy fills again is history. What this deploy fills later itself is not: the moment without rows comes wherever it runs. */
const whileEmpty = (id: number, context: Context): Pick<Problem, 'stillTrue'> =>
  (emptied(id, context.step.after) ? { stillTrue: last => emptied(id, last) } : {});
const reads = (name: Name): string => `SELECT * FROM ${qualified(name)} LIMIT 1`;

/** The view that a refresh empties while it has rows and readers. */
function victim({ effect, step }: Happening, context: Context): Matview | undefined {
  if (effect.kind !== 'refreshMatview' || effect.withData) return undefined;
  const before = step.before.get(effect.matview.id);
  if (before?.kind !== 'matview' || before.populated !== true || context.inUse(before) !== true) return undefined;
  const now = context.step.after.get(before.id);
  const shadow = isAside(before, step.before) || (now?.kind === 'matview' && isAside(now, context.step.after));
  return shadow ? undefined : before;
}

/** Whether the view gets its rows back before anybody can look: in the transaction that took them. */
function refilled(matview: Matview, emptying: Happening, end: End): boolean {
  return happenings(end.steps).some(other => other.step.ordinal >= emptying.step.ordinal && other.effect.kind === 'refreshMatview'
    && other.effect.withData && other.effect.matview.id === matview.id && together(emptying, other));
}

export default rule({
  id: 'no-emptied-view',
  summary: 'Disallow emptying a materialized view that serves readers.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
\`REFRESH MATERIALIZED VIEW … WITH NO DATA\` throws the rows away and marks the view as not populated. It is not an empty view after that:
every query that reads it, directly or through a view, is answered with \`55000: materialized view has not been populated\` until somebody
refreshes it, and that refresh has to be a plain one, because \`CONCURRENTLY\` is refused too (\`0A000\`). A swap that gives the live
name to a generation that was created \`WITH NO DATA\` and never refreshed ends in the same place, and one that is refreshed only after
the swap answers with the error for as long as that refresh runs.
`,
  fix: `
To have it filled anew, refresh it; to save the space of a view that nobody reads, drop it. A generation that is built in steps is filled
before it gets the name:

\`\`\`sql
CREATE MATERIALIZED VIEW daily_sales_next AS SELECT ... WITH NO DATA;
CREATE UNIQUE INDEX daily_sales_next_day_key ON daily_sales_next (day);
REFRESH MATERIALIZED VIEW daily_sales_next;
\`\`\`
`,
  exceptions: `
A view without rows has nothing to lose, one that was created in the same deploy has no readers, and one that is refreshed again in the
same transaction makes them wait instead. A generation put aside or in waiting (\`daily_sales_old\` beside \`daily_sales\`) may be emptied.
`,
  references: ['https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html'],
  deploysWith: ['refreshMatview', 'renameRelation'],
  check: {
    *endOfDeploy(end, context) {
      for (const happening of happenings(end.steps)) {
        const matview = victim(happening, context);
        if (!matview || refilled(matview, happening, end)) continue;
        const name = quote(matview.name);
        const { span } = happening.effect.via;
        yield {
          span,
          message: `This empties ${name}, so every reader gets an error until it is refreshed again.`,
          relation: name,
          ...whileEmpty(matview.id, context),
          evidence: [
            ...madeAt(matview, `${describe(matview)} is made here and has rows until the refresh below`),
            evidence(span, 'WITH NO DATA takes its rows away'),
          ],
          step: happening.step,
          experiment: refusedAfter(reads(matview.name), '55000'),
        };
      }
      for (const replacement of replacements(end, context)) {
        const { old, taken, given } = replacement;
        const now = given.effect.kind === 'renameRelation' ? given.effect.to : undefined;
        if (old.populated !== true || given.effect.kind !== 'renameRelation' || now?.kind !== 'matview' || now.populated !== false) continue;
        if (refilled(now, given, end)) continue;
        const name = quote(old.name);
        const until = emptied(now.id, context.step.after) ? 'from here on' : 'from here until it is refreshed';
        yield {
          span: given.effect.via.span,
          message: `Every reader of ${name} gets an error ${until} because ${quote(given.effect.from.name)} was never populated.`,
          relation: name,
          ...whileEmpty(now.id, context),
          evidence: [
            ...madeAt(now, `${quote(given.effect.from.name)} is made here without data`),
            evidence(taken.effect.via.span, takenWords(replacement)),
            evidence(given.effect.via.span, givenWords(replacement)),
          ],
          step: given.step,
          experiment: refusedAfter(reads(old.name), '55000'),
        };
      }
    },
  },
});
