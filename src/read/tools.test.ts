import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Unit } from '../model.ts';
import { diskFiles, memoryFiles } from './files.ts';
import { readHistories, toolIds } from './read.ts';
import type { ReadOptions } from './read.ts';

const table = 'CREATE TABLE t (id int);';
const unit = ({ scope, protocol, statements }: Unit): string => `${scope}/${protocol}: ${statements.map(({ sql }) => sql).join(' | ')}`;
const read = (files: Record<string, string>, options: ReadOptions = {}) => {
  const { histories, problems } = readHistories(memoryFiles(files), options);
  const migrations = histories.flatMap(history => history.migrations);
  return {
    problems, histories: histories.map(({ tool, root, migrations: own }) => `${tool} ${root}: ${own.map(({ id }) => id).join(' ')}`),
    up: migrations.map(({ up }) => up.map(unit)), down: migrations.map(({ down }) => down?.map(unit)),
    gaps: histories.flatMap(({ gaps }) => gaps.map(({ because }) => because)),
    found: histories.flatMap(({ problems: own = [] }) => own.map(({ rule, message }) => `${rule}: ${message}`)),
    ignored: histories.flatMap(({ ignored }) => ignored.map(({ path }) => path)), migrations,
  };
};

const projects = join(import.meta.dirname, '../../fixtures/projects');
for (const tool of readdirSync(projects).filter(name => (toolIds as readonly string[]).includes(name))) {
  test(`${tool}: a named file or folder of its project brings the same history`, () => {
    const files = diskFiles(join(projects, tool));
    const order = (options: ReadOptions) => readHistories(files, options).histories.map(history => [history.tool, history.migrations.map(({ id }) => id)]);
    const [whole] = readHistories(files).histories;
    const all = order({});
    for (const { path } of whole?.migrations ?? []) expect(order({ paths: [path] }), path).toEqual(all);
    if (whole !== undefined && whole.root !== '') expect(order({ paths: [whole.root] })).toEqual(all);
    expect(order({ paths: ['.'] })).toEqual(all);
    expect(order({ tool: whole?.tool ?? 'psql' })).toEqual(all);
  });
}

test('goose: a piece ends with a line that ends with a semicolon, a block where its mark says', () => {
  const { up, down, gaps } = read({ 'm/1_a.sql': [
    '-- +goose Up', 'SELECT 1; -- one', 'SELECT', '  2;', 'SELECT 3; SELECT 4;', '-- +goose StatementBegin', 'SELECT 5;', 'SELECT 6;', '-- +goose StatementEnd',
    'SELECT \'x; -- in a string, too', '\';', '-- +goose Down', '-- nothing', 'SELECT 7;', ''].join('\n') });
  expect(up).toEqual([['migration/simple-string: SELECT 1', 'migration/simple-string: SELECT\n  2', 'migration/simple-string: SELECT 3 | SELECT 4',
    'migration/simple-string: SELECT 5 | SELECT 6', 'migration/simple-string: SELECT \'x; -- in a string, too', 'migration/simple-string: \';']]);
  expect(down).toEqual([['migration/simple-string: SELECT 7']]);
  expect(gaps).toEqual([]);
});

test('goose: ENVSUB fills what is given, elsewhere a dollar is a dollar', () => {
  const text = '-- +goose Up\n-- +goose ENVSUB ON\nGRANT SELECT ON t TO ${WHO:-nobody};\nGRANT SELECT ON t TO $ROLE;\nGRANT SELECT ON t TO ${MISSING};\n'
    + '-- +goose ENVSUB OFF\nSELECT \'$ROLE ${WHO}\';\n';
  const { up, gaps } = read({ 'm/1_a.sql': text }, { placeholders: { ROLE: 'bi' } });
  expect(up[0]?.map(one => one.slice(25))).toEqual(['GRANT SELECT ON t TO nobody', 'GRANT SELECT ON t TO bi', 'GRANT SELECT ON t TO mvlint_hole_missing',
    'SELECT \'$ROLE ${WHO}\'']);
  expect(gaps).toEqual([expect.stringContaining('${MISSING} has no value')]);
});

test('goose: what it refuses or does not read is said', () => {
  const { gaps, found } = read({ 'm/1_a.sql': `-- +goose Up\n${table}`, 'm/2_b.sql': table, 'm/3_c.go': 'package m', 'm/4_d.sql': '-- +goose Up\n  -- +goose NO TRANSACTION\nSELECT 1;' });
  expect(gaps).toEqual([expect.stringContaining('3_c.go is a migration that is not SQL'), expect.stringContaining('refuses a file without "-- +goose Up"')]);
  expect(found).toEqual([expect.stringContaining('"+goose NO TRANSACTION" has blanks before it')]);
});

