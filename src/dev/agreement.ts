/**
 * How far the replay agrees with Postgres: every fixture, every project and many random histories are replayed by mvlint and by PGlite; the two
 * catalogs are compared fact by fact after every migration, and the refusals that were predicted with those that came. Exit status 1 when they
 * differ in a fact that is not allowed to.
 *
 *     npm run agreement [-- --all] [--random 2000] [--seed 1] [name…]     --all prints every difference, a name keeps the histories that contain it
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { turns } from '../catalog/order.ts';
import { replay } from '../catalog/replay.ts';
import { catalogFacts, compare } from '../live/facts.ts';
import { introspect } from '../live/introspect.ts';
import { Sender } from '../live/sender.ts';
import { failed, type LiveSession } from '../live/session.ts';
import { missingRoles } from '../live/stubs.ts';
import type { Catalog, History, Migration, Statement } from '../model.ts';
import { diskFiles, memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { historyOf, readFixtures } from './fixtures.ts';
import { KeptServers } from './kept-servers.ts';
import { knownDifference } from './known-differences.ts';
import { randomHistory } from './random-history.ts';

/** One fact that only one side has, after one migration of one history. */
export interface Difference {
  readonly history: string;
  readonly migration: string;
  readonly only: 'replay' | 'postgres';
  readonly fact: string;
}

export interface Agreement {
  readonly agreed: number;
  readonly unknown: number;
  readonly differences: readonly Difference[];
  readonly refusals: readonly RefusalPair[];
  /** What stood in Postgres after each migration that ended outside of a transaction. */
  readonly databases: readonly { readonly migration: Migration; readonly catalog: Catalog }[];
}

/** A statement that Postgres refused, or that the replay said it would; undefined: not refused, not predicted. */
export interface RefusalPair {
  readonly history: string;
  readonly sql: string;
  readonly came: string | undefined;
  readonly predicted: string | undefined;
  readonly message: string;
}

/** The embedded server's superuser: owner of whatever a history makes. */
const role = 'postgres';

/** Every history of the fixtures and the projects, by a name for people. */
export function allHistories(): readonly { readonly name: string; readonly history: History }[] {
  const projects = join(import.meta.dirname, '../../fixtures/projects');
  return [
    ...readFixtures().map(fixture => ({ name: `${fixture.rule}/${fixture.name}`, history: historyOf(fixture) })),
    ...(existsSync(projects) ? readdirSync(projects) : []).flatMap(name =>
      readHistories(diskFiles(join(projects, name))).histories.map(history => ({ name: `projects/${name}`, history }))),
  ];
}

/**
 * A history of the generator. With an even seed its code depends on data, and everything in it succeeds: what Postgres refuses is taken out.
 * With an odd one the history alone decides, and refusals stay, but for statements that name what this history never made.
 */
export async function randomValid(seed: number, servers: KeptServers): Promise<{ readonly name: string; readonly history: History }> {
  return validHistory(`random/${seed}`, randomHistory(seed, seed % 2 === 0), seed % 2 === 0, servers);
}

/** Files as a history for psql, without the statements that name what it never made; with `valid` without any that Postgres refuses. */
export async function validHistory(
  name: string, files: ReadonlyMap<string, string>, valid: boolean, servers: KeptServers,
): Promise<{ readonly name: string; readonly history: History }> {
  const [read] = readHistories(memoryFiles(Object.fromEntries(files)), { tool: 'psql' }).histories;
  if (!read) throw new Error(`${name} makes no history`);
  let history = read;
  for (let round = 0; round < 12; round += 1) {
    const strangers = await strangersIn(history, servers, valid);
    if (strangers.size === 0) break;
    history = {
      ...history, migrations: history.migrations.map(migration => ({
        ...migration, up: migration.up.map(unit => ({ ...unit, statements: unit.statements.filter(statement => !strangers.has(statement)) })),
      })),
    };
  }
  return { name, history };
}

/** Refusals that speak of a missing relation, column, object, function or schema. */
const missing = new Set(['42P01', '42703', '42704', '42883', '3F000']);

