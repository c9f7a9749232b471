import { beforeAll, describe, expect, test } from 'vitest';
import { replayedCatalog, statementOf } from '../../dev/replayed.ts';
import type { Catalog } from '../../model.ts';
import { pgTrickleEligibility, type Mode } from './pg-trickle.ts';

let catalog: Catalog;
beforeAll(async () => {
  catalog = replayedCatalog([
    `create type mood as enum ('sad', 'ok')`,
    'create table o (id bigint primary key, c bigint, n numeric, at timestamptz, d date, m mood, note text)',
    'create table c (id bigint primary key, name text, region text)', 'create table keyless (id bigint, n numeric)',
    'create table secret (id bigint primary key)', 'alter table secret enable row level security',
    'create table parts (id bigint primary key) partition by range (id)', 'create unlogged table fast (id bigint primary key)',
    'create materialized view mv as select id, c from o', 'create view plain as select id, c, n from o', 'create view deep as select id, c from plain',
    'create view today as select id from o where at > now()', 'create view top as select id from o order by id limit 3',
    `create function later(a bigint, t timestamptz default now()) returns bigint language sql immutable as 'select 1::bigint'`,
    `create function rolls(a bigint) returns bigint language sql volatile as 'select 1::bigint'`,
    `create function still(a bigint) returns bigint language sql immutable as 'select 1::bigint'`,
    `create function two(a bigint) returns bigint language sql immutable as 'select 1::bigint'`,
    `create function two(a text) returns bigint language sql volatile as 'select 1::bigint'`,
    ...Array.from({ length: 9 }, (_, at) => `create table s${at} (id bigint primary key)`),
  ]);
});

/** The answer in short: `refused: codes`, `full: codes`, `differential`; hazards in brackets. */
function answer(sql: string, mode: Mode, version?: string): string {
  const { obstacles, hazards, ...rest } = pgTrickleEligibility(statementOf(sql), catalog, { mode, ...(version === undefined ? {} : { version }) });
  const codes = obstacles.map(({ code }) => code).join(', ');
  const head = rest.is === 'eligible' ? rest.mode ?? '' : rest.is === 'unknown' ? `unknown (${rest.because})` : rest.is;
  return `${head}${codes === '' ? '' : `: ${codes}`}${hazards.length === 0 ? '' : ` [${hazards.map(({ code }) => code).join(', ')}]`}`;
}
/** AUTO, DIFFERENTIAL, IMMEDIATE, FULL. */
const all = (sql: string, version?: string): readonly string[] => (['AUTO', 'DIFFERENTIAL', 'IMMEDIATE', 'FULL'] as const).map(mode => answer(sql, mode, version));

describe('incrementally supported (§2.2)', () => {
  test.each([
    'select id, n from o where n > 3', 'select o.id, c.name from o join c on c.id = o.c', 'select o.id, c.id as c_id from o left join c on c.id = o.c',
    'select o.id, c.id as c_id from o right join c on c.id = o.c', 'select o.id, c.id as c_id from o full join c on c.id = o.c', 'select id, c, name from o natural join c',
    'select o.id, c.id as c_id from o join c on c.id > o.c', 'select c, count(*), sum(n) from o group by c', 'select c from o group by c',
    'select c, count(*) from o group by c having count(*) > 2', 'select distinct c from o', 'select id from o union select id from c', 'select id from o union all select id from c',
    'with x as (select id from o) select id from x', 'select id from o where exists (select 1 from c where c.id = o.c)',
    'select id from o where not exists (select 1 from c where c.id = o.c)', 'select id from o where c in (select id from c)', 'select id from o where c not in (select id from c)',
    'select id, row_number() over (partition by c order by id) from o', 'select id, 1 + row_number() over (order by id) as k from o',
    'select c, count(*) filter (where n > 3) from o group by c', `select c, count(distinct n), string_agg(note, ',' order by id) from o group by c`,
    'select c, jsonb_agg(n) from o group by c', 'select distinct on (c) c, id from o', 'select c, d, count(*) from o group by rollup (c, d)',
    'select id from plain', 'select id from deep', 'select id from parts', 'select id from fast',
    'select id from o where n > (select avg(n) from o)', 'select id, (select name from c where c.id = o.c) as name from o', 'select id, m::text as mood from o',
    'select id from o where c = 1 or exists (select 1 from c where c.id = o.c)', 'select id, still(id) as k from o',
  ])('%s', sql => {
    expect(all(sql)).toEqual(['differential', 'differential', 'immediate', 'full']);
  });
});

