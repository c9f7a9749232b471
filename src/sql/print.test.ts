import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bareLabelKeywords, keywords } from './keywords.ts';
import { parse } from './parse.ts';
import { quoteIdent, quoteLiteral, quoteName } from './print.ts';

let db: PGlite;
beforeAll(async () => {
  db = await PGlite.create();
});
afterAll(() => db.close());

const kinds = { U: 'unreserved', C: 'column name', T: 'type or function name', R: 'reserved' } as const;

test('the keyword table is that of Postgres', async () => {
  const { rows } = await db.query<{ word: string; catcode: keyof typeof kinds; barelabel: boolean }>('select word, catcode, barelabel from pg_get_keywords()');
  expect(new Map([...keywords].sort())).toEqual(new Map(rows.map(row => [row.word, kinds[row.catcode]] as const).sort()));
  expect([...bareLabelKeywords].sort()).toEqual(rows.filter(row => row.barelabel).map(row => row.word).sort());
});

const odd = [
  'a', 'a_1', '_a', '1a', 'a$b', 'A', 'aB', 'é', 'naïve', '', ' ', 'a b', 'a"b', '"', "a'b", 'a\\b', 'a.b', 'a-b', 'a;b', '😀', '\u00a0', 'ſ', 'İ', 'a\nb', '$1', '--', '/*', 'pg_catalog', 'x'.repeat(70),
];

test('quoteIdent is quote_ident', async () => {
  const names = [...keywords.keys(), ...odd];
  const { rows } = await db.query<{ q: string }>('select quote_ident(n) q from unnest($1::text[]) with ordinality u(n, i) order by i', [names]);
  expect(names.map(quoteIdent)).toEqual(rows.map(row => row.q));
});

test('quoteLiteral is quote_literal', async () => {
  const texts = [...odd, "it's \\ it", '\\', "\\'", "''", '\t\r\n'];
  const { rows } = await db.query<{ q: string }>('select quote_literal(n) q from unnest($1::text[]) with ordinality u(n, i) order by i', [texts]);
  expect(texts.map(quoteLiteral)).toEqual(rows.map(row => row.q));
});

test('quoted names survive the parser', () => {
  for (const name of [...keywords.keys(), ...odd.filter(one => one !== '')]) {
    expect(parse(`drop table ${quoteIdent(name)}`), name).toMatchObject({ ok: true, node: { DropStmt: { objects: [{ List: { items: [{ String: { sval: name.slice(0, 63) } }] } }] } } });
  }
});

test('quoteName leaves out the first schema of the path', () => {
  expect(quoteName({ schema: 'public', name: 'Order' })).toBe('"Order"');
  expect(quoteName({ schema: 'app', name: 'order' })).toBe('app."order"');
  expect(quoteName({ schema: 'app', name: 'x' }, ['app', 'public'])).toBe('x');
  expect(quoteName({ schema: 'public', name: 'x' }, ['app', 'public'])).toBe('public.x');
  expect(quoteName({ schema: 'public', name: 'x' }, [])).toBe('public.x');
});
