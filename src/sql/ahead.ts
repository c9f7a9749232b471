/**
 * Parsing ahead on another processor. A thread of its own runs the parser over texts that this thread is about to ask for, in their order, and what it has
 * ready is taken. The first few that it has not ready are asked of it: that takes less than to begin with a parser here, of which a history often needs
 * nothing more. All others are parsed here. Answers are the same with and without.
 */
import { receiveMessageOnPort } from 'node:worker_threads';
import type { Refused } from './parse.ts';
import type { Node } from './tree.ts';
import { leaveFlags } from './thread-flags.ts';
import { beginThread, between, slots, threadFile, type ParserThread } from './thread.ts';

/** What the parser gives for a text: the statement alone, where it is one and begins at once; else all that it says. `size`: UTF-16 units of that as JSON. */
export type Tree = { readonly size: number; readonly plpgsql?: string } & ({ readonly node: Node } | { readonly tree: unknown });

/** What the thread has found out about a text; null where the parser gave up. `plpgsql`: what the PL/pgSQL parser gives for the same text. */
export type Found = Tree | Refused;

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

/** A thread that waits for texts, or has the first of them. */
interface Started extends ParserThread {
  /** The texts that it is about to be asked for, as far as they are known. */
  texts: string[];
  /** So many of them were sent. */
  sent: number;
}

interface Ahead extends Started {
  /** By position. No map: one that is filled and emptied for long leaves tables behind that keep each other's contents from the collector (measured: most trees lived on). */
  readonly answers: (Found | undefined)[];
  at: number;
  /** So many questions may still be asked. */
  left: number;
}

let started: Started | undefined;
let ahead: Ahead | undefined;

/** Fewer UTF-16 units than this are parsed before a thread has begun. */
const fewest = 200_000;
/** Texts go to the thread in lots of so many: it needs no copy of a whole history. At least one lot lies in front of who asks, more than the thread goes ahead. */
const lot = 1_000;
/** While files are read their texts go in smaller ones, as far as two large ones reach. */
const smallLot = 64;
/** Texts that are asked for out of turn are looked for so far on. */
const lookahead = 32;
/** So many texts that are not ready are asked of the thread: for more of them a parser here pays. */
const mostQuestions = 24;
/** A thread that was started so long ago (seconds) is about to begin, and waited for. */
const aboutToBegin = 0.05;
/** So long at the most (milliseconds). */
const longestWait = 80;

/**
 * Starts the thread for texts that are about to come: that takes as long as reading a thousand files. Does nothing on one processor and where one waits
 * already. `file`: the thread's program.
 */
export function startAhead(file = threadFile): void {
  if (started !== undefined) return;
  leaveFlags();
  const thread = beginThread(file);
  if (thread !== undefined) useThread(thread);
}

/** Takes a thread that was begun before this was loaded. */
export function useThread(thread: ParserThread): void {
  const { next, worker } = thread;
  Atomics.store(next, slots.loaded, 1);
  Atomics.notify(next, slots.loaded);
  worker.on('exit', () => {
    if (started?.worker === worker) started = undefined;
  });
  started = { ...thread, texts: [], sent: 0 };
}

/** Says that a text was read that is likely to be asked for after those said before: a thread that waits may begin with it. Who asks says `parseAhead` before. */
export function comesNext(text: string): void {
  if (started === undefined || started.texts.length >= 2 * lot) return;
  started.texts.push(text);
  if (started.texts.length % smallLot === 0) send(started, smallLot);
}

/** Begins to parse these texts elsewhere, in place of those of the call before. Does nothing for few of them, and where `startAhead` does nothing. */
export function parseAhead(texts: readonly string[], file = threadFile): void {
  endAhead();
  if (!areMany(texts)) {
    if (started !== undefined) end(started);
    return;
  }
  startAhead(file);
  if (started === undefined) return;
  const more = following(started.texts, texts);
  // Other texts were sent, or in another order: another thread is there sooner than one that has to be told.
  if (more === undefined) {
    end(started);
    startAhead(file);
    if (started === undefined) return;
  }
  started.texts = started.texts.concat(more ?? texts);
  ahead = { ...started, answers: [], at: 0, left: mostQuestions };
  started = undefined;
  sendOn(ahead);
}