/** Whether the search path names nothing but schemas that the history never made: somebody else may have, and then a name without a schema is of theirs. */
async function searchesNowhere(session: LiveSession): Promise<boolean> {
  const answer = await session.probe("SELECT current_schemas(false) = '{}' AS nowhere");
  return !failed(answer) && answer.rows[0]?.['nowhere'] === true;
}

async function strangersIn(history: History, servers: KeptServers, valid: boolean): Promise<ReadonlySet<Statement>> {
  const session = await servers.session(history);
  const sender = new Sender(session, history, []);
  const strangers = new Set<Statement>();
  const everMade = new Set<string>();
  for (const turn of turns(history)) {
    await sender.enter(turn);
    const fate = await sender.send(turn);
    if (fate.is === 'refused' && valid) strangers.add(turn.statement);
    else if (fate.is === 'refused' && missing.has(fate.answer.sqlstate)) {
      const name = /"([^"]+)"/.exec(fate.answer.message)?.[1]?.split('.').at(-1) ?? '';
      if (fate.answer.sqlstate !== '42P01' || !everMade.has(name) || await searchesNowhere(session)) strangers.add(turn.statement);
    } else if (fate.is === 'ran' && session.transaction === 'none') {
      const relations = await session.probe("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace");
      if (!failed(relations)) for (const { relname } of relations.rows) everMade.add(String(relname));
    }
  }
  await sender.close();
  await session.end();
  return strangers;
}

async function introspected(session: LiveSession): Promise<Catalog> {
  return introspect(async sql => {
    const answer = await session.probe(sql);
    if (failed(answer)) throw new Error(`${answer.sqlstate} ${answer.message}\n${sql}`);
    return answer.rows;
  });
}

/** What the laboratory added for the history: its facts are no difference. */
const isStub = (roles: readonly string[]) => (fact: string): boolean => roles.some(name => fact === `role ${name}: exists = yes`);

/** Temporary relations end with the session, which the replay has left by then and the server has not. */
const isTemporary = (fact: string): boolean => /^\w+ pg_temp(?:_\d+)?\./.test(fact);

/**
 * Replays one history on both sides. Facts are compared after each migration whose end is outside a transaction; facts that differed after the
 * migration before are not counted again.
 */
export async function agreementOf(name: string, history: History, servers: KeptServers): Promise<Agreement> {
  const session = await servers.session(history);
  const stubs = missingRoles(history);
  for (const { create } of stubs) await session.send(create);
  const sender = new Sender(session, history, []);
  const stubbed = isStub(stubs.map(({ create }) => create.slice('CREATE ROLE '.length).replaceAll('"', '')));
  const ours = replay(history, { role });
  const differences: Difference[] = [];
  const databases: Agreement['databases'][number][] = [];
  let agreed = 0;
  let unknown = 0;
  let old = new Set<string>();
  const all = [...turns(history)];
  const came = new Map<number, { readonly sqlstate: string; readonly message: string }>();
  const predicted = new Map<number, string>();
  const skipped = new Set<number>();
  for (let next = ours.next(), at = 0; next.done !== true; next = ours.next()) {
    const { migration, pass, end } = next.value;
    for (let turn = all[at]; turn && turn.migration === migration && turn.pass === pass; turn = all[++at]) {
      await sender.enter(turn);
      const fate = await sender.send(turn);
      if (fate.is === 'refused') came.set(turn.ordinal, fate.answer);
      else if (fate.is !== 'ran') skipped.add(turn.ordinal);
    }
    for (const { ordinal, refusal } of next.value.steps) if (refusal) predicted.set(ordinal, refusal.sqlstate);
    await sender.close();
    if (session.transaction !== 'none') continue;
    const catalog = await introspected(session);
    databases.push({ migration, catalog });
    const found = compare(catalogFacts(end), catalogFacts(catalog));
    agreed += found.agreed.length;
    unknown += found.unknown.length;
    const now = [...found.replayedOnly.map(fact => ({ only: 'replay' as const, fact })), ...found.introspectedOnly.map(fact => ({ only: 'postgres' as const, fact }))]
      .filter(({ fact }) => !stubbed(fact) && !isTemporary(fact));
    for (const { only, fact } of now) if (!old.has(`${only} ${fact}`)) differences.push({ history: name, migration: migration.id, only, fact });
    old = new Set(now.map(({ only, fact }) => `${only} ${fact}`));
  }
  await session.end();
  const refusals = all.flatMap(({ ordinal, statement }): readonly RefusalPair[] => {
    const [real, said] = [came.get(ordinal), predicted.get(ordinal)];
    if (skipped.has(ordinal) || (real === undefined && said === undefined)) return [];
    return [{ history: name, sql: statement.sql, came: real?.sqlstate, predicted: said, message: real?.message ?? '' }];
  });
  return { agreed, unknown, differences, refusals, databases };
}

