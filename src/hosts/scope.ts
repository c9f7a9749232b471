import { changedSince, pathsOf, resolveRevision, type Migration, type Session } from '../index.ts';
import type { Arguments, Word } from './arguments.ts';
import { globToRegExp } from './glob.ts';
import type { Sources } from './sources.ts';
import { UsageError } from './usage.ts';

/** Which migrations are reported on, and which of them go out together. */
export interface Scope {
  readonly only?: (migration: Migration) => boolean;
  readonly pending?: (migration: Migration) => boolean;
}

/**
 * `--changed main` and `--changed=main` mean the same, but `--changed db` means the folder: the word after it is a base when git knows it as a commit and no
 * file has that name. Returns the base and the words that remain as paths.
 */
export function splitBase(words: readonly Word[], cwd: string, exists: (path: string) => boolean): { readonly base: string | undefined; readonly paths: readonly string[] } {
  let base: string | undefined;
  const paths: string[] = [];
  words.forEach((word, index) => {
    const before = words[index - 1];
    if (word.option === 'changed') base = word.value ?? base;
    else if (word.option !== undefined || word.value === undefined) return;
    else if (before?.option === 'changed' && before.value === undefined && !exists(word.value) && resolveRevision(cwd, word.value) !== undefined) base = word.value;
    else paths.push(word.value);
  });
  return { base, paths };
}

/** The pull request's base branch where a CI says it; the usual names are tried otherwise. */
function baseOfCi(cwd: string): string | undefined {
  const target = process.env['GITHUB_BASE_REF'] || process.env['CI_MERGE_REQUEST_TARGET_BRANCH_NAME'];
  return target === undefined || target === '' ? undefined : [`origin/${target}`, target].find(name => resolveRevision(cwd, name) !== undefined);
}

/** Throws `UsageError` when git cannot answer, or nothing has the name that was given. */
export function scopeOf(words: Arguments, base: string | undefined, sessions: readonly Session[], sources: Sources): Scope {
  const histories = sessions.flatMap(session => session.histories);
  const batch: ((migration: Migration) => boolean)[] = [];
  const all = histories.flatMap(history => history.migrations);
  if (words.has('changed')) {
    const changed = changedSince(sources.root, base ?? baseOfCi(sources.root));
    if (!changed.ok) throw new UsageError(`--changed: ${changed.error}`);
    batch.push(migration => [...pathsOf(migration)].some(path => changed.paths.has(path)));
  }
  const since = words.last('since');
  if (since !== undefined) {
    const later = new Set<Migration>();
    for (const { migrations } of histories) {
      const first = migrations.findIndex(migration => named(migration, since, sources));
      if (first >= 0) for (const migration of migrations.slice(first)) later.add(migration);
    }
    if (later.size === 0 && all.length > 0) throw new UsageError(`--since: no migration is named '${since}'; the last one is '${all.at(-1)?.id ?? ''}'`);
    batch.push(migration => later.has(migration));
  }
  const globs = words.all('pending');
  if (globs.length > 0) {
    const patterns = globs.flatMap(glob => glob.split(/,(?![^{]*\})/)).map(glob => ({ glob, pattern: globToRegExp(glob) }));
    const matches = (migration: Migration, pattern: RegExp): boolean => handles(migration, sources).some(handle => pattern.test(handle));
    for (const { glob, pattern } of patterns)
      if (all.length > 0 && !all.some(migration => matches(migration, pattern))) throw new UsageError(`--pending: no migration matches '${glob}'`);
    batch.push(migration => patterns.some(({ pattern }) => matches(migration, pattern)));
  }
  const pending = batch.length === 0 ? undefined : remembered(migration => batch.every(holds => holds(migration)));
  return pending === undefined ? {} : { only: pending, pending };
}

/** The names people know a migration by. */
function handles(migration: Migration, { display }: Sources): readonly string[] {
  const name = migration.path.slice(migration.path.lastIndexOf('/') + 1);
  return [migration.id, migration.path, display(migration.path), name];
}
function named(migration: Migration, wanted: string, sources: Sources): boolean {
  const plain = wanted.replace(/^\.\//, '');
  return handles(migration, sources).some(handle => handle === plain || handle.replace(/\.[^./]+$/, '') === plain);
}

function remembered(holds: (migration: Migration) => boolean): (migration: Migration) => boolean {
  const answers = new Map<Migration, boolean>();
  return migration => {
    const known = answers.get(migration);
    if (known !== undefined) return known;
    const answer = holds(migration);
    answers.set(migration, answer);
    return answer;
  };
}
