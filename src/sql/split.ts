import { endOfLine, isBlank, newScanned, plainEnd, scan } from './lexer.ts';
import type { Scanned } from './lexer.ts';

/** What a script consists of; see `split`. */
export type Piece =
  | { readonly kind: 'statement'; readonly start: number; readonly end: number }
  | { readonly kind: 'meta'; readonly start: number; readonly end: number; readonly command: string; readonly argument: string }
  | { readonly kind: 'copyData'; readonly start: number; readonly end: number }
  | { readonly kind: 'comment'; readonly start: number; readonly end: number };

interface State {
  readonly pieces: Piece[];
  /** First and last token of the statement being read; -1 when none is. */
  start: number;
  end: number;
  parens: number;
  /** BEGIN ATOMIC … END of a routine body, with the CASE … END inside. */
  blocks: number;
  routine: RoutineState;
  copy: CopyState;
  previous: string;
  /** Comments and psql commands inside the statement; they follow it in the result. */
  inside: Piece[];
  /** Where COPY data begins at the earliest: the end of the COPY statement; -1 when none is expected. */
  dataAfter: number;
  /** No end mark stands beyond this offset: asked once, so that many COPYs without data stay linear. */
  noMarkFrom: number;
}
/** CREATE [OR REPLACE] FUNCTION | PROCEDURE: only there END closes a BEGIN. */
type RoutineState = 'start' | 'create' | 'or' | 'replace' | 'routine' | 'no';
type CopyState = 'start' | 'copy' | 'from' | 'stdin' | 'no';

/**
 * Cuts a script into statements as psql does: at `;` outside of quotes, parentheses and BEGIN ATOMIC bodies.
 *
 * - `statement`: first token to last token, without leading comments and without the `;`. An unterminated quote, parenthesis or
 *   body makes the rest of the text one statement, which the parser then refuses with the place: nothing is lost silently.
 * - `comment`: every comment; those inside a statement come after it.
 * - `meta` (psql only): a backslash command to the end of its line or the next command; one that stands inside a statement
 *   comes after it. `\g` and its family end the statement.
 * - `copyData`: the lines after COPY … FROM STDIN up to, without, the line `\.`; to the end of the text without one, in psql;
 *   elsewhere COPY data without an end mark are read as SQL, because nothing says where they would end.
 *
 * Pieces come in text order but for those inside a statement. psql's `\;` separates statements here, although psql sends them
 * in one message: which statements share a message is left out deliberately, no piece kind says so.
 *
 * Compared with psql 15 by its echo (`-e`). Two differences, both in favour of what the server reads: psql cuts an `E'…'` string that goes
 * on over a line break at the next `\'`, and takes the name in CREATE FUNCTION begin() for the start of a body.
 * Linear time; never throws. A BOM at the start is blank; NBSP is not (it is part of an identifier for Postgres).
 */
export function split(text: string, options: { readonly psql?: boolean } = {}): readonly Piece[] {
  const psql = options.psql ?? false;
  const out = newScanned();
  const state: State = {
    pieces: [], start: -1, end: -1, parens: 0, blocks: 0, routine: 'start', copy: 'start', previous: '', inside: [],
    dataAfter: -1, noMarkFrom: Infinity,
  };
  let i = 0;
  while (i < text.length) {
    if (out.brackets === 0 && isUntracked(state)) {
      const plain = plainEnd(text, i);
      if (plain > i) {
        state.end = i = plain;
        if (i === text.length) break;
      }
    }
    scan(text, i, psql, out);
    if (state.dataAfter >= 0 && (out.kind === 'blank' || out.kind === 'lineComment')) {
      const resume = copyData(text, state, i, out, psql);
      if (resume >= 0) { i = resume; continue; }
    }
    i = step(text, i, out, state);
  }
  finish(state);
  return state.pieces;
}

/** Inside a statement that no word ends: what it begins with is known. */
const isUntracked = ({ routine, copy, dataAfter }: State): boolean => routine === 'no' && copy === 'no' && dataAfter < 0;

function step(text: string, start: number, out: Scanned, state: State): number {
  switch (out.kind) {
    case 'blank':
      return out.end;
    case 'lineComment':
    case 'blockComment':
      (state.start < 0 ? state.pieces : state.inside).push({ kind: 'comment', start, end: out.end });
      return out.end;
    case 'backslash':
      return backslash(text, start, state);
    case 'punctuation':
      if (out.end === start + 1) {
        const c = text.charCodeAt(start);
        if (c === 40) state.parens += 1;
        else if (c === 41) state.parens = Math.max(0, state.parens - 1);
        else if (c === 59 && state.parens === 0 && state.blocks === 0) {
          end(state, out.end);
          return out.end;
        }
      }
      state.previous = '';
      break;
    case 'word':
      keyword(text, start, out.end, state);
      break;
    default:
      state.previous = '';
  }
  if (state.start < 0) state.start = start;
  state.end = out.end;
  return out.end;
}

