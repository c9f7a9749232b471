import type { Finding } from '../model.ts';
import { counted, summaryLine, verdictLine, type Renderer, type Rendering } from './rendering.ts';

/** A table for job summaries, comments and chat, with the evidence folded beneath. */
export const markdown: Renderer = (report, rendering) => {
  const findings = report.findings.filter(({ severity }) => !rendering.quiet || severity === 'error');
  const parts = [`**mvlint**: ${cell(summaryLine(report))}`];
  if (findings.length > 0)
    parts.push([
      '| | rule | place | message |', '|---|---|---|---|',
      ...findings.map(finding => `| ${finding.severity} | ${code(finding.rule)} | ${code(where(finding.span, rendering))} | ${message(finding)} |`),
    ].join('\n'));
  for (const finding of findings.filter(({ evidence }) => evidence.length > 1))
    parts.push([
      `<details><summary>${cell(finding.message)}</summary>`, '',
      ...finding.evidence.map(({ span, says }, index) => `${index + 1}. ${code(where(span, rendering))} ${cell(says)}`), '', '</details>',
    ].join('\n'));
  if (rendering.gaps !== 'ignore' && report.gaps.length > 0)
    parts.push([
      `<details><summary>${counted(report.gaps.length, 'gap')}: what mvlint could not see</summary>`, '',
      ...report.gaps.map(gap => `- ${code(where(gap.span, rendering))} ${cell(gap.because)}`), '', '</details>',
    ].join('\n'));
  if (report.crashes.length > 0) parts.push(report.crashes.map(crash => `- crash of ${code(crash.rule)} at ${code(rendering.display(crash.path))}: ${cell(crash.because)}`).join('\n'));
  return `${parts.join('\n\n')}\n`;
};

function message(finding: Finding): string {
  const verdict = verdictLine(finding);
  return [
    cell(finding.message),
    ...(verdict === undefined ? [] : [`*${cell(verdict)}*`]),
    ...finding.also.map(other => `also ${other.severity} ${code(other.rule)}: ${cell(other.message)}`),
  ].join('<br>');
}

function where(span: Finding['span'], { positions, display }: Rendering): string {
  return `${display(span.path)}:${positions.start(span).line}`;
}

/** Text from a migration inside Markdown: nothing of it may become markup, a mention or a new cell. */
export function cell(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replace(/[\\`*_{}[\]|~@]/g, '\\$&');
}
/** Text from a migration as a code span. */
export function code(text: string): string {
  const flat = text.replace(/\s+/g, ' ').replaceAll('|', '\\|');
  const fence = '`'.repeat(Math.max(0, ...[...flat.matchAll(/`+/g)].map(run => run[0].length)) + 1);
  return fence.length > 1 ? `${fence} ${flat} ${fence}` : `\`${flat}\``;
}
