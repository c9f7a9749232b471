/**
 * How loud mvlint is: findings per migration over every project, and each one that is not written down for it in `fixtures/projects/findings.json`,
 * which people read. Exit status 1 for a finding too many or too few. (The correct fixtures of the rules have a test of their own.)
 *
 *     npm run quiet
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { diskFiles, lint, open, type Finding, type Report, type Session } from '../index.ts';
import { lineColumns } from '../sql/span.ts';

const projects = join(import.meta.dirname, '../../fixtures/projects');

/** What a project says, and how much it holds. */
export interface Loudness {
  readonly project: string;
  readonly migrations: number;
  /** `error no-lost-index db/003.sql:4`, lesser findings of the same cause included, in the order of the report. */
  readonly findings: readonly string[];
}

/** One line a finding, without its words: those have tests of their own. */
function lines(report: Report, session: Session): readonly string[] {
  const line = ({ severity, rule, span }: Finding): string => {
    const text = session.text(span.path);
    return `${severity} ${rule} ${span.path}:${text === undefined ? 1 : lineColumns(text)(span.start).line}`;
  };
  return report.findings.flatMap(finding => [line(finding), ...finding.also.map(line)]);
}

/** Every project under fixtures/projects, linted as a user would, what a later migration repaired included. */
export async function loudness(): Promise<readonly Loudness[]> {
  const found: Loudness[] = [];
  for (const project of readdirSync(projects, { withFileTypes: true }).filter(entry => entry.isDirectory()).map(entry => entry.name).sort()) {
    const session = await open(diskFiles(join(projects, project)));
    const { report } = lint(session, { allHistory: true });
    found.push({ project, migrations: session.histories.reduce((sum, history) => sum + history.migrations.length, 0), findings: lines(report, session) });
  }
  return found;
}

/** The findings that are written down, by project. */
export function written(): Readonly<Record<string, readonly string[]>> {
  return JSON.parse(readFileSync(join(projects, 'findings.json'), 'utf8')) as Record<string, readonly string[]>;
}

async function main(): Promise<number> {
  const expected = written();
  let wrong = 0;
  let [findings, migrations] = [0, 0];
  for (const one of await loudness()) {
    const wanted = expected[one.project] ?? [];
    const [more, fewer] = [one.findings.filter(line => !wanted.includes(line)), wanted.filter(line => !one.findings.includes(line))];
    process.stdout.write(`${one.project.padEnd(18)} ${String(one.findings.length).padStart(3)} findings in ${String(one.migrations).padStart(3)} migrations\n`);
    for (const line of more) process.stdout.write(`  not written down: ${line}\n`);
    for (const line of fewer) process.stdout.write(`  written down and not found: ${line}\n`);
    wrong += more.length + fewer.length;
    findings += one.findings.length;
    migrations += one.migrations;
  }
  process.stdout.write(`${findings} findings in ${migrations} migrations (${(findings / Math.max(1, migrations)).toFixed(2)} a migration), ${wrong} of them not as written\n`);
  return wrong > 0 ? 1 : 0;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = await main();
