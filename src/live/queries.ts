import { runs, turns } from '../catalog/order.ts';
import type { History, Matview, Name, Rows, SqlFailure } from '../model.ts';
import { quoteLiteral, quoteName } from '../sql/print.ts';
import { embeddedHost } from './embedded.ts';
import type { Host } from './host.ts';
import { Sender, sessionSettings } from './sender.ts';
import { failed, LiveSession } from './session.ts';
import { extensionsOf, missingRoles } from './stubs.ts';

export interface QueryComparison {
  /** `schema.name` of the views whose query is another. */
  readonly other: ReadonlySet<string>;
  /** How many were compared; the rest could not be made here. */
  readonly compared: number;
}

export interface ComparisonOptions {
  /** How many of the judged runs the database has seen. */
  readonly applied: number;
  /** Milliseconds for everything. */
  readonly budget: number;
  readonly host?: Host;
  readonly searchPath?: readonly string[];
}

const keyOf = ({ schema, name }: Name): string => `${schema}.${name}`;

/** What Postgres prints of a view's query; undefined when there is none. The search path is empty by then. */
async function printed(run: (sql: string) => Promise<Rows | SqlFailure>, name: string): Promise<string | undefined> {
  const answer = await run(`SELECT pg_catalog.pg_get_viewdef(pg_catalog.to_regclass(${quoteLiteral(name)})) AS query`);
  const text = failed(answer) ? undefined : answer.rows[0]?.['query'];
  return typeof text === 'string' ? text.replace(/;\s*$/, '') : undefined;
}

/**
 * Holds the queries that a database printed of its materialized views against those that the migrations make, in the words of one Postgres: the history is
 * replayed on a throwaway server up to where the database stands, the database's text is read there as a view of its own, and what the server prints of both
 * is compared. So conversions, parentheses and names that every version prints in its own way are no difference (measured, queries.test.ts). A view that cannot
 * be made here says nothing. Rejects with LiveUnavailable when there is no embedded server.
 */
export async function compareQueries(history: History, database: readonly Matview[], options: ComparisonOptions): Promise<QueryComparison> {
  const until = performance.now() + options.budget;
  const session = await LiveSession.open({ extensions: extensionsOf(history) }, options.host ?? embeddedHost());
  try {
    for (const { create } of missingRoles(history)) await session.send(create);
    const settings = sessionSettings(options.searchPath);
    for (const sql of settings) await session.send(sql);
    const seen = runs(history).filter(({ judged }) => judged).slice(0, options.applied);
    const last = seen.at(-1);
    const isSeen = (turn: { readonly migration: History['migrations'][number]; readonly judged: boolean }): boolean =>
      (turn.judged ? seen.some(run => run.migration === turn.migration) : last?.migration.kind === 'repeatable');
    const sender = new Sender(session, history, settings);
    for (const turn of turns(history)) {
      if (!isSeen(turn)) continue;
      if (performance.now() > until) return { other: new Set(), compared: 0 };
      await sender.enter(turn);
      await sender.send(turn);
    }
    await sender.close();
    if (session.transaction !== 'none') await session.send('ROLLBACK');
    return await compare(session, database, until);
  } finally {
    await session.end();
  }
}

async function compare(session: LiveSession, database: readonly Matview[], until: number): Promise<QueryComparison> {
  const run = (sql: string): Promise<Rows | SqlFailure> => session.probe(sql);
  for (const sql of ['RESET ALL', 'RESET SESSION AUTHORIZATION', "SET search_path = ''"]) await run(sql);
  const other = new Set<string>();
  let compared = 0;
  for (const { name, query: { statement, start, end } } of database) {
    if (performance.now() > until) break;
    const ours = await printed(run, quoteName(name, []));
    if (ours === undefined) continue;
    await run('DROP VIEW IF EXISTS pg_temp.mvlint_query');
    const made = await run(`CREATE TEMPORARY VIEW mvlint_query AS ${statement.sql.slice(start, end)}`);
    const theirs = failed(made) ? undefined : await printed(run, 'pg_temp.mvlint_query');
    if (theirs === undefined) continue;
    compared += 1;
    if (ours !== theirs) other.add(keyOf(name));
  }
  return { other, compared };
}
