import { createColors } from 'picocolors';
import { explainViews, readWrittenName, type Evidence, type ExplainedColumn, type Span, type Taint,
  type ViewExplanation } from '../index.ts';
import { readArguments } from './arguments.ts';
import { engineNames, verdictOf } from './engines.ts';
import { colorful, toStdout } from './check.ts';
import { openMigrations } from './opened.ts';
import { suggestion, UsageError } from './usage.ts';

/**
 * `mvlint explain-view <view> [paths…]`: everything the migrations say of a view, for people or as JSON. Exit status 0; an unknown or
 * ambiguous name is an error of use.
 */
export async function explainViewCommand(argv: readonly string[]): Promise<number> {
  const words = readArguments(argv, ['color', 'no-color', 'debug', 'format', 'postgres', 'tool', 'config', 'no-config', 'isolated',
    'quiet']);
  const [text, ...paths] = words.words.flatMap(word => (word.option === undefined && word.value !== undefined ? [word.value] : []));
  if (text === undefined) throw new UsageError('explain-view takes the name of a view, as in mvlint explain-view shop.daily_sales');
  const name = readWrittenName(text);
  if (name === undefined) throw new UsageError(`'${text}' is not the name of a view: write name or schema.name, with double quotes where SQL needs them`);
  const format = words.choice('format', ['text', 'json']) ?? 'text';
  const cwd = process.cwd();
  const { sessions, place, placed } = await openMigrations(words, cwd, paths);
  const results = sessions.map(({ project, session }) => explainViews(session.histories, name, () => ({
    postgres: project.postgres,
    ...(project.session?.searchPath === undefined ? {} : { searchPath: project.session.searchPath }),
    ...(project.session?.role === undefined ? {} : { role: project.session.role }),
  })));
  const found = results.flatMap(result => result.found);
  const [view] = found;
  if (view === undefined) {
    const [other] = results.flatMap(result => result.others);
    if (other !== undefined) throw new UsageError(`${other} is no view; explain-view takes views and materialized views`);
    const known = results.flatMap(result => result.known);
    const ending = known.length === 0 ? `; the migrations make no view${paths.length === 0 ? `, or none were found from ${cwd}` : ''}`
      : `; the views are ${listed(known)}`;
    throw new UsageError(`there is no view '${text}' at the end of the migrations${suggestion(text, known, ending)}`);
  }
  if (found.length > 1) throw new UsageError(ambiguous(text, found));

  await toStdout(format === 'json' ? `${JSON.stringify({ version: 1, view: placed(view) }, undefined, 2)}\n` : page(view, place, colorful(words)));
  return 0;
}

