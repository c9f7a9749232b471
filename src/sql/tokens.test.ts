import { expect, test } from 'vitest';
import { newScanned, plainEnd, scan } from './lexer.ts';
import { utf16OfBytes } from './offsets.ts';
import { parse } from './parse.ts';
import { identifierText, normalText, tokenize } from './tokens.ts';
import { withParser } from './wasm.ts';

const kindsOf = (sql: string, psql = false): string[] => tokenize(sql, { psql }).map(token => `${token.kind} ${sql.slice(token.start, token.end)}`);

test.each([
  ["select a, \"B\"", ['word select', 'word a', 'punctuation ,', 'quotedIdentifier "B"']],
  ["E'a\\'' U&\"x\" u&'y' b'1' N'n' $$d$$", ["string E'a\\''", 'quotedIdentifier U&"x"', "string u&'y'", "string b'1'", "string N'n'", 'string $$d$$']],
  ['1 1.5 .5 1. 1e10 1.5E-3 0xFF 0o17 0b11 1_000 1..2', ['number 1', 'number 1.5', 'number .5', 'number 1.', 'number 1e10', 'number 1.5E-3', 'number 0xFF', 'number 0o17', 'number 0b11', 'number 1_000', 'number 1', 'punctuation ..', 'number 2']],
  ['$1 $2+a$1', ['parameter $1', 'parameter $2', 'operator +', 'word a$1']],
  ['a::int := b =>c <-- d', ['word a', 'punctuation ::', 'word int', 'punctuation :=', 'word b', 'operator =>', 'word c', 'operator <', 'lineComment -- d']],
  ['a<>-1 @-1 ->>*', ['word a', 'operator <>', 'operator -', 'number 1', 'operator @-', 'number 1', 'operator ->>*']],
  ['a/*b*/-/**/c', ['word a', 'blockComment /*b*/', 'operator -', 'blockComment /**/', 'word c']],
  ['${x y} {{ z }} $x {', ['placeholder ${x y}', 'placeholder {{ z }}', 'error $', 'word x', 'error {']],
  ["'a'\n'b' 'c' 'd'", ["string 'a'\n'b'", "string 'c'", "string 'd'"]],
  [':a \\x', ['punctuation :', 'word a', 'error \\', 'word x']],
] as const)('%s', (sql, expected) => {
  expect(kindsOf(sql)).toEqual(expected);
});

test('psql variables', () => {
  expect(kindsOf(`:a :'b' :"c" :{?d} x::e f[1:2] f[lo:hi] f[:lo] t_:s :1 :'x y'`, true)).toEqual([
    'variable :a', "variable :'b'", 'variable :"c"', 'variable :{?d}', 'word x', 'punctuation ::', 'word e',
    'word f', 'punctuation [', 'number 1', 'punctuation :', 'number 2', 'punctuation ]',
    'word f', 'punctuation [', 'word lo', 'punctuation :', 'word hi', 'punctuation ]',
    'word f', 'punctuation [', 'variable :lo', 'punctuation ]', 'word t_', 'variable :s', 'punctuation :', 'number 1', 'punctuation :', "string 'x y'",
  ]);
});

test('tokens cover everything but blanks', () => {
  for (const sql of ["select 'a", '\ufeff x', 'a\u00a0b', '/* x', '\0 \u0001 é', '😀;', "E'\\"]) {
    let end = 0;
    for (const token of tokenize(sql)) {
      expect(sql.slice(end, token.start)).toMatch(/^[\ufeff\s]*$/);
      expect(token.end).toBeGreaterThan(token.start);
      end = token.end;
    }
    expect(sql.slice(end).trim()).toBe('');
    expect(end).toBeLessThanOrEqual(sql.length);
  }
});

test('normalText folds what Postgres folds and nothing else', () => {
  expect(normalText('SELECT  A, "B" /* c */ -- d\n FROM\tT ;; ')).toBe('select a , "B" from t');
  expect(normalText("select 'A  B'")).toBe("select 'A  B'");
  expect(normalText('CREATE VIEW v AS Select 1; ', 17)).toBe('select 1');
  expect(normalText('select a from t where b', 7, 8)).toBe('a');
  expect(normalText('ÉLAN')).toBe('Élan');
  expect(JSON.stringify(parse('select ÉLAN'))).toContain('"Élan"');
});

