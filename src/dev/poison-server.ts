import type pg from 'pg';
import type { Matview } from '../model.ts';
import { factsOf } from '../query/facts.ts';
import type { Cause } from './poison-causes.ts';
import { PoisonGenerator, type Planted } from './poison-generator.ts';
import { catalogOf, differing, judge, snapshot, type Database, type Figures, type Judged } from './poison-oracle.ts';
import { withServer } from './server.ts';

/** What one process cannot show: plans of several workers, and sessions of their own. */
const schema: readonly string[] = [
  'create table bulk (id int primary key, grp int not null, f double precision not null, v int not null, note text not null)',
  "insert into bulk select g, g % 20, (g * 7919 % 1009 - 504) / 7.0 * 10.0 ^ (g % 9), g, 'note ' || g from generate_series(1, 60000) g",
  'create table few (id int primary key)',
  'insert into few select generate_series(1, 50)',
  'create sequence cached cache 20',
];

interface Shape {
  readonly query: string;
  readonly a?: Cause;
  readonly rows?: Cause;
  /** No plan of several workers is asked for: functions may stand around it. */
  readonly session?: true;
}

const grouped = (x: string, a?: Cause): Shape => ({ query: `select grp::text as k, (${x})::text as a, 'x' as b from bulk group by grp`, ...(a === undefined ? {} : { a }) });
const shapes: readonly Shape[] = [
  grouped('sum(f)', 'float sum'), grouped('avg(f)', 'float sum'), grouped('stddev(f)', 'float sum'), grouped('array_agg(id)', 'order of an aggregate'),
  grouped("string_agg(note, ',')", 'order of an aggregate'), grouped('jsonb_agg(v)', 'order of an aggregate'), grouped('sum(v)'), grouped('avg(v)'), grouped('count(*)'), grouped('max(note)'),
  grouped('array_agg(id order by id)'), grouped("string_agg(note, ',' order by v, id)"),
  { query: "select id::text as k, number::text as a, 'x' as b from (select id, row_number() over () as number from bulk) q where id % 50 = 0", a: 'pick by order' },
  { query: "select id::text as k, number::text as a, 'x' as b from (select id, row_number() over (order by id) as number from bulk) q where id % 50 = 0" },
  { query: "select id::text as k, note as a, 'x' as b from bulk where v % 2 = 0 offset 29300", rows: 'rows by order' },
  { query: "select id::text as k, note as a, 'x' as b from bulk where v % 2 = 0 order by id offset 29300" },
  { query: "select id::text as k, pg_backend_pid()::text as a, 'x' as b from few", a: 'backend', session: true },
  { query: "select id::text as k, md5(pg_backend_pid()::text || id) as a, 'x' as b from few", a: 'backend', session: true },
  { query: "select id::text as k, nextval('cached')::text as a, 'x' as b from few", a: 'sequence', session: true },
];

/** Several workers, whatever the planner thinks of them. */
const parallel = 'set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0; set max_parallel_workers_per_gather = 4; set enable_indexscan = off; set enable_bitmapscan = off';
const tries = 6;

const over = (client: pg.Client): Database => ({
  exec: async sql => { await client.query(sql); },
  rows: async sql => (await client.query<Record<string, string | null>>(sql)).rows,
});

/** The same comparison on a real server: refreshes of views under plans of several workers, and from another session. */
export async function judgeOnServer(major: number, seed: number, count: number): Promise<Figures> {
  return await withServer(major, async server => {
    const [one, two] = [over(await server.connect()), over(await server.connect())];
    for (const sql of [...schema, 'analyze', parallel]) await one.exec(sql);
    const generator = new PoisonGenerator(seed);
    const judged: Judged[] = [];
    const depths: number[] = [];
    for (let at = 0; at < count; at += 1) {
      const shape = shapes[at % shapes.length]!;
      const planted: Planted = { k: 'steady', a: shape.a ?? 'steady', b: 'steady', rows: shape.rows ?? 'steady', key: 'steady' };
      const made = generator.around(shape.query, planted, shape.session === true ? undefined : ['cte', 'cte kept', 'sub', 'view', 'ordered', 'lateral', 'view over a CTE']);
      for (const sql of [...made.setup, `create materialized view q as ${made.query}`, ...made.indexes]) await one.exec(sql);
      const refresh = async (db: Database): ReturnType<typeof snapshot> => {
        for (const name of [...made.beneath, 'q']) await db.exec(`refresh materialized view ${name === 'q' ? 'concurrently q' : name}`);
        return await snapshot(db);
      };
      const first = await refresh(one);
      const seen = new Set<'k' | 'a' | 'b' | 'rows' | 'key'>();
      for (let turn = 0; turn < (shape.session === true ? 1 : tries) && seen.size === 0; turn += 1) for (const target of differing(first, await refresh(one), 'k')) seen.add(target);
      // The rows did not move, and yet came in another order.
      const stages = shape.session === true ? new Map([['again', seen] as const, ['backend', differing(await refresh(one), await refresh(two), 'k')] as const]) : new Map([['moved', seen] as const]);
      const catalog = catalogOf([...schema, ...made.setup, `create materialized view q as ${made.query}`, ...made.indexes]);
      const found = catalog.find({ name: 'q' });
      if (found.is !== 'present') throw new Error(`not replayed: ${made.query}`);
      judged.push(...judge(made, factsOf(found.object as Matview, catalog), stages));
      await one.exec(['drop materialized view q', ...made.setup.map(sql => /create (materialized view|view|function) (\w+)/.exec(sql)!).reverse()
        .map(([, kind, name]) => `drop ${kind} if exists ${name} cascade`)].join(';'));
      depths[made.depth] = (depths[made.depth] ?? 0) + 1;
    }
    return { judged, views: count, depths, refused: [] };
  }, { settings: { max_worker_processes: '8', max_parallel_workers: '8' } });
}
