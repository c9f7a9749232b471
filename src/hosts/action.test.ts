import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cell, toMarkdown } from './action/markdown.ts';
import { inOrderOfInterest, type JsonReport, type ReportFinding } from './action/report.ts';

const root = join(import.meta.dirname, '../..');
const action = join(root, 'dist/action.js');

// ── A fake GitHub and real git repositories ─────────────────────────────────────────────────────────────────────────

interface Comment { id: number; body: string }
const github = { comments: [] as Comment[], mayWrite: true, requests: [] as string[] };
let server: Server;
let api = '';
const scratch = mkdtempSync(join(tmpdir(), 'mvlint-action-'));
let folders = 0;
const freshFolder = (): string => {
  const folder = join(scratch, String(++folders));
  mkdirSync(folder, { recursive: true });
  return folder;
};

beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.on('data', chunk => { text += String(chunk); });
    request.on('end', () => {
      github.requests.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      const answer = (status: number, body: unknown): void => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      };
      if (request.method === 'GET') {
        const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page'));
        return answer(200, github.comments.slice((page - 1) * 100, page * 100));
      }
      if (!github.mayWrite) return answer(403, { message: 'Resource not accessible by integration' });
      const { body } = JSON.parse(text) as { body: string };
      if (request.method === 'PATCH') {
        const id = Number(request.url?.split('/').at(-1));
        for (const comment of github.comments) if (comment.id === id) comment.body = body;
        return answer(200, {});
      }
      github.comments.push({ id: 1000 + github.comments.length, body });
      answer(201, {});
    });
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(scratch, { recursive: true, force: true });
});

function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', '-c', 'init.defaultBranch=main', '-c', 'protocol.file.allow=always', ...args],
    { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}
function commit(cwd: string, files: Record<string, string>, message: string): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), text);
  }
  git(cwd, 'add', '-A');
  git(cwd, 'commit', '--quiet', '-m', message);
  return git(cwd, 'rev-parse', 'HEAD');
}

const shipped = {
  'migrations/001_orders.sql': 'create table orders (id bigint primary key, region text not null, total numeric not null);\n',
  'migrations/002_sales.sql': [
    'create materialized view sales as select region, sum(total) as total from orders group by region;',
    'create unique index sales_region on sales (region);', ''].join('\n'),
  'migrations/003_refresh.sql': 'refresh materialized view sales;\n', // an old finding, on the target branch already
};
const recreates = {
  'migrations/004_recreate.sql': [
    'drop materialized view sales;',
    'create materialized view sales as select region, sum(total) as total, count(*) as orders from orders group by region;',
    'create unique index sales_region on sales (region);', ''].join('\n'),
};

/** main with three migrations and a branch with a fourth, checked out as it is. */
function pullRequest(prefix = ''): { cwd: string; base: string; head: string } {
  const cwd = freshFolder();
  git(cwd, 'init', '--quiet');
  const under = (files: Record<string, string>): Record<string, string> => Object.fromEntries(Object.entries(files).map(([path, text]) => [prefix + path, text]));
  const base = commit(cwd, under(shipped), 'base');
  git(cwd, 'checkout', '--quiet', '-b', 'change');
  return { cwd, base, head: commit(cwd, under(recreates), 'change') };
}

