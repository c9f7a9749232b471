import {
  evidence, happenings, known, lacksTemporary, madeAt, matviewsReading, ownerRefused, quote, refreshRefused, rule, unreadableSource,
} from '../src/rule.ts';
import type { Catalog, CatalogObject, Context, End, Happening, Matview } from '../src/rule.ts';

/** What a view's owner lacks for a refresh; temporary tables are for CONCURRENTLY alone, and are asked for where something refreshes so. */
function missing(matview: Matview, catalog: Catalog): { readonly what: string; readonly concurrently: boolean } | undefined {
  const source = unreadableSource(matview, catalog);
  if (source !== undefined) return { what: `SELECT on ${quote(source.name)}`, concurrently: false };
  if (!lacksTemporary(matview, catalog)) return undefined;
  const site = catalog.sites.find(each => {
    const found = each.concurrently ? catalog.find(each.target, each.searchPath) : undefined;
    return found?.is === 'present' && found.object.id === matview.id;
  });
  return site && { what: 'right to make temporary tables', concurrently: true };
}

/** The objects whose change can take a right from the owner of a view, and the views it can be taken from. */
function concerned({ effect }: Happening, { step: { after } }: Context): readonly Matview[] {
  // A right on the database concerns every view.
  if (effect.kind === 'revoke' && effect.objects.length === 0)
    return effect.privileges.includes('TEMPORARY') ? [...after.relations()].filter(relation => relation.kind === 'matview') : [];
  const objects: readonly CatalogObject[] = effect.kind === 'setOwner' ? [effect.object]
    : effect.kind === 'revoke' ? effect.objects : effect.kind === 'createMatview' ? [effect.matview] : [];
  return objects.flatMap(object => [...(object.kind === 'matview' ? [object] : []), ...matviewsReading(object.id, after)])
    .flatMap(({ id }) => {
      const now = after.get(id);
      return now?.kind === 'matview' ? [now] : [];
    });
}

/** The last change that concerns each view whose owner lacks a right at the end that he had at the start. */
function refused(end: End, context: Context): ReadonlyMap<number, Happening> {
  const found = new Map<number, Happening>();
  const judged = new Map<number, boolean>();
  for (const happening of happenings(end.steps))
    for (const matview of concerned(happening, context)) {
      if (!judged.has(matview.id)) {
        const was = end.start.get(matview.id);
        const before = was?.kind === 'matview' && missing(was, end.start) !== undefined;
        judged.set(matview.id, !before && missing(matview, context.step.after) !== undefined);
      }
      if (judged.get(matview.id) && (happening.effect.kind !== 'createMatview' || !found.has(matview.id))) found.set(matview.id, happening);
    }
  return found;
}

export default rule({
  id: 'no-refused-owner',
  summary: 'Disallow an owner of a materialized view who lacks a right that its refresh needs.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
\`REFRESH\` runs the query with the rights of the view's owner, whoever asks for it. After \`ALTER MATERIALIZED VIEW … OWNER TO\`, or a
\`REVOKE\` on a table beneath it, an owner without \`SELECT\` on a source makes every refresh fail with \`42501: permission denied for
table\`, for a superuser as well. The change itself goes through, and readers go on reading the rows of the last refresh.
`,
  fix: `
Grant the owner what the query reads, in the same migration:

\`\`\`sql
GRANT SELECT ON orders TO analytics;
ALTER MATERIALIZED VIEW daily_sales OWNER TO analytics;
\`\`\`

For \`REFRESH … CONCURRENTLY\` the owner also needs the right to make temporary tables, which \`REVOKE TEMP\` or \`REVOKE ALL ON DATABASE … FROM
PUBLIC\` takes from everybody:

\`\`\`sql
GRANT TEMPORARY ON DATABASE app TO analytics;
\`\`\`
`,
  exceptions: `
Said only of roles that the history creates, that are no superusers and members of no other role, and of relations whose owner the
history shows. A right to make temporary tables that was revoked counts for views that something refreshes with \`CONCURRENTLY\`.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html',
    'https://www.postgresql.org/docs/current/sql-altermaterializedview.html',
  ],
  deploysWith: ['createMatview', 'revoke', 'setOwner'],
  check: {
    *endOfDeploy(end, context) {
      const { after } = context.step;
      for (const [id, { effect, step }] of refused(end, context)) {
        const matview = after.get(id);
        const lack = matview?.kind === 'matview' ? missing(matview, after) : undefined;
        const owner = matview?.kind === 'matview' ? known(matview.owner) : undefined;
        if (matview?.kind !== 'matview' || !lack || owner === undefined) continue;
        const name = quote(matview.name);
        const happened = effect.kind === 'setOwner' ? `owns ${name} from here on` : `is left without ${lack.what}`;
        yield {
          span: effect.via.span,
          message: `Every ${lack.concurrently ? 'concurrent ' : ''}refresh of ${name} fails from here on because its owner ${quote(owner)} has no ${lack.what}.`,
          relation: name,
          stillTrue: last => {
            const now = last.get(id);
            return now?.kind === 'matview' && missing(now, last) !== undefined;
          },
          evidence: [
            ...madeAt(matview, lack.concurrently ? `${name} is refreshed concurrently` : `the query of ${name} needs ${lack.what}`),
            evidence(effect.via.span, `${quote(owner)} ${happened}`),
          ],
          step,
          experiment: refreshRefused(matview.name, lack.concurrently, '42501'),
          observe: ownerRefused(matview.name, lack.concurrently),
        };
      }
    },
  },
});
