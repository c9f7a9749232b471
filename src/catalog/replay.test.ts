import { expect, test } from 'vitest';
import type { Catalog, History, Migration, Relation, Unit } from '../model.ts';
import { memoryFiles } from '../read/files.ts';
import { readHistories } from '../read/read.ts';
import { replay, type ReplayedMigration } from './replay.ts';

/** A plain history of numbered files, the texts in order. */
function history(...texts: string[]): History {
  const files = Object.fromEntries(texts.map((text, at) => [`db/${String(at + 1).padStart(3, '0')}.sql`, text]));
  const { histories } = readHistories(memoryFiles(files), { tool: 'psql' });
  return histories[0]!;
}

/** The same history as another tool would send it. */
function sent(base: History, unit: Partial<Unit>): History {
  const migrations: Migration[] = base.migrations.map(migration => ({
    ...migration, up: migration.up.map(old => ({ ...old, ...unit, scopeId: migration.id })),
  }));
  return { ...base, tool: 'golang-migrate', migrations };
}

function run(base: History): { readonly end: Catalog; readonly runs: readonly ReplayedMigration[]; readonly refusals: readonly (string | undefined)[] } {
  const runs: ReplayedMigration[] = [];
  const replayed = replay(base, { role: 'postgres' });
  for (let next = replayed.next(); ; next = replayed.next()) {
    if (next.done) return { end: next.value, runs, refusals: runs.flatMap(each => each.steps.map(step => step.refusal?.sqlstate)) };
    runs.push(next.value);
  }
}

function relation(catalog: Catalog, name: string): Relation | undefined {
  const found = catalog.find({ name });
  return found.is === 'present' ? found.object : undefined;
}

const table = 'create table t (id bigint primary key, k int);';
const view = `${table} create materialized view mv as select id, k from t;`;

test('a name that the history dropped is absent, one it never made is unknown', () => {
  const { end } = run(history(table, 'drop table t;'));
  expect(end.find({ name: 't' }).is).toBe('absent');
  expect(end.find({ name: 'u' }).is).toBe('unknown');
});

test('identity survives a rename, dependants follow it', () => {
  const { end, runs } = run(history(view, 'alter materialized view mv rename to mv_old;'));
  const before = runs[0]!.end.find({ name: 'mv' });
  expect(before.is === 'present' && relation(end, 'mv_old')?.id === before.object.id).toBe(true);
  expect(end.dependants(relation(end, 't')!.id).map(link => link.dependent)).toContain(relation(end, 'mv_old')!.id);
});

test('a BEGIN ATOMIC body and a policy hold on to what they read; a string body does not', () => {
  const { end } = run(history(view, `create function total() returns bigint begin atomic select sum(k) from mv; end;
    create function also() returns bigint return (select count(*) from mv);
    create function later() returns bigint language sql as 'select sum(k) from mv';
    create policy seen on t using (k in (select k from mv));`));
  const holders = end.dependants(relation(end, 'mv')!.id).filter(link => link.strength === 'normal').map(link => end.get(link.dependent)!);
  expect(holders.map(object => (typeof object.name === 'string' ? object.name : object.name.name)).sort()).toEqual(['also', 'seen', 'total']);
});

test('a trigger is an effect, with the routine it runs', () => {
  const { runs } = run(history(`${table} create function f() returns trigger language plpgsql as $$ begin return null; end $$;
    create trigger changed after insert on t execute function f();`));
  const made = runs[0]!.steps.flatMap(step => step.effects).flatMap(effect => (effect.kind === 'createTrigger' ? [effect.trigger] : []));
  expect(made.map(trigger => [trigger.name, runs[0]!.end.get(trigger.on)?.name, typeof trigger.routine])).toEqual([['changed', { schema: 'public', name: 't' }, 'number']]);
});

test('REFRESH runs as the owner: 42501 when the owner surely may not read a source', () => {
  const owned = (rights: string): History => history(`create role app; create role staff; ${view} alter materialized view mv owner to app; ${rights}`, 'refresh materialized view mv;');
  const after = (rights: string): readonly string[] => run(owned(rights)).refusals.flatMap(code => code ?? []);
  expect(after('')).toEqual(['42501']);
  expect(after('grant select on t to public;')).toEqual([]);
  expect(after('grant select (id) on t to app;')).toEqual(['42501']);
  expect(after('grant select (id, k) on t to app;')).toEqual([]);
  expect(after('grant staff to app;')).toEqual([]);
  expect(after('grant staff to app; revoke staff from app;')).toEqual(['42501']);
  expect(after('alter role app superuser;')).toEqual([]);
  expect(after('alter table t owner to app;')).toEqual([]);
  expect(run(history('create role boss; create role app in role boss;', `${view} alter materialized view mv owner to app; refresh materialized view mv;`)).refusals.filter(Boolean)).toEqual([]);
  expect(run(history(`${view} alter materialized view mv owner to nobody_knows; refresh materialized view mv;`)).refusals.filter(Boolean)).toEqual([]);
});

