import { rule } from '../src/rule.ts';

export default rule({
  id: 'no-ineffective-directive',
  summary: 'Disallow opt-outs of a migration tool that are written where the tool does not read them, or that do not help.',
  severity: 'error',
  postgres: { from: 14 },
  raisedBy: 'read',
  why: `
An index of a materialized view is built without blocking readers by \`CREATE INDEX CONCURRENTLY\`, and Postgres refuses that inside a
transaction. Migration tools therefore let a file leave their transaction, each by a mark of its own that counts in one place only:
the very first byte, the exact first line, the comments that an empty line parts from the rest. Anywhere else the mark is an ordinary
comment. Nothing warns: the file looks right, runs in the transaction, and fails on the day it is deployed.

An opt-out that is read can still be worth nothing: most tools send the file as one string, and Postgres runs a string of several
commands as one transaction. And where the mark counts for one direction, the way back fails when it is needed.
`,
  fix: `
Put the mark where the tool reads it, and leave one statement in the file:

| tool | mark | where |
|---|---|---|
| sqlx | \`-- no-transaction\` | first byte of the file, in each direction's file |
| Hasura | \`-- hasura:no-transaction\` | whole first line, in each direction's file |
| Atlas | \`-- atlas:txmode none\` | comments at the top, then an empty line |
| Graphile Migrate | \`--! no-transaction\` | first line of the body |
| dbmate | \`-- migrate:up transaction:false\` | on the line of each direction |
| goose | \`-- +goose NO TRANSACTION\` | start of a line; each statement ends a line of its own |
| tern | \`---- tern: disable-tx ----\` | a line of its own, in each part |
| Diesel | \`run_in_transaction = false\` | \`metadata.toml\`; without the key the file means the same |
`,
  exceptions: `
An opt-out that a file does not need is no mistake: only a mark that the tool does not read, and one above statements that fail all
the same, are reported. Liquibase is reported for a \`BEGIN\` that it takes for a block: from there on it cuts no statements.
`,
  references: [
    'https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY',
    'https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT',
  ],
});
