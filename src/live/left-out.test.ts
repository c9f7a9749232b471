import { afterAll, expect, test } from 'vitest';
import { turns } from '../catalog/order.ts';
import { KeptServers } from '../dev/kept-servers.ts';
import type { Claim, Experiment, Finding, History, Unit, Verdict } from '../model.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { proveClaims, type Proof, type ProveOptions } from './prove.ts';
import { failed, LiveSession } from './session.ts';

const servers = new KeptServers();
afterAll(() => servers.close());

const history = (files: readonly string[]): History =>
  readHistories(memoryFiles(Object.fromEntries(files.map((text, at) => [`${String(at + 1).padStart(3, '0')}.sql`, text]))), { tool: 'psql' }).histories[0] as History;
const inOneTransaction = (given: History): History => ({
  ...given, migrations: given.migrations.map(migration => ({
    ...migration, up: migration.up.map((unit): Unit => ({ ...unit, scope: 'migration', scopeId: migration.id })),
  })),
});
/** A claim at the last statement of a history, which says what a query answers. */
function saying(given: History, sql: string, isolation: Experiment['isolation'] = 'savepoint', kind: Verdict['kind'] = 'confirmed'): Claim {
  const finding: Finding = { history: 'h', rule: 'r', severity: 'error', message: 'm', span: { path: '001.sql', start: 0, end: 1 }, evidence: [], fixes: [], also: [], fingerprint: '' };
  const run: Experiment['run'] = async lab => {
    const answer = await lab.run(sql);
    return { kind, says: failed(answer) ? answer.message : String(Object.values(answer.rows[0] ?? {})[0]) };
  };
  return { finding, ordinal: [...turns(given)].length - 1, experiment: { at: 'after', isolation, run } };
}
const prove = (given: History, claims: readonly Claim[], options: Partial<ProveOptions> = {}): Promise<Proof> =>
  proveClaims(given, claims, new Map(), { budget: 120_000, postgres: 18, host: servers, ...options });
const because = ({ gaps }: Proof): readonly string[] => gaps.map(gap => gap.because);

test('a statement that hangs in the middle of 120 migrations costs its time limit and little more; everything around it stands', async () => {
  const files = Array.from({ length: 120 }, (_, at) => `CREATE TABLE t${at} (a int); INSERT INTO t${at} SELECT generate_series(1, ${at});${at === 70 ? ' SELECT pg_sleep(3600);' : ''} SET work_mem = '${at + 64}kB';`);
  const given = inOneTransaction(history(files));
  const rows = Array.from({ length: 120 }, (_, at) => `SELECT count(*) AS n FROM t${at}`).join(' UNION ALL ');
  const counted = saying(given, `SELECT count(*) || ' ' || sum(n) || ' ' || current_setting('work_mem') FROM (${rows}) AS x`);
  const copied = saying(given, `SELECT count(*) || ' ' || sum(n) FROM (${rows}) AS x`, 'copy');
  const quick = await timed(() => prove(inOneTransaction(history(files.map(text => text.replace('3600', '0')))), []));
  const slow = await timed(() => prove(given, [counted, copied], { statementTimeout: 2_000 }));
  expect(because(slow.result)).toEqual(['the statement was left out: mvlint ended the statement after 2 s']);
  expect(slow.result.surprises).toEqual([]);
  expect([counted, copied].map(one => slow.result.verdicts.get(one)?.says)).toEqual(['120 7140 183kB', '120 7140']);
  // Two seconds of waiting, a new server, what stands after the last checkpoint, a copy: not the whole history once more. A busy machine gets three times that.
  expect(slow.ms - quick.ms).toBeLessThan(2_000 + Math.max(8_000, quick.ms * 2));
}, 120_000);

test('after a checkpoint the session comes back from it, with its settings and what came after', async () => {
  const session = await LiveSession.open({}, servers);
  for (const sql of ['CREATE ROLE app', 'CREATE TABLE t (a int)', 'GRANT ALL ON t TO app', "SET work_mem = '5MB'", 'SET search_path = public, pg_temp', 'SET ROLE app']) await session.send(sql);
  await session.checkpoint(true);
  for (const sql of ['INSERT INTO t VALUES (1)', 'BEGIN', 'INSERT INTO t VALUES (2)']) await session.send(sql);
  expect(await session.send('SELECT pg_sleep(60)', { limit: 1_000 })).toMatchObject({ sqlstate: '57014', ended: true });
  expect(session.transaction).toBe('open');
  await session.send('COMMIT');
  const seen = await session.send("SELECT sum(a) || current_setting('work_mem') || current_setting('search_path') || current_user AS seen FROM t");
  expect(seen).toEqual({ rows: [{ seen: '35MBpublic, pg_tempapp' }] });
  await session.end();
});

async function timed<T>(run: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const started = performance.now();
  const result = await run();
  return { result, ms: performance.now() - started };
}

