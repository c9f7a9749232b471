import { evidence, normalOf, placeOf, quote, reasonEvidence, reasonText, rule } from '../src/rule.ts';
import type { Context, Effect, Eligibility, Problem, Table } from '../src/rule.ts';

const wanted = ({ maintenance }: Table): string => {
  const mode = maintenance?.options.get('refresh_mode');
  return typeof mode === 'string' && mode !== '' ? mode.toUpperCase() : 'AUTO';
};

function* refused(table: Table, answer: Eligibility, via: Effect['via'], mode: string): Iterable<Problem> {
  const [first] = answer.obstacles;
  if (first === undefined) return;
  const name = quote(table.name);
  yield {
    span: placeOf(first).span, relation: name,
    message: `pg_trickle refuses ${mode === 'AUTO' ? 'to maintain' : `${mode} for`} ${name} because ${reasonText(answer)}.`,
    evidence: [evidence(via.span, `${name} is to be maintained`), ...reasonEvidence(answer)],
  };
}

function* judge(table: Table, via: Effect['via'], { eligibility }: Context): Iterable<Problem> {
  const answer = eligibility(table, 'pg_trickle');
  if (answer?.is === 'refused') yield* refused(table, answer, via, wanted(table));
}

export default rule({
  id: 'require-pg-trickle-eligible',
  summary: 'Require a query and a refresh mode that pg_trickle takes, where pg_trickle is to maintain it.',
  severity: 'error',
  postgres: { from: 18 },
  why: `
\`pgtrickle.create_stream_table\` decides by mode. Some queries it takes in none: a \`LIMIT\` without \`ORDER BY\`, a query that reads no
table, two columns of one name. Many it takes as \`FULL\` only, which \`AUTO\` chooses with no more than a warning while \`DIFFERENTIAL\` and
\`IMMEDIATE\` raise an error: anything that is not immutable, \`EXCEPT\`, a table with row security, a materialized view as a source. And
\`alter_stream_table(…, refresh_mode => 'AUTO')\` is not lenient: what \`create_stream_table\` would have taken as \`FULL\` is an error there.
\`pgtrickle.validate_query\` does not look for all of that, so that a clean answer of it is no proof.
`,
  fix: `
Cure the obstacle that the finding names (\`mvlint ivm <view>\` lists all of them), or ask for the mode that fits:

\`\`\`sql
SELECT pgtrickle.create_stream_table('daily_sales', 'SELECT …', schedule => '5m', refresh_mode => 'FULL');
\`\`\`
`,
  exceptions: `
What stands here is derived from the source of pg_trickle 0.67 and 0.83 to 0.95 and the documentation of 0.108: no server of ours has the
extension, and nothing of it is proved by an experiment. \`ivm.pg_trickle.version\` says which one you have. Plain materialized views
are judged only where the configuration names pg_trickle in \`ivm.engines\`. A query that uses what the migrations do not show is unknown.
`,
  references: ['https://github.com/grove/pg-trickle'],
  check: {
    *createStreamTable({ table, via }, context) {
      yield* judge(table, via, context);
    },
    *changeMaintenance({ from, to, what, via }, context) {
      if (what !== 'alter_stream_table' || to.maintenance === undefined) return;
      const same = from.maintenance !== undefined && normalOf(from.maintenance.query) === normalOf(to.maintenance.query) && wanted(from) === wanted(to);
      if (same) return;
      const answer = context.eligibility(to, 'pg_trickle');
      // A switch to AUTO is refused for what makes AUTO choose FULL at creation (facts ivm §2.1).
      const isStrict = wanted(to) === 'AUTO' && wanted(from) !== 'AUTO' && answer?.is === 'eligible' && answer.obstacles.length > 0;
      if (answer !== undefined && (answer.is === 'refused' || isStrict)) yield* refused(to, answer, via, wanted(to));
    },
    *createMatview({ matview, via }, { targets, eligibility }) {
      if (!targets.includes('pg_trickle')) return;
      const answer = eligibility(matview, 'pg_trickle');
      const [first] = answer?.obstacles ?? [];
      if (answer?.is !== 'refused' || first === undefined) return;
      const name = quote(matview.name);
      yield {
        span: placeOf(first).span, message: `pg_trickle cannot maintain ${name} because ${reasonText(answer)}.`, relation: name,
        evidence: [evidence(via.span, `${name} is made here`), ...reasonEvidence(answer)],
      };
    },
  },
});
