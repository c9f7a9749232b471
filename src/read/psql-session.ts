import type { Ignore, Span, Statement } from '../model.ts';
import { comesNext } from '../sql/ahead.ts';
import { split } from '../sql/split.ts';
import type { Piece } from '../sql/split.ts';
import { replaced, whole } from './assembly.ts';
import type { Context } from './context.ts';
import { replacements } from './fill.ts';
import { ignoresOf, noIgnores } from './ignores.ts';
import { gap } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { markedBy } from './markers.ts';
import type { Marked } from './markers.ts';
import { ancestors, dirname, join, normalizePath } from './paths.ts';
import { argumentsOf, conditionOf, newVariables, variableNames } from './psql-variables.ts';
import type { Variables } from './psql-variables.ts';
import { filledStatement, looseNames, withData } from './statements.ts';
import { readSource } from './text.ts';
import type { Source } from './text.ts';

/** One script as the session ran it. */
export interface Run {
  readonly path: string;
  readonly up: Statement[];
  readonly down: Statement[];
  /** Scripts it included, themselves no migrations. */
  readonly included: string[];
}

interface Branch {
  /** `done`: an earlier branch was taken; `unknown`: nobody can say which branch runs. */
  state: 'taken' | 'skipped' | 'done' | 'unknown';
  readonly start: number;
  /** Something stands beneath an unknown condition. */
  unread: boolean;
}

export interface Session {
  readonly context: Context;
  readonly ledger: Ledger;
  readonly variables: Variables;
  /** The folder psql was started in, as far as the scripts tell. */
  readonly home: string;
  readonly cache: SourceCache;
  readonly branches: Branch[];
  readonly chain: string[];
  /** Marks of tools that are not modelled, by tool: where the first one stands. */
  readonly foreign: Map<string, Span>;
  /** Scripts run so far: includes that multiply are cut off. */
  runs: number;
}

export type SourceCache = Map<string, Source | undefined>;

/** A script cut into its pieces. */
export interface Script {
  readonly source: Source;
  readonly pieces: readonly Piece[];
  /** Whether `:name`, and whether `${name}` or `{{name}}`, can stand in it at all: asked once a file instead of once a statement. */
  readonly mayHold: { readonly variables: boolean; readonly placeholders: boolean };
}

export function newSession(context: Context, ledger: Ledger, home: string, cache: SourceCache, foreign: Map<string, Span>): Session {
  return { context, ledger, variables: newVariables(context.options.placeholders ?? {}), home, cache, branches: [], chain: [], foreign,
    runs: 0 };
}

/** The script at a path, or undefined when it cannot be read. Texts are kept, pieces are not: statements hold the text alive anyway. */
export function scriptOf(context: Context, cache: SourceCache, path: string): Script | undefined {
  const source = sourceOf(context, cache, path);
  if (source === undefined) return undefined;
  const { text } = source;
  const mayHold = { variables: text.includes(':'), placeholders: text.includes('${') || text.includes('{{') };
  return { source, pieces: split(text, { psql: true }), mayHold };
}

export function sourceOf(context: Context, cache: SourceCache, path: string): Source | undefined {
  const cached = cache.get(path);
  if (cached !== undefined || cache.has(path)) return cached;
  const source = readSource(context.files, path);
  cache.set(path, source);
  return source;
}

const includeCommands = new Map([['i', false], ['include', false], ['ir', true], ['include_relative', true]]);
export const isInclude = (piece: Piece): piece is Extract<Piece, { kind: 'meta' }> => piece.kind === 'meta'
  && includeCommands.has(piece.command);
/** A script that only lists others. */
export const isIncludeList = ({ pieces }: Script): boolean => pieces.some(isInclude) && !pieces.some(({ kind }) => kind === 'statement');

/**
 * The file a `\i` or `\ir` names: relative to the script (`\ir`), to where psql runs (`\i`; tried are the entry's folder, those above it,
 * the script's own).
 */
export function includedPath(piece: Extract<Piece, { kind: 'meta' }>, from: string, home: string, context: Context,
  variables: Variables): { readonly path: string } | { readonly because: string } {
  const [name] = argumentsOf(piece.argument, variables);
  if (name === undefined) return { because: `\\${piece.command} names no file` };
  if (typeof name !== 'string') {
    return { because: `the file that \\${piece.command} ${piece.argument} names is not known (${name.unknown})` };
  }
  const here = dirname(from);
  const bases = includeCommands.get(piece.command) === true ? [here] : [...ancestors(home), here];
  const paths = bases.map(base => (name.startsWith('/') ? undefined : normalizePath(join(base, name))));
  const found = paths.find(path => path !== undefined && context.known.has(path));
  if (found !== undefined) return { path: found };
  return { because: paths.every(path => path === undefined) ? `the included file ${name} is outside of the repository`
    : `the included file ${name} is missing` };
}

