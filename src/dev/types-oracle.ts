import { introspect } from '../live/introspect.ts';
import type { Catalog, Known, ObjectId, Statement } from '../model.ts';
import { surroundingsIn } from '../query/surroundings.ts';
import { isUnknown, outermost, type Run } from '../query/scope.ts';
import { analyze, finalType } from '../query/select.ts';
import { typesIn, type Types } from '../query/sql-type.ts';
import type { Use } from '../query/uses.ts';
import { parse } from '../sql/parse.ts';
import { Generator, type Generated } from './types-generator.ts';
import { schema } from './types-schema.ts';
import { storedIn, type Stored } from './types-tree.ts';

/** Asks a database; rejects with what it refuses. */
export type Ask = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

export interface Judgement extends Generated {
  readonly verdict: 'equal' | 'unknown' | 'wrong';
  readonly differences: readonly string[];
}

export interface Figures {
  readonly asked: number;
  readonly refused: number;
  readonly judged: readonly Judgement[];
}

/** What mvlint finds in a query: its one type, and what it resolved. */
interface Found {
  readonly type: Known<string>;
  readonly uses: readonly Use[];
}

function find(query: string, catalog: Catalog): Found {
  const parsed = parse(query);
  if (!parsed.ok) throw new Error(`${parsed.message}: ${query}`);
  const span = { path: 'q.sql', start: 0, end: query.length };
  const statement: Statement = { sql: query, span, ignores: [] };
  const uses: Use[] = [];
  const around = surroundingsIn(catalog);
  const run: Run = {
    statement, catalog: around, relation: name => catalog.find(name), reads: [], missing: [], missingColumns: [], routines: new Set(),
      held: new Set(), uses,
    truncated: false, lastId: 0, depth: 0,
  };
  const shape = analyze(parsed.node, run, outermost);
  const column = shape.open ? undefined : shape.columns[0];
  return { type: column === undefined ? { unknown: 'the column' } : printed(finalType(column), typesIn(around)), uses };
}

/** The type as one session prints it: user types come from the catalog with their schema. */
const printed = (type: Known<string>, types: Types): Known<string> => (isUnknown(type) ? type : types.parse(type)?.text ?? type);

/** Names of functions and types by OID, in the words of the built-in tables. */
interface Names {
  readonly functions: ReadonlyMap<number, string>;
  readonly types: ReadonlyMap<number, string>;
}

async function namesOf(ask: Ask): Promise<Names> {
  const named = (oid: string): string => `(select case when e.oid is not null then e.typname || '[]' else t.typname end from pg_type t left join pg_type e on e.typarray = t.oid where t.oid = ${oid})`;
  const functions = await ask(`select p.oid::int as oid, p.proname || '(' || array_to_string(array(select ${named('u.o')} from unnest(p.proargtypes::oid[]) with ordinality u(o, n) order by n), ',') || ')' as name from pg_proc p`);
  const types = await ask(`select oid::int as oid, ${named('t0.oid')} as name from pg_type t0`);
  const map = (rows: readonly Readonly<Record<string, unknown>>[]): ReadonlyMap<number,
    string> => new Map(rows.map(row => [Number(row['oid']), String(row['name'])]));
  return { functions: map(functions), types: map(types) };
}

const describeStored = ({ kind, oid }: Stored, names: Names): string =>
  (['io', 'array', 'relabel', 'domain'].includes(kind) ? `${kind} ${names.types.get(oid)}` : `${kind} ${names.functions.get(oid)}`);

function describeUse(use: Use, catalog: Catalog): string {
  const own = (key: string): string => key.replace(/^type (\d+)/, (_, id: string) => nameOf(catalog, Number(id))).replace(/^row /, '');
  return 'target' in use ? `${use.kind} ${own(use.target)}` : `${use.kind} ${use.name}(${use.arguments.map(own).join()})`;
}

function nameOf(catalog: Catalog, id: ObjectId): string {
  const object = catalog.get(id);
  return object?.kind === 'type' ? object.name.name : `#${id}`;
}

/** Some nodes are stored twice (the subject of BETWEEN, the left side of IN), so what is compared are sets there. */
const repeats = (query: string): boolean => /\bbetween\b|\bin \(|\boverlaps\b/i.test(query);

function compare(mine: readonly string[], theirs: readonly string[], asSets: boolean): readonly string[] {
  const [a, b] = [mine, theirs].map(list => (asSets ? [...new Set(list)] : [...list])) as [string[], string[]];
  for (const item of [...a]) {
    const at = b.indexOf(item);
    if (at < 0) continue;
    b.splice(at, 1);
    a.splice(a.indexOf(item), 1);
  }
  return [...a.map(item => `only mvlint: ${item}`), ...b.map(item => `only Postgres: ${item}`)];
}

function judge(generated: Generated, catalog: Catalog, names: Names, type: string, stored: readonly Stored[]): Judgement {
  const found = find(generated.query, catalog);
  const mine = found.uses.filter(use => use.kind !== 'unresolved' && use.kind !== 'row comparison').map(use => describeUse(use, catalog));
  const differences = [...compare(mine, stored.map(item => describeStored(item, names)), repeats(generated.query))];
  const isOpen = found.uses.some(use => use.kind === 'unresolved') || isUnknown(found.type);
  if (!isUnknown(found.type) && found.type !== type) differences.push(`type ${found.type} is ${type}`);
  const isWrong = differences.some(text => !isOpen || !text.startsWith('only Postgres'));
  if (isUnknown(found.type)) differences.push(`${found.type.unknown}; it is ${type}`);
  return { ...generated, verdict: isWrong ? 'wrong' : isOpen ? 'unknown' : differences.length > 0 ? 'wrong' : 'equal', differences };
}

/**
 * Generates expressions until `wanted` of them were accepted by the database, makes a view of each, and compares the functions, operators
 * and conversions of the
 * stored tree and the type of its column with what mvlint resolved: in the catalog that introspection makes of the database, or in a
 * replayed one.
 */
export async function judgeTypes(ask: Ask, major: number, seed: number, wanted: number, replayed?: Catalog): Promise<Figures> {
  for (const statement of schema) await ask(statement);
  const catalog: Catalog = replayed ?? Object.assign(await introspect(ask), { postgres: major });
  const names = await namesOf(ask);
  const generator = new Generator(seed, major);
  const judged: Judgement[] = [];
  const seen = new Set<string>();
  let [asked, refused] = [0, 0];
  while (judged.length < wanted && asked < wanted * 20) {
    const generated = generator.next();
    if (seen.has(generated.query)) continue;
    seen.add(generated.query);
    asked += 1;
    try {
      await ask(`create or replace view q as ${generated.query}`);
    } catch {
      refused += 1;
      continue;
    }
    const [row] = await ask(`select format_type(a.atttypid, a.atttypmod) as type, r.ev_action::text as tree from pg_attribute a
      join pg_rewrite r on r.ev_class = a.attrelid where a.attrelid = 'q'::regclass and a.attnum = 1`);
    judged.push(judge(generated, catalog, names, String(row!['type']), storedIn(String(row!['tree']))));
    await ask('drop view q');
  }
  return { asked, refused, judged };
}
