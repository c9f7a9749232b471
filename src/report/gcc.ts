import type { Span } from '../model.ts';
import { verdictLine, type Renderer } from './rendering.ts';

/** `path:line:column: severity: message [rule]`, which editors and CI log matchers know. Evidence and lesser findings follow as notes. */
export const gcc: Renderer = (report, { positions, display, quiet, gaps }) => {
  const at = (span: Span): string => {
    const { line, column } = positions.start(span);
    return `${display(span.path)}:${line}:${column}`;
  };
  const flat = (text: string): string => text.replace(/\s*[\r\n]+\s*/g, ' ');
  const lines = report.findings.filter(({ severity }) => !quiet || severity === 'error').flatMap(finding => {
    const verdict = verdictLine(finding);
    return [
      `${at(finding.span)}: ${finding.severity}: ${flat(finding.message)} [${finding.rule}]`,
      ...finding.evidence.filter(({ says }) => says !== finding.message).map(({ span, says }) => `${at(span)}: note: ${flat(says)}`),
      ...finding.also.map(other => `${at(other.span)}: note: also ${other.severity}: ${flat(other.message)} [${other.rule}]`),
      ...(verdict === undefined ? [] : [`${at(finding.span)}: note: ${flat(verdict)}`]),
    ];
  });
  if (gaps !== 'ignore') for (const gap of report.gaps) lines.push(`${at(gap.span)}: ${gaps === 'error' ? 'error' : 'note'}: not seen: ${flat(gap.because)}`);
  for (const crash of report.crashes) lines.push(`${display(crash.path)}:1:1: error: ${crash.rule} crashed: ${flat(crash.because)}`);
  return lines.map(line => `${line}\n`).join('');
};
