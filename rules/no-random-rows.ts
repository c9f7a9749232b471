import { newOrigins, quote, refreshTwice, rule, stillThere } from '../src/rule.ts';
import type { Context, Effect, Problem } from '../src/rule.ts';

function* problems(effect: Effect, context: Context): Iterable<Problem> {
  for (const { matview, column, taint, span } of newOrigins(effect, context)) {
    // TABLESAMPLE … REPEATABLE chooses by the place of the rows.
    if (column !== undefined || (taint.cause !== 'random' && taint.cause !== 'physical')) continue;
    yield {
      span, relation: quote(matview.name), evidence: taint.path, stillTrue: stillThere(matview),
      message: taint.cause === 'random' ? `Each refresh of ${quote(matview.name)} draws other rows although no table changed.`
        : `Which rows ${quote(matview.name)} holds depends on where the rows of its tables stand.`,
      experiment: refreshTwice(matview, undefined, taint.flips),
    };
  }
}

export default rule({
  id: 'no-random-rows',
  summary: 'Disallow a materialized view whose rows are drawn at random.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
\`WHERE random() < 0.1\`, \`ORDER BY random() LIMIT n\` and \`TABLESAMPLE\` draw anew in every refresh. \`REFRESH … CONCURRENTLY\` then deletes
most of the old sample and inserts the new one: of a sample of 5000 rows 2500 went and 2500 came at every refresh, of \`ORDER BY random()
LIMIT 1000\` nine hundred. Two readers on either side of a refresh see different data, counts over the sample jump, and nothing that one
of them found can be found again. \`TABLESAMPLE … REPEATABLE\` holds still only until rows move.
`,
  fix: `
Choose by something that belongs to the row, so that the sample stays the same:

\`\`\`sql
CREATE MATERIALIZED VIEW sampled AS SELECT id, total FROM orders WHERE mod(hashint8(id), 10) = 0;
\`\`\`

For a new sample at will, keep the salt of the hash in a table and change it when a new one is wanted.
`,
  exceptions: `
A random value in a column is no-nondeterministic-output. \`ORDER BY random()\` without \`LIMIT\` changes no row.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-select.html#SQL-FROM',
    'https://www.postgresql.org/docs/current/functions-math.html#FUNCTIONS-MATH-RANDOM-TABLE',
  ],
  check: { createMatview: problems, createView: problems, createRoutine: problems },
});
