import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { comesNext, endAhead, parseAhead, startAhead, takeAhead, useThread, type Found } from './ahead.ts';
import { rawParse, rawPlpgsql } from './parse.ts';
import { beginThread, slots } from './thread.ts';
import type { Node } from './tree.ts';

/** The thread's program stands in the bundle, which `npm test` builds first. */
const thread = new URL('../../dist/parser-thread.cjs', import.meta.url);
const able = availableParallelism() > 1 && existsSync(thread);

afterEach(() => endAhead());

const padding = ` /* ${'x'.repeat(300)} */`;
const texts = Array.from({ length: 1500 }, (_, at) => (at % 100 === 7 ? `select from where ${at}${padding}` : at % 100 === 8 ? `select '\0${at}'${padding}`
  : at === 9 ? `select ${'('.repeat(50_000)}` : at % 100 === 10 ? `create function f_${at}() returns int language plpgsql as $$ begin ${at % 200 === 10 ? 'return 1;' : 'retrn'} end $$${padding}`
  : at % 100 === 11 ? `insert into t (a, b${at % 200 === 11 ? '' : '[(values (1))]'}) values ('], "valuesLists":[\\', 1), ('ä', (values (2)))${padding}`
  : at % 100 === 12 ? `${padding} select '"stmt_location":', '}]}'` : at % 100 === 13 ? `select '"stmt_location":' as a${padding}; select ',"stmt_len":1'`
  : at % 100 === 14 ? `select ',"stmt_len":1', '"stmt_location":1'${padding};` : `create view v_${at} as select 'ä🎉' || a from t${padding}`));

/** What the parser says here; undefined where it gives up. */
function here(text: string): Found | undefined {
  try {
    const raw = text.includes('\0') ? undefined : rawParse(text);
    if (raw === undefined || 'message' in raw) return raw;
    const tree = JSON.parse(raw.json) as { readonly stmts: readonly { readonly stmt: Node; readonly stmt_location?: number }[] };
    const [first, second] = tree.stmts;
    const found = first !== undefined && second === undefined && first.stmt_location === undefined ? { node: first.stmt } : { tree };
    return { ...found, size: raw.json.length, ...(/plpgsql/.test(text) ? { plpgsql: rawPlpgsql(text) } : {}) };
  } catch {
    return undefined;
  }
}

/** Asks again while the thread has not come as far. */
async function patiently(text: string): Promise<Found | undefined> {
  await setTimeout(20);
  return takeAhead(text);
}

test.skipIf(!able)('the thread says what the parser says here, in the order of the texts', async () => {
  parseAhead(texts, thread);
  await setTimeout(1500);
  let answered = 0;
  for (const [at, text] of texts.entries()) {
    const answer = at % 400 === 0 ? await patiently(text) : takeAhead(text);
    if (answer === undefined) continue;
    answered += 1;
    expect(answer).toEqual(here(text));
    expect(JSON.stringify(answer)).toBe(JSON.stringify(here(text)));
  }
  expect(answered).toBeGreaterThan(400);
}, 60_000);

test.skipIf(!able)('a text that is not next is found a little further on', async () => {
  parseAhead(texts, thread);
  await setTimeout(1500);
  expect(takeAhead(texts[12]!)).toEqual(here(texts[12]!));
  expect(takeAhead(texts[13]!)).toEqual(here(texts[13]!));
}, 60_000);

test.skipIf(!able)('the first few others are asked of the thread once it has begun, and then nobody answers', async () => {
  parseAhead(texts, thread);
  await setTimeout(1500);
  const others = ['select 1', texts[900]!, 'select from where', 'select (', texts[211]!, texts[9]!, "select '\0'"];
  for (const text of others) expect(takeAhead(text)).toEqual(here(text));
  let answered = 0;
  for (let at = 0; at < 100; at += 1) if (takeAhead(`select ${at}`) !== undefined) answered += 1;
  expect(answered).toBeGreaterThan(10);
  expect(answered).toBeLessThan(30);
}, 60_000);

/** How many of the first texts are answered at once, each as the parser does here. */
function answeredAtOnce(asked: readonly string[]): number {
  return asked.slice(0, 300).filter(text => {
    const answer = takeAhead(text);
    if (answer !== undefined) expect(answer).toEqual(here(text));
    return answer !== undefined;
  }).length;
}

test.skipIf(!able)('what is said to come is parsed before it is asked for; other texts may stand between', async () => {
  for (const asked of [texts, texts.filter((_, at) => at % 3 !== 0)]) {
    startAhead(thread);
    texts.forEach(comesNext);
    await setTimeout(1500);
    parseAhead(asked, thread);
    // A text that holds a NUL has no answer, nor one that is too deep.
    expect(answeredAtOnce(asked)).toBeGreaterThan(290);
    endAhead();
  }
}, 60_000);

test.skipIf(!able)('a thread that has read all it was sent waits for the rest, to the last text', async () => {
  // As many as it goes ahead; far more are left than may be asked of it.
  const few = texts.slice(0, 600);
  startAhead(thread);
  few.slice(0, 450).forEach(comesNext);
  await setTimeout(1500);
  parseAhead(few, thread);
  await setTimeout(500);
  const silent = few.filter(text => {
    const answer = takeAhead(text);
    if (answer !== undefined) expect(answer).toEqual(here(text));
    return answer === undefined;
  });
  expect(silent).toEqual(few.filter(text => here(text) === undefined));
}, 60_000);

test.skipIf(!able)('what was said in another order is forgotten', async () => {
  startAhead(thread);
  texts.toReversed().forEach(comesNext);
  await setTimeout(500);
  parseAhead(texts, thread);
  await setTimeout(1500);
  expect(answeredAtOnce(texts)).toBeGreaterThan(290);
}, 60_000);

test.skipIf(!able)('a thread that was begun before is taken, and begins when it is', async () => {
  const begun = beginThread(thread);
  expect(begun).toBeDefined();
  await setTimeout(500);
  expect(begun?.next[slots.begun]).toBe(0);
  useThread(begun!);
  await setTimeout(500);
  expect(begun?.next[slots.begun]).toBe(1);
  parseAhead(texts, thread);
  await setTimeout(1500);
  expect(answeredAtOnce(texts)).toBeGreaterThan(290);
}, 60_000);

test('few texts are not worth a thread, and a program that is missing is none', () => {
  parseAhead(['select 1'], thread);
  expect(takeAhead('select 1')).toBeUndefined();
  parseAhead(texts, new URL('./none.js', import.meta.url));
  expect(takeAhead(texts[0]!)).toBeUndefined();
});
