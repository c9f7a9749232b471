import { expect, test } from 'vitest';
import { memoryFiles } from './files.ts';
import { readHistories } from './read.ts';
import type { ReadOptions } from './read.ts';

const read = (files: string | Record<string, string>, options: ReadOptions = {}) => {
  const [history] = readHistories(memoryFiles(typeof files === 'string' ? { 'm/001.sql': files } : files),
    { tool: 'psql', ...options }).histories;
  const migrations = history?.migrations ?? [];
  return {
    ids: migrations.map(({ id }) => id),
    sql: migrations.flatMap(({ up }) => up.flatMap(({ statements }) => statements.map(({ sql }) => sql))),
    gaps: (history?.gaps ?? []).map(({ because }) => because),
    ignored: history?.ignored ?? [], migrations,
  };
};

test('variables are filled in psql\'s three ways, casts and slices are left alone', () => {
  const { sql, gaps } = read('\\set mv \'My View\'\n\\set t \'it\'\'s\'\n\\set n 5\nSELECT :\'t\', x::text, a[1:2], \':n\' FROM :"mv" LIMIT :n;');
  expect(sql).toEqual(['SELECT \'it\'\'s\', x::text, a[1:2], \':n\' FROM "My View" LIMIT 5']);
  expect(gaps).toEqual([]);
});

test('a name without value becomes a recognisable unknown and is said once', () => {
  const { sql, gaps } = read('DROP TABLE :t;\nDROP TABLE :"t";\nSELECT :\'t\';\nDROP TABLE ${schema}.x, app_${env}_y, "z_${env}";\nSELECT \'${kept}\';');
  expect(sql).toEqual([
    'DROP TABLE mvlint_hole_t', 'DROP TABLE "mvlint_hole_t"', 'SELECT \'mvlint_hole_t\'',
    'DROP TABLE mvlint_hole_schema.x, mvlint_hole_app_env_y, "mvlint_hole_z_env"', 'SELECT \'${kept}\'',
  ]);
  expect(gaps.map(text => text.split(' ')[0])).toEqual([':t', '${schema}', '${env}']);
  expect(read('SELECT * FROM ${s}.t;', { placeholders: { s: 'app' } })).toMatchObject({ sql: ['SELECT * FROM app.t'], gaps: [] });
});

test('conditions: decided where the script says enough, else one gap and nothing read', () => {
  expect(read('\\set a on\n\\if :a\nSELECT 1;\n\\elif true\nSELECT 2;\n\\else\nSELECT 3;\n\\endif\nSELECT 4;').sql).toEqual(['SELECT 1',
    'SELECT 4']);
  expect(read('\\if false\n\\if true\nSELECT 1;\n\\endif\n\\elif yes\nSELECT 2;\n\\endif').sql).toEqual(['SELECT 2']);
  const unknown = read('SELECT 0;\n\\if :x\nSELECT 1;\n\\else\nSELECT 2;\n\\endif\nSELECT 3;');
  expect(unknown.sql).toEqual(['SELECT 0', 'SELECT 3']);
  expect(unknown.gaps).toEqual(['Whether this \\if is true is not known, so nothing beneath it was read.']);
  expect(read('\\if :{?x}\nSELECT 1;\n\\endif', { placeholders: { x: '' } }).sql).toEqual(['SELECT 1']);
});

test('commands that only talk are nothing; those that change what follows are said', () => {
  expect(read('\\timing on\n\\echo hello\n\\pset pager off\n\\copy t from \'x.csv\'\nSELECT 1;\n\\q\nSELECT 2;')).toMatchObject({ sql: ['SELECT 1'], gaps: [] });
  expect(read('\\c other\nSELECT 1;').gaps).toEqual([expect.stringContaining('another database or role')]);
  expect(read('\\set a 1\nSELECT 2 AS a \\gset\nSELECT :a;')).toMatchObject({ sql: ['SELECT 2 AS a', 'SELECT mvlint_hole_a'],
    gaps: [expect.stringContaining(':a')] });
  expect(read('\\set both \'SELECT 1; SELECT 2\'\n:both;').gaps).toEqual([expect.stringContaining('semicolon')]);
});

