import { known, qualified, quote, quoteLiteral, countsAfter, rule, usedRoutines } from '../src/rule.ts';
import type { Context, Effect, Experiment, Problem, UsedRoutine } from '../src/rule.ts';

const nameOf = ({ user }: UsedRoutine): string => ('index' in user ? quote(user.on) : quote(user.name));
const userOf = ({ user }: UsedRoutine): string => ('index' in user ? `index ${quote(user.index)}` : quote(user.name));

/** What the catalog believes: only the declaration is looked at there, which is the point. */
function declared(used: UsedRoutine, letter: string): Experiment {
  const { name } = used.routine;
  return countsAfter({
    of: name, expected: 1,
    count: of => `SELECT count(*) FROM pg_proc WHERE proname = ${quoteLiteral(of.name)}
      AND pronamespace = ${quoteLiteral(of.schema)}::regnamespace AND provolatile = ${quoteLiteral(letter)}`,
    says: `Postgres takes ${qualified(name)} for what it is declared to be.`, otherwise: 'Postgres holds the function to be something else.',
    twin: of => [`CREATE FUNCTION ${of}() RETURNS int LANGUAGE sql ${letter === 'i' ? 'IMMUTABLE' : 'STABLE'} AS 'SELECT 1'`],
  });
}

function* problems(effect: Effect, context: Context): Iterable<Problem> {
  for (const used of usedRoutines(effect, context)) {
    const { routine, stability, span, evidence } = used;
    const volatility = known(routine.volatility);
    const lie = volatility === 'immutable' ? stability.notImmutable : volatility === 'stable' ? stability.notStable : undefined;
    if (lie === undefined || volatility === undefined) continue;
    yield {
      span, relation: nameOf(used), evidence: [lie, ...evidence], stillTrue: end => end.get(routine.id) === routine,
      message: `Function ${quote(routine.name)} that ${userOf(used)} calls is declared ${volatility.toUpperCase()}, and its body is not: ${lie.says}.`,
      experiment: declared(used, volatility[0]!),
    };
  }
}

export default rule({
  id: 'no-false-volatility',
  summary: 'Disallow functions in materialized views and indexes that are less stable than they are declared.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
Postgres believes the declaration and never looks into the body. A function that is \`IMMUTABLE\` and reads the clock, a setting or a table
is computed while a query is planned and its result kept: an index over it holds values that no search finds again once the setting or the
table has changed, and only \`REINDEX\` heals it. In a materialized view the value changes at a refresh that nobody expects anything of,
and the declaration hides it from every check that asks for volatility, those of incremental maintenance among them. A \`STABLE\` function
that draws a random number or a sequence value is computed as often as the plan happens to call it.
`,
  fix: `
Declare what the body does, or give the function what it reads as an argument:

\`\`\`sql
CREATE FUNCTION local_day(t timestamptz, zone text) RETURNS date LANGUAGE sql IMMUTABLE
  RETURN (t AT TIME ZONE zone)::date;
\`\`\`

A setting can be fixed for the body: \`ALTER FUNCTION … SET TimeZone = 'UTC'\`.
`,
  exceptions: `
Bodies in SQL and PL/pgSQL are read, with the functions that they call; other languages and text that is made at run time are not known
and not reported. \`STABLE\` with \`now()\` is truthful: it stands still within a transaction. A setting that the function fixes with \`SET\`
counts as fixed.
`,
  references: [
    'https://www.postgresql.org/docs/current/xfunc-volatility.html',
    'https://www.postgresql.org/docs/current/sql-createfunction.html',
  ],
  check: { createMatview: problems, createIndex: problems, createRoutine: problems },
});
