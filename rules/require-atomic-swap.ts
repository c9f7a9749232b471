import { evidence, givenWords, missingBefore, nameChanges, nameTakers, quote, rule, takenWords, together } from '../src/rule.ts';
import type { Replacement, Selectable } from '../src/rule.ts';

/** A materialized view that is dropped and built again under its name is no swap; no-recreate-in-place speaks of it. */
const isRebuilt = ({ old, taken, given }: Replacement<Selectable>): boolean =>
  old.kind === 'matview' && taken.effect.kind !== 'renameRelation' && given.effect.kind === 'createMatview';

export default rule({
  id: 'require-atomic-swap',
  summary: 'Require that a name changes hands in one transaction.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
A swap takes the name from one object and gives it to another. When the two statements are not in one transaction there is a moment in
which nothing has the name, and whoever reads it then gets \`42P01: relation does not exist\`. How long the moment is, nobody knows:
the second statement waits for its lock behind every open query, and when it fails, or the deploy stops between two files, the name
stays away until somebody repairs it by hand.
`,
  fix: `
Put all the renames of a swap, and nothing that takes long, into one transaction:

\`\`\`sql
BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER MATERIALIZED VIEW daily_sales RENAME TO daily_sales_old;
ALTER MATERIALIZED VIEW daily_sales_next RENAME TO daily_sales;
COMMIT;
\`\`\`

Readers wait for the two renames and then read the new generation. Where the migration tool opens a transaction for each file, keep
both statements in one file.
`,
  exceptions: `
Nothing is reported where the transaction of the author or of the tool holds both statements, for an object that was created in the
same deploy, and for a materialized view that was never populated.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-altermaterializedview.html',
    'https://www.postgresql.org/docs/current/sql-begin.html',
  ],
  deploysWith: nameTakers,
  check: {
    *endOfDeploy(end, context) {
      for (const change of nameChanges(end, context)) {
        const { old, now, taken, given } = change;
        if ((old.kind !== 'matview' && now.kind !== 'matview') || isRebuilt(change) || together(taken, given)) continue;
        const name = quote(old.name);
        yield {
          span: given.effect.via.span,
          message: `Readers of ${name} fail for a while because the name is taken away in one transaction and given back in another.`,
          relation: name,
          evidence: [
            evidence(taken.effect.via.span, `${takenWords(change)}, and this is committed`),
            evidence(given.effect.via.span, `${givenWords(change)}; until here nothing has the name`),
          ],
          step: given.step,
          experiment: missingBefore(old.name),
        };
      }
    },
  },
});
