import { describe, evidence, happenings, isStored, madeAt, nameChanges, quote, rule } from '../src/rule.ts';
import type { Catalog, Context, End, Evidence, Happening, Problem, Stored } from '../src/rule.ts';

/** Readers that move from one stored relation to another, and the statement that moves them. */
interface CutOver {
  readonly old: Stored;
  readonly next: Stored;
  readonly by: Happening;
}

/** The stored relations that a view's query reads directly. */
const storedBeneath = (reads: readonly { readonly id: number }[], catalog: Catalog): readonly Stored[] =>
  reads.flatMap(({ id }) => {
    const object = catalog.get(id);
    return isStored(object) ? [object] : [];
  });

/** A plain view that read one and now reads another. */
function* repointed(end: End, { step: { after } }: Context): Iterable<CutOver> {
  for (const by of happenings(end.steps)) {
    const { effect } = by;
    if (effect.kind !== 'createView' || effect.replaced === undefined) continue;
    const before = storedBeneath(effect.replaced.query.reads, by.step.before);
    const now = storedBeneath(effect.view.query.reads, after);
    const [old, ...others] = before.filter(one => !now.some(other => other.id === one.id));
    const [next, ...more] = now.filter(one => !before.some(other => other.id === one.id));
    if (old !== undefined && next !== undefined && others.length === 0 && more.length === 0) yield { old, next, by };
  }
}

/** A name that a materialized view or an engine's table had and that now belongs to what an engine maintains. */
function* renamed(end: End, context: Context): Iterable<CutOver> {
  for (const { old, now, given } of nameChanges(end, context))
    if (isStored(old) && isStored(now) && now.maintenance !== undefined && given.effect.kind === 'renameRelation') yield { old, next: now,
      by: given };
}

/** What is missing of a comparison before a cut-over, as the end of a sentence; undefined where nothing is. */
function lack({ old, next, by }: CutOver): { readonly says: string; readonly seen: readonly Evidence[] } | undefined {
  const pair = by.step.before.comparisons.filter(({ left, right }) => (left === old.id && right === next.id) || (left === next.id
    && right === old.id));
  const seen = pair.map(({ span }) => evidence(span, 'the two are compared here'));
  if (pair.length === 0) return { says: 'and nothing before it has compared the two', seen };
  const isBoth = pair.some(({ both }) => both) || (pair.some(({ left }) => left === old.id) && pair.some(({ left }) => left === next.id));
  if (!isBoth) return { says: 'and the two were compared in one direction only', seen };
  return pair.some(({ countsDuplicates }) => countsDuplicates) ? undefined
    : { says: 'and the comparison before it ignores how often a row is there', seen };
}

export default rule({
  id: 'require-parity-check',
  summary: 'Require a comparison of both relations in both directions before readers move from one to the other.',
  severity: 'note',
  ivm: true,
  postgres: { from: 14 },
  why: `
What replaces a materialized view is meant to hold the same rows. Whether it does shows when the two stand side by side and are compared: a
condition that was left out, a time zone that was named differently, a sum of floating-point numbers that has drifted are rows in one
and not in the other. After the cut-over the old one is stale or gone, and the difference is found by somebody who reads a report. One
direction shows what is missing and not what is too much; \`EXCEPT\` without \`ALL\` takes duplicates for one row.
`,
  fix: `
Compare in the migration that moves the readers, in front of the move, and stop when anything differs:

\`\`\`sql
DO $$ BEGIN
  IF EXISTS ((SELECT day, total FROM daily_sales EXCEPT ALL SELECT day, total FROM daily_sales_v2) UNION ALL
             (SELECT day, total FROM daily_sales_v2 EXCEPT ALL SELECT day, total FROM daily_sales)) THEN
    RAISE EXCEPTION 'daily_sales_v2 differs from daily_sales';
  END IF;
END $$;
CREATE OR REPLACE VIEW sales AS SELECT day, total FROM daily_sales_v2;
\`\`\`

List the columns: an IMMV has hidden ones. Refresh the old view first, and let no write come in between.
`,
  exceptions: `
A cut-over is a plain view that is re-pointed from one materialized view, IMMV or stream table to another,
  or a rename that puts what an engine
maintains under a name that was in use. A comparison in an earlier migration counts. Whether the two are meant to differ,
  mvlint cannot know.
`,
  references: ['https://www.postgresql.org/docs/current/queries-union.html'],
  deploysWith: ['createView', 'renameRelation'],
  check: {
    *endOfDeploy(end, context): Iterable<Problem> {
      for (const cut of [...repointed(end, context), ...renamed(end, context)]) {
        const { old, next, by } = cut;
        if (context.inUse(old) !== true) continue;
        const missing = lack(cut);
        if (missing === undefined) continue;
        const name = quote(old.name);
        yield {
          span: by.effect.via.span, relation: name, step: by.step,
          message: `Readers of ${name} move to ${describe(next)} here, ${missing.says}.`,
          evidence: [...madeAt(next, `${describe(next)} is made here`), ...missing.seen, evidence(by.effect.via.span, 'the readers move')],
        };
      }
    },
  },
});
