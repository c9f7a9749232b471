import { expect, test } from 'vitest';
import { memoryFiles } from './files.ts';
import { readHistories } from './read.ts';
import type { ReadOptions } from './read.ts';

const table = 'CREATE TABLE t (id int);';
const seen = (paths: readonly string[] | Record<string, string>, options: ReadOptions = {}) => {
  const files = Array.isArray(paths) ? Object.fromEntries(paths.map((path: string) => [path, table])) : paths as Record<string, string>;
  const result = readHistories(memoryFiles(files), options);
  return {
    histories: result.histories.map(({ tool, root, migrations }) => `${tool} ${root}: ${migrations.map(({ id }) => id).join(' ')}`),
    problems: result.problems,
    gaps: result.histories.flatMap(({ gaps }) => gaps.map(({ because }) => because)),
    ignored: result.histories.flatMap(({ ignored }) => ignored.map(({ path }) => path)),
    reported: result.reported === undefined ? undefined : [...result.reported],
    ids: result.histories.map(({ id }) => id),
    down: result.histories.flatMap(({ migrations }) => migrations.filter(({ down }) => down !== undefined).map(({ id }) => id)),
  };
};

test('several histories in one repository stay apart and get names with a meaning', () => {
  const { histories, ids } = seen([
    'services/billing/db/migrations/1_a.up.sql', 'services/billing/db/migrations/1_a.down.sql',
      'services/users/src/main/resources/db/migration/V1__a.sql',
    'web/prisma/migrations/2024_x/migration.sql', 'warehouse/001_a.sql', 'warehouse/002_b.sql',
  ]);
  expect(histories).toEqual([
    'prisma web/prisma/migrations: 2024_x', 'golang-migrate services/billing/db/migrations: 1_a',
    'flyway services/users/src/main/resources/db/migration: V1__a', 'psql warehouse: 001_a.sql 002_b.sql',
  ]);
  expect(ids).toEqual(['web', 'billing', 'users', 'warehouse']);
});

test('plain files: leading numbers by value, later digits as text, folders first', () => {
  expect(seen(['m/10_b.sql', 'm/2_a.sql', 'm/1_v10.sql', 'm/1_v9.sql', 'm/1.10_x.sql', 'm/1.9_x.sql']).histories)
    .toEqual(['psql m: 1_v10.sql 1_v9.sql 1.9_x.sql 1.10_x.sql 2_a.sql 10_b.sql']);
  expect(seen(['db/01_tables/001.sql', 'db/01_tables/002.sql',
    'db/02_views/001.sql']).histories).toEqual(['psql db: 01_tables/001.sql 01_tables/002.sql 02_views/001.sql']);
  expect(seen(['db/tables.sql', 'db/views.sql']).histories).toEqual(['psql db: tables.sql views.sql']);
});

test('down scripts of plain files are down parts, however they are called', () => {
  const { histories, down, ignored } = seen([
    'm/001_a.sql', 'm/001_a.down.sql', 'm/002_b.sql', 'm/003_c.sql', 'm/003_c_rollback.sql', 'm/004_d.sql', 'm/004_d_down.sql',
      'm/005_e.sql', 'm/rollback/005_e.sql', 'm/099_x_down.sql',
  ]);
  expect(histories).toEqual(['psql m: 001_a.sql 002_b.sql 003_c.sql 004_d.sql 005_e.sql']);
  expect(down).toEqual(['001_a.sql', '003_c.sql', '004_d.sql', '005_e.sql']);
  expect(ignored).toEqual(['m/099_x_down.sql']);
  const folders = seen(['migrations/1_a/up.sql', 'migrations/1_a/down.sql', 'migrations/2_b/up.sql']);
  expect(folders.histories).toEqual(['psql migrations: 1_a/up.sql 2_b/up.sql']);
  expect(folders.down).toEqual(['1_a/up.sql']);
});

