import {
  countsAfter, evidence, givenWords, isBlind, isUnknown, known, list, qualified, quote, quoteLiteral, replacements, rule, takenWords,
} from '../src/rule.ts';
import type { Catalog, Matview, Name } from '../src/rule.ts';

interface Lost {
  readonly words: string;
  /** SQL that is true of a relation while the setting is missing. */
  readonly missing: (relation: Name) => string;
}

const regclass = (name: Name): string => `to_regclass(${quoteLiteral(qualified(name))})`;
const ofClass = (column: string, name: Name): string => `(SELECT ${column} FROM pg_class WHERE oid = ${regclass(name)})`;

function lostComments(old: Matview, now: Matview): readonly Lost[] {
  const columns = new Map((known(now.columns) ?? []).map(column => [column.name, column]));
  return [
    ...(old.comment !== undefined && now.comment === undefined
      ? [{ words: 'its comment', missing: (of: Name) => `obj_description(${regclass(of)}, 'pg_class') IS NULL` }] : []),
    ...(known(old.columns) ?? []).flatMap(column => {
      const same = columns.get(column.name);
      if (column.comment === undefined || same === undefined || same.comment !== undefined) return [];
      return [{
        words: `the comment on column ${quote(column.name)}`,
        missing: (of: Name) => `(SELECT col_description(attrelid, attnum) IS NULL FROM pg_attribute
          WHERE attrelid = ${regclass(of)} AND attname = ${quoteLiteral(column.name)})`,
      }];
    }),
  ];
}

function lostStorage(old: Matview, now: Matview): readonly Lost[] {
  const options = [...old.options.keys()].filter(key => !now.options.has(key) && !key.includes('.'));
  return [
    ...options.map(key => ({
      words: key,
      missing: (of: Name) => `NOT EXISTS (SELECT FROM pg_options_to_table(${ofClass('reloptions', of)}) WHERE option_name = ${quoteLiteral(key)})`,
    })),
    ...(old.tablespace !== undefined && now.tablespace === undefined
      ? [{ words: `its tablespace ${quote(old.tablespace)}`, missing: (of: Name) => `${ofClass('reltablespace', of)} = 0` }] : []),
  ];
}

function lostPlanning(old: Matview, now: Matview): readonly Lost[] {
  const columns = new Set((known(now.columns) ?? []).map(column => column.name));
  return [
    ...[...old.statistics].filter(([column]) => columns.has(column) && !now.statistics.has(column)).map(([column]) => ({
      words: `the statistics target of ${quote(column)}`,
      missing: (of: Name) => `(SELECT coalesce(attstattarget, -1) = -1 FROM pg_attribute
        WHERE attrelid = ${regclass(of)} AND attname = ${quoteLiteral(column)})`,
    })),
    ...(old.clusteredOn !== undefined && now.clusteredOn === undefined
      ? [{
        words: 'its cluster mark', missing: (of: Name) => `NOT EXISTS (SELECT FROM pg_index WHERE indrelid = ${regclass(of)} AND indisclustered)`,
      }] : []),
  ];
}

const lostSettings = (old: Matview, now: Matview): readonly Lost[] =>
  (isUnknown(now.columns) ? [] : [...lostComments(old, now), ...lostStorage(old, now), ...lostPlanning(old, now)]);

const heir = (name: Name, end: Catalog): Matview | undefined => {
  const found = end.find(name);
  return found.is === 'present' && found.object.kind === 'matview' ? found.object : undefined;
};

export default rule({
  id: 'no-lost-settings',
  summary: 'Disallow replacing a materialized view without giving the new one the settings of the old one.',
  severity: 'warning',
  postgres: { from: 14 },
  why: `
Comments, storage options, the tablespace, the statistics targets of the columns and the cluster mark belong to the materialized view,
not to its name. After \`DROP\` and \`CREATE\`, or after a rename swap, the object that has the name has none of them. Nothing fails:
autovacuum goes by the general settings again, the view grows on the wrong disk, plans change because the statistics are coarser, and
the tools that read the comment find nothing.
`,
  fix: `
Give the new view the settings of the old one in the same migration:

\`\`\`sql
CREATE MATERIALIZED VIEW daily_sales_next WITH (autovacuum_enabled = false) TABLESPACE fast AS SELECT ...;
ALTER MATERIALIZED VIEW daily_sales_next ALTER COLUMN day SET STATISTICS 1000;
COMMENT ON MATERIALIZED VIEW daily_sales_next IS 'Refreshed every night by refresh_reports().';
\`\`\`
`,
  exceptions: `
Nothing is said of a deploy whose code does what only its data tells: it may have made all of this itself.
A setting that the new view has with another value was changed on purpose. Settings of columns that the new view does not have are not
missed. Extended statistics (\`CREATE STATISTICS\`) are not looked at.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-altermaterializedview.html',
    'https://www.postgresql.org/docs/current/sql-comment.html',
  ],
  check: {
    *endOfDeploy(end, context) {
      if (isBlind(end)) return;
      for (const replacement of replacements(end, context)) {
        const { old, now, taken, given } = replacement;
        const lost = now.kind === 'matview' ? lostSettings(old, now) : [];
        if (lost.length === 0) continue;
        const name = quote(old.name);
        yield {
          span: given.effect.via.span,
          message: `${name} has lost ${list(lost.map(({ words }) => words))}.`,
          relation: name,
          stillTrue: last => {
            const holder = heir(old.name, last);
            const still = holder ? lostSettings(old, holder).map(({ words }) => words) : [];
            return lost.some(({ words }) => still.includes(words));
          },
          evidence: [
            evidence(taken.effect.via.span, takenWords(replacement)),
            evidence(given.effect.via.span, `${givenWords(replacement)}, without ${list(lost.map(({ words }) => words))}`),
          ],
          experiment: countsAfter({
            of: old.name, expected: lost.length,
            count: of => `SELECT CASE WHEN ${regclass(of)} IS NOT NULL THEN ${lost.map(({ missing }) => `(${missing(of)})::int`).join(' + ')} END`,
            says: `After the migration Postgres finds none of it on ${name}.`, otherwise: `After the migration Postgres finds it on ${name}.`,
          }),
        };
      }
    },
  },
});
