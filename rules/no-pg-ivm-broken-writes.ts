import {
  engineName, evidence, maintainedOver, maintainedSince, placeOf, quote, rule, stopsWrites, stopsWritesTo,
} from '../src/rule.ts';
import type { Catalog, Context, Effect, Obstacle, ObjectId, Problem, Table } from '../src/rule.ts';

/** The tables that an IMMV reads. */
const sourcesOf = (immv: Table, catalog: Catalog): readonly Table[] => (immv.maintenance?.query.reads ?? []).flatMap(({ id }) => {
  const object = catalog.get(id);
  return object?.kind === 'table' ? [object] : [];
});

function* made(table: Table, via: Effect['via'], { eligibility, step }: Context): Iterable<Problem> {
  const name = quote(table.name);
  for (const hazard of eligibility(table, 'pg_ivm')?.hazards ?? []) {
    const [source] = sourcesOf(table, step.after);
    const stops = stopsWrites(hazard);
    yield {
      span: placeOf(hazard).span, relation: name,
      message: stops ? `pg_ivm takes ${name}, and then ${hazard.says}.` : `pg_ivm takes ${name}, whose rows go wrong: ${hazard.says}.`,
      evidence: [evidence(via.span, `${name} is maintained by ${engineName.pg_ivm} from here on`), ...hazard.evidence],
      ...(stops && source !== undefined && via.kind === 'statement' ? { experiment: stopsWritesTo(source, step) } : {}),
    };
  }
}

const key = ({ code, says }: Obstacle): string => `${code} ${says}`;

/** What an IMMV over the changed object is now and was not before the step. */
function* changed(id: ObjectId, via: Effect['via'], { eligibility, step }: Context): Iterable<Problem> {
  for (const immv of maintainedOver(id, 'pg_ivm', step.after)) {
    const was = step.before.get(immv.id);
    if (was?.kind !== 'table' || was.maintenance?.engine !== 'pg_ivm') continue;
    const [now, then] = [eligibility(immv, 'pg_ivm'), eligibility(was, 'pg_ivm', step.before)];
    const known = new Set([...then?.obstacles ?? [], ...then?.hazards ?? []].map(key));
    const name = quote(immv.name);
    for (const hazard of (now?.hazards ?? []).filter(one => stopsWrites(one) && !known.has(key(one)))) {
      const source = step.before.get(id);
      yield {
        span: via.span, relation: name, message: `With IMMV ${name} in place, ${hazard.says}.`,
        evidence: [...maintainedSince(immv), evidence(placeOf(hazard).span, 'what it reads'), evidence(via.span, 'the change')],
        ...(source?.kind === 'table' && via.kind === 'statement' && source.name.name === quote(source.name.name)
          ? { experiment: stopsWritesTo(source, step) } : {}),
      };
    }
    const stale = (now?.obstacles ?? []).find(one => (one.code === 'inheritance-parent' || one.code === 'mutable-function')
      && !known.has(key(one)));
    if (stale !== undefined)
      yield {
        span: via.span, relation: name, message: `pg_ivm goes on maintaining ${name} without noticing that ${stale.says}.`,
        evidence: [...maintainedSince(immv), ...stale.evidence.slice(0, -1), evidence(via.span, 'the change')],
      };
  }
}

export default rule({
  id: 'no-pg-ivm-broken-writes',
  summary: 'Disallow IMMVs, and changes beneath or to them, that make writes to the base tables fail or the rows wrong.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
\`create_immv\` checks much and not everything. Some shapes it accepts, and then its triggers build statements that Postgres refuses: the view
is there and every \`INSERT\`, \`UPDATE\` or \`DELETE\` on the table beneath fails, which is to say the application is down. A table whose
name needs quotes (\`"order"\`), a virtual generated column, a whole row in the select list, an outer join over a CTE are such shapes.
Sums of floating-point numbers are kept up to date by adding and subtracting, and drift away from what the query gives.
Later changes do the same: \`ALTER TABLE … ADD COLUMN\` on the IMMV itself is accepted, stops every \`INSERT\` into its sources and every
\`UPDATE\` that changes its rows, and dropping the column again does not repair it.
`,
  fix: `
Never alter an IMMV: drop it and create it anew with the wider query, in one transaction. Give tables names that need no quotes before
pg_ivm maintains anything over them; keep virtual generated columns away from its sources (stored ones are fine); list columns instead of
whole rows; sum \`numeric\`, not \`double precision\`:

\`\`\`sql
BEGIN;
DROP TABLE totals;
SELECT pgivm.create_immv('totals', 'SELECT customer_id, sum(total) AS total, max(id) AS newest FROM orders GROUP BY customer_id');
COMMIT;
\`\`\`
`,
  references: ['https://github.com/sraoss/pg_ivm#limitations-and-restrictions'],
  check: {
    *createImmv({ table, via }, context) {
      yield* made(table, via, context);
    },
    *changeRelation({ from, to, what, via }, context) {
      if (to.kind !== 'table') return;
      if (/^ADD COLUMN/.test(what) && from.kind === 'table' && from.maintenance?.engine === 'pg_ivm') {
        const name = quote(to.name);
        const [source] = sourcesOf(from, context.step.before);
        yield {
          span: via.span, relation: name,
            message: `A column is added to ${name}, and from then on every INSERT into its base tables is refused.`,
          evidence: [...maintainedSince(from), evidence(via.span, 'pg_ivm writes rows without the new column, and fails')],
          ...(source !== undefined && via.kind === 'statement' ? { experiment: stopsWritesTo(source, context.step) } : {}),
        };
      }
      yield* changed(to.id, via, context);
    },
    *renameRelation({ to, via }, context) {
      yield* changed(to.id, via, context);
    },
    *createTable({ table, via }, context) {
      for (const parent of table.inherits) yield* changed(parent, via, context);
    },
    *createRoutine({ routine, replaced, via }, context) {
      if (replaced !== undefined) yield* changed(routine.id, via, context);
    },
  },
});
