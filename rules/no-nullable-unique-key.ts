import { evidence, happenings, holdsNulls, isUnknown, keyText, known, list, madeAt, quote, rewritesNullKeys, rule, unusable } from '../src/rule.ts';
import type { Context, Index, Matview, OutputColumn } from '../src/rule.ts';

/** The columns of the index that the query surely lets be NULL. */
function nullable(index: Index, matview: Matview, context: Context): readonly OutputColumn[] {
  const columns = known(context.facts(matview, context.step.after).columns) ?? [];
  return index.columns.flatMap(({ column }) => columns.find(({ name }) => name === column) ?? [])
    .filter(column => !isUnknown(column.nullable) && column.nullable);
}

export default rule({
  id: 'no-nullable-unique-key',
  summary: 'Disallow unique indexes of a materialized view over columns that can be NULL.',
  severity: 'warning',
  postgres: { from: 14 },
  why: `
\`REFRESH … CONCURRENTLY\` finds the old row of each new one by comparing the columns of every usable unique index. NULL equals nothing,
so a row with NULL in one of them never finds itself: it is deleted and inserted again by each refresh, although nothing changed. With
many such rows the refresh rewrites the view each time, and with a single key column it compares all of them with each other, which
takes quadratic time. \`NULLS NOT DISTINCT\` does not help, nor does a second index without NULLs, because every index must match.
`,
  fix: `
Make the key a value: put a constant for NULL in the query, or leave those rows out:

\`\`\`sql
CREATE MATERIALIZED VIEW sales_by_region AS
  SELECT coalesce(region, 'none') AS region, sum(total) AS total FROM orders GROUP BY 1;
CREATE UNIQUE INDEX sales_by_region_key ON sales_by_region (region);
\`\`\`
`,
  exceptions: `
Indexes that \`CONCURRENTLY\` passes over, with a \`WHERE\` clause or an expression, match nothing and are not reported, nor are columns of
which it is not known whether they can be NULL.
`,
  references: ['https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html'],
  deploysWith: ['createIndex'],
  check: {
    *endOfDeploy(end, context) {
      const { after } = context.step;
      for (const { effect } of happenings(end.steps)) {
        if (effect.kind !== 'createIndex' || effect.on.kind !== 'matview') continue;
        const index = after.get(effect.index.id);
        const matview = index?.kind === 'index' ? after.get(index.on) : undefined;
        if (index?.kind !== 'index' || matview?.kind !== 'matview' || unusable(index) !== undefined) continue;
        const columns = nullable(index, matview, context);
        if (columns.length === 0) continue;
        const [name, key] = [quote(matview.name), columns.map(column => column.name)];
        yield {
          span: effect.via.span,
          message: `Every concurrent refresh rewrites the rows of ${name} that have no ${list(key.map(column => quote(column)))}.`,
          relation: name,
          stillTrue: last => last.get(index.id) !== undefined,
          evidence: [
            ...madeAt(matview, `${name} is made here`),
            ...columns.map(column => evidence(column.span, `column ${quote(column.name)} can be NULL`)),
            evidence(effect.via.span, `and is a key of ${keyText(index.columns.flatMap(({ column }) => column ?? []))}`),
          ],
          experiment: rewritesNullKeys(matview.name, key),
          observe: holdsNulls(matview.name, key),
        };
      }
    },
  },
});
