import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

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
  return spawnSync(process.execPath, [...options, join(dist, 'cli.js'), '--format', 'json', demo], { encoding: 'utf8' });
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

test('the code cache is taken: without the modules it is all there is', () => {
  for (const name of readdirSync(dist)) if (/^commands-.*\.js$/.test(name)) rmSync(join(dist, name));
  expect(check()).toMatchObject({ status: 1, stderr: '' });
  for (const name of caches()) rmSync(join(dist, name));
  expect(check()).toMatchObject({ status: 2, stdout: '' });
});

test('modules from elsewhere are loaded: the client of databases, a configuration that is a module', () => {
  const config = join(scratch, 'mvlint.config.mjs');
  writeFileSync(config, "export default { rules: { 'no-such-rule': 'off' } };\n");
  const says = (...words: readonly string[]): string => spawnSync(process.execPath, [join(root, 'dist/cli.js'), ...words], { encoding: 'utf8' }).stderr;
  expect(says('inventory', '--db', 'postgres://127.0.0.1:1/none')).toBe('mvlint: no server listens on 127.0.0.1:1\n');
  expect(says('check', '--config', config, demo)).toContain('no-such-rule');
});

test('errors of use are one line and status 2 either way', () => {
  const wrong = (): object => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(dist, 'cli.js'), 'check', '--postgres', '3'], { encoding: 'utf8' });
    return { status, stdout, lines: stderr.trim().split('\n').length, begins: stderr.startsWith('mvlint: --postgres') };
  };
  const expected = { status: 2, stdout: '', lines: 1, begins: true };
  expect(wrong()).toEqual(expected);
  for (const name of caches()) rmSync(join(dist, name));
  expect(wrong()).toEqual(expected);
});