test('renaming a schema renames what stands in it', () => {
  const { runs } = run(history('create schema live; create table live.t (id bigint primary key);', 'alter schema live rename to old;'));
  const renamed = runs[1]!.steps.flatMap(step => step.effects).flatMap(effect => (effect.kind === 'renameRelation' ? [effect.to.name] : []));
  expect(renamed).toEqual([{ schema: 'old', name: 't' }, { schema: 'old', name: 't_pkey' }]);
});

test('an old catalog stays as it was', () => {
  const { runs } = run(history(view, 'drop materialized view mv;'));
  expect(relation(runs[0]!.end, 'mv')?.kind).toBe('matview');
  expect(relation(runs[1]!.end, 'mv')).toBeUndefined();
});

test('what ROLLBACK undid never reaches the steps; what a savepoint kept does', () => {
  const { end, runs } = run(history(view, `begin; drop materialized view mv; rollback;
    begin; create table a (x int); savepoint s; create table b (x int); rollback to s; create table c (x int); commit;`));
  expect(relation(end, 'mv')?.kind).toBe('matview');
  expect([relation(end, 'a')?.kind, relation(end, 'b')?.kind, relation(end, 'c')?.kind]).toEqual(['table', undefined, 'table']);
  const made = runs[1]!.steps.flatMap(step => step.effects).flatMap(effect => (effect.kind === 'createTable' ? [effect.table.name.name] : []));
  expect(made).toEqual(['a', 'c']);
  expect(runs[1]!.steps.flatMap(step => step.effects).some(effect => effect.kind === 'dropObject')).toBe(false);
});

test('a refusal aborts its transaction, the rest of it is 25P02, and the refused step is kept', () => {
  const { end, refusals } = run(history(view, 'begin; create table a (x int); refresh materialized view concurrently mv; create table b (x int); commit; create table c (x int);'));
  expect(refusals.filter(Boolean)).toEqual(['55000', '25P02']);
  expect([relation(end, 'a'), relation(end, 'b'), relation(end, 'c')?.kind]).toEqual([undefined, undefined, 'table']);
});

test('a string of several commands is one transaction: a refusal undoes all of it', () => {
  const base = sent(history(view, 'create table a (x int); refresh materialized view concurrently mv;'), { scope: 'none', protocol: 'simple-string' });
  expect(relation(run(base).end, 'a')).toBeUndefined();
});

test('CREATE INDEX CONCURRENTLY: refused in a block and in a string of several commands, allowed alone', () => {
  const alone = history(table, 'create index concurrently i on t (k);');
  const two = history(table, 'set lock_timeout = 1; create index concurrently i on t (k);');
  expect(run(alone).refusals.filter(Boolean)).toEqual([]);
  expect(run(two).refusals.filter(Boolean)).toEqual([]);
  expect(run(sent(alone, { scope: 'migration', protocol: 'single' })).refusals.filter(Boolean)).toEqual(['25001']);
  expect(run(sent(two, { scope: 'none', protocol: 'simple-string' })).refusals.filter(Boolean)).toEqual(['25001']);
  expect(run(sent(alone, { scope: 'none', protocol: 'simple-string' })).refusals.filter(Boolean)).toEqual([]);
});

test('SET LOCAL ends with its transaction, SET goes on', () => {
  const { runs } = run(history("begin; set local lock_timeout = '1s'; set statement_timeout = '2s'; commit; select 1;"));
  const last = runs[0]!.steps.at(-1)!.after.session.parameters;
  expect([last.get('lock_timeout'), last.get('statement_timeout')]).toEqual([undefined, '2s']);
});

test('search_path decides where names go and are found; it does not leak between psql files', () => {
  const { end } = run(history('create schema app; set search_path = app; create table t (id int);', 'create table t (id int);'));
  expect([end.find({ schema: 'app', name: 't' }).is, end.find({ schema: 'public', name: 't' }).is]).toEqual(['present', 'present']);
});

test('a routine that refreshes is a site, also in EXECUTE; words in comments and messages are none', () => {
  const { end } = run(history(`${view} create function f() returns void language plpgsql as $$ begin
    -- refresh materialized view not_this;
    raise notice 'refresh materialized view nor_this';
    refresh materialized view concurrently public.mv;
    execute 'refresh materialized view mv';
  end $$;`));
  expect(end.sites.map(site => [site.target.name, site.concurrently, site.by])).toEqual([['mv', true, 'routine'], ['mv', false, 'routine']]);
});

test('code that is not followed leaves a gap and makes what it names unknown', () => {
  const { end, runs } = run(history(view, "do $$ begin execute current_setting('app.drop') || ' materialized view mv'; end $$;"));
  expect(end.find({ name: 'mv' }).is).toBe('unknown');
  expect(runs[1]!.gaps).toHaveLength(1);
});

test('the labels of an enum follow its changes', () => {
  const { end, refusals } = run(history(`create type e as enum ('a', 'b'); alter type e add value 'c' after 'a'; alter type e rename value 'b' to 'd';
    alter type e add value if not exists 'd'; alter type e add value 'd';`));
  const found = end.findType({ name: 'e' });
  expect(found.is === 'present' && found.object.detail).toEqual(['a', 'c', 'd']);
  expect(refusals.at(-1)).toBe('42710');
});