/** Keeps track of the few words that decide where a statement ends. */
function keyword(text: string, start: number, wordEnd: number, state: State): void {
  const tracked = state.routine !== 'no' || (state.copy !== 'no' && state.copy !== 'stdin');
  if (!tracked || wordEnd - start > 9) {
    if (state.routine !== 'routine') state.routine = 'no';
    if (state.copy === 'start') state.copy = 'no';
    state.previous = '';
    return;
  }
  const word = text.slice(start, wordEnd).toLowerCase();
  if (state.routine === 'routine') {
    if (state.parens === 0) {
      if (state.blocks === 0) {
        if (word === 'atomic' && state.previous === 'begin') state.blocks = 1;
      } else if (word === 'case') state.blocks += 1;
      else if (word === 'end') state.blocks -= 1;
    }
  } else state.routine = nextRoutine(state.routine, word);
  if (state.copy === 'start') state.copy = word === 'copy' ? 'copy' : 'no';
  else if (state.copy === 'copy' && state.parens === 0 && word === 'from') state.copy = 'from';
  else if (state.copy === 'from') state.copy = word === 'stdin' ? 'stdin' : 'copy';
  state.previous = word;
}

function nextRoutine(state: RoutineState, word: string): RoutineState {
  if (state === 'start') return word === 'create' ? 'create' : 'no';
  if (state === 'create' && word === 'or') return 'or';
  if (state === 'or' && word === 'replace') return 'replace';
  if ((state === 'create' || state === 'replace') && (word === 'function' || word === 'procedure')) return 'routine';
  return 'no';
}

/** Closes the statement; `after` is where the text goes on. */
function end(state: State, after: number): void {
  if (state.start >= 0 && state.copy === 'stdin') state.dataAfter = after;
  finish(state);
}

function finish(state: State): void {
  if (state.start >= 0) state.pieces.push({ kind: 'statement', start: state.start, end: state.end });
  for (const piece of state.inside) state.pieces.push(piece);
  state.start = -1;
  state.end = -1;
  state.parens = 0;
  state.blocks = 0;
  state.routine = 'start';
  state.copy = 'start';
  state.previous = '';
  state.inside = [];
}

/** At blanks or a comment after COPY … FROM STDIN: once the line ends, the data begin. Returns where to go on, or -1. */
function copyData(text: string, state: State, at: number, out: Scanned, psql: boolean): number {
  let start: number;
  if (out.kind === 'lineComment') {
    (state.start < 0 ? state.pieces : state.inside).push({ kind: 'comment', start: at, end: out.end });
    if (out.end < text.length) return out.end;
    start = text.length;
  } else {
    const line = endOfLine(text, at);
    if (line >= out.end) return -1;
    start = text.charCodeAt(line) === 13 && text.charCodeAt(line + 1) === 10 ? line + 2 : line + 1;
  }
  if (state.start >= 0) {
    // Something else stands on the line of the COPY: psql would read the data first. Such scripts are not told apart here.
    state.dataAfter = -1;
    return -1;
  }
  state.dataAfter = -1;
  const mark = start >= state.noMarkFrom ? undefined : endMark(text, start);
  if (mark === undefined) {
    state.noMarkFrom = Math.min(state.noMarkFrom, start);
    if (!psql) return start;
    if (start < text.length) state.pieces.push({ kind: 'copyData', start, end: text.length });
    return text.length;
  }
  state.pieces.push({ kind: 'copyData', start, end: mark.start });
  return mark.end;
}

/** The line `\.`, with or without CR. */
function endMark(text: string, start: number): { readonly start: number; readonly end: number } | undefined {
  for (let at = text.indexOf('\\.', start); at >= 0; at = text.indexOf('\\.', at + 2)) {
    if (at > start && text.charCodeAt(at - 1) !== 10) continue;
    const end = endOfLine(text, at);
    if (end === at + 2) return { start: at, end };
  }
  return undefined;
}

/** psql commands that send what stands in the query buffer. */
const senders = new Set(['g', 'gx', 'gset', 'gexec', 'gdesc', 'crosstabview', 'watch', 'bind_named', 'sendpipeline']);
/** Commands whose argument is the whole line: a backslash in it begins no other command. */
const wholeLine = new Set(['!', 'copy', 'h', 'help', 'ef', 'ev', 'sf', 'sv', 'sf+', 'sv+']);

/** One psql command at its backslash; returns where the text goes on. */
function backslash(text: string, start: number, state: State): number {
  const first = text.charCodeAt(start + 1);
  if (first === 59) { end(state, start + 2); return start + 2; }
  if (first === 92) return start + 2;
  let i = start + 1;
  while (i < text.length && !isBlank(text.charCodeAt(i)) && text.charCodeAt(i) !== 92) i += 1;
  const command = text.slice(start + 1, i);
  const stop = wholeLine.has(command) ? endOfLine(text, i) : argumentsEnd(text, i);
  let last = stop;
  while (last > i && isBlank(text.charCodeAt(last - 1))) last -= 1;
  let begin = i;
  while (begin < last && isBlank(text.charCodeAt(begin))) begin += 1;
  const piece: Piece = { kind: 'meta', start, end: last, command, argument: text.slice(begin, last) };
  if (state.start < 0) state.pieces.push(piece);
  else {
    state.inside.push(piece);
    if (senders.has(command)) end(state, stop);
  }
  return stop;
}

/** Arguments end with the line or before the next unquoted backslash (psqlscanslash.l). */
function argumentsEnd(text: string, start: number): number {
  let quote = 0;
  let i = start;
  for (; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c === 10 || c === 13) return i;
    if (quote !== 0) {
      if (c === 92 && quote === 39 && !isBlank(text.charCodeAt(i + 1))) i += 1;
      else if (c === quote) quote = 0;
    } else if (c === 39 || c === 34 || c === 96) quote = c;
    else if (c === 92) return i;
  }
  return Math.min(i, text.length);
}
