import { describe, evidence, isSelectable, isUnknown, list, madeAt, quote, rule, takesAlong } from '../src/rule.ts';
import type { CatalogObject, Context, Problem, Span, Table } from '../src/rule.ts';

/** Objects that stood before this deploy and go on their own account; a trigger or policy of a relation that goes is part of it. */
function losses(takes: readonly CatalogObject[], dropped: readonly CatalogObject[], context: Context): readonly CatalogObject[] {
  const gone = new Set([...takes, ...dropped].map(object => object.id));
  return takes.filter(object => {
    if ((object.kind === 'trigger' || object.kind === 'policy' || object.kind === 'index') && gone.has(object.on)) return false;
    if (isSelectable(object)) return context.inUse(object) === true;
    return context.deployStart.get(object.id) !== undefined;
  });
}

type TakenColumn = { readonly table: Table; readonly column: string };

/** Columns that stood before this deploy, of tables that stay. */
function lostColumns(columns: readonly TakenColumn[], { deployStart }: Context): readonly TakenColumn[] {
  return columns.filter(({ table, column }) => {
    const before = deployStart.get(table.id);
    return isSelectable(before) && !isUnknown(before.columns) && before.columns.some(({ name }) => name === column);
  });
}

function* problem(
  span: Span, subject: string, relation: string, lost: readonly CatalogObject[], context: Context, columns: readonly TakenColumn[] = [],
): Iterable<Problem> {
  const count = lost.length + columns.length;
  if (count === 0) return;
  const named = columns.map(({ table, column }) => ({ table, words: `column ${quote(column)} of ${describe(table)}` }));
  yield {
    span,
    message: `Dropping ${subject} also drops ${list([...named.map(({ words }) => words), ...lost.map(describe)])}.`,
    relation,
    evidence: [
      evidence(span, `${subject} is dropped with CASCADE`),
      ...named.flatMap(({ table, words }) => madeAt(table, `${words}, made here, is of the type`)),
      ...lost.flatMap(object => madeAt(object, `${describe(object)}, made here, depends on it`)),
      evidence(span, `${count === 1 ? 'it goes' : `all ${count} go`} along`),
    ],
    experiment: takesAlong(context.step, lost, columns),
  };
}

export default rule({
  id: 'no-drop-cascade',
  summary: 'Disallow CASCADE where it takes other objects along.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
\`CASCADE\` drops whatever depends on the object, and what depends on that, without a list and without a question. A materialized
view is often the middle of a chain: dropping a table, a column, a function or a view beneath it takes the view, its indexes and
its grants, and every view above it. The migration goes through; the next reader of a view that nobody mentioned gets \`42P01\`.
`,
  fix: `
Leave \`CASCADE\` out and name what is to go, dependants first, so that the migration fails when there is more than you knew of:

\`\`\`sql
DROP VIEW top_customers;
DROP MATERIALIZED VIEW customer_totals;
\`\`\`

Objects that are still wanted are created again in the same migration, with their indexes and grants, or re-pointed first with
\`CREATE OR REPLACE VIEW\`.
`,
  exceptions: `
Nothing is reported when nothing depends on the object, and for dependants that were created in the same deploy or never
populated.
`,
  references: [
    'https://www.postgresql.org/docs/current/ddl-depend.html',
    'https://www.postgresql.org/docs/current/sql-dropmaterializedview.html',
  ],
  check: {
    *dropObject({ via, object, cascade, takes, columns = [] }, context) {
      if (!cascade) return;
      const relation = object.kind === 'routine' || object.kind === 'type' || isSelectable(object) ? quote(object.name) : describe(object);
      yield* problem(via.span, describe(object), relation, losses(takes, [object], context), context, lostColumns(columns, context));
    },
    *dropPart({ via, of, what, cascade, takes }, context) {
      if (cascade) yield* problem(via.span, `${what} of ${quote(of.name)}`, quote(of.name), losses(takes, [of], context), context);
    },
  },
});
