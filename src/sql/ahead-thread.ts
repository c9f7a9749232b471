/** The thread of `ahead.ts`: parses the texts that it was given, stays a little ahead of who asks for them, and ends. */
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { AheadAnswer } from './ahead.ts';
import { rawParse, rawPlpgsql } from './parse.ts';
import { takeFlags } from './thread-flags.ts';
import { between, slots, type ThreadData } from './thread.ts';
import { ParserOverflow } from './wasm.ts';

const { next, port, questions } = workerData as ThreadData;

/** So many texts wait for who asks at the most, their trees as JSON ten times as long as the texts; when half of them are taken there will be more. */
const farthest = 600;
/**
 * One message for so many texts, or so many UTF-16 units of JSON; the first ones, which are waited for, are smaller. Trees that wait for their turn are
 * copied by each collection of garbage (measured: with four times as much in a message, 1,000 files a thirtieth later).
 */
const mostTexts = 64;
const mostUnits = 40_000;
/** Who asks has come as far: the texts right in front are parsed there before an answer could arrive. */
const headStart = 6;
/** How far who asks has come is looked up so often (milliseconds): to wake this thread would cost the other one more than a parse. */
const pause = 4;
/** Nobody asked for so long (milliseconds): nobody will. */
const patience = 30_000;

/** Where to go on: in front of who asks, and not too far. Undefined when nobody asks any more. */
function turn(at: number): number | undefined {
  let asked = Atomics.load(next, slots.position);
  if (at < asked + farthest) return inFront(at, asked);
  for (let idle = 0; at >= asked + farthest / 2;) {
    rest(pause);
    const before = asked;
    asked = Atomics.load(next, slots.position);
    idle = asked === before ? idle + pause : 0;
    if (idle >= patience) return undefined;
  }
  return inFront(at, asked);
}
const inFront = (at: number, asked: number): number => Math.max(at, asked === 0 ? 0 : asked + headStart);

/** Waits for news, so many milliseconds at the most, and answers the question that may be open. False when nothing came. */
function rest(most: number): boolean {
  const heard = Atomics.wait(next, slots.news, news, most) !== 'timed-out';
  news = Atomics.load(next, slots.news);
  answerQuestion();
  return heard;
}
let news = 0;

/** The texts that have come and are not parsed yet; the first of them is at `first`. */
let texts: readonly string[] = [];
let first = 0;

/** The text at a position that is not before those asked for already; undefined when it was not sent yet. */
function textAt(at: number): string | undefined {
  while (at >= first + texts.length) {
    const message = receiveMessageOnPort(port);
    if (message === undefined) return undefined;
    first += texts.length;
    texts = (message.message as string).split(between);
  }
  return texts[at - first];
}

/** Whether the text at a position has come or comes; waits for it. */
function comes(at: number): boolean {
  for (;;) {
    // Asked before, because it is said after.
    const isComplete = Atomics.load(next, slots.complete) === 1;
    if (at < Atomics.load(next, slots.sent)) return true;
    if (isComplete || !rest(patience)) return false;
  }
}

/** The text, and the tree, of a DO statement or of a routine in PL/pgSQL. */
const mayHoldPlpgsql = /plpgsql|\bdo\b/i;
const holdsPlpgsql = /"DoStmt":|"CreateFunctionStmt":.*"sval":"plpgsql"/i;

