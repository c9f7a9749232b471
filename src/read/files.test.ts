import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { diskFiles, filterFiles, memoryFiles, overlayFiles } from './files.ts';
import { changedSince, gitFiles, resolveRevision } from './git.ts';
import { readHistories, sourceText } from './read.ts';
import { readSource } from './text.ts';

const made: string[] = [];
const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'mvlint-read-'));
  made.push(path);
  return path;
};
afterAll(() => made.forEach(path => rmSync(path, { recursive: true, force: true })));
const text = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : Buffer.from(bytes).toString());

test('disk: sorted, inside the root, loops end, nothing that is no file', () => {
  const outside = folder();
  writeFileSync(join(outside, 'secret.sql'), 'SELECT 1;');
  const root = folder();
  for (const path of ['b/x.sql', 'a/y.sql', 'node_modules/z.sql', '.git/q.sql', 'dir.sql']) {
    mkdirSync(join(root, path), { recursive: true });
  }
  writeFileSync(join(root, 'b/x.sql/1.sql'), 'one');
  writeFileSync(join(root, 'a.sql'), 'a');
  symlinkSync('.', join(root, 'b/loop'));
  symlinkSync('../b', join(root, 'a/again'));
  symlinkSync(outside, join(root, 'out'));
  symlinkSync(join(outside, 'secret.sql'), join(root, 'out.sql'));
  symlinkSync('a.sql', join(root, 'in.sql'));
  symlinkSync('gone.sql', join(root, 'dangling.sql'));
  const files = diskFiles(root);
  expect(files.list('')).toEqual(['a.sql', 'a/again/x.sql/1.sql', 'b/x.sql/1.sql', 'in.sql']);
  expect(files.list('b')).toEqual(['b/x.sql/1.sql']);
  expect(files.list('nowhere')).toEqual([]);
  expect(['a.sql', 'in.sql', './b/../a.sql', 'b/loop/x.sql/1.sql'].map(path => text(files.read(path)))).toEqual(['a', 'a', 'a', 'one']);
  for (const path of ['out.sql', 'out/secret.sql', '../secret.sql', join(outside, 'secret.sql'), 'dir.sql', 'dangling.sql', 'none.sql',
      '']) {
    expect(files.read(path)).toBeUndefined();
  }
  expect(diskFiles(join(root, 'nowhere')).list('')).toEqual([]);
});

test('text at once says what the bytes say: a BOM stays, and what is not whole UTF-8 or holds a NUL is left to the bytes', () => {
  const root = folder();
  const whole = { 'plain.sql': 'SELECT 1;\r\n', 'bom.sql': '\ufeffSELECT 2;', 'wide.sql': "SELECT 'ä🎉';", 'empty.sql': '' };
  const others: Record<string, Buffer> = {
    'latin1.sql': Buffer.from('SELECT \xe4;', 'latin1'), 'cut.sql': Buffer.from('🎉').subarray(0, 3), 'utf16.sql': Buffer.from('\ufeffSELECT', 'utf16le'),
    'nul.sql': Buffer.from('SELECT\0'), 'replaced.sql': Buffer.from("SELECT '\ufffd';"),
  };
  for (const [path, content] of [...Object.entries(whole), ...Object.entries(others)]) writeFileSync(join(root, path), content);
  symlinkSync('plain.sql', join(root, 'link.sql'));
  const files = diskFiles(root);
  const { readText, ...slow } = files;
  for (const [path, content] of Object.entries(whole)) expect(readText?.(path)).toBe(content);
  for (const path of [...Object.keys(others), 'link.sql', 'none.sql', '../none.sql', '']) expect(readText?.(path)).toBeUndefined();
  for (const path of [...Object.keys(whole), ...Object.keys(others), 'link.sql']) expect(readSource(files, path)).toEqual(readSource(slow, path));
  const edited = overlayFiles(memoryFiles({ 'plain.sql': 'SELECT 3;' }), files);
  expect(['plain.sql', 'bom.sql'].map(path => sourceText(edited, path))).toEqual(['SELECT 3;', '\ufeffSELECT 2;']);
  expect(sourceText(filterFiles(files, path => path !== 'bom.sql'), 'bom.sql')).toBeUndefined();
});

test('overlay and memory', () => {
  const files = overlayFiles(memoryFiles({ './a.sql': 'new' }), memoryFiles({ 'a.sql': 'old', 'b/c.sql': 'c', '../d.sql': 'd' }));
  expect(files.list('')).toEqual(['a.sql', 'b/c.sql']);
  expect([text(files.read('a.sql')), text(files.read('b/c.sql')), files.read('d.sql')]).toEqual(['new', 'c', undefined]);
});

