import { rule } from '../src/rule.ts';

export default rule({
  id: 'no-unreached-file',
  summary: 'Disallow migration files that the migration tool never runs.',
  severity: 'warning',
  postgres: { from: 14 },
  raisedBy: 'read',
  why: `
Every tool decides by a name, a journal, a plan or a changelog what it runs, and passes over the rest without a word. A file with one
underscore too few, or one that was never added to the plan, is reviewed, merged and deployed, and nothing happens: the index that a
concurrent refresh needs is not there, the view keeps its old definition. The mistake shows at the next refresh, or never.

mvlint replays what the tool would run, so a file that is never run changes no finding either.
`,
  fix: `
Give the file a name that the tool takes, or add it to the journal, plan, changelog or entry script. A file that is kept for another
purpose is better off outside of the migrations' folder; one that has to stay there can say so:

\`\`\`sql
-- mvlint-ignore-file no-unreached-file: run by hand after a restore
\`\`\`
`,
  exceptions: `
Files whose names say that they are no migrations (\`schema.sql\`, \`seed.sql\`, \`…_test.sql\`, \`README.sql\`), callbacks, templates,
files in subfolders that a tool does not look into, and what a baseline or checkpoint replaces are not reported.
`,
  references: ['https://documentation.red-gate.com/fd/migrations-184127470.html', 'https://sqitch.org/docs/manual/sqitchtutorial/'],
});
