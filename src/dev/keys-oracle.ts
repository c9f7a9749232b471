import { emptyCatalog } from '../catalog/store.ts';
import { introspect } from '../live/introspect.ts';
import type { Catalog, Known, QueryFacts, Statement, View } from '../model.ts';
import { factsOf } from '../query/facts.ts';
import { lowerQuery } from '../query/lower.ts';
import { parse } from '../sql/parse.ts';
import { KeysGenerator } from './keys-generator.ts';
import { dataSet, schema } from './keys-schema.ts';
import { KeyShapes, type Constructed } from './keys-shapes.ts';

/** Asks a database; rejects with what it refuses. */
export type Ask = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

export interface Figures {
  readonly queries: number;
  readonly refused: number;
  /** Claims that some data set contradicts: a key that repeats, a column said to be never NULL that is. */
  readonly wrong: readonly string[];
  readonly claims: { readonly keys: number; readonly unique: number; readonly repeats: number; readonly neverNull: number };
  /** `no` claims that no data set showed. */
  readonly unseen: readonly string[];
  /** Minimal keys of at most three columns that held in all data sets and are not known to be chance, and those of them that were proved. */
  readonly held: number;
  readonly proved: number;
  readonly unproved: readonly string[];
  readonly heldNotNull: number;
  /** Queries with a key by construction, those whose rows contradict it (the generator's own mistakes), and those of which it was found. */
  readonly constructed: readonly { readonly made: Constructed; readonly found: boolean; readonly contradicted: boolean }[];
}

interface Watched {
  readonly query: string;
  readonly facts: QueryFacts;
  readonly names: readonly string[];
  /** Column lists that were asked about, as positions, and what they turned out to be. */
  readonly asked: readonly { readonly positions: readonly number[]; readonly is: 'yes' | 'no' | 'unknown'; repeats: boolean; repeatsNull: boolean }[];
  readonly nulls: boolean[];
  rows: number;
  readonly made?: Constructed;
  contradicted: boolean;
}

const isUnknown = <T>(fact: Known<T>): fact is { readonly unknown: string } => typeof fact === 'object' && fact !== null
  && 'unknown' in fact;

/** The facts of a query over a catalog; undefined when it cannot be read. */
function viewOf(query: string, catalog: Catalog): View {
  const sql = `create view q as ${query}`;
  const parsed = parse(sql);
  if (!parsed.ok || !('ViewStmt' in parsed.node)) throw new Error(`${parsed.ok ? 'no view' : parsed.message}: ${sql}`);
  const span = { path: 'q.sql', start: 0, end: sql.length };
  const statement: Statement = { sql, span, ignores: [] };
  const lowered = lowerQuery(statement, parsed.node.ViewStmt.query!, catalog);
  return { kind: 'view', id: emptyCatalog().newId(), name: { schema: 'public', name: 'q' }, owner: 'postgres', columns: lowered.columns,
    query: lowered.query,
    options: new Map(), grants: new Map() };
}

/** Every list of one to three columns; beyond eight columns the first ones. */
function lists(count: number): readonly (readonly number[])[] {
  const found: number[][] = [];
  const most = Math.min(count, 8);
  for (let a = 0; a < most; a += 1) {
    found.push([a]);
    for (let b = a + 1; b < most; b += 1) {
      found.push([a, b]);
      for (let c = b + 1; c < most; c += 1) found.push([a, b, c]);
    }
  }
  return found.sort((x, y) => x.length - y.length);
}

function watch(query: string, catalog: Catalog, made?: Constructed): Watched | undefined {
  const view = viewOf(query, catalog);
  const facts = factsOf(view, catalog);
  if (isUnknown(facts.columns)) return undefined;
  const names = facts.columns.map(column => column.name);
  const asked = lists(names.length).map(positions =>
    ({ positions, is: facts.unique(positions.map(at => names[at]!)).is, repeats: false, repeatsNull: false }));
  return { query, facts, names, asked, nulls: names.map(() => false), rows: 0, ...(made === undefined ? {} : { made }), contradicted: false };
}

/** Looks at the rows of one data set. */
function look(watched: Watched, rows: readonly (readonly unknown[])[]): void {
  watched.rows = Math.max(watched.rows, rows.length);
  for (const row of rows) row.forEach((value, at) => { if (value === null) watched.nulls[at] = true; });
  if (watched.made !== undefined) {
    const positions = watched.made.key.map(name => watched.names.indexOf(name));
    const keys = new Set(rows.map(row => JSON.stringify(positions.map(at => row[at]))));
    if (keys.size < rows.length) watched.contradicted = true;
  }
  for (const item of watched.asked) {
    if (item.repeats && item.repeatsNull) continue;
    const seen = new Set<string>();
    for (const row of rows) {
      const values = item.positions.map(at => row[at]);
      const key = JSON.stringify(values);
      if (!seen.has(key)) seen.add(key);
      else {
        item.repeatsNull = true;
        if (!values.includes(null)) item.repeats = true;
      }
    }
  }
}

