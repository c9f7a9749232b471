import { beforeAll, expect, test } from 'vitest';
import { lint, memoryFiles, open, pathsOf } from '../index.ts';
import type { LintOptions, ReadOptions } from '../index.ts';

const table = 'CREATE TABLE t (id int);';
const manifest = { 'Cargo.toml': '[dependencies]\nsqlx = "0.8"\n' };
const trap = '-- why\n-- no-transaction\nCREATE INDEX CONCURRENTLY i ON t (id);';

async function report(files: Record<string, string>, options: Partial<LintOptions> = {}, reading: ReadOptions = {}) {
  const session = await open(memoryFiles({ ...manifest, ...files }), reading);
  return lint(session, { preset: 'all', ...options }).report;
}
const rulesOf = async (...given: Parameters<typeof report>) => (await report(...given)).findings.map(({ rule }) => rule).filter(rule => /directive|unreached|duplicate/.test(rule));

beforeAll(async () => void await open(memoryFiles({})));

test('severity and off are the engine\'s', async () => {
  const files = { 'migrations/1_a.sql': table, 'migrations/2_b.sql': trap, 'migrations/extra.sql': table };
  expect(await rulesOf(files)).toEqual(['no-ineffective-directive', 'no-unreached-file']);
  expect(await rulesOf(files, { rules: { 'no-unreached-file': 'off', 'no-ineffective-directive': 'note' } })).toEqual(['no-ineffective-directive']);
  expect((await report(files, { rules: { 'no-ineffective-directive': 'note' } })).findings.find(({ rule }) => rule === 'no-ineffective-directive')?.severity).toBe('note');
});

test('an ignore with a reason silences them, in a migration and in a file that is none', async () => {
  const ignored = { 'migrations/1_a.sql': table, 'migrations/2_b.sql': `-- mvlint-ignore-file no-ineffective-directive: sent by hand\n${trap}`,
    'migrations/extra.sql': `-- mvlint-ignore-file no-unreached-file: run after a restore\n${table}` };
  expect(await rulesOf(ignored)).toEqual([]);
  expect((await report(ignored)).suppressed).toBe(2);
  expect(await rulesOf({ ...ignored, 'migrations/extra.sql': `-- mvlint-ignore-file no-unreached-file\n${table}` })).toEqual(['no-unreached-file']);
});

test('what was not asked for is not reported: other paths, unchanged files', async () => {
  const files = { 'migrations/1_a.sql': table, 'migrations/2_b.sql': trap, 'migrations/extra.sql': table };
  expect(await rulesOf(files, {}, { paths: ['migrations/1_a.sql'] })).toEqual([]);
  expect(await rulesOf(files, {}, { paths: ['migrations/2_b.sql'] })).toEqual(['no-ineffective-directive']);
  const changed = (path: string): Partial<LintOptions> => ({ only: migration => [...pathsOf(migration)].includes(path) });
  expect(await rulesOf(files, changed('migrations/1_a.sql'))).toEqual([]);
  expect(await rulesOf(files, changed('migrations/extra.sql'))).toEqual(['no-unreached-file']);
});

test('files that are never run keep their fingerprints when others come and go', async () => {
  const prints = async (...names: string[]) => (await report({ 'migrations/1_a.sql': table, ...Object.fromEntries(names.map(name => [`migrations/${name}.sql`, table])) }))
    .findings.filter(({ rule }) => rule === 'no-unreached-file').map(({ fingerprint }) => fingerprint);
  const [, second] = await prints('x', 'y');
  expect(await prints('y')).toEqual([second]);
});