test('dbmate: blocks come in pairs, each with options of its own', () => {
  const { up, down, gaps } = read({ 'm/1_a.sql': 'SELECT 0;\n-- migrate:up\nSELECT 1;\nSELECT 2;\n-- migrate:down\nSELECT 3;\n-- migrate:up transaction:false\nSELECT 4;\n--migrate:down\nSELECT 5;' });
  expect(up).toEqual([['migration/simple-string: SELECT 0', 'migration/simple-string: SELECT 1 | SELECT 2', 'none/simple-string: SELECT 4']]);
  expect(down).toEqual([['migration/simple-string: SELECT 3', 'migration/simple-string: SELECT 5']]);
  expect(gaps).toEqual([expect.stringContaining('dbmate refuses a statement before')]);
});

test('drizzle: the newer layout goes by its folders; a journal that is none is said', () => {
  expect(read({ 'd/20250102_b/migration.sql': table, 'd/20250102_b/snapshot.json': '{}', 'd/20250101_a/migration.sql': table, 'd/20250101_a/snapshot.json': '{}' }).histories)
    .toEqual(['drizzle d: 20250101_a 20250102_b']);
  const broken = read({ 'd/0000_a.sql': table, 'd/meta/_journal.json': '{"entries": [' });
  expect(broken.histories).toEqual(['drizzle d: 0000_a']);
  expect(broken.gaps).toEqual([expect.stringContaining('not the JSON')]);
  expect(read({ 'd/0000_a.sql': table, 'd/meta/_journal.json': '{"dialect":"sqlite","entries":[{"tag":"0000_a"}]}' })).toMatchObject({ histories: ['drizzle d: '], ignored: ['d/0000_a.sql'] });
});

test('supabase: from 2.109 on CREATE INDEX CONCURRENTLY goes out alone', () => {
  const files = { 'supabase/config.toml': 'project_id = "x"\n', 'supabase/migrations/1_a.sql': 'SET x.y = 1; SELECT 2; CREATE INDEX CONCURRENTLY i ON t (a); SELECT 3;' };
  const lock = (version: string) => ({ 'package-lock.json': JSON.stringify({ packages: { 'node_modules/supabase': { version } } }) });
  expect(read({ ...files, ...lock('2.109.0') }).up).toEqual([['none/pipeline: SET x.y = 1 | SELECT 2', 'none/single: CREATE INDEX CONCURRENTLY i ON t (a)', 'none/pipeline: SELECT 3']]);
  expect(read({ ...files, ...lock('2.58.5') })).toMatchObject({ up: [[expect.stringMatching(/^none\/pipeline: SET/)]], gaps: [] });
});

test('hasura: each database is a history, the older layout one', () => {
  expect(read({ 'config.yaml': 'version: 3\nmetadata_directory: metadata\n', 'migrations/a/2_y/up.sql': table, 'migrations/a/10_z/up.sql': table, 'migrations/b/1_x/up.sql': table }).histories)
    .toEqual(['hasura migrations/a: 2_y 10_z', 'hasura migrations/b: 1_x']);
  expect(read({ 'config.yaml': 'metadata_directory: metadata\n', 'migrations/2_y.up.sql': table, 'migrations/2_y.down.sql': table, 'migrations/10_z.up.sql': table }))
    .toMatchObject({ histories: ['hasura migrations: 2_y 10_z'], down: [[expect.any(String)], undefined] });
});

test('atlas: a checkpoint stands for what is before it; a delimiter cuts outside of quotes only', () => {
  const checkpoint = read({ 'm/atlas.sum': '', 'm/1.sql': table, 'm/2_base.sql': `-- atlas:checkpoint\n\n${table}`, 'm/3.sql': table });
  expect(checkpoint).toMatchObject({ histories: ['atlas m: 2_base 3'], ignored: ['m/1.sql'], found: [] });
  expect(read({ 'm/atlas.sum': '', 'm/1.sql': '-- atlas:delimiter @@\nSELECT \'@@\', $$ @@ $$, f(1 @@ 2) @@ SELECT 2; SELECT 3 @@' }).up)
    .toEqual([['migration/simple-string: SELECT \'@@\', $$ @@ $$, f(1 @@ 2)', 'migration/simple-string: SELECT 2 | SELECT 3']]);
});

