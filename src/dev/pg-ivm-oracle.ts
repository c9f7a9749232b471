import { PGlite } from '@electric-sql/pglite';
import { pg_ivm as pgIvm } from '@electric-sql/pglite-pg_ivm';
import type { Store } from '../catalog/store.ts';
import { introspect } from '../live/introspect.ts';
import type { Eligibility, Obstacle, Query } from '../model.ts';
import { breaksWrites, showsSometimes } from '../query/incremental/pg-ivm-hazards.ts';
import type { PgIvmCode } from '../query/incremental/pg-ivm-obstacles.ts';
import { pgIvmEligibility } from '../query/incremental/pg-ivm.ts';
import { Generator } from './pg-ivm-generator.ts';
import { rows, schema, writes } from './pg-ivm-schema.ts';
import { statementOf } from './replayed.ts';

/** What the extension did with one query. */
export interface Seen {
  /** Its message and hint; absent when it took the query. */
  readonly refusal?: Reason;
  /** Writes to its sources that were refused, and what it held another content than the query after. */
  readonly broken: readonly string[];
  readonly falsified: readonly string[];
  /** The columns of its unique index. */
  readonly index?: readonly string[];
}

export interface Reason {
  readonly message: string;
  readonly hint: string;
}

export interface Judged {
  readonly query: string;
  readonly said: Eligibility;
  readonly seen: Seen;
  readonly verdict: 'equal' | 'unknown' | 'wrong verdict' | 'other reason' | 'wrong hazard' | 'other index';
  readonly because: string;
}

export interface Figures {
  readonly judged: readonly Judged[];
  /** Queries that Postgres does not even analyse. */
  readonly refusedByPostgres: number;
}

/** One PGlite with the extension and the schema, and the catalog that introspection makes of it. */
export interface Bench {
  readonly db: PGlite;
  readonly catalog: Store;
}

export async function openBench(): Promise<Bench> {
  const db = await PGlite.create({ extensions: { pg_ivm: pgIvm } });
  await db.exec('create extension pg_ivm');
  for (const statement of [...schema, ...rows]) await db.exec(statement);
  await db.exec(`select pgivm.create_immv('kept', 'select id, name from customers where id < 100')`);
  const catalog = Object.assign(await introspect(async sql => (await db.query<Record<string, unknown>>(sql)).rows),
    { postgres: 18 }) as Store;
  // Introspection leaves the temporary schema out, where no migration's table is.
  const model = catalog.find({ name: 'scratch' });
  if (model.is === 'present' && model.object.kind === 'table') {
    catalog.put({ ...model.object, id: catalog.newId(), name: { schema: 'public', name: 'passing' }, persistence: 'temporary',
      constraints: [] });
  }
  const kept = catalog.find({ name: 'kept' });
  if (kept.is === 'present' && kept.object.kind === 'table') {
    catalog.put({ ...kept.object, maintenance: { engine: 'pg_ivm', query: {} as Query, options: new Map(), filled: true } });
  }
  return { db, catalog };
}

async function attempt(db: PGlite, sql: string): Promise<Reason | undefined> {
  try {
    await db.exec(sql);
    return undefined;
  } catch (error) {
    const { message, hint } = error as { readonly message: string; readonly hint?: string };
    return { message, hint: hint ?? '' };
  }
}

/** Whether Postgres analyses the query at all: PREPARE does, and refuses nothing that only a materialized view may not hold. */
async function analyses(db: PGlite, query: string): Promise<boolean> {
  const refusal = await attempt(db, `begin; prepare mvlint_q as ${query}`);
  await db.exec('rollback; deallocate all');
  return refusal === undefined;
}

const dollar = (text: string): string => `$mvlint$${text}$mvlint$`;

/** Makes the IMMV and writes to its sources; everything is rolled back. */
export async function tryOut({ db }: Bench, query: string, sources: readonly string[]): Promise<Seen> {
  await db.exec('begin');
  try {
    const refusal = await attempt(db, `select pgivm.create_immv('mvlint_immv', ${dollar(query)})`);
    if (refusal !== undefined) return { refusal, broken: [], falsified: [] };
    const { rows: indexed } = await db.query<{ columns: string[] }>(`select array(select a.attname::text from unnest(i.indkey::int2[]) with ordinality k(num, at)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num order by k.at) as columns from pg_index i where i.indrelid = 'mvlint_immv'::regclass`);
    // What holds json cannot be compared but as text.
    const { rows: named } = await db.query<{ name: string; value: string }>(`select quote_ident(attname) as name,
      quote_ident(attname) || case when format_type(atttypid, -1) in ('json[]', 'dossier') then '::text' else '' end as value from pg_attribute where attrelid = 'mvlint_immv'::regclass and attnum > 0 and attname not like '\\_\\_ivm\\_%' order by attnum`);
    const columns = named.map(({ name }) => name).join(', ');
    const values = named.map(({ value }) => value).join(', ');
    const [broken, falsified]: [string[], string[]] = [[], []];
    for (const source of sources) {
      for (const write of writes[source] ?? []) {
        const failed = await attempt(db, `savepoint w; ${write}`);
        if (failed !== undefined) {
          await db.exec('rollback to w');
          broken.push(`${write.slice(0, 40)}: ${failed.message}`);
          continue;
        }
        const [held, fresh] = [`select ${values} from mvlint_immv`, `select ${values} from (${query}) q(${columns})`];
        const { rows: [same] } =
          await db.query<{ same: boolean }>(`select not exists ((${held} except all ${fresh}) union all (${fresh} except all ${held})) as same`);
        if (same?.same !== true) falsified.push(write.slice(0, 60));
        await db.exec('release w');
      }
    }
    return { broken, falsified, index: indexed[0]?.columns ?? [] };
  } finally {
    await db.exec('rollback');
  }
}

