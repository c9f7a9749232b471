import type { Experiment, Laboratory, Matview, SqlFailure } from '../model.ts';
import { quoteIdent, quoteLiteral } from '../sql/print.ts';
import { failed, numberOf, unproven } from './laboratory.ts';
import { qualified } from './words.ts';

/** What it takes to see a value change: the next transaction, the next day, or rows that have moved. */
export type Flip = 'each refresh' | 'each day' | 'when rows move';

/** A no-op UPDATE gives every row a new place. */
async function moveRows(lab: Laboratory, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    const columns = await lab.run(`SELECT quote_ident(attname) AS name FROM pg_attribute WHERE attrelid = ${quoteLiteral(table)}::regclass
      AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = '' LIMIT 1`);
    const column = failed(columns) ? undefined : columns.rows[0]?.['name'];
    if (typeof column === 'string') await lab.run(`UPDATE ${table} SET ${column} = ${column}`);
  }
}

/**
 * Refreshes twice with nothing written in between and counts the values of one column that differ. On a copy, each refresh in its own
 * transaction, because now() stands still inside one. The next day is played by the time zone: 26 hours lie between the two (facts C3).
 * Control for a refutation: a view over the same rows with clock_timestamp() in it, refreshed and counted alike.
 */
export function refreshTwice(matview: Matview, column: string, flip: Flip): Experiment {
  const name = qualified(matview.name);
  const clock = `SELECT clock_timestamp() AS value FROM ${name}`;
  const refresh = (view: string): string => `REFRESH MATERIALIZED VIEW ${view}`;
  const zones = flip === 'each day' ? ['Etc/GMT+12', 'Etc/GMT-14'] : [];
  const differing = (table: string): string =>
    `SELECT count(*) FROM (SELECT value FROM ${table}_1 EXCEPT ALL SELECT value FROM ${table}_2) AS changed`;
  return {
    at: 'after', isolation: 'copy',
    run: async lab => {
      const filled = await lab.fill(matview.name, 100);
      const set = async (at: number): Promise<void> => { if (zones[at] !== undefined) await lab.run(`SET TimeZone = '${zones[at]}'`); };
      const steps = async (at: 1 | 2): Promise<SqlFailure | undefined> => {
        await set(at - 1);
        for (const sql of [
          refresh(name), `CREATE TABLE mvlint_seen_${at} AS SELECT ${quoteIdent(column)}::text AS value FROM ${name}`,
          at === 2 ? refresh('mvlint_control') : `CREATE MATERIALIZED VIEW mvlint_control AS ${clock}`,
          `CREATE TABLE mvlint_clock_${at} AS SELECT value FROM mvlint_control`,
        ]) {
          const answer = await lab.run(sql);
          if (failed(answer)) return answer;
        }
        return undefined;
      };
      const first = await steps(1);
      if (!first && flip === 'when rows move') await moveRows(lab, Object.keys(filled));
      const second = first ?? await steps(2);
      if (second) return unproven(`The view could not be refreshed twice: ${second.message}.`);
      const rows = await numberOf(lab, 'SELECT count(*) FROM mvlint_seen_1') ?? 0;
      const rowsChanged = await numberOf(lab, differing('mvlint_seen')) ?? 0;
      const control = await numberOf(lab, differing('mvlint_clock')) ?? 0;
      const numbers = { rows, rowsChanged };
      if (rowsChanged > 0) {
        const between = flip === 'each day' ? 'the day turned' : flip === 'each refresh' ? 'nothing was written' : 'rows only moved';
        const says = `${rowsChanged} of ${rows} values differ after a second refresh; between the two ${between}.`;
        return { kind: 'confirmed', says, numbers };
      }
      if (rows === 0 || control === 0) return { kind: 'unproven', says: 'The view has no rows to compare.', numbers };
      return { kind: 'refuted', says: `None of ${rows} values differs after a second refresh; a clock beside them did.`, numbers };
    },
  };
}
