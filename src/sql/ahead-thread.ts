/** The thread of `ahead.ts`: parses the texts that it was given, stays a little ahead of who asks for them, and ends. */
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { AheadAnswer, AheadData } from './ahead.ts';
import { rawParse, rawPlpgsql } from './parse.ts';
import { ParserOverflow, readyFrom } from './wasm.ts';

const { next, compiled, port } = workerData as AheadData;

/** So many texts wait for who asks at the most, their trees as JSON ten times as long as the texts; when half of them are taken there will be more. */
const farthest = 600;
/** One message for so many texts, or so many UTF-16 units of JSON. */
const mostTexts = 64;
const mostUnits = 160_000;
/** Who asks has come as far: the texts right in front are parsed there before an answer could arrive. */
const headStart = 6;
/** Nobody asked for so long (milliseconds): nobody will. */
const patience = 30_000;

/** Where to go on: in front of who asks, and not too far. Undefined when nobody asks any more. */
function turn(at: number): number | undefined {
  let asked = Atomics.load(next, 0);
  if (at >= asked + farthest) {
    for (; at >= asked + farthest / 2; asked = Atomics.load(next, 0)) if (Atomics.wait(next, 0, asked, patience) === 'timed-out') return undefined;
  }
  return Math.max(at, asked === 0 ? 0 : asked + headStart);
}

/** The texts that have come and are not parsed yet; the first of them is at `first`. */
let texts: readonly string[] = [];
let first = 0;

/** The text at a position that is not before those asked for already. Texts are sent before they are asked for, so none is waited for long. */
function textAt(at: number): string | undefined {
  while (at >= first + texts.length) {
    const message = receiveMessageOnPort(port);
    if (message === undefined) return undefined;
    first += texts.length;
    texts = message.message as readonly string[];
  }
  return texts[at - first];
}

/** The tree of a DO statement, or of a routine in PL/pgSQL. */
const holdsPlpgsql = /"DoStmt":|"CreateFunctionStmt":.*"sval":"plpgsql"/i;

/** What was found out about a text, as JSON. */
function found(text: string): string {
  if (text.includes('\0')) return 'null';
  try {
    const raw = rawParse(text);
    if ('message' in raw) return JSON.stringify(raw);
    const more = holdsPlpgsql.test(raw.json) ? `,"plpgsql":${JSON.stringify(rawPlpgsql(text))}` : '';
    return raw.json === '' ? 'null' : `{"tree":${raw.json},"size":${raw.json.length}${more}}`;
  } catch (error) {
    if (error instanceof ParserOverflow) return 'null';
    throw error;
  }
}

await readyFrom(compiled);
const count = Atomics.wait(next, 1, 0, patience) === 'timed-out' ? 0 : receiveMessageOnPort(port)?.message as number;
for (let at = turn(0); at !== undefined && at < count; at = turn(at)) {
  const list: string[] = [];
  let units = 0;
  for (let text = textAt(at); text !== undefined && list.length < mostTexts && units < mostUnits; text = textAt(at + list.length)) {
    const one = found(text);
    units += one.length;
    list.push(one);
  }
  if (list.length === 0) break;
  port.postMessage({ from: at, found: `[${list.join()}]` } satisfies AheadAnswer);
  at += list.length;
}
port.close();
