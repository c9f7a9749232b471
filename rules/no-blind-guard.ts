import {
  blindHandlers, blindLookups, countsAfter, describe, emptiedRefuses, evidence, madeAt, quote, quoteLiteral, refuses, rule,
} from '../src/rule.ts';
import type { BlindLookup, CatalogObject, Experiment, Name, Refusal, Step } from '../src/rule.ts';

const kinds: Readonly<Record<string, string>> = {
  table: 'a table', view: 'a plain view', matview: 'a materialized view', index: 'an index', sequence: 'a sequence',
};

/** What the statement took the relation for, where a materialized view is on one side of the mistake. */
function mistaken({ because }: Refusal, target: CatalogObject): string | undefined {
  const [, wanted] = /^".*" is not an? (.+)$/.exec(because) ?? [];
  if (target.kind === 'matview') return wanted === undefined ? '' : `, not a ${wanted}`;
  return wanted === 'materialized view' ? ', not a materialized view' : undefined;
}

/** SQL that counts what the list says of the view; the control is the list of materialized views itself. */
function listed(list: string, name: Name): string {
  const [schema = '', relation = ''] = list.startsWith('information_schema') ? ['table_schema', 'table_name']
    : ['schemaname', list === 'pg_tables' ? 'tablename' : 'viewname'];
  const where = (schema: string, relation: string): string =>
    `WHERE ${schema} = ${quoteLiteral(name.schema)} AND ${relation} = ${quoteLiteral(name.name)}`;
  return `SELECT CASE WHEN EXISTS (SELECT FROM pg_matviews ${where('schemaname', 'matviewname')})
    THEN (SELECT count(*) FROM ${list} ${where(schema, relation)}) END`;
}

/** Whether the name is surely the view's all the time: a lookup that was right when it stood alone is none of ours. */
function stood({ before, after }: Step, { matview }: BlindLookup): boolean {
  const was = before.find(matview.name);
  return (was.is !== 'present' || was.object.kind === 'matview') && after.get(matview.id) !== undefined;
}

/** `IF EXISTS (… pg_views …) THEN DROP VIEW`: whether it is still a plain view, or a table, is what the code wants to know. */
function isMeant({ statement }: Step, { list }: BlindLookup): boolean {
  const kind = /views$/.test(list) ? 'view' : 'table';
  return new RegExp(`\\b(?:drop|alter)\\s+${kind}\\b`, 'i').test(statement.sql);
}

/** After a statement that is refused there is nothing to see: what held before it holds. */
const asItStands = (step: Step, experiment: Experiment): Experiment => (step.refusal === undefined ? experiment : { ...experiment, at: 'before' });

export default rule({
  id: 'no-blind-guard',
  summary: 'Disallow code around a materialized view that takes it for a table or a plain view, or waits for the wrong error.',
  severity: 'warning',
  postgres: { from: 14 },
  why: `
A materialized view is neither a table nor a view. \`information_schema.tables\`, \`.views\` and \`.columns\`, \`pg_tables\` and
\`pg_views\` never list one, so a guard that looks there always answers that it is missing: the creation behind it runs again and
fails, the drop behind it never runs. \`DROP VIEW\`, \`ALTER VIEW\` and \`COMMENT ON VIEW\` of a materialized view are refused (\`42809\`), with
\`IF EXISTS\` as well, and so is every \`INSERT\`, \`UPDATE\` and \`ADD COLUMN\`.

A handler that falls back to a plain \`REFRESH\` on \`object_not_in_prerequisite_state\` (\`55000\`) catches the missing index only. A view that
holds no data, after a restore or \`WITH NO DATA\`, refuses \`CONCURRENTLY\` with \`0A000: feature_not_supported\`, and the handler is not asked.
`,
  fix: `
Look in \`pg_matviews\`, or ask for the name itself, and say \`MATERIALIZED VIEW\` where it is one:

\`\`\`sql
SELECT FROM pg_matviews WHERE schemaname = 'public' AND matviewname = 'daily_sales';
SELECT to_regclass('public.daily_sales') IS NOT NULL;
DROP MATERIALIZED VIEW IF EXISTS daily_sales;
\`\`\`

Catch both errors, or ask \`pg_matviews.ispopulated\` first:

\`\`\`sql
EXCEPTION WHEN object_not_in_prerequisite_state OR feature_not_supported THEN
  REFRESH MATERIALIZED VIEW daily_sales;
\`\`\`
`,
  exceptions: `
A lookup is reported when the name it asks for is that of a materialized view after the statement and was no table or plain view before
it, and its code drops or alters no table or plain view. Names that are put together at run time are not followed. A handler is reported when it refreshes the same view plainly.
`,
  references: [
    'https://www.postgresql.org/docs/current/view-pg-matviews.html',
    'https://www.postgresql.org/docs/current/infoschema-tables.html',
  ],
  check: {
    *refuse({ via, refusal, statement, target }, { step }) {
      const what = target && refusal.sqlstate === '42809' && statement !== 'refresh' ? mistaken(refusal, target) : undefined;
      if (!target || what === undefined || refusal.misuse !== undefined) return;
      const name = quote(target.name);
      yield {
        span: via.span,
        message: `Postgres refuses this statement because ${name} is ${kinds[target.kind] ?? describe(target)}${what}.`,
        relation: name,
        evidence: [...madeAt(target, `${describe(target)} is made here`), evidence(via.span, 'refused with 42809')],
        experiment: refuses(step, '42809'),
      };
    },
    *endOfDeploy({ steps }) {
      for (const step of steps) {
        for (const { matview, tried, fallback } of step.refusal ? [] : blindHandlers(step.statement, step.after)) {
          const name = quote(matview.name);
          yield {
            span: fallback,
            message: `This fallback does not run for an unpopulated ${name} because CONCURRENTLY is refused there with 0A000, not with 55000.`,
            relation: name,
            evidence: [evidence(tried, 'this is tried first'), evidence(fallback, 'only 55000 leads here: no index that CONCURRENTLY can use')],
            step,
            experiment: emptiedRefuses(matview.name),
          };
        }
        for (const lookup of blindLookups(step.statement, step.after)) {
          if (!stood(step, lookup) || isMeant(step, lookup)) continue;
          const name = quote(lookup.matview.name);
          yield {
            span: lookup.span,
            message: `This never finds ${name} because ${lookup.list} lists no materialized views.`,
            relation: name,
            evidence: [
              ...madeAt(lookup.matview, `${describe(lookup.matview)} is made here`),
              evidence(lookup.span, `${lookup.list} is asked for it`),
            ],
            step,
            experiment: asItStands(step, countsAfter({
              of: lookup.matview.name, count: of => listed(lookup.list, of), expected: 0,
              says: `Postgres has ${name}, and ${lookup.list} does not list it.`, otherwise: `${lookup.list} lists ${name}.`,
              twin: of => [`CREATE MATERIALIZED VIEW ${of} AS SELECT 1 AS a`],
            })),
          };
        }
      }
    },
  },
});
