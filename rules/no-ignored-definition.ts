import {
  countsAfter, describe, evidence, isSelectable, keepsDefinition, madeAt, normalOf, qualified, quote, quoteLiteral, rule, sameShape,
} from '../src/rule.ts';
import type { Catalog, Query } from '../src/rule.ts';

/** The text of a query without the schemas of what it reads: `public.orders` and `orders` are one table once both are resolved. */
function bare(query: Query, catalog: Catalog): string {
  const schemas = query.reads.map(read => catalog.get(read.id)).flatMap(object => (isSelectable(object) ? [object.name.schema] : []));
  const prefix = (schema: string): RegExp => new RegExp(`(?<![\\w.])"?${schema.replaceAll(/\W/g, '\\$&')}"? ?\\. ?`, 'g');
  return [...new Set(schemas)].reduce((text, schema) => text.replaceAll(prefix(schema), ''), normalOf(query));
}

/** Whether two definitions are the same query over the same relations. */
function same(a: Query, b: Query, catalog: Catalog): boolean {
  const reads = (query: Query): string => [...new Set(query.reads.map(read => read.id))].sort((x, y) => x - y).join();
  if (a.names.join('\0') !== b.names.join('\0')) return false;
  // The same text means another table once that was swapped: what is read follows the object, not the name.
  if (a.reads.length === b.reads.length && reads(a) !== reads(b)) return false;
  return normalOf(a) === normalOf(b) || (reads(a) === reads(b) && (bare(a, catalog) === bare(b, catalog) || sameShape(a, b, catalog)));
}

export default rule({
  id: 'no-ignored-definition',
  summary: 'Disallow CREATE MATERIALIZED VIEW IF NOT EXISTS where the name already has another definition.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
\`IF NOT EXISTS\` compares names, nothing else. When the name is taken, by a materialized view with another query or by a table or
a plain view, Postgres prints a notice and leaves everything as it was. The migration is recorded as done, new databases and old
ones differ from then on, and where the name belongs to a view or a table the next \`REFRESH\` is refused.
`,
  fix: `
Leave \`IF NOT EXISTS\` out, so that a taken name is an error. To change the query, build the new definition under another name
and swap:

\`\`\`sql
CREATE MATERIALIZED VIEW daily_sales_next AS SELECT ...;
CREATE UNIQUE INDEX daily_sales_next_day_key ON daily_sales_next (day);
BEGIN;
ALTER MATERIALIZED VIEW daily_sales RENAME TO daily_sales_old;
ALTER MATERIALIZED VIEW daily_sales_next RENAME TO daily_sales;
COMMIT;
\`\`\`
`,
  exceptions: `
Nothing is reported when both definitions are the same query: a repeated statement that changes nothing is what \`IF NOT EXISTS\` is for.
`,
  references: ['https://www.postgresql.org/docs/current/sql-creatematerializedview.html'],
  check: {
    *skipCreate({ via, wanted, name, existing, query }, { step }) {
      if (wanted !== 'matview' || !query || (existing.kind === 'matview' && same(existing.query, query, step.before))) return;
      const shown = quote(name);
      yield {
        span: via.span,
        message: existing.kind === 'matview'
          ? `This definition of ${shown} is ignored because ${shown} already exists with another query.`
          : `This definition of ${shown} is ignored because ${shown} is already a ${describe(existing).split(' ')[0]}.`,
        relation: shown,
        stillTrue: end => {
          const last = end.get(existing.id);
          return last !== undefined && !(last.kind === 'matview' && same(last.query, query, end));
        },
        evidence: [
          ...madeAt(existing, `${describe(existing)} is made here and stays`),
          evidence(via.span, 'IF NOT EXISTS finds the name taken and does nothing'),
        ],
        experiment: existing.kind === 'matview'
          ? keepsDefinition(step, existing.name, query.statement.sql.slice(query.start, query.end), query.names)
          : countsAfter({
            of: name, count: of => `SELECT (relkind <> 'm')::int FROM pg_class WHERE oid = to_regclass(${quoteLiteral(qualified(of))})`, expected: 1,
            says: `After the statement ${shown} is no materialized view.`, otherwise: `After the statement ${shown} is a materialized view.`,
            twin: of => [`CREATE TABLE ${of} (a int)`],
          }),
      };
    },
  },
});
