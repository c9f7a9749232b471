import type { Rows, SqlFailure } from '../../model.ts';
import { quoteName } from '../../sql/print.ts';
import { fillBeneath } from '../fill.ts';

type Run = (sql: string) => Promise<Rows | SqlFailure>;

const named = async (run: Run, sql: string): Promise<readonly { readonly schema: string; readonly name: string }[]> => {
  const answer = await run(sql);
  return 'sqlstate' in answer ? [] : answer.rows.map(row => ({ schema: String(row['schema']), name: String(row['name']) }));
};

const ofKind = (kinds: string): string => `SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN (${kinds}) AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY c.oid`;

/**
 * Gives every empty table `rows` made-up rows, as types, keys and checks allow, and refreshes the populated materialized views, so that times and counts are of
 * something. Answers what was made, one line a table, for the notes.
 */
export async function fillAll(run: Run, rows: number): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const table of await named(run, ofKind("'r', 'p'"))) {
    const empty = await run(`SELECT NOT EXISTS (SELECT FROM ${quoteName(table, [])}) AS empty`);
    if ('sqlstate' in empty || empty.rows[0]?.['empty'] !== true) continue;
    const filled = await fillBeneath(run, table, rows);
    const count = filled[quoteName(table, [])] ?? 0;
    notes.push(`${table.schema}.${table.name}: ${count === 0 ? 'no made-up row passes its checks' : `${count} made-up rows`}`);
  }
  if (notes.length > 0)
    for (const view of await named(run, ofKind("'m'").replace('ORDER BY', 'AND c.relispopulated ORDER BY'))) await run(`REFRESH MATERIALIZED VIEW ${quoteName(view, [])}`);
  return notes;
}