const reasonOf = ({ message = '', hint = '' }: Obstacle): Reason => ({ message, hint });
const text = ({ message, hint }: Reason): string => (hint === '' ? message : `${message} / ${hint}`);

/** The extension prints some reasons with names of its own in them; what is compared is what it says of the query. */
function sameReason(said: Obstacle, seen: Reason): boolean {
  const own = reasonOf(said);
  if (own.message !== seen.message) return false;
  return seen.message.startsWith('this query is not allowed') ? own.hint === seen.hint : true;
}

function judge(query: string, said: Eligibility, seen: Seen): Judged {
  const base = { query, said, seen };
  const [first] = said.obstacles;
  if (said.is === 'unknown') return { ...base, verdict: 'unknown', because: said.because };
  if (seen.refusal !== undefined) {
    // Rows that are there already collide as soon as the index is made.
    const collides = seen.refusal.message.startsWith('could not create unique index')
      && said.hazards.some(({ code }) => code === 'set-returning-column');
    if (collides) return { ...base, verdict: 'equal', because: '' };
    if (first === undefined) return { ...base, verdict: 'wrong verdict', because: `refused: ${text(seen.refusal)}` };
    return sameReason(first, seen.refusal) ? { ...base, verdict: 'equal', because: '' }
      : { ...base, verdict: 'other reason', because: `said ${first.code}; seen ${text(seen.refusal)}` };
  }
  if (first !== undefined) return { ...base, verdict: 'wrong verdict', because: `accepted; said ${first.code}` };
  // An EXISTS or a condition that no row meets keeps a write from coming that far.
  const isFiltered = / where /i.test(query);
  const surely = !isFiltered && said.hazards.some(({ code }) => breaksWrites.has(code) && !showsSometimes.has(code));
  const sometimes = said.hazards.length > 0 && !surely;
  if (surely && seen.broken.length === 0) return { ...base, verdict: 'wrong hazard',
    because: `no write broke; said ${said.hazards.map(({ code }) => code).join()}` };
  if (!surely && !sometimes && seen.broken.length > 0) return { ...base, verdict: 'wrong hazard',
    because: `a write broke: ${seen.broken[0]}` };
  if (!surely && !sometimes && seen.falsified.length > 0) return { ...base, verdict: 'wrong hazard',
    because: `the content differs after: ${seen.falsified[0]}` };
  const index = said.index === undefined ? undefined : JSON.stringify([...said.index as readonly string[]].sort());
  if (index !== JSON.stringify([...seen.index ?? []].sort())) return { ...base, verdict: 'other index',
    because: `said ${index}; seen ${JSON.stringify(seen.index)}` };
  return { ...base, verdict: 'equal', because: '' };
}

/** What PREPARE refuses by itself, and the extension's own way through the analysis too: told of a query, it is compared all the same. */
const beforeAnalysis: ReadonlySet<string> = new Set<PgIvmCode>(['not-a-select', 'select-into', 'no-equality']);

/** Judges one query; undefined when Postgres does not analyse it. */
export async function judgeQuery(bench: Bench, query: string): Promise<Judged | undefined> {
  const said = pgIvmEligibility(statementOf(query), bench.catalog);
  if (!beforeAnalysis.has(said.obstacles[0]?.code ?? '') && !await analyses(bench.db, query)) return undefined;
  const sources = Object.keys(writes).filter(name => new RegExp(`(^|[^\\w".])${name}([^\\w"]|$)`).test(query));
  return judge(query, said, await tryOut(bench, query, sources));
}

/**
 * Generates distinct queries until `wanted` of them were analysed by Postgres, and compares what mvlint says of each with what pg_ivm does.
 */
export async function judgeMany(bench: Bench, generator: Generator, wanted: number, progress?: (done: number) => void): Promise<Figures> {
  const seen = new Set<string>();
  const judged: Judged[] = [];
  let refusedByPostgres = 0;
  while (judged.length < wanted && seen.size < wanted * 20) {
    const query = generator.next();
    if (seen.has(query)) continue;
    seen.add(query);
    const one = await judgeQuery(bench, query);
    if (one === undefined) refusedByPostgres += 1;
    else judged.push(one);
    if (one !== undefined && judged.length % 500 === 0) progress?.(judged.length);
  }
  return { judged, refusedByPostgres };
}
