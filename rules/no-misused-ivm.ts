import { describe, evidence, madeAt, quote, refuses, rule } from '../src/rule.ts';
import type { Catalog, Evidence, Misuse, Problem, Span } from '../src/rule.ts';

const engines = { pg_ivm: 'pg_ivm', pg_trickle: 'pg_trickle', timescaledb: 'TimescaleDB' } as const;

/** What leads to the misuse, and what works in its place. */
function path(misuse: Misuse, span: Span, before: Catalog): readonly Evidence[] {
  const object = misuse.relation === undefined ? undefined : before.get(misuse.relation);
  return [
    ...object ? madeAt(object, `${describe(object)} is maintained by ${engines[misuse.engine]} from here on`) : [],
    evidence(span, misuse.instead === undefined ? 'the statement' : `what there is: ${misuse.instead}`),
  ];
}

/** Words of prose take a capital, names of functions and extensions do not. */
const sentence = (says: string): string => (/^[a-z]+ /.test(says) ? `${says.charAt(0).toUpperCase()}${says.slice(1)}` : says);

const relationOf = (misuse: Misuse, before: Catalog): { readonly relation?: string } => {
  const object = misuse.relation === undefined ? undefined : before.get(misuse.relation);
  return object?.kind === 'table' || object?.kind === 'matview' ? { relation: quote(object.name) } : {};
};

export default rule({
  id: 'no-misused-ivm',
  summary: 'Disallow calls and statements about incrementally maintained views that do not exist or cannot work.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
pg_ivm and pg_trickle keep a query's rows in an ordinary table. Nothing about that table is a materialized view to Postgres:
\`DROP MATERIALIZED VIEW\` and \`REFRESH MATERIALIZED VIEW\` are refused (\`42809\`, \`0A000\`), and the work is done by functions whose names
and arguments are easy to get wrong. \`drop_immv\` does not exist; \`create_immv\` stands in schema \`pgivm\`, which is on nobody's search
path; \`schedule => NULL\` is an error in pg_trickle; \`pgtrickle.pgt_stream_tables\` has no column \`rows_in_last_refresh\`, although
tutorials read it. Some mistakes raise no error at all: \`create_immv\` with a NULL argument creates nothing, a scheduled job that refreshes
what is kept up to date anyway only costs, and \`DROP EXTENSION pg_ivm CASCADE\` leaves every IMMV behind as a table that nobody maintains.
`,
  fix: `
The functions, as pg_ivm 1.16 and pg_trickle 0.108 have them:

\`\`\`sql
SELECT pgivm.create_immv('totals', 'SELECT customer_id, count(*) AS orders FROM orders GROUP BY customer_id');
SELECT pgivm.refresh_immv('totals', true);      -- false empties it and stops the maintenance
DROP TABLE totals;                              -- there is no drop_immv

SELECT pgtrickle.create_stream_table('totals', 'SELECT …', schedule => '30s', refresh_mode => 'AUTO');
SELECT pgtrickle.alter_stream_table('totals', refresh_mode => 'DIFFERENTIAL');
SELECT pgtrickle.drop_stream_table('totals');
SELECT check_name, result, severity FROM pgtrickle.validate_query('SELECT …');
\`\`\`

Drop every IMMV before the extension. The evidence of each finding names the signature, the columns or the statement that holds instead.
`,
  exceptions: `
What pg_trickle says is derived from its source and documentation, since no server of ours has it; its less known functions are not judged.
\`ivm.pg_trickle.version\` in the configuration decides where versions differ: \`pause_stream_table\` came with 0.79,
\`reinitialize_stream_table\` after 0.67.
`,
  references: [
    'https://github.com/sraoss/pg_ivm#functions',
    'https://github.com/grove/pg-trickle',
  ],
  check: {
    *refuse({ via, refusal }, { step }): Iterable<Problem> {
      const { misuse, sqlstate } = refusal;
      if (misuse === undefined) return;
      yield {
        span: misuse.span, message: `Postgres refuses this because ${misuse.says}.`, ...relationOf(misuse, step.before),
        evidence: path(misuse, misuse.span, step.before),
        ...(misuse.engine === 'pg_ivm' ? { experiment: refuses(step, sqlstate) } : {}),
        ...(via.kind === 'statement' ? {} : { step }),
      };
    },
    *misuseEngine({ misuse }, { step }): Iterable<Problem> {
      yield {
        span: misuse.span, message: `${sentence(misuse.says)}.`, ...relationOf(misuse, step.before),
        evidence: path(misuse, misuse.span, step.before),
      };
    },
  },
});
