import { isUnknown, known, lostInReplacements, nameTakers, quote, quoteLiteral, regclass, rule } from '../src/rule.ts';
import type { Lost, Matview, Name } from '../src/rule.ts';

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
  deploysWith: nameTakers,
  check: {
    endOfDeploy: (end, context) => lostInReplacements(end, context, (old, now) => (now.kind === 'matview' ? lostSettings(old, now) : [])),
  },
});
