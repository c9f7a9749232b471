import type { Evidence, Ignore, Span, Statement, Unit } from '../model.ts';
import { split } from '../sql/split.ts';
import type { Context } from './context.ts';
import { ignoresOf } from './ignores.ts';
import { ignore, newLedger } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { basename } from './paths.ts';
import { readSource } from './text.ts';

/**
 * Commands that Postgres refuses inside a transaction block, a string of several commands included [facts 0, 2]: what an opt-out is for.
 * REFRESH MATERIALIZED VIEW CONCURRENTLY is not among them: it may run anywhere (measured, facts 0).
 */
const nonTransactional = new RegExp(`^(?:${[
  /CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY/, /DROP\s+INDEX\s+CONCURRENTLY/, /REINDEX\s+(?:\([^)]*\)\s*)?(?:INDEX|TABLE)\s+CONCURRENTLY/,
  /REINDEX\s+(?:\([^)]*\)\s*)?(?:SCHEMA|DATABASE|SYSTEM)/, /VACUUM/, /ALTER\s+SYSTEM/, /DISCARD\s+ALL/,
  /(?:CREATE|DROP)\s+(?:DATABASE|TABLESPACE|SUBSCRIPTION)/,
].map(part => part.source).join('|')})\\b`, 'i');
export const refusesTransactions = ({ sql }: Pick<Statement, 'sql'>): boolean => nonTransactional.test(sql);

/** File names that people keep beside their migrations without meaning them to run. */
const aside = /^(?:schema|structure|dump|seeds?|fixtures?|tests?|examples?|samples?|templates?|readme|notes?|queries|scratch)(?:[._-].*)?\.\w+$|(?:[._-](?:tests?|seeds?|example|template|bak|old|disabled))\.\w+$/i;

/** A file in the tool's own folder that the tool never runs: a finding, unless its name says that it is no migration. */
export function unreached(context: Context, ledger: Ledger, path: string, because: string, tool: string): void {
  ignore(ledger, path, `${tool} never runs it: ${because}`);
  const name = basename(path);
  if (aside.test(name) || name.startsWith('.')) return;
  const { span, ignores } = firstStatement(context, path);
  if (span === undefined) return;
  ledger.problems.push({ rule: 'no-unreached-file', span, message: `"${name}" is never run by ${tool}: ${because}`,
    ...(ignores.length > 0 ? { ignores } : {}) });
}

/** Two files of one version, or a number that is missing. `other` is the file that was there first. */
export function duplicate(context: Context, ledger: Ledger, path: string, message: string,
  other?: { readonly path: string; readonly says: string }): void {
  const { span } = firstStatement(context, path);
  const place = span ?? { path, start: 0, end: 0 };
  const before = other === undefined ? undefined : firstStatement(context, other.path).span ?? { path: other.path, start: 0, end: 0 };
  const evidence: readonly Evidence[] = before === undefined || other === undefined ? []
    : [{ span: before, says: other.says }, { span: place, says: 'the file that is refused' }];
  ledger.problems.push({ rule: 'no-duplicate-version', span: place, message, ...(evidence.length > 0 ? { evidence } : {}) });
}

/** An opt-out that is written and does nothing; `because` shows the place that undoes it, where there is one. */
export function ineffective(ledger: Ledger, span: Span, message: string, because?: Evidence, ignores: readonly Ignore[] = []): void {
  ledger.problems.push({ rule: 'no-ineffective-directive', span, message, ...(ignores.length > 0 ? { ignores } : {}),
    ...(because === undefined ? {} : { evidence: [because, { span, says: 'what has no effect' }] }) });
}

/**
 * The two ways in which an opt-out that the tool honours still does not help [facts 3b]: a part that goes out as one string with other
 * statements, and a down part that would need the opt-out of its up part.
 */
export function checkOptOut(ledger: Ledger, parts: { readonly up: readonly Unit[]; readonly down?: readonly Unit[] },
  says: { readonly written: string; readonly tool: string; readonly perDirection: boolean }): void {
  for (const { scope, protocol, statements, because } of [...parts.up, ...(parts.down ?? [])]) {
    const barred = scope !== 'none' || protocol === 'single' || statements.length < 2 ? undefined : statements.find(refusesTransactions);
    if (barred === undefined || because === undefined) continue;
    ineffective(ledger, because.span,
      `The opt-out ${says.written} does not help here: ${says.tool} sends these ${statements.length} statements as one string, which is one transaction.`,
      { span: barred.span, says: 'this statement is refused inside a transaction' });
  }
  const optOut = parts.up.find(({ scope, because }) => scope === 'none' && because !== undefined)?.because;
  if (!says.perDirection || optOut === undefined) return;
  const barred = (parts.down ?? []).flatMap(({ scope, statements }) => (scope === 'none' ? [] : statements.filter(refusesTransactions)))[0];
  if (barred !== undefined) {
    const message = `The opt-out ${says.written} of the up part does not reach the down part: ${says.tool} runs this statement inside a transaction.`;
    ineffective(ledger, barred.span, message, optOut, barred.ignores);
  }
}

/** The first statement of a file that belongs to no migration, and the ignores that hold for the whole of it or for that statement. */
function firstStatement(context: Context, path: string): { readonly span?: Span; readonly ignores: readonly Ignore[] } {
  const text = readSource(context.files, path)?.text ?? '';
  const pieces = split(text);
  const index = pieces.findIndex(({ kind }) => kind === 'statement');
  const first = pieces[index];
  if (first === undefined) return { ignores: [] };
  const ignores = ignoresOf(text, pieces, { at: at => ({ path, at }) }, newLedger()).get(index) ?? [];
  return { span: { path, start: first.start, end: first.end }, ignores };
}