describe('refused in every mode (§2.2, steps 2, 3, 5, 13, 14)', () => {
  test.each([
    ['select id from o limit 3', 'limit-without-order-by'], ['select id from o offset 3', 'limit-without-order-by'], ['select id from o fetch first 3 rows only', 'limit-without-order-by'],
    ['select id from o order by id offset 3', 'offset-without-limit'], ['select id from o order by id limit 1 + 2', 'limit-not-constant'],
    ['select id from o order by id limit (select 3)', 'limit-not-constant'], ['select id from o union select id from c order by id limit 3', 'limit-on-set-operation'],
    ['select id from o order by id limit 0', 'limit-zero'], ['select 1 as one', 'no-relation'], ['select id, id from o', 'duplicate-column'], ['select from o', 'no-columns'],
    ['select 1 as one, count(*) from o group by cube (id, c, n, at, d, m, note)', 'grouping-sets'],
  ])('%s', (sql, code) => {
    expect(all(sql)).toEqual([`refused: ${code}`, `refused: ${code}`, `refused: ${code}`, `refused: ${code}`]);
  });
  test('an OR of many arms with sub-queries', () => {
    const arms = Array.from({ length: 17 }, (_, at) => `exists (select 1 from c where c.id = ${at})`).join(' or ');
    expect(answer(`select id from o where ${arms}`, 'AUTO')).toBe('refused: or-branches');
    expect(answer(`select id from o where ${arms.split(' or ').slice(1).join(' or ')}`, 'AUTO')).toBe('differential');
  });
  test('LIMIT 0 was taken by 0.67', () => expect(answer('select id from o order by id limit 0', 'AUTO', '0.67.0')).toBe('topk'));
});

describe('FULL only: AUTO falls back, the incremental modes refuse (§2.2)', () => {
  test.each([
    ['select id from o except select id from c', 'set-operation'], ['select id from o intersect all select id from c', 'set-operation'],
    ['select x.id from (select id from o except select id from c) x', 'set-operation'],
    ['select id from o where at > now()', 'stable-expression'], ['select id, current_date as today from o', 'stable-expression'],
    ['select id, at::date as day from o', 'stable-expression'], [`select id, date_trunc('day', at) as day from o`, 'stable-expression'], ['select id, random() as r from o', 'volatile-expression'],
    ['select id, rolls(id) as k from o', 'volatile-expression'], ['select id, later(id) as k from o', 'stable-expression'], ['select id from today', 'stable-expression'],
    ['select id from secret', 'row-security'], ['select id from mv', 'matview-source'], ['select x.id from (select id from mv) x', 'matview-source'],
    ['select range_agg(int8range(id, id + 1)) as r from o', 'aggregate'], ['select id from o where n > all (select id from c)', 'all-sub-query'],
    ['select id, array(select name from c) as names from o', 'array-sub-query'], ['select id from o where note = (select name from c where c.id = o.c)', 'correlated-sub-query'],
    ['select x.id from (select id from o order by id limit 3) x', 'nested-limit'], ['with x as (select id from o order by id limit 3) select id from x', 'nested-limit'],
    ['select id from top', 'nested-limit'], ['select o.id, v.k from o, (values (1), (2)) v(k)', 'values'],
    ['select id from o where (c, note) not in (select id, name from c)', 'row-in'], ['select x.k from (select id, row_number() over (order by id) as k from o) x', 'nested-window'],
  ])('%s', (sql, code) => {
    expect(all(sql)).toEqual([`full: ${code}`, `refused: ${code}`, `refused: ${code}`, 'full']);
  });
  test('the check of materialized views does not look into WITH', () => expect(answer('with x as (select id from mv) select id from x', 'AUTO')).toBe('differential'));
  test('LATERAL needs the primary key of the outer side in the output', () => {
    const body = '(select c.name from c where c.id = o.c)';
    expect(all(`select o.id, l.name from o, lateral ${body} l`)).toEqual(['differential', 'differential', 'refused: lateral-immediate', 'full']);
    expect(answer(`select o.n, l.name from o, lateral ${body} l`, 'AUTO')).toBe('full: lateral-identity');
    expect(answer('select k.id, l.name from keyless k, lateral (select c.name from c where c.id = k.id) l', 'AUTO')).toBe('full: lateral-identity [no-primary-key]');
  });
  test('SEARCH and CYCLE', () => {
    const sql = 'with recursive r(id) as (select id from o union all select o.id from o, r where o.c = r.id) search depth first by id set s select id from r';
    expect(answer(sql, 'AUTO')).toBe('full: search-or-cycle [recursive-immediate]');
    expect(answer(sql.replace(' search depth first by id set s', ''), 'AUTO')).toBe('differential [recursive-immediate]');
  });
});