test('atlas: a folder of another tool keeps its names, not its transactions', () => {
  const golang = { 'm/atlas.sum': '', 'm/1_a.up.sql': '-- atlas:txmode none\n\nSELECT 1;', 'm/1_a.down.sql': 'SELECT 2;', 'm/10_b.up.sql': 'SELECT 3; SELECT 4;' };
  expect(read(golang)).toMatchObject({ histories: ['atlas m: 1_a 10_b'], up: [['none/single: SELECT 1'], ['migration/single: SELECT 3 | SELECT 4']] });
  expect(read({ 'atlas.hcl': 'dir = "file://m?format=goose"', 'm/atlas.sum': '', 'm/1_a.sql': '-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;' }))
    .toMatchObject({ histories: ['atlas m: 1_a'], up: [['migration/single: SELECT 1']] });
});

test('graphile-migrate: values of .gmrc, the parts of current/ together, includes that never end', () => {
  const files = { '.gmrc': '{ // comments are fine\n"migrationsFolder": "./db", "placeholders": { ":WHO": "bi", ":OTHER": "!ENV" } }', 'db/current/2-b.sql': 'SELECT :OTHER;',
    'db/current/1-a.sql': '--! no-transaction\nGRANT SELECT ON t TO :WHO; SELECT \':WHO\', \'a\'::text;' };
  expect(read(files, { placeholders: { OTHER: 'x' } })).toMatchObject({ histories: ['graphile-migrate db: current'], gaps: [],
    up: [['none/simple-string: GRANT SELECT ON t TO bi | SELECT \'bi\', \'a\'::text | SELECT x']] });
  const twice = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`db/fixtures/${i}.sql`, `--! include ${i + 1}.sql\n`.repeat(2)]));
  const { gaps } = read({ '.gmrc': '{ "migrationsFolder": "./db" }', 'package.json': '{"dependencies":{"graphile-migrate":"2.0.0"}}', 'db/current.sql': '--! include 0.sql\n', ...twice });
  expect(gaps.length).toBeGreaterThan(0);
});

test('tern: spans lead into the shared template, what is no plain value is unknown', () => {
  const files = { 'm/tern.conf': '[data]\nview = daily\n', 'm/1_a.sql': '{{ template "shared/v.sql" . }}\nGRANT SELECT ON {{ .view }} TO {{ .who }};\n{{/* no */}}SELECT 1;',
    'm/shared/v.sql': '-- the view\nCREATE MATERIALIZED VIEW {{.view}} AS SELECT 1;' };
  const { up, gaps, migrations } = read(files);
  expect(up).toEqual([['migration/simple-string: CREATE MATERIALIZED VIEW daily AS SELECT 1 | GRANT SELECT ON daily TO mvlint_hole_who | SELECT 1']]);
  expect(gaps).toEqual([expect.stringContaining('{{ .who }} has no value')]);
  expect(migrations[0]?.up[0]?.statements[0]?.span).toEqual({ path: 'm/shared/v.sql', start: 12, end: 58 });
  const twice = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`m/shared/${i}.sql`, `{{ template "shared/${i + 1}.sql" . }}`.repeat(2)]));
  expect(read({ 'm/tern.conf': '', 'm/1_a.sql': `{{ template "shared/0.sql" . }}${table}`, ...twice }).gaps.length).toBeGreaterThan(0);
});

test('refinery and pgmigrate: versions by value, batches that end where a file leaves the transaction', () => {
  expect(read({ 'Cargo.toml': '[dependencies]\nrefinery = "0.8"\n', 'm/V1.10__b.sql': table, 'm/U1.9__a.sql': table, 'm/V2__c.sql': table }).histories)
    .toEqual(['refinery m: U1.9__a V1.10__b V2__c']);
  const files = ['V1__a', 'V2__b', 'V3__NONTRANSACTIONAL_c', 'V4__d', 'V5__e'].map(name => [`migrations/${name}.sql`, table] as const);
  expect(read({ 'migrations.yml': '', ...Object.fromEntries(files) }).migrations.flatMap(({ up }) => up.map(({ scopeId }) => scopeId)))
    .toEqual(['batch 1', 'batch 1', 'V3__NONTRANSACTIONAL_c', 'batch 2', 'batch 2']);
});

