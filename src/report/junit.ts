import type { Finding } from '../model.ts';
import { gravest, verdictLine, type Renderer } from './rendering.ts';

/** JUnit XML: a suite a file, a test a finding. Errors and warnings are failures, notes are passed tests with output. A clean run is one passed test. */
export const junit: Renderer = (report, { positions, display }) => {
  const files = new Map<string, Finding[]>();
  for (const finding of report.findings) files.set(finding.span.path, [...(files.get(finding.span.path) ?? []), finding]);
  const failures = (findings: readonly Finding[]): number => findings.filter(finding => gravest(finding) !== 'note').length;
  const suites = [...files].map(([path, findings]) => [
    `  <testsuite name="${xml(display(path))}" tests="${findings.length}" failures="${failures(findings)}" errors="0">`,
    ...findings.map(finding => {
      const { line, column } = positions.start(finding.span);
      const body = [
        `${display(path)}:${line}:${column}`, ...finding.evidence.map(({ says }, index) => `${index + 1}. ${says}`),
        ...finding.also.map(other => `also ${other.rule}: ${other.message}`), verdictLine(finding),
      ].filter(part => part !== undefined).join('\n');
      const element = gravest(finding) === 'note' ? `<system-out>${xml(`${finding.message}\n${body}`)}</system-out>`
        : `<failure type="${xml(finding.severity)}" message="${xml(finding.message)}">${xml(body)}</failure>`;
      return `    <testcase name="${xml(`${finding.rule} at ${line}:${column}`)}" classname="${xml(display(path))}">${element}</testcase>`;
    }),
    '  </testsuite>',
  ].join('\n'));
  const clean = '  <testsuite name="mvlint" tests="1" failures="0" errors="0">\n    <testcase name="no findings" classname="mvlint"/>\n  </testsuite>';
  const crashes = report.crashes.map(crash => [
    `  <testsuite name="${xml(display(crash.path))}" tests="1" failures="0" errors="1">`,
    `    <testcase name="${xml(crash.rule)}" classname="${xml(display(crash.path))}"><error message="${xml(crash.because)}"/></testcase>`,
    '  </testsuite>',
  ].join('\n'));
  const all = [...suites, ...crashes];
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="mvlint">\n${(all.length > 0 ? all : [clean]).join('\n')}\n</testsuites>\n`;
};

/** XML 1.0 knows no way to write most control characters and lone surrogates; they become U+FFFD. */
function xml(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd').replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\r', '&#13;').replaceAll('\t', '&#9;');
}
