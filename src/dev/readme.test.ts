import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { demoOutput, withDemo } from './demo.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const readme = read('README.md');
const cli = (...words: string[]): string => execFileSync(process.execPath, [join(root, 'dist/cli.cjs'), ...words], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });

/** What stands between the markers of a generated block. */
const block = (name: string): string => readme.split(`<!-- ${name}:start -->`)[1]?.split(`<!-- ${name}:end -->`)[0] ?? '';
/** The part of the README that promises: all of it but the list of what does not exist. */
const promises = readme.replace(/^Not there yet[\s\S]*?(?=^## )/m, '').replace(block('demo'), '');
const shellLines = [...readme.matchAll(/```sh\n([\s\S]*?)```/g), ...read('CONTRIBUTING.md').matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap(block => (block[1] ?? '').split('\n')).map(line => line.replace(/\s+#.*$/, '')).filter(line => line !== '');

test('every npm script that is named exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...shellLines.join('\n').matchAll(/npm run ([\w:-]+)/g), ...read('CONTRIBUTING.md').matchAll(/npm run ([\w:-]+)/g)].map(match => match[1] ?? '');
  expect(named.length).toBeGreaterThan(4);
  for (const name of [...named, 'test']) {
    expect(Object.keys(scripts)).toContain(name);
    const file = /^tsx (\S+)/.exec(scripts[name] ?? '')?.[1];
    if (file) expect(existsSync(join(root, file)), `${file} of npm run ${name}`).toBe(true);
  }
});

test('every option that is named exists, with the values that are named', () => {
  const help = cli('--help');
  const named = new Set([...promises.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(match => match[0]));
  expect(named.size).toBeGreaterThan(15);
  expect([...named].filter(option => option !== '--help' && !new RegExp(`${option}(?![\\w-])`).test(help))).toEqual([]);
  for (const format of /text, json, sarif, [\w, ]+(?=; several)/.exec(promises)?.[0].split(', ') ?? ['no list of formats']) expect(help).toContain(format);
});

test('every option of --help stands in the README or is left to it on purpose', () => {
  const leftToHelp = ['--config', '--no-config', '--allow-empty', '--color', '--no-color', '--quiet', '--stats', '--debug'];
  const offered = [...new Set([...cli('--help').matchAll(/^ {2}(--[a-z-]+)/gm)].map(match => match[1] ?? ''))];
  expect(offered.filter(option => !promises.includes(option) && !leftToHelp.includes(option))).toEqual([]);
});

test('what the README says is missing is missing', () => {
  const absent = /^Not there yet[\s\S]*?(?=^## )/m.exec(readme)?.[0] ?? '';
  const help = cli('--help');
  for (const [, command = ''] of absent.matchAll(/`mvlint (\w+)`/g)) expect(help).not.toMatch(new RegExp(`mvlint \\[?${command}\\b`));
  expect(absent).toContain('`mvlint plan`');
});

test('every command that is named exists', () => {
  const help = cli('--help');
  const commands = shellLines.filter(line => /^(npx )?mvlint /.test(line)).map(line => line.replace(/^(npx )?mvlint\s+/, '').split(/\s+/)[0] ?? '')
    .filter(word => /^[a-z]+$/.test(word));
  expect(commands).toContain('rules');
  for (const command of commands) expect(help).toMatch(new RegExp(`mvlint (\\[?)${command}`));
  const rule = /npx mvlint explain ([\w-]+)/.exec(readme)?.[1] ?? '';
  expect(cli('explain', rule)).toContain(rule);
});

test('rules that are named exist', () => {
  const known = (JSON.parse(cli('rules', '--format', 'json')) as readonly { id: string }[] | { rules: readonly { id: string }[] });
  const ids = ('rules' in known ? known.rules : known).map(rule => rule.id);
  const named = new Set([...readme.matchAll(/(?<![\w/-])(?:no|require|prefer)-[a-z]+(?:-[a-z]+)+/g)].map(match => match[0]));
  named.delete('no-config');
  expect([...named].filter(name => !ids.includes(name))).toEqual([]);
});

test('links lead somewhere', () => {
  for (const file of ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md']) {
    const links = [...read(file).matchAll(/\]\(([^)\s]+)\)/g)].map(match => match[1] ?? '').filter(link => !/^https?:/.test(link));
    for (const link of links) expect(existsSync(join(root, dirname(file), link.replace(/#.*$/, ''))), `${link} in ${file}`).toBe(true);
  }
});

test('the paths of the first commands exist', () => {
  for (const [, path] of shellLines.join('\n').matchAll(/npx mvlint --live (\S+)/g)) expect(existsSync(join(root, path ?? '')), path).toBe(true);
});

test('the example configuration is one that mvlint takes', () => {
  const example = JSON.parse(/## Configuration[\s\S]*?```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? '') as Record<string, unknown>;
  const schema = JSON.parse(read('src/report/config.schema.json')) as { properties: Record<string, unknown> };
  expect(Object.keys(example).filter(key => !(key in schema.properties))).toEqual([]);
});

test('the hooks and the action promise what the README says', () => {
  const hooks = read('.pre-commit-hooks.yaml');
  for (const [, id] of readme.matchAll(/- id: ([\w-]+)/g)) expect(hooks).toContain(`- id: ${id}\n`);
  const action = read('action.yml');
  const example = /## GitHub Action[\s\S]*?```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  for (const [, input] of example.matchAll(/^ {6}(?!fetch-depth)([a-z-]+):/gm)) expect(action).toMatch(new RegExp(`^ {2}${input}:`, 'm'));
});

test('the example is what the demo prints; npm run generate renews it', { timeout: 300_000 }, () => {
  expect(withDemo(readme, demoOutput())).toBe(readme);
});

test('the table of rules is filled', () => {
  expect(block('rules').split('\n').filter(line => line.startsWith('|')).length).toBeGreaterThan(10);
});
