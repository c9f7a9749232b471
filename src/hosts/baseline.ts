import { readFileSync, writeFileSync } from 'node:fs';
import type { Finding, Report } from '../model.ts';
import { UsageError } from './usage.ts';

/** The findings an old project starts with, by fingerprint; rule and message are for people who read the diff. */
interface Baseline {
  readonly version: 1;
  readonly findings: readonly { readonly fingerprint: string; readonly rule: string; readonly message: string }[];
}

const flat = (findings: readonly Finding[]): readonly Finding[] => findings.flatMap(finding => [finding, ...finding.also]);

/** Reads a baseline. Throws `UsageError` when it is missing or no baseline. */
export function readBaseline(file: string, shown: string): ReadonlySet<string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new UsageError(`the baseline ${shown} cannot be read; --update-baseline makes it`);
  }
  try {
    const { version, findings } = JSON.parse(text) as Partial<Baseline>;
    if (version === 1 && Array.isArray(findings)) return new Set(findings.map(finding => String((finding as { readonly fingerprint?: unknown }).fingerprint)));
  } catch { /* the same answer as for JSON of another shape */ }
  throw new UsageError(`${shown} is not a baseline of this version; --update-baseline makes a new one`);
}

/** Writes every finding of a report, sorted so that a diff shows what changed. */
export function writeBaseline(file: string, shown: string, report: Report): void {
  const findings = flat(report.findings).map(({ fingerprint, rule, message }) => ({ fingerprint, rule, message }))
    .sort((a, b) => (a.rule === b.rule ? (a.fingerprint < b.fingerprint ? -1 : 1) : a.rule < b.rule ? -1 : 1));
  try {
    writeFileSync(file, `${JSON.stringify({ version: 1, findings } satisfies Baseline, undefined, 2)}\n`);
  } catch (error) {
    throw new UsageError(`the baseline ${shown} cannot be written: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/** The report without the findings of a baseline. A lesser finding that is new stays when its headline goes. */
export function withoutBaseline(report: Report, known: ReadonlySet<string>): Report {
  let dropped = 0;
  const findings = report.findings.flatMap(finding => {
    const also = finding.also.filter(other => !known.has(other.fingerprint));
    dropped += finding.also.length - also.length;
    if (!known.has(finding.fingerprint)) return [also.length === finding.also.length ? finding : { ...finding, also }];
    dropped += 1;
    return also;
  });
  return { ...report, findings, suppressed: report.suppressed + dropped };
}
