import { count, describe, evidence, givenWords, isSelectable, list, locksOut, quote, replacements, rule, takenWords } from '../src/rule.ts';
import type { Catalog, Matview } from '../src/rule.ts';

/** What goes with the old view: its indexes, and what reads it. */
function belongings(old: Matview, catalog: Catalog): string {
  const indexes = catalog.indexesOf(old.id).map(index => quote(index.name.name));
  const readers = catalog.dependants(old.id).filter(link => link.strength === 'normal').map(link => catalog.get(link.dependent))
    .filter(isSelectable).map(describe);
  const parts = [...(indexes.length > 0 ? [count('index', 'indexes', indexes)] : []), ...new Set(readers)];
  return parts.length > 0 ? `, and ${list(parts)} with it` : '';
}

export default rule({
  id: 'no-recreate-in-place',
  summary: 'Disallow dropping a materialized view and creating it again under the same name in one deploy.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
There is no \`CREATE OR REPLACE MATERIALIZED VIEW\`, so the query of a materialized view is usually changed by \`DROP\` and
\`CREATE\`. Between the two the name is gone. Inside one transaction every reader waits behind \`ACCESS EXCLUSIVE\` until the new
query has run to its end, which is as long as a full refresh; outside of one, readers get \`42P01: relation does not exist\` for
the same time. The indexes, the grants, the comment, the storage options and the statistics of the old view go with it, and with
\`CASCADE\` so does everything that reads it.
`,
  fix: `
Build the new generation beside the old one, give it all that the old one had, and let the names change hands in one short
transaction:

\`\`\`sql
CREATE MATERIALIZED VIEW daily_sales_next AS SELECT ...;          -- takes long; readers and writers go on
CREATE UNIQUE INDEX daily_sales_next_day_key ON daily_sales_next (day);
GRANT SELECT ON daily_sales_next TO reporting;
ANALYZE daily_sales_next;

BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER MATERIALIZED VIEW daily_sales RENAME TO daily_sales_old;
ALTER MATERIALIZED VIEW daily_sales_next RENAME TO daily_sales;
COMMIT;
\`\`\`

Views that read the old generation follow it, not the name: create them again in the same transaction (\`CREATE OR REPLACE
VIEW\`). Drop the old generation in a later migration.
`,
  exceptions: `
A view that was created in the same deploy, or that was never populated, has no readers, and nothing is reported. For a view that
takes milliseconds to build and is read by nobody who minds, ignore the rule with that reason.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-creatematerializedview.html',
    'https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES',
  ],
  deploysWith: ['dropObject', 'dropPart'],
  check: {
    *endOfDeploy(end, context) {
      for (const replacement of replacements(end, context)) {
        const { old, taken, given } = replacement;
        if (taken.effect.kind === 'renameRelation' || given.effect.kind !== 'createMatview') continue;
        const name = quote(old.name);
        const { transaction } = taken.step;
        const together = taken.step === given.step || (transaction !== undefined && transaction === given.step.transaction);
        const wait = together && given.effect.withData ? 'wait' : 'fail';
        const until = given.effect.withData ? 'rebuilt' : 'refreshed';
        yield {
          span: given.effect.via.span,
          message: `${name} is dropped and created again, so its readers ${wait} until it is ${until}.`,
          relation: name,
          evidence: [
            evidence(taken.effect.via.span, `${takenWords(replacement)}${belongings(old, end.start)}`),
            evidence(given.effect.via.span, givenWords(replacement)),
          ],
          experiment: locksOut(old.name, taken.step.statement.sql, 'after'),
        };
      }
    },
  },
});
