import type { Laboratory, Name, Verdict } from '../model.ts';
import { quoteIdent } from '../sql/print.ts';
import { failed, unproven } from './laboratory.ts';
import { qualified } from './words.ts';

/**
 * Poisoned twins. An experiment that does not see what a claim says proves nothing by itself: it may be blind. So it is run once more on a twin that
 * is known to have the effect, in the same place; only where the twin shows it does the verdict stay `refuted`.
 */
export async function unlessBlind(verdict: Verdict, twinShows: () => Promise<boolean>): Promise<Verdict> {
  if (verdict.kind !== 'refuted') return verdict;
  return await twinShows() ? verdict : { ...verdict, kind: 'unproven', says: `${verdict.says} But a control beside it does not show the effect either.` };
}

/** Names that no history uses. */
const twin = 'mvlint_twin';
const reader = 'mvlint_twin_reader';
const nobody = 'mvlint_twin_owner';

/** Statements that Postgres is known to refuse with an SQLSTATE (facts A to F), the last of each list; by the first word of the statement they stand for. */
const refused: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  '55000': {
    refresh: [`CREATE MATERIALIZED VIEW ${twin} AS SELECT 1 AS a`, `REFRESH MATERIALIZED VIEW CONCURRENTLY ${twin}`],
    any: [`CREATE MATERIALIZED VIEW ${twin} AS SELECT 1 AS a WITH NO DATA`, `SELECT * FROM ${twin}`],
  },
  '0A000': {
    create_immv: [`SELECT pgivm.create_immv('${twin}', 'SELECT 1 AS a UNION SELECT 2 AS a')`],
    refresh: [`CREATE MATERIALIZED VIEW ${twin} AS SELECT 1 AS a WITH NO DATA`, `CREATE UNIQUE INDEX ON ${twin} (a)`, `REFRESH MATERIALIZED VIEW CONCURRENTLY ${twin}`],
    any: [`CREATE TABLE ${twin} (a int)`, `CREATE VIEW ${reader} AS SELECT a FROM ${twin}`, `ALTER TABLE ${twin} ALTER COLUMN a TYPE bigint`],
  },
  '42809': { any: [`CREATE MATERIALIZED VIEW ${twin} AS SELECT 1 AS a`, `DROP VIEW ${twin}`] },
  '2BP01': { any: [`CREATE TABLE ${twin} (a int)`, `CREATE VIEW ${reader} AS SELECT a FROM ${twin}`, `DROP TABLE ${twin}`] },
  '42P07': {
    alter: [`CREATE TABLE ${twin} (a int)`, `CREATE TABLE ${reader} (a int)`, `ALTER TABLE ${twin} RENAME TO ${reader}`],
    any: [`CREATE TABLE ${twin} (a int)`, `CREATE TABLE ${twin} (a int)`],
  },
  '42703': { any: [`CREATE MATERIALIZED VIEW ${twin} AS SELECT 1 AS a`, `CREATE INDEX ON ${twin} (b)`] },
  '42P01': { refresh: [`REFRESH MATERIALIZED VIEW ${twin}`], any: [`SELECT * FROM ${twin}`] },
  '42883': { any: [`SELECT ${twin}()`] },
  '42601': { any: [`CREATE MATERIALIZED VIEW ${twin} AS SELECT 1 AS a`, `REFRESH MATERIALIZED VIEW CONCURRENTLY ${twin} WITH NO DATA`] },
  '42501': {
    any: [
      `CREATE TABLE ${reader} (a int)`, `CREATE MATERIALIZED VIEW ${twin} AS SELECT a FROM ${reader}`, `CREATE ROLE ${nobody}`,
      `ALTER MATERIALIZED VIEW ${twin} OWNER TO ${nobody}`, `REFRESH MATERIALIZED VIEW ${twin}`,
    ],
  },
  '25001': { any: [`CREATE TABLE ${twin} (a int)`, `CREATE INDEX CONCURRENTLY ON ${twin} (a)`] },
  '23505': { any: [`CREATE TABLE ${twin} AS SELECT 1 AS a FROM generate_series(1, 2)`, `CREATE UNIQUE INDEX ON ${twin} (a)`] },
};

/** Whether this place can answer with the SQLSTATE at all: a statement that deserves it gets it. False where no such statement is known. */
export async function canRefuse(lab: Laboratory, sqlstate: string, statement: string): Promise<boolean> {
  const [first = ''] = /^[a-z]+/i.exec(statement.trim()) ?? [];
  const known = refused[sqlstate];
  const statements = (/create_immv/i.test(statement) ? known?.['create_immv'] : undefined) ?? known?.[first.toLowerCase()] ?? known?.['any'];
  if (!statements) return false;
  await lab.run('RESET ROLE');
  for (const [at, sql] of statements.entries()) {
    const answer = await lab.run(sql);
    if (at === statements.length - 1) return failed(answer) && answer.sqlstate === sqlstate;
    if (failed(answer)) return false;
  }
  return false;
}

