import { countsAfter, evidence, qualified, quote, quoteLiteral, rule, stillThere, viewsBeneath } from '../src/rule.ts';
import type { Context, Effect, Evidence, Experiment, FrozenLiteral, Matview, Problem, View } from '../src/rule.ts';

const describe = ({ text }: FrozenLiteral): string => `'${text}'`;

/** What Postgres stored shows no such word. Where another text of the query holds it, nothing is shown. */
function gone(view: View | Matview, literal: FrozenLiteral): Experiment {
  return countsAfter({
    of: view.name, expected: 0,
    count: of => `SELECT CASE WHEN to_regclass(${quoteLiteral(qualified(of))}) IS NOT NULL
      THEN (strpos(lower(pg_get_viewdef(to_regclass(${quoteLiteral(qualified(of))}))), lower(${quoteLiteral(literal.text)})) > 0)::int END`,
    says: `Postgres stored the view without the word ${describe(literal)}: a constant stands in its place.`,
    otherwise: 'The word still stands in the stored view.',
    twin: of => [`CREATE VIEW ${of} AS SELECT CAST(${quoteLiteral(literal.text)} AS timestamptz) AS frozen`],
  });
}

function* problems(effect: Effect, { facts, step }: Context): Iterable<Problem> {
  if (effect.kind !== 'createMatview') return;
  const { matview } = effect;
  const tell = (literal: FrozenLiteral, through: readonly Evidence[], at: FrozenLiteral['span'], of: Matview, holder: View | Matview): Problem => ({
    span: at, relation: quote(of.name), stillTrue: stillThere(of),
    message: `Literal ${describe(literal)} is the moment at which ${quote(of.name)} was created, in every refresh to come.`,
    evidence: [evidence(literal.span, `${describe(literal)} is read as ${literal.type} once, when the query is stored`), ...through],
    experiment: gone(holder, literal),
  });
  for (const literal of facts(matview).frozen) yield tell(literal, [], literal.span, matview, matview);
  for (const { view, read } of viewsBeneath(matview, step.after))
    for (const literal of facts(view).frozen)
      yield tell(literal, [evidence(read, `${quote(view.name)} stands beneath ${quote(matview.name)}`)], read, matview, view);
}

export default rule({
  id: 'no-frozen-literal',
  summary: "Disallow 'now', 'today', 'tomorrow' and 'yesterday' as literals of a date or time.",
  severity: 'error',
  postgres: { from: 14 },
  why: `
A literal that becomes a date or time is read when the query is stored. \`'now'::timestamptz\`, \`date 'today'\`, and the bare \`'now'\` in
\`placed_at < 'now'\`, in an \`IN\` list, in \`BETWEEN\`, \`COALESCE\`, \`CASE\` or in a range, are constants from that moment on: the view
stands still at the day of the migration, and no refresh moves it. \`pg_get_viewdef\` shows the constant where the file says \`'today'\`.
Nothing fails; the report shows the orders of the deploy day for ever. A dump restores that day as well.
`,
  fix: `
Say what is meant. Where the view should follow the clock:

\`\`\`sql
CREATE MATERIALIZED VIEW due_today AS SELECT id FROM orders WHERE due_on = current_date;
\`\`\`

Where the day of the migration is meant, write it out: \`date '2024-06-30'\`.
`,
  exceptions: `
\`'now'::text::timestamptz\` is read in every refresh and is no-nondeterministic-output. \`'epoch'\`, \`'infinity'\` and \`'allballs'\` are
constants by nature, and a text that is compared with text is a text. A time stamp without a zone, as \`'2020-01-01'\` beside a
\`timestamptz\`, is read once too, in the time zone of the session that creates the view; that moment is what most authors mean, so it
is not reported.
`,
  references: [
    'https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-DATETIME-SPECIAL-VALUES',
    'https://www.postgresql.org/docs/current/functions-datetime.html#FUNCTIONS-DATETIME-CURRENT',
  ],
  check: { createMatview: problems },
});
