import { evidence, placeOf, quote, reasonEvidence, reasonText, rule } from '../src/rule.ts';
import type { Context, Effect, Matview, Problem } from '../src/rule.ts';

function* judge(matview: Matview, via: Effect['via'], { eligibility }: Context): Iterable<Problem> {
  const answer = eligibility(matview, 'timescaledb');
  const [first] = answer?.obstacles ?? [];
  if (answer?.is !== 'refused' || first === undefined) return;
  const name = quote(matview.name);
  yield {
    span: placeOf(first).span, message: `TimescaleDB refuses ${name} as a continuous aggregate because ${reasonText(answer)}.`,
      relation: name,
    evidence: [evidence(via.span, `${name} is made here`), ...reasonEvidence(answer)],
  };
}

export default rule({
  id: 'require-timescaledb-eligible',
  summary: 'Require a query that TimescaleDB takes for a continuous aggregate, where it is to be one.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
A continuous aggregate is one hypertable (or another continuous aggregate), grouped by one \`time_bucket\` of constant width over its time
column, with immutable functions only. Window functions,
  \`DISTINCT\`, \`LIMIT\`, \`WITH\`, sub-queries, \`UNION\`, grouping sets, plain views
and materialized views as sources are refused at \`CREATE MATERIALIZED VIEW … WITH (timescaledb.continuous)\`, and the migration stops there.
`,
  fix: `
Group by \`time_bucket\` and keep the rest for a plain view on top:

\`\`\`sql
CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
  SELECT time_bucket('1 hour', measured_at) AS hour, device_id, avg(value) AS value
  FROM measurements GROUP BY 1, 2;
\`\`\`
`,
  exceptions: `
Derived from TimescaleDB's documentation and the source of the line 2.10 to 2.12; no server of ours has the extension. Joins are judged
only up to \`ivm.timescaledb.version\` 2.12: later lines take more, and which is in no fact. Whether a table is a hypertable is known
where the migrations call \`create_hypertable\`, or make every table they name. Plain materialized views are judged only where the
configuration names timescaledb in \`ivm.engines\`.
`,
  references: ['https://www.tigerdata.com/docs/build/continuous-aggregates/create-a-continuous-aggregate'],
  check: {
    *createContinuousAggregate({ matview, via }, context) {
      yield* judge(matview, via, context);
    },
    *createMatview({ matview, via }, context) {
      if (context.targets.includes('timescaledb')) yield* judge(matview, via, context);
    },
  },
});
