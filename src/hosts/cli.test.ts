import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shapeError, type Schema } from './shape.ts';
import reportSchema from '../report/report.schema.json' with { type: 'json' };

/** The command line as people run it: the bundle (`npm run build` makes it), in folders of its own. */
const cli = join(import.meta.dirname, '../../dist/cli.cjs');
let scratch = '';
beforeAll(() => {
  if (!existsSync(cli)) throw new Error('dist/cli.cjs is not built: npm run build');
  scratch = mkdtempSync(join(tmpdir(), 'mvlint-cli-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const env: NodeJS.ProcessEnv = Object.fromEntries(Object.entries(process.env)
  .filter(([name]) => !/^(?:GIT_|GITHUB_|CI|NO_COLOR|FORCE_COLOR|INPUT_|VITEST|NODE_OPTIONS)/.test(name)));

let serial = 0;
/** A folder with these files; its path. */
function project(files: Record<string, string | Uint8Array>): string {
  serial += 1;
  const folder = join(scratch, `p${serial}`);
  mkdirSync(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}
interface Run { readonly status: number | null; readonly out: string; readonly err: string }
function mvlint(cwd: string, words: readonly string[], input = '', more: NodeJS.ProcessEnv = {}): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...words], { cwd, encoding: 'utf8', input, env: { ...env, ...more } });
  return { status, out: stdout, err: stderr };
}
/** One clear line on stderr, no stack. */
function oneLine(run: Run, ...says: readonly string[]): void {
  expect(run.status, run.err).toBe(2);
  expect(run.err.trimEnd().split('\n'), run.err).toHaveLength(1);
  expect(run.err).toMatch(/^mvlint: /);
  expect(run.err).not.toMatch(/\n\s+at /);
  for (const part of says) expect(run.err).toContain(part);
}

const good = 'CREATE TABLE orders (id int PRIMARY KEY, total numeric);\n';
const view = 'CREATE MATERIALIZED VIEW sales AS SELECT id, total FROM orders;\nCREATE UNIQUE INDEX sales_id ON sales (id);\n';
const recreate = 'DROP MATERIALIZED VIEW sales;\nCREATE MATERIALIZED VIEW sales AS SELECT id, total * 2 AS total FROM orders;\nCREATE UNIQUE INDEX sales_id ON sales (id);\n';
const clean = { 'migrations/1_orders.sql': good, 'migrations/2_sales.sql': view };
const bad = { ...clean, 'migrations/3_sales.sql': recreate };

describe('words', () => {
  test('--help and --version', () => {
    expect(mvlint(scratch, ['--help'])).toMatchObject({ status: 0, err: '' });
    expect(mvlint(scratch, ['check', '-h']).out).toContain('mvlint explain <rule>');
    expect(mvlint(scratch, ['--version']).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
  test.each(['plan', 'graph', 'lsp', 'init'])('%s is said to be missing', command => {
    oneLine(mvlint(scratch, [command, 'x']), `'${command}'`);
    expect(mvlint(scratch, ['--help']).out).not.toMatch(new RegExp(`mvlint ${command}\\b`));
  });
  test.each([
    [['--quite'], "did you mean '--quiet'?"], [['--format', 'jsn'], "did you mean 'json'?"], [['--postgres', '13'], '14, 15, 16, 17 or 18'], [['--tool', 'flywya'], "did you mean 'flyway'?"],
    [['--rule', 'no-recreate-in-place'], '--rule is <id>='], [['--rule', 'no-recreate-inplace=off'], "did you mean 'no-recreate-in-place'?"], [['--fail-on', 'eror'], "did you mean 'error'?"],
    [['--gaps', 'no'], 'ignore, report or error'], [['--preset', 'recomended'], "did you mean 'recommended'?"], [['--live-budget', 'soon', '--live'], 'number of seconds'],
    [['--format', 'json', '--format', 'text'], 'two formats'], [['--update-baseline'], '--baseline'], [['--quiet=yes'], 'takes no value'], [['--config'], 'needs a value'],
    [['--stdin-filename', 'x.sql'], 'goes with -'], [['--since', 'V99'], "'V99'"], [['--pending', 'V99*'], "'V99*'"],
  ])('%j is an error of use', (words, says) => {
    oneLine(mvlint(project(clean), ['migrations', ...words]), says);
  });
});

describe('exit status', () => {
  test('0 without findings, 1 with an error, 0 below the threshold', () => {
    expect(mvlint(project(clean), ['migrations'])).toMatchObject({ status: 0, err: '' });
    const folder = project(bad);
    const run = mvlint(folder, ['migrations']);
    expect(run).toMatchObject({ status: 1, err: '' });
    expect(run.out).toContain('error[no-recreate-in-place]');
    expect(run.out).toContain('--> migrations/3_sales.sql:2:1');
    expect(mvlint(folder, ['migrations', '--fail-on=never']).status).toBe(0);
    expect(mvlint(folder, ['migrations', '--rule', 'no-recreate-in-place=off', '--rule=no-lost-index=off']).out).not.toContain('no-recreate-in-place');
  });
  test('check is the default command, and the project is found without paths', () => {
    const folder = project(bad);
    expect(mvlint(folder, ['check', 'migrations']).status).toBe(1);
    expect(mvlint(folder, []).status).toBe(1);
    expect(mvlint(folder, ['.']).status).toBe(1);
    expect(mvlint(join(folder, 'migrations'), []).status).toBe(1);
  });
  test('2 for a path that is missing, and the report of the others is still written', () => {
    oneLine(mvlint(project(clean), ['migrationz']), 'migrationz does not exist');
    const run = mvlint(project(bad), ['migrations', 'nope']);
    oneLine(run, 'nope does not exist');
    expect(run.out).toContain('no-recreate-in-place');
  });
  test('2 for a path that cannot be read', () => {
    const folder = project({ ...clean, 'odd/x.sql/keep': '' });
    symlinkSync(join(folder, 'nowhere.sql'), join(folder, 'dangling.sql'));
    oneLine(mvlint(folder, ['dangling.sql']), 'dangling.sql');
    oneLine(mvlint(folder, ['odd/x.sql']), 'odd/x.sql');
  });
  test('2 for a binary file, in UTF-16 too', () => {
    const folder = project({ 'a.sql': new Uint8Array([0x53, 0, 1, 2]), 'b.sql': Buffer.from('\ufeffSELECT 1;', 'utf16le') });
    oneLine(mvlint(folder, ['a.sql']), 'a.sql is binary');
    oneLine(mvlint(folder, ['b.sql']), 'b.sql is UTF-16');
  });
  test('a binary file that was found by itself is a gap', () => {
    const folder = project({ ...clean, 'migrations/3_odd.sql': new Uint8Array([0x53, 0, 1, 2]) });
    const run = mvlint(folder, ['migrations']);
    expect(run).toMatchObject({ status: 0, err: '' });
    expect(run.out).toContain('migrations/3_odd.sql');
    expect(run.out).toContain('1 gap');
    expect(mvlint(folder, ['migrations', '--gaps=error']).status).toBe(1);
  });
  test('2 when there is nothing to lint, unless that is allowed', () => {
    const folder = project({});
    oneLine(mvlint(folder, []), 'nothing to lint', '--allow-empty');
    expect(mvlint(folder, ['--allow-empty'])).toMatchObject({ status: 0, err: '' });
  });
  test('2 for output that cannot be written', () => {
    const folder = project({ ...clean, taken: '' });
    oneLine(mvlint(folder, ['migrations', '--output', 'taken/report.txt']), 'taken/report.txt');
  });
  test.skipIf(process.platform === 'win32')('a reader that stops early is no failure', () => {
    const folder = project(bad);
    const { stderr } = spawnSync('sh', ['-c', `'${process.execPath}' '${cli}' migrations --format json | head -c 1`], { cwd: folder, encoding: 'utf8', env });
    expect(stderr).toBe('');
  });
});

describe('stdin', () => {
  test('stands alone, or in the history its name belongs to', () => {
    const folder = project(clean);
    const alone = mvlint(folder, ['-'], `${good}${view}${recreate}`);
    expect(alone).toMatchObject({ status: 0, err: '' });
    const placed = mvlint(folder, ['-', '--stdin-filename', 'migrations/3_sales.sql'], recreate);
    expect(placed.status, placed.err).toBe(1);
    expect(placed.out).toContain('migrations/3_sales.sql:1:1');
    expect(existsSync(join(folder, 'migrations/3_sales.sql'))).toBe(false);
  });
  test('replaces the file of its name', () => {
    expect(mvlint(project(bad), ['-', '--stdin-filename', 'migrations/3_sales.sql'], 'SELECT 1;')).toMatchObject({ status: 0 });
  });
  test('names itself in reports, and may not be binary or empty', () => {
    expect(mvlint(scratch, ['-', '--format=gcc', '--no-config'], 'CREATE TABEL x;').out).toContain('<stdin>:1:');
    oneLine(mvlint(scratch, ['-'], 'a\0b'), 'stdin is binary');
    oneLine(mvlint(scratch, ['-'], ''), 'nothing to lint');
  });
});

describe('what is reported', () => {
  const later = { ...bad, 'migrations/4_more.sql': 'CREATE TABLE more (id int);\n' };
  test('a named file, over its whole history', () => {
    const folder = project(later);
    expect(mvlint(folder, ['migrations/3_sales.sql']).status).toBe(1);
    expect(mvlint(folder, ['migrations/4_more.sql'])).toMatchObject({ status: 0, err: '' });
    expect(mvlint(folder, ['migrations/[34]_*.sql']).status).toBe(1);
    oneLine(mvlint(folder, ['migrations/9*.sql']), 'nothing matches');
  });
  test('--since and --pending', () => {
    const folder = project(later);
    expect(mvlint(folder, ['migrations', '--since', '4_more']).status).toBe(0);
    expect(mvlint(folder, ['migrations', '--since', '3_sales.sql']).status).toBe(1);
    // What goes out together with the making of the view has no readers to hurt.
    expect(mvlint(folder, ['migrations', '--pending', '{2,3}_*.sql']).out).not.toContain('no-recreate-in-place');
  });
  test('--changed, over the merge base, with and without a base', () => {
    const folder = project(clean);
    const git = (...words: string[]): string => execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.org', ...words], { cwd: folder, encoding: 'utf8', env });
    oneLine(mvlint(folder, ['migrations', '--changed']), '--changed');
    git('init', '--quiet', '--initial-branch=main');
    git('add', '-A');
    git('commit', '--quiet', '-m', 'one');
    expect(mvlint(folder, ['--changed', 'migrations'])).toMatchObject({ status: 0, err: '' });
    writeFileSync(join(folder, 'migrations/3_sales.sql'), recreate);
    expect(mvlint(folder, ['--changed', 'migrations']).status).toBe(1);
    git('checkout', '--quiet', '-b', 'work');
    git('add', '-A');
    git('commit', '--quiet', '-m', 'two');
    expect(mvlint(folder, ['--changed']).status).toBe(1);
    expect(mvlint(folder, ['--changed=main', 'migrations']).status).toBe(1);
    expect(mvlint(folder, ['--changed', 'main', 'migrations']).status).toBe(1);
    expect(mvlint(folder, ['--changed=HEAD', 'migrations']).status).toBe(0);
    oneLine(mvlint(folder, ['--changed=nope', 'migrations']), 'nope');
  });
  test('a baseline starts an old project green, and new findings stand out', () => {
    const folder = project(bad);
    oneLine(mvlint(folder, ['migrations', '--baseline', 'base.json']), 'base.json', '--update-baseline');
    expect(mvlint(folder, ['migrations', '--baseline', 'base.json', '--update-baseline'])).toMatchObject({ status: 0, err: '' });
    expect(mvlint(folder, ['migrations', '--baseline', 'base.json']).status).toBe(0);
    writeFileSync(join(folder, 'migrations/3_sales.sql'), `-- moved\n\n${recreate}`);
    expect(mvlint(folder, ['migrations', '--baseline', 'base.json']).status).toBe(0);
    writeFileSync(join(folder, 'migrations/5_again.sql'), recreate.replace('* 2', '* 3'));
    expect(mvlint(folder, ['migrations', '--baseline', 'base.json']).status).toBe(1);
  });
});

describe('configuration', () => {
  const withConfig = (config: unknown, files: Record<string, string> = bad): string => project({ ...files, 'mvlint.config.json': typeof config === 'string' ? config : JSON.stringify(config) });
  test('is found upwards and obeyed; options win', () => {
    const folder = withConfig({ migrations: ['migrations'], rules: { 'no-recreate-in-place': 'note', 'no-lost-index': 'off', 'no-lost-privileges': 'off' } });
    expect(mvlint(join(folder, 'migrations'), []).status).toBe(0);
    expect(mvlint(folder, ['--rule=no-recreate-in-place=error']).status).toBe(1);
    expect(mvlint(folder, ['--no-config', 'migrations']).status).toBe(1);
  });
  test.each([
    [{ migratons: [] }, "'migratons'; did you mean 'migrations'?"], [{ postgres: '16' }, 'postgres'], [{ postgres: 13 }, 'between 14 and 18'], [{ preset: 'al' }, "did you mean 'all'?"],
    [{ rules: { 'no-recreate-in-plac': 'off' } }, "did you mean 'no-recreate-in-place'?"], [{ rules: { 'no-recreate-in-place': 'eror' } }, 'rules.no-recreate-in-place'],
    [{ session: { searchPaht: [] } }, "'session.searchPaht'; did you mean 'searchPath'?"], [{ projects: [{ root: 'x' }] }, "projects[0] has no 'name'"], [{ migrations: 'db' }, 'a list'], ['{ "tool": ', 'not JSON'],
    [[], 'an object'],
  ])('%j is refused', (config, says) => {
    oneLine(mvlint(withConfig(config), []), 'mvlint.config.json', says);
  });
  test('in package.json, as a module, and by name', () => {
    const off = { rules: { 'no-recreate-in-place': 'off', 'no-lost-index': 'off', 'no-lost-privileges': 'off' } };
    expect(mvlint(project({ ...bad, 'package.json': JSON.stringify({ mvlint: off }) }), ['migrations']).out).not.toContain('no-recreate-in-place');
    expect(mvlint(project({ ...bad, 'mvlint.config.mjs': `export default ${JSON.stringify(off)};` }), ['migrations']).out).not.toContain('no-recreate-in-place');
    expect(mvlint(project({ ...bad, 'other.json': JSON.stringify(off) }), ['migrations', '--config', 'other.json']).out).not.toContain('no-recreate-in-place');
    oneLine(mvlint(project(bad), ['--config', 'none.json']), 'none.json does not exist');
    oneLine(mvlint(project({ ...bad, 'mvlint.config.mjs': 'export default {' }), []), 'mvlint.config.mjs');
  });
  test('projects are histories of their own', () => {
    const folder = withConfig({ projects: [{ name: 'shop', root: 'a' }, { name: 'billing', migrations: ['b/db'] }] }, {
      'a/migrations/1.sql': good, 'a/migrations/2.sql': view, 'b/db/1.sql': good, 'b/db/2.sql': view, 'b/db/3.sql': recreate,
    });
    const run = mvlint(folder, ['--format', 'json']);
    expect(run.err).toBe('');
    const { histories, findings } = JSON.parse(run.out) as { histories: { id: string }[]; findings: { history: string }[] };
    expect(histories.map(({ id }) => id)).toEqual(['shop', 'billing']);
    expect(new Set(findings.map(({ history }) => history))).toEqual(new Set(['billing']));
  });
});

describe('output', () => {
  test('json follows the published schema; paths are those of the working directory', () => {
    const folder = project(bad);
    const parsed = JSON.parse(mvlint(join(folder, 'migrations'), ['..', '--format=json']).out) as { findings: { path: string; start: object }[] };
    expect(shapeError(parsed, reportSchema as Schema, reportSchema.definitions as unknown as Record<string, Schema>)).toBeUndefined();
    expect(parsed.findings[0]).toMatchObject({ path: '3_sales.sql', start: { line: 2, column: 1, offset: 30 } });
  });
  test('several formats go where their --output says', () => {
    const folder = project(bad);
    const run = mvlint(folder, ['migrations', '--format', 'text', '--format', 'json', '--output', 'out/r.json', '--format=sarif', '--output=r.sarif', '--stats']);
    expect(run.out).toContain('error[no-recreate-in-place]');
    expect(run.err).toMatch(/^read \d+ ms/);
    expect(JSON.parse(readFileSync(join(folder, 'out/r.json'), 'utf8'))).toMatchObject({ version: 1, summary: { error: 1 } });
    expect(JSON.parse(readFileSync(join(folder, 'r.sarif'), 'utf8'))).toMatchObject({ version: '2.1.0' });
  });
  test('colours are for terminals and for those who ask', () => {
    const folder = project(bad);
    expect(mvlint(folder, ['migrations']).out).not.toContain('\u001b');
    expect(mvlint(folder, ['migrations'], '', { FORCE_COLOR: '1' }).out).toContain('\u001b');
    expect(mvlint(folder, ['migrations', '--color'], '', { NO_COLOR: '1' }).out).toContain('\u001b');
    expect(mvlint(folder, ['migrations'], '', { NO_COLOR: '1', FORCE_COLOR: '1' }).out).not.toContain('\u001b');
  });
  test('is the same every time', () => {
    const folder = project(bad);
    expect(mvlint(folder, ['--format=json']).out).toBe(mvlint(folder, ['--format=json']).out);
  });
});

describe('proof', () => {
  const installed = existsSync(join(import.meta.dirname, '../../node_modules/@electric-sql/pglite'));
  if (!installed) console.log('The embedded proof is not tried: PGlite is not installed.');
  test.skipIf(!installed)('--live adds verdicts, and says nothing on stderr when nobody watches', { timeout: 240_000 }, () => {
    const run = mvlint(project(bad), ['migrations', '--live', '--live-budget=120', '--format=json']);
    expect(run).toMatchObject({ status: 1, err: '' });
    const { findings } = JSON.parse(run.out) as { findings: { rule: string; verdict?: { kind: string } }[] };
    expect(findings.find(({ rule }) => rule === 'no-recreate-in-place')?.verdict?.kind).toBe('confirmed');
  });
  test.skipIf(!installed || process.platform === 'win32')('Ctrl-C ends it with 130, also while the server computes', { timeout: 60_000 }, async () => {
    const endless = 'CREATE MATERIALIZED VIEW endless AS SELECT count(*) AS n FROM generate_series(1, 1000000000000) AS a(i);\n';
    const child = spawn(process.execPath, [cli, 'migrations', '--live'], { cwd: project({ ...bad, 'migrations/4_endless.sql': endless }), env, stdio: 'ignore' });
    const ended = new Promise(done => child.on('exit', (code, signal) => done(signal ?? code)));
    await new Promise(done => setTimeout(done, 1500));
    expect(child.exitCode).toBeNull();
    child.kill('SIGINT');
    // A shell reports a process that the signal itself ended as 130, too.
    expect([130, 'SIGINT']).toContain(await ended);
  });
});

describe('explain and rules', () => {
  test('a page, a near name, the table', () => {
    const page = mvlint(scratch, ['explain', 'no-recreate-in-place']);
    expect(page).toMatchObject({ status: 0, err: '' });
    expect(page.out).toContain('no-recreate-in-place');
    expect(page.out).not.toContain('```');
    oneLine(mvlint(scratch, ['explain', 'no-recreat']), 'no-recreat');
    oneLine(mvlint(scratch, ['explain', 'no-drop-cascad']), "did you mean 'no-drop-cascade'?");
    oneLine(mvlint(scratch, ['explain']), 'one rule');
    expect(mvlint(scratch, ['rules']).out).toMatch(/^error\s+no-broken-refresh\s+Disallow/m);
    const table = JSON.parse(mvlint(scratch, ['rules', '--format', 'json']).out) as { id: string; severity: string }[];
    expect(table.find(({ id }) => id === 'no-recreate-in-place')).toMatchObject({ severity: 'error', presets: ['recommended', 'all', 'ivm'] });
    oneLine(mvlint(scratch, ['rules', '--fail-on=error']), '--fail-on');
  });
});

describe('refreshes outside of the migrations', () => {
  const files = {
    'db/001_daily.sql': 'create table orders (id bigint primary key, day date not null);\ncreate materialized view daily as select day, count(*) as n from orders group by day;\ncreate unique index daily_day on daily (day);\n',
    'db/002_drop.sql': 'drop index daily_day;\n',
    'src/jobs.py': 'cursor.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY daily")\n# refresh materialized view other\n',
  };

  test('--code finds them in sources of any language, and a migration that breaks one is told', () => {
    const { status, out } = mvlint(project(files), ['db', '--code', 'src/**/*.py']);
    expect(status).toBe(1);
    expect(out).toContain('The code in src/jobs.py can no longer refresh daily concurrently because it has no unique index that CONCURRENTLY can use.');
    expect(out).toContain('src/jobs.py:1:17');
    expect(mvlint(project(files), ['db']).status).toBe(0);
  });

  test('a glob that matches nothing is an error of use', () => {
    oneLine(mvlint(project(files), ['db', '--code', 'lib/*.rb']), '--code', 'lib/*.rb');
  });

  test('the configuration names them, and may say that there are no others', () => {
    const config = (refreshes: object): string => JSON.stringify({ migrations: ['db'], refreshes });
    const named = mvlint(project({ ...files, 'mvlint.config.json': config({ concurrently: ['public.daily'] }) }), []);
    expect([named.status, named.out.includes('no-broken-refresh')]).toEqual([1, true]);
    const without = { ...files, 'db/001_daily.sql': 'create table orders (id bigint);\ncreate materialized view daily as select id from orders;\n', 'db/002_drop.sql': 'select 1;\n' };
    const warned = mvlint(project({ ...without, 'mvlint.config.json': config({ complete: false }) }), ['--fail-on', 'warning']);
    expect(warned.out).toContain('require-unique-index');
    const complete = mvlint(project({ ...without, 'mvlint.config.json': config({ complete: true }) }), ['--fail-on', 'warning']);
    expect([complete.status, complete.out.includes('require-unique-index')]).toEqual([0, false]);
  });
});

describe('down parts', () => {
  const files = {
    'db/001_a.up.sql': 'create table orders (id bigint primary key);\ncreate materialized view m as select id from orders;\ncreate unique index m_id on m (id);\n',
    'db/001_a.down.sql': 'drop materialized view m;\ndrop table orders;\n',
    'db/002_b.up.sql': 'alter table orders add column region text;\ncreate view best as select id, region from orders;\n',
    'db/002_b.down.sql': 'alter table orders drop column region;\n',
  };

  test('--down reports what Postgres refuses in them, and only then', () => {
    const { status, out } = mvlint(project(files), ['db', '--down']);
    expect(status).toBe(1);
    expect(out).toContain('db/002_b.down.sql:1:1');
    expect(out).toContain('no-blocked-column-change');
    expect(out).not.toContain('001_a.down.sql');
    expect(mvlint(project(files), ['db']).status).toBe(0);
  });

  test('what a down part does not give back to a view is told, under a headline of its own', () => {
    const view = 'create materialized view sales as select region, sum(id) as total from orders group by region;\n';
    const index = 'create unique index sales_region on sales (region);\n';
    const swap = {
      'db/001_a.up.sql': `create table orders (id bigint primary key, region text);\n${view}${index}`, 'db/001_a.down.sql': 'drop materialized view sales;\ndrop table orders;\n',
      'db/002_b.up.sql': `drop materialized view sales;\n${view.replace('select region', 'select 1 as one, region')}${index}`,
      'db/002_b.down.sql': `drop materialized view sales;\n${view}`,
    };
    const { out } = mvlint(project(swap), ['db', '--down', '--format', 'gcc']);
    expect(out).toMatch(/002_b\.down\.sql:2:1: error: sales has lost its unique index sales_region \(region\)/);
    const whole = { ...swap, 'db/002_b.down.sql': `${swap['db/002_b.down.sql']}${index}` };
    expect(mvlint(project(whole), ['db', '--down', '--format', 'gcc']).out).not.toContain('down.sql');
  });
  test('a history is as it was after its down parts were tried', () => {
    const broken = { ...files, 'db/002_b.up.sql': 'alter table orders add column region text;\n', 'db/003_c.up.sql': 'create view late as select region from orders;\n' };
    expect(mvlint(project(broken), ['db', '--down']).out).toContain('No findings');
  });
});
