import { expect, test } from 'vitest';
import { split } from './split.ts';

/** Statements as text, everything else as `kind:text`. */
const cut = (text: string, psql = false): string[] =>
  split(text, { psql }).map(piece => (piece.kind === 'statement' ? '' : `${piece.kind}:`) + text.slice(piece.start, piece.end));

const cases: readonly (readonly [string, string, readonly string[]])[] = [
  ['semicolons', 'select 1; select 2 ;\n;; select 3', ['select 1', 'select 2', 'select 3']],
  ['nothing', ' \n ;; ', []],
  ['strings', "select 'a;b'';c'; select E'\\';'; select U&'\\0041;'; select B'1;'; select n';'", ["select 'a;b'';c'", "select E'\\';'", "select U&'\\0041;'", "select B'1;'", "select n';'"]],
  ['a backslash is plain in a plain string', "select '\\'; select 2", ["select '\\'", 'select 2']],
  ['a continued E string keeps its escapes', "select E'a'\n'b\\';'; select 2", ["select E'a'\n'b\\';'", 'select 2']],
  ['quoted identifiers', 'select ";""x;"; select U&"a;b"', ['select ";""x;"', 'select U&"a;b"']],
  ['dollar quotes', 'select $$;$$; select $a$;$$;$b$;$a$; select $é1$;$é1$', ['select $$;$$', 'select $a$;$$;$b$;$a$', 'select $é1$;$é1$']],
  ['a dollar inside a word opens nothing', 'select a$$b; select $1; select 2', ['select a$$b', 'select $1', 'select 2']],
  ['comments', '-- a;\nselect 1 -- b;\n; /* c; /* d; */ ; */ select 2', ['comment:-- a;', 'select 1', 'comment:-- b;', 'comment:/* c; /* d; */ ; */', 'select 2']],
  ['a comment between statements is not part of either', 'select 1 /* x */; -- y\nselect 2', ['select 1', 'comment:/* x */', 'comment:-- y', 'select 2']],
  ['comments inside follow their statement', 'select /* a */ 1 -- b\n + 2;', ['select /* a */ 1 -- b\n + 2', 'comment:/* a */', 'comment:-- b']],
  ['parentheses hold semicolons', 'create rule r as on insert to t do (select 1; select 2); select 3', ['create rule r as on insert to t do (select 1; select 2)', 'select 3']],
  ['a stray parenthesis closes nothing', 'select 1); select 2', ['select 1)', 'select 2']],
  ['routine bodies', 'create function f() returns int begin atomic select case when a then 1 end; select 2; end; select 3',
    ['create function f() returns int begin atomic select case when a then 1 end; select 2; end', 'select 3']],
  ['nested CASE in a body', 'CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC SELECT CASE WHEN CASE a WHEN 1 THEN 2 END = 1 THEN 3 END; END; x',
    ['CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC SELECT CASE WHEN CASE a WHEN 1 THEN 2 END = 1 THEN 3 END; END', 'x']],
  ['BEGIN alone is a statement', 'begin; select 1; end; commit', ['begin', 'select 1', 'end', 'commit']],
  ['a function called begin', 'create function begin() returns int language sql as $$select 1;$$; x', ['create function begin() returns int language sql as $$select 1;$$', 'x']],
  ['CASE outside of a body', 'select case when true then 1 end; x', ['select case when true then 1 end', 'x']],
  ['CRLF and a BOM', '\ufeff-- a\r\nselect 1;\r\nselect 2;\r\n', ['comment:-- a', 'select 1', 'select 2']],
  ['NBSP is part of a word', '\u00a0select 1;', ['\u00a0select 1']],
  ['an unterminated string runs to the end', "select 'a; select 2;\n", ["select 'a; select 2;\n"]],
  ['an unterminated comment runs to the end', 'select 1; /* a; b', ['select 1', 'comment:/* a; b']],
  ['an unterminated dollar quote runs to the end', 'x; select $a$;$b$; y', ['x', 'select $a$;$b$; y']],
  ['an unterminated parenthesis runs to the end', 'x; select (1; y', ['x', 'select (1; y']],
  ['a backslash outside of psql', 'select 1 \\g\n; x', ['select 1 \\g', 'x']],
  ['JSON operators and placeholders', "select a ? 'b' where x = ${v;} and {{ y; }}; z", ["select a ? 'b' where x = ${v;} and {{ y; }}", 'z']],
];

test.each(cases)('%s', (_, text, expected) => {
  expect(cut(text)).toEqual(expected);
});

