import { newOrigins, quote, refreshTwice, rule, stillThere } from '../src/rule.ts';
import type { Context, Effect, Problem } from '../src/rule.ts';

function* problems(effect: Effect, context: Context): Iterable<Problem> {
  for (const { matview, column, taint, span } of newOrigins(effect, context)) {
    if (taint.form !== 'aggregate') continue;
    yield {
      span, relation: quote(matview.name), evidence: taint.path, stillTrue: stillThere(matview),
      message: column === undefined ? `Which rows ${quote(matview.name)} holds depends on an aggregate whose order nothing fixes.`
        : `Column ${quote(column.name)} of ${quote(matview.name)} holds its elements in an order that nothing fixes.`,
      experiment: refreshTwice(matview, column?.name, taint.flips),
      ...(taint.remedy === undefined ? {} : { fixes: [taint.remedy] }),
    };
  }
}

export default rule({
  id: 'no-unordered-aggregate',
  summary: 'Disallow array_agg, string_agg and JSON aggregates without an order that is total for their group.',
  severity: 'warning',
  postgres: { from: 14 },
  why: `
\`array_agg\`, \`string_agg\`, \`json_agg\`, \`xmlagg\` and \`ARRAY(SELECT …)\` put their elements in the order in which the rows
come, and nothing fixes that order: an \`UPDATE\` moves a row to another place, a vacuum makes room for it elsewhere, another plan reads
another way. The value differs, so \`REFRESH … CONCURRENTLY\` rewrites the row although no element did change. In a view of a hundred
groups whose base rows had only moved, fifty to a hundred were rewritten; once the scan ran in parallel, all of them at every refresh. An
\`ORDER BY\` over values that rows share is no better: the ties come in any order.
`,
  fix: `
Order by something that ends in a key, inside the aggregate:

\`\`\`sql
CREATE MATERIALIZED VIEW customer_orders AS
  SELECT customer_id, array_agg(id ORDER BY placed_at, id) AS orders FROM orders GROUP BY customer_id;
\`\`\`

Where each element should stand once, \`array_agg(DISTINCT …)\` sorts them. \`jsonb_object_agg\` over unique keys needs no order, because
\`jsonb\` sorts its keys.
`,
  exceptions: `
Nothing is reported where the order is total for its group: it holds a key that the query proves, all that is aggregated, or the group is
one row. Aggregates with \`DISTINCT\`, aggregates over one sub-select whose \`ORDER BY\` is total, and \`jsonb_object_agg\` over proved keys
are as good. Where a relation of the query is not in the history, its keys are not known and nothing is said.
`,
  references: [
    'https://www.postgresql.org/docs/current/functions-aggregate.html',
    'https://www.postgresql.org/docs/current/sql-expressions.html#SYNTAX-AGGREGATES',
  ],
  check: { createMatview: problems, createView: problems, createRoutine: problems },
});
