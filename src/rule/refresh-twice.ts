import type { Experiment, Laboratory, Matview, Name, SqlFailure } from '../model.ts';
import { quoteIdent, quoteLiteral } from '../sql/print.ts';
import { poison } from './controls.ts';
import { failed, numberOf, unproven } from './laboratory.ts';
import { qualified } from './words.ts';

/** What it takes to see a value change: the next transaction, the next day, rows that have moved, or a session with other settings. */
export type Flip = 'each refresh' | 'each day' | 'when rows move' | 'when the session differs';

/** Two values of a setting under which values differ that depend on it; the first one is the one that texts are compared under. */
const settings: Readonly<Record<string, readonly [string, string]>> = {
  TimeZone: ["'UTC'", "'Asia/Kathmandu'"], DateStyle: ["'ISO'", "'German'"], IntervalStyle: ["'postgres'", "'iso_8601'"],
  default_text_search_config: ["'pg_catalog.simple'", "'pg_catalog.english'"], bytea_output: ["'hex'", "'escape'"],
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

/** What poisons a twin for sure, by what it takes to see it; rows that only move and other settings need data that show them, so those are never refuted. */
const poisons: Readonly<Partial<Record<Flip, string>>> = { 'each refresh': 'clock_timestamp()', 'each day': 'current_date' };

/** Two refreshes of one view: what is compared, and where it is kept. */
interface Pair {
  readonly view: string;
  readonly value: string;
  readonly kept: string;
}
const differing = async (lab: Laboratory, { kept }: Pair): Promise<number> =>
  await numberOf(lab, `SELECT count(*) FROM (SELECT value FROM ${kept}_1 EXCEPT ALL SELECT value FROM ${kept}_2) AS changed`) ?? 0;

/** Refreshes the view, concurrently where it is asked for and can be; answers how, or the refusal. */
async function refresh(lab: Laboratory, view: string, concurrently: boolean): Promise<SqlFailure | 'plain' | 'concurrent'> {
  if (concurrently && !failed(await lab.run(`REFRESH MATERIALIZED VIEW CONCURRENTLY ${view}`))) return 'concurrent';
  const answer = await lab.run(`REFRESH MATERIALIZED VIEW ${view}`);
  return failed(answer) ? answer : 'plain';
}
const isRefused = (answer: SqlFailure | 'plain' | 'concurrent'): answer is SqlFailure => typeof answer !== 'string';

/** Refreshes a view for the first or the second time, in the session that the flip asks for, and keeps its values. Answers as `refresh` does. */
async function keep(lab: Laboratory, { view, value, kept }: Pair, at: 1 | 2, flip: Flip, setting: string): ReturnType<typeof refresh> {
  const [usual, other] = settings[setting] ?? [];
  if (flip === 'each day') await lab.run(`SET TimeZone = '${at === 1 ? 'Etc/GMT+12' : 'Etc/GMT-14'}'`);
  if (flip === 'when the session differs') await lab.run(`SET ${setting} = ${at === 1 ? usual : other}`);
  const refreshed = await refresh(lab, view, at === 2);
  // Texts are compared in one session: a time prints differently in another zone.
  if (flip === 'each day') await lab.run("SET TimeZone = 'UTC'");
  if (flip === 'when the session differs') await lab.run(`SET ${setting} = ${usual}`);
  if (isRefused(refreshed)) return refreshed;
  const answer = await lab.run(`CREATE TABLE ${kept}_${at} AS SELECT ${value} AS value, seen.xmin::text AS version FROM ${view} AS seen`);
  return failed(answer) ? answer : refreshed;
}

/** Whether the same two refreshes of a twin, the same query with a known poison beside its columns, show the poison. */
async function twinShows(lab: Laboratory, name: Name, flip: Flip, setting: string): Promise<boolean> {
  const expression = poisons[flip];
  if (expression === undefined || await poison(lab, name, expression) !== undefined) return false;
  const pair: Pair = { view: 'mvlint_twin', value: 'seen.mvlint_poison::text', kept: 'mvlint_twin_seen' };
  for (const at of [1, 2] as const) if (isRefused(await keep(lab, pair, at, flip, setting))) return false;
  return await differing(lab, pair) > 0;
}

/**
 * Refreshes twice with nothing written in between and counts what differs: the values of one column, or whole rows without one. On a copy,
 * each refresh in its own transaction, because now() stands still inside one. The next day is played by the time zone: 26 hours lie between
 * the two (facts C3). Where the view has a unique index for it the second refresh is a concurrent one, and the rows it gave a new version are
 * counted too. Control for a refutation: the same on a twin, the view's own query with a clock beside it; rows that move need ties and settings
 * need values to show anything, so their absence refutes nothing. `beside`: columns that say which row it is, for values that only change places.
 */
export function refreshTwice(matview: Matview, column: string | undefined, flip: Flip,
  { setting = 'TimeZone', beside = [] }: { readonly setting?: string; readonly beside?: readonly string[] } = {}): Experiment {
  const value = column === undefined ? 'seen::text' : `ROW(${[column, ...beside].map(quoteIdent).join(', ')})::text`;
  const what = column === undefined ? 'rows' : 'values';
  const pair: Pair = { view: qualified(matview.name), value, kept: 'mvlint_seen' };
  return {
    at: 'after', isolation: 'copy',
    run: async lab => {
      await lab.fill(matview.name, 100);
      if (flip === 'when the session differs' && settings[setting] === undefined) return unproven(`There is no second value of ${setting} to try.`);
      const first = await keep(lab, pair, 1, flip, setting);
      if (!isRefused(first) && flip === 'when rows move') await moveRows(lab, pair.view);
      const second = isRefused(first) ? first : await keep(lab, pair, 2, flip, setting);
      if (isRefused(second)) return unproven(`The view could not be refreshed twice: ${second.message}.`);
      const rows = await numberOf(lab, 'SELECT count(*) FROM mvlint_seen_1') ?? 0;
      const rowsChanged = await differing(lab, pair);
      const rewritten = second === 'plain' ? undefined
        : await numberOf(lab, 'SELECT count(*) FROM mvlint_seen_2 WHERE version NOT IN (SELECT version FROM mvlint_seen_1)');
      const numbers = { rows, rowsChanged, ...(rewritten === undefined ? {} : { rowsRewritten: rewritten }) };
      if (rowsChanged > 0)
        return { kind: 'confirmed', says: `${rowsChanged} of ${rows} ${what} differ after a second refresh; between the two ${between[flip]}.`, numbers };
      if (rows === 0) return { kind: 'unproven', says: 'The view has no rows to compare.', numbers };
      if (poisons[flip] === undefined) return { kind: 'unproven', says: `None of ${rows} ${what} differs here: these rows do not show it.`, numbers };
      const says = `None of ${rows} ${what} differs after a second refresh; a clock beside them did.`;
      return await twinShows(lab, matview.name, flip, setting) ? { kind: 'refuted', says, numbers }
        : { kind: 'unproven', says: `None of ${rows} ${what} differs after a second refresh, and a clock beside them does not either.`, numbers };
    },
  };
}