describe('taken by AUTO alone, as FULL (§2.2)', () => {
  test.each([['select id from o tablesample system (10)', 'tablesample'], ['select id from o for update', 'row-lock']])('%s', (sql, code) => {
    expect(all(sql)).toEqual([`full: ${code}`, `refused: ${code}`, `refused: ${code}`, `refused: ${code}`]);
  });
});

describe('TopK and ORDER BY (§2.2, §2.3)', () => {
  test('ORDER BY with a constant LIMIT is TopK', () => expect(all('select id from o order by n limit 10')).toEqual(['topk', 'topk', 'topk', 'full']));
  test('IMMEDIATE keeps a thousand rows', () => expect(all('select id from o order by n limit 2000')).toEqual(['topk', 'topk', 'refused: topk-too-large', 'full']));
  test('the gate of volatility holds for TopK', () => expect(answer('select id from o where at > now() order by n limit 10', 'AUTO')).toBe('full: stable-expression'));
  test('ORDER BY alone is dropped', () => expect(all('select id from o order by n')).toEqual(['differential [order-by-dropped]', 'differential [order-by-dropped]', 'immediate [order-by-dropped]', 'full [order-by-dropped]']));
});

describe('taken and worth a word (§2.2 runtime fallbacks, §2.5)', () => {
  test.each([
    ['select id from keyless', 'no-primary-key'], ['select c, sum(case when note in (\'a\', \'b\') then n end) from o group by c', 'case-in-list'],
    ['select id from o where n > (select avg(n) from o i where i.c = o.c)', 'correlated-aggregate'],
    ['select c, sum(case when exists (select 1 from c) then n end) from o group by c', 'sub-query-in-aggregate'],
    ['select s0.id from s0, s1, s2, s3, s4, s5, s6, s7, s8', 'many-sources'],
  ])('%s', (sql, code) => expect(answer(sql, 'AUTO')).toBe(`differential [${code}]`));
  test('eight sources are joined', () => expect(answer('select s0.id from s0, s1, s2, s3, s4, s5, s6, s7', 'AUTO')).toBe('differential'));
});

describe('versions (§2 head, §2.4)', () => {
  const stable = 'select id from o where at > now()';
  test('0.67 warns of STABLE, 0.83 and later compute anew', () => {
    expect(all(stable, '0.67.0')).toEqual(['differential [stable-expression]', 'differential [stable-expression]', 'immediate [stable-expression]', 'full [stable-expression]']);
    expect(answer(stable, 'AUTO', '0.83')).toBe('full: stable-expression');
    expect(answer(stable, 'AUTO', '0.75')).toContain('unknown (the rule of volatility');
  });
  test('0.67 refuses VOLATILE under AUTO too', () => expect(all('select id, random() as r from o', '0.67')).toEqual(['refused: volatile-expression', 'refused: volatile-expression', 'refused: volatile-expression', 'full']));
  test('0.67 looks at names alone: the worst overload counts, casts do not', () => {
    expect(answer('select id, two(id) as k from o', 'AUTO', '0.67')).toBe('refused: volatile-expression');
    expect(answer('select id, two(id) as k from o', 'AUTO')).toBe('differential');
    expect(answer('select id, at::date as day from o', 'AUTO', '0.67')).toBe('differential');
    expect(answer('select id, later(id) as k from o', 'AUTO', '0.67')).toBe('differential');
  });
});

describe('what is not known is never eligible', () => {
  test.each([
    ['select id from nowhere', 'the relation nowhere'], ['select mystery(id) as k from o', 'which function mystery() is'],
    ['select id from o where case when c > 1 then exists (select 1 from c) end', 'whether pg_trickle takes EXISTS or IN apart where it stands'],
  ])('%s', (sql, because) => expect(answer(sql, 'AUTO')).toBe(`unknown (${because})`));
});

test('the evidence leads from the view beneath to the place in the query', () => {
  const { obstacles } = pgTrickleEligibility(statementOf('select t.id from today as t'), catalog);
  expect(obstacles.map(({ evidence }) => evidence.map(({ span, says }) => `${span.path} ${says}`))).toEqual([['db/001.sql now() is stable', 'q.sql reads the view today']]);
});
