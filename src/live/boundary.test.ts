import { describe, expect, test } from 'vitest';
import { fromBlob, reasonNotToSend } from './boundary.ts';
import { controlOf } from './control.ts';

describe('is not sent', () => {
  test.each([
    'COPY t FROM stdin', 'copy t (a, b) from STDIN with (format csv)', '-- why\nCOPY t FROM stdin', 'COPY t FROM stdout', "COPY t FROM '/etc/passwd'", "COPY t TO '/tmp/x'",
    "COPY (SELECT 'to stdout') TO PROGRAM 'sh'", "COPY t FROM PROGRAM 'curl example.org'", "LOAD 'auto_explain'", "SELECT pg_read_file('/etc/passwd')",
    'SELECT pg_catalog.PG_READ_FILE ($1)', "SELECT lo_import('/etc/passwd')", "DO $$ BEGIN EXECUTE 'COPY t FROM PROGRAM ''id'''; END $$",
    "DO $$ BEGIN COPY t TO '/tmp/x'; END $$", "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $f$ BEGIN IF true THEN COPY t FROM '/x'; END IF; END $f$",
    "DO E'BEGIN PERFORM pg_ls_dir(''.''); END'", "DO $$ BEGIN EXECUTE 'co' || 'py t to pro' || 'gram ''id'''; END $$", "SELECT dblink_connect('host=example.org')",
    'CREATE SUBSCRIPTION s CONNECTION $$host=example.org$$ PUBLICATION p', 'IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c', "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/tmp/x', 'y'",
    "CREATE OR REPLACE FUNCTION f() RETURNS int AS '/tmp/x', 'y' LANGUAGE 'C'", "CREATE TABLESPACE fast LOCATION '/mnt/fast'", "SELECT lo_export(1, '/tmp/x')", "SELECT pg_create_physical_replication_slot('s')", 'SELECT pg_reload_conf()', 'SELECT pg_ls_waldir()',
    "DO $a$ BEGIN EXECUTE $b$ DO $c$ BEGIN COPY t TO '/x'; END $c$ $b$; END $a$",
  ])('%s', sql => expect(reasonNotToSend(sql)).toEqual(expect.any(String)));
});

describe('is not sent to a server that others use, too', () => {
  test.each([
    'CREATE ROLE app', 'alter user app password $$x$$', 'DROP GROUP g', 'GRANT app TO other', 'revoke admin option for app from other', 'CREATE DATABASE d', 'ALTER DATABASE d SET work_mem = 1',
    "ALTER SYSTEM SET work_mem = '1GB'", 'DROP TABLESPACE fast', 'DO $$ BEGIN CREATE ROLE app; EXCEPTION WHEN duplicate_object THEN NULL; END $$', "DO $$ BEGIN EXECUTE 'DROP ROLE app'; END $$",
    "DO $$ BEGIN IF true THEN GRANT app TO other; END IF; END $$", 'GRANT CONNECT ON DATABASE prod TO app', 'revoke create on tablespace fast from app',
    'REASSIGN OWNED BY a TO b', "DO $$ BEGIN EXECUTE 'DROP OWNED BY app'; END $$", "COMMENT ON ROLE app IS 'x'", 'GRANT SET ON PARAMETER log_statement TO app',
  ])('%s', sql => {
    expect(reasonNotToSend(sql, { shared: true })).toEqual(expect.any(String));
    expect(reasonNotToSend(sql)).toBeUndefined();
  });
  test.each([
    'GRANT SELECT ON t TO app', 'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM app', 'ALTER TABLE t OWNER TO app', 'CREATE USER MAPPING FOR app SERVER s', "COMMENT ON TABLE app IS 'create role'",
    'CREATE TABLE role (user_group text)', 'SET ROLE app', 'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app', "INSERT INTO notes VALUES ('please create role x')",
  ])('but this is: %s', sql => expect(reasonNotToSend(sql, { shared: true })).toBeUndefined());
});

describe('is sent', () => {
  test.each([
    'COPY t TO stdout', 'COPY (SELECT a FROM t) TO STDOUT', 'SELECT copy FROM stdin', "INSERT INTO notes VALUES ('please copy t from stdin')", "COMMENT ON TABLE t IS 'COPY t FROM stdin'",
    'SELECT 1 -- COPY t FROM stdin', '/* pg_read_file() */ SELECT 1', 'SELECT pg_read_file FROM t', 'SELECT pg_sleep(1)', 'CREATE TABLE load (copy text)', '', "SELECT '",
    "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'load ' || 'copy' $$", 'CREATE TABLE t (language char(1))', "SELECT 'a' || b || 'COPY' FROM t", 'CREATE EXTENSION dblink',
  ])('%s', sql => expect(reasonNotToSend(sql)).toBeUndefined());
});

test.each([
  ['begin', 'begin'], ['START TRANSACTION READ ONLY', 'begin'], ['-- a\nCOMMIT', 'commit'], ['END', 'commit'], ['COMMIT AND CHAIN', 'commitAndChain'], ['commit and no chain', 'commit'],
  ['ROLLBACK', 'rollback'], ['ABORT', 'rollback'], ['ROLLBACK TO a', 'rollbackTo'], ['ROLLBACK WORK TO SAVEPOINT a', 'rollbackTo'], ["COMMIT PREPARED 'a'", 'none'],
  ["PREPARE TRANSACTION 'a'", 'prepare'], ['SELECT 1', 'none'], ['"begin"', 'none'],
])('%s: %s', (sql, control) => expect(controlOf(sql)).toBe(control));

test('COPY FROM stdin is sent where its rows are at hand, and nothing else that COPY does', () => {
  expect(reasonNotToSend('copy "t" (a) from STDIN with (format csv)', { data: true })).toBeUndefined();
  expect(fromBlob('copy "t" (a) from STDIN with (format csv)')).toBe(`copy "t" (a) from '/dev/blob' with (format csv)`);
  expect(reasonNotToSend("COPY t FROM PROGRAM 'stdin'", { data: true })).toEqual(expect.any(String));
  expect(reasonNotToSend('DO $$ BEGIN COPY t FROM stdin; END $$', { data: true })).toEqual(expect.any(String));
  expect(fromBlob('SELECT a FROM stdin')).toBeUndefined();
});
