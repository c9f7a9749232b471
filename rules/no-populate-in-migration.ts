import { countsAfter, describe, evidence, madeAt, qualified, quote, quoteLiteral, rule, tablesBeneath } from '../src/rule.ts';
import type { Context, Evidence, Matview, Problem, Span } from '../src/rule.ts';

/** A table beneath the view that stood before the deploy, so that there can be rows to read. */
function source(matview: Matview, { step, deployStart }: Context): readonly Evidence[] | undefined {
  const table = tablesBeneath(matview, step.after).find(each => deployStart.get(each.id) !== undefined);
  return table && madeAt(table, `${describe(table)} has stood since here and can hold any number of rows`);
}

function* problem(matview: Matview, span: Span, context: Context): Iterable<Problem> {
  const rows = source(matview, context);
  if (!rows) return;
  const name = quote(matview.name);
  yield {
    span,
    message: `The deploy waits here until the whole query of ${name} has run.`,
    relation: name,
    evidence: [...rows, evidence(span, `${name} is filled while the deploy runs`)],
    experiment: countsAfter({
      of: matview.name, count: of => `SELECT relispopulated::int FROM pg_class WHERE oid = to_regclass(${quoteLiteral(qualified(of))})`, expected: 1,
      says: `The statement leaves ${name} populated.`, otherwise: `The statement leaves ${name} unpopulated.`,
      twin: of => [`CREATE MATERIALIZED VIEW ${of} AS SELECT 1 AS a`],
    }),
  };
}

export default rule({
  id: 'no-populate-in-migration',
  summary: 'Disallow running the whole query of a materialized view while the deploy waits.',
  severity: 'note',
  postgres: { from: 14 },
  why: `
\`CREATE MATERIALIZED VIEW\` fills the view at once unless it says \`WITH NO DATA\`. On a database with data the migration then takes as
long as the query, which on a developer's machine was milliseconds: the pipeline runs into its timeout, the rollout stands still, and every
lock that the transaction has taken is held meanwhile. A refresh in a migration does the same.
`,
  fix: `
Create the view empty and let the job that refreshes it do the first filling:

\`\`\`sql
CREATE MATERIALIZED VIEW daily_sales AS SELECT ... WITH NO DATA;
CREATE UNIQUE INDEX daily_sales_day_key ON daily_sales (day);
-- outside of the deploy
REFRESH MATERIALIZED VIEW daily_sales;
\`\`\`

Nothing that reads the view may go out before it is filled.
`,
  exceptions: 'Nothing is reported when every table beneath the view is created in the same deploy. How many rows there are is not known.',
  references: ['https://www.postgresql.org/docs/current/sql-creatematerializedview.html'],
  check: {
    *createMatview({ via, matview, withData }, context) {
      if (withData) yield* problem(matview, via.span, context);
    },
    *refreshMatview({ via, matview, withData }, context) {
      if (withData) yield* problem(matview, via.span, context);
    },
  },
});
