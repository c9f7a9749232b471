import { countsAfter, evidence, known, qualified, quote, quoteLiteral, rule, wildcard } from '../src/rule.ts';

export default rule({
  id: 'no-select-star',
  summary: 'Disallow SELECT * in the query of a materialized view.',
  severity: 'note',
  postgres: { from: 14 },
  why: `
\`*\` is spelt out once, when the view is created. A column that the table gains later is not in the view, and a new environment that
creates the view after the table has grown gets another view than the old ones. Until then every column of the table is a dependency:
none of them can be dropped or given another type while the view stands.
`,
  fix: `
Name the columns that the readers need:

\`\`\`sql
CREATE MATERIALIZED VIEW open_orders AS
  SELECT id, customer_id, placed_at FROM orders WHERE shipped_at IS NULL;
\`\`\`
`,
  exceptions: 'A `*` over a sub-query or a CTE takes the columns that stand there, and `count(*)` takes none.',
  references: ['https://www.postgresql.org/docs/current/sql-creatematerializedview.html'],
  check: {
    *createMatview({ matview }) {
      const span = wildcard(matview.query);
      if (!span) return;
      const name = quote(matview.name);
      const columns = known(matview.columns);
      yield {
        span,
        message: `The columns of ${name} are those of today because * is spelt out when it is created.`,
        relation: name,
        stillTrue: end => end.get(matview.id) !== undefined,
        evidence: [evidence(span, `this stands for ${columns?.map(column => quote(column.name)).join(', ') ?? 'every column of today'}`)],
        ...(columns ? {
          experiment: countsAfter({
            of: matview.name, expected: columns.length,
            count: of => `SELECT CASE WHEN position('*' in pg_get_viewdef(c)) = 0
                THEN (SELECT count(*) FROM pg_attribute WHERE attrelid = c AND attnum > 0) END
              FROM (SELECT to_regclass(${quoteLiteral(qualified(of))})) AS x (c)`,
            says: `Postgres keeps the view with ${columns.length} columns spelt out.`, otherwise: 'Postgres keeps the view with other columns.',
            twin: of => [`CREATE MATERIALIZED VIEW ${of} AS SELECT * FROM (SELECT ${columns.map((_, at) => `1 AS c${at}`).join(', ')}) AS t`],
          }),
        } : {}),
      };
    },
  },
});
