import { rule } from '../src/rule.ts';

export default rule({
  id: 'no-unused-ignore',
  summary: 'Disallow suppressions that suppress nothing or name no rule.',
  severity: 'warning',
  postgres: { from: 14 },
  raisedBy: 'engine',
  why: `
A suppression that matches no finding is either left over from a mistake that has been repaired, or misspelt, or stands above the
wrong statement. The first hides the next mistake of that kind; the others make the reader believe that something was decided.
`,
  fix: `
Remove it, or correct the name of the rule and its place: directly above the statement, or at the end of its line.

\`\`\`sql
REFRESH MATERIALIZED VIEW daily_sales; -- mvlint-ignore prefer-concurrent-refresh: runs in the nightly window, nobody reads
\`\`\`
`,
  references: ['https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-COMMENTS'],
});
