import {
  count, countsAfter, describeIndex, evidence, givenWords, happenings, isBlind, lacksIndexes, lostIndexes, madeAt, nameTakers, quote,
  quoteLiteral, regclass, replacements, rule, takenWords,
} from '../src/rule.ts';
import type { Index, IndexColumn, Name } from '../src/rule.ts';

/** Whether Postgres's catalogs tell by plain columns that two such indexes are equivalent. */
const isPlain = ({ columns, predicate }: Index): boolean => predicate === undefined && columns.length === 1
  && columns.every(({ expression, opclass, collation }) => expression === undefined && opclass === undefined && collation === undefined);

/** Whether a database that is only read tells by names of columns that it has such an index. */
const hasPlainKeys = ({ columns, predicate }: Index): boolean => predicate === undefined && columns.every(({ column }) => column !== undefined);
const plainKeys = ({ columns, unique }: Index): { readonly columns: readonly string[]; readonly unique: boolean } =>
  ({ unique, columns: columns.flatMap(({ column }) => column ?? []) });

/**
 * Counts the indexes of a relation that are like one of these: keys, further columns, uniqueness, method. NULL when there is no such relation, and
 * when there are some that differ in what is not compared here (predicates, expressions, operator classes, directions).
 */
function equivalents(relation: Name, lost: readonly Index[]): string {
  const key = ({ column }: IndexColumn): string => (column === undefined ? 'NULL' : quoteLiteral(column));
  const columns = (where: string, order: string): string => `ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, at)
      LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0 WHERE ${where} ORDER BY ${order})`;
  const one = (index: Index): string => `(i.indisunique = ${index.unique} AND (i.indpred IS NULL) = ${index.predicate === undefined}
    AND coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) = ${index.nullsNotDistinct}
    AND (SELECT m.amname FROM pg_class AS c JOIN pg_am AS m ON m.oid = c.relam WHERE c.oid = i.indexrelid) = ${quoteLiteral(index.method)}
    AND ${columns('k.at <= i.indnkeyatts', 'k.at')} IS NOT DISTINCT FROM ARRAY[${index.columns.map(key).join(', ')}]::text[]
    AND ${columns('k.at > i.indnkeyatts', 'a.attname')} IS NOT DISTINCT FROM ARRAY[${[...index.include].sort().map(quoteLiteral).join(', ')}]::text[])`;
  const name = regclass(relation);
  const found = `SELECT ${lost.every(isPlain) ? 'count(*)' : 'CASE WHEN count(*) = 0 THEN 0 END'} FROM pg_index AS i`;
  return `SELECT CASE WHEN ${name} IS NOT NULL THEN (${found} WHERE i.indrelid = ${name} AND (${lost.map(one).join(' OR ')})) END`;
}

export default rule({
  id: 'no-lost-index',
  summary: 'Disallow replacing a materialized view without giving the new one the indexes of the old one.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
Indexes belong to the materialized view, not to its name. \`DROP\` takes them away, and a rename swap leaves them on the old
generation. Queries that were answered by the index read the whole view from then on, and without its unique index the view can no
longer be refreshed with \`CONCURRENTLY\` (\`55000\`). \`CREATE INDEX IF NOT EXISTS\` does not help in a swap: index names are
unique in a schema, so while the old index still has the name the statement is skipped with a notice and the new view stays
without.
`,
  fix: `
Create every index of the old view on the new one in the same migration, under names of their own, before the names change hands:

\`\`\`sql
CREATE UNIQUE INDEX daily_sales_next_day_key ON daily_sales_next (day);
CREATE INDEX daily_sales_next_region_idx ON daily_sales_next (region);
\`\`\`
`,
  exceptions: `
Nothing is said of a deploy whose code does what only its data tells: it may have made all of this itself.
An index over the same columns with the same uniqueness and predicate counts, whatever its name. An index over a column that the
new view does not have is not missed.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-creatematerializedview.html',
    'https://www.postgresql.org/docs/current/sql-createindex.html',
  ],
  deploysWith: nameTakers,
  check: {
    *endOfDeploy(end, context) {
      if (isBlind(end)) return;
      const { after } = context.step;
      const { start } = end;
      for (const replacement of replacements(end, context)) {
        const { old, now, taken, given } = replacement;
        const lost = now.kind === 'matview' ? lostIndexes(replacement, start, after) : [];
        if (lost.length === 0) continue;
        const skipped = happenings(end.steps).flatMap(({ effect }) =>
          (effect.kind === 'skipCreate' && effect.wanted === 'index' && effect.on?.id === now.id ? [effect] : []));
        const name = quote(old.name);
        const words = lost.map(index => describeIndex(index).replace(/^(unique )?index /, ''));
        yield {
          span: given.effect.via.span,
          message: `${name} has lost its ${count(lost.every(index => index.unique) ? 'unique index' : 'index', 'indexes', words)}.`,
          relation: name,
          stillTrue: end => {
            const found = end.find(old.name);
            if (found.is !== 'present' || found.object.kind !== 'matview') return false;
            const heir = found.object;
            return lost.some(index => lostIndexes({ ...replacement, now: heir }, start, end).includes(index));
          },
          evidence: [
            evidence(taken.effect.via.span, takenWords(replacement)),
            ...lost.flatMap(index => madeAt(index, `${describeIndex(index)} is made here and stays with the old view`)),
            ...skipped.map(skip => evidence(skip.via.span, `skipped, because ${quote(skip.name.name)} is still the name of the old index`)),
            evidence(given.effect.via.span, `${givenWords(replacement)}, without an equivalent`),
          ],
          ...(lost.every(hasPlainKeys) ? { observe: lacksIndexes(old.name, lost.map(plainKeys)) } : {}),
          experiment: countsAfter({
            of: old.name, count: of => equivalents(of, lost), expected: 0,
            says: `${name} has no index over these columns after the migration.`,
            otherwise: `${name} has such an index after the migration.`,
          }),
        };
      }
    },
  },
});