test.each([['SELECT pg_sleep(60)'], ["COPY t TO '/etc/out'"], ["DO $$ BEGIN EXECUTE 'cop' || 'y t to program ''id'''; END $$"]])('inside a transaction %s is left out and the rest of it commits', async hostile => {
  const given = inOneTransaction(history([`CREATE TABLE t (a int); INSERT INTO t VALUES (1); ${hostile}; INSERT INTO t VALUES (2);`, 'INSERT INTO t VALUES (3); SELECT 1;']));
  const one = saying(given, 'SELECT sum(a) FROM t');
  const proof = await prove(given, [one], { statementTimeout: 1_500 });
  expect(proof.verdicts.get(one)?.says).toBe('6');
  expect(because(proof)).toEqual([expect.stringMatching(/^the statement was left out: mvlint (?:ended the statement after 1.5 s|did not send the statement)/)]);
  expect(proof.surprises).toEqual([]);
});

test('the rows of a COPY are loaded, in a copy too', async () => {
  const given = history(["CREATE TABLE t (a int, b text);\nCOPY t (b, a) FROM stdin;\none\t1\n\\N\t2\ntab\\there\t3\n\\.\nCOPY t FROM STDIN WITH (FORMAT csv);\n4,\"a, b\"\n\\.\nCOPY t FROM stdin;\n\\.\n\nSELECT 1;"]);
  const sql = "SELECT string_agg(a || coalesce(b, '-'), ' ' ORDER BY a) FROM t";
  const claims = [saying(given, sql), saying(given, sql, 'copy')];
  const { verdicts, gaps, surprises } = await prove(given, claims);
  expect(claims.map(one => verdicts.get(one)?.says)).toEqual(['1one 2- 3tab\there 4a, b', '1one 2- 3tab\there 4a, b']);
  expect({ gaps, surprises }).toEqual({ gaps: [], surprises: [] });
});

test('rows that do not fit are refused as Postgres refuses them, and nothing waits for them', async () => {
  const proof = await prove(history(['CREATE TABLE t (a int);\nCOPY t FROM stdin;\nmany\n\\.\nSELECT 1;']), []);
  expect(proof.surprises.map(({ seen }) => seen?.sqlstate)).toEqual(['22P02']);
});

const places = `CREATE EXTENSION postgis;
  CREATE TABLE places (id int PRIMARY KEY, at geometry(Point, 4326));
  CREATE INDEX places_at ON places USING gist (at);
  CREATE TABLE plain (id int);
  CREATE MATERIALIZED VIEW near AS SELECT id, st_x(at) FROM places;
  CREATE MATERIALIZED VIEW ids AS SELECT id FROM plain;`;

test.each([[history([places])], [inOneTransaction(history([places]))]])('what needs a missing extension is left out, in a transaction too, and is no surprise', async given => {
  const seen = saying(given, "SELECT to_regclass('plain') || ' ' || to_regclass('ids') || coalesce(to_regclass('places')::text, '')");
  const refuted = saying(given, 'SELECT 1', 'savepoint', 'refuted');
  const proof = await prove(given, [seen, refuted]);
  expect(proof.surprises).toEqual([]);
  expect(because(proof)).toEqual([
    'the statement was left out: the laboratory has no extension postgis', expect.stringContaining('needs what an extension brings that the laboratory has not (postgis): type "geometry" does not exist'),
    expect.stringContaining('needs what was left out before it: relation "places" does not exist'), expect.stringContaining('relation "places" does not exist'),
  ]);
  expect(proof.verdicts.get(seen)?.says).toBe('plain ids');
  expect(proof.verdicts.get(refuted)).toMatchObject({ kind: 'unproven', says: expect.stringContaining('statements before it were left out') });
});

test('a refusal that has nothing to do with what was left out stays one', async () => {
  const proof = await prove(inOneTransaction(history(['CREATE EXTENSION postgis; CREATE TABLE t (a int); SELECT b FROM t; CREATE TABLE u (a int);', 'SELECT 1/0;'])), []);
  expect(proof.surprises.map(({ seen }) => seen?.sqlstate)).toEqual(['42703', '22012']);
});

test('a COMMIT that is refused is said', async () => {
  const given = inOneTransaction(history(['CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED); INSERT INTO c VALUES (1);', 'SELECT 1;']));
  expect((await prove(given, [])).surprises.map(({ seen }) => seen?.sqlstate)).toEqual(['23503']);
});

test('each experiment says how long it took', async () => {
  const given = history(['SELECT 1;']);
  const claims = [saying(given, 'SELECT pg_sleep(0.2)'), saying(given, 'SELECT pg_sleep(0.2)', 'copy')];
  const { timings } = await prove(given, claims);
  expect(timings.map(({ claim }) => claim)).toEqual(claims);
  for (const { ms } of timings) expect(ms).toBeGreaterThan(190);
});
