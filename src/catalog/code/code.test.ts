import { expect, test } from 'vitest';
import type { Catalog, Gap, Step } from '../../model.ts';
import { memoryFiles } from '../../read/files.ts';
import { readHistories } from '../../read/read.ts';
import { replay } from '../replay.ts';
import { catches } from './errors.ts';

interface Outcome {
  readonly end: Catalog;
  readonly steps: readonly Step[];
  readonly gaps: readonly Gap[];
  /** present, absent or unknown, by name. */
  is(name: string): string;
  /** What stands in the source where a step's effects of a kind say they happened. */
  places(kind: string): readonly string[];
}

const base = 'create table t (id bigint primary key, k int); create materialized view mv as select id, k from t; create unique index mv_id on mv (id);';

function run(text: string, postgres = 18): Outcome {
  const sources: Record<string, string> = { 'db/001.sql': base, 'db/002.sql': text };
  const history = readHistories(memoryFiles(sources), { tool: 'psql' }).histories[0]!;
  const steps: Step[] = [];
  const gaps: Gap[] = [];
  const replayed = replay(history, { role: 'postgres', postgres });
  for (let next = replayed.next(); ; next = replayed.next()) {
    if (next.done) {
      const end = next.value;
      return {
        end, steps, gaps, is: name => end.find({ name }).is,
        places: kind => steps.flatMap(step => step.effects).filter(effect => effect.kind === kind)
          .map(({ via: { span } }) => (sources[span.path] ?? '').slice(span.start, span.end)),
      };
    }
    if (next.value.migration.path === 'db/002.sql') steps.push(...next.value.steps);
    gaps.push(...next.value.gaps);
  }
}
const block = (body: string, declare = ''): string => `do $$ ${declare} begin ${body} end $$;`;

test('statements of a DO block run, and their places are in the block', () => {
  const { is, places, gaps } = run(block('create table a (x int);\n  drop materialized view mv;'));
  expect([is('a'), is('mv'), gaps]).toEqual(['present', 'absent', []]);
  expect(places('dropObject')).toEqual(['drop materialized view mv']);
  expect(places('createTable')).toEqual(['create table a (x int)']);
});

test('constant texts are folded, places point into the literals', () => {
  const { is, places, gaps } = run(block("execute 'drop materialized view ' || quote_ident(lower('MV')); execute format('create table %I.%s (x int)', v, 'b');", "declare v text := 'public';"));
  expect([is('mv'), is('b'), gaps]).toEqual(['absent', 'present', []]);
  expect(places('dropObject')[0]).toMatch(/^drop materialized view /);
});

test('what is made from data is one gap, and nothing is claimed of it', () => {
  const { is, gaps } = run(block("execute format('drop materialized view %I', (select k from t)); create table a (x int);"));
  expect([is('mv'), is('a'), gaps.length]).toEqual(['present', 'present', 1]);
  const wild = run(block("execute (select string_agg(x, ';') from t) || ' drop materialized view mv';"));
  expect([wild.is('mv'), wild.gaps.length]).toEqual(['unknown', 1]);
});

