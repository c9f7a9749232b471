import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createColors } from 'picocolors';
import { eligibility, readWrittenName, type EngineAnswer, type ShownObstacle, type Span, type ViewAnswers } from '../index.ts';
import { readArguments } from './arguments.ts';
import { colorful, enginesOf, toStdout } from './check.ts';
import { engineNames, verdictOf } from './engines.ts';
import { isGlob } from './glob.ts';
import { openMigrations } from './opened.ts';
import { suggestion, UsageError } from './usage.ts';
import { version } from './version.ts';

/**
 * `mvlint ivm [view…] [paths…]`: what pg_ivm, pg_trickle and TimescaleDB say of every materialized view, or of the named views. A word that
 * is a file, a folder or a glob is a path, any other is a name. Exit status 0; an unknown name is an error of use.
 */
export async function ivmCommand(argv: readonly string[]): Promise<number> {
  const words = readArguments(argv, ['color', 'no-color', 'debug', 'format', 'postgres', 'tool', 'config', 'no-config', 'isolated',
    'quiet']);
  const format = words.choice('format', ['text', 'json']) ?? 'text';
  const cwd = process.cwd();
  const given = words.words.flatMap(word => (word.option === undefined && word.value !== undefined ? [word.value] : []));
  const isPath = (word: string): boolean => word.includes('/') || word.includes('\\') || isGlob(word) || existsSync(resolve(cwd, word));
  const names = given.filter(word => !isPath(word)).map(word => {
    const name = readWrittenName(word);
    if (name === undefined) throw new UsageError(`'${word}' is neither a path nor the name of a view: write name or schema.name, with double quotes where SQL needs them`);
    return { word, name };
  });
  const { sessions, place, placed } = await openMigrations(words, cwd, given.filter(isPath));
  const results = sessions.map(({ project, session }) => eligibility(session, names.map(({ name }) => name), {
    postgres: project.postgres, ...project.session, ...enginesOf(project),
  }));
  const known = [...new Set(results.flatMap(result => result.known))].sort();
  for (const { word, name } of names)
    if (results.every(({ unknown }) => unknown.includes(name)))
      throw new UsageError(`there is no view '${word}' at the end of the migrations${suggestion(word, known, known.length === 0 ? '; the migrations make no view' : `; the views are ${known.join(', ')}`)}`);
  const views = results.flatMap(result => result.views);

  if (format === 'json') {
    await toStdout(`${JSON.stringify({ version: 1, tool: { name: 'mvlint', version: version() }, views: placed(views) }, undefined, 2)}\n`);
    return 0;
  }
  await toStdout(views.length === 0 ? 'The migrations make no view.\n' : page(views, place, colorful(words), names.length > 0));
  return 0;
}

/** The table of all views, then each view by itself. */
function page(views: readonly ViewAnswers[], place: (span: Span) => string, color: boolean, isAsked: boolean): string {
  const colors = createColors(color);
  const paint = (text: string): string => (text.startsWith('yes') ? colors.green(text) : text.startsWith('no') ? colors.red(text)
    : colors.yellow(text));
  const cells = views.map(view => [view.name, ...view.engines.map(verdictOf)]);
  const head = ['', ...(views[0]?.engines ?? []).map(({ engine }) => engineNames[engine])];
  const width = head.map((_, column) => Math.max(...[head, ...cells].map(row => row[column]?.length ?? 0)));
  const line = (row: readonly string[], style: (text: string, column: number) => string): string =>
    row.map((cell, column) => style(cell, column) + ' '.repeat((width[column] ?? 0) - cell.length)).join('  ').trimEnd();
  const table = [line(head, text => colors.bold(text)), ...cells.map(row => line(row, (text, column) => (column === 0 ? text
    : paint(text))))];
  const lines = [...table];
  for (const view of views) {
    lines.push('', `${view.kind} ${colors.bold(view.name)}${view.madeAt === null ? '' : `  ${colors.dim(place(view.madeAt))}`}`);
    for (const answer of view.engines) lines.push(...engineLines(answer, place, colors, paint, isAsked));
  }
  return `${lines.join('\n')}\n`;
}

type Colors = ReturnType<typeof createColors>;

function engineLines(answer: EngineAnswer, place: (span: Span) => string, colors: Colors, paint: (text: string) => string,
  isAsked: boolean): readonly string[] {
  const lines = [`  ${engineNames[answer.engine]}: ${paint(verdictOf(answer))}${answer.index === null || answer.is !== 'eligible' ? ''
    : colors.dim(answer.index.length === 0 ? '  it makes no unique index' : `  it makes a unique index on (${answer.index.join(', ')})`)}`];
  const isHere = (span: Span): string => (span.path === 'the rewritten query' ? '' : `  ${colors.dim(place(span))}`);
  const told = (obstacle: ShownObstacle, mark: string): void => {
    lines.push(`    ${mark} ${obstacle.says}${isHere(obstacle.at)}`);
    for (const { span, says } of obstacle.evidence.slice(0, -1)) lines.push(`        ${colors.dim('└')} ${says}${isHere(span)}`);
  };
  if (answer.because !== null) lines.push(`    ? not known: ${answer.because}`);
  answer.obstacles.forEach((obstacle, at) => told(obstacle, at === 0 ? '1' : '·'));
  for (const hazard of answer.hazards) told(hazard, colors.yellow('!'));
  const { rewriting } = answer;
  if (rewriting === null) return lines;
  lines.push(`    ${colors.green('→')} ${rewriting.steps.join('; ')}: then ${rewriting.mode ?? 'eligible'}`);
  if (isAsked) for (const statement of rewriting.statements) lines.push('',
    ...statement.split('\n').map(text => `        ${colors.cyan(text)}`));
  return isAsked ? [...lines, ''] : lines;
}
