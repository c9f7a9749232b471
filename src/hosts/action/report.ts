/**
 * What the action reads of mvlint's JSON report (format version 1), and the order in which it shows findings.
 */
export interface Place {
  readonly line: number;
  readonly column: number;
}
export interface ReportFinding {
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'note';
  readonly message: string;
  /** Relative to the working directory, with `/`. */
  readonly path: string;
  readonly start: Place;
  readonly end: Place;
  readonly also?: readonly ReportFinding[];
  readonly verdict?: { readonly kind: 'confirmed' | 'refuted' | 'unproven'; readonly says: string };
}
export interface JsonReport {
  readonly findings: readonly ReportFinding[];
  readonly gaps: readonly { readonly path: string; readonly start: Place; readonly because: string }[];
  readonly crashes: readonly { readonly rule: string; readonly path: string; readonly because: string }[];
  readonly summary: {
    readonly error: number;
    readonly warning: number;
    readonly note: number;
    readonly gaps: number;
    readonly suppressed?: number;
    readonly history?: number;
  };
}

/** Line ranges that the change adds or edits (1-based, both ends included), by path relative to the repository. */
export type ChangedLines = ReadonlyMap<string, readonly (readonly [number, number])[]>;

/** Whether a finding stands on a line of the change; `path` relative to the repository. */
export function onChangedLine(finding: ReportFinding, path: string, changed: ChangedLines): boolean {
  return (changed.get(path) ?? []).some(([first, last]) => finding.start.line <= last && finding.end.line >= first);
}

const gravity = { error: 0, warning: 1, note: 2 } as const;

/** Findings on changed lines first, then by severity, then in the order of the report (path and line). */
export function inOrderOfInterest(
  findings: readonly ReportFinding[], repositoryPath: (path: string) => string, changed: ChangedLines,
): readonly ReportFinding[] {
  const rank = (finding: ReportFinding): number => (onChangedLine(finding, repositoryPath(finding.path), changed) ? 0 : 10) + gravity[finding.severity];
  return findings.map((finding, at) => ({ finding, at, rank: rank(finding) }))
    .sort((a, b) => a.rank - b.rank || a.at - b.at)
    .map(({ finding }) => finding);
}

/** `2 errors, 1 warning`, or `no findings`. */
export function counts(report: JsonReport): string {
  const { error, warning, note } = report.summary;
  const parts = ([[error, 'error'], [warning, 'warning'], [note, 'note']] as const)
    .filter(([number]) => number > 0)
    .map(([number, word]) => `${number} ${word}${number === 1 ? '' : 's'}`);
  return parts.length > 0 ? parts.join(', ') : 'no findings';
}
