import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

/**
 * The hooks as somebody else gets them: this working tree as a git repository, built by pre-commit in its own clone, run on a consumer's commits.
 * The build installs from the registry and takes most of a minute, so it is opt-in: it runs in CI, or with MVLINT_TEST_PRE_COMMIT=1, where pre-commit is
 * installed, and says so where it does not.
 */
const root = join(import.meta.dirname, '../..');
const wanted = Boolean(process.env['CI'] || process.env['MVLINT_TEST_PRE_COMMIT']);
const installed = wanted && spawnSync('pre-commit', ['--version'], { encoding: 'utf8' }).status === 0;
if (!installed) console.log(`The pre-commit hooks are not tried: ${wanted ? 'pre-commit is not installed' : 'MVLINT_TEST_PRE_COMMIT=1 does'}.`);

const scratch = installed ? mkdtempSync(join(tmpdir(), 'mvlint-pre-commit-')) : '';
afterAll(() => {
  if (scratch) rmSync(scratch, { recursive: true, force: true });
});

// Git and npm started from a hook or a test inherit variables that point elsewhere.
const env: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(GIT_|npm_|NODE_ENV$|NODE_OPTIONS$|VITEST|FORCE_COLOR)/i.test(name))),
  PRE_COMMIT_HOME: join(scratch, 'cache'), PRE_COMMIT_COLOR: 'never', NO_COLOR: '1', GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'protocol.file.allow', GIT_CONFIG_VALUE_0: 'always',
};
const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', '-c', 'init.defaultBranch=main', ...args], { cwd, encoding: 'utf8', env });
function tryCommit(cwd: string, files: Record<string, string>): { ok: boolean; output: string } {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), text);
  }
  git(cwd, 'add', '-A');
  const { status, stdout, stderr } = spawnSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', 'commit', '-m', 'change'], { cwd, encoding: 'utf8', env });
  return { ok: status === 0, output: stdout + stderr };
}

test.skipIf(!installed)('a clean commit passes, a harmful one is stopped, and the other hook sees the whole history', { timeout: 600_000 }, () => {
  const repository = join(scratch, 'mvlint');
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(file => file !== '');
  for (const file of files) cpSync(join(root, file), join(repository, file), { recursive: true, force: true });
  git(repository, 'init', '--quiet');
  git(repository, 'add', '-A');
  git(repository, 'commit', '--quiet', '-m', 'mvlint');
  const revision = git(repository, 'rev-parse', 'HEAD').trim();

  const shop = join(scratch, 'shop');
  mkdirSync(shop);
  git(shop, 'init', '--quiet');
  const config = (hook: string): string =>
    `repos:\n  - repo: file://${repository}\n    rev: ${revision}\n    hooks:\n      - id: ${hook}\n        language_version: system\n`;
  writeFileSync(join(shop, '.pre-commit-config.yaml'), config('mvlint'));
  execFileSync('pre-commit', ['install'], { cwd: shop, env });

  const clean = tryCommit(shop, {
    'migrations/001_orders.sql': 'create table orders (id bigint primary key, region text not null, total numeric not null);\n',
    'migrations/002_sales.sql': 'create materialized view sales as select region, sum(total) as total from orders group by region;\ncreate unique index on sales (region);\n',
  });
  expect(clean.ok, clean.output).toBe(true);
  expect(clean.output).toMatch(/mvlint \(changed migrations\)\.+Passed/);

  // The mistake shows only with the files that are not part of the commit.
  const harmful = tryCommit(shop, { 'migrations/003_refresh.sql': 'refresh materialized view sales;\n' });
  expect(harmful.ok, harmful.output).toBe(false);
  expect(harmful.output).toContain('prefer-concurrent-refresh');
  expect(harmful.output).toContain('migrations/003_refresh.sql');

  const repaired = tryCommit(shop, { 'migrations/003_refresh.sql': 'refresh materialized view concurrently sales;\n' });
  expect(repaired.ok, repaired.output).toBe(true);

  git(shop, 'commit', '--quiet', '--no-verify', '--allow-empty', '-m', 'nothing');
  writeFileSync(join(shop, '.pre-commit-config.yaml'), config('mvlint-all'));
  const all = spawnSync('pre-commit', ['run', '--all-files'], { cwd: shop, encoding: 'utf8', env });
  expect(all.status, all.stdout + all.stderr).toBe(0);
  writeFileSync(join(shop, 'migrations/004_refresh.sql'), 'refresh materialized view sales;\n');
  git(shop, 'add', '-A');
  const wrong = spawnSync('pre-commit', ['run', '--all-files'], { cwd: shop, encoding: 'utf8', env });
  expect(wrong.status, wrong.stdout + wrong.stderr).toBe(1);
  expect(wrong.stdout).toContain('prefer-concurrent-refresh');
});
