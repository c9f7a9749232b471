/**
 * What the change is measured against: the merge base and the changed lines, from git and the event that started the workflow.
 */
import { spawnSync } from 'node:child_process';
import type { ChangedLines } from './report.ts';

/** The part of GitHub's event payload that is read. */
export interface GitHubEvent {
  readonly before?: string;
  readonly merge_group?: { readonly base_sha?: string };
  readonly pull_request?: { readonly number?: number; readonly base?: { readonly sha?: string }; readonly head?: { readonly sha?: string } };
}

/** A commit to compare with, or why there is none. */
export type Base = { readonly sha: string } | { readonly none: string };

/** Runs git without ever asking for a password; undefined when it fails or is not installed. */
export function git(cwd: string, ...args: readonly string[]): string | undefined {
  const run = spawnSync('git', args, {
    cwd, encoding: 'utf8', maxBuffer: 1 << 30, timeout: 120_000, env: { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' },
  });
  return run.status === 0 ? run.stdout : undefined;
}

const shaOf = (cwd: string, revision: string): string | undefined => git(cwd, 'rev-parse', '--verify', '--quiet', `${revision}^{commit}`)?.trim();

/** The parents a commit names, whether or not a shallow clone has them. */
function parents(cwd: string, sha: string): readonly string[] {
  const header = (git(cwd, 'cat-file', 'commit', sha) ?? '').split('\n\n')[0] ?? '';
  return [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].map(match => match[1] ?? '');
}

/**
 * The commit that a change is compared with.
 * A pull request is checked out as a merge commit (HEAD is GITHUB_SHA): its first parent is the target branch, so the comparison is the pull request and nothing
 * else. A clone of depth 1 lacks that parent; one fetch of depth 2 brings it. Everything else compares with the commit that the event names.
 */
export function findBase(cwd: string, event: GitHubEvent, githubSha: string | undefined): Base {
  const head = shaOf(cwd, 'HEAD');
  if (!head) return { none: 'the working directory is not a git repository with a commit' };
  const named = event.pull_request?.base?.sha ?? event.merge_group?.base_sha ?? event.before;
  const known = parents(cwd, head);
  const isMerge = event.pull_request !== undefined && head === githubSha && known.length === 2;
  const wanted = isMerge ? known[0] : named;
  if (!wanted || /^0+$/.test(wanted)) return { none: 'the event that started this workflow names no commit to compare with' };

  const reachable = (): boolean => shaOf(cwd, wanted) !== undefined && git(cwd, 'merge-base', wanted, head) !== undefined;
  if (reachable()) return { sha: wanted };
  const shallow = git(cwd, 'rev-parse', '--is-shallow-repository')?.trim() === 'true';
  if (shallow && isMerge && git(cwd, 'fetch', '--quiet', '--no-tags', '--no-recurse-submodules', '--depth=2', 'origin', head) !== undefined && reachable())
    return { sha: wanted };
  return { none: shallow ? `the clone is shallow and lacks ${wanted.slice(0, 12)}; give actions/checkout fetch-depth: 0` : `the clone lacks ${wanted.slice(0, 12)}` };
}

/** The lines that HEAD adds or edits since it left `base`, by path relative to the repository. */
export function changedLines(cwd: string, base: string): ChangedLines {
  const from = git(cwd, 'merge-base', base, 'HEAD')?.trim() ?? base;
  const diff = git(cwd, '-c', 'core.quotePath=false', 'diff', '--unified=0', '--no-color', '--no-ext-diff', '--no-renames', '--src-prefix=a/', '--dst-prefix=b/', from, 'HEAD');
  const changed = new Map<string, [number, number][]>();
  let ranges: [number, number][] = [];
  let inHeader = false; // an added line may itself read `+++ b/…`
  for (const line of (diff ?? '').split('\n')) {
    if (line.startsWith('diff --git ')) inHeader = true;
    if (inHeader && line.startsWith('+++ b/')) {
      ranges = [];
      changed.set(line.slice(6).replace(/\t$/, ''), ranges);
    }
    const hunk = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (!hunk) continue;
    inHeader = false;
    const count = Number(hunk[2] ?? 1);
    if (count > 0) ranges.push([Number(hunk[1]), Number(hunk[1]) + count - 1]);
  }
  return changed;
}
