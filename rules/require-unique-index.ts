import {
  asWritten, evidence, happenings, hasUsableUniqueIndex, keyText, lacksUsableIndex, list, lostIndexes, madeAt, passedOver, provedKeys, quote,
  refreshRefused, replacements, rule, whyNoKey,
} from '../src/rule.ts';
import type { Catalog, Context, Effect, Fix, Matview, RefreshSite, Step } from '../src/rule.ts';

/** The key that the query proves, or why there is none; the end of the sentence. */
function keyWords(matview: Matview, context: Context): string {
  const facts = context.facts(matview, context.step.after);
  const [best] = provedKeys(facts);
  if (best === undefined) return whyNoKey(facts).length > 0 ? ', and whole rows of it can repeat' : ', and its query proves no key';
  if (best.columns.length === 0) return ', although its query returns one row';
  const nulls = best.nullable.length === 0 ? '' : ` (${list(best.nullable.map(column => quote(column)))} not surely filled)`;
  return `, although ${keyText(best.columns)} is unique by its query${nulls}`;
}

/** The index itself, behind the statement that makes the view, where the key is proved and surely filled. */
function createIndex(effect: Effect & { readonly kind: 'createMatview' }, context: Context, step: Step): readonly Fix[] {
  const { matview, via } = effect;
  const [best] = provedKeys(context.facts(matview, step.after));
  if (via.kind !== 'statement' || best === undefined || best.columns.length === 0 || best.nullable.length > 0) return [];
  // Postgres cuts names at 63 bytes and would warn of it.
  const name = [...`${matview.name.name}_${best.columns.join('_')}_key`].slice(0, 60).join('');
  const { path, end } = via.span;
  const sql = `CREATE UNIQUE INDEX ${quote(name)} ON ${asWritten(step.statement, matview.name)} ${keyText(best.columns)}`;
  return [{ title: `Create it: ${sql}`, edits: [{ span: { path, start: end, end }, text: `;\n${sql}` }] }];
}

/** Whether a site's name means the view in a catalog. */
function refreshes(site: RefreshSite, matview: Matview, catalog: Catalog): boolean {
  const found = catalog.find(site.target, site.searchPath);
  return found.is === 'present' && found.object.id === matview.id;
}

export default rule({
  id: 'require-unique-index',
  summary: 'Require a unique index that REFRESH … CONCURRENTLY can use on every new materialized view.',
  severity: 'warning',
  postgres: { from: 14 },
  why: `
Without a unique index over plain columns and without a \`WHERE\` clause a materialized view can be refreshed only plainly, and a
plain refresh locks out every reader from its first moment to its end. The index is cheap while the view is new; later it is a
migration of its own, and usually the one that follows an outage.
`,
  fix: `
Create the index in the migration that creates the view. The message names the key when the query proves one:

\`\`\`sql
CREATE UNIQUE INDEX daily_sales_day_key ON daily_sales (day);
\`\`\`

A query that returns one row has a constant for a key: select one (\`1 AS id\`) and index it. An expression does not count: make
it a column of the view first. "Not surely filled" names the columns of the key that can hold NULL or whose NULLs are not known: rows with
NULL there are written anew by every concurrent refresh (no-nullable-unique-key), which \`coalesce(column, 'none')\` in the query avoids.

Where whole rows can repeat, no index can be unique: group them and count, or select what tells them apart (the primary key of the table
whose rows they are). Where the message says only that no key is proved, there may be one all the same, which the business knows and no
constraint states.
`,
  exceptions: `
A view that replaces one with a usable unique index is reported by no-lost-index. TimescaleDB's continuous aggregates are not
refreshed with \`REFRESH MATERIALIZED VIEW\`. For a view that is built once and never refreshed, ignore the rule with that reason.
`,
  references: ['https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html'],
  deploysWith: ['createMatview'],
  check: {
    *endOfDeploy(end, context) {
      const { after } = context.step;
      const replaced = replacements(end, context);
      for (const { effect, step } of happenings(end.steps)) {
        if (effect.kind !== 'createMatview') continue;
        const matview = after.get(effect.matview.id);
        if (matview?.kind !== 'matview' || hasUsableUniqueIndex(matview, after) !== false) continue;
        if (matview.maintenance !== undefined) continue;
        if (context.sitesComplete && !after.sites.some(site => site.concurrently && refreshes(site, matview, after))) continue;
        const replacement = replaced.find(({ now }) => now.id === matview.id);
        if (replacement && lostIndexes(replacement, end.start, after).some(index => index.unique)) continue;
        const name = quote(matview.name);
        const near = passedOver(matview, after);
        yield {
          span: effect.via.span,
          message: `${name} has no unique index that CONCURRENTLY can use${near === '' ? '' : ` (${near})`}${keyWords(matview, context)}.`,
          relation: name,
          stillTrue: last => {
            const still = last.get(matview.id);
            return still?.kind === 'matview' && hasUsableUniqueIndex(still, last) === false;
          },
          evidence: [
            ...(replacement ? [evidence(replacement.taken.effect.via.span, `the old ${name} goes`)] : []),
            ...whyNoKey(context.facts(matview, after)),
            ...after.indexesOf(matview.id).flatMap(index => madeAt(index, `${quote(index.name.name)} does not serve`)),
            evidence(effect.via.span, `${name} is made here and has no usable unique index at the end of the deploy`),
          ],
          experiment: refreshRefused(matview.name, true, '55000', true),
          observe: lacksUsableIndex(matview.name),
          fixes: near === '' && replacement === undefined ? createIndex(effect, context, step) : [],
        };
      }
    },
  },
});
