import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takesCache } from './loading.ts';

const root = join(import.meta.dirname, '../..');
const demo = join(root, 'fixtures/projects/demo');
let scratch = '';
let dist = '';

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'mvlint-loading-'));
  dist = join(scratch, 'dist');
  cpSync(join(root, 'dist'), dist, { recursive: true });
  cpSync(join(root, 'package.json'), join(scratch, 'package.json'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const caches = (): readonly string[] => readdirSync(dist).filter(name => name.endsWith('.cache'));

function check(...options: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, [...options, join(dist, 'cli.cjs'), '--format', 'json', demo], { encoding: 'utf8' });
}

test('what mvlint says does not depend on the code cache: with it, with other flags of V8, with a damaged one, without one', () => {
  expect(caches()).toHaveLength(1);
  const usual = check();
  expect(usual).toMatchObject({ status: 1, stderr: '' });
  expect(check('--stack-size=900')).toEqual(expect.objectContaining({ status: 1, stdout: usual.stdout, stderr: '' }));
  for (const name of caches()) writeFileSync(join(dist, name), 'no code');
  expect(check()).toEqual(expect.objectContaining({ status: 1, stdout: usual.stdout, stderr: '' }));
  for (const name of caches()) rmSync(join(dist, name));
  expect(check()).toEqual(expect.objectContaining({ status: 1, stdout: usual.stdout, stderr: '' }));
}, 60_000);

test('the code cache is taken, and another one is not', () => {
  expect(takesCache(join(dist, 'commands.cjs'))).toBe(true);
  for (const name of caches()) writeFileSync(join(dist, name), 'no code');
  expect(takesCache(join(dist, 'commands.cjs'))).toBe(false);
  for (const name of caches()) rmSync(join(dist, name));
  expect(takesCache(join(dist, 'commands.cjs'))).toBe(false);
});

test('a command line without its commands says so', () => {
  rmSync(join(dist, 'commands.cjs'));
  const { status, stdout, stderr } = check();
  expect({ status, stdout, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, stdout: '', lines: 1 });
  expect(stderr).toMatch(/^mvlint: it cannot be loaded: /);
});

test('a parser that is damaged where only a call sees it is a crash of the replay, not a refusal of the SQL', () => {
  const file = join(dist, 'libpg-query.wasm');
  const bytes = readFileSync(file);
  for (let at = 600_000; at < 660_000; at += 400) bytes[at] = 0xff;
  writeFileSync(file, bytes);
  const { status, stdout } = check();
  expect(status).toBe(2);
  expect((JSON.parse(stdout) as { crashes: unknown[] }).crashes).toEqual([expect.objectContaining({ rule: 'replay', because: expect.stringMatching(/^CompileError: /) })]);
});

test('modules from elsewhere are loaded: the client of databases, a configuration that is a module', () => {
  const config = join(scratch, 'mvlint.config.mjs');
  writeFileSync(config, "export default { rules: { 'no-such-rule': 'off' } };\n");
  const says = (...words: readonly string[]): string => spawnSync(process.execPath, [join(root, 'dist/cli.cjs'), ...words], { encoding: 'utf8' }).stderr;
  expect(says('inventory', '--db', 'postgres://127.0.0.1:1/none')).toBe('mvlint: no server listens on 127.0.0.1:1\n');
  expect(says('check', '--config', config, demo)).toContain('no-such-rule');
});

test('errors of use are one line and status 2 either way', () => {
  const wrong = (): object => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(dist, 'cli.cjs'), 'check', '--postgres', '3'], { encoding: 'utf8' });
    return { status, stdout, lines: stderr.trim().split('\n').length, begins: stderr.startsWith('mvlint: --postgres') };
  };
  const expected = { status: 2, stdout: '', lines: 1, begins: true };
  expect(wrong()).toEqual(expected);
  for (const name of caches()) rmSync(join(dist, name));
  expect(wrong()).toEqual(expected);
});
