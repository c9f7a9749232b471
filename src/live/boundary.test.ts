import { describe, expect, test } from 'vitest';
import { reasonNotToSend } from './boundary.ts';
import { controlOf } from './control.ts';

describe('is not sent', () => {
  test.each([
    'COPY t FROM stdin', 'copy t (a, b) from STDIN with (format csv)', '-- why\nCOPY t FROM stdin', 'COPY t FROM stdout', "COPY t FROM '/etc/passwd'", "COPY t TO '/tmp/x'",
    "COPY (SELECT 'to stdout') TO PROGRAM 'sh'", "COPY t FROM PROGRAM 'curl example.org'", "LOAD 'auto_explain'", "SELECT pg_read_file('/etc/passwd')",
    'SELECT pg_catalog.PG_READ_FILE ($1)', "SELECT lo_import('/etc/passwd')", "DO $$ BEGIN EXECUTE 'COPY t FROM PROGRAM ''id'''; END $$",
    "DO $$ BEGIN COPY t TO '/tmp/x'; END $$", "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $f$ BEGIN IF true THEN COPY t FROM '/x'; END IF; END $f$",
    "DO E'BEGIN PERFORM pg_ls_dir(''.''); END'",
  ])('%s', sql => expect(reasonNotToSend(sql)).toEqual(expect.any(String)));
});

describe('is sent', () => {
  test.each([
    'COPY t TO stdout', 'COPY (SELECT a FROM t) TO STDOUT', 'SELECT copy FROM stdin', "INSERT INTO notes VALUES ('please copy t from stdin')", "COMMENT ON TABLE t IS 'COPY t FROM stdin'",
    'SELECT 1 -- COPY t FROM stdin', '/* pg_read_file() */ SELECT 1', 'SELECT pg_read_file FROM t', 'SELECT pg_sleep(1)', 'CREATE TABLE load (copy text)', '', "SELECT '",
  ])('%s', sql => expect(reasonNotToSend(sql)).toBeUndefined());
});

test.each([
  ['begin', 'begin'], ['START TRANSACTION READ ONLY', 'begin'], ['-- a\nCOMMIT', 'commit'], ['END', 'commit'], ['COMMIT AND CHAIN', 'commitAndChain'], ['commit and no chain', 'commit'],
  ['ROLLBACK', 'rollback'], ['ABORT', 'rollback'], ['ROLLBACK TO a', 'rollbackTo'], ['ROLLBACK WORK TO SAVEPOINT a', 'rollbackTo'], ["COMMIT PREPARED 'a'", 'none'],
  ["PREPARE TRANSACTION 'a'", 'prepare'], ['SELECT 1', 'none'], ['"begin"', 'none'],
])('%s: %s', (sql, control) => expect(controlOf(sql)).toBe(control));