test.each([
  ["exists (select 1 from pg_matviews where matviewname = 'mv')", true],
  ["not exists (select from pg_matviews where schemaname = 'public' and matviewname = 'mv')", false],
  ["exists (select 1 from pg_catalog.pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relname = 'mv' and c.relkind = 'm')", true],
  ["exists (select 1 from pg_class where relname = 'mv' and relkind = 'v')", false],
  ["exists (select 1 from information_schema.tables where table_name = 'mv')", false],
  ["exists (select 1 from information_schema.columns where table_name = 't' and column_name = 'k')", true],
  ["exists (select 1 from information_schema.columns where table_name = 't' and column_name = 'z')", false],
  ["to_regclass('public.mv') is not null", true],
  ["to_regclass('nothing') is null", true],
  ["(select count(*) from pg_matviews where matviewname = 'mv') > 0", true],
  ["(select ispopulated from pg_matviews where matviewname = 'mv')", true],
  ["exists (select 1 from pg_indexes where indexname = 'mv_id' and tablename = 'mv')", true],
  ["exists (select 1 from pg_type where typname = 'mood')", false],
  ["current_setting('server_version_num')::int >= 150000", true],
  ["current_setting('server_version_num')::int < 160000", false],
  ["exists (select 1 from pg_roles where rolname = 'reader')", undefined],
  ["exists (select 1 from pg_type where typname = 'text')", undefined],
  ["(select k from t limit 1) = 3", undefined],
  ["exists (select 1 from pg_matviews where definition like '%now()%')", undefined],
])('a condition that asks the catalog: %s', (condition, truth) => {
  const { is } = run(block(`if ${condition} then create table yes (x int); else create table no (x int); end if;`));
  const [yes, no] = truth === undefined ? ['unknown', 'unknown'] : truth ? ['present', 'unknown'] : ['unknown', 'present'];
  expect([is('yes'), is('no')]).toEqual([yes, no]);
});

test('a branch that nobody can decide leaves what differs unknown', () => {
  const { is, end } = run(block("if (select k from t) = 1 then drop materialized view mv; create table a (x int); end if; create table b (x int);"));
  expect([is('mv'), is('a'), is('b'), is('t')]).toEqual(['unknown', 'unknown', 'present', 'present']);
  const populated = run(block('if (select k from t) = 1 then refresh materialized view mv with no data; end if;')).end.find({ name: 'mv' });
  expect(populated.is === 'present' && populated.object.kind === 'matview' && populated.object.populated).toMatchObject({ unknown: expect.any(String) });
  expect(end.world).toBe('closed');
});

test('an error ends its own branch; without another way it refuses the statement', () => {
  const one = run(block("if (select k from t) = 1 then raise exception 'no'; end if; create table a (x int);"));
  expect([one.is('a'), one.steps[0]?.refusal]).toEqual(['present', undefined]);
  expect(run(block("raise exception 'no';")).steps[0]?.refusal?.sqlstate).toBe('P0001');
  expect(run(block("raise exception using errcode = '55000', message = 'x';")).steps[0]?.refusal?.sqlstate).toBe('55000');
  const refused = run(block('create table a (x int); refresh materialized view t;'));
  expect([refused.steps[0]?.refusal?.sqlstate, refused.is('a')]).toEqual(['0A000', 'unknown']);
});

test('a handler takes the error that is sure to come, over the state before', () => {
  const body = 'begin create table a (x int); drop table t; exception when dependent_objects_still_exist then create table b (x int); end;';
  expect([run(block(body)).is('a'), run(block(body)).is('b')]).toEqual(['unknown', 'present']);
  const other = run(block('begin drop table t; exception when undefined_table then null; end;'));
  expect(other.steps[0]?.refusal?.sqlstate).toBe('2BP01');
  const may = run(block('begin refresh materialized view mv; drop materialized view mv; exception when others then null; end;'));
  expect([may.is('mv'), may.steps[0]?.refusal]).toEqual(['unknown', undefined]);
});

test('a handler for what the catalog decides runs only when the catalog says so', () => {
  const key = 'alter table t add constraint t_k unique (k);';
  const guarded = run(block(`begin ${key} exception when duplicate_object or duplicate_table then null; end;`)).end.find({ name: 't' });
  expect(guarded.is === 'present' && guarded.object.kind === 'table' && guarded.object.constraints.map(({ name }) => name)).toEqual(['t_pkey', 't_k']);
  // Anything may make it fail, and what a key is then nobody knows; the table itself is there.
  const loose = run(block(`begin ${key} exception when others then null; end;`)).end.find({ name: 't' });
  expect(loose.is === 'present' && loose.object.kind === 'table' && [loose.object.constraints.map(({ name }) => name), loose.object.inDoubt]).toEqual([['t_pkey'], ['constraint']]);
  // A name that the history does not show may be missing, and then the handler runs.
  expect(run(block('begin refresh materialized view stranger; drop materialized view mv; exception when undefined_table then null; end;')).is('mv')).toBe('unknown');
});

