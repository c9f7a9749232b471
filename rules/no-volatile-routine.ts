import { countsAfter, known, quote, quoteLiteral, rule, usedRoutines } from '../src/rule.ts';
import type { Context, Effect, Problem } from '../src/rule.ts';

function* problems(effect: Effect, context: Context): Iterable<Problem> {
  for (const { routine, stability, user, span, evidence } of usedRoutines(effect, context)) {
    if ('index' in user || known(routine.volatility) !== 'volatile' || stability.declared || !stability.steady) continue;
    yield {
      span, relation: quote(user.name), evidence, stillTrue: end => end.get(routine.id) === routine && end.get(user.id) !== undefined,
      message: `Function ${quote(routine.name)} that ${quote(user.name)} calls counts as VOLATILE because nothing is declared, although its body is steady.`,
      experiment: countsAfter({
        of: routine.name, expected: 1,
        count: of => `SELECT count(*) FROM pg_proc WHERE proname = ${quoteLiteral(of.name)}
          AND pronamespace = ${quoteLiteral(of.schema)}::regnamespace AND provolatile = 'v'`,
        says: 'Postgres holds the function to be volatile.', otherwise: 'Postgres does not hold the function to be volatile.',
        twin: of => [`CREATE FUNCTION ${of}() RETURNS int LANGUAGE sql AS 'SELECT 1'`],
      }),
    };
  }
}

export default rule({
  id: 'no-volatile-routine',
  summary: 'Disallow functions in materialized views that are VOLATILE only because nobody declared them.',
  severity: 'warning',
  postgres: { from: 14 },
  why: `
A function without a declaration is \`VOLATILE\`: Postgres must assume that it writes or draws a number at every call. The view is right all
the same, and a refresh rewrites nothing because of it. But Postgres calls the function once for every row and cannot move or share the
call, no index can serve a condition with it, and every engine of incremental maintenance refuses a query with a volatile function, so the
view can never be maintained that way.
`,
  fix: `
Declare what the body does. It reads no table, no clock and no setting:

\`\`\`sql
ALTER FUNCTION label(numeric) IMMUTABLE;
\`\`\`

It reads a table, a setting or \`now()\`, and gives one answer within a statement: \`STABLE\`.
`,
  exceptions: `
Reported is only a function whose whole body is known and holds nothing volatile. \`VOLATILE\` that is written out is taken for a decision.
Whether a plan may be parallel depends on \`PARALLEL SAFE\` and not on this.
`,
  references: [
    'https://www.postgresql.org/docs/current/xfunc-volatility.html',
    'https://www.postgresql.org/docs/current/sql-alterfunction.html',
  ],
  check: { createMatview: problems },
});
