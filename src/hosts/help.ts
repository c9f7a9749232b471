/** The text of `--help`. Kept apart and free of imports: it is printed without loading anything. */
export const help = `mvlint: says what PostgreSQL migrations do to materialized views.

Usage
  mvlint [check] [paths…]      lint a migration directory, a project, a file, a glob, or - for stdin
  mvlint explain <rule>        the page of a rule
  mvlint explain-view <view> [paths…]
                               what the migrations make of a view: columns, NULLs, what changes them, keys, sources, readers,
                               indexes, refreshes, and what CONCURRENTLY needs (--format json for machines)
  mvlint ivm [view…] [paths…]  which views pg_ivm, pg_trickle and TimescaleDB can maintain, what stands in the way and where, and the
                               rewriting that would help, tried in memory (--format json for machines)
  mvlint trace [paths…]        the migrations on a throwaway Postgres, statement by statement: locks and who waits, time, rows, WAL,
                               catalog (--format json, markdown; --rows <n>: made-up rows for empty tables; --db <url>: a database
                               that may be written to, its name ending in _scratch or --i-know-this-database-is-disposable)
  mvlint rules                 the table of rules (--format json for machines)
  mvlint inventory --db <url>  every materialized view of a database: size, rows, indexes, readers, trouble (--format json)
  mvlint snapshot --db <url>   the catalog of a database as JSON, for --catalog; it only reads

A file names what is reported; the history it belongs to is always replayed.
Without paths, the project's migrations are found from the working directory.

What is read
  --tool <tool>                the migration tool, where detection is not enough: psql, flyway, liquibase,
                               golang-migrate, goose, dbmate, prisma, drizzle, supabase, sqlx, diesel, refinery, sqitch,
                               atlas, hasura, graphile-migrate, tern or pgmigrate
  --isolated                   do not look for the history a file belongs to
  --stdin-filename <path>      the place of what stands on stdin
  --catalog <file>             begin with the catalog that mvlint snapshot wrote, and replay only what is reported on
  --code <glob>                application code to search for REFRESH MATERIALIZED VIEW (repeatable)
  --config <file>              instead of mvlint.config.json, .js, .mjs or "mvlint" in package.json
  --no-config                  read no configuration
  --allow-empty                nothing to lint is no error

What is reported
  --changed [base]             only migrations new or changed since the merge base with a branch
  --since <migration>          only this migration and the ones after it
  --pending <glob>             only these; they go out together as one deploy
  --all-history                findings that a later migration repaired, too
  --down                       also replay each down part after its migration: what is refused, what CASCADE takes
  --postgres <14..18>          the version of your server (default 18)
  --preset <preset>            recommended, all, or ivm: also the notes that bear on incremental maintenance
  --rule <id>=<severity>       error, warning, note or off; may be repeated
  --baseline <file>            findings recorded there are not reported
  --update-baseline            record the findings of this run in the baseline
  --gaps <mode>                ignore, report or error: what mvlint could not see (default report)
  --fail-on <severity>         error, warning, note or never (default error)

Fixes
  --fix                        edit the migrations that are new or changed since the merge base, and report what is left
  --fix-dry-run                the same without writing: the changed lines are shown
  --fix-shipped                edit shipped migrations, too

How
  --format <format>            text, json, sarif, github, gitlab, junit, rdjson, markdown or gcc; may be repeated
  --output <file>              where the --format before it goes
  --color, --no-color          colours (NO_COLOR, FORCE_COLOR and CI are honoured)
  --quiet                      errors only
  --stats                      numbers of the run on stderr
  --debug                      stack traces

Proof
  --live                       try the findings on an embedded Postgres: nothing to install, nothing to connect to
  --live=<url>, --live=env     hold them against a database of yours, which is only read; what differs from the
                               migrations is reported as no-drift
  --live-budget <seconds>      time for that (default 30)
  --live-explain               with a database: ask the planner what a refresh costs, where that runs nobody's code

A database URL is what psql takes; env reads MVLINT_DATABASE_URL, so that no password stands in the list of processes.

Exit status: 0 nothing at or above --fail-on, 1 findings, 2 mvlint could not do its work.
`;
