import { connectDatabase, type DatabaseSession } from '../index.ts';
import { UsageError } from './usage.ts';

/** The URL that an option names: itself, or `env` for MVLINT_DATABASE_URL, which keeps a password out of the list of processes. Nothing of it is ever repeated. */
export function databaseUrl(given: string | undefined, option: string): string {
  const { MVLINT_DATABASE_URL: variable } = process.env;
  if (given === undefined || given === 'env') {
    if (variable) return variable;
    throw new UsageError(given === 'env' ? `${option} env: MVLINT_DATABASE_URL is not set` : `${option} needs a database URL, or env for MVLINT_DATABASE_URL`);
  }
  if (!/^postgres(?:ql)?:\/\//.test(given)) throw new UsageError(`${option} takes a URL that begins with postgresql://, or env for MVLINT_DATABASE_URL`);
  return given;
}

const unitBytes: Readonly<Record<string, number>> = { bytes: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 };

/** What counts as small and as huge, in bytes: `100MB` and `10GB` unless the configuration says otherwise. Throws `UsageError` for what is no size. */
export function sizesOf({ small = '100MB', huge = '10GB' }: { readonly small?: string; readonly huge?: string } = {}): { readonly small: number; readonly huge: number } {
  const bytes = (key: string, text: string): number => {
    const [, count, unit = 'bytes'] = /^\s*(\d+(?:\.\d+)?)\s*(bytes|kB|MB|GB|TB)?\s*$/i.exec(text) ?? [];
    if (count === undefined) throw new UsageError(`sizes.${key} is a size such as 100MB or 10GB, not '${text}'`);
    return Number(count) * (unitBytes[unit.toLowerCase()] ?? 1);
  };
  return { small: bytes('small', small), huge: bytes('huge', huge) };
}

/** Says what is going on, where somebody watches: one line on stderr that is written over. */
export function progressLine(): { readonly say: (message: string) => void; readonly clear: () => void } {
  if (process.stderr.isTTY !== true) return { say: () => undefined, clear: () => undefined };
  return {
    say: message => process.stderr.write(`\r\x1b[K${message.slice(0, (process.stderr.columns ?? 80) - 1)}`),
    clear: () => process.stderr.write('\r\x1b[K'),
  };
}

/** A connection as `lend` needs it. */
interface Lent {
  readonly clean: (text: string) => string;
  cancel(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a connection (or none), lends it, and closes it. Ctrl-C cancels what the server runs for us and ends with 130. A server that cannot be had is a
 * `UsageError`; no error holds the URL or a password, nor does its stack.
 */
export async function lend<D extends Lent | undefined, T>(says: string, open: () => Promise<D>, use: (database: D, say: (message: string) => void) => Promise<T>): Promise<T> {
  const progress = progressLine();
  let database: Lent | undefined;
  const interrupted = (): void => {
    progress.clear();
    void Promise.race([database?.cancel(), new Promise(done => setTimeout(done, 1_000))]).finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  try {
    progress.say(says);
    const opened = await open();
    database = opened;
    return await use(opened, progress.say);
  } catch (error) {
    if (error instanceof Error && (error.name === 'ServerUnavailable' || error.name === 'LiveUnavailable')) throw new UsageError(error.message);
    if (error instanceof Error && database !== undefined) {
      const { clean } = database;
      error.message = clean(error.message);
      if (error.stack !== undefined) error.stack = clean(error.stack);
    }
    throw error;
  } finally {
    process.off('SIGINT', interrupted);
    progress.clear();
    await database?.close();
  }
}

/** Lends somebody's database, which is only read, and says afterwards what is to be known about it. */
export async function withDatabase<T>(url: string, use: (session: DatabaseSession, say: (message: string) => void) => Promise<T>, quiet = false): Promise<T> {
  let notes: readonly string[] = [];
  const result = await lend('connecting', () => connectDatabase(url), async (session, say) => {
    const answer = await use(session, say);
    notes = session.notes;
    return answer;
  });
  if (!quiet) for (const note of notes) process.stderr.write(`mvlint: note: ${note}\n`);
  return result;
}
