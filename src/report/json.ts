import type { Edit, Evidence, Finding, Fix, Gap, Span } from '../model.ts';
import type { Position } from './positions.ts';
import { summarize, type Renderer, type Rendering } from './rendering.ts';

/** The format of `report.schema.json`, version 1. Additions keep the version; a change of meaning raises it. */
export const json: Renderer = (report, rendering) => `${JSON.stringify({
  version: 1,
  tool: { name: 'mvlint', version: rendering.version },
  postgres: report.postgres,
  histories: report.histories.map(history => ({ ...history, root: rendering.display(history.root) })),
  findings: report.findings.map(finding => findingOf(finding, rendering)),
  crashes: report.crashes.map(crash => ({ ...crash, path: rendering.display(crash.path) })),
  gaps: report.gaps.map(gap => gapOf(gap, rendering)),
  summary: summarize(report),
}, undefined, 2)}\n`;

interface Place {
  readonly path: string;
  readonly start: Position;
  readonly end: Position;
}

function place(span: Span, { positions, display }: Rendering): Place {
  return { path: display(span.path), start: positions.start(span), end: positions.end(span) };
}

function findingOf(finding: Finding, rendering: Rendering): object {
  const { history, rule, severity, message, relation, evidence, fixes, also, verdict, fingerprint } = finding;
  return {
    history, rule, severity, message, ...place(finding.span, rendering), ...(relation === undefined ? {} : { relation }),
    evidence: evidence.map(({ span, says }: Evidence) => ({ ...place(span, rendering), says })),
    fixes: fixes.map(fix => fixOf(fix, rendering)),
    also: also.map(other => findingOf(other, rendering)),
    ...(verdict === undefined ? {} : { verdict }),
    fingerprint,
  };
}

function fixOf(fix: Fix, rendering: Rendering): object {
  return 'edits' in fix
    ? { title: fix.title, edits: fix.edits.map(({ span, text }: Edit) => ({ ...place(span, rendering), text })) }
    : { title: fix.title, files: fix.files.map(file => ({ ...file, path: rendering.display(file.path) })) };
}

function gapOf(gap: Gap & { readonly history: string }, rendering: Rendering): object {
  return { history: gap.history, ...place(gap.span, rendering), because: gap.because };
}
