import { createColors } from 'picocolors';
import { modeName, whoWaits, type Lockable } from '../catalog/locks.ts';
import type { Span, Trace, TracedChange, TracedLock, TracedMigration, TracedRows, TracedStatement } from '../model.ts';
import { cell, code } from './markdown.ts';
import { counted, grouped, sizeText } from './rendering.ts';

/** How a trace is shown: where a statement stands, how a path is called. */
export interface TraceRendering {
  /** `3:1` of a span. */
  readonly position: (span: Span) => string;
  readonly display: (path: string) => string;
}

/** `0.4 ms`, `12 ms`, `3.2 s`. */
export function duration(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

const relationKinds: Readonly<Record<TracedLock['kind'], Lockable | undefined>> = { table: 'table', view: 'view', matview: 'matview', index: undefined, sequence: undefined };

/** What a lock means for the others, in the words that rules use, too. */
function waits({ kind, mode }: TracedLock): string {
  const lockable = relationKinds[kind];
  if (lockable !== undefined) return whoWaits(mode, lockable);
  return kind === 'index' ? 'plans that use the index wait' : 'whoever asks the sequence for a value waits';
}

const lockText = (lock: TracedLock): string => `${modeName(lock.mode)} on ${lock.relation} for ${duration(lock.held)}: ${waits(lock)}`;

function rowsText({ relation, rewritten, inserted, updated, deleted }: TracedRows): string {
  if (rewritten || inserted === undefined) return `${relation} is written anew${inserted === undefined ? '' : `: ${counted(inserted, 'row')}`}`;
  const parts = [[inserted, 'inserted'], [updated, 'updated'], [deleted, 'deleted']] as const;
  return `${relation}: ${parts.filter(([count]) => count > 0).map(([count, what]) => `${grouped(count)} ${what}`).join(', ')}`;
}

function changeText({ action, kind, name, says }: TracedChange): string {
  if (action === 'renamed') return `${kind} ${says ?? ''} is now ${name}`;
  return `${action} ${kind} ${name}${says === undefined ? '' : action === 'created' ? `, ${says}` : `: ${says}`}`;
}

/** What went wrong, or why nothing ran; undefined of a statement that ran. */
function trouble({ fate }: TracedStatement): string | undefined {
  if (fate.is === 'ran') return undefined;
  return fate.is === 'refused' ? `refused: ${fate.answer.sqlstate} ${fate.answer.message}` : fate.is === 'skipped' ? `not run: ${fate.because}` : `left out: ${fate.because}`;
}

const isSeen = <T>(value: T | { readonly unseen: string }): value is T => typeof value !== 'object' || value === null || !('unseen' in value);

const firstLine = (sql: string, width: number): string => {
  const flat = sql.replace(/\s+/g, ' ').trim();
  return flat.length <= width ? flat : `${flat.slice(0, width - 1)}…`;
};

/** The sums of a migration: what a reader of the plan wants first. */
function sum({ statements }: TracedMigration): string {
  const refused = statements.filter(({ fate }) => fate.is === 'refused').length;
  const parts = [counted(statements.length, 'statement'), duration(statements.reduce((total, { ms }) => total + ms, 0)), ...(refused > 0 ? [`${refused} refused`] : [])];
  return parts.join(', ');
}

/** Indented under its statement: a label, then lines. */
function told(label: string, lines: readonly string[]): readonly string[] {
  return lines.map((line, at) => `         ${(at === 0 ? label : '').padEnd(8)}${line}`);
}

/** The trace for a terminal. */
export function traceText(trace: Trace, { position, display }: TraceRendering, color: boolean): string {
  const colors = createColors(color);
  const lines = [`${colors.bold(trace.server)}, history ${trace.history}`];
  for (const note of trace.notes) lines.push(colors.dim(`note: ${note}`));
  for (const migration of trace.migrations) {
    lines.push('', `${colors.bold(display(migration.path))}  ${colors.dim(sum(migration))}`);
    for (const statement of migration.statements) {
      const { span, sql, ms, wal, locks, rows, changes } = statement;
      const wrong = trouble(statement);
      const cost = `${duration(ms)}${isSeen(wal) && wal > 0 ? `, ${sizeText(wal)} of WAL` : ''}`;
      lines.push(`${position(span).padStart(7)}  ${firstLine(sql, 80)}  ${colors.dim(cost)}`);
      if (wrong !== undefined) lines.push(`         ${colors.red(wrong)}`);
      // What was not looked at is said of statements that may matter alone.
      if (isSeen(locks)) lines.push(...told('locks', locks.map(lock => (lock.mode === 'AccessExclusiveLock' || lock.mode === 'ExclusiveLock' ? colors.yellow(lockText(lock)) : lockText(lock)))));
      else if (isSeen(changes)) lines.push(...told('locks', [colors.dim(`not seen: ${locks.unseen}`)]));
      if (isSeen(rows)) lines.push(...told('rows', rows.map(rowsText)));
      if (isSeen(changes)) lines.push(...told('catalog', changes.map(changeText)));
    }
  }
  if (trace.migrations.length === 0) lines.push('', 'No migration was asked for.');
  return `${lines.join('\n')}\n`;
}

/** The trace for job summaries, comments and chat: a table a migration. */
export function traceMarkdown(trace: Trace, { position, display }: TraceRendering): string {
  const parts = [`## ${cell(trace.server)}, history ${cell(trace.history)}`];
  if (trace.notes.length > 0) parts.push(trace.notes.map(note => `- ${cell(note)}`).join('\n'));
  for (const migration of trace.migrations) {
    const rows = migration.statements.map(statement => {
      const { span, sql, ms, wal, locks, rows: written, changes } = statement;
      const wrong = trouble(statement);
      const seen = [
        ...(wrong === undefined ? [] : [`**${cell(wrong)}**`]), ...(isSeen(locks) ? locks.map(lock => cell(lockText(lock))) : isSeen(changes) ? [cell(`locks not seen: ${locks.unseen}`)] : []),
      ];
      const done = [...(isSeen(written) ? written.map(rowsText) : []), ...(isSeen(changes) ? changes.map(changeText) : [])].map(cell);
      return `| ${position(span)} | ${code(firstLine(sql, 120))} | ${duration(ms)} | ${isSeen(wal) ? sizeText(wal) : ''} | ${seen.join('<br>')} | ${done.join('<br>')} |`;
    });
    parts.push(`### ${cell(display(migration.path))}`, sum(migration), ['| line | statement | time | WAL | locks, and who waits | rows and catalog |', '|---|---|---|---|---|---|', ...rows].join('\n'));
  }
  return `${parts.join('\n\n')}\n`;
}
