import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { terminal } from './explain.ts';

const rules = join(import.meta.dirname, '../../rules');
const pages = readdirSync(rules).filter(file => file.endsWith('.md') && file !== 'README.md');

test.each(pages)('%s has no mark of Markdown on a terminal', file => {
  const shown = terminal(readFileSync(join(rules, file), 'utf8'), false);
  expect(shown).not.toMatch(/`|\*\*|\]\(http/);
});

test('a code span that goes on over a line end is one, and the code after it is its own', () => {
  expect(terminal('refused (`0A000: cannot\nalter`), in `WHERE` only\n\nNext `a`\n', false)).toBe('refused (0A000: cannot\nalter), in WHERE only\n\nNext a\n');
  const painted = terminal('with `55000:\nnot populated`. The `x`\n', true);
  expect(painted).toContain('\u001b[36m55000:\u001b[39m\n\u001b[36mnot populated\u001b[39m. The \u001b[36mx\u001b[39m');
});

test('what stands in a code block is left as it is', () => {
  expect(terminal('Do:\n```sql\nSELECT `a`;\n# no heading\n```\n# Heading\n', false)).toBe('Do:\n    SELECT `a`;\n    # no heading\nHeading\n');
});
