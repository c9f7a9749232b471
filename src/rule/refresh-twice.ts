import type { Experiment, Laboratory, Matview, SqlFailure } from '../model.ts';
import { quoteIdent, quoteLiteral } from '../sql/print.ts';
import { failed, numberOf, unproven } from './laboratory.ts';
import { qualified } from './words.ts';

/** What it takes to see a value change: the next transaction, the next day, rows that have moved, or a session with other settings. */
export type Flip = 'each refresh' | 'each day' | 'when rows move' | 'when the session differs';

/** Two values of a setting under which values differ that depend on it; the first one is the one that texts are compared under. */
const settings: Readonly<Record<string, readonly [string, string]>> = {
  TimeZone: ["'UTC'", "'Asia/Kathmandu'"], DateStyle: ["'ISO'", "'German'"], IntervalStyle: ["'postgres'", "'iso_8601'"],
  default_text_search_config: ["'pg_catalog.simple'", "'pg_catalog.english'"],
};

/** Every second row gets a new place, so the others stand before it now. */
async function moveRows(lab: Laboratory, view: string): Promise<void> {
  const tables = await lab.run(`WITH RECURSIVE beneath(oid) AS (
      SELECT ${quoteLiteral(view)}::regclass::oid
      UNION SELECT d.refobjid FROM beneath AS b JOIN pg_rewrite AS r ON r.ev_class = b.oid
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass)
    SELECT format('%I.%I', n.nspname, c.relname) AS table, (SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0
        AND NOT attisdropped AND attgenerated = '' AND attidentity <> 'a' LIMIT 1) AS column
      FROM beneath AS b JOIN pg_class AS c ON c.oid = b.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')`);
  if (failed(tables)) return;
  for (const { table, column } of tables.rows)
    for (const rest of [0, 1]) await lab.run(`UPDATE ${table} SET ${column} = ${column} WHERE mod(hashtext(${column}::text), 3) = ${rest}`);
}

/** The query's own words for what lay between the two refreshes. */
const between: Readonly<Record<Flip, string>> = {
  'each refresh': 'nothing was written', 'each day': 'the day turned', 'when rows move': 'rows only moved', 'when the session differs': 'only a setting of the session changed',
};

/**
 * Refreshes twice with nothing written in between and counts what differs: the values of one column, or whole rows without one. On a copy,
 * each refresh in its own transaction, because now() stands still inside one. The next day is played by the time zone: 26 hours lie between
 * the two (facts C3). Control for a refutation: a view over the same rows with clock_timestamp() in it, refreshed and counted alike; rows
 * that move need ties and settings need values to show anything, so their absence refutes nothing. `beside`: columns that say which row it
 * is, for values that only change places.
 */
export function refreshTwice(matview: Matview, column: string | undefined, flip: Flip,
  { setting = 'TimeZone', beside = [] }: { readonly setting?: string; readonly beside?: readonly string[] } = {}): Experiment {
  const name = qualified(matview.name);
  const value = column === undefined ? 'seen::text' : `ROW(${[column, ...beside].map(quoteIdent).join(', ')})::text`;
  const what = column === undefined ? 'rows' : 'values';
  const refresh = (view: string): string => `REFRESH MATERIALIZED VIEW ${view}`;
  const zones = flip === 'each day' ? ['Etc/GMT+12', 'Etc/GMT-14'] : [];
  const differing = (table: string): string =>
    `SELECT count(*) FROM (SELECT value FROM ${table}_1 EXCEPT ALL SELECT value FROM ${table}_2) AS changed`;
  const [usual, other] = settings[setting] ?? [];
  return {
    at: 'after', isolation: 'copy',
    run: async lab => {
      await lab.fill(matview.name, 100);
      if (flip === 'when the session differs' && usual === undefined) return unproven(`There is no second value of ${setting} to try.`);
      const steps = async (at: 1 | 2): Promise<SqlFailure | undefined> => {
        if (zones[at - 1] !== undefined) await lab.run(`SET TimeZone = '${zones[at - 1]}'`);
        if (flip === 'when the session differs') await lab.run(`SET ${setting} = ${at === 1 ? usual : other}`);
        const refreshed = await lab.run(refresh(name));
        if (failed(refreshed)) return refreshed;
        if (flip === 'when the session differs') await lab.run(`SET ${setting} = ${usual}`);
        for (const sql of [
          `CREATE TABLE mvlint_seen_${at} AS SELECT ${value} AS value FROM ${name} AS seen`,
          at === 2 ? refresh('mvlint_control') : `CREATE MATERIALIZED VIEW mvlint_control AS SELECT clock_timestamp() AS value FROM ${name}`,
          `CREATE TABLE mvlint_clock_${at} AS SELECT value FROM mvlint_control`,
        ]) {
          const answer = await lab.run(sql);
          if (failed(answer)) return answer;
        }
        return undefined;
      };
      const first = await steps(1);
      if (!first && flip === 'when rows move') await moveRows(lab, name);
      const second = first ?? await steps(2);
      if (second) return unproven(`The view could not be refreshed twice: ${second.message}.`);
      const rows = await numberOf(lab, 'SELECT count(*) FROM mvlint_seen_1') ?? 0;
      const rowsChanged = await numberOf(lab, differing('mvlint_seen')) ?? 0;
      const control = await numberOf(lab, differing('mvlint_clock')) ?? 0;
      const numbers = { rows, rowsChanged };
      if (rowsChanged > 0)
        return { kind: 'confirmed', says: `${rowsChanged} of ${rows} ${what} differ after a second refresh; between the two ${between[flip]}.`, numbers };
      if (rows === 0 || control === 0) return { kind: 'unproven', says: 'The view has no rows to compare.', numbers };
      if (flip === 'when rows move' || flip === 'when the session differs')
        return { kind: 'unproven', says: `None of ${rows} ${what} differs here: these rows do not show it.`, numbers };
      return { kind: 'refuted', says: `None of ${rows} ${what} differs after a second refresh; a clock beside them did.`, numbers };
    },
  };
}