test('git: a commit as files, what changed since the merge base, and errors that say what to do', () => {
  const root = folder();
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false', ...args],
    { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  const write = (path: string, content: string): void => writeFileSync(join(root, path), content);
  git('init', '-q', '-b', 'main');
  expect(changedSince(root)).toEqual({ ok: false, error: expect.stringContaining('no commit yet') });
  mkdirSync(join(root, 'sub'));
  write('old.sql', 'old');
  write('sub/ü b.sql', 'first');
  write('gone.sql', 'gone');
  symlinkSync('old.sql', join(root, 'link.sql'));
  git('add', '.');
  git('commit', '-q', '-m', 'one');
  git('checkout', '-q', '-b', 'work');
  write('sub/ü b.sql', 'second');
  write('committed.sql', 'x');
  git('add', '.');
  git('rm', '-q', 'gone.sql');
  git('commit', '-q', '-m', 'two');
  write('untracked.sql', 'x');
  write('staged.sql', 'x');
  git('add', 'staged.sql');
  const files = gitFiles(root, 'main');
  expect(files.list('')).toEqual(['gone.sql', 'old.sql', 'sub/ü b.sql']);
  expect([files.read('sub/ü b.sql'), files.read('old.sql'), files.read('committed.sql')].map(text)).toEqual(['first', 'old', undefined]);
  expect(gitFiles(join(root, 'sub'), 'main').list('')).toEqual(['ü b.sql']);
  expect(gitFiles(root, '--output=x').list('')).toEqual([]);
  const changed = changedSince(root, 'main');
  expect(changed).toMatchObject({ ok: true, base: resolveRevision(root, 'main') });
  expect(changed.ok && [...changed.paths].toSorted()).toEqual(['committed.sql', 'staged.sql', 'sub/ü b.sql', 'untracked.sql']);
  const below = changedSince(join(root, 'sub'));
  expect(below.ok && [...below.paths]).toEqual(['ü b.sql']);
  expect(changedSince(root, 'nowhere')).toEqual({ ok: false, error: 'git knows no revision "nowhere"; fetch it first' });
  const shallow = folder();
  execFileSync('git', ['clone', '-q', '--depth', '1', '-b', 'work', `file://${root}`, shallow], { stdio: 'ignore' });
  expect(changedSince(shallow, 'main')).toEqual({ ok: false, error: expect.stringContaining('fetch-depth: 0') });
  expect(changedSince(folder(), 'main')).toEqual({ ok: false, error: expect.stringContaining('not inside a git repository') });
});

test('hostile sources: CRLF, BOM, nothing, comments only, wrong bytes, UTF-16, binary', () => {
  const latin = Buffer.from('SELECT \'caf\xe9\'; SELECT 2;', 'latin1');
  const files = memoryFiles({
    'm/1.sql': '\uFEFFSELECT 1;\r\n\r\nSELECT\r\n  2;\r\n', 'm/2.sql': '', 'm/3.sql': '-- nothing\n/* at all */', 'm/4.sql': latin,
    'm/5.sql': Buffer.from('\uFEFFSELECT 1;', 'utf16le'), 'm/6.sql': Buffer.from('SELECT 1;\0'), 'm/7.sql': ';;;',
      'm/8.sql': 'SELECT \'😀é\'; SELECT 2',
  });
  const [history] = readHistories(files).histories;
  const all = history?.migrations.map(({ up }) => up.flatMap(({ statements }) => statements)) ?? [];
  expect(all.map(statements => statements.map(({ sql }) => sql))).toEqual([['SELECT 1', 'SELECT\r\n  2'], [], [],
    ['SELECT \'caf\uFFFD\'', 'SELECT 2'], [], [], [], ['SELECT \'😀é\'', 'SELECT 2']]);
  for (const { sql, span } of all.flat()) expect(sourceText(files, span.path)?.slice(span.start, span.end)).toBe(sql);
  expect(history?.gaps.map(({ span, because }) => `${span.path}:${span.start} ${because.slice(0, 11)}`)).toEqual(['m/4.sql:11 Bytes that ',
    'm/5.sql:0 UTF-16 file', 'm/6.sql:0 Binary file']);
  expect(readHistories(files, { paths: ['m/6.sql'] }).problems).toEqual([expect.stringContaining('m/6.sql: Binary file')]);
});

test('ten megabytes are read in a moment', () => {
  const files = memoryFiles({ 'm/1.sql': 'INSERT INTO t VALUES (1, \'some text\');\n'.repeat(260_000),
    'm/2.sql': `SELECT 1 -- ${'x'.repeat(5_000_000)}` });
  const start = performance.now();
  expect(readHistories(files).histories[0]?.migrations[0]?.up[0]?.statements).toHaveLength(260_000);
  expect(performance.now() - start).toBeLessThan(8000);
});
