/**
 * The GitHub Action: inputs from the environment, one run of the command line beside this file, then annotations, outputs, job summary and comment.
 *
 * It spawns `cli.cjs` instead of calling the library, so that a step does exactly what the same words do in a terminal.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as core from '@actions/core';
import { changedLines, findBase, git, type Base, type GitHubEvent } from './action/changes.ts';
import { keepComment } from './action/comment.ts';
import { toMarkdown } from './action/markdown.ts';
import { counts, inOrderOfInterest, type ChangedLines, type JsonReport, type ReportFinding } from './action/report.ts';

/** GitHub shows ten annotations of each level a step and drops the others without a word. */
const annotationsPerLevel = 10;
/** A job summary may have 1 MiB a step, a comment 65,536 characters. */
const summaryLimit = 900_000;
const commentLimit = 60_000;

const environment = process.env;

/** An input, trimmed; '' when it is not given. GitHub names it INPUT_FAIL-ON, the composite action INPUT_FAIL_ON. */
function input(name: string): string {
  const upper = name.toUpperCase();
  return (environment[`INPUT_${upper.replaceAll('-', '_')}`] ?? environment[`INPUT_${upper}`] ?? '').trim();
}
function flag(name: string, otherwise: boolean): boolean {
  const text = input(name).toLowerCase();
  if (text === '') return otherwise;
  if (text === 'true' || text === 'false') return text === 'true';
  throw new UsageError(`The input ${name} is true or false, not '${text}'.`);
}
/** A wrong input: one clear line, exit status 2. */
class UsageError extends Error {}

function readEvent(): GitHubEvent {
  const path = environment['GITHUB_EVENT_PATH'];
  if (!path || !existsSync(path)) return {};
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as GitHubEvent;
  } catch {
    core.notice('The event file is not JSON; mvlint runs without it.');
    return {};
  }
}

/** The arguments of the command line for these inputs. */
function commandLine(base: string | undefined, jsonFile: string, sarifFile: string): readonly string[] {
  const words: string[] = [];
  for (const name of ['tool', 'postgres', 'preset', 'config', 'baseline', 'fail-on']) {
    const value = input(name);
    if (value) words.push(`--${name}=${value}`);
  }
  const url = input('database-url');
  const live = input('live').toLowerCase();
  if (live === 'env' || (url && (live === '' || live === 'true'))) words.push('--live=env');
  else if (live !== '' && live !== 'false') words.push(live === 'true' ? '--live' : `--live=${input('live')}`);
  if (input('live-budget')) words.push(`--live-budget=${input('live-budget')}`);
  if (base) words.push(`--changed=${base}`);
  words.push('--format=text', '--format=json', `--output=${jsonFile}`, '--format=sarif', `--output=${sarifFile}`, '--');
  return [...words, ...input('paths').split(/\r?\n/).map(line => line.trim()).filter(line => line !== '')];
}

/**
 * Runs the command line with its text on the step's log. What it prints quotes the migrations, which the author of a pull request wrote:
 * workflow commands are switched off meanwhile.
 */
async function runCommandLine(cwd: string, words: readonly string[]): Promise<number> {
  const cli = fileURLToPath(new URL('./cli.cjs', import.meta.url));
  const url = input('database-url');
  const inherited = Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('INPUT_')));
  const token = randomUUID();
  process.stdout.write(`::stop-commands::${token}\n`);
  const status = await new Promise<number>(done => {
    const child = spawn(process.execPath, [cli, ...words], {
      cwd, stdio: ['ignore', 'inherit', 'inherit'], env: { ...inherited, ...(url ? { MVLINT_DATABASE_URL: url } : {}) },
    });
    child.on('error', error => {
      process.stdout.write(`${error.message}\n`);
      done(2);
    });
    child.on('close', (code, signal) => done(code ?? (signal ? 2 : 0)));
  });
  process.stdout.write(`\n::${token}::\n`);
  return status;
}

/** Annotations for the first ten of each level. Returns how many there was no room for. */
function annotate(findings: readonly ReportFinding[], repositoryPath: (path: string) => string, warningsTaken: number): number {
  const shown = { error: 0, warning: warningsTaken, note: 0 };
  let left = 0;
  for (const finding of findings) {
    if (++shown[finding.severity] > annotationsPerLevel) {
      left++;
      continue;
    }
    const write = finding.severity === 'error' ? core.error : finding.severity === 'warning' ? core.warning : core.notice;
    const oneLine = finding.start.line === finding.end.line; // GitHub takes columns of a single line only
    write(finding.verdict ? `${finding.message}\n${finding.verdict.kind}: ${finding.verdict.says}` : finding.message, {
      title: `mvlint: ${finding.rule}`,
      file: repositoryPath(finding.path),
      startLine: finding.start.line,
      endLine: finding.end.line,
      ...(oneLine ? { startColumn: finding.start.column, endColumn: finding.end.column } : {}),
    });
  }
  return left;
}

/** SARIF uploads count paths from the repository, mvlint from its working directory. Leaves a file alone that is not as expected. */
function rebaseSarif(file: string, prefix: string): void {
  if (prefix === '' || !existsSync(file)) return;
  const rebase = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rebase);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [
      key,
      key === 'artifactLocation' && typeof inner === 'object' && inner !== null && 'uri' in inner && typeof inner.uri === 'string' && !/^[a-z][a-z+.-]*:/i.test(inner.uri)
        ? { ...inner, uri: posix.join(prefix.split('/').map(encodeURIComponent).join('/'), inner.uri) }
        : rebase(inner),
    ]));
  };
  writeFileSync(file, JSON.stringify(rebase(JSON.parse(readFileSync(file, 'utf8')))));
}

