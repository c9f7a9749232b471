import { newOrigins, quote, refreshTwice, rule, stillThere, steadyColumns } from '../src/rule.ts';
import type { Context, Effect, Problem, Taint } from '../src/rule.ts';

const words = ({ setting }: Taint): string => (setting === undefined ? 'the session that refreshes it' : `the ${setting} of the session that refreshes it`);

function* problems(effect: Effect, context: Context): Iterable<Problem> {
  for (const { matview, column, taint, span } of newOrigins(effect, context)) {
    // A column that reads the clock is told as that. Of extra_float_digits, only values that nobody sets for long print another number.
    if (taint.cause !== 'session' || taint.setting === 'extra_float_digits' || column?.taints.some(({ cause }) => cause === 'clock') === true) continue;
    yield {
      span, relation: quote(matview.name), evidence: taint.path, stillTrue: stillThere(matview),
      message: column === undefined ? `Which rows ${quote(matview.name)} holds depends on ${words(taint)}.`
        : `Column ${quote(column.name)} of ${quote(matview.name)} depends on ${words(taint)}.`,
      ...(taint.remedy === undefined ? {} : { fixes: [taint.remedy] }),
      ...(taint.setting === undefined ? {} : { experiment: refreshTwice(matview, column?.name, taint.flips,
        { setting: taint.setting, beside: column === undefined ? [] : steadyColumns(context.facts(matview)) }) }),
    };
  }
}

export default rule({
  id: 'no-session-dependent-output',
  summary: 'Disallow values that depend on the settings of the session that refreshes.',
  severity: 'note',
  postgres: { from: 14 },
  why: `
\`date_trunc('day', placed_at)\` on a \`timestamptz\`, \`placed_at::date\`, \`extract(hour FROM …)\`, a \`timestamptz\` as text or JSON, a
\`bytea\` as text, a one-argument \`to_tsvector\`, \`current_setting\`: each asks a setting of the session, and for a materialized view that is the session which refreshes. The job
of one server counts the orders of a day in UTC, a refresh from a laptop counts them in local time, and rows move from one day to the
next. The first \`REFRESH … CONCURRENTLY\` under another \`TimeZone\` rewrites every row. No error tells which of the two the view holds.
`,
  fix: `
Name the zone, the format or the configuration in the query:

\`\`\`sql
CREATE MATERIALIZED VIEW daily AS
  SELECT date_trunc('day', placed_at, 'UTC') AS day, count(*) AS orders FROM orders GROUP BY 1;
CREATE MATERIALIZED VIEW searchable AS SELECT id, to_tsvector('english', note) AS words FROM orders;
\`\`\`

\`(placed_at AT TIME ZONE 'UTC')::date\` does the same for a date. Where the view must stay as it is, let the routine that refreshes it
say \`SET TimeZone = 'UTC'\`.
`,
  exceptions: `
The overload that Postgres chooses decides: the same names over a \`timestamp\` without a zone, over a \`date\`, or with the zone as an
argument depend on nothing and are not reported. Nor is \`current_user\`, which inside a refresh is the owner of the view, nor adding an
interval to a \`timestamptz\`, which differs between zones only where clocks change, nor a floating-point number as text: every
\`extra_float_digits\` from 1, the default, prints it alike. A column that reads the clock is no-nondeterministic-output.
`,
  references: [
    'https://www.postgresql.org/docs/current/functions-datetime.html#FUNCTIONS-DATETIME-TRUNC',
    'https://www.postgresql.org/docs/current/runtime-config-client.html#RUNTIME-CONFIG-CLIENT-FORMAT',
  ],
  check: { createMatview: problems, createView: problems, createRoutine: problems },
});
