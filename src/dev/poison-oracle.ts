import { replay } from '../catalog/replay.ts';
import type { Catalog, Matview, QueryFacts, Taint } from '../model.ts';
import { factsOf } from '../query/facts.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { allows, claimed, claimedOfRows, shownBy, type Cause, type Stage } from './poison-causes.ts';
import { PoisonGenerator, type Generated } from './poison-generator.ts';
import { moved, restored, schema, ticking } from './poison-schema.ts';

/** A database: PGlite, or a client of a server. */
export interface Database {
  readonly exec: (sql: string) => Promise<unknown>;
  readonly rows: (sql: string) => Promise<readonly Readonly<Record<string, string | null>>[]>;
}

const columns = ['k', 'a', 'b'] as const;
type Target = (typeof columns)[number] | 'rows' | 'key';
const targets: readonly Target[] = [...columns, 'rows', 'key'];

/** What Postgres showed of one part of one view, for one cause. */
export interface Judged {
  readonly query: string;
  readonly target: Target;
  readonly cause: Cause;
  readonly planted: boolean;
  readonly claimed: boolean;
  /** Whether it differed where the cause shows. */
  readonly shown: boolean;
  /** `missed`: it differed, and nothing that was claimed allows that. `alarm`: it was claimed and did not differ. */
  readonly verdict: 'agreed' | 'missed' | 'alarm';
  readonly stages: readonly Stage[];
}

export interface Figures {
  readonly judged: readonly Judged[];
  readonly views: number;
  /** Of each depth of nesting, how many views. */
  readonly depths: readonly number[];
  readonly refused: readonly string[];
}

/** The catalog after these statements, by replay. */
export function catalogOf(statements: readonly string[]): Catalog {
  const history = readHistories(memoryFiles({ 'db/001.sql': `${statements.join(';\n')};` }), { tool: 'psql' }).histories[0]!;
  const replayed = replay(history, { postgres: 18, role: 'postgres' });
  for (let next = replayed.next(); ; next = replayed.next()) if (next.done) return next.value;
}

interface Row {
  readonly k: string;
  readonly a: string;
  readonly b: string;
  /** The transaction that wrote it. */
  readonly x: string;
}

/** The rows of a view as they stand. */
export async function snapshot(db: Database): Promise<readonly Row[]> {
  const rows = await db.rows("select coalesce(k, '∅') as k, coalesce(a, '∅') as a, coalesce(b, '∅') as b, xmin::text as x from q");
  return rows as unknown as readonly Row[];
}

const sorted = (rows: readonly Row[], column: 'k' | 'a' | 'b'): string => rows.map(row => row[column]).sort().join('\n');

/** What differs between two states. `keyed`: the column that says which row is which; without one, values are compared as a heap. */
export function differing(one: readonly Row[], other: readonly Row[], keyed: 'k' | 'a' | undefined): ReadonlySet<Target> {
  const found = new Set<Target>();
  if (keyed === undefined) {
    for (const column of columns) if (sorted(one, column) !== sorted(other, column)) found.add(column);
  } else {
    if (sorted(one, keyed) !== sorted(other, keyed)) found.add('rows');
    const before = new Map(one.map(row => [row[keyed], row]));
    for (const row of other) {
      const old = before.get(row[keyed]);
      if (old !== undefined) for (const column of columns) if (old[column] !== row[column]) found.add(column);
    }
  }
  // A row that says the same was written again: it did not find itself.
  const written = new Map(one.map(row => [`${row.k}\n${row.a}\n${row.b}`, row.x]));
  if (other.some(row => { const old = written.get(`${row.k}\n${row.a}\n${row.b}`); return old !== undefined && old !== row.x; })) found.add('key');
  return found;
}

/** Settings of a session that refreshes differently. */
const settings: readonly (readonly [Stage, string])[] = [
  ['DateStyle', "datestyle = 'German, DMY'"], ['IntervalStyle', "intervalstyle = 'iso_8601'"], ['search', "default_text_search_config = 'simple'"], ['bytea', "bytea_output = 'escape'"],
  ['float', 'extra_float_digits = -3'],
];

/** Whether its rows are chosen by the clock. */
const isTicking = ({ setup, query }: Generated): boolean => [...setup, query].some(sql => /ticks|current_items/.test(sql));

async function observed(db: Database, made: Generated): Promise<ReadonlyMap<Stage, ReadonlySet<Target>>> {
  const keyed = made.planted.key !== 'steady' ? undefined : made.planted.k === 'steady' ? 'k' : 'a';
  const refreshes = [...made.beneath, 'q'].map(name => `refresh materialized view ${name === 'q' ? 'concurrently q' : name}`).join(';');
  const ticks = isTicking(made);
  const state = async (around = ''): Promise<readonly Row[]> => {
    if (ticks) await db.exec('select pg_sleep(0.025)');
    // A plan that a routine keeps for its session has folded what is called immutable: most refreshes come in a session of their own.
    await db.exec('discard plans');
    for (const sql of around === '' ? refreshes.split(';') : `${around};${refreshes};reset all; set app.tenant = 'one'; set timezone = 'UTC'; set session authorization postgres`.split(';')) await db.exec(sql);
    return await snapshot(db);
  };
  const seen = new Map<Stage, ReadonlySet<Target>>();
  const first = await state();
  const second = await state();
  const third = await state();
  // A small draw may come out the same once.
  seen.set('again', new Set([...differing(first, second, keyed), ...differing(second, third, keyed), ...differing(first, third, keyed)].filter(target => target !== 'key'
    || differing(second, third, keyed).has('key'))));
  let last = third;
  const next = (stage: Stage, now: readonly Row[]): void => {
    seen.set(stage, new Set([...differing(last, now, keyed)].filter(target => target !== 'key')));
  };
  for (const [stage, setting] of settings) next(stage, await state(`set ${setting}`));
  next('setting', await state("set app.tenant = 'two'; set work_mem = '5MB'"));
  next('role', await state('set session authorization reader'));
  // 26 hours of time zone stand for the next day, and for another session.
  last = await state("set timezone = 'Etc/GMT+12'");
  next('zone', await state("set timezone = 'Etc/GMT-14'"));
  last = await state();
  await db.exec(moved);
  next('moved', await state());
  return seen;
}

