import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readSnapshot, takeSnapshot, type Catalog } from '../index.ts';
import { readArguments } from './arguments.ts';
import { toStdout } from './check.ts';
import { databaseUrl, withDatabase } from './database.ts';
import { UsageError } from './usage.ts';
import { version } from './version.ts';

/** `mvlint snapshot --db <url> [--output <file>]`: the catalog of a database as JSON, for `--catalog`. Exit status 0; all else is an error of use. */
export async function snapshotCommand(argv: readonly string[]): Promise<number> {
  const words = readArguments(argv, ['db', 'output', 'quiet', 'debug']);
  const [stray] = words.words.filter(word => word.option === undefined);
  if (stray !== undefined) throw new UsageError(`snapshot takes no paths; the file it writes is given with --output`);
  const url = databaseUrl(words.last('db'), '--db');
  const text = await withDatabase(url, (session, say) => {
    say('reading the catalog');
    return takeSnapshot(session, version());
  }, words.has('quiet'));
  const output = words.last('output');
  if (output === undefined) await toStdout(text);
  else
    try {
      mkdirSync(dirname(resolve(output)), { recursive: true });
      writeFileSync(resolve(output), text);
    } catch (error) {
      throw new UsageError(`${output} cannot be written: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
    }
  return 0;
}

/** The catalog that a file keeps; `session` wins over the one it was taken in. */
export function readCatalogFile(file: string, session: { readonly searchPath?: readonly string[]; readonly role?: string } = {}): Catalog {
  let text: string;
  try {
    text = readFileSync(resolve(file), 'utf8');
  } catch (error) {
    throw new UsageError(`--catalog: ${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  const read = readSnapshot(text, session);
  if (!read.ok) throw new UsageError(`--catalog: ${file}: ${read.problem}`);
  return read.catalog;
}
