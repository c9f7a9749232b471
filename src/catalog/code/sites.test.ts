import { expect, test } from 'vitest';
import type { Catalog } from '../../model.ts';
import { memoryFiles } from '../../read/files.ts';
import { readHistories } from '../../read/read.ts';
import { replay } from '../replay.ts';

function end(...texts: readonly string[]): Catalog {
  const files = Object.fromEntries(texts.map((text, at) => [`db/00${at}.sql`, text]));
  const [history] = readHistories(memoryFiles(files), { tool: 'psql' }).histories;
  const run = replay(history!, { role: 'postgres' });
  for (let next = run.next(); ; next = run.next()) if (next.done) return next.value;
}

/** `holder refreshes view`, with `!` for CONCURRENTLY. */
const sites = (...texts: readonly string[]): readonly string[] => end(...texts).sites
  .map(({ holder, by, target, concurrently }) => `${by}: ${holder} ${target.schema === undefined ? '' : `${target.schema}.`}${target.name}${concurrently ? '!' : ''}`);

const one = `create function refresh_one(name text, gently boolean default false) returns void language plpgsql as $$
begin
  if gently then execute format('refresh materialized view concurrently %I', name);
  else execute format('refresh materialized view %I', name); end if;
end $$;`;
const nightly = `create function nightly() returns void language plpgsql as $$ begin perform refresh_one('mv'); perform refresh_one('other', gently => true); end $$;`;

test('what a routine hands to one that refreshes is its own site', () => {
  expect(sites(one)).toEqual([]);
  expect(sites(one, nightly)).toEqual(['routine: function nightly() mv', 'routine: function nightly() other!']);
  expect(sites(nightly, one)).toEqual(['routine: function nightly() mv', 'routine: function nightly() other!']);
  expect(sites(one, "create function nightly() returns void language sql as $$ select refresh_one('mv', true) $$;")).toEqual(['routine: function nightly() mv!']);
  expect(sites(one, "create procedure nightly() language plpgsql as $$ begin call outer_one('mv'); end $$;",
    'create procedure outer_one(n text) language plpgsql as $$ begin perform refresh_one(n); end $$;')).toEqual(['routine: procedure nightly() mv']);
  expect(sites(one, nightly, one.replace('create function', 'create or replace function').replaceAll(/execute [^;]*;/g, 'null;'))).toEqual([]);
});

test('a refresh is what Postgres reads as one', () => {
  const made = (sql: string): readonly string[] => sites(`create function f() returns void language sql as $$ ${sql} $$;`).map(site => site.replace('routine: function f() ', ''));
  expect(made('refresh materialized view mv')).toEqual(['mv']);
  expect(made('REFRESH MATERIALIZED VIEW\n  CONCURRENTLY shop.mv;')).toEqual(['shop.mv!']);
  expect(made('refresh materialized view Shop."Daily Sales"')).toEqual(['shop.Daily Sales']);
  expect(made('refresh materialized view concurrently -- gently\n Daily with data')).toEqual(['daily!']);
  expect(made(`refresh materialized view ${'m'.repeat(70)}`)).toEqual(['m'.repeat(63)]);
  for (const wrong of ['concurrently', 'select', 'a.b.', 'mv mv', 'user.mv', '1mv']) expect(made(`refresh materialized view ${wrong}`)).toEqual([]);
});

test('what a routine refreshes whoever calls it is no site of the caller', () => {
  const fixed = "create function all_of_them(mode text) returns void language plpgsql as $$ begin refresh materialized view mv; end $$;";
  expect(sites(fixed, "create function nightly() returns void language plpgsql as $$ begin perform all_of_them('x'); end $$;")).toEqual(['routine: function all_of_them() mv']);
});

test('names from data, overloads and endless calls make no site', () => {
  const calls = (body: string): string => `create function nightly() returns void language plpgsql as $$ declare r record; begin ${body} end $$;`;
  expect(sites(one, calls('for r in select name from views loop perform refresh_one(r.name); end loop;'))).toEqual([]);
  expect(sites(one, 'create function refresh_one(a int, b boolean) returns void language sql as $$ select 1 $$;', calls("perform refresh_one('mv', true);"))).toEqual([]);
  expect(sites('create function f(n text) returns void language plpgsql as $$ begin perform f(n); perform f(n); execute format(\'refresh materialized view %I\', n); end $$;',
    calls("perform f('mv');"))).toContain('routine: function nightly() mv');
});

test('the texts of variables are followed where they are sure', () => {
  const made = (body: string): readonly string[] => sites(`create function f() returns void language plpgsql as $$ declare v text; n text; begin ${body} end $$;`);
  expect(made("v := 'refresh materialized view ' || quote_ident('mv'); execute v;")).toEqual(['routine: function f() mv']);
  expect(made("foreach n in array array['a', 'b'] loop v := format('refresh materialized view %I', n); execute v; end loop;")).toEqual(['routine: function f() a', 'routine: function f() b']);
  expect(made("if random() > 0.5 then v := 'refresh materialized view a'; else v := 'refresh materialized view b'; end if; execute v;")).toEqual([]);
  expect(made("v := 'refresh materialized view a'; v := 'select 1'; execute v;")).toEqual([]);
});

test('the arguments of a trigger name what its routine refreshes', () => {
  const routine = `create table t (id int); create function refresh_it() returns trigger language plpgsql as $$ begin
    execute format('refresh materialized view concurrently %I', TG_ARGV[0]); return null; end $$;`;
  const trigger = "create trigger changed after insert on t execute function refresh_it('mv');";
  expect(sites(routine, trigger)).toEqual(['trigger: trigger changed mv!']);
  expect(sites(routine, trigger, 'drop trigger changed on t;')).toEqual([]);
  expect(sites(routine, trigger, 'drop table t;')).toEqual([]);
  expect(sites(routine, 'create trigger changed after insert on t execute function refresh_it();')).toEqual([]);
  expect(sites(routine, trigger, 'create or replace function refresh_it() returns trigger language plpgsql as $$ begin return null; end $$;')).toEqual([]);
  expect(sites(routine.replace('TG_ARGV[0]', "TG_TABLE_NAME || '_totals'"), trigger)).toEqual(['trigger: trigger changed t_totals!']);
  expect(sites(one, routine.replace(/execute format.*?;/, "perform refresh_one(tg_argv[0]);"), trigger)).toEqual(['trigger: trigger changed mv']);
});

test('jobs that call a routine with constants', () => {
  expect(sites(one, "select cron.schedule('nightly', '0 3 * * *', $$select refresh_one('mv', true); select 1$$);")).toEqual(['job: job nightly mv!']);
  expect(sites(one, "select cron.schedule('nightly', '0 3 * * *', $$select refresh_one(name) from views$$);")).toEqual([]);
});

test('a site that says what it said before is the same object', () => {
  const kept = end(one, nightly).sites;
  const [first] = kept;
  const history = readHistories(memoryFiles({ 'db/000.sql': one, 'db/001.sql': nightly, 'db/002.sql': one.replace('create function', 'create or replace function') }), { tool: 'psql' }).histories[0]!;
  const runs = [...replay(history, { role: 'postgres' })];
  expect(runs[2]!.end.sites).toEqual(kept);
  expect(runs[2]!.end.sites[0]).toBe(runs[1]!.end.sites[0]);
  expect(first?.span.path).toBe('db/001.sql');
});