/** What mvlint claims of each part of a view. */
function claimsOf(made: Generated, facts: QueryFacts): ReadonlyMap<Target, readonly (readonly [Cause, readonly Taint[]])[]> {
  if ('unknown' in facts.columns) throw new Error(`columns of ${made.query}: ${facts.columns.unknown}`);
  const byCause = (taints: readonly Taint[], of: (taint: Taint) => Cause): readonly (readonly [Cause, readonly Taint[]])[] =>
    [...new Set(taints.map(of))].map(cause => [cause, taints.filter(taint => of(taint) === cause)]);
  const found = new Map<Target, readonly (readonly [Cause, readonly Taint[]])[]>(facts.columns.map(({ name, taints }) => [name as Target, byCause(taints, claimed)]));
  found.set('rows', byCause(facts.rows, claimedOfRows));
  const keys = new Set(made.indexes.flatMap(index => /\(([^)]*)\)/.exec(index)![1]!.split(', ')));
  if (facts.columns.some(({ name, nullable }) => keys.has(name) && nullable === true)) found.set('key', [['NULL in a key', []]]);
  return found;
}

/** Compares what is claimed of a view with what was seen. */
export function judge(made: Generated, facts: QueryFacts, seen: ReadonlyMap<Stage, ReadonlySet<Target>>, asked: readonly Target[] = targets): readonly Judged[] {
  const claims = claimsOf(made, facts);
  return asked.flatMap((target): readonly Judged[] => {
    // Where the key itself changes, so do the rows.
    if (target === 'rows' && (made.planted.k !== 'steady' || made.planted.key !== 'steady')) return [];
    const own = claims.get(target) ?? [];
    const planted = made.planted[target];
    const stages = [...seen].filter(([, found]) => found.has(target)).map(([stage]) => stage);
    const allowed = (stage: Stage): boolean => own.some(([cause, taints]) => (cause === 'NULL in a key' ? stage === 'again' : taints.some(taint => allows(taint, stage))))
      // A count of rows that the clock chooses moves with them, and is no reading of it (facts C3).
      || (target !== 'rows' && facts.rows.some(taint => taint.cause === 'clock' && (taint.flips === 'each refresh' || stage === 'zone')));
    // Of several rows the order may keep another one of the same key: the rows differ, and by that a value.
    const byOrder = (stage: Stage): boolean => stage === 'moved' && facts.rows.some(taint => taint.cause === 'order');
    const judgement = (cause: Cause, verdict: Judged['verdict']): Judged => ({ query: [...made.setup, made.query].join('; '), target, cause, planted: planted === cause, claimed: own.some(([claim]) => claim === cause),
      shown: stages.includes(shownBy[cause]) || (cause === 'rows by order' && ['a', 'b'].some(column => seen.get('moved')?.has(column as Target))), verdict, stages });
    const missed = stages.filter(stage => !allowed(stage) && !byOrder(stage));
    const result = own.filter(([cause]) => seen.has(shownBy[cause])).map(([cause]) => {
      const found = judgement(cause, 'agreed');
      return found.shown ? found : { ...found, verdict: 'alarm' as const };
    });
    if (missed.length > 0) return [...result.filter(({ cause }) => cause !== planted), judgement(planted, 'missed')];
    return result.some(({ cause }) => cause === planted) ? result : [...result, judgement(planted, 'agreed')];
  });
}

/** Generates views by a seed, refreshes each concurrently under every stage, and compares what changed with what mvlint says. */
export async function judgePoison(db: Database, seed: number, count: number): Promise<Figures> {
  for (const sql of schema) await db.exec(sql);
  await db.exec("set timezone = 'UTC'; set app.tenant = 'one'");
  const generator = new PoisonGenerator(seed);
  const judged: Judged[] = [];
  const depths: number[] = [];
  const refused: string[] = [];
  for (let done = 0; done < count;) {
    const made = generator.next();
    const statements = [...made.setup, `create materialized view q as ${made.query}`, ...made.indexes];
    try {
      await db.exec(`${restored}; ${isTicking(made) ? ticking : ''}`);
      for (const sql of [...statements, 'grant maintain on all tables in schema public to reader']) await db.exec(sql);
    } catch (error) {
      refused.push(`${error instanceof Error ? error.message : String(error)}: ${statements.join('; ')}`);
      await dropped(db, made);
      if (refused.length > count) throw new Error(`most generated views are refused: ${refused[0]}`);
      continue;
    }
    const catalog = catalogOf([...schema, ...statements]);
    const found = catalog.find({ name: 'q' });
    if (found.is !== 'present') throw new Error(`not replayed: ${made.query}`);
    judged.push(...judge(made, factsOf(found.object as Matview, catalog), await observed(db, made)));
    await dropped(db, made);
    depths[made.depth] = (depths[made.depth] ?? 0) + 1;
    done += 1;
  }
  return { judged, views: count, depths, refused };
}

async function dropped(db: Database, made: Generated): Promise<void> {
  const names = made.setup.map(sql => /create (materialized view|view|function) (\w+)/.exec(sql)!);
  await db.exec(['drop materialized view if exists q', ...names.reverse().map(([, kind, name]) => `drop ${kind} if exists ${name} cascade`)].join(';'));
}