test('loops over lists and over the catalog are unrolled', () => {
  const list = run(block("foreach n in array array['a', 'b'] loop execute format('create table %I (x int)', n); end loop;", 'declare n text;'));
  expect([list.is('a'), list.is('b'), list.gaps]).toEqual(['present', 'present', []]);
  const numbers = run(block("for i in 1..3 loop execute 'create table p' || i || ' (x int)'; exit when i = 2; end loop;"));
  expect([numbers.is('p1'), numbers.is('p2'), numbers.is('p3')]).toEqual(['present', 'present', 'unknown']);
  const rows = run(block("for r in select schemaname, matviewname from pg_matviews loop execute format('drop materialized view %I.%I', r.schemaname, r.matviewname); end loop;", 'declare r record;'));
  expect([rows.is('mv'), rows.gaps]).toEqual(['absent', []]);
  const unknown = run(block("for r in select k from t loop drop materialized view if exists mv; end loop;", 'declare r record;'));
  expect(unknown.is('mv')).toBe('unknown');
});

test('variables: SELECT INTO, FOUND, CASE, RETURN', () => {
  const into = run(block("select matviewname into n from pg_matviews where matviewname = 'mv'; if found then execute 'drop materialized view ' || n; end if;", 'declare n text;'));
  expect([into.is('mv'), into.gaps]).toEqual(['absent', []]);
  const chosen = run(block("case n when 'x' then create table x (i int); when 'y', 'z' then create table y (i int); else null; end case;", "declare n text := 'z';"));
  expect([chosen.is('x'), chosen.is('y')]).toEqual(['unknown', 'present']);
  const returns = run(block("if exists (select 1 from pg_matviews where matviewname = 'mv') then return; end if; drop materialized view mv;"));
  expect(returns.is('mv')).toBe('present');
});

test('a routine runs where the migration calls it, with its arguments and its search_path', () => {
  const made = `create function remake(name text, again boolean default true) returns void language plpgsql set search_path = public as $f$
    begin execute format('drop materialized view %I', name); if again then execute format('create materialized view %I as select id from t', name); end if; end $f$;`;
  expect(run(`${made} select remake('mv', false);`).is('mv')).toBe('absent');
  const again = run(`${made} select remake(again => true, name => 'mv');`);
  expect([again.is('mv'), again.places('dropObject').length]).toEqual(['present', 1]);
  const calls = again.steps.flatMap(step => step.effects).find(effect => effect.kind === 'dropObject');
  expect([calls?.via.kind, calls?.via.from?.says]).toEqual(['execute', 'calls function remake()']);
  expect(run(`${made} select remake('mv', false) from t;`).is('mv')).toBe('unknown');
  expect(run('create procedure p() language sql as $$ drop materialized view mv $$; call p();').is('mv')).toBe('absent');
});

test('endless recursion and endless work end', () => {
  const recursive = 'create function f() returns void language plpgsql as $$ begin perform f(); drop materialized view mv; end $$; select f();';
  expect(run(recursive).gaps.length).toBeGreaterThan(0);
  const nested = block('for a in 1..400 loop for b in 1..400 loop execute \'drop table if exists x\'; end loop; end loop;');
  expect(run(nested).gaps.length).toBe(1);
  const idle = block('for a in 1..400 loop for b in 1..400 loop if (select k from t) = a then null; end if; end loop; end loop;');
  expect(run(idle).gaps.length).toBe(0);
  const growing = block("for i in 1..400 loop v := v || v || format('%s%s', v, v); end loop; drop materialized view mv;", "declare v text := 'x';");
  expect(run(growing).is('mv')).toBe('absent');
  const deep = block(`${'if (select k from t) = 1 then '.repeat(600)} drop materialized view mv; ${'end if; '.repeat(600)}`);
  expect(run(deep).gaps.length).toBe(1);
});

