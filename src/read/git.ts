import type { Files } from '../model.ts';
import { compareCodeUnits, normalizePath, within } from './paths.ts';

/**
 * Git is run without a shell, without locks, without the user's external diff programs, and in English so that errors can be told apart.
 */
function git(folder: string, args: readonly string[],
  input?: string): { readonly ok: true; readonly out: Buffer } | { readonly ok: false; readonly error: string } {
  try {
    // Loaded when git is first asked for: it brings the modules of sockets along.
    const out = process.getBuiltinModule('node:child_process').execFileSync('git', args, {
      cwd: folder, input: input ?? '', maxBuffer: 1 << 30, stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', GIT_NO_LAZY_FETCH: '1' },
    });
    return { ok: true, out };
  } catch (failure) {
    const { code, stderr } = failure as { code?: string; stderr?: Buffer };
    if (code === 'ENOENT') return { ok: false, error: 'git is not installed, or the folder is missing' };
    return { ok: false, error: stderr?.toString().trim().split('\n').at(-1) ?? 'git failed' };
  }
}

const words = (out: Buffer): string[] => out.toString().split('\0').filter(word => word !== '');

/** The commit a name stands for, or undefined. */
export function resolveRevision(repo: string, revision: string): string | undefined {
  const answer = git(repo, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`]);
  return answer.ok ? answer.out.toString().trim() || undefined : undefined;
}

const batchBytes = 64 << 20;

/**
 * The files of a commit, beneath `repo` (which may be a folder inside a work tree). Links and submodules are left out. An unknown revision
 * is
 * an empty tree: ask `resolveRevision` first to tell them apart. Blobs come in batches of one file extension, one git process each.
 */
export function gitFiles(repo: string, revision: string): Files {
  const commit = resolveRevision(repo, revision);
  const answer = commit === undefined ? undefined : git(repo, ['ls-tree', '-r', '-z', '-l', commit]);
  const blobs = new Map<string, { readonly hash: string; readonly size: number }>();
  for (const line of answer?.ok === true ? words(answer.out) : []) {
    const tab = line.indexOf('\t');
    const [mode = '', , hash = '', size = '0'] = line.slice(0, tab).split(/ +/);
    if (mode.startsWith('100')) blobs.set(line.slice(tab + 1), { hash, size: Number(size) });
  }
  const sorted = [...blobs.keys()].sort(compareCodeUnits);
  const loaded = new Map<string, Uint8Array>();
  const load = (path: string): void => {
    const extension = path.slice(path.lastIndexOf('.'));
    const batch = new Set<string>();
    let bytes = 0;
    for (const other of [path, ...sorted.filter(name => name.endsWith(extension))]) {
      const blob = blobs.get(other);
      if (blob === undefined || loaded.has(blob.hash) || batch.has(blob.hash) || (batch.size > 0 && bytes + blob.size > batchBytes)) {
        continue;
      }
      batch.add(blob.hash);
      bytes += blob.size;
    }
    const content = git(repo, ['cat-file', '--batch'], [...batch].join('\n') + '\n');
    if (!content.ok) return;
    let at = 0;
    for (let end = content.out.indexOf(10, at); end >= 0; end = content.out.indexOf(10, at)) {
      const [hash = '', kind, size = '0'] = content.out.toString('latin1', at, end).split(' ');
      at = end + 1;
      if (kind !== 'blob') continue;
      loaded.set(hash, content.out.subarray(at, at + Number(size)));
      at += Number(size) + 1;
    }
  };
  return {
    list: under => {
      const start = normalizePath(under);
      return start === undefined ? [] : sorted.filter(path => within(start, path) && path !== start);
    },
    read: path => {
      const clean = normalizePath(path) ?? '';
      const hash = blobs.get(clean)?.hash;
      if (hash === undefined) return undefined;
      if (!loaded.has(hash)) load(clean);
      return loaded.get(hash);
    },
  };
}

export type Changed =
  | { readonly ok: true; /** The merge base. */ readonly base: string; /** Relative to the folder asked about. */ readonly paths: ReadonlySet<string> }
  | { readonly ok: false; readonly error: string };

const usualBases = ['origin/HEAD', 'origin/main', 'origin/master', 'main', 'master'];

/**
 * The files beneath `repo` that are new or changed since the merge base of `base` and HEAD: committed, staged, unstaged and untracked ones;
 * deleted ones are not there to report on. Without `base` the usual names of the main branch are tried. `files` narrows the answer.
 * The error is one line that names the culprit and the cure.
 */
export function changedSince(repo: string, base?: string, files?: Files | readonly string[]): Changed {
  const inside = git(repo, ['rev-parse', '--is-inside-work-tree']);
  if (!inside.ok) {
    return { ok: false, error: inside.error.includes('not a git repository')
      ? `${repo} is not inside a git repository, so nothing says what changed` : inside.error };
  }
  if (resolveRevision(repo, 'HEAD') === undefined) {
    return { ok: false, error: 'the repository has no commit yet, so nothing says what changed' };
  }
  const name = base ?? usualBases.find(candidate => resolveRevision(repo, candidate) !== undefined);
  if (name === undefined) return { ok: false, error: `none of ${usualBases.join(', ')} exists; name the base branch` };
  const shallow = git(repo, ['rev-parse', '--is-shallow-repository']);
  const cure = shallow.ok && shallow.out.toString().trim() === 'true'
    ? '; the clone is shallow: fetch the whole history (git fetch --unshallow, or fetch-depth: 0)' : '';
  const commit = resolveRevision(repo, name);
  if (commit === undefined) return { ok: false, error: `git knows no revision ${JSON.stringify(name)}${cure || '; fetch it first'}` };
  const mergeBase = git(repo, ['merge-base', commit, 'HEAD']);
  if (!mergeBase.ok) return { ok: false, error: `${JSON.stringify(name)} and HEAD have no common ancestor here${cure}` };
  const from = mergeBase.out.toString().trim();
  const tracked = git(repo, ['diff', '--name-only', '-z', '--diff-filter=d', '--no-renames', '--no-ext-diff', '--relative', from]);
  const untracked = git(repo, ['ls-files', '--others', '--exclude-standard', '-z']);
  if (!tracked.ok) return tracked;
  if (!untracked.ok) return untracked;
  const paths = new Set([...words(tracked.out), ...words(untracked.out)]);
  if (files === undefined) return { ok: true, base: from, paths };
  const known = new Set('list' in files ? files.list('') : files);
  return { ok: true, base: from, paths: new Set([...paths].filter(path => known.has(path))) };
}
