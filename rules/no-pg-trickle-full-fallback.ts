import { evidence, placeOf, quote, reasonEvidence, reasonText, rule } from '../src/rule.ts';
import type { Context, Effect, Matview, Problem, Table } from '../src/rule.ts';

function* judge(relation: Table | Matview, via: Effect['via'], { eligibility }: Context): Iterable<Problem> {
  const answer = eligibility(relation, 'pg_trickle');
  const [first] = answer?.obstacles ?? [];
  const mode = relation.maintenance?.options.get('refresh_mode') ?? 'AUTO';
  if (answer === undefined || answer.is === 'refused' || first === undefined || typeof mode !== 'string'
    || !/^(?:auto)?$/i.test(mode)) return;
  const name = quote(relation.name);
  yield {
    span: placeOf(first).span, message: `pg_trickle computes ${name} anew at each refresh because ${reasonText(answer)}.`, relation: name,
    evidence: [evidence(via.span, `${name} is to be maintained, in whatever mode fits`), ...reasonEvidence(answer)],
  };
}

export default rule({
  id: 'no-pg-trickle-full-fallback',
  summary: 'Disallow queries for which pg_trickle’s AUTO silently falls back to computing everything anew.',
  severity: 'warning',
  postgres: { from: 18 },
  why: `
\`refresh_mode => 'AUTO'\`, the default, means \`DIFFERENTIAL\` where pg_trickle can work with changes and \`FULL\` where it cannot. The
difference is the whole point: \`FULL\` runs the query from the beginning at every refresh, on a schedule of seconds, and pays for
capture triggers on the tables besides. All that says so is one warning at creation, which a migration log swallows. From 0.83 on a single
\`now()\`, \`date_trunc('day', placed_at)\` of a \`timestamptz\` or \`placed_at::date\` is enough, even in a view beneath or in the default of an
argument that the call leaves out; so are \`EXCEPT\`, a table with row security, a \`LIMIT\` in a sub-query.
`,
  fix: `
Cure the place that the finding names: say the time zone (\`(placed_at AT TIME ZONE 'UTC')::date\`), keep the clock out of the query and
filter where it is read, write \`NOT EXISTS\` for \`EXCEPT\`. Where computing anew is meant, say so with \`refresh_mode => 'FULL'\` and a
schedule that the query can keep.
`,
  exceptions: `
Derived from pg_trickle's source, not proved by an experiment; \`ivm.pg_trickle.version\` decides the rule of volatility: up to 0.67 a
stable function is only warned of, and between 0.67 and 0.83 nothing is claimed. Plain materialized views are judged only where the
configuration names pg_trickle in \`ivm.engines\`.
`,
  references: ['https://github.com/grove/pg-trickle'],
  check: {
    *createStreamTable({ table, via }, context) {
      yield* judge(table, via, context);
    },
    *createMatview({ matview, via }, context) {
      if (context.targets.includes('pg_trickle')) yield* judge(matview, via, context);
    },
  },
});
