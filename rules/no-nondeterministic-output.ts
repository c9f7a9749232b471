import { clockOut, newTaints, quote, refreshTwice, rule, stillThere } from '../src/rule.ts';
import type { Context, Effect, Flip, Problem, SeenTaint, Taint } from '../src/rule.ts';

/** Values that change although no table did. Order and session settings have rules of their own. */
const causes: ReadonlySet<Taint['cause']> = new Set(['clock', 'random', 'sequence', 'transaction', 'physical']);

const when: Readonly<Record<Exclude<Flip, 'when the session differs'>, string>> = {
  'each refresh': 'changes on refresh although no table did',
  'each day': 'changes on the first refresh of each day although no table did',
  'when rows move': 'changes when rows move although no value did',
};
const flips = ['each refresh', 'each day', 'when rows move'] as const;

/** One finding a column: the cause that changes it most often. */
function* problems(effect: Effect, context: Context): Iterable<Problem> {
  const columns = new Map<string, SeenTaint[]>();
  for (const seen of newTaints(effect, context)) {
    if (seen.column === undefined || !causes.has(seen.taint.cause)) continue;
    const key = `${seen.matview.id} ${seen.column.name}`;
    columns.set(key, [...columns.get(key) ?? [], seen]);
  }
  const clocked = [...columns.values()].filter(seen => seen.every(({ taint }) => taint.cause === 'clock')).flatMap(([first]) => first?.column?.name ?? []);
  for (const seen of columns.values()) {
    for (const flip of flips) {
      const found = seen.find(({ taint }) => taint.flips === flip);
      if (found?.column === undefined) continue;
      const { matview, column, taint, span } = found;
      yield {
        span, relation: quote(matview.name), evidence: taint.path, stillTrue: stillThere(matview),
        message: `Column ${quote(column.name)} of ${quote(matview.name)} ${when[flip]}.`,
        experiment: refreshTwice(matview, column.name, flip),
        ...(effect.kind === 'createMatview' && clocked.includes(column.name) ? { fixes: end => [clockOut(matview, clocked, end) ?? []].flat() } : {}),
      };
      break;
    }
  }
}

export default rule({
  id: 'no-nondeterministic-output',
  summary: 'Disallow materialized-view columns whose value changes although no table did.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
\`REFRESH … CONCURRENTLY\` compares the new rows with the old ones and rewrites those that differ. A column with \`now()\`,
\`random()\`, a sequence, a generated uuid, a transaction id or a physical address differs in every row, so every refresh deletes
and inserts the whole view. On a million rows that takes three times as long as a refresh in which nothing changed, writes two
thousand times as much write-ahead log and leaves a million dead rows. Readers see a value that tells when the view was refreshed
where its name promises something about the row. With \`current_date\` it happens once a day.
`,
  fix: `
Keep what the value is computed from and compute it when the view is read:

\`\`\`sql
CREATE MATERIALIZED VIEW open_orders AS SELECT id, placed_at FROM orders WHERE shipped_at IS NULL;
CREATE VIEW open_orders_aged AS SELECT *, now() - placed_at AS age FROM open_orders;
\`\`\`

To know when the view was refreshed, write it to a table of its own in the job that refreshes. For a key, take the key of the
source row.

\`--fix\` does both in the migration that creates the view, while nothing else uses the column: what is computed from the clock goes to a view
on top (\`open_orders_now\`), a column that holds nothing else to a row of \`refresh_log\`. Readers then read the view on top, and want the same
grants there.
`,
  exceptions: `
A clock in \`WHERE\`, in \`FILTER\` or in a comparison that yields the same rows rewrites nothing and is not reported, nor is
\`current_user\`, which inside a refresh is always the owner of the view. A view of one row that exists to hold the time of its
refresh is a good reason to ignore the rule.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html',
    'https://www.postgresql.org/docs/current/functions-datetime.html#FUNCTIONS-DATETIME-CURRENT',
  ],
  check: { createMatview: problems, createView: problems, createRoutine: problems },
});
