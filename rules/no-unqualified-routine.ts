import { evidence, known, quote, refreshFails, rule, unqualifiedCalls } from '../src/rule.ts';
import type { Context, Effect, Problem, UnqualifiedCall } from '../src/rule.ts';

/** From this version on CREATE … WITH DATA and REFRESH search pg_catalog and pg_temp alone (measured, facts F). */
const restricted = 17;

function message({ matview, name }: UnqualifiedCall, postgres: number): string {
  const view = quote(matview.name);
  const found = `${name.is === 'relation' ? 'relation' : 'function'} ${quote(name.name)} without its schema`;
  const routine = `function ${quote(name.routine.name)}`;
  return postgres >= restricted ? `Filling ${view} fails because ${routine} names ${found}, and a refresh searches no schema but pg_catalog.`
    : `A restored dump cannot fill ${view} because ${routine} names ${found}, and a restore searches no schema but pg_catalog.`;
}

function* problems(effect: Effect, context: Context): Iterable<Problem> {
  for (const call of unqualifiedCalls(effect, context)) {
    const { matview, name, span, evidence: path } = call;
    const routine = name.routine;
    yield {
      span, relation: quote(matview.name), message: message(call, context.postgres),
      evidence: [evidence(name.span, `only the caller's search_path finds ${quote(name.name)} here`), ...name.through.toReversed(), ...path],
      stillTrue: end => end.get(routine.id) === routine && end.get(matview.id) !== undefined,
      ...(known(matview.populated) === undefined ? {} : { experiment: refreshFails(matview.name, name.is === 'relation' ? '42P01' : '42883') }),
    };
  }
}

export default rule({
  id: 'no-unqualified-routine',
  summary: 'Disallow materialized views over functions that need a search_path to find what they name.',
  severity: [{ from: 14, severity: 'note' }, { from: 17, severity: 'error' }],
  postgres: { from: 14 },
  why: `
The body of a function that is written as a string is a text until it runs, and its names are looked up then. From Postgres 17 on a
materialized view is filled with \`search_path\` set to \`pg_catalog, pg_temp\`, by \`CREATE\` as by \`REFRESH\`, whatever the session has set:
a table or a function that the body names without its schema is not found, and the statement ends in \`42P01\` or \`42883\`. It fails only
when a row reaches the function, so an empty table in a test shows nothing. On every version a dump is restored with an empty
\`search_path\`, and the view comes back empty.
`,
  fix: `
Give the function its own path, write the schema, or let Postgres bind the names when the function is made:

\`\`\`sql
CREATE OR REPLACE FUNCTION rate_of(code text) RETURNS numeric LANGUAGE sql STABLE
  SET search_path = public
  AS $$ SELECT rate FROM rates WHERE currency = code $$;

CREATE OR REPLACE FUNCTION rate_of(code text) RETURNS numeric LANGUAGE sql STABLE
  RETURN (SELECT rate FROM rates WHERE currency = code);
\`\`\`
`,
  exceptions: `
Bodies that are written with \`RETURN\` or \`BEGIN ATOMIC\` hold no text and are not reported, nor are functions with \`SET search_path\`.
Reported are names of relations and functions that the history made; what \`EXECUTE\` runs and what \`to_regclass('…')\` looks for, which gives
NULL and no error, are not looked at.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html',
    'https://www.postgresql.org/docs/17/release-17.html',
    'https://www.postgresql.org/docs/current/sql-createfunction.html',
  ],
  check: { createMatview: problems, createRoutine: problems, createView: problems },
});