interface Run { status: number; log: string; summary: string; outputs: Record<string, string> }
/** One step in a bare environment: nothing but PATH, HOME and what GitHub sets. */
async function run(cwd: string, event: unknown, inputs: Record<string, string>, more: Record<string, string> = {}): Promise<Run> {
  const folder = freshFolder();
  const file = (name: string, text = ''): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '', HOME: folder, GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: cwd, GITHUB_REPOSITORY: 'shop/db', GITHUB_API_URL: api,
    GITHUB_SERVER_URL: 'https://github.example', GITHUB_SHA: git(cwd, 'rev-parse', 'HEAD'), GITHUB_EVENT_NAME: 'pull_request',
    GITHUB_EVENT_PATH: file('event.json', JSON.stringify(event)), GITHUB_STEP_SUMMARY: file('summary.md'), GITHUB_OUTPUT: file('output.txt'), RUNNER_TEMP: folder,
    INPUT_TOKEN: 'secret-token', 'INPUT_FAIL_ON': 'error',
    ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase().replaceAll('-', '_')}`, value])),
    ...more,
  };
  const child = spawn(process.execPath, [action], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stdout.on('data', chunk => { log += String(chunk); });
  child.stderr.on('data', chunk => { log += String(chunk); });
  const status = await new Promise<number>(done => child.on('close', code => done(code ?? -1)));
  const written = readFileSync(env['GITHUB_OUTPUT'] ?? '', 'utf8');
  const outputs = Object.fromEntries([...written.matchAll(/^(.+?)<<(.+)\n([\s\S]*?)\n\2$/gm)].map(match => [match[1] ?? '', match[3] ?? '']));
  return { status, log, summary: readFileSync(env['GITHUB_STEP_SUMMARY'] ?? '', 'utf8'), outputs };
}
const eventOf = (change: { base: string; head: string }): unknown => ({ pull_request: { number: 7, base: { sha: change.base }, head: { sha: change.head } } });
const annotations = (log: string): string[] => log.split('\n').filter(line => /^::(error|warning|notice) /.test(line));

// ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────

test('a pull request: annotation at the line, outputs, summary, and one comment that the next run updates', async () => {
  Object.assign(github, { comments: [{ id: 1, body: 'Looks good to me' }], mayWrite: true, requests: [] });
  const change = pullRequest();
  const first = await run(change.cwd, eventOf(change), { comment: 'true' });
  expect(first.status, first.log).toBe(1);
  const found = annotations(first.log).filter(line => line.includes('no-recreate-in-place'));
  expect(found, first.log).toHaveLength(1);
  expect(found[0]).toMatch(/^::error title=mvlint%3A no-recreate-in-place,file=migrations\/004_recreate\.sql,line=[12],endLine=[12],col=1,/);
  expect(first.log).not.toMatch(/^::\w+ .*003_refresh/m); // shipped, so not reported
  expect(Number(first.outputs['errors'])).toBeGreaterThan(0);
  expect(Number(first.outputs['findings'])).toBeGreaterThanOrEqual(Number(first.outputs['errors']));
  expect(first.outputs).toMatchObject({ warnings: expect.stringMatching(/^\d+$/) as string, gaps: '0' });
  expect((JSON.parse(readFileSync(first.outputs['json-file'] ?? '', 'utf8')) as JsonReport).summary.error).toBe(Number(first.outputs['errors']));
  expect(readFileSync(first.outputs['sarif-file'] ?? '', 'utf8')).toContain('2.1.0');
  expect(first.summary).toMatch(/^### mvlint: \d+ error/);
  expect(first.summary).toContain(`https://github.example/shop/db/blob/${change.head}/migrations/004_recreate.sql#L`);
  expect(github.comments).toHaveLength(2);
  expect(github.comments[1]?.body).toMatch(/^<!-- mvlint -->\n### mvlint: \d+ error/);
  expect(github.requests.every(request => request.endsWith('Bearer secret-token'))).toBe(true);

  const fixed = commit(change.cwd, { 'migrations/004_recreate.sql': 'comment on table orders is \'all orders\';\n' }, 'fix');
  const second = await run(change.cwd, eventOf({ ...change, head: fixed }), { comment: 'true' });
  expect(second.status, second.log).toBe(0);
  expect(github.comments).toHaveLength(2);
  expect(github.comments[1]?.body).toMatch(/^<!-- mvlint -->\n### mvlint: no findings/);
});

test('a token that may only read costs the comment and nothing else', async () => {
  Object.assign(github, { comments: [], mayWrite: false, requests: [] });
  const change = pullRequest();
  const { status, summary, log } = await run(change.cwd, eventOf(change), { comment: 'true', 'fail-on': 'never' });
  expect(status, log).toBe(0);
  expect(summary).toContain('status 403');
  expect(summary).toContain('no-recreate-in-place');
  github.mayWrite = true;
});

