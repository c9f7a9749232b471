/**
 * What rules say about waiting, each claim once, between sessions of real servers. That somebody waits is read from pg_blocking_pids, that
 * nobody does from an answer under a lock_timeout.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { serverForTests, testedMajors, untilWaiting, type Answer, type Session } from './lock-sessions.ts';

const schema = [
  'DROP SCHEMA public CASCADE', 'CREATE SCHEMA public', 'DROP SCHEMA IF EXISTS archive CASCADE', 'CREATE SCHEMA archive',
  'CREATE TABLE sales (day date, total numeric)',
  "INSERT INTO sales VALUES ('2024-01-01', 1)",
  'CREATE MATERIALIZED VIEW daily AS SELECT day, total FROM sales', 'CREATE UNIQUE INDEX daily_key ON daily (day)',
  'CREATE MATERIALIZED VIEW other AS SELECT day, total FROM sales', 'CREATE UNIQUE INDEX other_key ON other (day)',
  "INSERT INTO sales VALUES ('2024-01-02', 2)",
];
/** No test waits for long: a deadlock is looked for early, and whoever waits for nothing gives up. */
const settings = ["SET statement_timeout = '5s'", "SET deadlock_timeout = '50ms'"];
const readDaily = 'SELECT count(*)::int AS n FROM daily';
const plain = 'REFRESH MATERIALIZED VIEW daily';
const concurrent = 'REFRESH MATERIALIZED VIEW CONCURRENTLY daily';

interface Waiting {
  /** The sessions it waits for, by letter. */
  readonly behind: string;
  readonly answer: Promise<Answer>;
}

const rowsOf = (answer: Answer): unknown => answer.rows[0]?.['n'] ?? answer.sqlstate;

