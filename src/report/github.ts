import type { Finding } from '../model.ts';
import { verdictLine, type Renderer, type Rendering } from './rendering.ts';

/** Workflow commands for GitHub Actions: one annotation a finding. Lesser findings stand in the text of the graver one. */
export const github: Renderer = (report, rendering) => [
  ...report.findings.filter(({ severity }) => !rendering.quiet || severity === 'error').map(finding => annotation(finding, rendering)),
  ...(rendering.gaps === 'ignore' ? [] : report.gaps.map(gap => command(rendering.gaps === 'error' ? 'error' : 'notice', {
    ...location(gap.span, rendering), title: 'mvlint: not seen',
  }, gap.because))),
  ...report.crashes.map(crash => command('error', { file: rendering.display(crash.path), title: `mvlint: ${crash.rule} crashed` }, crash.because)),
].map(line => `${line}\n`).join('');

function annotation(finding: Finding, rendering: Rendering): string {
  const kind = finding.severity === 'note' ? 'notice' : finding.severity;
  const text = [
    finding.message,
    verdictLine(finding),
    ...finding.also.map(other => `also ${other.rule}: ${other.message}`),
  ].filter(line => line !== undefined).join('\n');
  return command(kind, { ...location(finding.span, rendering), title: `mvlint ${finding.rule}` }, text);
}

function location(span: Finding['span'], { positions, display }: Rendering): Record<string, string | number> {
  const [start, end] = [positions.start(span), positions.end(span)];
  // GitHub takes columns only for annotations of one line.
  return start.line === end.line
    ? { file: display(span.path), line: start.line, col: start.column, endColumn: end.column }
    : { file: display(span.path), line: start.line, endLine: end.line };
}

/** Escapes as the runner's toolkit does: `%`, CR and LF in data; `:` and `,` too in properties. */
function command(kind: string, properties: Record<string, string | number>, data: string): string {
  const escape = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const listed = Object.entries(properties).map(([key, value]) => `${key}=${escape(String(value)).replaceAll(':', '%3A').replaceAll(',', '%2C')}`);
  return `::${kind} ${listed.join(',')}::${escape(data)}`;
}
