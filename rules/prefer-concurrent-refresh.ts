import { evidence, freshSites, hasUsableUniqueIndex, keyText, known, lockWords, locksOut, madeAt, qualified, quote, rule, sitesOf } from '../src/rule.ts';
import type { Catalog, Context, Experiment, Matview, Problem, RefreshSite, Span } from '../src/rule.ts';

/** What stands in the way of CONCURRENTLY, as the end of the sentence: nothing, or the missing index with the key that the query proves. */
function obstacle(matview: Matview, catalog: Catalog, context: Context): string {
  if (hasUsableUniqueIndex(matview, catalog) !== false) return '';
  const key = known(context.facts(matview, catalog).keys)?.find(columns => columns.length > 0);
  return `, and it has no unique index for CONCURRENTLY${key ? `, although ${keyText(key)} is unique by its query` : ''}`;
}

function problem(span: Span, matview: Matview, catalog: Catalog, context: Context, experiment: Experiment): Problem {
  const name = quote(matview.name);
  const indexed = hasUsableUniqueIndex(matview, catalog) !== false;
  return {
    span,
    message: `Every reader of ${name} waits until this refresh ends${obstacle(matview, catalog, context)}.`,
    relation: name,
    evidence: [
      ...(indexed ? [] : madeAt(matview, `${name} is made here and has no usable unique index`)),
      evidence(span, `from its first moment it holds ${lockWords('AccessExclusiveLock', matview)}`),
    ],
    experiment,
  };
}

/** The populated view that a plain site refreshes, unless the same routine also refreshes it concurrently. */
function plainlyRefreshed(site: RefreshSite, catalog: Catalog): Matview | undefined {
  const target = (each: RefreshSite): Matview | undefined => {
    const found = catalog.find(each.target, each.searchPath);
    return found.is === 'present' && found.object.kind === 'matview' ? found.object : undefined;
  };
  const matview = site.concurrently || site.withData === false ? undefined : target(site);
  if (!matview || known(matview.populated) !== true) return undefined;
  const both = catalog.sites.some(each => each.concurrently && each.holder === site.holder && target(each)?.id === matview.id);
  return both ? undefined : matview;
}

export default rule({
  id: 'prefer-concurrent-refresh',
  summary: 'Prefer REFRESH MATERIALIZED VIEW CONCURRENTLY for a view that has readers.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
A plain \`REFRESH MATERIALIZED VIEW\` takes \`ACCESS EXCLUSIVE\` on the view before it runs the query and keeps it until its
transaction ends. Every \`SELECT\` on the view waits that long. When a long read is in progress, the refresh queues behind it and
all later readers queue behind the refresh. Transactions with an older snapshot see the new rows, and hot standbys replay the
lock. \`CONCURRENTLY\` takes \`EXCLUSIVE\`, which readers do not notice. It costs more time; what it buys is availability.
`,
  fix: `
Give the view a unique index over plain columns once, and refresh it concurrently from then on:

\`\`\`sql
CREATE UNIQUE INDEX daily_sales_day_key ON daily_sales (day);
REFRESH MATERIALIZED VIEW CONCURRENTLY daily_sales;
\`\`\`
`,
  exceptions: `
The first population of a view, a view created in the same deploy and one that was emptied before have no readers to block, and
nothing is reported. Where most rows change each time and nobody reads meanwhile, a plain refresh is the cheaper one: ignore the
rule with that reason.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html',
    'https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES',
  ],
  deploysWith: ['sites'],
  check: {
    *refreshMatview({ via, matview, concurrently, withData }, context) {
      const { step } = context;
      const before = step.before.get(matview.id);
      if (concurrently || !withData || before?.kind !== 'matview') return;
      if (known(before.populated) !== true || context.inUse(before) !== true) return;
      yield problem(via.span, before, step.before, context, locksOut(before.name, step.statement.sql, 'before'));
    },
    /** A routine or job that refreshes plainly runs later, when the view has readers even if it was born in this deploy. */
    *endOfDeploy({ start }, context) {
      const { after } = context.step;
      for (const site of freshSites(after, start)) {
        const matview = plainlyRefreshed(site, after);
        if (!matview) continue;
        const experiment = locksOut(matview.name, `REFRESH MATERIALIZED VIEW ${qualified(matview.name)}`, 'after');
        yield { ...problem(site.span, matview, after, context, experiment), stillTrue: end => sitesOf(end)(site) };
      }
    },
  },
});