test('CREATE INDEX CONCURRENTLY is refused in a block', () => {
  expect(run(block('create index concurrently i on mv (k);')).steps[0]?.refusal?.sqlstate).toBe('25001');
});

test('refresh sites: statements, texts of constants, jobs; not comments, messages or names from data', () => {
  const { end } = run(`create function r() returns void language plpgsql as $$
    declare c constant text := 'mv'; n text;
    begin
      -- refresh materialized view not_this;
      raise notice 'refresh materialized view nor_this';
      refresh materialized view concurrently mv;
      execute 'refresh materialized view ' || c;
      execute format('refresh materialized view %I', n);
      foreach n in array array['a', 'b'] loop execute format('refresh materialized view %I', n); end loop;
    end $$;
    select cron.schedule('nightly', '0 3 * * *', 'select 1; refresh materialized view concurrently mv');`);
  expect(end.sites.map(site => [site.by, site.target.name, site.concurrently])).toEqual([
    ['routine', 'mv', true], ['routine', 'mv', false], ['routine', 'a', false], ['routine', 'b', false], ['job', 'mv', true],
  ]);
});

test('conditions stand for states', () => {
  expect([catches('others', '55000'), catches('others', '57014'), catches('undefined_table', '42P01'), catches('syntax_error_or_access_rule_violation', '42P01'),
    catches('55000', '55000'), catches('undefined_table', '55000')]).toEqual([true, false, true, true, true, false]);
});

test('rows that go nowhere are refused once their statement has run', () => {
  const refused = (body: string): string | undefined => run(block(body, 'declare n int;')).steps.at(-1)?.refusal?.sqlstate;
  for (const body of ['select 1;', 'values (1);', 'with x as (select 1) select * from x;', 'show timezone;', 'explain select 1;', 'insert into t values (1) returning id;',
    'delete from t returning *;', 'execute \'create table a (x int)\'; select k from t;']) expect([body, refused(body)]).toEqual([body, '42601']);
  for (const body of ['perform 1;', 'select k into n from t;', "execute 'select 1';", 'insert into t values (1);', 'insert into t values (1) returning id into n;'])
    expect([body, refused(body)]).toEqual([body, undefined]);
});

test('a number of rows that has a lower bound decides what is asked of it', () => {
  const count = (condition: string): string => run(block(`if (select count(*) from pg_indexes where tablename = 't') ${condition} then create table a (x int); end if;`)).is('a');
  expect(count('> 0')).toBe('present');
  expect(count('= 1')).toBe('present');
  expect(count('> 1')).not.toBe('present');
  // Another schema of an open world may have tables of this name.
  const open = (condition: string): string => run(`select * from elsewhere.t;
    ${block(`if (select count(*) from pg_indexes where tablename = 't') ${condition} then create table a (x int); end if;`)}`).is('a');
  expect(open('> 0')).toBe('present');
  expect(open('<> 0')).toBe('present');
  expect(open('= 0')).not.toBe('present');
  expect(open('= 1')).toBe('unknown');
});

test('what a loop over data may have renamed is somewhere, nobody knows where', () => {
  const loop = block('for r in select k from t loop alter table t rename to u; end loop;', 'declare r record;');
  const names = (text: string): readonly string[] => [...run(text).end.relations()].filter(({ kind }) => kind === 'table').map(({ name }) => name.name).sort();
  expect(['t', 'u'].map(run(loop).is)).toEqual(['unknown', 'unknown']);
  // Whoever makes a t shows that the old one is u by now, if it is anywhere.
  const again = `${loop} create table t (x int);`;
  expect([['t', 'u'].map(run(again).is), names(again)]).toEqual([['present', 'unknown'], ['t', 'u']]);
  const moved = `${again} alter table u rename to w;`;
  expect([['t', 'u', 'w'].map(run(moved).is), names(moved)]).toEqual([['present', 'unknown', 'unknown'], ['t', 'w']]);
  const taken = `${loop} create table u (x int);`;
  expect([['t', 'u'].map(run(taken).is), names(taken)]).toEqual([['unknown', 'present'], ['t', 'u']]);
});