/** The name of the twins that rules make themselves. */
export const twinName: Name = { schema: 'mvlint_twins', name: 'twin' };

/** Makes a twin by these statements, in a schema of its own; false when Postgres refuses one of them. */
export async function makeTwin(lab: Laboratory, statements: readonly string[]): Promise<boolean> {
  for (const sql of ['RESET ROLE', 'CREATE SCHEMA mvlint_twins', ...statements]) if (failed(await lab.run(sql))) return false;
  return true;
}

/** Whether two definitions that differ are printed differently here. */
export async function canTellDefinitions(lab: Laboratory): Promise<boolean> {
  const name = qualified(twinName);
  const print = async (): Promise<unknown> => {
    const answer = await lab.run(`SELECT pg_get_viewdef('${name}'::regclass) AS text`);
    return failed(answer) ? undefined : answer.rows[0]?.['text'];
  };
  if (!await makeTwin(lab, [`CREATE VIEW ${name} AS SELECT 1 AS a`])) return false;
  const before = await print();
  await lab.run(`CREATE OR REPLACE VIEW ${name} AS SELECT 2 AS a`);
  const after = await print();
  return before !== undefined && after !== undefined && before !== after;
}

/** Whether a prepared SELECT * over a twin fails when a column is added: not in a transaction block of its own. */
export async function canFailPrepared(lab: Laboratory): Promise<boolean> {
  const name = qualified(twinName);
  const made = await makeTwin(lab, [
    `CREATE TABLE ${name} (a int)`, `PREPARE ${twin} AS SELECT * FROM ${name}`, `EXECUTE ${twin}`, `ALTER TABLE ${name} ADD COLUMN b int`,
  ]);
  const answer = made ? await lab.run(`EXECUTE ${twin}`) : undefined;
  return answer !== undefined && failed(answer) && answer.sqlstate === '0A000';
}

/** Whether a concurrent refresh of a twin rewrites its one row with NULL in the key. */
export async function canRewriteNulls(lab: Laboratory): Promise<boolean> {
  const name = qualified(twinName);
  const version = async (): Promise<unknown> => {
    const answer = await lab.run(`SELECT xmin::text AS version FROM ${name}`);
    return failed(answer) ? undefined : answer.rows[0]?.['version'];
  };
  if (!await makeTwin(lab, [`CREATE MATERIALIZED VIEW ${name} AS SELECT NULL::int AS a`, `CREATE UNIQUE INDEX ON ${name} (a)`])) return false;
  const before = await version();
  const refreshed = await lab.run(`REFRESH MATERIALIZED VIEW CONCURRENTLY ${name}`);
  return !failed(refreshed) && before !== undefined && before !== await version();
}

/** A second view over the same query with one more column, as a twin; undefined when it was made, else why it could not be. */
export async function poison(lab: Laboratory, matview: Name, expression: string, column = 'mvlint_poison'): Promise<Verdict | undefined> {
  const printed = await lab.run(`SELECT pg_get_viewdef('${qualified(matview).replaceAll("'", "''")}'::regclass) AS text`);
  const text = failed(printed) ? undefined : printed.rows[0]?.['text'];
  if (typeof text !== 'string') return unproven('The definition of the view could not be read.');
  const made = await lab.run(`CREATE MATERIALIZED VIEW ${twin} AS SELECT twin.*, ${expression} AS ${quoteIdent(column)} FROM (${text.trim().replace(/;$/, '')}) AS twin`);
  return failed(made) ? unproven(`The twin could not be made: ${made.message}.`) : undefined;
}

/** Makes a table and a view over it, and takes both with one DROP … CASCADE, as the claim says its statement does. */
export async function canTakeAlong(lab: Laboratory): Promise<boolean> {
  for (const sql of [`CREATE TABLE ${twin} (a int)`, `CREATE VIEW ${reader} AS SELECT a FROM ${twin}`, `DROP TABLE ${twin} CASCADE`])
    if (failed(await lab.run(sql))) return false;
  const left = await lab.run(`SELECT to_regclass('${reader}') IS NULL AS gone`);
  return !failed(left) && left.rows[0]?.['gone'] === true;
}

/** Whether a lock on a twin is seen in pg_locks where the claim's lock was looked for. Inside a transaction only. */
export async function canSeeLock(lab: Laboratory, mode: string): Promise<boolean> {
  const words = mode.replace(/Lock$/, '').replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toUpperCase();
  for (const sql of [`CREATE TABLE ${twin} (a int)`, `LOCK TABLE ${twin} IN ${words} MODE`]) if (failed(await lab.run(sql))) return false;
  const held = await lab.run(`SELECT 1 FROM pg_locks WHERE relation = '${twin}'::regclass AND mode = '${mode}' AND granted`);
  return !failed(held) && held.rows.length > 0;
}
