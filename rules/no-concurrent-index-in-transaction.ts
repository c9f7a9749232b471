import { evidence, quote, refusedInTransaction, rule } from '../src/rule.ts';
import type { Evidence, Step, Unit } from '../src/rule.ts';

const openers = /^(begin|start\s+transaction)\b/i;
const closers = /^(commit|end|rollback|abort)\b(?!\s+(work\s+|transaction\s+)?to\b)/i;

/** Why a transaction is open, for one that the author did not begin. */
function reason({ scope, protocol, statements }: Unit): string | undefined {
  if (scope === 'migration') return 'the tool runs this migration in one transaction';
  if (scope === 'batch') return 'the tool runs all pending migrations in one transaction';
  if (protocol === 'simple-string' && statements.length > 1) return 'the tool sends these statements as one string';
  return protocol === 'pipeline' ? 'the tool sends other statements before it in one pipeline' : undefined;
}

/** The BEGIN that is open where the statement stands. */
function opening({ unit, statement }: Step): Evidence | undefined {
  const before = unit.statements.slice(0, unit.statements.indexOf(statement));
  const last = before.findLast(({ sql }) => openers.test(sql) || closers.test(sql));
  return last && openers.test(last.sql) ? evidence(last.span, 'the transaction begins here') : undefined;
}

export default rule({
  id: 'no-concurrent-index-in-transaction',
  summary: 'Disallow building or dropping an index concurrently inside a transaction.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
\`CREATE INDEX CONCURRENTLY\`, \`DROP INDEX CONCURRENTLY\` and \`REINDEX … CONCURRENTLY\` commit in the middle of their work, so Postgres
refuses them in a transaction block (\`25001\`). The block need not be written down: most migration tools open one for each file, and a
string of several statements that is sent in one piece is a transaction as well. \`REFRESH MATERIALIZED VIEW CONCURRENTLY\` is another
matter; it is allowed everywhere.
`,
  fix: `
Give the statement a migration of its own and take that one out of the transaction. How depends on the tool:

- Flyway: nothing for \`CREATE\` and \`DROP INDEX CONCURRENTLY\` alone in a file; otherwise \`executeInTransaction=false\` in the
  file's \`.conf\`
- Liquibase: \`runInTransaction:false\` on the changeset
- golang-migrate, Prisma: the only statement of its file
- goose: \`-- +goose NO TRANSACTION\`; dbmate: \`-- migrate:up transaction:false\`; sqlx: \`-- no-transaction\` as the first line
- Rails: \`disable_ddl_transaction!\`; Django: \`atomic = False\`; Ecto: \`@disable_ddl_transaction true\`
- psql: no \`--single-transaction\` and no \`BEGIN\` around it

On a materialized view the plain \`CREATE INDEX\` is often good enough: there are no writers but its refreshes, and readers do not wait.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY',
    'https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT',
  ],
  check: {
    *refuse({ via, refusal, target }, { step }) {
      const [what] = /^(?:CREATE INDEX|DROP INDEX|REINDEX) CONCURRENTLY/.exec(refusal.because) ?? [];
      if (refusal.sqlstate !== '25001' || what === undefined) return;
      const opened = opening(step);
      const because = opened ? 'it stands between BEGIN and COMMIT' : reason(step.unit);
      yield {
        span: via.span,
        message: `Postgres refuses ${what} here because ${because ?? 'a transaction is open'}.`,
        ...(target ? { relation: quote(target.name) } : {}),
        evidence: [
          ...(opened ? [opened] : step.unit.because ? [step.unit.because] : []),
          evidence(via.span, `${because ?? 'a transaction is open'}: refused with 25001`),
        ],
        experiment: refusedInTransaction(step, '25001'),
      };
    },
  },
});