/** An INSERT … VALUES up to its rows. Names beyond the plain ones may hold trees of their own; such a statement is told as it is. */
const beforeRows = new RegExp([
  /^\{"InsertStmt":\{"relation":\{[^{}]*\},/, /(?:"cols":\[(?:\{"ResTarget":\{[^{}[\]]*\}\},?)*\],)?/,
  /"selectStmt":\{"SelectStmt":\{"valuesLists":(?=\[)/,
].map(part => part.source).join(''));

/** What was found out about a text, as JSON; the rows of an INSERT by themselves. */
interface Told {
  readonly json: string;
  readonly rows?: string;
}

function withoutRows(json: string): Told {
  const start = beforeRows.exec(json)?.[0].length;
  if (start === undefined) return { json };
  const end = listEnd(json, start);
  return { json: `${json.slice(0, start)}null${json.slice(end)}`, rows: json.slice(start, end) };
}

/** End of the list at `start` of a JSON text. */
function listEnd(json: string, start: number): number {
  let depth = 0;
  for (let at = start; ; at += 1) {
    const unit = json.charCodeAt(at);
    if (unit === 34) {
      for (at += 1; json.charCodeAt(at) !== 34; at += 1) if (json.charCodeAt(at) === 92) at += 1;
    } else if (unit === 91) depth += 1;
    else if (unit === 93) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
}

const beforeStatement = /^\{"version":\d+,"stmts":\[\{"stmt":/;

/** The tree of the one statement, without what stands around it; undefined when there are others, or blanks before it. No string of JSON holds a bare quote, so what looks like a key is one. */
function onlyStatement(json: string): string | undefined {
  const start = beforeStatement.exec(json)?.[0].length;
  if (start === undefined || json.includes('"stmt_location":')) return undefined;
  const end = json.lastIndexOf(',"stmt_len":');
  return json.slice(start, end < 0 ? json.lastIndexOf('}]}') : end);
}

function found(text: string): Told {
  if (text === '') return nothing;
  try {
    const raw = rawParse(text);
    if ('message' in raw) return { json: JSON.stringify(raw) };
    if (raw.json === '') return nothing;
    const more = mayHoldPlpgsql.test(text) && holdsPlpgsql.test(raw.json) ? `,"plpgsql":${JSON.stringify(rawPlpgsql(text))}` : '';
    const end = `"size":${raw.json.length}${more}}`;
    const node = onlyStatement(raw.json);
    if (node === undefined) return { json: `{"tree":${raw.json},${end}` };
    const { json, ...rest } = withoutRows(node);
    return { json: `{"node":${json},${end}`, ...rest };
  } catch (error) {
    if (error instanceof ParserOverflow) return nothing;
    throw error;
  }
}
const nothing: Told = { json: 'null' };

/** Answers the question that is open, if one is. */
function answerQuestion(): void {
  if (Atomics.load(next, slots.question) !== 1) return;
  const text = receiveMessageOnPort(questions)?.message as string | undefined;
  if (text !== undefined) {
    const { json, rows } = found(text);
    questions.postMessage({ from: 0, found: `[${json}]`, rows: rows === undefined ? [] : [[0, rows]] } satisfies AheadAnswer);
  }
  Atomics.store(next, slots.question, 0);
  Atomics.notify(next, slots.question);
}

function answerAll(): void {
  for (let at = turn(0); at !== undefined && comes(at); at = turn(at)) {
    const list: string[] = [];
    const rows: [number, string][] = [];
    let units = 0;
    const most = Math.min(mostTexts, at + 1);
    for (let text = textAt(at); text !== undefined && list.length < most && units < mostUnits; text = textAt(at + list.length)) {
      answerQuestion();
      const told = found(text);
      units += told.json.length;
      if (told.rows !== undefined) rows.push([list.length, told.rows]);
      list.push(told.json);
    }
    if (list.length === 0) return;
    port.postMessage({ from: at, found: `[${list.join()}]`, rows } satisfies AheadAnswer);
    at += list.length;
  }
}

/** No `await` of the module itself: V8 11 ends the process when a thread is ended just as such a module begins (a failed check in ExecuteAsyncModule). */
function run(): void {
  Atomics.wait(next, slots.loaded, 0, patience);
  takeFlags();
  // V8 compiles a function of wasm when it is called first: better here, while the files are still read there.
  rawParse('CREATE VIEW a AS SELECT b FROM c WHERE d = 1');
  Atomics.store(next, slots.begun, 1);
  Atomics.notify(next, slots.begun);
  answerAll();
  // What was asked for long ago may be asked for again.
  while (rest(patience));
  port.close();
  questions.close();
}

run();
