import { describe, expect, test } from 'vitest';
import { passwordFrom } from './passfile.ts';
import { readTarget, withoutSecrets, type Surroundings } from './parameters.ts';
import { channelsOf } from './tls.ts';
import { readUri } from './uri.ts';

const values = (uri: string): Record<string, string> => {
  const read = readUri(uri);
  if (!read.ok) throw new Error(read.problem);
  return Object.fromEntries(read.values);
};
const around = (environment: Record<string, string>, files: Record<string, { text: string; mode?: number }> = {}): Surroundings =>
  ({ environment, home: '/home/me', read: path => files[path] });
const target = (uri: string, environment: Record<string, string> = {}, files: Record<string, { text: string; mode?: number }> = {}) => {
  const read = readTarget(uri, around(environment, files));
  if (!read.ok) throw new Error(read.problem);
  return read.target;
};

/** The examples of https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-CONNSTRING-URIS, and what is beside them. */
test.each<[string, Record<string, string>]>([
  ['postgresql://', {}],
  ['postgresql://localhost', { host: 'localhost' }],
  ['postgresql://localhost:5433', { host: 'localhost', port: '5433' }],
  ['postgresql://localhost/mydb', { host: 'localhost', dbname: 'mydb' }],
  ['postgresql://user@localhost', { user: 'user', host: 'localhost' }],
  ['postgres://user:secret@localhost', { user: 'user', password: 'secret', host: 'localhost' }],
  ['postgresql://other@localhost/otherdb?connect_timeout=10&application_name=myapp', { user: 'other', host: 'localhost', dbname: 'otherdb', connect_timeout: '10', application_name: 'myapp' }],
  ['postgresql://host1:123,host2:456/somedb?target_session_attrs=any', { host: 'host1,host2', port: '123,456', dbname: 'somedb', target_session_attrs: 'any' }],
  ['postgresql:///mydb?host=localhost&port=5433', { dbname: 'mydb', host: 'localhost', port: '5433' }],
  ['postgresql://[2001:db8::1234]/database', { host: '2001:db8::1234', dbname: 'database' }],
  ['postgresql:///dbname?host=/var/lib/postgresql', { dbname: 'dbname', host: '/var/lib/postgresql' }],
  ['postgresql://%2Fvar%2Flib%2Fpostgresql/dbname', { host: '/var/lib/postgresql', dbname: 'dbname' }],
  ['postgresql://u:p%40s%3As%2Fw+%25%C3%B6%20@h/d', { user: 'u', password: 'p@s:s/w+%ö ', host: 'h', dbname: 'd' }],
  ['postgresql://h/d?ssl=true&sslrootcert=system', { host: 'h', dbname: 'd', sslmode: 'require', sslrootcert: 'system' }],
])('%s', (uri, expected) => {
  expect(values(uri)).toEqual(expected);
});

test.each([
  'mysql://h', 'postgresql://u:p@ss@h/d', 'postgresql://u:p/ss@h/d', 'postgresql://u:100%@h/d', 'postgresql://u:%zz@h', 'postgresql://u:a%00b@h',
  'postgresql://u:hunter2#x:y@h', 'postgresql://h:hunter2/d', 'postgresql://h/d?hunter2', 'postgresql://h/d?hunter2=1', 'postgresql://h/d?sslpassword=%hunter2', 'postgresql://[::1/d',
])('%s is refused without repeating any of it', uri => {
  const read = readTarget(uri, around({}));
  expect(read.ok).toBe(uri.includes('#'));
  if (!read.ok) for (const part of ['hunter2', 'p@ss', 'p/ss', '100%', '%zz']) expect(read.problem).not.toContain(part);
});

