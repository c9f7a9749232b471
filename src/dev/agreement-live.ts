/**
 * What the laboratory says of the findings: every fixture and every project is linted with every rule, replayed on the embedded server, and each
 * claim is tried. Two figures must be zero: errors that the laboratory refutes, and refusals by Postgres that the replay did not foretell (or
 * foretold with another SQLSTATE). Exit status 1 otherwise. A run takes some minutes.
 *
 *     npm run agreement:live [-- --all] [--server 18] [name…]
 *
 * --all lists what stayed unproven too, --server takes a real server (`npm run servers`), which is quicker; a name keeps the histories that contain it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { lint, type LintResult } from '../lint.ts';
import { proveClaims, type Surprise } from '../live/prove.ts';
import type { Finding, Rule, Verdict } from '../model.ts';
import { diskFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { allFindings, fixturesRoot, lintFixture, loadRules, readFixtures } from './fixtures.ts';
import { serverHost, type ServerHost } from './server-host.ts';
import { withServer } from './server.ts';

/** A finding and what became of it; `verdict` is absent where the rule has no experiment for it. */
interface Tried {
  readonly history: string;
  readonly finding: Finding;
  readonly verdict: Verdict | undefined;
}
interface Unforetold { readonly history: string; readonly surprise: Surprise }

/** Every history of the fixtures and the projects, linted with all rules. */
function linted(rules: readonly Rule[], wanted: (name: string) => boolean): readonly { readonly name: string; readonly result: () => LintResult }[] {
  const projects = join(fixturesRoot, 'projects');
  const folders = (existsSync(projects) ? readdirSync(projects, { withFileTypes: true }) : []).filter(entry => entry.isDirectory());
  const options = { postgres: 18, preset: 'all' as const, rules: {}, allHistory: true };
  return [
    ...readFixtures().map(fixture => ({ name: `${fixture.rule}/${fixture.name}`, result: () => lintFixture(fixture, rules) })),
    ...folders.map(({ name }) => ({
      name: `projects/${name}`, result: () => lint(readHistories(diskFiles(join(projects, name))).histories, rules, options),
    })),
  ].filter(({ name }) => wanted(name));
}

/** A reason without names and figures, so that equal reasons are counted together. */
const kindOf = (says: string): string => says.replace(/"[^"]*"|\([^)]*\)/g, '…').replace(/\d+/g, 'n').replace(/: .*$/s, '').trim();

function counted(title: string, reasons: readonly string[]): void {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  if (counts.size > 0) process.stdout.write(`${title}\n`);
  for (const [reason, count] of [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))) process.stdout.write(`  ${String(count).padStart(4)}  ${reason}\n`);
}

function summary(title: string, tried: readonly Tried[]): void {
  const of = (kind: Verdict['kind']): number => tried.filter(({ verdict }) => verdict?.kind === kind).length;
  const silent = tried.filter(({ verdict }) => verdict === undefined);
  process.stdout.write(`${tried.length} ${title}: ${of('confirmed')} confirmed, ${of('refuted')} refuted, ${of('unproven')} unproven, ${silent.length} without an experiment\n`);
}

const line = ({ history, finding, verdict }: Tried): string =>
  `${history} ${finding.span.path}:${finding.span.start} ${finding.rule}: ${finding.message}\n    ${verdict?.kind ?? 'no experiment'}: ${verdict?.says ?? ''}\n`;

async function main(words: readonly string[]): Promise<number> {
  const { values, positionals: names } = parseArgs({ args: [...words], allowPositionals: true, options: { all: { type: 'boolean', default: false }, server: { type: 'string' } } });
  const judge = (host?: ServerHost): Promise<number> => run(names, values.all, host);
  return values.server === undefined ? judge() : withServer(Number(values.server), async server => judge(await serverHost(server)));
}

async function run(names: readonly string[], all: boolean, host?: ServerHost): Promise<number> {
  const postgres = host?.major ?? 18;
  const histories = linted(await loadRules(), name => names.length === 0 || names.some(part => name.includes(part)));
  const tried: Tried[] = [];
  const unforetold: Unforetold[] = [];
  const gaps: string[] = [];
  for (const { name, result } of histories) {
    const { claims: parts, report } = result();
    const verdicts = new Map<Finding, Verdict>();
    for (const { history, claims, predicted } of parts) {
      await host?.tidy();
      const proof = await proveClaims(history, claims, predicted, { budget: 300_000, postgres, ...(host ? { host } : {}) });
      for (const [claim, verdict] of proof.verdicts) verdicts.set(claim.finding, verdict);
      for (const surprise of proof.surprises) unforetold.push({ history: name, surprise });
      for (const gap of proof.gaps) gaps.push(gap.because);
    }
    for (const finding of allFindings(report.findings)) {
      const one = { history: name, finding, verdict: verdicts.get(finding) };
      tried.push(one);
      if (one.verdict?.kind === 'refuted' || (all && one.verdict?.kind !== 'confirmed')) process.stdout.write(line(one));
    }
  }

  const errors = tried.filter(({ finding }) => finding.severity === 'error');
  for (const { history, surprise: { span, seen, predicted } } of unforetold)
    process.stdout.write(`${history} ${span.path}:${span.start} foretold ${predicted?.sqlstate ?? 'nothing'}, came ${seen ? `${seen.sqlstate} ${seen.message}` : 'nothing'}\n`);
  process.stdout.write(`${histories.length} histories\n`);
  summary('errors', errors);
  summary('other findings', tried.filter(({ finding }) => finding.severity !== 'error'));
  counted('unproven because', tried.flatMap(({ finding, verdict }) => (verdict?.kind === 'unproven' ? [`${finding.rule}: ${kindOf(verdict.says)}`] : [])));
  counted('without an experiment', tried.flatMap(({ finding, verdict }) => (verdict === undefined ? [`${finding.rule} (${finding.severity})`] : [])));
  counted('gaps of the laboratory', gaps.map(kindOf));
  const came = unforetold.filter(({ surprise }) => surprise.seen !== undefined).length;
  process.stdout.write(`refusals by Postgres that were not foretold: ${came}; foretold refusals that did not come: ${unforetold.length - came}\n`);
  return unforetold.length > 0 || errors.some(({ verdict }) => verdict?.kind === 'refuted') ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
