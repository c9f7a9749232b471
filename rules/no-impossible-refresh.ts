import { describe, evidence, isSelectable, isUnknown, madeAt, passedOver, quote, refuses, rule, unreadableSource } from '../src/rule.ts';
import type { Catalog, CatalogObject, Matview, Refusal } from '../src/rule.ts';

const kinds: Readonly<Record<string, string>> = { table: 'a table', view: 'a plain view', index: 'an index', sequence: 'a sequence' };

/** Whose right is missing, as the end of a sentence about the view: the owner's, whose rights the query runs with, or those of who asks (facts B, E). */
function lacking(refusal: Refusal, matview: Matview, before: Catalog): string {
  const owner = isUnknown(matview.owner) ? 'its owner' : `its owner ${quote(matview.owner)}`;
  if (refusal.because.includes('temporary tables')) return `${owner} has no right to make temporary tables`;
  const role = isUnknown(before.session.role) || before.session.role === matview.owner ? 'who asks for it' : quote(before.session.role);
  if (refusal.because.startsWith('must be owner')) return `${role} is not ${owner}`;
  const [, kind, denied] = /^permission denied for (table|view|materialized view) (.+)$/.exec(refusal.because) ?? [];
  const source = unreadableSource(matview, before);
  if (source !== undefined && source.name.name === denied) return `${owner} has no SELECT on ${quote(source.name)}`;
  if (kind === 'materialized view' && denied === matview.name.name) return `${role} is not ${owner} and has no MAINTAIN on it`;
  return denied === undefined ? refusal.because : `${owner} has no SELECT on ${quote(denied)}`;
}

/** Why Postgres refuses, as the end of a sentence about `it`. SQLSTATEs as measured (facts A, B). */
function reason(refusal: Refusal, target: CatalogObject | undefined, before: Catalog): string {
  if (refusal.sqlstate === '25006') return 'the transaction is read-only';
  if (refusal.sqlstate === '42601') return 'CONCURRENTLY and WITH NO DATA exclude each other';
  if (refusal.sqlstate === '42P01') return 'there is no such relation';
  if (target?.kind === 'matview' && refusal.sqlstate === '42501') return lacking(refusal, target, before);
  if (target && target.kind !== 'matview' && kinds[target.kind]) return `it is ${kinds[target.kind]}`;
  if (target?.kind === 'matview' && refusal.sqlstate === '0A000') return 'it is not populated';
  if (target?.kind === 'matview' && refusal.sqlstate === '55000') {
    const near = passedOver(target, before);
    return `it has no unique index that CONCURRENTLY can use${near === '' ? '' : `: ${near}`}`;
  }
  return refusal.because;
}

export default rule({
  id: 'no-impossible-refresh',
  summary: 'Disallow a REFRESH MATERIALIZED VIEW that Postgres refuses.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
\`REFRESH MATERIALIZED VIEW CONCURRENTLY\` needs a unique index without a \`WHERE\` clause and without expressions (\`55000\`
otherwise) and a view that has been populated (\`0A000\`); it excludes \`WITH NO DATA\` (\`42601\`). A plain \`REFRESH\` is
refused too where the name belongs to a table (\`0A000\`) or a plain view (\`42809\`), where there is no such name (\`42P01\`),
and in a read-only transaction (\`25006\`). The migration stops there.
`,
  fix: `
Populate the view first and give it a unique index over plain columns:

\`\`\`sql
REFRESH MATERIALIZED VIEW daily_sales;
CREATE UNIQUE INDEX daily_sales_day_key ON daily_sales (day);
REFRESH MATERIALIZED VIEW CONCURRENTLY daily_sales;
\`\`\`

Where the key is an expression, make it a column of the view (\`lower(email) AS email_key\`) and index the column.
`,
  exceptions: `
\`WHERE true\` and a column in brackets, \`((day))\`, are folded away by Postgres: such an index qualifies. A relation that the
history does not show is unknown, and nothing is reported.
`,
  references: ['https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html'],
  check: {
    *refuse({ via, refusal, statement, target }, { step }) {
      // An unpopulated view beneath the refreshed one is no-unpopulated-read; what an engine maintains is no-misused-ivm.
      if (refusal.misuse !== undefined || statement !== 'refresh' || /has not been populated/.test(refusal.because)) return;
      const object = target ?? (refusal.relation === undefined ? undefined : step.before.get(refusal.relation));
      const name = isSelectable(object) || object?.kind === 'index' || object?.kind === 'sequence' ? quote(object.name) : undefined;
      yield {
        span: via.span,
        message: name === undefined
          ? `Postgres refuses this refresh because ${reason(refusal, object, step.before)}.`
          : `Postgres refuses to refresh ${name} because ${reason(refusal, object, step.before)}.`,
        ...(name === undefined ? {} : { relation: name }),
        evidence: [
          ...(object && refusal.evidence.length === 0 ? madeAt(object, `${describe(object)} is made here`) : refusal.evidence),
          evidence(via.span, `refused with ${refusal.sqlstate}`),
        ],
        experiment: refuses(step, refusal.sqlstate),
      };
    },
  },
});
