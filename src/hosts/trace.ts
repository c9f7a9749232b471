import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { openScratchDatabase, trace, type Trace } from '../index.ts';
import { traceMarkdown, traceText } from '../report/trace.ts';
import { readArguments, type Arguments } from './arguments.ts';
import { colorful, toStdout } from './check.ts';
import { databaseUrl, lend } from './database.ts';
import { openMigrations } from './opened.ts';
import { scopeOf, splitBase } from './scope.ts';
import { UsageError } from './usage.ts';
import { version } from './version.ts';

/** More rows than this would take longer than anybody waits, on an embedded server. */
const mostRows = 1_000_000;

/**
 * `mvlint trace [paths…]`: the migrations on a throwaway Postgres, statement by statement: locks, times, rows, write-ahead log, catalog. What is named or in scope
 * is told, everything before it runs, too. Exit status 0, whatever Postgres refuses; all else is an error of use.
 */
export async function traceCommand(argv: readonly string[]): Promise<number> {
  const words = readArguments(argv, ['color', 'no-color', 'debug', 'quiet', 'format', 'tool', 'config', 'no-config', 'isolated', 'changed', 'since', 'pending', 'db', 'rows',
    'i-know-this-database-is-disposable']);
  const format = words.choice('format', ['text', 'json', 'markdown']) ?? 'text';
  const rows = rowsOf(words);
  const url = words.has('db') ? databaseUrl(words.last('db'), '--db') : undefined;
  const disposable = words.has('i-know-this-database-is-disposable');
  if (disposable && url === undefined) throw new UsageError('--i-know-this-database-is-disposable is about a database; name it with --db');
  const cwd = process.cwd();
  const { base, paths } = splitBase(words.words, cwd, path => existsSync(resolve(cwd, path)));
  if (paths.includes('-')) throw new UsageError('trace does not read stdin: name the files');
  const { sources, sessions, position, placed } = await openMigrations(words, cwd, paths);
  const histories = sessions.flatMap(({ session }) => session.histories);
  if (!histories.some(({ migrations }) => migrations.length > 0)) throw new UsageError(`nothing to trace: no migrations found from ${cwd}; name their folder`);
  if (url !== undefined && histories.length > 1) throw new UsageError(`--db is one database, but ${histories.length} histories were read; name the paths of one`);
  const { only } = scopeOf(words, base, sessions.map(({ session }) => session), sources);

  const traces = await lend('starting the server', async () => (url === undefined ? undefined : openScratchDatabase(url, disposable)), async (database, progress) => {
    const found: Trace[] = [];
    for (const { project, session } of sessions) {
      const { searchPath } = project.session ?? {};
      found.push(...await trace(session, {
        progress, rows, ...(only === undefined ? {} : { only }), ...(database === undefined ? {} : { database }), ...(searchPath === undefined ? {} : { searchPath }),
      }));
    }
    return found;
  });

  const { display } = sources;
  if (format === 'json') {
    await toStdout(`${JSON.stringify({ version: 1, tool: { name: 'mvlint', version: version() }, traces: placed(shown(traces, display)) }, undefined, 2)}\n`);
    return 0;
  }
  const rendered = traces.map(one => (format === 'markdown' ? traceMarkdown(one, { position, display }) : traceText(one, { position, display }, colorful(words))));
  await toStdout(rendered.join('\n'));
  return 0;
}

/** Paths of migrations as the working directory names them; those of spans are placed with them. */
const shown = (traces: readonly Trace[], display: (path: string) => string): readonly Trace[] =>
  traces.map(one => ({ ...one, migrations: one.migrations.map(migration => ({ ...migration, path: display(migration.path) })) }));

function rowsOf(words: Arguments): number {
  const text = words.last('rows') ?? '0';
  const rows = Number(text);
  if (!/^\d+$/.test(text) || rows > mostRows) throw new UsageError(`--rows is a whole number up to ${mostRows}, not '${text}'`);
  return rows;
}
