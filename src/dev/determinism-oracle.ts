import type { PGlite } from '@electric-sql/pglite';
import { replay } from '../catalog/replay.ts';
import type { Catalog, Matview, QueryFacts, Taint } from '../model.ts';
import { factsOf } from '../query/facts.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { DeterminismGenerator, schema, type Generated } from './determinism-generator.ts';

/** What lies between the refreshes that are compared. */
type Stage = 'again' | 'day' | 'moved';
/** What Postgres showed for one column of one view. */
export interface Judged {
  readonly cause: string;
  readonly query: string;
  readonly column: string;
  readonly stage: Stage;
  /** `unforced`: claimed, and these rows do not show it (order, sessions); it is neither right nor wrong. */
  readonly verdict: 'agreed' | 'missed' | 'alarm' | 'unforced';
  readonly tainted: boolean;
}
export interface Figures {
  readonly judged: readonly Judged[];
  readonly queries: number;
  /** Of each cause, how many queries. */
  readonly causes: Readonly<Record<string, number>>;
  readonly refused: readonly string[];
}

function catalogOf(statements: readonly string[]): Catalog {
  const history = readHistories(memoryFiles({ 'db/001.sql': `${statements.join(';\n')};` }), { tool: 'psql' }).histories[0]!;
  const replayed = replay(history, { postgres: 18, role: 'postgres' });
  for (let next = replayed.next(); ; next = replayed.next()) if (next.done) return next.value;
}

const columns = ['k', 'a', 'b'] as const;

/** The values of each column, sorted: which row has which is not compared. */
async function snapshot(db: PGlite): Promise<Readonly<Record<string, string>>> {
  const { rows } = await db.query<Record<string, string | null>>('select k, a, b from q');
  return Object.fromEntries(columns.map(column => [column, rows.map(row => row[column] ?? '∅').sort().join('\n')]));
}

const differing = (one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): ReadonlySet<string> =>
  new Set(columns.filter(column => one[column] !== other[column]));

/** Refreshes as often as a small count of random rows needs to differ. */
const tries = 5;

async function observed(db: PGlite): Promise<Readonly<Record<Stage, ReadonlySet<string>>>> {
  const refresh = (zone: string): Promise<unknown> => db.exec(`set timezone = '${zone}'; refresh materialized view q; set timezone = 'UTC'`);
  await refresh('UTC');
  const first = await snapshot(db);
  const again = new Set<string>();
  for (let at = 0; at < tries; at += 1) {
    await refresh('UTC');
    for (const column of differing(first, await snapshot(db))) again.add(column);
  }
  // 26 hours of time zone stand for the next day, and for another session.
  await refresh('Etc/GMT+12');
  const west = await snapshot(db);
  await refresh('Etc/GMT-14');
  const day = differing(west, await snapshot(db));
  await refresh('UTC');
  const before = await snapshot(db);
  for (const sql of ['update items set n = n where id % 3 = 0', 'update items set n = n where id % 2 = 0', 'update parts set label = label where id % 2 = 0']) await db.exec(sql);
  await refresh('UTC');
  return { again, day, moved: differing(before, await snapshot(db)) };
}

/** Whether a taint is one that must show, or can, at a stage. */
const must: Readonly<Record<Stage, (taint: Taint) => boolean>> = {
  again: taint => taint.flips === 'each refresh',
  day: taint => taint.flips === 'each day' && taint.cause === 'clock',
  moved: () => false,
};
const can: Readonly<Record<Stage, (taint: Taint) => boolean>> = {
  again: taint => taint.flips === 'each refresh',
  day: taint => taint.flips === 'each refresh' || taint.flips === 'each day' || taint.setting === 'TimeZone',
  moved: taint => taint.flips === 'each refresh' || taint.flips === 'when rows move',
};

function judge({ query, cause }: Generated, facts: QueryFacts, seen: Readonly<Record<Stage, ReadonlySet<string>>>): readonly Judged[] {
  if ('unknown' in facts.columns) throw new Error(`columns of ${query}: ${facts.columns.unknown}`);
  return facts.columns.flatMap(({ name, taints }) => (['again', 'day', 'moved'] as const).map((stage): Judged => {
    const changed = seen[stage].has(name);
    // Other rows have other values; the clock that chooses them stands far from the rows here.
    const rows = facts.rows.filter(taint => taint.cause !== 'clock');
    const claimed = [...taints, ...rows].some(can[stage]);
    const forced = taints.some(must[stage]);
    const verdict = changed ? (claimed ? 'agreed' : 'missed') : forced ? 'alarm' : claimed ? 'unforced' : 'agreed';
    return { query, cause, column: name, stage, verdict, tainted: claimed };
  }));
}

/** Generates views by a seed, refreshes each under every stage, and compares what changed with what mvlint says. */
export async function judgeDeterminism(db: PGlite, seed: number, count: number): Promise<Figures> {
  await db.exec(schema.join(';'));
  const generator = new DeterminismGenerator(seed);
  const judged: Judged[] = [];
  const causes: Record<string, number> = {};
  const refused: string[] = [];
  for (let done = 0; done < count;) {
    const made = generator.next();
    const statements = [...made.setup, `create materialized view q as ${made.query}`];
    try {
      await db.exec(`set timezone = 'UTC'; ${statements.join(';')}`);
    } catch (error) {
      refused.push(`${error instanceof Error ? error.message : String(error)}: ${made.query}`);
      await db.exec('drop materialized view if exists q; reset timezone');
      if (refused.length > count) throw new Error(`most generated views are refused: ${refused[0]}`);
      continue;
    }
    const catalog = catalogOf([...schema, ...statements]);
    const found = catalog.find({ name: 'q' });
    if (found.is !== 'present') throw new Error(`not replayed: ${made.query}`);
    judged.push(...judge(made, factsOf(found.object as Matview, catalog), await observed(db)));
    await db.exec(`drop materialized view q; ${[...made.setup].reverse().map(sql => `drop view ${/view (\w+)/.exec(sql)![1]}`).join(';')}`);
    causes[made.cause] = (causes[made.cause] ?? 0) + 1;
    done += 1;
  }
  return { judged, queries: count, causes, refused };
}