test('identifierText unquotes and folds', () => {
  const one = (sql: string): string => identifierText(sql, tokenize(sql)[0]!);
  expect(['Abc', '"Abc"', '"a""b"', '"abc"', 'É'].map(one)).toEqual(['abc', 'Abc', 'a"b', 'abc', 'É']);
});

/**
 * Postgres's own lexer through libpg_query, as UTF-16 ranges. It gives up at the first error, so all texts here are sound.
 * One difference is wanted: `N'x'` is one token here and two there (NCHAR and the string).
 */
function postgresTokens(sql: string): string[] {
  const json = withParser(sql, (module, pointer) => {
    const result = module._wasm_scan(pointer);
    const text = module.UTF8ToString(result);
    module._wasm_free_string(result);
    return text;
  });
  const toUtf16 = utf16OfBytes(sql) ?? (offset => offset);
  const { tokens } = JSON.parse(json) as { tokens: { start?: number; end: number }[] };
  return tokens.map(token => sql.slice(toUtf16(token.start ?? 0), toUtf16(token.end)));
}

test.each([
  'select a, b.c, "D", t.* from s.t as x where a >= 1 and b <> 2 or c != 3',
  "select 'it''s', E'a\\'b', U&'\\0061', B'01', x'1F', $$a'b$$, $t$ $$ $t$, $é$x$é$",
  'select 1, 1.5, .5, 1., 1e10, 1.5e-3, 0xFF, 0o17, 0b11, 1_000, 1.e5, a[1:2], $1, $22',
  "select a::int, b->>'c', d @> e, f || g, -1 + +2, @-1, a<-1, a*-1, !!x, a ?| b, a ~* 'x', a!=-1, 2^-1, a%-b, a#-b, a=-b, a-->c",
  'select 1 -- c\n/* d /* e */ f */ + 2 /**/ - 3 --',
  'select \'é😀\', "naïve", été, ключ, 名前 from 表',
  'select f(a => 1, b := 2), x .. y',
  'create function f() returns void language plpgsql as $body$begin execute $q$select 1$q$; end$body$',
  'select a$b, a$1, _x, "a""b", U&"d\\0061t"',
  'select\ta\r\n,b\fc\vd',
  "select ''\n'b', 'c'",
  'select a+-b, a+ -b, a*/* x */b, a/ /* y */ b, a<>-- z\n1, a@+b, a|-b, a/-b, a>+-1',
])('the lexer agrees with that of Postgres: %s', sql => {
  expect(tokenize(sql).map(token => sql.slice(token.start, token.end))).toEqual(postgresTokens(sql));
});

/** Numbers that look random and are the same in each run. */
function* seeded(): Generator<number> {
  for (let state = 1; ;) {
    state = (state * 48271) % 2147483647;
    yield state;
  }
}

test('a plain run ends where a token ends, and holds words and values only', () => {
  const parts = ['a', 'E', 'u&', 'é', '$', '$$', '_', '1', '23', '.', '..', "'", "''", "'x'", "'y',", "'\\'", ' ', '\n', '\t', ',', ')', ';', '"', '=', '-', '--', '/*', ':', '::', '{{', '[', ']', '\\', '0x1', 'e5'];
  const numbers = seeded();
  let runs = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const text = Array.from({ length: 12 }, () => parts[(numbers.next().value as number) % parts.length]).join('');
    const out = newScanned();
    for (let at = 0; at < text.length; at = out.end) {
      const end = out.brackets === 0 ? plainEnd(text, at) : at;
      if (end > at) runs += 1;
      for (let inside = at; inside < end; inside = out.end) {
        scan(text, inside, true, out);
        const token = text.slice(inside, out.end);
        expect(['blank', 'word', 'number', 'string'].includes(out.kind) || token === ',' || token === '.', `${token} in ${text}`).toBe(true);
        expect(out.end, text).toBeLessThanOrEqual(end);
      }
      if (end === at) scan(text, at, true, out);
      else expect(out.kind, text).not.toBe('blank');
    }
  }
  expect(runs).toBeGreaterThan(10_000);
});
