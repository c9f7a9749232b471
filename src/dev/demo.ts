/**
 * `npm run generate` (second half): writes what `npx mvlint --live fixtures/projects/demo` really prints into the README. A test fails when it is stale.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const start = '<!-- demo:start -->';
const end = '<!-- demo:end -->';

/** What the demo prints on a terminal without colours. Needs the bundle in `dist`; throws when the run does not end with findings (status 1). */
export function demoOutput(): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'dist/cli.cjs'), '--live', '--live-budget', '300', 'fixtures/projects/demo'],
    { cwd: root, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', CI: 'true' } });
  if (status !== 1) throw new Error(`the demo ended with ${status}: ${stderr}`);
  return stdout.trimEnd();
}

/** The README with its example replaced. */
export function withDemo(readme: string, output: string): string {
  const [from, to] = [readme.indexOf(start), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error('README.md lacks the markers of the demo');
  return `${readme.slice(0, from)}${start}\n\`\`\`\`text\n$ npx mvlint --live fixtures/projects/demo\n${output}\n\`\`\`\`\n${readme.slice(to)}`;
}

if (process.argv[1] === import.meta.filename) {
  const file = join(root, 'README.md');
  const old = readFileSync(file, 'utf8');
  const text = withDemo(old, demoOutput());
  if (text !== old) writeFileSync(file, text);
  console.log(`README.md: the demo is ${text === old ? 'as it was' : 'renewed'}`);
}