test('a pull request without findings gets no comment', async () => {
  Object.assign(github, { comments: [], mayWrite: true, requests: [] });
  const change = pullRequest();
  const head = commit(change.cwd, { 'migrations/004_recreate.sql': 'comment on table orders is \'all orders\';\n' }, 'fix');
  await run(change.cwd, eventOf({ ...change, head }), { comment: 'true' });
  expect(github.requests.map(request => request.split(' ')[0])).toEqual(['GET']);
});

test('the merge commit in a clone of depth 1 is compared with its first parent', async () => {
  const upstream = pullRequest();
  git(upstream.cwd, 'checkout', '--quiet', 'main');
  commit(upstream.cwd, { 'migrations/003a_other.sql': 'refresh materialized view sales;\n' }, 'somebody else, later'); // must not count as this change
  git(upstream.cwd, 'checkout', '--quiet', '-b', 'merge');
  git(upstream.cwd, 'merge', '--quiet', '--no-ff', '-m', 'merge', 'change');
  const clone = freshFolder();
  git(scratch, 'clone', '--quiet', '--depth=1', '--branch=merge', `file://${upstream.cwd}`, clone);
  const { status, log } = await run(clone, eventOf(upstream), {});
  expect(status, log).toBe(1);
  expect(annotations(log).some(line => line.includes('file=migrations/004_recreate.sql'))).toBe(true);
  expect(annotations(log).filter(line => /003/.test(line.split('::')[1] ?? '')), log).toEqual([]);
});

test('a clone that lacks the base reports everything and says so', async () => {
  const upstream = pullRequest();
  const clone = freshFolder();
  git(scratch, 'clone', '--quiet', '--depth=1', '--branch=change', `file://${upstream.cwd}`, clone);
  const { status, log, summary } = await run(clone, eventOf(upstream), {});
  expect(status, log).toBe(1);
  expect(log).toMatch(/^::warning title=mvlint%3A changed-only::All migrations are reported, because the clone is shallow/m);
  expect(summary).toContain('fetch-depth: 0');
  expect(annotations(log).some(line => line.includes('file=migrations/003_refresh.sql')), log).toBe(true);
});

test('a working directory below the repository: annotations, links and SARIF count from the repository', async () => {
  const change = pullRequest('services/shop/');
  const { status, log, summary, outputs } = await run(change.cwd, eventOf(change), { 'working-directory': 'services/shop', 'sarif-file': 'out.sarif' });
  expect(status, log).toBe(1);
  expect(annotations(log)[0]).toContain('file=services/shop/migrations/004_recreate.sql');
  expect(summary).toContain('/services/shop/migrations/004_recreate.sql#L');
  expect(outputs['sarif-file']).toBe(join(change.cwd, 'services/shop/out.sarif'));
  expect(readFileSync(outputs['sarif-file'] ?? '', 'utf8')).toMatch(/"uri":\s*"services\/shop\/migrations\/004_recreate\.sql"/);
});

test('more findings than GitHub shows: ten of a level, the rest counted in the summary', async () => {
  const change = pullRequest();
  const views = Array.from({ length: 12 }, (_, i) => i);
  commit(change.cwd, {
    'migrations/004_recreate.sql': views.map(i => `create materialized view v${i} as select ${i} as n;\ncreate unique index on v${i} (n);\n`).join(''),
    'migrations/005_refresh.sql': views.map(i => `refresh materialized view v${i};\n`).join(''),
  }, 'many');
  const { log, summary, outputs } = await run(change.cwd, {}, { 'changed-only': 'false' });
  const errors = Number(outputs['errors']);
  expect(errors, log).toBeGreaterThan(10);
  expect(annotations(log).filter(line => line.startsWith('::error '))).toHaveLength(10);
  expect(summary).toContain(`${errors - 10} finding`);
});

