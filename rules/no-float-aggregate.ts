import { newOrigins, quote, refreshTwice, rule, steadyColumns, stillThere } from '../src/rule.ts';
import type { Context, Effect, Problem } from '../src/rule.ts';

function* problems(effect: Effect, context: Context): Iterable<Problem> {
  for (const { matview, column, taint, span } of newOrigins(effect, context)) {
    if (column === undefined || taint.form !== 'float') continue;
    yield {
      span, relation: quote(matview.name), evidence: taint.path, stillTrue: stillThere(matview),
      message: `The last digits of column ${quote(column.name)} of ${quote(matview.name)} depend on the order in which floating-point numbers are added.`,
      experiment: refreshTwice(matview, column.name, taint.flips, { beside: steadyColumns(context.facts(matview)) }),
    };
  }
}

export default rule({
  id: 'no-float-aggregate',
  summary: 'Disallow sums and averages over real and double precision.',
  severity: 'note',
  postgres: { from: 14 },
  why: `
Floating-point addition rounds at every step, so a sum depends on the order of its rows in the last digits. \`REFRESH … CONCURRENTLY\`
compares exactly: of a hundred groups whose rows had only moved, 27 sums over \`double precision\` and 45 over \`real\` were rewritten, and
under a parallel plan 44 to 81 at every refresh, because the workers share the rows out anew. The numbers are right as far as they go; it
is the rewriting, and every comparison of two generations, that pays. \`avg\`, \`stddev\`, \`corr\` and the \`regr\` functions add as well.
`,
  fix: `
Add exact numbers, or round what was added:

\`\`\`sql
CREATE MATERIALIZED VIEW weights AS SELECT region, sum(weight::numeric) AS weight FROM parcels GROUP BY region;
CREATE MATERIALIZED VIEW means AS SELECT region, round(avg(weight)::numeric, 3) AS mean FROM parcels GROUP BY region;
\`\`\`
`,
  exceptions: `
Sums over integers and \`numeric\` are exact, \`min\`, \`max\` and \`count\` add nothing, and a sum that is cast to \`numeric\` or rounded loses
the digits in question; a digit that stands on the edge of rounding remains and is not reported. Groups of one row, as the query proves
them, have one order.
`,
  references: [
    'https://www.postgresql.org/docs/current/datatype-numeric.html#DATATYPE-FLOAT',
    'https://www.postgresql.org/docs/current/functions-aggregate.html',
  ],
  check: { createMatview: problems, createView: problems, createRoutine: problems },
});
