import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generatedFiles } from './generate.ts';
import { objection, skeleton } from './new-rule.ts';
import { parseFixture } from './fixtures.ts';

const root = join(import.meta.dirname, '../..');

test('no generated file is stale', async () => {
  const files = await generatedFiles();
  const held = (path: string): string | undefined => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined);
  const stale = [...files].filter(([path, text]) => held(path) !== text).map(([path]) => path);
  expect(stale, 'run npm run generate').toEqual([]);
});

test('a page shows both fixtures, what mvlint prints, and none of the expectations', async () => {
  const page = (await generatedFiles()).get('rules/no-drop-cascade.md') ?? '';
  expect(page).toContain('## Reported');
  expect(page).toContain('error[no-drop-cascade]');
  expect(page).toContain('## Not reported');
  expect(page).not.toContain('-- want');
});

test('examples that only their circumstances tell apart say them', async () => {
  const page = (await generatedFiles()).get('rules/no-concurrent-index-in-transaction.md') ?? '';
  const [reported = '', silent = ''] = page.split('## Reported')[1]?.split('## Not reported') ?? [];
  expect(reported).toContain('each file in one transaction');
  expect(silent).toContain('each statement by itself');
});

test('the skeleton of a new rule wants a finding that nothing yields yet', () => {
  const files = [...skeleton('no-such-thing')];
  expect(files.map(([path]) => path.slice(root.length + 1)).sort())
    .toEqual(['fixtures/no-such-thing/bad.sql', 'fixtures/no-such-thing/good.sql', 'rules/no-such-thing.ts']);
  const bad = files.find(([path]) => path.endsWith('bad.sql'))?.[1] ?? '';
  expect(parseFixture('no-such-thing', 'bad', bad).wants).toHaveLength(1);
  expect(objection('no-such-thing')).toBeUndefined();
  expect(objection('lost-index')).toContain('begins with');
  expect(objection('no-lost-index')).toContain('already');
});
