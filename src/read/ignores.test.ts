import { expect, test } from 'vitest';
import { memoryFiles } from './files.ts';
import { readHistories } from './read.ts';

const ignoresOf = (text: string) => {
  const { histories } = readHistories(memoryFiles({ 'm/1.up.sql': text, 'm/1_a.up.sql': text }),
    { tool: 'golang-migrate', migrations: ['m'] });
  const statements = histories[0]?.migrations[0]?.up[0]?.statements ?? [];
  return { of: statements.map(({ ignores }) => ignores.map(({ scope, rules, reason }) => `${scope} ${rules.join('+')}: ${reason}`)),
    gaps: histories[0]?.gaps.map(({ because }) => because), statements };
};

test('directly above, at the end, inside and for the file', () => {
  expect(ignoresOf('-- mvlint-ignore a, b: because\n-- more words\nSELECT 1;\nSELECT 2; -- mvlint-ignore c: end\nSELECT 3;').of)
    .toEqual([['statement a+b: because'], ['statement c: end'], []]);
  expect(ignoresOf('/* mvlint-ignore a: block: with colon */ SELECT 1;\nSELECT\n  -- mvlint-ignore b: inside\n  2;').of).toEqual([['statement a: block: with colon'], ['statement b: inside']]);
  expect(ignoresOf('SELECT 1;\r\nSELECT 2;\r\n-- mvlint-ignore-file a: all of it\r\n').of).toEqual([['file a: all of it'],
    ['file a: all of it']]);
  expect(ignoresOf('/*\n * mvlint-ignore a: one\n * mvlint-ignore b: two\n */\nSELECT 1;').of).toEqual([['statement a: one',
    'statement b: two']]);
});

test('an ignore without reason is kept with an empty one', () => {
  expect(ignoresOf('-- mvlint-ignore a\nSELECT 1;').of).toEqual([['statement a: ']]);
});

test('an ignore that stands at no statement is said', () => {
  expect(ignoresOf('-- mvlint-ignore a: far away\n\nSELECT 1;')).toMatchObject({ of: [[]],
    gaps: [expect.stringContaining('stands at no statement')] });
  expect(ignoresOf('SELECT \'-- mvlint-ignore a: text\';')).toMatchObject({ of: [[]], gaps: [] });
  expect(ignoresOf('-- mvlint-ignored words\nSELECT 1;')).toMatchObject({ of: [[]], gaps: [] });
});