test('a manifest decides between tools that share a form of names', () => {
  const names = { 'migrations/1_a.up.sql': table, 'migrations/1_a.down.sql': table };
  expect(seen(names).histories).toEqual(['golang-migrate migrations: 1_a']);
  const sqlx = seen({ ...names, 'Cargo.toml': '[dependencies]\nsqlx = "0.8"\n' });
  expect(sqlx.histories).toEqual(['sqlx migrations: 1_a']);
  expect(sqlx.gaps).toEqual([]);
  expect(sqlx.down).toEqual(['1_a']);
  const bun = seen({ ...names, 'go.mod': 'require github.com/uptrace/bun v1.1.0\n' });
  expect(bun.histories).toEqual(['psql migrations: 1_a.up.sql']);
  expect(bun.gaps).toEqual([expect.stringContaining('belong to bun and are read as plain SQL')]);
  expect(bun.down).toEqual(['1_a.up.sql']);
  const both = { ...names, 'Cargo.toml': '[dependencies]\nsqlx = "0.8"\n',
    'go.mod': 'require github.com/golang-migrate/migrate/v4 v4.1.0\n' };
  expect(seen(both).problems).toEqual([expect.stringMatching(/^migrations: .*golang-migrate.*sqlx.*--tool$/)]);
  expect(seen(both, { tool: 'golang-migrate' })).toMatchObject({ histories: ['golang-migrate migrations: 1_a'], problems: [] });
  const refinery = seen({ 'm/V1__a.sql': table, 'm/V10__c.sql': table, 'm/V2__b.sql': table,
    'Cargo.toml': '[dependencies]\nrefinery = "0.8"\n' });
  expect(refinery.histories).toEqual(['refinery m: V1__a V2__b V10__c']);
});

test('tools that are not modelled are named once and their down sections are not run forward', () => {
  const one = '-- +migrate Up\nCREATE TABLE a (i int);\n-- +migrate Down\nDROP TABLE a;\n';
  const files = memoryFiles({ 'm/1_a.sql': one, 'm/2_b.sql': one,
    'n/1_a.sql': '-- Up Migration\nSELECT 1;\n-- Down Migration\nSELECT 2;\n' });
  const { histories } = readHistories(files);
  expect(histories.map(({ gaps }) => gaps.map(({ because }) => because))).toEqual([[expect.stringContaining('sql-migrate')],
    [expect.stringContaining('node-pg-migrate')]]);
  expect(histories.flatMap(({ migrations }) =>
    migrations.flatMap(({ up }) => up.flatMap(({ statements }) => statements.map(({ sql }) => sql)))))
    .toEqual(['CREATE TABLE a (i int)', 'CREATE TABLE a (i int)', 'SELECT 1']);
  expect(histories.flatMap(({ migrations }) =>
    migrations.flatMap(({ down }) => down?.flatMap(({ statements }) => statements.map(({ sql }) => sql)))))
    .toEqual(['DROP TABLE a', 'DROP TABLE a', 'SELECT 2']);
});

test('a named file reports itself and brings its history; isolated it stands alone', () => {
  const paths = ['db/migration/V1__a.sql', 'db/migration/2024/V2__b.sql', 'm/001.sql', 'm/002.sql'];
  expect(seen(paths, { paths: ['m/002.sql'] })).toMatchObject({ histories: ['psql m: 001.sql 002.sql'], reported: ['m/002.sql'],
    problems: [] });
  expect(seen(paths, { paths: ['m/002.sql'], isolated: true })).toMatchObject({ histories: ['psql m: 002.sql'], reported: ['m/002.sql'] });
  expect(seen(paths, { paths: ['db/migration/2024/V2__b.sql'] })).toMatchObject({ histories: ['flyway db/migration: V1__a V2__b'],
    reported: ['db/migration/2024/V2__b.sql'] });
  expect(seen(paths, { paths: ['db/migration/2024'] })).toMatchObject({ histories: ['flyway db/migration: V1__a V2__b'],
    reported: ['db/migration/2024/V2__b.sql'] });
  expect(seen(paths, { paths: ['db'] })).toMatchObject({ histories: ['flyway db/migration: V1__a V2__b'],
    reported: ['db/migration/V1__a.sql', 'db/migration/2024/V2__b.sql'] });
  expect(seen(paths, { paths: ['m/00*.sql'] })).toMatchObject({ histories: ['psql m: 001.sql 002.sql'],
    reported: ['m/001.sql', 'm/002.sql'] });
  expect(seen(paths, { paths: ['.'] }).histories).toHaveLength(2);
});