async function main(words: readonly string[]): Promise<number> {
  const { values, positionals: names } = parseArgs({
    args: [...words], allowPositionals: true,
    options: { all: { type: 'boolean', default: false }, random: { type: 'string', default: '2000' }, seed: { type: 'string', default: '1' } },
  });
  const wanted = (name: string): boolean => names.length === 0 || names.some(part => name.includes(part));
  const kept = allHistories().filter(({ name }) => wanted(name));
  const seeds = Array.from({ length: Number(values.random) }, (_, at) => Number(values.seed) + at).filter(seed => wanted(`random/${seed}`));
  const servers = new KeptServers();
  let agreed = 0;
  let unknown = 0;
  const differences: Difference[] = [];
  const standing: Difference[] = [];
  const refusals: RefusalPair[] = [];
  for (const next of [...kept, ...seeds]) {
    const { name, history } = typeof next === 'number' ? await randomValid(next, servers) : next;
    const one = await agreementOf(name, history, servers);
    refusals.push(...one.refusals);
    agreed += one.agreed;
    unknown += one.unknown;
    differences.push(...one.differences);
    // Told as they come: two thousand histories take a while.
    const before = standing.length;
    standing.push(...one.differences.filter(difference => knownDifference(difference) === undefined));
    for (const { history: of, migration, only, fact } of standing.slice(before, values.all ? undefined : 50))
      process.stdout.write(`${of} after ${migration}: only ${only === 'replay' ? 'the replay' : 'Postgres'} says ${fact}\n`);
  }
  await servers.close();
  if (!values.all && standing.length > 50) process.stdout.write(`… and ${standing.length - 50} more (--all)\n`);
  const total = agreed + differences.length;
  const percent = total === 0 ? 100 : Math.floor(10_000 * agreed / total) / 100;
  process.stdout.write(`${agreed} of ${total} facts agree (${percent} %) in ${kept.length + seeds.length} histories; the replay does not know ${unknown} more`
    + `${differences.length > standing.length ? `; ${differences.length - standing.length} differences are known, see src/catalog/README.md` : ''}\n`);
  printRefusals(refusals, values.all);
  return standing.length > 0 ? 1 : 0;
}

/** How many of the refusals that came were predicted with their SQLSTATE, and how many predictions did not come. */
function printRefusals(refusals: readonly RefusalPair[], all: boolean): void {
  const came = refusals.filter(pair => pair.came !== undefined);
  const right = came.filter(pair => pair.came === pair.predicted);
  const wrong = refusals.filter(pair => pair.predicted !== undefined && pair.came !== pair.predicted);
  const missed = came.filter(pair => pair.predicted === undefined);
  for (const { history, sql, came: real, predicted, message } of [...wrong, ...(all ? missed : [])].slice(0, all ? 1000 : 20))
    process.stdout.write(`${history}: predicted ${predicted ?? 'nothing'}, came ${real ?? 'nothing'} ${message}: ${sql.replace(/\s+/g, ' ').slice(0, 400)}\n`);
  process.stdout.write(`${right.length} of ${came.length} refusals were predicted with their SQLSTATE; ${wrong.length} predictions were wrong, ${missed.length} refusals came unpredicted\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = await main(process.argv.slice(2));