/**
 * Makes queries over the schema of the oracle, and compares what mvlint claims of their keys and NULLs with their rows in random data sets.
 * Rejects only when the database fails on its own statements.
 */
export async function judgeKeys(ask: Ask, seed: number, count: number, sets: number, constructed = 0): Promise<Figures> {
  for (const sql of schema) await ask(sql);
  const catalog = await introspect(ask);
  const generator = new KeysGenerator(seed);
  const watched: Watched[] = [];
  const shapes = new KeyShapes(seed);
  let refused = 0;
  while (watched.length < count + constructed) {
    const known = watched.length < count ? undefined : shapes.query();
    const query = known?.sql ?? generator.query();
    try {
      await ask(`create view q as ${query}`);
      await ask('drop view q');
    } catch {
      refused += 1;
      continue;
    }
    const made = watch(query, catalog, known);
    if (made !== undefined) watched.push(made);
  }
  for (let set = 0; set < sets; set += 1) {
    for (const sql of dataSet(seed * 100 + set)) await ask(sql).catch(() => undefined);
    for (const item of watched) {
      const rows = await ask(`select to_jsonb(array[${item.names.map((_, at) => `to_jsonb(c${at})`).join(
        )}]) as r from (${item.query}) q(${item.names.map((_, at) => `c${at}`).join()}) limit 3000`);
      look(item, rows.map(row => (typeof row['r'] === 'string' ? JSON.parse(row['r']) : row['r']) as unknown[]));
    }
  }
  return figuresOf(watched, refused);
}

function figuresOf(watched: readonly Watched[], refused: number): Figures {
  const wrong: string[] = [];
  const unseen: string[] = [];
  const unproved: string[] = [];
  const claims = { keys: 0, unique: 0, repeats: 0, neverNull: 0 };
  let [held, proved, heldNotNull] = [0, 0, 0];
  const constructed: { made: Constructed; found: boolean; contradicted: boolean }[] = [];
  for (const { query, facts, names, asked, nulls, rows, made, contradicted } of watched) {
    const say = (positions: readonly number[]): string => `(${positions.map(at => names[at]).join(', ')}) of ${query}`;
    const keys = isUnknown(facts.keys) ? [] : facts.keys.map(key => key.map(name => names.indexOf(name)));
    claims.keys += keys.length;
    if (made !== undefined) {
      const positions = made.key.map(name => names.indexOf(name));
      constructed.push({ made, contradicted, found: keys.some(key => key.every(at => positions.includes(at))) || facts.unique(made.key).is === 'yes' });
    }
    for (const key of keys) {
      const seen = key.length === 0 ? rows > 1 : asked.some(item => item.repeatsNull && key.every(at => item.positions.includes(at)));
      if (seen) wrong.push(`key ${say(key)}`);
    }
    (isUnknown(facts.columns) ? [] : facts.columns).forEach((column, at) => {
      if (column.nullable === false) claims.neverNull += 1;
      if (column.nullable === false && nulls[at] === true) wrong.push(`not null ${say([at])}`);
      if (nulls[at] !== true && rows > 0) heldNotNull += 1;
    });
    for (const item of asked) {
      if (item.is === 'yes') claims.unique += 1;
      if (item.is === 'yes' && item.repeats) wrong.push(`unique ${say(item.positions)}`);
      if (item.is === 'no') claims.repeats += 1;
      if (item.is === 'no' && !item.repeats) unseen.push(say(item.positions));
    }
    // Of the others it is known what they prove.
    if (rows < 6 || made !== undefined) continue;
    const minimal = asked.filter(item => !item.repeatsNull
      && !asked.some(other => !other.repeatsNull && other.positions.length < item.positions.length
      && other.positions.every(at => item.positions.includes(at))));
    for (const item of minimal) {
      // It held by chance: the constraints allow rows that repeat it.
      if (item.is === 'no') continue;
      held += 1;
      if (keys.some(key => key.every(at => item.positions.includes(at)))) proved += 1;
      else unproved.push(say(item.positions));
    }
  }
  return { queries: watched.length, refused, wrong, claims, unseen, held, proved, unproved, heldNotNull, constructed };
}
