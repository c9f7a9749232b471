import { evidence, happenings, madeAt, matviewsOver, quote, rule, showsHiddenRows, tablesBeneath } from '../src/rule.ts';
import type { Catalog, End, Evidence, Matview, Span, Table } from '../src/rule.ts';

interface Bypass {
  readonly matview: Matview;
  readonly table: Table;
  readonly span: Span;
  readonly from: readonly Evidence[];
}

const protects = (matview: Matview, table: Table, catalog: Catalog): boolean =>
  tablesBeneath(matview, catalog).some(each => each.id === table.id && each.rowSecurity);

/** Every materialized view that holds rows of the table, over others too. */
function above(id: number, catalog: Catalog, seen = new Set<number>()): readonly Matview[] {
  const direct = matviewsOver(id, catalog).filter(matview => !seen.has(matview.id));
  for (const matview of direct) seen.add(matview.id);
  return direct.flatMap(matview => [matview, ...above(matview.id, catalog, seen)]);
}

/** Views that this deploy puts over protected rows, and protection that it puts beneath standing views; each pair once. */
function* bypasses(end: End, after: Catalog): Iterable<Bypass> {
  for (const { effect } of happenings(end.steps)) {
    const { span } = effect.via;
    const made = effect.kind === 'createMatview' ? after.get(effect.matview.id) : undefined;
    if (made?.kind === 'matview') {
      for (const table of tablesBeneath(made, after)) {
        if (!table.rowSecurity) continue;
        yield { matview: made, table, span, from: madeAt(table, `row security decides who sees which rows of ${quote(table.name)}`) };
      }
    }
    if (effect.kind !== 'changeRelation' || effect.from.kind !== 'table' || effect.to.kind !== 'table') continue;
    const table = after.get(effect.to.id);
    if (table?.kind !== 'table' || effect.from.rowSecurity || !effect.to.rowSecurity || !table.rowSecurity) continue;
    for (const matview of above(table.id, after)) {
      if (end.start.get(matview.id) === undefined) continue;
      yield { matview, table, span, from: madeAt(matview, `${quote(matview.name)} is built from ${quote(table.name)}`) };
    }
  }
}

export default rule({
  id: 'no-rls-bypass',
  summary: 'Disallow a materialized view over a table with row security.',
  severity: 'warning',
  postgres: { from: 14 },
  why: `
The query of a materialized view runs as its owner, and the rows that the owner saw are stored. Row security is asked while the view is
refreshed, not when it is read, and a materialized view can have no policy of its own. Whoever may read the view sees every row in it,
whatever the policies of the table would have shown. Where privileges on new relations are granted by default, as hosting platforms do
for their public schema, that is everybody.
`,
  fix: `
Keep the view where only trusted roles reach it, and let the others read it through something that asks who they are:

\`\`\`sql
CREATE SCHEMA internal;
CREATE MATERIALIZED VIEW internal.order_totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id;
CREATE VIEW order_totals WITH (security_barrier) AS
  SELECT customer_id, total FROM internal.order_totals WHERE customer_id = current_customer();
\`\`\`
`,
  exceptions: `
What the policies say, and who may read the view, is not looked at. Where the view holds nothing that its readers must not know, ignore
the rule with that reason.
`,
  references: [
    'https://www.postgresql.org/docs/current/ddl-rowsecurity.html',
    'https://www.postgresql.org/docs/current/rules-materializedviews.html',
  ],
  deploysWith: ['createMatview', 'changeRelation'],
  check: {
    *endOfDeploy(end, { step: { after } }) {
      for (const { matview, table, span, from } of bypasses(end, after)) {
        const name = quote(matview.name);
        yield {
          span,
          message: `Every reader of ${name} sees the rows of ${quote(table.name)} that row security would hide.`,
          relation: name,
          stillTrue: last => {
            const now = last.get(matview.id);
            return now?.kind === 'matview' && protects(now, table, last);
          },
          evidence: [...from, evidence(span, `the rows are stored in ${name}, where no policy is asked`)],
          experiment: showsHiddenRows(table.name, matview.name),
        };
      }
    },
  },
});