test('sqitch: the configuration moves the plan and its folders; other engines are left alone', () => {
  const files = { 'sqitch.conf': '[core]\n\tengine = pg\n\ttop_dir = db\n[deploy "variables"]\n\tview = daily\n', 'db/sqitch.plan': '%project=p\n\nb 2025-01-01T00:00:00Z n <n@x> # first\n+ a 2025-01-02T00:00:00Z n <n@x>\nlost 2025-01-03T00:00:00Z n <n@x>\n',
    'db/deploy/a.sql': 'SELECT :\'view\';', 'db/deploy/b.sql': table, 'tests/1_x.sql': table };
  expect(read(files)).toMatchObject({ histories: ['sqitch db: b a'], up: [['none/single: CREATE TABLE t (id int)'], ['none/single: SELECT \'daily\'']], gaps: [expect.stringContaining('names lost')] });
  expect(read({ ...files, 'sqitch.conf': '[core]\n\tengine = mysql\n\ttop_dir = db\n' })).toMatchObject({ histories: ['sqitch db: '], ignored: ['db/deploy/a.sql', 'db/deploy/b.sql'] });
  expect(read({ 'sqitch.plan': 'a 2025-01-01T00:00:00Z n <n@x>\na 2025-01-02T00:00:00Z n <n@x>\n', 'deploy/a.sql': table }).found).toEqual([expect.stringContaining('names "a" twice without a tag')]);
});

test('liquibase: XML roots, databases, rollbacks over several lines, names taken twice', () => {
  const set = (name: string, rest: string, sql = table): string => `--changeset a:${name} ${rest}\n${sql}\n`;
  const files = {
    'db/changelog-master.xml': '<databaseChangeLog><!-- <include file="old.sql"/> --><property name="s" value="app"/>\n<include file="b.sql" relativeToChangelogFile="true"/><include file="db/a.sql"/></databaseChangeLog>',
    'db/a.sql': `--liquibase formatted sql\n${set('1', 'dbms:mysql')}${set('2', 'dbms:postgresql,h2')}${set('3', 'dbms:!postgresql')}${set('4', 'ignore:true')}`,
    'db/b.sql': `--liquibase formatted sql\n${set('1', '', 'CREATE SCHEMA ${s};\n--rollback DROP SCHEMA\n--rollback   ${s};')}${set('1', '')}`,
  };
  const { histories, down, found } = read(files);
  expect(histories).toEqual(['liquibase db: a:1 a:1 (db/b.sql) a:2']);
  expect(down[0]).toEqual(['migration/single: DROP SCHEMA\napp']);
  expect(found).toEqual([expect.stringContaining('a:1 stands twice in "b.sql"')]);
});

test('liquibase: what it takes for a block is one string; comments without an end cost no more than a look', () => {
  const { up, found } = read({ 'c.sql': '--liquibase formatted sql\n--changeset a:1 runInTransaction:false\nSELECT 1;\n/* x */ Begin;\nSELECT 2;\nCOMMIT;\n' });
  expect(up).toEqual([['none/single: SELECT 1', 'none/simple-string: Begin | SELECT 2 | COMMIT']]);
  expect(found).toEqual([expect.stringContaining('takes this BEGIN for the start of a block')]);
  const start = performance.now();
  const head = '--liquibase formatted sql\n--changeset a:1\n';
  for (const text of ['/**/'.repeat(50_000), '/* liquibase rollback '.repeat(30_000), '--rollback x\n'.repeat(30_000), '-- BEGIN\n;'.repeat(30_000), `--changeset ${'a '.repeat(100_000)}`]) {
    read({ 'c.sql': `${head}BEGIN ${text}` });
    read({ 'c.sql': `${head}${text}` });
  }
  for (const text of ['-- +goose ', '-- +goose ENVSUB ON\n${', '-- migrate:up transaction ', `-- migrate:up${' '.repeat(100)}`]) read({ 'm/1_a.sql': `-- +goose Up\n${text.repeat(20_000)}` });
  for (const text of ['-- migrate:up transaction ', '-- transaction '.repeat(3)]) read({ 'm/1_a.sql': `-- migrate:up\n${text.repeat(20_000)}` });
  expect(performance.now() - start).toBeLessThan(10_000);
});