const psqlCases: readonly (readonly [string, string, readonly string[]])[] = [
  ['a command to the end of its line', '\\i a.sql -- x\nselect 1;', ['meta:\\i a.sql -- x', 'select 1']],
  ['two commands on one line', "\\set a 'x\\'y' \\set b 2\n", ["meta:\\set a 'x\\'y'", 'meta:\\set b 2']],
  ['a command inside a statement does not end it', 'select 1\n\\echo x\n+ 2;', ['select 1\n\\echo x\n+ 2', 'meta:\\echo x']],
  ['\\gset and \\g send the buffer', 'select 1 \\gset\nselect 2 \\g out.txt\nselect 3', ['select 1', 'meta:\\gset', 'select 2', 'meta:\\g out.txt', 'select 3']],
  ['\\\\ goes back to SQL', '\\c db \\\\ select 1;', ['meta:\\c db', 'select 1']],
  ['\\; separates', 'select 1\\; select 2;', ['select 1', 'select 2']],
  ['a backslash in a string is no command', "select '\\i x'; y", ["select '\\i x'", 'y']],
  ['variables', `select :a, :'b;', :'b', :"c", :{?d}, x::int, y[1:2], y[lo:hi]; z`, [`select :a, :'b;', :'b', :"c", :{?d}, x::int, y[1:2], y[lo:hi]`, 'z']],
  ['COPY data', 'copy t (a, b) from stdin;\n1;\t\'\n\\N\n\\.\nselect 1;', ['copy t (a, b) from stdin', "copyData:1;\t'\n\\N\n", 'select 1']],
  ['COPY data with CRLF', 'COPY public.t FROM STDIN WITH (FORMAT csv); -- c\r\na\r\n\\.\r\nselect 1;', ['COPY public.t FROM STDIN WITH (FORMAT csv)', 'comment:-- c', 'copyData:a\r\n', 'select 1']],
  ['no COPY data', 'copy t from stdin;\n\\.\nselect 1', ['copy t from stdin', 'copyData:', 'select 1']],
  ['COPY data to the end', 'copy t from stdin;\n1\n2', ['copy t from stdin', 'copyData:1\n2']],
  ['COPY from elsewhere', "copy t from '/x';\nselect 1; copy (select a from stdin) to stdout;\nselect 2", ["copy t from '/x'", 'select 1', 'copy (select a from stdin) to stdout', 'select 2']],
  ['names of psql are not words of COPY', 'select copy from stdin;\nselect 1', ['select copy from stdin', 'select 1']],
];

test.each(psqlCases)('psql: %s', (_, text, expected) => {
  expect(cut(text, true)).toEqual(expected);
});

test('outside of psql, COPY data need their end mark', () => {
  expect(cut('copy t from stdin;\nselect 1;')).toEqual(['copy t from stdin', 'select 1']);
  expect(cut('copy t from stdin;\n1\n\\.\nselect 1;')).toEqual(['copy t from stdin', 'copyData:1\n', 'select 1']);
});

test('commands keep their name and argument', () => {
  expect(split("\\include_relative  'a b.sql'  \r\n", { psql: true })).toEqual([
    { kind: 'meta', start: 0, end: 28, command: 'include_relative', argument: "'a b.sql'" },
  ]);
  expect(split('\\copy t from x \\ y', { psql: true })).toMatchObject([{ command: 'copy', argument: 't from x \\ y' }]);
});

const ten = 10 * 1024 * 1024;
const hostile: readonly (readonly [string, string])[] = [
  ['statements', 'select a, b from t where c = 1; -- x\n'.repeat(ten / 36)],
  ['quotes', "'".repeat(1_000_001)],
  ['quote pairs and blanks', "'' \n ".repeat(1_000_000)],
  ['double quotes', '"'.repeat(1_000_001)],
  ['comment openings', '/*'.repeat(1_000_000)],
  ['comment openings and closings', '/*/'.repeat(1_000_000)],
  ['dollars', '$'.repeat(1_000_001)],
  ['dollar tags', Array.from({ length: 200_000 }, (_, i) => `$a${String(i)}$`).join(' ')],
  ['parentheses', '('.repeat(1_000_000)],
  ['backslashes', '\\'.repeat(1_000_001)],
  ['backslash words', '\\a '.repeat(300_000)],
  ['colons', ':'.repeat(1_000_001)],
  ['operators', '+-'.repeat(500_000)],
  ['mixed operators', '@-'.repeat(500_000)],
  ['digits', '1_'.repeat(500_000)],
  ['exponents', '1e+'.repeat(500_000)],
  ['braces', '{{'.repeat(500_000)],
  ['brace holes', '${'.repeat(500_000)],
  ['letters', 'é'.repeat(2_000_000)],
  ['COPY', 'copy t from stdin;\n'.repeat(100_000)],
  ['COPY marks', 'copy t from stdin;\n\\.\n'.repeat(100_000)],
  ['COPY near marks', `copy t from stdin;\n${'\\.x\n'.repeat(300_000)}`],
  ['continued strings', "'a' -- x\n".repeat(200_000)],
  ['plain tokens', `select ${"a.b 'c', 1.5 ".repeat(200_000)}`],
  ['fractions', `select ${'1.1'.repeat(500_000)}x`],
  ['blank tails', `'a'${' \n'.repeat(1_000_000)}x`],
];

test.each(hostile)('linear time: %s', (_, text) => {
  for (const psql of [false, true]) {
    const began = performance.now();
    let last = 0;
    for (const piece of split(text, { psql })) {
      if (piece.kind !== 'statement') continue;
      if (piece.start < last || piece.end > text.length) throw new Error('pieces overlap');
      last = piece.end;
    }
    expect(performance.now() - began).toBeLessThan(4000);
  }
});
