import type { Edit, Finding, Report } from '../model.ts';

/** Texts after the fixes of a report, by path; how many were applied, and how many stand in files that may not be edited. */
export interface Applied {
  readonly texts: ReadonlyMap<string, string>;
  readonly applied: number;
  readonly kept: number;
}

/**
 * Applies the first fix of each finding (lesser ones included) that is made of edits. All edits of a fix or none; a fix whose edits touch those of an
 * earlier one waits for the next round. `text` is a source as spans count it (UTF-16 units). New lines are those of the text. Never throws.
 */
export function applyFixes(report: Report, text: (path: string) => string | undefined, mayEdit: (path: string) => boolean): Applied {
  const byPath = new Map<string, Edit[]>();
  const seen = new Set<string>();
  let [applied, kept] = [0, 0];
  for (const finding of report.findings.flatMap(withLesser)) {
    const fix = finding.fixes.find(one => 'edits' in one);
    if (fix === undefined || !('edits' in fix) || fix.edits.length === 0) continue;
    const key = JSON.stringify(fix.edits);
    if (seen.has(key)) continue;
    seen.add(key);
    if (fix.edits.some(({ span }) => !mayEdit(span.path))) {
      kept += 1;
      continue;
    }
    const fits = fix.edits.every(edit => text(edit.span.path) !== undefined && !(byPath.get(edit.span.path) ?? []).some(other => touches(edit, other)));
    if (!fits) continue;
    applied += 1;
    for (const edit of fix.edits) byPath.set(edit.span.path, [...byPath.get(edit.span.path) ?? [], edit]);
  }
  return { texts: new Map([...byPath].map(([path, edits]) => [path, edited(text(path) ?? '', edits)])), applied, kept };
}

const withLesser = (finding: Finding): readonly Finding[] => [finding, ...finding.also.flatMap(withLesser)];

/** Two insertions at one place count as touching: which comes first, nobody said. */
function touches(a: Edit, b: Edit): boolean {
  return a.span.start <= b.span.end && b.span.start <= a.span.end;
}

function edited(text: string, edits: readonly Edit[]): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  let result = text;
  for (const { span, text: given } of edits.toSorted((a, b) => b.span.start - a.span.start))
    result = result.slice(0, span.start) + given.replaceAll('\n', newline) + result.slice(span.end);
  return result;
}
