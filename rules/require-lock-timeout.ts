import { evidence, isAside, lockWords, quote, rule, waitsWithoutLimit } from '../src/rule.ts';
import type { Context, Matview, Step } from '../src/rule.ts';

/** A materialized view in use that the statement locks against everybody. */
function locked(step: Step, context: Context): Matview | undefined {
  for (const { relation, mode } of step.refusal ? [] : step.locks()) {
    const object = mode === 'AccessExclusiveLock' ? step.before.get(relation) : undefined;
    // A view without rows answers every reader with an error, and a generation in waiting has none.
    if (object?.kind !== 'matview' || object.populated === false || isAside(object, step.before)) continue;
    if (context.inUse(object) === true) return object;
  }
  return undefined;
}

const isLimited = ({ before: { session } }: Step): boolean =>
  !/^(?:0(?:ms|s|min|h|d)?)?$/.test(session.parameters.get('lock_timeout') ?? '');

export default rule({
  id: 'require-lock-timeout',
  summary: 'Require a lock_timeout before a statement that locks readers of a materialized view out.',
  severity: 'note',
  postgres: { from: 14 },
  why: `
\`DROP\`, \`RENAME\`, \`SET SCHEMA\`, \`DROP INDEX\` and a plain \`REFRESH\` need \`ACCESS EXCLUSIVE\`. The statement itself may take a
millisecond, but it waits until every query that is already reading the view has ended, and while it waits every new reader queues up
behind it. One report that runs for an hour turns a rename into an outage of an hour. With a \`lock_timeout\` the statement gives up
(\`55P03\`) and the readers go on.
`,
  fix: `
Set a limit for the wait, and let the migration be tried again:

\`\`\`sql
BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER MATERIALIZED VIEW daily_sales RENAME TO daily_sales_old;
ALTER MATERIALIZED VIEW daily_sales_next RENAME TO daily_sales;
COMMIT;
\`\`\`
`,
  exceptions: `
Said once for a transaction, at its first such statement. A limit that the role, the database or the tool's connection sets is not seen:
switch the rule off where there is one.
`,
  references: [
    'https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT',
    'https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES',
  ],
  check: {
    *endOfDeploy({ steps }, context) {
      const seen = new Set<number>();
      for (const step of steps) {
        if (isLimited(step) || (step.transaction !== undefined && seen.has(step.transaction))) continue;
        const matview = locked(step, context);
        if (!matview) continue;
        if (step.transaction !== undefined) seen.add(step.transaction);
        const name = quote(matview.name);
        yield {
          span: step.statement.span,
          message: `This waits without a limit for every open query of ${name}, and new readers wait behind it.`,
          relation: name,
          evidence: [evidence(step.statement.span, `with no lock_timeout in force it asks for ${lockWords('AccessExclusiveLock', matview)}`)],
          step,
          experiment: waitsWithoutLimit(matview.name, step.statement.sql),
        };
      }
    },
  },
});