const mostRuns = 20_000;

/**
 * Runs one script of a session. `own` makes the migration that the statements of a script go to; a script that only lists others hands
 * `own` on to those, so that each of them becomes a migration. Statements under a condition that cannot be decided are one gap.
 * `\q` leaves the innermost script only, as psql does.
 */
export function runScript(session: Session, path: string, into: Run | undefined, own: (path: string) => Run): void {
  const { ledger } = session;
  const script = scriptOf(session.context, session.cache, path);
  if (script === undefined) return gap(ledger, { path, start: 0, end: 0 }, `${path} cannot be read.`);
  if (++session.runs > mostRuns) {
    return session.runs === mostRuns + 1
      ? gap(ledger, { path, start: 0, end: 0 }, `The scripts include each other more than ${mostRuns} times; the rest was not read.`)
      : undefined;
  }
  const run = into ?? (isIncludeList(script) ? undefined : own(path));
  const { source, pieces } = script;
  const first = session.chain.length === 0 || into === undefined || !into.included.includes(path);
  if (into !== undefined && into.path !== path && first) into.included.push(path);
  if (first) ledger.gaps.push(...source.gaps);
  session.chain.push(path);
  const depth = session.branches.length;
  const ignores = ignoresOf(source.text, pieces, { at: at => ({ path, at }) }, ledger);
  const marked = markedBy(source.text, pieces);
  if (marked !== undefined && !session.foreign.has(marked.tool)) {
    session.foreign.set(marked.tool, { path, start: marked.at, end: marked.at });
  }
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i];
    if (piece === undefined || piece.kind === 'comment' || piece.kind === 'copyData') continue;
    if (piece.kind === 'statement') {
      if (run !== undefined) statement(session, script, i, piece, ignores.get(i) ?? noIgnores, marked, run);
    } else if (piece.command === 'q' || piece.command === 'quit') {
      if (active(session) === 'yes') break;
    } else meta(session, script, i, piece, run, own);
  }
  for (const branch of session.branches.splice(depth)) {
    gap(ledger, { path, start: branch.start, end: branch.start }, 'This \\if has no \\endif in its script.');
  }
  session.chain.pop();
}

/** Whether what stands here runs. */
function active({ branches }: Session): 'yes' | 'no' | 'unknown' {
  if (branches.length === 0) return 'yes';
  if (branches.some(({ state }) => state === 'skipped' || state === 'done')) return 'no';
  return branches.some(({ state }) => state === 'unknown') ? 'unknown' : 'yes';
}

const noteUnread = ({ branches }: Session): void => branches.forEach(branch => void (branch.unread ||= branch.state === 'unknown'));

const noMetas: Extract<Piece, { kind: 'meta' }>[] = [];
const psqlConditions = new Set(['if', 'elif', 'else', 'endif']);

function statement(session: Session, script: Script, index: number, piece: Piece, ignores: readonly Ignore[], marked: Marked | undefined,
  run: Run): void {
  const { source, pieces, mayHold } = script;
  const runs = active(session);
  if (runs === 'no') return;
  if (runs === 'unknown') return noteUnread(session);
  const span = { path: source.path, start: piece.start, end: piece.end };
  let inner: Extract<Piece, { kind: 'meta' }>[] = noMetas;
  for (let i = index + 1; i < pieces.length; i++) {
    const next = pieces[i];
    if (next === undefined || next.start >= piece.end || next.kind === 'statement') break;
    if (next.kind === 'meta') inner = [...inner, next];
  }
  const breaking = inner.find(({ command }) => psqlConditions.has(command) || includeCommands.has(command));
  if (breaking !== undefined) {
    return gap(session.ledger, span, `\\${breaking.command} stands inside this statement, so its text is not known.`);
  }
  const sql = source.text.slice(piece.start, piece.end);
  const target = marked?.isDown(piece.start) === true ? run.down : run.up;
  const variables = mayHold.variables ? variableNames(sql, session.variables) : [];
  const loose = mayHold.placeholders && (sql.includes('${') || sql.includes('{{')) ? looseNames(sql, session.context.options.placeholders ?? {}) : [];
  const add = (one: Statement): void => {
    comesNext(one.sql);
    target.push(withData(one, source.text, pieces, index));
  };
  if (variables.length === 0 && loose.length === 0 && inner.length === 0) {
    return add({ sql, span, ignores });
  }
  const blanks = inner.map(({ start, end }) => ({ start: start - piece.start, end: end - piece.start, name: '', value: ' ' }));
  const names = [...variables, ...loose, ...blanks].sort((a, b) => a.start - b.start);
  const list = replacements(sql, names);
  if (names.some(({ value }) => value?.includes(';') === true)) {
    const parts = split(replaced(whole(source.path, sql), list).text, { psql: true }).filter(({ kind }) => kind === 'statement');
    if (parts.length !== 1) {
      return gap(session.ledger, span, 'A variable in this statement holds a semicolon that makes it several statements; none was read.');
    }
  }
  add(filledStatement(source, piece, list, ignores, session.ledger));
}

