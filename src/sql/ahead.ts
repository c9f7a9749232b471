/**
 * Parsing ahead on another processor. A thread of its own runs the parser over texts that this thread is about to ask for, in their order, and what it has
 * ready is taken. The first few that it has not ready are asked of it: that takes less than to begin with a parser here, of which a history often needs
 * nothing more. All others are parsed here. Answers are the same with and without.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import type { Refused } from './parse.ts';
import { leaveFlags } from './thread-flags.ts';

/**
 * What the thread is given. Over `port` come first the number of texts, then the texts, in their order, many in one with `between` between them; over
 * `questions` single texts, each answered at once. `next` is shared: the position of the text that is asked for next, 1 when the number is there, 1 when
 * the thread has begun, and 1 while a question is open.
 */
export interface AheadData {
  readonly next: Int32Array;
  readonly port: MessagePort;
  readonly questions: MessagePort;
}
/** What stands where in `next`. */
export const slots = { position: 0, sent: 1, begun: 2, question: 3 } as const;

/** What the thread has found out about a text; null where the parser gave up. `size`: UTF-16 units of the tree as JSON. */
export type Found = { readonly tree: unknown; readonly size: number; /** What the PL/pgSQL parser gives for the same text. */ readonly plpgsql?: string } | Refused;

/**
 * Answers for the texts from a position on: a list of `Found` as one text of JSON. Read at once, a lot of trees takes half the time that it takes one by
 * one, each between other work (measured).
 */
export interface AheadAnswer {
  readonly from: number;
  readonly found: string;
  /** The rows of INSERT … VALUES, as JSON, and where in the list the statement is; null stands for them in its tree. */
  readonly rows: readonly (readonly [number, string])[];
}

/** A thread that waits for texts. */
interface Started extends AheadData {
  readonly worker: Worker;
  /** When it was started, in milliseconds of `performance.now()`. */
  readonly since: number;
}

interface Ahead extends Started {
  readonly texts: readonly string[];
  readonly answers: Map<number, Found>;
  at: number;
  /** So many texts were sent. */
  sent: number;
  /** So many questions may still be asked. */
  left: number;
}

let started: Started | undefined;
let ahead: Ahead | undefined;

/** Fewer UTF-16 units than this are parsed before a thread has begun. */
const fewest = 200_000;
/** Texts go to the thread in lots of so many: it needs no copy of a whole history. At least one lot lies in front of who asks, more than the thread goes ahead. */
const lot = 1_000;
/** The first lot is waited for. */
const firstLot = 64;
/** Texts that are asked for out of turn are looked for so far on. */
const lookahead = 32;
/** So many texts that are not ready are asked of the thread: for more of them a parser here pays. */
const mostQuestions = 24;
/** A thread that was started so long ago (milliseconds) is about to begin, and waited for. */
const aboutToBegin = 50;
/** So long at the most (milliseconds). */
const longestWait = 80;
/** Beside the bundle; sources that run as they are have none. */
const threadFile = new URL('./parser-thread.cjs', import.meta.url);

/**
 * Starts the thread for texts that are about to come: that takes as long as reading a thousand files. Does nothing on one processor and where one waits
 * already. `file`: the thread's program.
 */
export function startAhead(file = threadFile): void {
  if (started !== undefined || availableParallelism() < 2 || !existsSync(file)) return;
  const next = new Int32Array(new SharedArrayBuffer(16));
  const [texts, questions] = [new MessageChannel(), new MessageChannel()];
  const data: AheadData = { next, port: texts.port2, questions: questions.port2 };
  leaveFlags();
  const worker = new Worker(file, { workerData: data, transferList: [texts.port2, questions.port2], execArgv: [] });
  // Without the thread everything is parsed here.
  worker.on('error', () => {});
  worker.on('exit', () => {
    if (started?.worker === worker) started = undefined;
  });
  worker.unref();
  started = { next, port: texts.port1, questions: questions.port1, worker, since: performance.now() };
  started.port.unref();
  started.questions.unref();
}

/** Begins to parse these texts elsewhere, in place of those of the call before. Does nothing for few of them, and where `startAhead` does nothing. */
export function parseAhead(texts: readonly string[], file = threadFile): void {
  endAhead();
  if (texts.reduce((sum, text) => sum + text.length, 0) < fewest) return;
  startAhead(file);
  if (started === undefined) return;
  ahead = { ...started, texts, answers: new Map(), at: 0, sent: 0, left: mostQuestions };
  started = undefined;
  ahead.port.postMessage(texts.length);
  send(ahead);
  Atomics.store(ahead.next, slots.sent, 1);
  Atomics.notify(ahead.next, slots.sent);
}

