import { evidence, failsPrepared, givenWords, known, list, nameTakers, quote, replacements, rule, takenWords } from '../src/rule.ts';
import type { Column, Matview, Selectable } from '../src/rule.ts';

/** What is different about the columns, in words; empty when a SELECT * means the same. Types that are not known are not compared. */
function differences(old: Matview, now: Selectable): readonly string[] {
  const [was, is] = [known(old.columns), known(now.columns)];
  if (!was || !is) return [];
  const find = (columns: readonly Column[], name: string): Column | undefined => columns.find(column => column.name === name);
  const names = (columns: readonly Column[]): string => columns.map(({ name }) => name).join('\0');
  const found = [
    ...is.filter(column => !find(was, column.name)).map(column => `${quote(column.name)} is new`),
    ...was.filter(column => !find(is, column.name)).map(column => `${quote(column.name)} is gone`),
    ...is.flatMap(column => {
      const [before, after] = [known(find(was, column.name)?.type ?? { unknown: '' }), known(column.type)];
      const differ = before !== undefined && after !== undefined && before !== after;
      return differ ? [`${quote(column.name)} is ${after} instead of ${before}`] : [];
    }),
  ];
  return found.length === 0 && names(was) !== names(is) ? ['they stand in another order'] : found;
}

export default rule({
  id: 'no-changed-shape',
  summary: 'Disallow replacing a materialized view by one with other columns.',
  severity: 'note',
  postgres: { from: 14 },
  why: `
Open sessions hold prepared statements and cached plans. After a replacement they are planned again by name, and one whose result has
other columns, other types or another order than before fails: \`0A000: cached plan must not change result type\`. Connection pools keep
such statements for days, so each pooled session fails on its own, at each use of the view until the statement is prepared anew; some
drivers do that after the first error. A column that is gone or has another type also breaks whoever names it.
`,
  fix: `
Keep the columns and their order, add new ones to a view under another name, or have the sessions forget their plans after the swap:
reconnect, or \`DEALLOCATE ALL\` in the pool (\`DISCARD PLANS\` does not help). Clients that name their columns instead of \`SELECT *\` do not notice
a column more.
`,
  exceptions: 'Columns that the history does not show, and types that are not known, are not compared.',
  references: [
    'https://www.postgresql.org/docs/current/sql-prepare.html',
    'https://www.postgresql.org/docs/current/sql-altermaterializedview.html',
  ],
  deploysWith: nameTakers,
  check: {
    *endOfDeploy(end, context) {
      for (const replacement of replacements(end, context)) {
        const { old, now, taken, given } = replacement;
        const found = differences(old, now);
        if (found.length === 0) continue;
        const name = quote(old.name);
        const [first, last] = [taken.step.ordinal, given.step.ordinal];
        const between = end.steps.filter(({ ordinal, refusal }) => !refusal && ordinal >= first && ordinal <= last);
        yield {
          span: given.effect.via.span,
          message: `Prepared SELECT * on ${name} fails in every open session because its columns change: ${list(found)}.`,
          relation: name,
          evidence: [
            evidence(taken.effect.via.span, takenWords(replacement)),
            evidence(given.effect.via.span, `${givenWords(replacement)}: ${list(found)}`),
          ],
          step: taken.step,
          experiment: failsPrepared(old.name, between),
        };
      }
    },
  },
});
