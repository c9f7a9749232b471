import {
  count, describe, evidence, feedsMatview, givenWords, isBlind, list, madeAt, nameChanges, quote, readsOldGeneration, rule, takenWords,
} from '../src/rule.ts';
import type { Catalog, CatalogObject, ObjectId, Replacement, Selectable } from '../src/rule.ts';

/** The object at another moment with the same definition: a view that was created again has another one. */
function unchanged(object: CatalogObject, then: Catalog): boolean {
  const was = then.get(object.id);
  if (object.kind === 'view' && was?.kind === 'view') return was.query === object.query;
  return object.kind === 'routine' && was?.kind === 'routine' ? was.statement === object.statement : was !== undefined;
}

/** What was written over the name and still reads the object that had it. */
function stale(old: Selectable, taken: Catalog, now: Catalog): readonly CatalogObject[] {
  const holders = (catalog: Catalog): readonly ObjectId[] =>
    catalog.dependants(old.id).filter(link => link.strength === 'normal').map(link => link.dependent);
  const before = new Set(holders(taken));
  return [...new Set(holders(now))].filter(id => before.has(id)).flatMap(id => now.get(id) ?? [])
    .filter(object => ['view', 'matview', 'routine', 'policy'].includes(object.kind) && unchanged(object, taken))
    .filter(object => old.kind === 'matview' || object.kind === 'matview' || feedsMatview(object.id, now));
}

const words = (objects: readonly CatalogObject[]): string => {
  const kinds = new Set(objects.map(object => object.kind));
  if (kinds.size > 1 || objects.length === 1) return list(objects.map(describe));
  const one = describe(objects[0]!).split(' ').slice(0, -1).join(' ');
  return count(one, one === 'policy' ? 'policies' : `${one}s`, objects.map(object => describe(object).split(' ').at(-1)!));
};
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Whether the name went to another object by renaming, so that what read the old one could stay with it. */
const isSwap = ({ taken }: Replacement<Selectable>): boolean => taken.effect.kind === 'renameRelation';

export default rule({
  id: 'no-stale-dependents',
  summary: 'Disallow a rename swap that leaves views, materialized views, functions or policies on the old generation.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
A view remembers the object it reads, not its name. When the name changes hands, every view, every materialized view, every
\`BEGIN ATOMIC\` or \`RETURN\` function and every policy over the old generation goes on reading it. Nothing fails: \`REFRESH\` fills
the new generation, the dependants answer from the old one, and their rows are those of the day of the swap for ever. The same
happens to a materialized view when the table beneath it is swapped. When the old generation is dropped at last, the drop is
refused (\`2BP01\`) or, with \`CASCADE\`, takes them all.
`,
  fix: `
Point every dependant to the new generation in the transaction of the swap. \`CREATE OR REPLACE VIEW\` with the same text does it,
because the name is looked up again; a dependent materialized view is built anew beside the old one and swapped as well:

\`\`\`sql
BEGIN;
ALTER MATERIALIZED VIEW daily_sales RENAME TO daily_sales_old;
ALTER MATERIALIZED VIEW daily_sales_next RENAME TO daily_sales;
CREATE OR REPLACE VIEW best_days AS SELECT day FROM daily_sales WHERE total > 1000;
COMMIT;
\`\`\`

A function whose body is a string looks the name up each time it runs and needs nothing.
`,
  exceptions: `
Nothing is said of a deploy whose code does what only its data tells: it may have made all of this itself.
A view that is created or replaced after the rename reads the old generation on purpose. Where a table is swapped, only what reaches a
materialized view is reported. Rules and columns of the view's row type are not looked at.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-altermaterializedview.html',
    'https://www.postgresql.org/docs/current/sql-createview.html',
  ],
  deploysWith: ['renameRelation'],
  check: {
    *endOfDeploy(end, context) {
      if (isBlind(end)) return;
      const { after } = context.step;
      for (const change of nameChanges(end, context).filter(isSwap)) {
        const { old, taken, given } = change;
        const left = after.get(old.id);
        const objects = stale(old, taken.step.before, after);
        if (objects.length === 0 || left === undefined || !('name' in left) || typeof left.name === 'string') continue;
        const [name, aside] = [quote(old.name), quote(left.name)];
        yield {
          span: given.effect.via.span,
          message: `${capital(words(objects))} still ${objects.length === 1 ? 'reads' : 'read'} the old ${name}, which is now ${aside}.`,
          relation: name,
          stillTrue: last => {
            const holder = last.find(old.name);
            if (holder.is !== 'present' || holder.object.id === old.id) return false;
            const now = new Set(stale(old, taken.step.before, last).map(object => object.id));
            return objects.some(object => now.has(object.id));
          },
          evidence: [
            evidence(taken.effect.via.span, takenWords(change)),
            ...objects.flatMap(object => madeAt(object, `${describe(object)} was made over ${name} and follows it`)),
            evidence(given.effect.via.span, `${givenWords(change)}, and what was made over the old one stays behind`),
          ],
          experiment: readsOldGeneration(left.name, old.name, objects,
            `Postgres records that ${words(objects)} ${objects.length === 1 ? 'depends' : 'depend'} on ${aside}.`),
        };
      }
    },
  },
});
