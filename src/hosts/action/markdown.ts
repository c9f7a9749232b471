/**
 * The job summary and the pull-request comment: one Markdown text, cut to what GitHub takes.
 * A Mermaid graph of the touched views belongs here; it comes with `mvlint graph`, which does not exist yet.
 */
import { counts, type JsonReport, type ReportFinding } from './report.ts';

export interface MarkdownOptions {
  /** Findings in the order to show them. */
  readonly findings: readonly ReportFinding[];
  /** A link to a line, or undefined where none can be made. */
  readonly link: (path: string, line: number) => string | undefined;
  /** Sentences shown under the heading: what was reported on, what could not be done. */
  readonly remarks: readonly string[];
  /** The longest text, in UTF-16 units or in bytes, whichever is more: rows are left out, and counted, to stay below. */
  readonly limit: number;
}

const label = { error: '🛑 error', warning: '⚠️ warning', note: 'ℹ️ note' } as const;
const gapsShown = 50;

/** Text of a migration inside a table cell: no row break, no markup, no HTML and no mention of anybody. */
export const cell = (text: string): string => text.replace(/\s+/g, ' ')
  .replace(/[&<@\\|`*_[\]~#]/g, mark => (mark === '&' ? '&amp;' : mark === '<' ? '&lt;' : mark === '@' ? '&#64;' : `\\${mark}`));

/** The report as Markdown, at most `limit` long. */
export function toMarkdown(report: JsonReport, options: MarkdownOptions): string {
  const proved = options.findings.some(finding => finding.verdict);
  const place = (path: string, line: number): string => {
    const href = options.link(path, line);
    return href ? `[${cell(`${path}:${line}`)}](${href})` : cell(`${path}:${line}`);
  };
  const row = (finding: ReportFinding): string => {
    const also = (finding.also ?? []).map(lesser => `<br>also ${cell(lesser.rule)}: ${cell(lesser.message)}`).join('');
    const verdict = finding.verdict ? `**${finding.verdict.kind}**: ${cell(finding.verdict.says)}` : '';
    return `| ${label[finding.severity]} | ${place(finding.path, finding.start.line)} | ${cell(finding.rule)} | ${cell(finding.message)}${also} |`
      + (proved ? ` ${verdict} |` : '');
  };
  const head = [`### mvlint: ${counts(report)}`, '', ...options.remarks.flatMap(remark => [cell(remark), ''])];
  const table = proved
    ? ['| | Where | Rule | What | Proof |', '|---|---|---|---|---|']
    : ['| | Where | Rule | What |', '|---|---|---|---|'];

  const foot: string[] = [];
  const aside = [
    ...(report.summary.suppressed ? [`${report.summary.suppressed} suppressed`] : []),
    ...(report.summary.history ? [`${report.summary.history} of history, repaired or gone since`] : []),
  ];
  if (aside.length > 0) foot.push('', `Not shown: ${aside.join('; ')}.`);
  for (const crash of report.crashes) foot.push('', `Rule ${cell(crash.rule)} crashed at ${cell(crash.path)}: ${cell(crash.because)}`);
  if (report.gaps.length > 0) {
    foot.push('', `<details><summary>${report.gaps.length} ${report.gaps.length === 1 ? 'place' : 'places'} mvlint could not see</summary>`, '');
    for (const gap of report.gaps.slice(0, gapsShown)) foot.push(`- ${place(gap.path, gap.start.line)}: ${cell(gap.because).slice(0, 500)}`);
    if (report.gaps.length > gapsShown) foot.push(`- and ${report.gaps.length - gapsShown} more`);
    foot.push('', '</details>');
  }

  const size = (text: string): number => Buffer.byteLength(text);
  let room = options.limit - size([...head, ...table, ...foot].join('\n')) - 200;
  const rows: string[] = [];
  for (const finding of options.findings) {
    const next = row(finding);
    room -= size(next) + 1;
    if (room < 0) break;
    rows.push(next);
  }
  const left = options.findings.length - rows.length;
  return [
    ...head,
    ...(rows.length > 0 ? [...table, ...rows] : []),
    ...(left > 0 ? ['', `${left} more ${left === 1 ? 'finding does' : 'findings do'} not fit here; the JSON and SARIF files have them all.`] : []),
    ...foot, '',
  ].join('\n');
}
