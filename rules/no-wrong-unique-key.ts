import {
  breaksUniqueIndex, evidence, happenings, isUnknown, keyText, madeAt, matviewsOver, provedKeys, quote, refuses, rule, startsWith,
} from '../src/rule.ts';
import type { Catalog, Context, Effect, Evidence, Index, Matview, ObjectId } from '../src/rule.ts';

/** The columns of a unique index without a WHERE clause; undefined for an expression, of which the query says nothing. */
function columnsOf(index: Index): readonly string[] | undefined {
  const columns = index.columns.flatMap(({ column }) => column ?? []);
  return index.unique && index.predicate === undefined && columns.length === index.columns.length ? columns : undefined;
}

/** What shows that rows of the view can repeat the columns; undefined when they cannot, or nobody knows. */
function repetition(columns: readonly string[], matview: Matview, context: Context, catalog: Catalog): readonly Evidence[] | undefined {
  const { is, why } = context.facts(matview, catalog).unique(columns);
  return is === 'no' ? why : undefined;
}

/** The key to index instead, as the end of the message. */
function instead(columns: readonly string[], matview: Matview, context: Context): string {
  const { keys } = context.facts(matview, context.step.after);
  if (isUnknown(keys)) return '';
  const best = provedKeys(context.facts(matview, context.step.after)).find(key => key.columns.length > 0
    && columns.some(column => key.columns.includes(column)));
  return best === undefined ? '' : `, while ${keyText(best.columns)} is unique by its query`;
}

/** The source whose rows can repeat more than before: a view with another query, a table that lost a constraint or a unique index. */
function changedBy(effect: Effect): ObjectId | undefined {
  if (effect.kind === 'createView' && effect.replaced !== undefined) return effect.view.id;
  if (effect.kind === 'dropPart' && effect.what.startsWith('constraint ')) return effect.of.id;
  return effect.kind === 'dropObject' && effect.object.kind === 'index' && effect.object.unique ? effect.object.on : undefined;
}

export default rule({
  id: 'no-wrong-unique-key',
  summary: 'Disallow unique indexes of a materialized view over columns that its query lets repeat.',
  severity: 'error',
  postgres: { from: 14 },
  why: `
A unique index promises that no two rows of the view agree in its columns. Where the query can make such rows, the index holds only by the
luck of today's data: it is built without a word, and one day a refresh stops with 23505, for the view keeps its old rows until somebody
changes the index. Queries that make them group by more columns than the index has, show columns of the one side of a one-to-many join,
put tables after each other with \`UNION ALL\`, unfold arrays in the select list, or read a parent table whose children repeat its keys.

Only what the constraints of the tables allow is reported, so a rule of the business that no constraint states is not known here: when
it is a rule, a unique constraint on the table makes it one for Postgres as well.

An index over a column that the view does not have is refused at once (42703), and reported too.
`,
  fix: `
Index what the query proves to be unique; the message names it where there is such a key. After \`GROUP BY\` that is every column of the
group, after a join the key of the many side:

\`\`\`sql
CREATE MATERIALIZED VIEW daily_sales AS
  SELECT day, region, sum(total) AS total FROM orders GROUP BY day, region;
CREATE UNIQUE INDEX daily_sales_key ON daily_sales (day, region);
\`\`\`

Branches of \`UNION ALL\` need a column that tells them apart (\`SELECT 'web' AS channel, …\`) in the index. Where the data follow a rule
that makes the columns unique, say so to Postgres with a unique constraint on the table.
`,
  exceptions: `
Silent where it is not known whether rows repeat: behind conditions that may pick one row of several, functions whose result is not known,
\`CHECK\` constraints over the key, partial unique indexes, and tables that the migrations do not make. Rows with NULL in a column of the
index never break it; no-nullable-unique-key speaks of them.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html',
      'https://www.postgresql.org/docs/current/indexes-unique.html',
  ],
  deploysWith: ['createIndex', 'createView', 'dropPart', 'dropObject'],
  check: {
    *endOfDeploy(end, context) {
      const { after } = context.step;
      const seen = new Set<number>();
      for (const { effect } of happenings(end.steps)) {
        const changed = changedBy(effect);
        const made = effect.kind === 'createIndex' && effect.on.kind === 'matview' ? [effect.index] : [];
        for (const { id } of changed === undefined ? made : matviewsOver(changed, after).flatMap(view => after.indexesOf(view.id))) {
          const index = after.get(id);
          const matview = index?.kind === 'index' ? after.get(index.on) : undefined;
          const columns = index?.kind === 'index' ? columnsOf(index) : undefined;
          if (index?.kind !== 'index' || matview?.kind !== 'matview' || columns === undefined || seen.has(id)) continue;
          const why = repetition(columns, matview, context, after);
          if (why === undefined) continue;
          const before = end.start.get(matview.id);
          // What was wrong before this deploy was reported then.
          if (changed !== undefined && before?.kind === 'matview'
            && repetition(columns, before, context, end.start) !== undefined) continue;
          seen.add(id);
          const [name, key] = [quote(matview.name), keyText(columns)];
          yield {
            span: effect.via.span,
            message: changed === undefined
              ? `${quote(index.name.name)} allows one row of ${name} for each ${key}, and its query makes several${instead(columns,
                matview, context)}.`
              : `After this the query of ${name} makes several rows for a ${key}, of which ${quote(index.name.name)} allows one.`,
            relation: name,
            stillTrue: last => {
              const still = last.get(matview.id);
              return last.get(id) !== undefined && still?.kind === 'matview' && repetition(columns, still, context, last) !== undefined;
            },
            evidence: [
              ...madeAt(matview, `${name} is made here`), ...why,
                ...(changed === undefined ? [] : madeAt(index, `${quote(index.name.name)} is made here`)),
              evidence(effect.via.span, changed === undefined ? `and ${key} is to be unique` : 'and this lets them'),
            ],
            experiment: breaksUniqueIndex(matview.name, index.name, columns),
          };
        }
      }
    },
    *refuse({ refusal, via }, { step }) {
      const matview = refusal.relation === undefined ? undefined : step.before.get(refusal.relation);
      if (refusal.sqlstate !== '42703' || matview?.kind !== 'matview' || !startsWith(step.statement, ['create'])) return;
      if (!/^create\s+unique\b/i.test(step.statement.sql) && via.kind === 'statement') return;
      const name = quote(matview.name);
      yield {
        span: via.span,
        message: `Postgres refuses the index of ${name}: ${refusal.because} (42703).`,
        relation: name,
        evidence: [...madeAt(matview, `${name} is made here`), ...refusal.evidence, evidence(via.span, 'its columns are not these')],
        experiment: refuses(step, '42703'),
      };
    },
  },
});
