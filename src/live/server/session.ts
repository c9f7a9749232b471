import type { QueryConfig } from 'pg';
import type { SqlFailure } from '../../model.ts';
import { connect, usualBounds, type Bounds, type Connection } from './connect.ts';
import type { Surroundings } from './parameters.ts';
import { failureOf, ServerUnavailable } from './problems.ts';
import { catalogStatements, explainPrefix, statements, type StatementName } from './statements.ts';

export type Row = Readonly<Record<string, unknown>>;
export type Answer = readonly Row[] | SqlFailure;

/** Whether an answer is a refusal. */
export function refused(answer: Answer): answer is SqlFailure {
  return 'sqlstate' in answer;
}

/** Asks one listed statement. A refusal is an answer; it rejects only when the connection is gone. */
export type Asker = (name: StatementName, ...parameters: readonly (string | null)[]) => Promise<Answer>;

/** What one transaction can be asked. */
export interface Reading {
  readonly ask: Asker;
  /** One of the statements of `introspect`. */
  readonly listed: (sql: string) => Promise<readonly Row[]>;
  /** The plan of a view's own query, by oid. Whoever calls it has made sure that planning runs nobody's code. */
  readonly explain: (oid: string) => Promise<Answer>;
}

/** Somebody's database, read only. */
export interface ReadSession {
  readonly major: number;
  readonly role: string;
  readonly database: string;
  readonly standby: boolean;
  /** What a new session of the role has, as text. */
  readonly searchPath: string;
  /** What people should know about how it is read: two layers of three, a standby. */
  readonly notes: readonly string[];
  note(text: string): void;
  /** Runs one read-only transaction. After a refusal the next statement begins another one. */
  read<T>(use: (reading: Reading) => Promise<T>): Promise<T>;
  readonly clean: (text: string) => string;
  cancel(): Promise<void>;
  close(): Promise<void>;
}

const oldest = 14;

/** Why a server of this `server_version_num` is not read; undefined when it is. */
export function tooOld(version: number): string | undefined {
  if (version >= oldest * 10_000) return undefined;
  const shown = version >= 100_000 ? String(Math.floor(version / 10_000)) : `${Math.floor(version / 10_000)}.${Math.floor(version / 100) % 100}`;
  return `the server is PostgreSQL ${shown}; mvlint reads ${oldest} and later`;
}

/** Connects and asks who answers. Rejects with ServerUnavailable: one line that says why, without URL and passwords. */
export async function openSession(uri: string, bounds: Bounds = usualBounds, surroundings?: Surroundings): Promise<ReadSession> {
  const connection = await connect(uri, bounds, surroundings);
  const lost = (error: unknown): ServerUnavailable => {
    const { message } = failureOf(error);
    const says = message === 'Query read timeout' ? 'the server takes too long to answer' : `the connection to the database ended: ${message}`;
    return new ServerUnavailable(connection.clean(says.replace(/\s*\n\s*/g, ' ')));
  };
  const transaction = transactions(connection, bounds, lost);
  const about = await transaction(({ ask }) => ask('server')).catch(async (error: unknown) => {
    await connection.close();
    throw error;
  });
  const [row] = refused(about) ? [] : about;
  if (refused(about) || row === undefined) {
    await connection.close();
    throw new ServerUnavailable(connection.clean(`the server does not say what it is: ${refused(about) ? about.message : 'no answer'}`));
  }
  const version = Number(row['version']);
  const major = Math.floor(version / 10_000);
  const old = tooOld(version);
  if (old !== undefined) {
    await connection.close();
    throw new ServerUnavailable(old);
  }
  const standby = row['standby'] === true;
  const more: string[] = [];
  return {
    major, role: String(row['role']), database: String(row['database']), standby, searchPath: String(row['search_path'] ?? ''), clean: connection.clean,
    get notes() {
      return [
        ...(connection.layers === 2 ? ['read only by two layers of three: the pooler takes no default_transaction_read_only at the start'] : []),
        ...(standby ? ['the server is a standby: scans and readers are those of the standby'] : []), ...connection.notes, ...more,
      ];
    },
    note: text => void (more.includes(text) || more.push(text)),
    read: transaction,
    cancel: () => connection.cancel(),
    close: () => connection.close(),
  };
}

function transactions({ client, clean }: Connection, bounds: Bounds, lost: (error: unknown) => ServerUnavailable): ReadSession['read'] {
  let open = false;
  const send = async (sql: string, parameters: readonly (string | null)[] = []): Promise<Answer> => {
    try {
      // The extended protocol takes one statement at a time, whatever stands in its text.
      return (await client.query<Row>({ text: sql, values: [...parameters], queryMode: 'extended' } as QueryConfig)).rows;
    } catch (error) {
      const { code, message, severity } = failureOf(error);
      if (severity === undefined || code === undefined || severity === 'FATAL' || severity === 'PANIC') throw lost(error);
      return { sqlstate: code, message: clean(message) };
    }
  };
  const demand = async (sql: string, parameters?: readonly string[]): Promise<void> => {
    const answer = await send(sql, parameters);
    if (refused(answer)) throw lost(new Error(answer.message));
  };
  const inTransaction = async (sql: string, parameters: readonly (string | null)[] = []): Promise<Answer> => {
    if (!open) {
      await demand(statements.begin.sql);
      open = true;
      await demand(statements.bounds.sql, [bounds.statement, bounds.lock, bounds.idle].map(String));
    }
    const answer = await send(sql, parameters);
    if (refused(answer)) {
      open = false;
      await demand(statements.rollback.sql);
    }
    return answer;
  };
  const end = async (): Promise<void> => {
    if (!open) return;
    open = false;
    await demand(statements.commit.sql);
  };
  const run = async <T>(use: (reading: Reading) => Promise<T>): Promise<T> => {
    const ask: Asker = (name, ...parameters) => inTransaction(statements[name].sql, parameters);
    const result = await use({
      ask,
      async listed(sql) {
        if (!catalogStatements.has(sql)) throw new Error(`not a listed statement: ${sql}`);
        const answer = await inTransaction(sql);
        if (refused(answer)) throw new ServerUnavailable(`the catalog cannot be read: ${answer.message}`);
        return answer;
      },
      async explain(oid) {
        const answer = await ask('viewDefinition', oid);
        if (refused(answer)) return answer;
        return inTransaction(explainPrefix + String(answer[0]?.['definition'] ?? '').trim().replace(/;$/, ''));
      },
    });
    await end();
    return result;
  };
  // One connection holds one transaction: whoever asks meanwhile waits.
  let last: Promise<unknown> = Promise.resolve();
  return use => {
    const mine = last.then(() => run(use)).catch(async (error: unknown) => {
      if (open) {
        open = false;
        await send(statements.rollback.sql).catch(() => undefined);
      }
      throw error;
    });
    last = mine.catch(() => undefined);
    return mine;
  };
}
