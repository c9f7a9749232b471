import { afterAll, expect, test } from 'vitest';
import { turns } from '../catalog/order.ts';
import { KeptServers } from '../dev/kept-servers.ts';
import type { Claim, Experiment, Finding, History, Laboratory, Refusal, ToolId, Unit, Verdict } from '../model.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { proveClaims, type Proof, type ProveOptions } from './prove.ts';
import { failed } from './session.ts';

const servers = new KeptServers();
afterAll(() => servers.close());

/** A psql history of one file an argument; statements are numbered through. */
function history(...files: readonly string[]): History {
  const read = readHistories(memoryFiles(Object.fromEntries(files.map((text, at) => [`00${at + 1}.sql`, text]))), { tool: 'psql' as ToolId });
  return read.histories[0] as History;
}
const scoped = (given: History, unit: Partial<Unit>): History => ({
  ...given, migrations: given.migrations.map(migration => ({
    ...migration, up: [{ scope: 'none' as const, scopeId: migration.id, protocol: 'single' as const, statements: migration.up.flatMap(one => one.statements), ...unit }],
  })),
});
const ordinal = (given: History, text: string): number => [...turns(given)].find(turn => turn.statement.sql.includes(text))?.ordinal ?? -1;

function claim(given: History, at: string, experiment: Experiment): Claim {
  const finding: Finding = { history: 'h', rule: 'r', severity: 'error', message: 'm', span: { path: '001.sql', start: 0, end: 1 }, evidence: [], fixes: [], also: [], fingerprint: '' };
  return { finding, ordinal: ordinal(given, at), experiment };
}
const prove = (given: History, claims: readonly Claim[], options: Partial<ProveOptions> = {}, predicted: ReadonlyMap<number, Refusal> = new Map()): Promise<Proof> =>
  proveClaims(given, claims, predicted, { budget: 60_000, postgres: 18, host: servers, ...options });

const value = async (lab: Laboratory, sql: string): Promise<unknown> => {
  const answer = await lab.run(sql);
  return failed(answer) ? answer.sqlstate : Object.values(answer.rows[0] ?? {})[0];
};
/** An experiment that says what a query answers. */
const says = (sql: string, at: Experiment['at'], isolation: Experiment['isolation'] = 'savepoint'): Experiment =>
  ({ at, isolation, run: async lab => ({ kind: 'confirmed', says: String(await value(lab, sql)) }) });

const changing = history(`CREATE TABLE orders (id bigint PRIMARY KEY, placed_at timestamptz NOT NULL);
CREATE MATERIALIZED VIEW ages AS SELECT id, now() - placed_at AS age FROM orders;`);
/** Refreshes twice and counts what differs: the claim of no-nondeterministic-output. */
const twice = (isolation: Experiment['isolation']): Experiment => ({
  at: 'after', isolation,
  run: async (lab): Promise<Verdict> => {
    await lab.fill({ schema: 'public', name: 'ages' }, 50);
    await lab.run('REFRESH MATERIALIZED VIEW ages');
    await lab.run('CREATE TABLE seen AS SELECT * FROM ages');
    await lab.run('REFRESH MATERIALIZED VIEW ages');
    const differing = Number(await value(lab, 'SELECT count(*) FROM (SELECT * FROM ages EXCEPT SELECT * FROM seen) AS x'));
    return { kind: differing > 0 ? 'confirmed' : 'refuted', says: `${differing} rows differ` };
  },
});

test('a view over now() is confirmed on a copy; in a savepoint the same experiment would refute the truth', async () => {
  const onCopy = claim(changing, 'ages', twice('copy'));
  const inSavepoint = claim(changing, 'ages', twice('savepoint'));
  // On servers of its own, as mvlint starts them.
  const { verdicts, surprises, gaps } = await proveClaims(changing, [onCopy, inSavepoint], new Map(), { budget: 60_000, postgres: 18 });
  expect(verdicts.get(onCopy)).toEqual({ kind: 'confirmed', says: '50 rows differ' });
  expect(verdicts.get(inSavepoint)).toEqual({ kind: 'refuted', says: '0 rows differ' });
  expect({ surprises, gaps }).toEqual({ surprises: [], gaps: [] });
});

