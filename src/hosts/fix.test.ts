/** `--fix` as people run it, in a git repository: what is new is edited, what is shipped stays. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const cli = join(import.meta.dirname, '../../dist/cli.cjs');
let scratch = '';
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'mvlint-fix-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:GIT_|GITHUB_|CI|VITEST|NODE_OPTIONS)/.test(name)));
const shipped = "create table orders (id bigint primary key, placed_at timestamptz not null, note text not null);\ncreate materialized view all_notes as select array_agg(note) as notes from orders;\n";
const fresh = "\ufeffcreate materialized view daily as\r\n  select date_trunc('day', placed_at) as day, string_agg(note, ', ') as notes from orders group by 1;\r\n";

let serial = 0;
function repository(): { readonly folder: string; readonly run: (...words: string[]) => { status: number | null; err: string } } {
  const folder = join(scratch, `r${(serial += 1)}`);
  mkdirSync(join(folder, 'db'), { recursive: true });
  const git = (...words: string[]): unknown => execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'init.defaultBranch=main', ...words], { cwd: folder, env, stdio: 'pipe' });
  git('init', '-q');
  writeFileSync(join(folder, 'db/001.sql'), shipped);
  git('add', '-A');
  git('commit', '-qm', 'first');
  writeFileSync(join(folder, 'db/002.sql'), fresh);
  return { folder, run: (...words) => {
    const { status, stderr } = spawnSync(process.execPath, [cli, 'db', '--preset', 'all', ...words], { cwd: folder, encoding: 'utf8', env });
    return { status, err: stderr };
  } };
}
const text = (folder: string, file: string): string => readFileSync(join(folder, 'db', file), 'utf8');

test('what is new is edited, with its line ends and its byte order mark', () => {
  const { folder, run } = repository();
  const { status, err } = run('--fix');
  expect([status, err]).toEqual([0, 'mvlint: 3 fixed in 1 file; 1 left in migrations that are shipped (--fix-shipped edits them)\n']);
  expect(text(folder, '002.sql')).toBe("\ufeffcreate materialized view daily as\r\n  select date_trunc('day', placed_at, 'UTC') as day, string_agg(note, ', ' ORDER BY note) as notes from orders group by 1;\r\n"
    + 'CREATE UNIQUE INDEX daily_day_key ON daily (day);\r\n');
  expect(text(folder, '001.sql')).toBe(shipped);
  expect(run('--fix').err).toMatch(/^mvlint: 0 fixed in 0 files/);
});

test('a dry run writes nothing and shows the lines', () => {
  const { folder, run } = repository();
  const { err } = run('--fix-dry-run');
  expect(err).toContain("+  select date_trunc('day', placed_at, 'UTC') as day");
  expect(err).toContain('3 fixed in 1 file, not written');
  expect(text(folder, '002.sql')).toBe(fresh);
});

test('--fix-shipped edits all', () => {
  const { folder, run } = repository();
  expect(run('--fix-shipped').err).toBe('mvlint: 4 fixed in 2 files\n');
  expect(text(folder, '001.sql')).toContain('array_agg(note ORDER BY note)');
});

test('without git nobody knows what is shipped; stdin is no file', () => {
  const folder = join(scratch, 'plain');
  mkdirSync(folder);
  writeFileSync(join(folder, '001.sql'), shipped);
  const run = (words: readonly string[], input: string): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, [cli, ...words], { cwd: folder, encoding: 'utf8', input, env: { ...env, GIT_CEILING_DIRECTORIES: scratch } });
  const plain = run(['--fix', '001.sql'], '');
  expect([plain.status, plain.stderr.split('\n').length]).toEqual([2, 2]);
  expect(plain.stderr).toContain('--fix-shipped edits all the same');
  expect(run(['--fix-shipped', '001.sql'], '').status).toBe(0);
  expect(run(['--fix-shipped', '-'], shipped).stderr).toContain('stdin');
});