/** Whether they are worth a thread. */
function areMany(texts: readonly string[]): boolean {
  let units = 0;
  return texts.some(text => (units += text.length) >= fewest);
}

/** What is left of `texts` when `read` is asked for first; `read` may hold a few others between. Undefined when that is not their order. */
function following(read: readonly string[], texts: readonly string[]): readonly string[] | undefined {
  let at = 0;
  let others = 0;
  for (const text of read) {
    if (text === texts[at]) [at, others] = [at + 1, 0];
    else if (++others >= lookahead && at < texts.length) return undefined;
  }
  return texts.slice(at);
}

/** Sends texts, in lots of so many, as far as two large ones reach in front of who asks. */
function send(to: Started, size: number, at = 0): void {
  while (to.sent < to.texts.length && to.sent < at + 2 * lot) {
    const end = Math.min(to.sent + size, to.texts.length);
    to.port.postMessage(to.texts.slice(to.sent, end).map(text => (text.includes(between) ? '' : text)).join(between));
    to.sent = end;
  }
  Atomics.store(to.next, slots.sent, to.sent);
  wake(to.next);
}

/** The same of a list that is whole. That it is complete is said after its last text is. */
function sendOn(of: Ahead): void {
  send(of, lot, of.at);
  if (of.sent < of.texts.length) return;
  Atomics.store(of.next, slots.complete, 1);
  wake(of.next);
}

/** The thread may wait for what has just happened. */
function wake(next: Int32Array): void {
  Atomics.add(next, slots.news, 1);
  Atomics.notify(next, slots.news);
}

/** What the thread has found out about a text: when it is the turn of that text and the answer is there, or at once for a few others. */
export function takeAhead(text: string): Found | undefined {
  if (ahead === undefined) return undefined;
  const { texts, next, answers } = ahead;
  const before = ahead.at;
  const at = texts[before] === text ? before : texts.slice(before, before + lookahead).indexOf(text) + before;
  if (at < before) return ask(ahead, text);
  if (answers[at] === undefined) collect(ahead, at);
  const answer = answers[at] ?? ask(ahead, text);
  for (let passed = before; passed <= at; passed += 1) answers[passed] = undefined;
  ahead.at = at + 1;
  if (ahead.sent < texts.length && ahead.sent < ahead.at + lot) sendOn(ahead);
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
  wake(next);
  Atomics.wait(next, slots.question, 1, longestWait);
  const message = receiveMessageOnPort(questions);
  if (message === undefined) of.left = 0;
  return message === undefined ? undefined : read(message.message as AheadAnswer)[0] ?? undefined;
}

/** Whether the thread reads what it is sent; waits for it when it is about to begin, once. */
function hasBegun(of: Ahead): boolean {
  if (Atomics.load(of.next, slots.begun) === 1) return true;
  if (process.uptime() - of.since < aboutToBegin) return false;
  if (Atomics.wait(of.next, slots.begun, 0, longestWait) !== 'timed-out') return true;
  of.left = 0;
  return false;
}

/** The list of an answer; null where the parser gave up. */
function read({ found, rows }: AheadAnswer): readonly (Found | null)[] {
  const list = JSON.parse(found) as readonly (Found | null)[];
  for (const [at, text] of rows) giveRows(list[at] as { readonly node: InsertNode }, text);
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
      if (one !== null && from + at >= wanted) answers[from + at] = one;
    });
    end = from + list.length;
  }
}

/** An INSERT … VALUES, as far as the rows. */
interface InsertNode {
  readonly InsertStmt: { readonly selectStmt: { readonly SelectStmt: { valuesLists: unknown } } };
}

/** Rows become a part of their tree when they are asked for: they are a quarter of all trees, and hardly anybody asks. */
function giveRows({ node }: { readonly node: InsertNode }, text: string): void {
  const select = node.InsertStmt.selectStmt.SelectStmt;
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
  end(ahead);
  ahead = undefined;
}

function end({ port, questions, worker }: Started): void {
  port.close();
  questions.close();
  void worker.terminate();
  if (started?.worker === worker) started = undefined;
}