async function main(): Promise<number> {
  const workspace = environment['GITHUB_WORKSPACE'] ?? process.cwd();
  const cwd = resolve(workspace, input('working-directory') || '.');
  if (!existsSync(cwd)) throw new UsageError(`The working directory ${input('working-directory')} does not exist.`);
  const comment = flag('comment', false);
  const summary = flag('summary', true);
  const event = readEvent();
  const isPullRequest = event.pull_request !== undefined;
  if (input('database-url')) core.setSecret(input('database-url'));

  const remarks: string[] = [];
  let base: Base | undefined;
  if (flag('changed-only', isPullRequest)) {
    base = findBase(cwd, event, environment['GITHUB_SHA']);
    if ('none' in base) {
      remarks.push(`All migrations are reported, because ${base.none}.`);
      core.warning(remarks[0] ?? '', { title: 'mvlint: changed-only' });
    } else {
      remarks.push(`Only migrations changed since ${base.sha.slice(0, 12)} are reported.`);
    }
  }
  const since = base && 'sha' in base ? base.sha : undefined;

  const scratch = join(environment['RUNNER_TEMP'] ?? tmpdir(), `mvlint-${randomUUID()}`);
  mkdirSync(scratch, { recursive: true });
  const jsonFile = join(scratch, 'mvlint.json');
  const sarifFile = input('sarif-file') ? resolve(cwd, input('sarif-file')) : join(scratch, 'mvlint.sarif');
  const status = await runCommandLine(cwd, commandLine(since, jsonFile, sarifFile));
  if (!existsSync(jsonFile)) {
    core.setFailed('mvlint could not do its work; the log says why.');
    return status === 0 ? 2 : status;
  }

  const report = JSON.parse(readFileSync(jsonFile, 'utf8')) as JsonReport;
  // Where the working directory stands in the repository; a folder that is no repository counts from the workspace.
  const prefix = (git(cwd, 'rev-parse', '--show-prefix')?.trim() ?? relative(workspace, cwd).split(sep).join('/')).replace(/\/$/, '');
  const repositoryPath = (path: string): string => posix.join(prefix, path);
  rebaseSarif(sarifFile, prefix);

  core.setOutput('findings', report.findings.length);
  core.setOutput('errors', report.summary.error);
  core.setOutput('warnings', report.summary.warning);
  core.setOutput('gaps', report.summary.gaps);
  core.setOutput('json-file', jsonFile);
  if (existsSync(sarifFile)) core.setOutput('sarif-file', sarifFile);

  const changed: ChangedLines = since ? changedLines(cwd, since) : new Map();
  const findings = inOrderOfInterest(report.findings, repositoryPath, changed);
  const left = annotate(findings, repositoryPath, base && 'none' in base ? 1 : 0);
  if (left > 0) remarks.push(`${left} ${left === 1 ? 'finding has' : 'findings have'} no annotation: GitHub shows ${annotationsPerLevel} of each level a step.`);
  if (status === 2) {
    remarks.push('mvlint could not do all of its work; the log says why.');
    core.setFailed('mvlint could not do all of its work; the log says why.');
  }

  const repositoryName = environment['GITHUB_REPOSITORY'];
  const revision = event.pull_request?.head?.sha ?? environment['GITHUB_SHA'];
  const link = (path: string, line: number): string | undefined => repositoryName && revision
    ? `${environment['GITHUB_SERVER_URL'] ?? 'https://github.com'}/${repositoryName}/blob/${revision}/${repositoryPath(path).split('/').map(encodeURIComponent).join('/')}#L${line}`
    : undefined;

  const issue = event.pull_request?.number;
  if (comment && issue !== undefined && repositoryName) {
    const outcome = await keepComment({
      api: environment['GITHUB_API_URL'] ?? 'https://api.github.com', repository: repositoryName, issue, token: input('token'),
      // Steps for several folders of one repository keep a comment each.
      marker: prefix === '' ? '<!-- mvlint -->' : `<!-- mvlint ${prefix.replaceAll('--', '- -')} -->`,
    }, toMarkdown(report, { findings, link, remarks, limit: commentLimit }), report.findings.length === 0);
    if (outcome.did === 'refused') {
      remarks.push(`The pull request has no comment, because ${outcome.because}.`);
      core.notice(remarks.at(-1) ?? '', { title: 'mvlint: comment' });
    }
  }
  if (summary && environment['GITHUB_STEP_SUMMARY'])
    await core.summary.addRaw(toMarkdown(report, { findings, link, remarks, limit: summaryLimit })).write();
  core.info(`mvlint: ${counts(report)}, ${report.summary.gaps} gaps`);
  return status;
}

try {
  process.exitCode = await main();
} catch (error) {
  // A wrong input is one line; anything else is our own mistake, and its trace belongs in the log.
  core.setFailed(error instanceof UsageError ? error.message : error instanceof Error ? error.stack ?? error.message : String(error));
  process.exitCode = 2;
}
