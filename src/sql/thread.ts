/**
 * The thread that parses ahead (`ahead.ts`, `ahead-thread.ts`): how it is begun, and what it shares with who asks it. By itself, because a command line begins
 * one before anything else of mvlint is loaded.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { flagsForThreads, type ChangedFlags } from './thread-flags.ts';

/**
 * What the thread is given. Over `port` come the texts, in their order, many in one with `between` between them; over `questions` single texts, each answered
 * at once. `next` is shared, see `slots`.
 */
export interface ThreadData {
  readonly next: Int32Array;
  readonly port: MessagePort;
  readonly questions: MessagePort;
}

/** What stands where in `next`. */
export const slots = {
  /** The position of the text that is asked for next. */
  position: 0,
  /** How many texts were sent. */
  sent: 1,
  /** 1 when no more will be; set after the last of them was. */
  complete: 2,
  /** 1 when the thread has begun. */
  begun: 3,
  /** 1 while a question is open. */
  question: 4,
  /** 1 when whoever asks is loaded. Flags of V8 are not changed before: with other flags it would take no code cache. */
  loaded: 5,
  /** Changes with whatever the thread may wait for. */
  news: 6,
} as const;

/** No text that is parsed holds it; an empty text stands for one that does, and is not parsed. */
export const between = '\0';

/** A thread that waits to be asked. */
export interface ParserThread extends ThreadData {
  readonly worker: Worker;
  /** When it was begun, in seconds of `process.uptime()`. */
  readonly since: number;
}

/** Beside the bundle; sources that run as they are have none. */
export const threadFile = new URL('./parser-thread.cjs', import.meta.url);

/**
 * Begins a thread; undefined on one processor and where its program `file` is missing. It takes 70 ms until it parses (measured), and does not keep the process alive.
 * `flags`: what it asks of V8 when it has begun, and the threads after it.
 */
export function beginThread(file = threadFile, flags?: ChangedFlags): ParserThread | undefined {
  if (availableParallelism() < 2 || !existsSync(file)) return undefined;
  if (flags !== undefined) flagsForThreads(flags);
  const next = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * Object.keys(slots).length));
  const [texts, questions] = [new MessageChannel(), new MessageChannel()];
  const data: ThreadData = { next, port: texts.port2, questions: questions.port2 };
  const worker = new Worker(file, { workerData: data, transferList: [texts.port2, questions.port2], execArgv: [] });
  // Without the thread everything is parsed where it is asked for.
  worker.on('error', () => {});
  worker.unref();
  texts.port1.unref();
  questions.port1.unref();
  return { next, port: texts.port1, questions: questions.port1, worker, since: process.uptime() };
}
