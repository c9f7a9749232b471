import { newOrigins, quote, rowsSlide, rule, stillThere } from '../src/rule.ts';
import type { Context, Effect, Problem } from '../src/rule.ts';

function* problems(effect: Effect, context: Context): Iterable<Problem> {
  for (const { matview, column, taint, span } of newOrigins(effect, context)) {
    if (column !== undefined || taint.cause !== 'clock') continue;
    yield {
      span, relation: quote(matview.name), evidence: taint.path, stillTrue: stillThere(matview), experiment: rowsSlide(matview),
      message: taint.flips === 'each day' ? `The current day decides which rows ${quote(matview.name)} is made of.`
        : `The clock decides which rows ${quote(matview.name)} is made of.`,
    };
  }
}

export default rule({
  id: 'no-sliding-window',
  summary: 'Disallow conditions on the clock that choose the rows of a materialized view.',
  severity: 'note',
  ivm: true,
  postgres: { from: 14 },
  why: `
With \`placed_at > now() - interval '30 days'\` the content of the view changes although nobody writes: rows age out. A plain refresh
copes, and \`REFRESH … CONCURRENTLY\` deletes just the rows that left the window, so this is no mistake. But between two refreshes the view
shows rows that its own condition excludes, two refreshes over the same tables differ, so that a comparison of two generations finds
differences that are none, and no engine of incremental maintenance takes it: such a view changes only when its tables do, and the passing
of time is no change of a table.
`,
  fix: `
Keep the rows with their time in the materialized view and cut the window when it is read:

\`\`\`sql
CREATE MATERIALIZED VIEW order_days AS SELECT due_on, count(*) AS orders FROM orders GROUP BY due_on;
CREATE VIEW recent_days AS SELECT * FROM order_days WHERE due_on > current_date - 30;
\`\`\`

Where the window must bound the size, keep a generous one and cut the exact one in the view on top.
`,
  exceptions: `
A clock in a column is no-nondeterministic-output. A comparison with the clock that is a column, as in \`due_on < current_date AS late\`,
chooses no rows and is not reported.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html',
    'https://www.postgresql.org/docs/current/functions-datetime.html#FUNCTIONS-DATETIME-CURRENT',
  ],
  check: { createMatview: problems, createView: problems, createRoutine: problems },
});