/** The statement a psql command belongs to: the last one that begins before it. */
function statementBefore(pieces: readonly Piece[], index: number): Piece | undefined {
  for (let i = index - 1; i >= 0; i--) if (pieces[i]?.kind === 'statement') return pieces[i];
  return undefined;
}

function meta(session: Session, script: Script, index: number, piece: Extract<Piece, { kind: 'meta' }>, run: Run | undefined,
  own: (path: string) => Run): void {
  const { path, text } = script.source;
  const { ledger, variables, branches } = session;
  const span = { path, start: piece.start, end: piece.end };
  const runs = active(session);
  const { command } = piece;
  if (psqlConditions.has(command)) return condition(session, piece, path, runs);
  if (runs === 'no') return;
  const sure = runs === 'yes';
  switch (command) {
    case 'set':
    case 'unset':
    case 'prompt':
    case 'getenv': {
      const [name, ...values] = argumentsOf(piece.argument, variables);
      const target = command === 'prompt' ? values.at(-1) ?? name : name;
      if (typeof target !== 'string') return;
      if (command === 'unset' && sure) variables.values.delete(target);
      else if (command !== 'set' || !sure) variables.values.set(target, { unknown: `\\${command} decides it when the script runs` });
      else variables.values.set(target, values.find(value => typeof value !== 'string') ?? values.join(''));
      if (command === 'set' && target === 'AUTOCOMMIT' && /^(?:off|0|f|false)$/i.test(values.join(''))) {
        gap(ledger, span, 'AUTOCOMMIT off is not modelled: statements were read as if each committed by itself.');
      }
      return;
    }
    case 'gset': {
      const [prefix = ''] = argumentsOf(piece.argument, variables);
      const before = statementBefore(script.pieces, index);
      const names = text.slice(before?.start ?? piece.start, before?.end ?? piece.start);
      for (const name of variables.values.keys()) {
        if (typeof prefix !== 'string' || (name.startsWith(prefix) && names.includes(name.slice(prefix.length)))) {
          variables.values.set(name, { unknown: '\\gset takes it from a query' });
        }
      }
      variables.anything = true;
      return;
    }
    case 'gexec': {
      const before = statementBefore(script.pieces, index);
      if (!sure) return noteUnread(session);
      return gap(ledger, { path, start: before?.start ?? piece.start, end: piece.end },
        '\\gexec runs what this query returns; that text is not known.');
    }
    case 'c':
    case 'connect':
      if (!sure) return noteUnread(session);
      return gap(ledger, span, `\\${command} goes to another database or role; what follows was read as if it did not.`);
    default:
  }
  if (!includeCommands.has(command)) return;
  if (!sure) return noteUnread(session);
  const found = includedPath(piece, path, session.home, session.context, variables);
  if ('because' in found) {
    return gap(ledger, span, `${found.because.charAt(0).toUpperCase()}${found.because.slice(1)}, so it was not read.`);
  }
  if (session.chain.includes(found.path)) return gap(ledger, span, `${found.path} includes itself; the inner time was not read.`);
  const outer = branches.splice(0);
  runScript(session, found.path, run, own);
  branches.push(...outer);
}

function condition(session: Session, piece: Extract<Piece, { kind: 'meta' }>, path: string, runs: 'yes' | 'no' | 'unknown'): void {
  const { branches, ledger, variables } = session;
  const branch = branches.at(-1);
  const decide = (): Branch['state'] => {
    const value = conditionOf(piece.argument, variables);
    return value === undefined ? 'unknown' : value ? 'taken' : 'skipped';
  };
  if (piece.command === 'if') branches.push({ state: runs === 'no' ? 'done' : decide(), start: piece.start, unread: false });
  else if (branch === undefined) gap(ledger, { path, start: piece.start, end: piece.end }, `\\${piece.command} without \\if.`);
  else if (piece.command === 'endif') {
    branches.pop();
    if (branch.unread) {
      gap(ledger, { path, start: branch.start, end: piece.end }, 'Whether this \\if is true is not known, so nothing beneath it was read.');
    }
  } else if (branch.state === 'taken') branch.state = 'done';
  else if (branch.state === 'skipped') branch.state = piece.command === 'else' ? 'taken' : decide();
}
