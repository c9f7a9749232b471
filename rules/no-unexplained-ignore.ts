import { rule } from '../src/rule.ts';

export default rule({
  id: 'no-unexplained-ignore',
  summary: 'Disallow suppressing a finding without saying why.',
  severity: 'error',
  postgres: { from: 14 },
  raisedBy: 'engine',
  why: `
A suppression is a decision, and migrations are read long after they ran. Without its reason nobody can tell whether the finding
was understood, whether the reason still holds, or whether the line was copied. A suppression without a reason therefore
suppresses nothing.
`,
  fix: `
Write the reason after a colon:

\`\`\`sql
-- mvlint-ignore prefer-concurrent-refresh: runs in the nightly window, nobody reads
REFRESH MATERIALIZED VIEW daily_sales;
\`\`\`
`,
  references: ['https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-COMMENTS'],
});
