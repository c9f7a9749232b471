import { rule } from '../src/rule.ts';

export default rule({
  id: 'no-drift',
  summary: 'Disallow materialized views in a database that are not what the migrations make.',
  severity: 'warning',
  postgres: { from: 14 },
  raisedBy: 'live',
  why: `
Somebody repaired an index by hand, granted a right at night, left the remains of a failed \`CREATE INDEX CONCURRENTLY\`, or a migration stopped
half-way. From then on every migration is judged against a state that does not exist: the index that a concurrent refresh needs is in the
files and not in the database, a DROP takes a view along that no file knows, and the next re-creation loses the right again.
`,
  fix: `
Decide which side is right. What the database should keep belongs into a migration; what it should not have goes with one. An invalid index is
dropped with \`DROP INDEX CONCURRENTLY\` and built again, after the rows that broke it are gone.

\`\`\`sql
-- mvlint-ignore no-drift: the index is built by hand in production, where it takes an hour
CREATE MATERIALIZED VIEW daily_sales AS …
\`\`\`
`,
  exceptions: `
Raised with \`--live=<url>\` alone, which only reads. mvlint looks for the migration that the database stands after and compares it with the
history up to there, so that migrations that are not deployed yet are no drift. Compared are existence, columns and their types, the query,
indexes and their validity, owner, grants, settings, comments, tablespace, statistics targets, and whether a view that was populated
still is. Postgres keeps a query in words of its own, so both are printed by one server: the embedded one replays the migrations and reads
the database's text there. Without it only what a query reads is compared, and a gap says so; the queries of plain views beneath are not
compared. Facts that the migrations do not show, such as an owner that depends on who runs them,
are no drift. Views that no migration makes are reported where the migrations make every other name they use.
`,
  references: [
    'https://www.postgresql.org/docs/current/catalog-pg-class.html', 'https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY',
  ],
});