describe('the environment stands behind the URL', () => {
  test('PG* variables, and a service before them', () => {
    const environment = { PGHOST: 'a', PGPORT: '1', PGUSER: 'eve', PGDATABASE: 'shop', PGPASSWORD: 'x', PGOPTIONS: '-c work_mem=1MB', PGSSLMODE: 'require', PGSERVICE: 'prod' };
    const files = { '/home/me/.pg_service.conf': { text: '# services\n[other]\nhost=no\n[prod]\nhost=b\nport = 2\n\n[last]\nport=9\n' } };
    expect(target('postgres://', environment, files)).toMatchObject({ hosts: [{ host: 'b', port: 2 }], user: 'eve', database: 'shop', options: '-c work_mem=1MB' });
    expect(target('postgres://c:3', environment, files)).toMatchObject({ hosts: [{ host: 'c', port: 3 }] });
    expect(readTarget('postgres://?service=none', around({}))).toMatchObject({ ok: false });
  });
  test('several hosts share a port or have one each', () => {
    expect(target('postgres://a,b:6/d?port=7').hosts).toEqual([{ host: 'a', port: 7 }, { host: 'b', port: 7 }]);
    expect(target('postgres://a,b:6/d').hosts).toEqual([{ host: 'a', port: 5432 }, { host: 'b', port: 6 }]);
    expect(readTarget('postgres://a:99999999/d', around({})).ok).toBe(false);
  });
  test('the password: URL, PGPASSWORD, then the password file of that host', () => {
    const files = { '/home/me/.pgpass': { text: '# mine\na:*:shop:eve:from\\:file\n*:*:*:*:any\n', mode: 0o600 } };
    expect(target('postgres://eve:url@a/shop', { PGPASSWORD: 'env' }, files).password('a', 5432)).toBe('url');
    expect(target('postgres://eve@a/shop', { PGPASSWORD: 'env' }, files).password('a', 5432)).toBe('env');
    expect(target('postgres://eve@a/shop', {}, files).password('a', 5432)).toBe('from:file');
    expect(target('postgres://eve@b/shop', {}, files).password('b', 5432)).toBe('any');
    const open = target('postgres://eve@a/shop', { PGPASSFILE: '/p' }, { '/p': { text: '*:*:*:*:any', mode: 0o644 } });
    expect([open.password('a', 5432), open.notes]).toEqual([undefined, ['the password file is not used: others may read it (chmod 600)']]);
  });
});

test('a password file: escapes, comments, a line too short, CRLF', () => {
  const wanted = { host: 'h', port: 1, database: 'd', user: 'u' };
  expect(passwordFrom({ text: 'h:1:d\r\n#h:1:d:u:no\r\nh:1:d:u:a\\\\b\\:c\r\n' }, wanted)).toEqual({ password: 'a\\b:c' });
  expect(passwordFrom({ text: 'h:2:d:u:x' }, wanted)).toEqual({});
});

describe('sslmode', () => {
  const kinds = (mode: string | undefined, host = 'h', more: [string, string][] = []): readonly boolean[] | string => {
    const read = channelsOf(new Map([...(mode === undefined ? [] : [['sslmode', mode] as const]), ...more]), host);
    return read.ok ? read.channels.map(channel => channel.tls) : read.problem;
  };
  test('which channels are tried, in which order', () => {
    expect(kinds(undefined)).toEqual([true, false]);
    expect(kinds('prefer')).toEqual([true, false]);
    expect(kinds('allow')).toEqual([false, true]);
    expect(kinds('disable')).toEqual([false]);
    expect(kinds('require')).toEqual([true]);
    expect(kinds('require', '/socket')).toEqual([false]);
    expect(kinds(undefined, 'h', [['sslrootcert', 'system']])).toEqual([true]);
    expect(kinds('verify-full')).toContain('needs a root certificate');
    expect(kinds('require', 'h', [['sslrootcert', 'system']])).toContain('needs sslmode=verify-full');
    expect(kinds('verify-ca', 'h', [['sslrootcert', '/no/such/file']])).toContain('cannot be read');
    expect(kinds('sometimes')).toContain('one of disable, allow');
    expect(kinds('prefer', 'h', [['sslnegotiation', 'direct']])).toContain('needs sslmode=require');
  });
});

test('secrets are taken out of what others say, as they are and as they were written', () => {
  const { secrets } = target('postgres://eve:p%40ss%2Fword@h/d');
  expect(withoutSecrets('cannot use p@ss/word or p%40ss%2Fword of postgres://eve:p%40ss%2Fword@h/d', secrets)).toBe('cannot use … or … of …');
});
