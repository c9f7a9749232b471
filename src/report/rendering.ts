import type { Finding, Meta, Report, Severity } from '../model.ts';
import type { Positions } from './positions.ts';

export { sizeText } from '../lint/size.ts';

export type GapsMode = 'ignore' | 'report' | 'error';

/** What a format needs beside the report: the texts for lines and columns, how paths are shown, and the reader's wishes. */
export interface Rendering {
  readonly positions: Positions;
  /** A path of the report as the reader's working directory names it, with `/`. */
  readonly display: (path: string) => string;
  readonly rules: readonly Meta[];
  readonly version: string;
  readonly color: boolean;
  /** Errors only. */
  readonly quiet: boolean;
  readonly gaps: GapsMode;
}

export type Renderer = (report: Report, rendering: Rendering) => string;

export const homepage = 'https://www.npmjs.com/package/mvlint';
const severities: readonly Severity[] = ['error', 'warning', 'note'];

/** The gravest severity of a finding and the lesser ones attached to it: it counts once, as that. */
export function gravest(finding: Finding): Severity {
  const all = [finding, ...finding.also].map(one => severities.indexOf(one.severity));
  return severities[Math.min(...all)] ?? 'note';
}

export interface Summary {
  readonly error: number;
  readonly warning: number;
  readonly note: number;
  readonly gaps: number;
  readonly suppressed: number;
  /** Findings that a later migration repaired, not shown. */
  readonly history: number;
}

/** The numbers of a report. */
export function summarize(report: Report): Summary {
  const counts = { error: 0, warning: 0, note: 0 };
  for (const finding of report.findings) counts[gravest(finding)] += 1;
  return { ...counts, gaps: report.gaps.length, suppressed: report.suppressed, history: report.hidden };
}

/** Whether the report reaches a threshold: 1 for the exit status. A gap counts as an error when asked. */
export function reaches(report: Report, threshold: Severity | 'never', gaps: GapsMode): boolean {
  if (threshold === 'never') return false;
  if (gaps === 'error' && report.gaps.length > 0) return true;
  return report.findings.some(finding => severities.indexOf(gravest(finding)) <= severities.indexOf(threshold));
}

/** `12,345.6`. Not toLocaleString: the first call of that costs more than the rest of a report. */
export function grouped(value: number): string {
  const [whole = '', ...rest] = String(value).split('.');
  return [whole.replace(/\B(?=(?:\d{3})+$)/g, ','), ...rest].join('.');
}

/** `3 errors`, `1 note`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** The summary as one sentence. */
export function summaryLine(report: Report): string {
  const { error, warning, note, gaps, suppressed, history } = summarize(report);
  const parts = [[error, 'error'], [warning, 'warning'], [note, 'note']] as const;
  const found = parts.filter(([count]) => count > 0).map(([count, noun]) => counted(count, noun)).join(', ') || 'No findings';
  const read = report.histories.reduce((sum, one) => ({ migrations: sum.migrations + one.migrations, statements: sum.statements + one.statements }), { migrations: 0, statements: 0 });
  const verdicts = report.findings.flatMap(finding => [finding, ...finding.also]).flatMap(({ verdict }) => verdict?.kind ?? []);
  const where = report.histories.length > 1 ? ` of ${report.histories.length} histories` : '';
  const rest = [
    ...(['confirmed', 'refuted', 'unproven'] as const).map(kind => ({ kind, count: verdicts.filter(verdict => verdict === kind).length }))
      .map(({ kind, count }) => count > 0 && `${grouped(count)} ${kind}`),
    gaps > 0 && counted(gaps, 'gap'),
    suppressed > 0 && `${suppressed} suppressed`,
    history > 0 && `${history} no longer true (--all-history shows ${history === 1 ? 'it' : 'them'})`,
    report.crashes.length > 0 && counted(report.crashes.length, 'crash').replace('crashs', 'crashes'),
  ].filter(part => part !== false);
  return `${found} in ${counted(read.migrations, 'migration')} (${counted(read.statements, 'statement')})${where}${rest.length > 0 ? `; ${rest.join(', ')}` : ''}.`;
}

/** `confirmed: … (rows 10,000, rowsRewritten 10,000)`. */
export function verdictLine(finding: Finding): string | undefined {
  if (finding.verdict === undefined) return undefined;
  const { kind, says, numbers } = finding.verdict;
  const figures = Object.entries(numbers ?? {}).map(([name, value]) => `${words(name)} ${grouped(value)}`);
  return `${kind}: ${says}${figures.length > 0 ? ` (${figures.join(', ')})` : ''}`;
}

const words = (name: string): string => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ').toLowerCase();
