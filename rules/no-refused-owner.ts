import { evidence, happenings, known, madeAt, matviewsReading, quote, refreshRefused, rule, unreadableSource } from '../src/rule.ts';
import type { CatalogObject, Context, End, Happening, Matview } from '../src/rule.ts';

/** The objects whose change can take a right from the owner of a view, and the views it can be taken from. */
function concerned({ effect }: Happening, { step: { after } }: Context): readonly Matview[] {
  const objects: readonly CatalogObject[] = effect.kind === 'setOwner' ? [effect.object]
    : effect.kind === 'revoke' ? effect.objects : effect.kind === 'createMatview' ? [effect.matview] : [];
  return objects.flatMap(object => [...(object.kind === 'matview' ? [object] : []), ...matviewsReading(object.id, after)])
    .flatMap(({ id }) => {
      const now = after.get(id);
      return now?.kind === 'matview' ? [now] : [];
    });
}

/** The last change that concerns each view whose owner may not read a source at the end, and could at the start. */
function refused(end: End, context: Context): ReadonlyMap<number, Happening> {
  const found = new Map<number, Happening>();
  const judged = new Map<number, boolean>();
  for (const happening of happenings(end.steps))
    for (const matview of concerned(happening, context)) {
      if (!judged.has(matview.id)) {
        const was = end.start.get(matview.id);
        const before = was?.kind === 'matview' && unreadableSource(was, end.start) !== undefined;
        judged.set(matview.id, !before && unreadableSource(matview, context.step.after) !== undefined);
      }
      if (judged.get(matview.id) && (happening.effect.kind !== 'createMatview' || !found.has(matview.id))) found.set(matview.id, happening);
    }
  return found;
}

export default rule({
  id: 'no-refused-owner',
  summary: 'Disallow an owner of a materialized view who may not read what its query reads.',
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

For \`REFRESH … CONCURRENTLY\` the owner also needs the right to create temporary tables in the database.
`,
  exceptions: `
Said only of roles that the history creates, that are no superusers and members of no other role, and of relations whose owner the
history shows. The right to create temporary tables is not looked at.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html',
    'https://www.postgresql.org/docs/current/sql-altermaterializedview.html',
  ],
  check: {
    *endOfDeploy(end, context) {
      const { after } = context.step;
      for (const [id, { effect, step }] of refused(end, context)) {
        const matview = after.get(id);
        const source = matview?.kind === 'matview' ? unreadableSource(matview, after) : undefined;
        const owner = matview?.kind === 'matview' ? known(matview.owner) : undefined;
        if (matview?.kind !== 'matview' || !source || owner === undefined) continue;
        const name = quote(matview.name);
        const happened = effect.kind === 'setOwner' ? `owns ${name} from here on` : 'is left without SELECT';
        yield {
          span: effect.via.span,
          message: `Every refresh of ${name} fails from here on because its owner ${quote(owner)} has no SELECT on ${quote(source.name)}.`,
          relation: name,
          stillTrue: last => {
            const now = last.get(id);
            return now?.kind === 'matview' && unreadableSource(now, last) !== undefined;
          },
          evidence: [
            ...madeAt(matview, `the query of ${name} reads ${quote(source.name)}`),
            evidence(effect.via.span, `${quote(owner)} ${happened}`),
          ],
          step,
          experiment: refreshRefused(matview.name, false, '42501'),
        };
      }
    },
  },
});
