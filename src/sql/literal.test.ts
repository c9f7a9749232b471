import { expect, test } from 'vitest';
import { decodeLiteral } from './literal.ts';
import { tokenize } from './tokens.ts';

const decode = (sql: string): string | undefined => {
  const token = tokenize(sql)[0]!;
  return decodeLiteral(sql, token.start, token.end)?.text;
};

test.each([
  ["'abc'", 'abc'], ["''", ''], ["'it''s'", "it's"], ["'a\\nb'", 'a\\nb'], ["''''", "'"], ["N'x'", 'x'], ["n'é'", 'é'],
  ["E'a\\nb\\t\\\\\\'''\\q'", "a\nb\t\\''q"], ["e'\\x41\\101\\u00e9\\U0001F600'", 'AAé😀'], ["E'\\v\\b\\f\\r'", '\v\b\f\r'],
  ["U&'d\\0061t\\+000061\\\\'", 'data\\'], ['$$a\'b$$', "a'b"], ['$t$a$$b$t$', 'a$$b'], ['$$$$', ''], ['$é$x$é$', 'x'],
  ["'a'\n  'b'", 'ab'], ["E'a' -- c\n'\\n'", 'a\n'],
])('%s', (sql, text) => {
  expect(decode(sql)).toBe(text);
});

test.each(["'abc", "E'\\", "E'\\xff'", "E'\\u12'", "E'\\0'", "U&'\\00'", "U&'!0061' UESCAPE '!'", '$$abc', '$a$b$', "B'01'", "X'1F'", 'abc', '"abc"', '$1', '', "'", '$', '$$'])(
  'no text in %j', sql => {
    expect(decodeLiteral(sql, 0, sql.length === 0 ? 0 : tokenize(sql)[0]!.end)).toBeUndefined();
  },
);

test('every character knows where it came from', () => {
  const sql = "x E'ab\\ncd''e' y";
  const literal = decodeLiteral(sql, 2, 14)!;
  expect(literal.text).toBe("ab\ncd'e");
  expect(literal.origins.map(({ start, end, sourceStart, sourceEnd }) => [literal.text.slice(start, end), sql.slice(sourceStart, sourceEnd)])).toEqual([
    ['ab', 'ab'], ['\n', '\\n'], ['cd', 'cd'], ["'", "''"], ['e', 'e'],
  ]);
  expect(literal.origins.map(origin => origin.start)).toEqual([0, 2, 3, 5, 6]);
  const dollar = decodeLiteral('$a$x\ny$a$', 0, 9)!;
  expect(dollar.origins).toEqual([{ start: 0, end: 3, sourceStart: 3, sourceEnd: 6 }]);
});
