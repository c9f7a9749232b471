import { createColors } from 'picocolors';
import type { Finding, Report, Severity, Span } from '../model.ts';
import { frame, printable } from './frame.ts';
import { counted, grouped, summaryLine, verdictLine, type Renderer, type Rendering } from './rendering.ts';

type Colors = ReturnType<typeof createColors>;

/** More gaps than this are counted, not listed. */
const listedGaps = 5;

/** With more findings than this nobody reads them all: each rule shows its first ones whole, then a line or two each, and a table has the sums. */
const crowd = 40;
const shownWhole = 3;

/** For people: the source with a mark, the path from cause to effect, the lesser findings, the verdict, what was not seen, and the sum. */
export const text: Renderer = (report, rendering) => {
  const colors = createColors(rendering.color);
  const findings = report.findings.filter(({ severity }) => !rendering.quiet || severity === 'error');
  const parts = findings.length > crowd ? crowded(findings, rendering, colors) : findings.map(finding => findingText(finding, rendering, colors));
  if (!rendering.quiet || rendering.gaps === 'error') parts.push(gapsText(report, rendering, colors));
  for (const crash of report.crashes)
    parts.push(`${colors.red(colors.bold(`crash[${crash.rule}]`))}: ${printable(crash.because)}\n  ${arrow(colors)} ${rendering.display(crash.path)}\n`);
  if (!rendering.quiet || findings.length > 0 || report.crashes.length > 0) parts.push(`${summaryLine(report)}\n`);
  return parts.filter(part => part !== '').join('\n');
};

const arrow = (colors: Colors): string => colors.blue('-->');

function paint(severity: Severity, colors: Colors): (text: string) => string {
  return severity === 'error' ? colors.red : severity === 'warning' ? colors.yellow : colors.cyan;
}

function where(span: Span, { positions, display }: Rendering): string {
  const { line, column } = positions.start(span);
  return `${display(span.path)}:${line}:${column}`;
}

function findingText(finding: Finding, rendering: Rendering, colors: Colors): string {
  const color = paint(finding.severity, colors);
  const lines = [
    `${heading(finding, colors)}: ${colors.bold(printable(finding.message))}`,
    ...frameText(finding.span, rendering, colors, color),
    ...evidenceText(finding, rendering, colors),
  ];
  const margin = gutter(finding.span, rendering);
  const note = (label: string, body: string): void => {
    lines.push(`${margin} ${colors.blue('=')} ${colors.bold(label)}: ${printable(body)}`);
  };
  for (const other of finding.also) {
    note(`also ${other.severity}[${other.rule}]`, `${other.message} (${where(other.span, rendering)})`);
    const verdict = verdictLine(other);
    if (verdict !== undefined) lines.push(`${margin}   ${printable(verdict)}`);
  }
  const verdict = verdictLine(finding);
  if (verdict !== undefined) {
    const colon = verdict.indexOf(':');
    note(verdict.slice(0, colon), verdict.slice(colon + 2));
  }
  for (const fix of finding.fixes) note('fix', fix.title);
  return `${lines.join('\n')}\n`;
}

/** Many findings: whole until their rule is known, short from then on, with neighbours close together. */
function crowded(findings: readonly Finding[], rendering: Rendering, colors: Colors): string[] {
  const seen = new Map<string, number>();
  const parts: string[] = [];
  let short: string[] = [];
  const flush = (): void => {
    if (short.length > 0) parts.push(`${short.join('\n')}\n`);
    short = [];
  };
  for (const finding of findings) {
    const before = seen.get(finding.rule) ?? 0;
    seen.set(finding.rule, before + 1);
    if (before < shownWhole) {
      flush();
      parts.push(findingText(finding, rendering, colors));
    } else short.push(...shortText(finding, rendering, colors));
  }
  flush();
  parts.push(sums(findings, colors));
  return parts;
}

function shortText(finding: Finding, rendering: Rendering, colors: Colors): string[] {
  const verdict = finding.verdict === undefined ? '' : ` (${finding.verdict.kind})`;
  const also = finding.also.length === 0 ? '' : `, and ${counted(finding.also.length, 'lesser finding')}`;
  return [
    `${heading(finding, colors)}: ${printable(finding.message)}${verdict}`,
    `  ${arrow(colors)} ${where(finding.span, rendering)}${colors.dim(also)}`,
  ];
}

