import type { Severity } from '../model.ts';
import { verdictLine, type Renderer } from './rendering.ts';

const severities: Readonly<Record<Severity, string>> = { error: 'major', warning: 'minor', note: 'info' };

/** GitLab's code quality report: one issue a finding, matched between branches by its fingerprint. */
export const gitlab: Renderer = (report, { positions, display }) => `${JSON.stringify(report.findings.flatMap(finding => [finding, ...finding.also]).map(finding => ({
  description: [finding.message, verdictLine(finding)].filter(part => part !== undefined).join(' '),
  check_name: finding.rule,
  fingerprint: finding.fingerprint,
  severity: severities[finding.severity],
  location: { path: display(finding.span.path), lines: { begin: positions.start(finding.span).line, end: positions.end(finding.span).line } },
})), undefined, 2)}\n`;
