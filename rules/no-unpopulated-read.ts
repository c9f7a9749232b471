import { describe, evidence, isSelectable, madeAt, quote, refuses, rule } from '../src/rule.ts';

export default rule({
  id: 'no-unpopulated-read',
  summary: 'Disallow reading a materialized view before it has been populated.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
A materialized view that was created \`WITH NO DATA\`, or emptied by \`REFRESH … WITH NO DATA\`, answers every read with \`55000:
materialized view has not been populated\`. The same happens through views over it, and to \`CREATE MATERIALIZED VIEW\` and
\`REFRESH\` of another view that reads it. An empty view is not the same: it answers with no rows.
`,
  fix: `
Refresh the views in the order in which they read each other before anything reads them:

\`\`\`sql
CREATE MATERIALIZED VIEW order_totals AS SELECT ... WITH NO DATA;
CREATE MATERIALIZED VIEW monthly_totals AS SELECT ... FROM order_totals ... WITH NO DATA;
REFRESH MATERIALIZED VIEW order_totals;
REFRESH MATERIALIZED VIEW monthly_totals;
\`\`\`
`,
  exceptions: `
\`CREATE VIEW\`, \`CREATE INDEX\` and \`CREATE MATERIALIZED VIEW … WITH NO DATA\` over an unpopulated view read nothing and are
not reported, nor is a query whose condition is constantly false.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-creatematerializedview.html',
    'https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html',
  ],
  check: {
    *refuse({ via, refusal, statement, target, fills }, { step }) {
      if (refusal.sqlstate !== '55000' || !/has not been populated/.test(refusal.because)) return;
      const empty = refusal.relation === undefined ? undefined : step.before.get(refusal.relation);
      if (!isSelectable(empty)) return;
      const name = quote(empty.name);
      const filled = fills && quote(fills.schema === undefined ? fills.name : { schema: fills.schema, name: fills.name });
      const over = statement === 'refresh' ? 'this refresh' : `to fill ${filled ?? 'the new relation'}`;
      const named = target !== undefined && target.id !== empty.id ? `to refresh ${quote(target.name)}` : over;
      yield {
        span: via.span,
        message: statement === 'refresh' || statement === 'create'
          ? `Postgres refuses ${named} because ${name} has not been populated.`
          : `Postgres refuses to read ${name} because it has not been populated.`,
        relation: name,
        evidence: [
          ...(refusal.evidence.length > 0 ? refusal.evidence : madeAt(empty, `${describe(empty)} is made here without data`)),
          evidence(via.span, 'refused with 55000'),
        ],
        experiment: refuses(step, '55000'),
      };
    },
  },
});
