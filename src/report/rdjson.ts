import type { Severity, Span } from '../model.ts';
import { homepage, verdictLine, type Renderer } from './rendering.ts';

const severities: Readonly<Record<Severity, string>> = { error: 'ERROR', warning: 'WARNING', note: 'INFO' };

/** Reviewdog's diagnostic format: 1-based, columns counted in UTF-8 bytes, the end exclusive. */
export const rdjson: Renderer = (report, { positions, display }) => {
  const location = (span: Span): object => {
    const at = (position: ReturnType<typeof positions.start>): object => ({ line: position.line, column: positions.byteColumn(span.path, position) });
    return { path: display(span.path), range: { start: at(positions.start(span)), end: at(positions.end(span)) } };
  };
  return `${JSON.stringify({
    source: { name: 'mvlint', url: homepage },
    diagnostics: report.findings.flatMap(finding => [finding, ...finding.also]).map(finding => ({
      message: [finding.message, verdictLine(finding)].filter(part => part !== undefined).join('\n'),
      location: location(finding.span),
      severity: severities[finding.severity],
      code: { value: finding.rule },
      relatedLocations: finding.evidence.map(({ span, says }) => ({ message: says, location: location(span) })),
    })),
  }, undefined, 2)}\n`;
};