const heading = ({ severity, rule }: Finding, colors: Colors): string => paint(severity, colors)(colors.bold(`${severity}[${rule}]`));

/** How many findings each rule has, the gravest and most frequent first. */
function sums(findings: readonly Finding[], colors: Colors): string {
  const counts = new Map<string, { readonly finding: Finding; count: number }>();
  for (const finding of findings) {
    const key = `${finding.severity} ${finding.rule}`;
    const one = counts.get(key);
    if (one) one.count += 1;
    else counts.set(key, { finding, count: 1 });
  }
  const order: readonly Severity[] = ['error', 'warning', 'note'];
  const rows = [...counts.values()].sort((a, b) => order.indexOf(a.finding.severity) - order.indexOf(b.finding.severity) || b.count - a.count);
  const width = Math.max(...rows.map(({ count }) => grouped(count).length));
  return [
    ...rows.map(({ finding, count }) => `  ${grouped(count).padStart(width)}  ${heading(finding, colors)}`),
    colors.dim(`The first ${shownWhole} of each rule stand whole. Name a file to see all of its own whole, or --rule <id>=off and --baseline to put some aside;`
      + ' mvlint explain <rule> says why and what to do.'),
  ].join('\n') + '\n';
}

const gutter = (span: Span, { positions }: Rendering): string => ' '.repeat(String(positions.start(span).line).length);

function frameText(span: Span, rendering: Rendering, colors: Colors, color: (text: string) => string): string[] {
  const { positions } = rendering;
  const [start, end] = [positions.start(span), positions.end(span)];
  const blank = gutter(span, rendering);
  const bar = colors.blue('|');
  const lines = [`${blank}${arrow(colors)} ${where(span, rendering)}`, `${blank} ${bar}`];
  const source = positions.line(span.path, start.line);
  if (source === undefined) return lines.slice(0, 1);
  const framed = frame(source, start.column, end.line === start.line ? end.column : source.trimEnd().length + 1);
  lines.push(`${colors.blue(String(start.line).padStart(blank.length))} ${bar} ${framed.source.trimEnd()}`, `${blank} ${bar} ${color(framed.mark)}`);
  // Statements are often long; their first line is enough to know them by.
  const more = (end.column === 1 ? end.line - 1 : end.line) - start.line;
  if (more > 0) lines.push(`${blank} ${colors.blue('⋮')} ${colors.dim(counted(more, 'more line'))}`);
  return lines;
}

/** The numbered path from the cause to the effect. A path that is nothing but the finding's own place says nothing new. */
function evidenceText(finding: Finding, rendering: Rendering, colors: Colors): string[] {
  const { evidence, span } = finding;
  const only = evidence[0];
  if (evidence.length <= 1 && (only === undefined || (only.span.path === span.path && only.span.start === span.start && only.says === finding.message))) return [];
  const blank = gutter(span, rendering);
  const places = evidence.map(({ span: place }) => where(place, rendering));
  const longest = Math.min(48, Math.max(...places.map(place => place.length)));
  return [
    `${blank} ${colors.blue('|')}`,
    ...evidence.map(({ says }, index) =>
      `${blank} ${colors.blue(`${index + 1}.`)} ${colors.dim((places[index] ?? '').padEnd(longest))}  ${printable(says)}`),
  ];
}

function gapsText({ gaps }: Report, rendering: Rendering, colors: Colors): string {
  if (gaps.length === 0 || rendering.gaps === 'ignore') return '';
  const color = paint(rendering.gaps === 'error' ? 'error' : 'note', colors);
  const shown = rendering.gaps === 'error' ? gaps : gaps.slice(0, listedGaps);
  const lines = [
    `${color(colors.bold('not seen'))}: ${counted(gaps.length, 'gap')}`,
    ...shown.map(gap => `  ${arrow(colors)} ${where(gap.span, rendering)}  ${printable(gap.because)}`),
  ];
  if (gaps.length > shown.length) lines.push(colors.dim(`  … ${grouped(gaps.length - shown.length)} more; --gaps=error or --format=json lists them all`));
  return `${lines.join('\n')}\n`;
}
