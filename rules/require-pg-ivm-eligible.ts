import { evidence, placeOf, quote, reasonEvidence, reasonText, refuses, refusesImmv, rule } from '../src/rule.ts';

export default rule({
  id: 'require-pg-ivm-eligible',
  summary: 'Require a query that pg_ivm can maintain, where pg_ivm is to maintain it.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
\`pgivm.create_immv\` takes a small part of SQL, and it looks at the query in an order of its own: first for any function, operator or
cast that is not immutable (\`now()\`, but \`placed_at::date\` of a \`timestamptz\` and \`date_trunc('day', placed_at)\` just as well), then for
\`HAVING\`, \`ORDER BY\`, \`LIMIT\`, \`DISTINCT ON\`, window functions, \`UNION\`, plain views, partitioned tables and two dozen other things. It
reports the first one it meets; the next one shows when that is cured. The finding names the very check, its place in the query, and
how many others stand behind it.
`,
  fix: `
\`mvlint ivm <view>\` lists every obstacle at once, with the rewrite that would cure it. Common ones: move \`HAVING\` into a plain view on
top, drop \`ORDER BY\`, name the time zone so that the conversion is immutable, read the tables beneath a view instead of the view.

\`\`\`sql
SELECT pgivm.create_immv('daily_sales', $$
  SELECT (placed_at AT TIME ZONE 'UTC')::date AS day, count(*) AS orders, sum(total) AS total
  FROM orders GROUP BY (placed_at AT TIME ZONE 'UTC')::date $$);
\`\`\`
`,
  exceptions: `
Plain materialized views are judged only where the configuration names pg_ivm in \`ivm.engines\`. A query that uses what the migrations do
not show (a table of another repository, a function of an extension) is unknown, and nothing is reported.
`,
  references: ['https://github.com/sraoss/pg_ivm#supported-view-definitions-and-restriction'],
  check: {
    *refuse({ refusal, via }, { step }) {
      const { eligibility } = refusal;
      const [first] = eligibility?.obstacles ?? [];
      if (eligibility?.engine !== 'pg_ivm' || first === undefined) return;
      yield {
        span: placeOf(first).span, message: `pg_ivm refuses to maintain this query because ${reasonText(eligibility)}.`,
        evidence: reasonEvidence(eligibility), ...(via.kind === 'statement' ? { experiment: refuses(step, refusal.sqlstate) } : {}),
      };
    },
    *createMatview({ matview, via }, { targets, eligibility }) {
      if (!targets.includes('pg_ivm')) return;
      const answer = eligibility(matview, 'pg_ivm');
      const [first] = answer?.obstacles ?? [];
      if (answer?.is !== 'refused' || first === undefined) return;
      const name = quote(matview.name);
      yield {
        span: placeOf(first).span, message: `pg_ivm cannot maintain ${name} because ${reasonText(answer)}.`, relation: name,
        evidence: [evidence(via.span, `${name} is made here`), ...reasonEvidence(answer)], experiment: refusesImmv(matview),
      };
    },
  },
});
