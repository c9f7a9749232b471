import { PGlite } from '@electric-sql/pglite';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtins, majors } from './builtins.ts';
import { printCast, printFunction, printOperator, printType } from './rows.ts';
import { readServer, type ServerCatalog } from './server.ts';

let db: PGlite;
let server: ServerCatalog;
beforeAll(async () => {
  db = await PGlite.create();
  server = await readServer(async sql => (await db.query<Record<string, unknown>>(sql)).rows);
}, 120_000);
afterAll(() => db.close());

const file = join(import.meta.dirname, 'data/builtins.txt');

test('the table of 18 is the whole catalog of PGlite, row by row', () => {
  const table = builtins(18);
  const rows = {
    functions: table.names('functions').flatMap(name => table.functions(name).map(row => `${name} ${printFunction(row)}`)),
    operators: table.names('operators').flatMap(name => table.operators(name).map(row => `${name} ${printOperator(row)}`)),
    casts: table.names('casts').flatMap(name => table.castsFrom(name).map(row => `${name} ${printCast(row)}`)),
    types: table.types().map(row => `${row.name} ${printType(row)}`),
  };
  const asked = {
    functions: server.functions.map(row => `${row.name} ${printFunction(row)}`),
    operators: server.operators.map(row => `${row.name} ${printOperator(row)}`),
    casts: server.casts.map(row => `${row.source} ${printCast(row)}`),
    types: server.types.map(row => `${row.name} ${printType(row)}`),
  };
  for (const kind of ['functions', 'operators', 'casts', 'types'] as const) {
    const [mine, theirs] = [new Set(rows[kind]), new Set(asked[kind])];
    expect([...theirs].filter(row => !mine.has(row)), `${kind} that the table lacks`).toEqual([]);
    expect([...mine].filter(row => !theirs.has(row)), `${kind} that PGlite lacks`).toEqual([]);
    expect(rows[kind].length, kind).toBe(asked[kind].length);
  }
  expect(asked.functions.length).toBeGreaterThan(2_800);
});

test('what is left out has a type that no expression can have', async () => {
  const { rows } = await db.query<{ n: number; handlers: number }>(`
    select count(*)::int as n, (count(*) filter (where exists (select from pg_type t
      where (t.oid = prorettype or t.oid = any(proargtypes)) and (t.typname in ('internal', 'trigger',
        'event_trigger') or t.typname like '%_handler'))))::int as handlers
    from pg_proc where pronamespace = 'pg_catalog'::regnamespace`);
  expect(rows[0]!.n - rows[0]!.handlers).toBe(server.functions.length);
});

test('the majors differ where PostgreSQL does', () => {
  expect(majors.map(major => builtins(major).functions('any_value').length)).toEqual([0, 0, 1, 1, 1]);
  expect(majors.map(major => builtins(major).functions('uuidv7').length)).toEqual([0, 0, 0, 0, 2]);
  const zoned = (major: number) => builtins(major).functions('date_trunc').find(row => row.arguments.length === 3)?.volatility;
  expect(majors.map(zoned)).toEqual(['stable', 'stable', 'immutable', 'immutable', 'immutable']);
  expect(builtins(18).cast('int4', 'bytea')?.context).toBe('explicit');
  expect(builtins(14).cast('int4', 'bytea')).toBeUndefined();
  expect([builtins(9).major, builtins(99).major, builtins(NaN).major]).toEqual([14, 18, 18]);
});

test('look-ups say what the catalogs say', () => {
  const table = builtins(18);
  expect(table.functions('now')).toEqual([{ name: 'now', arguments: [], result: 'timestamptz', returnsSet: false, kind: 'function',
    volatility: 'stable', strict: true, parallel: 'safe', defaults: 0 }]);
  expect(table.functions('json_each')[0]).toMatchObject({ returnsSet: true, result: 'record',
    columns: [{ name: 'key', type: 'text' }, { name: 'value', type: 'json' }] });
  expect(table.functions('make_interval')[0]).toMatchObject({ defaults: 7, names: ['years', 'months', 'weeks', 'days', 'hours', 'mins',
    'secs'] });
  expect(table.functions('percentile_cont')[0]?.aggregate).toEqual({ kind: 'ordered', direct: 1 });
  expect(table.functions('concat')[0]).toMatchObject({ variadic: 'any', strict: false, volatility: 'stable' });
  expect(table.operators('~~').map(row => row.function)).toContain('textlike');
  expect(table.operators('-').find(row => row.left === undefined && row.right === 'numeric')?.function).toBe('numeric_uminus');
  expect(table.cast('int4', 'int8')).toMatchObject({ context: 'implicit', method: 'function', function: 'int8' });
  expect(table.type('timestamptz')).toMatchObject({ printed: 'timestamp with time zone', category: 'D', preferred: true, output: 'stable',
    btree: true });
  expect(table.typePrinted('character varying')?.name).toBe('varchar');
  expect(table.type('int4range')?.range).toEqual({ subtype: 'int4', range: 'int4range', multirange: 'int4multirange' });
  expect([table.type('point')?.element, table.type('int2vector')?.element]).toEqual([{ type: 'float8', array: false }, { type: 'int2',
    array: true }]);
  for (const name of ['', 'no_such', '# functions', 'a\tb', '\n', 'constructor']) expect(table.functions(name), name).toEqual([]);
});

test('the file is ASCII, as its reader assumes, and small', () => {
  expect(/^[\x09\x0a\x20-\x7e]*$/.test(readFileSync(file, 'latin1'))).toBe(true);
  expect(statSync(file).size).toBeLessThan(160_000);
});
