import { afterAll, beforeAll, expect, test } from 'vitest';
import { turns } from '../catalog/order.ts';
import { replay } from '../catalog/replay.ts';
import { driftOf } from '../lint/drift.ts';
import { standingOf, type Moment } from '../lint/standing.ts';
import { introspect } from '../live/introspect.ts';
import { Sender } from '../live/sender.ts';
import { failed } from '../live/session.ts';
import { missingRoles } from '../live/stubs.ts';
import type { History } from '../model.ts';
import { ready } from '../sql/parse.ts';
import { allHistories, Bench } from './agreement.ts';

const bench = new Bench();
beforeAll(ready);
afterAll(() => bench.close());

/** The catalogs of a real Postgres after each migration of a history, outside of transactions. */
async function* databases(history: History) {
  const session = await bench.session(history);
  for (const { create } of missingRoles(history)) await session.send(create);
  const sender = new Sender(session, history, []);
  const all = [...turns(history)];
  for (const [at, turn] of all.entries()) {
    await sender.enter(turn);
    await sender.send(turn);
    const next = all[at + 1];
    if (next !== undefined && next.migration === turn.migration && next.pass === turn.pass) continue;
    await sender.close();
    if (session.transaction !== 'none') continue;
    yield {
      last: turn.migration, pass: turn.pass,
      catalog: await introspect(async sql => {
        const answer = await session.probe(sql);
        if (failed(answer)) throw new Error(`${answer.message}\n${sql}`);
        return answer.rows;
      }),
    };
  }
  await bench.giveBack(session);
}

test('a database that the migrations made has not drifted, wherever in its history it stands', async () => {
  const wrong: string[] = [];
  let compared = 0;
  let placed = 0;
  for (const { name, history } of allHistories()) {
    const moments: Moment[] = [];
    // Whoever reads a database does not know the role that made it.
    let blind = false;
    for (const { migration, judged, end, steps } of replay(history)) {
      blind ||= steps.some(step => step.blind === true);
      const last = steps.at(-1)?.statement.span;
      if (judged) moments.push({ migration, end, blind, ...(last === undefined ? {} : { last }) });
    }
    for await (const { catalog, last } of databases(history)) {
      const standing = standingOf(moments, catalog, () => false);
      if (standing === undefined) continue;
      compared += 1;
      if (standing.last.migration === last) placed += 1;
      for (const { message } of driftOf(standing, catalog, { sameMajor: true })) wrong.push(`${name} after ${last.id} (taken for ${standing.last.migration.id}): ${message}`);
    }
  }
  process.stderr.write(`${compared} databases compared, ${placed} placed after their own migration\n`);
  expect(compared).toBeGreaterThan(150);
  expect(wrong).toEqual([]);
}, 300_000);
