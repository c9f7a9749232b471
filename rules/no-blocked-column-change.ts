import { describe, evidence, feedsMatview, list, madeAt, quote, refuses, rule } from '../src/rule.ts';
import type { Catalog, CatalogObject, Context, Refusal } from '../src/rule.ts';

/** The views and materialized views whose making the refusal names as its reason. */
function blockers(refusal: Refusal, before: Catalog): readonly CatalogObject[] {
  const places = new Set(refusal.evidence.map(({ span }) => `${span.path}\0${span.start}`));
  const dependants = refusal.relation === undefined ? [] : before.dependants(refusal.relation);
  return [...new Set(dependants.map(link => link.dependent))].flatMap(id => before.get(id) ?? [])
    .filter(object => object.kind === 'view' || object.kind === 'matview')
    .filter(object => object.madeAt !== undefined && places.has(`${object.madeAt.path}\0${object.madeAt.start}`));
}

/** What the statement does to the table. */
function deed({ because, column, sqlstate }: Refusal, table: string): string {
  const named = column === undefined ? 'a column' : `column ${quote(column)}`;
  if (sqlstate === '0A000') return `to change the type of ${named} of ${table}`;
  return `to drop ${column === undefined ? /constraint \S+/.exec(because)?.[0] ?? 'a part' : named} of ${table}`;
}

/** The materialized views behind plain views, so that a reader sees what the change is held up by. */
function behind(objects: readonly CatalogObject[], { step }: Context): string {
  const through = objects.filter(object => object.kind === 'view' && feedsMatview(object.id, step.before));
  return objects.some(object => object.kind === 'matview') || through.length === 0 ? '' : ', on which a materialized view is built,';
}

export default rule({
  id: 'no-blocked-column-change',
  summary: 'Disallow changing a column or constraint that a materialized view or a view still uses.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
Postgres keeps the compiled query of every view. It refuses to change the type of a column that one of them uses (\`0A000: cannot
alter type of a column used by a view or rule\`), however small the change and wherever the column stands: in \`WHERE\` only, in a
join, from \`varchar(20)\` to \`text\`. \`DROP COLUMN\` and \`DROP CONSTRAINT\` are refused as well (\`2BP01\`) while something depends
on them. The migration stops there, on every database that has the view.
`,
  fix: `
Take the view away first and build it again afterwards, in the same transaction, with its indexes, grants and owner; or add a new
column, build a new generation of the view over it, and drop the old one later:

\`\`\`sql
ALTER TABLE orders ADD COLUMN total_next numeric(14, 2);
UPDATE orders SET total_next = total;              -- in batches, if the table is large
CREATE MATERIALIZED VIEW daily_sales_next AS SELECT ... total_next ...;
\`\`\`

\`RENAME COLUMN\`, \`ADD COLUMN\`, \`SET NOT NULL\` and \`SET DEFAULT\` are not held up by views.
`,
  exceptions: `
Nothing is reported when the view is dropped earlier in the history, or when the history does not show which columns it uses.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-altertable.html',
    'https://www.postgresql.org/docs/current/ddl-depend.html',
  ],
  check: {
    *refuse({ via, refusal, statement, target }, context) {
      if (statement !== 'alter' || target?.kind !== 'table' || (refusal.sqlstate !== '0A000' && refusal.sqlstate !== '2BP01')) return;
      const objects = blockers(refusal, context.step.before);
      if (objects.length === 0) return;
      const table = quote(target.name);
      const use = objects.length === 1 ? 'uses' : 'use';
      const users = `${list(objects.map(describe))}${behind(objects, context)}`;
      yield {
        span: via.span,
        message: `Postgres refuses ${deed(refusal, table)} because ${users} ${use} it.`,
        relation: table,
        evidence: [
          ...objects.flatMap(object => madeAt(object, `${describe(object)}, made here, uses it`)),
          evidence(via.span, `the change that Postgres refuses with ${refusal.sqlstate}`),
        ],
        experiment: refuses(context.step, refusal.sqlstate),
      };
    },
  },
});