test('experiments see the state before or after their statement and leave no trace, in a transaction too', async () => {
  const given = history('CREATE TABLE t (a int); INSERT INTO t VALUES (1); BEGIN; INSERT INTO t VALUES (2); INSERT INTO t VALUES (3); COMMIT; DROP TABLE t;');
  const count = 'SELECT count(*) FROM t';
  const spoil: Experiment = { at: 'before', isolation: 'savepoint', run: async lab => {
    const refused = await value(lab, 'SELECT 1/0');
    await lab.run('DELETE FROM t');
    return { kind: 'confirmed', says: `${String(refused)} ${String(await value(lab, count))} ${String(await value(lab, 'COMMIT'))}` };
  } };
  const claims = [
    claim(given, 'VALUES (1)', says(count, 'before')), claim(given, 'VALUES (1)', says(count, 'after')), claim(given, 'VALUES (2)', spoil),
    claim(given, 'VALUES (2)', says(count, 'after')), claim(given, 'VALUES (3)', says(count, 'before', 'copy')), claim(given, 'VALUES (3)', says(count, 'after', 'copy')),
    claim(given, 'DROP', says(count, 'after')), claim(given, 'DROP', says(count, 'before', 'copy')),
  ];
  const { verdicts, surprises } = await prove(given, claims);
  expect(claims.map(one => verdicts.get(one)?.says)).toEqual(['0', '1', '22012 0 MVL01', '2', '2', '3', '42P01', '3']);
  expect(surprises).toEqual([]);
});

test('refusals that nobody foretold and foretold ones that do not come are surprises', async () => {
  const given = history('CREATE TABLE t (a int); CREATE TABLE t (b int); DROP TABLE gone; SELECT 1;');
  const refusal = (sqlstate: string): Refusal => ({ sqlstate, because: '', evidence: [] });
  const { surprises } = await prove(given, [], {}, new Map([[1, refusal('42P07')], [2, refusal('42704')], [3, refusal('55000')]]));
  expect(surprises.map(({ ordinal: at, predicted, seen }) => [at, predicted?.sqlstate, seen?.sqlstate])).toEqual([[2, '42704', '42P01'], [3, '55000', undefined]]);
});

test('a refused statement takes its transaction along: a block of the text, of the tool, of one message', async () => {
  const text = 'CREATE TABLE a (i int); SELECT 1/0; CREATE TABLE b (i int);';
  const seen = async (given: History): Promise<unknown> => {
    const after = claim(given, 'TABLE b', says('SELECT 1', 'after'));
    const last = claim(given, 'SELECT 7', says("SELECT concat_ws(' ', to_regclass('a'), to_regclass('b'))", 'after'));
    const { verdicts, surprises } = await prove(given, [after, last]);
    return [verdicts.get(after)?.kind, verdicts.get(last)?.says, surprises.map(one => one.seen?.sqlstate)];
  };
  expect(await seen(history(text, 'SELECT 7'))).toEqual(['confirmed', 'a b', ['22012']]);
  expect(await seen(history(`BEGIN; ${text} COMMIT;`, 'SELECT 7'))).toEqual(['unproven', '', ['22012']]);
  expect(await seen(scoped(history(text, 'SELECT 7'), { scope: 'migration' }))).toEqual(['unproven', '', ['22012']]);
  expect(await seen(scoped(history(text, 'SELECT 7'), { protocol: 'simple-string' }))).toEqual(['unproven', '', ['22012']]);
});

test('a statement after COMMIT in one message begins a new implicit transaction', async () => {
  const given = scoped(history('CREATE TABLE a (i int); COMMIT; CREATE TABLE b (i int); SELECT 1/0;', 'SELECT 7'), { protocol: 'simple-string' });
  const last = claim(given, 'SELECT 7', says("SELECT concat_ws(' ', to_regclass('a'), to_regclass('b'))", 'after'));
  expect((await prove(given, [last])).verdicts.get(last)?.says).toBe('a');
});

test('each psql file is a session of its own', async () => {
  const given = history('CREATE SCHEMA app; SET search_path = app; CREATE TEMP TABLE x (a int); BEGIN;', 'SELECT 7');
  const last = claim(given, 'SELECT 7', says("SELECT current_setting('search_path') || coalesce(to_regclass('x')::text, '')", 'after'));
  expect((await prove(given, [last])).verdicts.get(last)?.says).toBe('"$user", public');
});