test('what the migrations quote cannot give commands to the runner', async () => {
  const change = pullRequest();
  const { log } = await run(change.cwd, eventOf(change), {});
  const token = /^::stop-commands::(.+)$/m.exec(log)?.[1];
  expect(token).toMatch(/^[0-9a-f-]{36}$/);
  expect(log.indexOf(`::${token}::`)).toBeGreaterThan(log.indexOf('no-recreate-in-place'));
  expect(log.indexOf('::error ')).toBeGreaterThan(log.indexOf(`::${token}::`));
});

test('a wrong input is one line and status 2', async () => {
  const change = pullRequest();
  for (const [inputs, words] of [
    [{ 'changed-only': 'perhaps' }, 'changed-only is true or false'],
    [{ 'working-directory': 'nowhere' }, 'nowhere does not exist'],
    [{ paths: 'no/such/folder' }, 'no/such/folder'],
  ] as const) {
    const { status, log } = await run(change.cwd, eventOf(change), inputs);
    expect(status, log).toBe(2);
    expect(log).toContain(words);
    expect(log).not.toMatch(/^\s+at /m);
  }
});

test('action.yml hands every input on and takes every output from the step', () => {
  const text = readFileSync(join(root, 'action.yml'), 'utf8');
  const keys = (section: string): string[] => [...(new RegExp(`^${section}:\\n((?: .*\\n|\\n)+)`, 'm').exec(text)?.[1] ?? '').matchAll(/^ {2}([\w-]+):/gm)].map(match => match[1] ?? '');
  expect(keys('inputs').sort()).toEqual([
    'baseline', 'changed-only', 'comment', 'config', 'database-url', 'fail-on', 'live', 'live-budget', 'paths', 'postgres', 'preset', 'sarif-file', 'summary', 'token',
    'tool', 'working-directory']);
  expect(keys('outputs')).toEqual(['findings', 'errors', 'warnings', 'gaps', 'sarif-file', 'json-file']);
  for (const name of keys('inputs')) expect(text).toContain(`INPUT_${name.toUpperCase().replaceAll('-', '_')}: \${{ inputs.${name} }}`);
  for (const name of keys('outputs')) expect(text).toContain(`value: \${{ steps.check.outputs.${name} }}`);
  expect(existsSync(action)).toBe(true);
});

// ── The texts ───────────────────────────────────────────────────────────────────────────────────────────────────────

const finding = (severity: ReportFinding['severity'], line: number, message = 'What happens.'): ReportFinding =>
  ({ rule: 'no-such', severity, message, path: 'a.sql', start: { line, column: 1 }, end: { line, column: 9 } });
const reportOf = (findings: readonly ReportFinding[]): JsonReport =>
  ({ findings, gaps: [], crashes: [], summary: { error: findings.length, warning: 0, note: 0, gaps: 0 } });

test('changed lines come first, then the graver finding', () => {
  const all = [finding('note', 1), finding('error', 2), finding('note', 5), finding('warning', 6)];
  const order = inOrderOfInterest(all, path => `db/${path}`, new Map([['db/a.sql', [[5, 6]]]]));
  expect(order.map(one => one.start.line)).toEqual([6, 5, 2, 1]);
});

test('text of a migration stays text in Markdown', () => {
  expect(cell('a | b\n<img src=x> @team `c` [x](y)')).toBe('a \\| b &lt;img src=x> &#64;team \\`c\\` \\[x\\](y)');
});

test('the Markdown keeps its limit and counts what it leaves out', () => {
  const findings = Array.from({ length: 500 }, (_, i) => finding('error', i + 1, 'é'.repeat(100)));
  const text = toMarkdown(reportOf(findings), { findings, link: () => undefined, remarks: [], limit: 10_000 });
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(10_000);
  const rows = text.split('\n').filter(line => line.startsWith('| 🛑')).length;
  expect(rows).toBeGreaterThan(10);
  expect(text).toContain(`${500 - rows} more findings do not fit here`);
});
