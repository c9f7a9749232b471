import { expect, test } from 'vitest';
import { memoryFiles } from './files.ts';
import { readHistories } from './read.ts';

const read = (files: Record<string, string>) => {
  const { histories, problems } = readHistories(memoryFiles(files));
  const [history] = histories;
  const migrations = history?.migrations ?? [];
  return {
    root: history?.root, problems, found: history?.problems, ids: migrations.map(({ id }) => id), gaps: (history?.gaps ?? []).map(({ because }) => because),
    ignored: (history?.ignored ?? []).map(({ path }) => path),
      scopes: migrations.map(({ up }) => up.map(({ scope, scopeId }) => `${scope} ${scopeId}`).join()),
    sql: migrations.flatMap(({ up }) => up.flatMap(({ statements }) => statements.map(({ sql }) => sql))),
    because: migrations.map(({ up }) => up[0]?.because?.says), kinds: migrations.map(({ kind }) => kind), migrations,
  };
};

test('a baseline takes the place of what it covers; callbacks and strangers are left out with a reason', () => {
  const { ids, ignored } = read(Object.fromEntries(
    ['V1__a', 'V2__b', 'B2__base', 'B1__old', 'V2.1__c', 'afterMigrate', 'beforeEachMigrate__log', 'readme'].map(name =>
      [`db/migration/${name}.sql`, 'SELECT 1;'])));
  expect(ids).toEqual(['B2__base', 'V2.1__c']);
  expect(ignored.toSorted()).toEqual(['B1__old', 'V1__a', 'V2__b', 'afterMigrate', 'beforeEachMigrate__log', 'readme'].map(name =>
    `db/migration/${name}.sql`));
});

test('versions are numbers of any length, equal ones are said', () => {
  expect(read({ 'm/V20240101120000123456789__b.sql': '', 'm/V3__a.sql': '', 'm/V003.0__c.sql': '' })).toMatchObject({
    ids: ['V003.0__c', 'V3__a', 'V20240101120000123456789__b'], gaps: [],
    found: [{ rule: 'no-duplicate-version', message: 'Version 3 is taken by "V003.0__c.sql" already, so Flyway refuses "V3__a.sql".' }],
  });
});

test('flyway.conf: locations, names, placeholders, their marks', () => {
  const found = read({
    'conf/flyway.conf': 'flyway.locations=filesystem:db/one,classpath:db/two\nflyway.sqlMigrationPrefix=M\nflyway.sqlMigrationSeparator=-\nflyway.sqlMigrationSuffixes=.pg.sql,.sql\n'
      + 'flyway.placeholderPrefix=#[\nflyway.placeholderSuffix=]\nflyway.placeholders.Schema=app\nflyway.defaultSchema=main\n',
    'db/one/M2-b.sql': 'CREATE TABLE #[schema].t ();',
      'x/src/main/resources/db/two/M1-a.pg.sql': 'CREATE TABLE #[flyway:defaultSchema].u (); SELECT \'${x}\';',
      'db/three/M3-c.sql': 'SELECT 1;',
  });
  expect(found).toMatchObject({ ids: ['M1-a', 'M2-b'], gaps: [],
    sql: ['CREATE TABLE main.u ()', 'SELECT \'${x}\'', 'CREATE TABLE app.t ()'] });
});

test('a placeholder without value is unknown; where placeholders are off the text stays', () => {
  const found = read({
    'db/migration/V1__a.sql': '-- ${comment} alone is no gap\nGRANT SELECT ON t TO ${who};\nGRANT SELECT ON u TO ${WHO};',
      'db/migration/V2__b.sql': 'SELECT \'${x}\';', 'db/migration/V2__b.sql.conf': 'placeholderReplacement=false',
  });
  expect(found.sql).toEqual(['GRANT SELECT ON t TO mvlint_hole_who', 'GRANT SELECT ON u TO mvlint_hole_who', 'SELECT \'${x}\'']);
  expect(found.gaps.map(text => text.split(' ')[0])).toEqual(['${who}', '${WHO}']);
});

test('transactions: own, none where detected or told, one for a group', () => {
  const files = { 'm/V1__a.sql': 'SELECT 1;', 'm/V2__b.sql': '/* x */ create unique index\nconcurrently i on t (a);',
    'm/V3__c.sql': 'SELECT 3;', 'm/V4__d.sql': 'REINDEX INDEX CONCURRENTLY i;' };
  expect(read({ ...files, 'flyway.toml': '[flyway]\nlocations = ["filesystem:m"]\n' }).scopes).toEqual(['migration V1__a', 'none V2__b',
    'migration V3__c', 'migration V4__d']);
  const grouped = read({ ...files, 'flyway.toml': '[flyway]\nlocations = ["filesystem:m"]\ngroup = true\n' });
  expect(grouped.scopes).toEqual(['batch group 1', 'none V2__b', 'batch group 2', 'batch group 2']);
  expect(grouped.because[0]).toContain('group=true');
  const off = read({ ...files, 'flyway.toml': '[flyway]\nlocations = ["filesystem:m"]\nexecuteInTransaction = false\n' });
  expect(off.scopes[0]).toBe('none V1__a');
});

test('mixing what cannot run in a transaction with anything else is refused unless allowed', () => {
  const files = { 'm/V1__a.sql': 'SET lock_timeout = 1;\nCREATE INDEX CONCURRENTLY i ON t (a);' };
  expect(read(files)).toMatchObject({ scopes: ['none V1__a'], gaps: [expect.stringContaining('refuses a file that mixes')] });
  expect(read({ ...files,
    'flyway.toml': '[flyway]\nlocations = ["filesystem:m"]\nmixed = true\n' })).toMatchObject({ scopes: ['none V1__a'], gaps: [] });
  expect(read({ ...files, 'm/V1__a.sql.conf': 'executeInTransaction=true' })).toMatchObject({ scopes: ['migration V1__a'], gaps: [],
    because: ['executeInTransaction=true'] });
});

test('locations that are not here and configurations that are broken are gaps', () => {
  expect(read({ 'flyway.toml': '[flyway]\nlocations = ["s3:bucket", "filesystem:../up", "filesystem:gone", "filesystem:m"]\n',
    'm/V1__a.sql': '' }).gaps).toEqual([
    expect.stringContaining('s3:bucket is not in this repository'), expect.stringContaining('../up leaves the repository'),
      expect.stringContaining('gone does not exist'),
  ]);
  expect(read({ 'flyway.toml': '[flyway\n', 'm/V1__a.sql': '' }).gaps).toEqual([expect.stringContaining('not valid TOML')]);
});

test('repeatables come last by description; Java migrations are gaps', () => {
  const found = read({ 'm/R__b.sql': '', 'm/R__a.sql': '', 'm/V9__z.sql': '', 'm/V10__Java.java': '' });
  expect(found).toMatchObject({ ids: ['V9__z', 'R__a', 'R__b'], kinds: ['versioned', 'repeatable', 'repeatable'],
    gaps: [expect.stringContaining('not SQL')] });
});