test('marks in the files beat a manifest, and two words of equal weight are an error of use', () => {
  const goose = { 'm/1_a.sql': `-- +goose Up\n${table}\n`, 'Cargo.toml': '[dependencies]\nsqlx = "0.8"\n' };
  expect(read(goose).histories).toEqual(['goose m: 1_a']);
  const both = { 'supabase/config.toml': 'project_id = "x"', 'supabase/migrations/1_a.sql': table, 'supabase/migrations/meta/_journal.json': '{"entries":[{"tag":"1_a"}]}' };
  expect(read(both)).toMatchObject({ histories: [], problems: [expect.stringMatching(/^supabase\/migrations: drizzle \(.*\) and supabase \(.*\) claim the same files; say which with --tool$/)] });
  expect(read(both, { tool: 'supabase' }).histories).toEqual(['supabase supabase/migrations: 1_a']);
});

test('several projects of one tool in one repository stay apart', () => {
  const sql = `--liquibase formatted sql\n--changeset a:1\n${table}\n`;
  const root = '{"databaseChangeLog":[{"include":{"file":"changes/1.sql","relativeToChangelogFile":true}}]}';
  expect(read({ 'a/changelog.json': root, 'a/changes/1.sql': sql, 'b/changelog.json': root, 'b/changes/1.sql': sql, 'b/changes/2.sql': sql }))
    .toMatchObject({ histories: ['liquibase a: a:1', 'liquibase b: a:1'], ignored: ['b/changes/2.sql'] });
  const hcl = 'env "x" {\n  migration {\n    dir = "file://./sql"\n  }\n}\n';
  expect(read({ 'a/atlas.hcl': hcl, 'a/sql/1.sql': table, 'b/atlas.hcl': hcl, 'b/sql/1.sql': table, 'b/sql/atlas.sum': '' }).histories)
    .toEqual(['atlas a/sql: 1', 'atlas b/sql: 1']);
  const plan = 'a 2025-01-01T00:00:00Z n <n@x>\n';
  expect(read({ 'a/sqitch.plan': plan, 'a/deploy/a.sql': table, 'b/sqitch.plan': plan, 'b/deploy/a.sql': table }).histories).toEqual(['sqitch a: a', 'sqitch b: a']);
});

test('diesel: the metadata decides both directions, and a missing key is an opt-out that nobody asked for', () => {
  const one = (toml: string) => read({ 'diesel.toml': '', 'migrations/1_a/up.sql': table, 'migrations/1_a/down.sql': table, 'migrations/1_a/metadata.toml': toml });
  expect(one('run_in_transaction = true')).toMatchObject({ up: [[expect.stringMatching(/^migration/)]], found: [] });
  expect(one('run_in_transaction = false')).toMatchObject({ up: [[expect.stringMatching(/^none/)]], down: [[expect.stringMatching(/^none/)]], found: [] });
  expect(one('')).toMatchObject({ up: [[expect.stringMatching(/^none/)]], found: [expect.stringContaining('metadata.toml without run_in_transaction')] });
  expect(one('= 3')).toMatchObject({ up: [[expect.stringMatching(/^migration/)]], gaps: [expect.stringContaining('not valid TOML')] });
});

test('names that say a file is no migration are no finding, others in the folder are', () => {
  const files = { 'Cargo.toml': '[dependencies]\nsqlx = "0.8"\n', 'migrations/1_a.sql': table };
  const odd = (name: string) => read({ ...files, [`migrations/${name}`]: table }).found.length;
  expect(['schema.sql', 'seed.sql', 'seeds.prod.sql', 'README.sql', '2_b.sql.bak.sql', 'a_test.sql', 'x/2_b.txt'].map(odd)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  expect(['add_index.sql', 'two_b.sql', '2-b.sql'].map(odd)).toEqual([1, 1, 1]);
  const flyway = { 'flyway.toml': '[flyway]\nlocations = ["filesystem:sql"]\n', 'sql/V1__a.sql': table };
  expect(read({ ...flyway, 'sql/queries/by_day.sql': table, 'sql/V2_b.sql': table })).toMatchObject({ ignored: ['sql/V2_b.sql', 'sql/queries/by_day.sql'],
    found: [expect.stringContaining('"V2_b.sql" is never run by Flyway')] });
  expect(read({ 'p/1_a/migration.sql': table, 'p/1_a/notes/x.sql': table, 'p/1_a/x.sql': table }).found).toEqual([expect.stringContaining('"x.sql" is never run by Prisma')]);
  expect(read({ ...files, 'migrations/empty.sql': '-- nothing yet\n' }).found).toEqual([]);
});
