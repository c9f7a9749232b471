import type { Finding, Meta, Span } from '../model.ts';
import { gravest, homepage, verdictLine, type Renderer, type Rendering } from './rendering.ts';

/** SARIF 2.1.0: columns are 1-based UTF-16 units with an exclusive end, as `columnKind` says. A lesser finding is a result of its own. */
export const sarif: Renderer = (report, rendering) => {
  const findings = report.findings.flatMap(finding => [finding, ...finding.also]);
  const used = new Set(findings.map(finding => finding.rule));
  const rules = rendering.rules.filter(rule => used.has(rule.id));
  const failed = report.crashes.length > 0;
  return `${JSON.stringify({
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{
      tool: { driver: {
        name: 'mvlint', version: rendering.version, semanticVersion: rendering.version, informationUri: homepage, rules: rules.map(ruleOf),
      } },
      columnKind: 'utf16CodeUnits',
      results: findings.map(finding => resultOf(finding, rules, rendering)),
      invocations: [{
        executionSuccessful: !failed,
        toolExecutionNotifications: [
          ...report.crashes.map(crash => ({
            level: 'error', message: { text: `${crash.rule} crashed: ${crash.because}` }, locations: [{ physicalLocation: { artifactLocation: artifact(crash.path, rendering) } }],
          })),
          ...(rendering.gaps === 'ignore' ? [] : report.gaps.map(gap => ({
            level: rendering.gaps === 'error' ? 'error' : 'note', message: { text: `Not seen: ${gap.because}` }, locations: [{ physicalLocation: physical(gap.span, rendering) }],
          }))),
        ],
      }],
    }],
  }, undefined, 2)}\n`;
};

function ruleOf(rule: Meta): object {
  const help = [rule.why.trim(), `What to do: ${rule.fix.trim()}`, ...(rule.exceptions === undefined ? [] : [`Exceptions: ${rule.exceptions.trim()}`])].join('\n\n');
  const level = typeof rule.severity === 'string' ? rule.severity : (rule.severity.at(-1)?.severity ?? 'warning');
  return {
    id: rule.id,
    shortDescription: { text: rule.summary },
    fullDescription: { text: rule.summary },
    help: { text: help, markdown: [help, ...rule.references.map(link => `- <${link}>`)].join('\n\n') },
    ...(rule.references[0] === undefined ? {} : { helpUri: rule.references[0] }),
    defaultConfiguration: { level },
  };
}

function resultOf(finding: Finding, rules: readonly Meta[], rendering: Rendering): object {
  const index = rules.findIndex(rule => rule.id === finding.rule);
  const verdict = verdictLine(finding);
  return {
    ruleId: finding.rule,
    ...(index < 0 ? {} : { ruleIndex: index }),
    level: finding.severity,
    message: { text: verdict === undefined ? finding.message : `${finding.message}\n${verdict}` },
    locations: [{
      physicalLocation: physical(finding.span, rendering),
      ...(finding.relation === undefined ? {} : { logicalLocations: [{ fullyQualifiedName: finding.relation, kind: 'type' }] }),
    }],
    relatedLocations: finding.evidence.map(({ span, says }, id) => ({ id: id + 1, message: { text: says }, physicalLocation: physical(span, rendering) })),
    partialFingerprints: { 'mvlint/v1': finding.fingerprint },
    properties: { history: finding.history, counted: gravest(finding), ...(finding.verdict === undefined ? {} : { verdict: finding.verdict }) },
  };
}

function artifact(path: string, { display }: Rendering): object {
  const shown = display(path);
  // A path above the working directory has no relative URI that every reader accepts; it is written as it is.
  return { uri: shown.split('/').map(encodeURIComponent).join('/') };
}

function physical(span: Span, rendering: Rendering): object {
  const [start, end] = [rendering.positions.start(span), rendering.positions.end(span)];
  return {
    artifactLocation: artifact(span.path, rendering),
    region: { startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column, charOffset: start.offset, charLength: end.offset - start.offset },
  };
}
