import { describe, evidence, list, quote, refuses, rule } from '../src/rule.ts';

export default rule({
  id: 'no-drop-with-dependents',
  summary: 'Disallow dropping an object that others depend on without dropping them first.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
Postgres refuses to drop an object that others depend on (SQLSTATE \`2BP01\`). A materialized view depends on every table, column,
function and type its query uses, and every view over it depends on the view. The migration stops in the middle of the deploy, on
every database that has the dependant.
`,
  fix: `
Drop the dependants first, or in the same statement, which may list them in any order:

\`\`\`sql
DROP MATERIALIZED VIEW customer_totals, customer_totals_by_region;
\`\`\`

Where a dependant is still wanted, re-point it to something else before (\`CREATE OR REPLACE VIEW\` for a view; a materialized
view is dropped and created again).
`,
  exceptions: 'Nothing is reported when the dependants are dropped earlier in the history or in the same statement.',
  references: [
    'https://www.postgresql.org/docs/current/ddl-depend.html',
    'https://www.postgresql.org/docs/current/errcodes-appendix.html',
  ],
  check: {
    *refuse({ via, refusal, statement, target }, { step }) {
      if (refusal.sqlstate !== '2BP01' || statement !== 'drop') return;
      const object = target ?? (refusal.relation === undefined ? undefined : step.before.get(refusal.relation));
      const dependants = object === undefined ? [] : step.before.dependants(object.id).filter(link => link.strength === 'normal')
        .flatMap(link => step.before.get(link.dependent) ?? []);
      const names = [...new Set(dependants.map(describe))];
      yield {
        span: via.span,
        message: object && names.length > 0
          ? `Postgres refuses to drop ${describe(object)} because ${list(names)} ${names.length === 1 ? 'depends' : 'depend'} on it.`
          : `Postgres refuses this drop because ${refusal.evidence.length > 0 ? list(refusal.evidence.map(({ says }) => says)) : refusal.because}.`,
        ...(target ? { relation: quote(target.name) } : {}),
        evidence: [...refusal.evidence, evidence(via.span, 'the drop that Postgres refuses with 2BP01')],
        experiment: refuses(step, '2BP01'),
      };
    },
  },
});