test('COPY data are no statements', () => {
  expect(read('COPY t FROM stdin;\n1\tDROP TABLE t;\n\\.\nSELECT 1;').sql).toEqual(['COPY t FROM stdin', 'SELECT 1']);
});

test('included files stand where they are included, in the migration that includes them', () => {
  const { ids, sql, ignored,
    migrations } = read({ 'm/001.sql': 'SELECT 1;\n\\ir parts/a.sql\nSELECT 3;', 'm/002.sql': 'SELECT 4;', 'm/003.sql': 'SELECT 5;',
    'm/004.sql': 'SELECT 6;', 'm/parts/a.sql': 'SELECT 2;' });
  expect(ids).toEqual(['001.sql', '002.sql', '003.sql', '004.sql']);
  expect(sql).toEqual(['SELECT 1', 'SELECT 2', 'SELECT 3', 'SELECT 4', 'SELECT 5', 'SELECT 6']);
  expect(migrations[0]?.up[0]?.statements.map(({ span }) => span.path)).toEqual(['m/001.sql', 'm/parts/a.sql', 'm/001.sql']);
  expect(ignored.map(({ path }) => path)).toEqual(['m/parts/a.sql']);
});

test('an entry script with statements of its own is one migration; one that only lists makes one of each file', () => {
  expect(read({ 'm/all.sql': 'BEGIN;\n\\ir a.sql\n\\ir b.sql\nCOMMIT;', 'm/a.sql': 'SELECT 1;', 'm/b.sql': 'SELECT 2;' }))
    .toMatchObject({ ids: ['all.sql'], sql: ['BEGIN', 'SELECT 1', 'SELECT 2', 'COMMIT'] });
  expect(read({ 'm/all.sql': '\\ir b.sql\n\\ir more.sql\n', 'm/more.sql': '\\ir a.sql', 'm/a.sql': 'SELECT 1;', 'm/b.sql': 'SELECT 2;' }))
    .toMatchObject({ ids: ['b.sql', 'a.sql'], sql: ['SELECT 2', 'SELECT 1'] });
});

test('includes that are missing, leave the root, turn in a circle or multiply are gaps', () => {
  expect(read('\\i nowhere.sql\nSELECT 1;').gaps).toEqual(['The included file nowhere.sql is missing, so it was not read.']);
  expect(read('\\i ../../../etc/passwd\nSELECT 1;').gaps).toEqual(['The included file ../../../etc/passwd is outside of the repository, so it was not read.']);
  expect(read({ 'm/a.sql': 'SELECT 1;\n\\ir a.sql' }).gaps).toEqual(['m/a.sql includes itself; the inner time was not read.']);
  expect(read({ 'm/a.sql': '\\ir b.sql\nSELECT 1;', 'm/b.sql': '\\ir a.sql\nSELECT 2;' }).sql.length).toBeGreaterThan(0);
  const bomb = Object.fromEntries(Array.from({ length: 30 }, (_, i) =>
    [`m/f${i}.sql`, `SELECT ${i};\n` + `\\ir f${i + 1}.sql\n`.repeat(2)]));
  expect(read(bomb).gaps).toEqual(expect.arrayContaining([expect.stringContaining('the rest was not read')]));
});

test('one unit of single statements; psql -1 is a transaction', () => {
  expect(read('SELECT 1;').migrations[0]?.up.map(({ scope, protocol }) => [scope, protocol])).toEqual([['none', 'single']]);
  expect(read('SELECT 1;', { transaction: 'migration' }).migrations[0]?.up[0]).toMatchObject({ scope: 'migration', scopeId: '001.sql' });
});
