import {
  countsAfter, describe, evidence, generationBeside, happenings, isAside, liveName, madeAt, nameGone, qualified, quote, quoteLiteral, refuses, rule,
  sameName,
} from '../src/rule.ts';
import type { Catalog, Context, End, Matview, Problem, Refusal, Relation, Selectable, Span, Step } from '../src/rule.ts';

/** The relation that has the name a statement wanted; Postgres's words hold it. */
function holder(refusal: Refusal, target: Relation, before: Catalog): Relation | undefined {
  const [, name, schema] = /relation "([^"]*)" already exists(?: in schema "([^"]*)")?/.exec(refusal.because) ?? [];
  const found = name === undefined ? undefined : before.find({ schema: schema ?? target.name.schema, name });
  return found?.is === 'present' ? found.object : undefined;
}

/** The materialized view that a relation is, or belongs to. */
function matviewOf(relation: Relation | undefined, catalog: Catalog): Matview | undefined {
  const object = relation?.kind === 'index' ? catalog.get(relation.on) : relation;
  return object?.kind === 'matview' ? object : undefined;
}

const of = (relation: Relation, matview: Matview | undefined): string =>
  (relation.kind === 'index' && matview ? `${describe(relation)} of ${quote(matview.name)}` : describe(relation));

function* taken(refusal: Refusal, target: Relation, statement: 'create' | 'alter', span: Span, step: Step): Iterable<Problem> {
  const has = holder(refusal, target, step.before);
  const matview = matviewOf(has, step.before) ?? (statement === 'alter' ? matviewOf(target, step.before) : undefined);
  if (!has || !matview) return;
  const words = of(has, matviewOf(has, step.before));
  yield {
    span,
    message: statement === 'alter'
      ? `Postgres refuses to rename ${quote(target.name)} because ${words} already has the new name.`
      : `Postgres refuses this statement because ${words} already has the name.`,
    relation: quote(statement === 'alter' ? target.name : matview.name),
    evidence: [...madeAt(has, `${words} is made here`), evidence(span, 'refused with 42P07')],
    experiment: refuses(step, '42P07'),
  };
}

interface Leg {
  readonly old: Matview;
  /** Where the old generation stands at the end, and the new one beside the name. */
  readonly now: Selectable;
  readonly next: Selectable;
}

/** A view that gave its name away for a generation that stands ready beside it. */
function leg(relation: Relation, end: End, context: Context): Leg | undefined {
  const { after } = context.step;
  const old = end.start.get(relation.id);
  const now = after.get(relation.id);
  if (old?.kind !== 'matview' || now?.kind !== 'matview' || context.inUse(old) !== true || isAside(old, end.start)) return undefined;
  const next = generationBeside(old.name, now, after);
  // A generation that stood there before is left over from an earlier swap; one of this deploy was built to be swapped in.
  return next && end.start.get(next.id) === undefined ? { old, now, next } : undefined;
}

export default rule({
  id: 'no-incomplete-swap',
  summary: 'Disallow a rename swap of which a leg is missing or refused.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
A swap is two or three renames, and each of them needs a free name. When the live name still belongs to the old generation, be it a
materialized view, a table or a plain view, the rename of the new one is refused (\`42P07\`). Index names are unique in a schema and
stay with their generation, so the next run of the same migration stumbles over the names that the last one left. And when the second
rename is forgotten, nothing fails: the live name is simply gone, and every reader with it.
`,
  fix: `
Write all legs, in this order, and give the indexes the names of their generation as well:

\`\`\`sql
BEGIN;
ALTER MATERIALIZED VIEW daily_sales RENAME TO daily_sales_old;
ALTER INDEX daily_sales_day_key RENAME TO daily_sales_old_day_key;
ALTER MATERIALIZED VIEW daily_sales_next RENAME TO daily_sales;
ALTER INDEX daily_sales_next_day_key RENAME TO daily_sales_day_key;
COMMIT;
\`\`\`

Drop the old generation before the next run needs its name again.
`,
  exceptions: `
A view that is only renamed, with no new generation beside it, was renamed on purpose. A generation that stands there since an earlier
deploy counts as left over from an earlier swap.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-altermaterializedview.html',
    'https://www.postgresql.org/docs/current/sql-alterindex.html',
  ],
  deploysWith: ['renameRelation'],
  check: {
    *refuse({ via, refusal, statement, target }, { step }) {
      if (refusal.sqlstate === '42P07' && target && (statement === 'alter' || statement === 'create'))
        yield* taken(refusal, target, statement, via.span, step);
    },
    *endOfDeploy(end, context) {
      const { after } = context.step;
      const seen = new Set<number>();
      for (const { effect } of happenings(end.steps)) {
        if (effect.kind !== 'renameRelation' || seen.has(effect.from.id)) continue;
        const found = leg(effect.from, end, context);
        if (!found || !sameName(effect.from.name, found.old.name)) continue;
        seen.add(effect.from.id);
        const { old, now, next } = found;
        const name = quote(old.name);
        const gone = after.find(old.name).is === 'absent';
        const back = now.id === old.id && sameName(now.name, old.name);
        if (!back && !(gone && liveName(now.name)?.name === old.name.name)) continue;
        yield {
          span: effect.via.span,
          message: back
            ? `${name} is the old generation again at the end because ${quote(next.name)} never got the name.`
            : `Nothing is named ${name} at the end because ${quote(next.name)} never got the name.`,
          relation: name,
          stillTrue: last => {
            const both = last.get(old.id) !== undefined && last.get(next.id) !== undefined;
            return back ? both : last.find(old.name).is === 'absent';
          },
          evidence: [
            ...madeAt(next, `${describe(next)} is made here to be the new ${name}`),
            evidence(effect.via.span, `${name} is renamed to ${quote(effect.to.name)}`),
          ],
          experiment: gone ? nameGone(old.name) : countsAfter({
            of: next.name, expected: 1,
            count: of => `SELECT (to_regclass(${quoteLiteral(qualified(of))}) IS NOT NULL AND to_regclass(${quoteLiteral(qualified(old.name))}) IS NOT NULL)::int`,
            says: `At the end both ${name} and ${quote(next.name)} are there.`, otherwise: `At the end there is no ${quote(next.name)} any more.`,
            twin: of => [`CREATE TABLE ${of} (a int)`],
          }),
        };
      }
    },
  },
});