describe.each(testedMajors)('PostgreSQL %i', major => {
  const server = serverForTests(major);
  let sessions: Session[] = [];
  let [a, b, c]: [Session, Session, Session] = [undefined!, undefined!, undefined!];

  beforeAll(async () => {
    if (server.missing) return;
    await server.start();
    sessions = await Promise.all([1, 2, 3, 4].map(() => server.session()));
    [a, b, c] = sessions as [Session, Session, Session];
  });
  beforeEach(async () => {
    if (server.missing) return;
    for (const session of sessions) await session.run('ROLLBACK', 'RESET ALL', ...settings);
    expect((await a.run(...schema)).sqlstate).toBeUndefined();
  });
  afterEach(async () => {
    // Whoever still waits gives up, or the next test would wait for it.
    await sessions[3]?.run("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state = 'active'");
  });
  afterAll(() => server.stop());
  const it = test.skipIf(server.missing);

  /** Sends a statement and returns when it waits: for whom, and its answer to come. */
  async function waits(session: Session, sql: string): Promise<Waiting> {
    const answer = session.run(sql);
    const pids = await untilWaiting(sessions[3]!.client, session.pid);
    return { behind: pids.map(pid => 'abc'[sessions.findIndex(other => other.pid === pid)]).join(), answer };
  }

  /** The answer of a statement that does not wait: 55P03 if it does. */
  async function atOnce(session: Session, sql: string): Promise<unknown> {
    await session.run("SET lock_timeout = '50ms'");
    const answer = await session.run(sql);
    await session.run('RESET lock_timeout');
    return rowsOf(answer);
  }

  it('a SELECT waits behind a plain REFRESH until its transaction ends, and reads the new rows', async () => {
    await a.run('BEGIN', plain, 'SELECT 1');
    const { behind, answer } = await waits(b, readDaily);
    expect(behind).toBe('a');
    await a.run('COMMIT');
    expect(rowsOf(await answer)).toBe(2);
  });

  it('a SELECT does not wait behind REFRESH CONCURRENTLY, and reads the old rows until it commits', async () => {
    await a.run('BEGIN', concurrent);
    expect(await atOnce(b, readDaily)).toBe(1);
    await a.run('COMMIT');
    expect(await atOnce(b, readDaily)).toBe(2);
  });

  it('a plain REFRESH shows its rows to an older snapshot, one CONCURRENTLY does not', async () => {
    for (const [refresh, seen] of [[concurrent, 1], [plain, 2]] as const) {
      await a.run(...schema);
      await b.run('BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT FROM other');
      await a.run(refresh);
      expect(rowsOf(await b.run(readDaily))).toBe(seen);
      expect(rowsOf(await b.run('SELECT count(*)::int AS n FROM sales'))).toBe(2);
      await b.run('ROLLBACK');
    }
  });

  it.each([
    plain, 'ALTER MATERIALIZED VIEW daily RENAME TO daily_old', 'DROP MATERIALIZED VIEW daily', 'DROP INDEX daily_key',
    'ALTER MATERIALIZED VIEW daily SET SCHEMA archive',
  ])('behind an open reader waits %s, and behind that every new reader, until it gives up', async sql => {
    await a.run('BEGIN', readDaily);
    await b.run("SET lock_timeout = '800ms'");
    const first = await waits(b, sql);
    expect(first.behind).toBe('a');
    const second = await waits(c, readDaily);
    expect(second.behind).toBe('b');
    expect((await first.answer).sqlstate).toBe('55P03');
    expect(rowsOf(await second.answer)).toBe(1);
  });

  it('what needs no lock against readers does not queue them', async () => {
    await a.run('BEGIN', readDaily);
    expect(await atOnce(b, concurrent)).toBeUndefined();
    expect(await atOnce(c, readDaily)).toBe(2);
  });

  it('a refresh holds its view from its first moment, while it still waits for a table', async () => {
    await a.run('BEGIN', 'ALTER TABLE sales ADD COLUMN note text');
    const refresh = await waits(b, plain);
    expect(refresh.behind).toBe('a');
    const reader = await waits(c, readDaily);
    expect(reader.behind).toBe('b');
    await a.run('ROLLBACK');
    expect((await refresh.answer).sqlstate).toBeUndefined();
    expect(rowsOf(await reader.answer)).toBe(2);
  });

  it('writers of the tables beneath go on during a refresh, changes of those tables wait', async () => {
    for (const refresh of [plain, concurrent]) {
      await a.run('BEGIN', refresh);
      expect(await atOnce(b, "INSERT INTO sales VALUES ('2024-01-03', 3)")).toBeUndefined();
      expect(await atOnce(b, 'ALTER TABLE sales ADD COLUMN note text')).toBe('55P03');
      await a.run('ROLLBACK');
    }
  });

  it('two refreshes of one view come one after the other, and both succeed', async () => {
    for (const [first, second] of [[concurrent, concurrent], [plain, plain], [concurrent, plain], [plain, concurrent]] as const) {
      await a.run('BEGIN', first);
      const { behind, answer } = await waits(b, second);
      expect(behind).toBe('a');
      await a.run('COMMIT');
      expect((await answer).sqlstate).toBeUndefined();
    }
  });

  it.each(['', 'CONCURRENTLY '])('two transactions that refresh %stwo views in opposite orders deadlock', async how => {
    const refresh = (name: string): string => `REFRESH MATERIALIZED VIEW ${how}${name}`;
    await a.run('BEGIN', refresh('daily'));
    await b.run('BEGIN', refresh('other'));
    const { behind, answer } = await waits(a, refresh('other'));
    expect(behind).toBe('b');
    const crossed = b.run(refresh('daily')).then(async done => (await b.run('ROLLBACK'), done));
    expect([(await answer).sqlstate, (await crossed).sqlstate].filter(state => state !== undefined)).toEqual(['40P01']);
  });

  it('two transactions that read a view and then refresh it plainly deadlock', async () => {
    await a.run('BEGIN', readDaily);
    await b.run('BEGIN', readDaily);
    const { answer } = await waits(a, plain);
    const crossed = b.run(plain).then(async done => (await b.run('ROLLBACK'), done));
    expect([(await answer).sqlstate, (await crossed).sqlstate].filter(state => state !== undefined)).toEqual(['40P01']);
  });

  it('CREATE INDEX on a view keeps refreshes waiting and no reader; a refresh keeps CREATE INDEX waiting', async () => {
    await a.run('BEGIN', 'CREATE INDEX ON daily (total)');
    expect(await atOnce(b, readDaily)).toBe(1);
    for (const refresh of [plain, concurrent]) expect(await atOnce(b, refresh)).toBe('55P03');
    await a.run('ROLLBACK', 'BEGIN', concurrent);
    expect(await atOnce(b, 'CREATE INDEX ON daily (total)')).toBe('55P03');
  });

  it('REINDEX keeps readers waiting, although it locks the view itself in a mode that lets them go on', async () => {
    await a.run('BEGIN', 'REINDEX TABLE daily');
    expect((await waits(b, readDaily)).behind).toBe('a');
  });

  it('a GRANT that commits while a refresh waits for it makes the refresh fail, or succeed', async () => {
    for (const [refresh, expected] of [[concurrent, 'XX000'], [plain, major >= 18 ? undefined : 'XX000']] as const) {
      await a.run('BEGIN', 'GRANT SELECT ON daily TO PUBLIC');
      const { behind, answer } = await waits(b, refresh);
      expect(behind).toBe('a');
      await a.run('COMMIT');
      expect((await answer).sqlstate).toBe(expected);
    }
  });

  it('whoever needs a table that the transaction changed waits for the refresh after it', async () => {
    await a.run('BEGIN', 'ALTER TABLE sales ADD COLUMN note text', concurrent);
    for (const use of ['SELECT FROM sales', "INSERT INTO sales VALUES ('2024-01-03', 3)"]) expect(await atOnce(b, use)).toBe('55P03');
    await a.run('COMMIT');
    expect(await atOnce(b, 'SELECT FROM sales')).toBeUndefined();
  });

  it('filling a new view blocks no reader and no writer; what the transaction took before is held meanwhile', async () => {
    const create = 'CREATE MATERIALIZED VIEW next AS SELECT * FROM sales';
    await a.run('BEGIN', create);
    const insert = "INSERT INTO sales VALUES ('2024-01-03', 3)";
    for (const use of ['SELECT FROM sales', insert, concurrent]) expect(await atOnce(b, use)).toBeUndefined();
    expect(await atOnce(b, 'ALTER TABLE sales ADD COLUMN note text')).toBe('55P03');
    await a.run('ROLLBACK', 'BEGIN', 'ALTER TABLE sales ADD COLUMN note text', create);
    expect(await atOnce(b, 'SELECT FROM sales')).toBe('55P03');
  });

  it('a view that is dropped and created in one transaction makes readers wait; between two, they fail', async () => {
    const create = 'CREATE MATERIALIZED VIEW daily AS SELECT day, total FROM sales';
    await a.run('BEGIN', 'DROP MATERIALIZED VIEW daily', create);
    const { behind, answer } = await waits(b, readDaily);
    expect(behind).toBe('a');
    await a.run('COMMIT');
    expect(rowsOf(await answer)).toBe(2);
    await a.run('DROP MATERIALIZED VIEW daily');
    expect(rowsOf(await b.run(readDaily))).toBe('42P01');
  });

  it('a swap in one transaction makes readers wait for the two renames, and then read the new generation', async () => {
    const swap = ['ALTER MATERIALIZED VIEW daily RENAME TO daily_old', 'ALTER MATERIALIZED VIEW next RENAME TO daily'];
    await a.run('CREATE MATERIALIZED VIEW next AS SELECT * FROM sales', 'BEGIN', ...swap);
    const { behind, answer } = await waits(b, readDaily);
    expect(behind).toBe('a');
    await a.run('COMMIT');
    expect(rowsOf(await answer)).toBe(2);
  });

  it('a swap in two transactions leaves a gap, and its second half waits for whoever reads', async () => {
    await a.run('CREATE MATERIALIZED VIEW next AS SELECT * FROM sales', 'ALTER MATERIALIZED VIEW daily RENAME TO daily_old');
    expect(rowsOf(await b.run(readDaily))).toBe('42P01');
    await b.run('BEGIN', 'SELECT FROM next');
    expect((await waits(a, 'ALTER MATERIALIZED VIEW next RENAME TO daily')).behind).toBe('b');
  });

  it('a view that is emptied and filled in one transaction makes readers wait; emptied alone, it refuses them', async () => {
    await a.run('BEGIN', `${plain} WITH NO DATA`, plain);
    const { behind, answer } = await waits(b, readDaily);
    expect(behind).toBe('a');
    await a.run('COMMIT');
    expect(rowsOf(await answer)).toBe(2);
    await a.run(`${plain} WITH NO DATA`);
    expect(rowsOf(await b.run(readDaily))).toBe('55000');
  });

  describe('a trigger that refreshes', () => {
    const trigger = (refresh: string, table = 'sales'): readonly string[] => [
      `CREATE FUNCTION refresh_${table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${refresh}; RETURN NULL; END $$`,
      `CREATE TRIGGER changed AFTER INSERT ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION refresh_${table}()`,
    ];
    const insert = "INSERT INTO sales VALUES ('2024-02-01', 1)";

    it('keeps the next writer waiting until the first one commits, in both forms', async () => {
      for (const refresh of [plain, concurrent]) {
        await a.run(...schema, ...trigger(refresh), 'BEGIN', insert);
        const { behind, answer } = await waits(b, "INSERT INTO sales VALUES ('2024-02-02', 1)");
        expect(behind).toBe('a');
        await a.run('COMMIT');
        expect((await answer).sqlstate).toBeUndefined();
      }
    });

    it('keeps readers of the view waiting with a plain refresh only', async () => {
      await a.run(...trigger(plain), 'BEGIN', insert);
      expect(await atOnce(b, readDaily)).toBe('55P03');
      await a.run('ROLLBACK', ...schema, ...trigger(concurrent), 'BEGIN', insert);
      expect(await atOnce(b, readDaily)).toBe(1);
    });

    it('deadlocks with writers that reach two such views in different orders', async () => {
      const another = trigger('REFRESH MATERIALIZED VIEW CONCURRENTLY other', 'costs');
      await a.run('CREATE TABLE costs (n int)', ...trigger(concurrent), ...another);
      await a.run('BEGIN', insert);
      await b.run('BEGIN', 'INSERT INTO costs VALUES (1)');
      const { answer } = await waits(a, 'INSERT INTO costs VALUES (2)');
      const crossed = b.run("INSERT INTO sales VALUES ('2024-02-02', 1)").then(async done => (await b.run('ROLLBACK'), done));
      expect([(await answer).sqlstate, (await crossed).sqlstate].filter(state => state !== undefined)).toEqual(['40P01']);
    });

    it('fails the write when the refresh fails', async () => {
      await a.run('DROP INDEX daily_key', ...trigger(concurrent));
      expect(rowsOf(await b.run(insert))).toBe('55000');
    });
  });
});