test('a named path that is not there, or leaves the root, is a problem that names it', () => {
  const { problems } = seen(['m/001.sql'], { paths: ['n', 'm/9*.sql', '../x.sql', '/etc/passwd'] });
  expect(problems).toEqual([
    'n: no such file or folder, or nothing in it', 'm/9*.sql: no such file or folder, or nothing in it',
    '../x.sql: outside of the folder that mvlint reads', '/etc/passwd: outside of the folder that mvlint reads',
  ]);
});

test('a script below an entry script belongs to the history of that script', () => {
  const files = { 'db/deploy.sql': '\\set s app\n\\i schema/01_a.sql\n\\i schema/02_b.sql\n', 'db/schema/01_a.sql': 'CREATE SCHEMA :s;',
    'db/schema/02_b.sql': table, 'db/schema/03_c.sql': table };
  const all = seen(files);
  expect(all).toMatchObject({ histories: ['psql db: schema/01_a.sql schema/02_b.sql'], ignored: ['db/schema/03_c.sql'], gaps: [] });
  expect(seen(files, { paths: ['db/schema/02_b.sql'] })).toMatchObject({ histories: all.histories, reported: ['db/schema/02_b.sql'],
    problems: [] });
  expect(seen(files, { paths: ['db/deploy.sql'] })).toMatchObject({ histories: all.histories, problems: [] });
});

test('copies, samples and other databases do not become histories unless they are named', () => {
  const paths = ['target/classes/db/migration/V1__a.sql', 'src/main/resources/db/migration/V1__a.sql', 'tests/data/001.sql',
    'migrations/mysql/001.sql', 'migrations/001.sql'];
  expect(seen(paths).histories).toEqual(['flyway src/main/resources/db/migration: V1__a', 'psql migrations: 001.sql']);
  expect(seen(paths, { paths: ['tests/data'] }).histories).toEqual(['psql tests/data: 001.sql']);
});

test('configured folders are one history, in their order', () => {
  const paths = ['b/001_x.sql', 'a/002_y.sql', 'fw/one/V2__b.sql', 'fw/two/V1__a.sql'];
  expect(seen(paths, { migrations: ['b', 'a'], name: 'main' })).toMatchObject({ histories: ['psql : b/001_x.sql a/002_y.sql'],
    ids: ['main'] });
  expect(seen(paths, { migrations: ['fw/one', 'fw/two'] })).toMatchObject({ histories: ['flyway fw: V1__a V2__b'] });
  expect(seen(paths, { migrations: ['nowhere'] }).problems).toEqual(['nowhere: no such folder, named as migrations']);
});

test('stdin takes the place of its file and is reported alone', () => {
  const result = readHistories(memoryFiles({ 'm/001.sql': table, 'm/002.sql': 'old' }),
    { stdin: { text: 'SELECT 1;', filename: 'm/002.sql' } });
  expect(result.histories[0]?.migrations.map(({ up }) => up[0]?.statements[0]?.sql)).toEqual(['CREATE TABLE t (id int)', 'SELECT 1']);
  expect([...result.reported ?? []]).toEqual(['m/002.sql']);
  expect(readHistories(memoryFiles({}),
    { stdin: { text: 'SELECT 1;', filename: '-' } }).histories[0]?.migrations[0]?.up[0]?.statements).toHaveLength(1);
});

test('what the base already has, unchanged, is shipped', () => {
  const { histories } = readHistories(memoryFiles({ 'm/1.sql': 'a', 'm/2.sql': 'b', 'm/3.sql': 'c' }),
    { base: memoryFiles({ 'm/1.sql': 'a', 'm/2.sql': 'x' }) });
  expect(histories[0]?.migrations.map(({ shipped }) => shipped)).toEqual([true, false, false]);
});

test('a folder below an entry script is read as that script does', () => {
  const files = { 'db/deploy.sql': '\\set s app\n\\i schema/02_b.sql\n\\i schema/01_a.sql\n', 'db/schema/01_a.sql': 'CREATE SCHEMA :s;',
    'db/schema/02_b.sql': table };
  expect(seen(files, { paths: ['db/schema'] })).toMatchObject({ histories: ['psql db: schema/02_b.sql schema/01_a.sql'],
    reported: ['db/schema/02_b.sql', 'db/schema/01_a.sql'], gaps: [] });
});
