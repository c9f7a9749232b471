import { newOrigins, quote, refreshTwice, rule, steadyColumns, stillThere } from '../src/rule.ts';
import type { Context, Effect, Problem } from '../src/rule.ts';

function* problems(effect: Effect, context: Context): Iterable<Problem> {
  for (const { matview, column, taint, span } of newOrigins(effect, context)) {
    if (taint.form !== 'pick') continue;
    yield {
      span, relation: quote(matview.name), evidence: taint.path, stillTrue: stillThere(matview),
      message: column === undefined ? `Which rows ${quote(matview.name)} holds is decided among equals by the place where they happen to stand.`
        : `Column ${quote(column.name)} of ${quote(matview.name)} is taken from one of several rows that the query does not tell apart.`,
      experiment: refreshTwice(matview, column?.name, taint.flips, { beside: steadyColumns(context.facts(matview)) }),
    };
  }
}

export default rule({
  id: 'no-unordered-pick',
  summary: 'Disallow LIMIT, DISTINCT ON and row numbers whose order leaves ties.',
  severity: 'warning',
  postgres: { from: 14 },
  why: `
\`LIMIT\`, \`OFFSET\`, \`DISTINCT ON\`, \`row_number()\`, \`lag()\`, \`first_value()\` and \`any_value()\` take one row where there are several.
If their order leaves ties, the row that stands first in the table wins, and rows move: with every update, with every vacuum, with another
plan. The answer was never decided, so a refresh changes it although no value did. A hundred of a hundred groups of a \`DISTINCT ON\` were
rewritten by \`REFRESH … CONCURRENTLY\` after the base rows had moved, and readers saw another order as a customer's latest one. The usual
case is \`ORDER BY created_at DESC LIMIT 1\`: two rows of one transaction have the same time.
`,
  fix: `
End the order with a key:

\`\`\`sql
CREATE MATERIALIZED VIEW latest AS
  SELECT DISTINCT ON (customer_id) customer_id, id, note FROM orders ORDER BY customer_id, placed_at DESC, id DESC;
\`\`\`

\`FETCH FIRST … ROWS WITH TIES\` keeps all that are equal, \`rank()\` gives them one number.
`,
  exceptions: `
Nothing is reported where no tie can show: the order holds a key that the query proves, or all that is shown. \`WITH TIES\`, \`rank()\`,
\`dense_rank()\`, running sums over the default frame and \`EXISTS (… LIMIT 1)\` do not pick. Random choice has a rule of its own, as have
aggregates that keep an order. Where a relation of the query is not in the history, its keys are not known and nothing is said of an order.
`,
  references: [
    'https://www.postgresql.org/docs/current/queries-limit.html',
    'https://www.postgresql.org/docs/current/sql-select.html#SQL-DISTINCT',
    'https://www.postgresql.org/docs/current/functions-window.html',
  ],
  check: { createMatview: problems, createView: problems, createRoutine: problems },
});