test('a statement that is not SQL is one gap, the rest goes on', () => {
  const { end, runs } = run(history(`${table} create tabel x; create table y (id int);`));
  expect(relation(end, 'y')?.kind).toBe('table');
  expect(runs[0]!.gaps).toHaveLength(1);
});

test('three thousand migrations are replayed in one pass', () => {
  const texts = Array.from({ length: 3000 }, (_, at) => `create table t${at} (id bigint primary key);`);
  const { end } = run(history(...texts));
  expect(relation(end, 't2999')?.kind).toBe('table');
});

test('what a refused CREATE would have made is not there', () => {
  const { refusals, end } = run(history(
    'create table t (id int); create schema build; drop table t;',
    'create materialized view build.mv as select id from t;',
    'alter materialized view build.mv set schema public;',
    'create table if not exists other as select 1 as a from t;', 'comment on table other is null;',
  ));
  expect(refusals.filter(state => state !== undefined)).toEqual(['42P01', '42P01', '42P01']);
  expect(end.find({ schema: 'build', name: 'mv' }).is).toBe('absent');
  expect(end.find({ name: 'other' }).is).toBe('unknown');
});

test('jobs that are taken off the schedule, however, run no more', () => {
  const begin = `${view} select cron.schedule('nightly', '0 3 * * *', 'refresh materialized view mv'); select cron.schedule('hourly', '0 * * * *', 'refresh materialized view mv');`;
  const left = (sql: string): readonly string[] => run(history(begin, sql)).end.sites.map(site => site.holder);
  expect(left('select 1;')).toEqual(['job nightly', 'job hourly']);
  expect(left("select cron.unschedule('nightly');")).toEqual(['job hourly']);
  expect(left("select cron.unschedule(jobid) from cron.job where jobname = 'nightly';")).toEqual(['job hourly']);
  expect(left("delete from cron.job where jobname = 'nightly';")).toEqual(['job hourly']);
  expect(left("do $$ begin perform cron.unschedule('nightly'); exception when others then null; end $$;")).toEqual(['job hourly']);
  expect(left("do $$ declare j bigint; begin select jobid into j from cron.job where jobname = 'nightly'; perform cron.unschedule(j); end $$;")).toEqual([]);
  expect(left("select cron.alter_job((select jobid from cron.job where jobname = 'nightly'), command := 'select 1');")).toEqual(['job hourly']);
});

test('an index keeps up with a column that gets another name, also in its expressions and its condition', () => {
  const { end } = run(history(`create table t (id int, k int, lower text, "Of" text);
    create index i on t (id, (lower(lower) || "Of"), k) include (lower) where k > 0 and t.k < 9 and "Of" = 'k';
    alter table t rename k to "K"; alter table t rename lower to low; alter table t rename "Of" to of_old;`));
  const found = end.find({ schema: 'public', name: 'i' });
  expect(found.is === 'present' && found.object).toMatchObject({
    columns: [{ column: 'id' }, { expression: 'lower ( low ) || of_old' }, { column: 'K' }], include: ['low'], predicate: `"K" > 0 and t . "K" < 9 and of_old = 'k'`,
  });
});

test('of a name in doubt that several ways made, every candidate follows: none is left behind as sure', () => {
  const branch = `create table flags (raised boolean);
    do $$ begin if exists (select from flags where raised) then create view v as select 1 as a; else create view v as select 2 as b; end if; end $$;`;
  const left = (...statements: string[]): readonly string[] => {
    const { end } = run(history([branch, ...statements].join('\n')));
    return [...end.relations()].filter(({ kind }) => kind === 'view').map(({ id, name }) => `${name.schema}.${name.name}${end.isCertain(id) ? '' : '?'}`).sort();
  };
  expect(left()).toEqual(['public.v?', 'public.v?']);
  expect(left('drop view v;')).toEqual([]);
  expect(left('drop view if exists v cascade;')).toEqual([]);
  expect(left('alter view v rename to w;')).toEqual(['public.w?', 'public.w?']);
  expect(left('create schema s; alter view if exists v set schema s; drop view s.v;')).toEqual([]);
  expect(left('create or replace view v as select 3 as c;')).toEqual(['public.v']);
  expect(left('alter view v rename to w; create view v as select 1;')).toEqual(['public.v', 'public.w?', 'public.w?']);
});

test('a view that replaces another keeps the comments and grants of its columns', () => {
  const { end } = run(history(`create role reader; create table t (a int, b int); create view v as select a, b from t;
    comment on column v.a is 'first'; grant select (b) on v to reader; create or replace view v as select a, b, a + b as c from t;`));
  const found = end.find({ schema: 'public', name: 'v' });
  const columns = found.is === 'present' && found.object.kind === 'view' && !('unknown' in found.object.columns) ? found.object.columns : [];
  expect(columns.map(({ name, comment, grants }) => [name, comment, grants && [...grants.keys()]])).toEqual([['a', 'first', undefined], ['b', undefined, ['reader']], ['c', undefined, undefined]]);
});