const listed = (names: readonly string[]): string => (names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more`
  : names.join(', '));

function ambiguous(text: string, found: readonly ViewExplanation[]): string {
  const histories = new Set(found.map(view => view.history));
  if (histories.size === 1) return `'${text}' may be ${listed(found.map(view =>
    (view.name.includes('.') ? view.name : `public.${view.name}`)))}; name its schema`;
  return `'${text}' stands in several histories (${listed([...histories])}); name the path of one after it`;
}

const flips: Readonly<Record<Taint['flips'], string>> = {
  'each refresh': 'changes at each refresh', 'each day': 'changes each day', 'when rows move': 'changes when rows move',
  'when the session differs': 'depends on the session',
};

/** The facts for a terminal. */
function page(view: ViewExplanation, place: (span: Span) => string, color: boolean): string {
  const colors = createColors(color);
  const lines: string[] = [];
  const head = (title: string): void => { lines.push('', colors.bold(title)); };
  const aside = (span: Span | null): string => (span === null ? '' : `  ${colors.dim(place(span))}`);
  const evidence = (items: readonly Evidence[], indent: string): void => {
    for (const { says, span } of items) lines.push(`${indent}${colors.dim('└')} ${says}${aside(span)}`);
  };
  lines.push(`${view.kind} ${colors.bold(view.name)}${aside(view.madeAt)}`);
  if (view.kind === 'materialized view')
    lines.push(view.populated === null ? 'It is not known whether it is populated.' : view.populated ? 'Populated.'
      : colors.yellow('Not populated: reading it fails (55000).'));

  head('Columns');
  if (view.columns === null) lines.push('  not known: the query reads what the migrations do not show');
  else columns(view.columns, lines, colors, place);
  for (const taint of view.rows) {
    lines.push(`  ${colors.yellow(`which rows there are ${flips[taint.flips]}`)}`);
    evidence(taint.path, '    ');
  }
  head('Keys');
  if (view.keys === null) lines.push('  none is proved');
  for (const { columns: key, nullable } of view.keys ?? []) {
    lines.push(key.length === 0 ? '  one row at most'
      : `  (${key.join(', ')})${nullable.length === 0 ? '' : colors.dim(`  ${nullable.join(', ')} may be NULL`)}`);
  }
  head('Reads');
  if (view.reads.length === 0) lines.push('  nothing that the migrations make');
  for (const { relation, columns: used, span } of view.reads) lines.push(`  ${relation}${used === null ? ''
    : ` (${used.join(', ')})`}${aside(span)}`);
  head('Read by');
  if (view.readBy.length === 0) lines.push('  nothing in these migrations');
  for (const { object, madeAt } of view.readBy) lines.push(`  ${object}${aside(madeAt)}`);
  head('Incremental maintenance');
  for (const answer of view.eligibility) {
    const [first] = answer.obstacles;
    const why = answer.because !== null ? `: ${answer.because} is not known` : first === undefined ? '' : `: ${first.says}${aside(first.at)}`;
    lines.push(`  ${engineNames[answer.engine]}  ${verdictOf(answer)}${why}`);
  }
  if (view.kind === 'view') return `${lines.join('\n')}\n`;

  head('Indexes');
  if (view.indexes.length === 0) lines.push('  none');
  for (const { definition, usable, because, madeAt, holds } of view.indexes) {
    const verdict = usable === true ? colors.green('CONCURRENTLY can use it')
      : usable === null ? 'CONCURRENTLY can use it if it is valid' : `CONCURRENTLY passes over it: ${because ?? ''}`;
    lines.push(`  ${definition}${aside(madeAt)}`, `    ${verdict}${holds === 'no' ? colors.red(', but rows can repeat its columns') : ''}`);
  }
  head('Refreshed by');
  if (view.refreshes.length === 0) lines.push('  nothing in these migrations');
  for (const { by, concurrently, span } of view.refreshes) lines.push(`  ${by}${concurrently ? ', concurrently' : ''}${aside(span)}`);
  head('REFRESH … CONCURRENTLY');
  for (const sentence of view.concurrently.says) lines.push(`  ${sentence}`);
  if (view.concurrently.statement !== null) lines.push('', `    ${colors.cyan(view.concurrently.statement)}`);
  evidence(view.concurrently.evidence, '    ');
  return `${lines.join('\n')}\n`;
}

function columns(list: readonly ExplainedColumn[], lines: string[], colors: ReturnType<typeof createColors>,
  place: (span: Span) => string): void {
  const width = (of: (column: ExplainedColumn) => string): number => Math.min(40, Math.max(0, ...list.map(column => of(column).length)));
  const names = width(column => column.name);
  const types = width(column => column.type ?? 'type not known');
  for (const { name, type, nullable, taints } of list) {
    const fill = nullable === null ? 'may be NULL' : nullable ? 'can be NULL' : 'never NULL';
    const word = taints.length === 0 ? '' : `  ${colors.yellow([...new Set(taints.map(taint => flips[taint.flips]))].join(', '))}`;
    lines.push(`  ${name.padEnd(names)}  ${(type ?? 'type not known').padEnd(types)}  ${fill}${word}`);
    for (const taint of taints) for (const { says, span } of taint.path) lines.push(
      `    ${colors.dim('└')} ${says}  ${colors.dim(place(span))}`);
  }
}