test('a statement that takes too long is a gap; the history goes on where it stood, and settings reach copies', async () => {
  const given = history('SET search_path = app, public; CREATE TABLE t (a int); BEGIN; INSERT INTO t VALUES (1); COMMIT; SELECT pg_sleep(60); INSERT INTO t VALUES (2); COPY t FROM stdin; SELECT 7;');
  const here = claim(given, 'SELECT 7', says("SELECT count(*) || current_setting('search_path') FROM t", 'after'));
  const there = claim(given, 'SELECT 7', says("SELECT count(*) || current_setting('search_path') FROM t", 'after', 'copy'));
  const slow = claim(given, 'SELECT 7', says('SELECT pg_sleep(60)', 'after'));
  const again = claim(given, 'SELECT 7', says('SELECT count(*) FROM t', 'after'));
  const { verdicts, gaps, surprises } = await prove(given, [here, there, slow, again], { statementTimeout: 1_500 });
  expect([here, there, again].map(one => verdicts.get(one)?.says)).toEqual(['2app, public', '2app, public', '2']);
  expect(verdicts.get(slow)).toEqual({ kind: 'unproven', says: 'A statement of the experiment was ended: mvlint ended the statement after 1.5 s.' });
  expect(gaps.map(gap => gap.because)).toEqual(['the statement was left out: mvlint ended the statement after 1.5 s', expect.stringContaining('COPY FROM stdin')]);
  expect(surprises).toEqual([]);
});

test('past the budget nothing is tried', async () => {
  const one = claim(changing, 'ages', twice('copy'));
  expect((await prove(changing, [one], { budget: 0 })).verdicts.get(one)).toEqual({ kind: 'unproven', says: 'not tried, time' });
});

test('a claim whose statement is refused is unproven afterwards and may be tried before', async () => {
  const given = history('DROP TABLE gone;');
  const before = claim(given, 'gone', says('DROP TABLE gone', 'before'));
  const after = claim(given, 'gone', says('SELECT 1', 'after'));
  const { verdicts } = await prove(given, [before, after]);
  expect(verdicts.get(before)?.says).toBe('42P01');
  expect(verdicts.get(after)).toEqual({ kind: 'unproven', says: 'Postgres refuses the statement: table "gone" does not exist.' });
});

test('roles and extensions that the laboratory lacks are stood in for, and said', async () => {
  const given = history('CREATE ROLE made; CREATE EXTENSION IF NOT EXISTS postgis; COMMENT ON EXTENSION postgis IS \'x\'; CREATE TABLE t (a int); GRANT SELECT ON t TO made, "Re porting"; ALTER TABLE t OWNER TO app;');
  const { surprises, gaps } = await prove(given, []);
  expect(surprises).toEqual([]);
  expect(gaps.map(gap => gap.because)).toEqual([
    'the history does not make the role "Re porting"; the laboratory made it', 'the history does not make the role app; the laboratory made it',
    'the statement was left out: the laboratory has no extension postgis', 'the statement was left out: the laboratory has no extension postgis',
  ]);
});

test('for another version a verdict says where it was seen; an experiment that throws is unproven', async () => {
  const one = claim(changing, 'orders', says('SELECT 1', 'after'));
  const two = claim(changing, 'orders', { at: 'after', isolation: 'savepoint', run: () => Promise.reject(new Error('oh')) });
  const { verdicts } = await prove(changing, [one, two], { postgres: 15 });
  expect(verdicts.get(one)?.says).toBe('1 (on PostgreSQL 18)');
  expect(verdicts.get(two)).toEqual({ kind: 'unproven', says: 'The experiment failed: oh' });
});

test('a long history is copied by its data directory, not by sending it again', async () => {
  const given = history(`CREATE TABLE t (a int); SET search_path = public; CREATE ROLE r; ${Array.from({ length: 200 }, (_, at) => `INSERT INTO t VALUES (${at});`).join(' ')} SET ROLE r; SELECT 7;`);
  const one = claim(given, 'SELECT 7', says("SELECT current_user || current_setting('search_path')", 'after', 'copy'));
  const two = claim(given, 'SELECT 7', { at: 'after', isolation: 'copy', run: async lab => {
    await lab.run('RESET ROLE');
    return { kind: 'confirmed', says: String(await value(lab, 'SELECT count(*) FROM t')) };
  } });
  const { verdicts } = await prove(given, [one, two]);
  expect([one, two].map(each => verdicts.get(each)?.says)).toEqual(['rpublic', '200']);
});
