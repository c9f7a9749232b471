import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openEmbedded } from './embedded.ts';
import { readPristine, writePristine } from './pristine.ts';

const cacheDir = mkdtempSync(join(tmpdir(), 'mvlint-cache-'));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

test('COPY FROM stdin is answered, and the server lives', async () => {
  const server = await openEmbedded({ cacheDir });
  await server.run('CREATE TABLE t (a int)');
  expect(await server.run('COPY t FROM stdin')).toMatchObject({ sqlstate: 'MVL01', notSent: true, message: expect.stringContaining('waits for rows') });
  expect(await server.run('SELECT count(*)::int AS n FROM t')).toEqual({ rows: [{ n: 0 }] });
  await server.close();
});

test('a statement that takes too long ends with its thread', async () => {
  const server = await openEmbedded({ cacheDir, statementTimeout: 500 });
  const started = performance.now();
  expect(await server.run('SELECT pg_sleep(60)')).toMatchObject({ sqlstate: '57014' });
  expect(performance.now() - started).toBeLessThan(5_000);
  expect(server.alive).toBe(false);
  expect(await server.run('SELECT 1')).toMatchObject({ sqlstate: '57P01' });
  await expect(server.copy()).rejects.toThrow('has ended');
});

test('copies are independent of each other and of what they came from', async () => {
  const server = await openEmbedded({ cacheDir });
  await server.run('CREATE TABLE t AS SELECT 1 AS a');
  const [one, two] = await Promise.all([server.copy(), server.copy()]);
  await one.run('INSERT INTO t VALUES (2)');
  await two.run('DROP TABLE t');
  const count = 'SELECT count(*)::int AS n FROM t';
  expect(await server.run(count)).toEqual({ rows: [{ n: 1 }] });
  expect(await one.run(count)).toEqual({ rows: [{ n: 2 }] });
  expect(await two.run(count)).toMatchObject({ sqlstate: '42P01' });
  await Promise.all([server, one, two].map(each => each.close()));
});

test('a damaged pristine directory is made anew', async () => {
  const file = join(cacheDir, readdirSync(cacheDir).find(name => name.endsWith('.tar')) ?? '');
  const whole = readFileSync(file);
  // One flipped byte in five million would start, and answer wrongly later: the checksum tells.
  for (const damage of [whole.subarray(0, 1_000_000), Buffer.alloc(64), Buffer.concat([whole.subarray(0, 5_000_000), Buffer.from('x'), whole.subarray(5_000_001)])]) {
    writeFileSync(file, damage);
    expect(await readPristine(file)).toBeUndefined();
  }
  const server = await openEmbedded({ cacheDir });
  expect(await server.run('SELECT 1 AS a')).toEqual({ rows: [{ a: 1 }] });
  await server.close();
  expect(statSync(file).size).toBeGreaterThan(20_000_000);
  expect(await readPristine(file)).toBeDefined();
  expect(readdirSync(cacheDir)).toHaveLength(1);
});

test('a cache that cannot be written is no error', async () => {
  const file = join(cacheDir, 'a-file');
  writeFileSync(file, '');
  await writePristine(join(file, 'inside'), join(file, 'inside', 'x.tar'), new Uint8Array(64));
  expect(await readPristine(join(file, 'inside', 'x.tar'))).toBeUndefined();
  rmSync(file);
});

test('extensions are loaded over a pristine directory that was made without them; unknown ones are named', async () => {
  const server = await openEmbedded({ cacheDir, extensions: ['pg_ivm', 'uuid-ossp', 'citext', 'postgis'] });
  expect(server.missing).toEqual(['postgis']);
  for (const name of ['pg_ivm', '"uuid-ossp"', 'citext']) expect(await server.run(`CREATE EXTENSION ${name}`)).toEqual({ rows: [] });
  expect(await server.run('CREATE EXTENSION postgis')).toMatchObject({ sqlstate: '0A000' });
  await server.close();
});