/** No text that is parsed holds it; an empty text stands for one that does, and is not parsed. */
export const between = '\0';

function send(to: Ahead): void {
  while (to.sent < to.texts.length && to.sent < to.at + 2 * lot) {
    const end = to.sent + (to.sent === 0 ? firstLot : lot);
    to.port.postMessage(to.texts.slice(to.sent, end).map(text => (text.includes(between) ? '' : text)).join(between));
    to.sent = end;
  }
}

/** What the thread has found out about a text: when it is the turn of that text and the answer is there, or at once for a few others. */
export function takeAhead(text: string): Found | undefined {
  if (ahead === undefined) return undefined;
  const { texts, next, answers } = ahead;
  const before = ahead.at;
  const at = texts[before] === text ? before : texts.slice(before, before + lookahead).indexOf(text) + before;
  if (at < before) return ask(ahead, text);
  if (!answers.has(at)) collect(ahead, at);
  const answer = answers.get(at) ?? ask(ahead, text);
  for (let passed = before; passed <= at; passed += 1) answers.delete(passed);
  ahead.at = at + 1;
  if (ahead.sent < ahead.at + lot) send(ahead);
  Atomics.store(next, slots.position, at + 1);
  if (at + 1 === texts.length) endAhead();
  return answer;
}

/** Asks the thread, and waits for its answer; undefined when it does not come, and then nothing is asked any more. */
function ask(of: Ahead, text: string): Found | undefined {
  if (of.left === 0 || text.includes(between) || !hasBegun(of)) return undefined;
  of.left -= 1;
  const { next, questions } = of;
  questions.postMessage(text);
  Atomics.store(next, slots.question, 1);
  Atomics.notify(next, slots.position);
  Atomics.notify(next, slots.question);
  Atomics.wait(next, slots.question, 1, longestWait);
  const message = receiveMessageOnPort(questions);
  if (message === undefined) of.left = 0;
  return message === undefined ? undefined : read(message.message as AheadAnswer)[0] ?? undefined;
}

/** Whether the thread reads what it is sent; waits for it when it is about to begin, once. */
function hasBegun(of: Ahead): boolean {
  if (Atomics.load(of.next, slots.begun) === 1) return true;
  if (performance.now() - of.since < aboutToBegin) return false;
  if (Atomics.wait(of.next, slots.begun, 0, longestWait) !== 'timed-out') return true;
  of.left = 0;
  return false;
}

/** The list of an answer; null where the parser gave up. */
function read({ found, rows }: AheadAnswer): readonly (Found | null)[] {
  const list = JSON.parse(found) as readonly (Found | null)[];
  for (const [at, text] of rows) giveRows(list[at] as { readonly tree: InsertTree }, text);
  return list;
}

/** Takes in what has arrived, as far as that text: what waits in the channel is no burden on the heap. Answers for texts before it come too late. */
function collect({ port, answers }: Ahead, wanted: number): void {
  for (let end = 0; end <= wanted;) {
    const message = receiveMessageOnPort(port);
    if (message === undefined) return;
    const answer = message.message as AheadAnswer;
    const { from } = answer;
    const list = read(answer);
    list.forEach((one, at) => {
      if (one !== null && from + at >= wanted) answers.set(from + at, one);
    });
    end = from + list.length;
  }
}

/** The tree of an INSERT … VALUES, as far as the rows. */
interface InsertTree {
  readonly stmts: readonly [{ readonly stmt: { readonly InsertStmt: { readonly selectStmt: { readonly SelectStmt: { valuesLists: unknown } } } } }];
}

/** Rows become a part of their tree when they are asked for: they are a quarter of all trees, and hardly anybody asks. */
function giveRows({ tree }: { readonly tree: InsertTree }, text: string): void {
  const select = tree.stmts[0].stmt.InsertStmt.selectStmt.SelectStmt;
  const fixed = { configurable: true, enumerable: true };
  Object.defineProperty(select, 'valuesLists', {
    ...fixed,
    get(): unknown {
      const value = JSON.parse(text) as unknown;
      Object.defineProperty(select, 'valuesLists', { ...fixed, value, writable: true });
      return value;
    },
  });
}

/** Ends the thread; what it has parsed and nobody asked for is forgotten. */
export function endAhead(): void {
  if (ahead === undefined) return;
  ahead.port.close();
  ahead.questions.close();
  void ahead.worker.terminate();
  ahead = undefined;
}
