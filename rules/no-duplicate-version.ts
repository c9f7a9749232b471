import { rule } from '../src/rule.ts';

export default rule({
  id: 'no-duplicate-version',
  summary: 'Disallow two migrations of one version, and missing versions where the tool counts without gaps.',
  severity: 'error',
  postgres: { from: 14 },
  raisedBy: 'read',
  why: `
Two branches that each add the next number merge without a conflict: the files have different names. The tool then refuses to run,
or fails when it records the version for the second time, after the statements of that file have been run; where they were not in a
transaction, half a migration is left behind. Tools that count without gaps refuse a missing number in the same way.
`,
  fix: `
Renumber the later one. It has to come after every migration that has already been deployed, so take a new number at the end.
`,
  exceptions: `
The files of the two directions of one version (\`2_view.up.sql\`, \`2_view.down.sql\`) belong together. Gaps are reported for tern, and
broken chains for Graphile Migrate; the other tools take any growing numbers.
`,
  references: ['https://github.com/golang-migrate/migrate/blob/master/MIGRATIONS.md', 'https://github.com/jackc/tern#migrations'],
});
