/** What the fuzzer starts from besides the fixtures: texts that have hurt SQL tools, a dictionary, and constructs that nest. */

export const seeds: readonly string[] = [
  "select 'it''s', E'a\\'b;', U&'\\0061;', $$;$$, $t$ $$;$$ $t$, \";\"\"\" from \"Ünï;\" -- ;\n/* ; /* ; */ ; */;\nselect 2;",
  "create materialized view v as select o.id, count(*) n, now() as at, random() r, '😀;' s from orders o left join c using (id) group by 1;\nrefresh materialized view concurrently v;",
  'create table a (id int primary key, x text);\r\ncreate view b as select * from a;\r\ncreate materialized view c as table b with no data;\r\ncreate unique index on c (id);\r\ndrop view b cascade;\r\n',
  'create or replace function f() returns trigger language plpgsql as $body$\nbegin\n  if new.a then execute \'refresh materialized view \' || quote_ident(v); end if;\n  for r in select 1 loop perform 1; end loop;\n  return new;\nexception when others then raise notice \'%\', 1;\nend\n$body$;\ncreate trigger t after insert on a for each row execute function f();',
  'create function g() returns int begin atomic select case when a then 1 else 2 end from t; select 1; end; create procedure p() begin atomic refresh materialized view v; end;',
  "do $$ begin if not exists (select from pg_matviews where matviewname = 'v') then create materialized view v as select 1 as a; end if; end $$;",
  '\\set ON_ERROR_STOP on\n\\set schema app\n\\i other.sql\nset search_path to :"schema";\nselect :\'x\', :{?y}, a[1:2], b::int \\gset\n\\if :y\nselect 1;\n\\endif\n',
  'COPY public.t (a, b) FROM stdin;\n1\t\'x;\n\\N\ty\n\\.\n\nSELECT pg_catalog.setval(\'s\', 1, true);\n\\restrict abc\n',
  'begin; alter table t rename to u; alter materialized view v set schema app; commit; rollback; savepoint x; rollback to x; release x;',
  'with recursive r(n) as (select 1 union all select n + 1 from r where n < 10) select n, lag(n) over (order by n), grouping(n) from r group by grouping sets ((n), ());',
  "select cron.schedule('x', '* * * * *', $$refresh materialized view concurrently app.v$$); select create_immv('i', 'select 1');",
  'create schema app create table t (a int) create view v as select a from t; grant select on all tables in schema app to public; alter default privileges in schema app grant select on tables to r;',
  'alter table a alter column x type bigint using x::bigint, drop column y cascade, add constraint k unique using index i; alter materialized view v alter column x set statistics 1;',
  'create table p (a int) partition by range (a); create table q partition of p for values from (1) to (2); create type e as enum (\'a\', \'b\'); create domain d as text check (value <> \'\');',
  '-- mvlint-ignore no-x: because\nselect 1; -- mvlint-ignore\n/* mvlint-ignore-file a, b: c */\n-- +goose Up\n-- atlas:txmode none\nCREATE INDEX CONCURRENTLY i ON t (a);',
  '\ufeff\u00a0select 1;\u0000 select 2; \u2028 select \ud83d;',
  "insert into t values (1, 'a'), (2, E'\\\\'); update t set a = b from c where c.x = t.y returning *; merge into t using s on t.a = s.a when matched then delete;",
  "explain (analyze) select xmlforest(a), json_object('a': 1), a is json, interval '1' year, timestamp with time zone '2020-01-01', b'01', x'ff', 0x1f, 1_000, .5e-3, $1 from lateral unnest(array[1,2]) with ordinality t(a, b), rows from (f(), g()) tablesample system (1);",
  'create rule r as on insert to v do instead (insert into a values (1); notify x); comment on materialized view v is $$it\'s$$; security label on table t is null;',
  '${schema}.t {{ ref("x") }} %(name)s %s ? @p1 #{x} <% y %>; create table ${flyway:defaultSchema}.x (a int);',
];

export const dictionary: readonly string[] = [
  "'", "''", '"', '$$', '$a$', "E'", "U&'", 'U&"', "b'", '\\', '\\\\', '\\;', '\\g', '\\i x', '\\.', '\n\\.\n', '/*', '*/', '--', '--\n', ';', ';;', '(', ')', '[', ']', '{', '}', '{{', '}}', '${', ':', '::', ':=', ':a',
  ":'a'", ':"a"', ':{?a}', ',', '.', '..', '*', '=', '<>', '||', '+', '-', '->>', '?', '%', '@', '#', '~', '`', '$1', '0', '1', '1e', '1.5', '0x', '99999999999999999999', '\n', '\r', '\r\n', '\t', '\0', '\ufeff', '\u00a0',
  '😀', '\ud83d', 'é', 'select', 'from', 'where', 'group by', 'order by', 'having', 'limit 1', 'union all', 'as', 'a', 'b', 't', 'v', '"V"', 'app.', 'public.t', 'pg_catalog.', 'create', 'or replace', 'materialized', 'view',
  'table', 'index', 'unique', 'concurrently', 'on', 'refresh', 'with no data', 'with data', 'drop', 'cascade', 'if exists', 'if not exists', 'alter', 'rename to', 'set schema', 'owner to', 'add column', 'drop column', 'function', 'procedure',
  'begin', 'atomic', 'end', 'case', 'when', 'then', 'else', 'commit', 'rollback', 'language plpgsql', 'returns void', 'returns trigger', 'do', 'execute', 'perform', 'loop', 'exception', 'grant', 'revoke', 'to public', 'copy', 'stdin',
  'set search_path to', 'set role', 'now()', 'random()', 'count(*)', 'over ()', 'filter (where a)', 'lateral', 'join', 'left join', 'using (a)', 'null', 'true', 'not', 'and', 'or', 'in', 'exists', 'between', 'is distinct from', 'array[',
  'int', 'text', 'numeric(1,2)', 'timestamp with time zone', 'interval', 'values (1)', 'recursive', 'with', 'window w as ()', 'grouping sets', 'rollup(a)', 'distinct on (a)', 'for update', 'tablesample', 'extension', 'cron.schedule', 'trigger',
  'create materialized view v as select 1 as a;', 'create table t (a int primary key);', 'drop table t cascade;', 'refresh materialized view concurrently v;', 'create unique index i on v (a);', 'alter table t rename column a to b;',
];

/** Before, what opens, what stands in the middle, what closes: raised to a few thousand storeys. */
export const towers: readonly (readonly [string, string, string, string])[] = [
  ['select ', '(', '1', ')'], ['select ', '1+', '1', ''], ['select ', "'x'||", "'x'", ''], ['', 'select 1 union all ', 'select 1', ''], ['select ', 'not ', 'true', ''], ['select ', 'f(', '1', ')'],
  ['select ', 'case when a then ', '1', ' end'], ['create view v as ', 'select a from (', 'select 1 as a', ') x'], ['select 1 from a', ' join a on true', '', ''], ['create materialized view v as select ', 'a::text::', 'int', ''],
  ['select 1 where a', ' or a', '', ''], ['select 1 where a', ' and b = 1 or c', '', ''], ['select a', '[1]', '', ''], ['create materialized view v as ', 'with x as (', 'select 1 as a', ') select a from x'],
  ['create materialized view v as select 1 as a', ' union all select 2', '', ''], ['create materialized view v as select 1', '+random()', ' as a', ''], ['create materialized view v as select 1', ', now()', '', ''],
  ['do $$begin ', 'if true then ', 'perform 1;', ' end if;'], ['do $$', 'begin ', 'null;', 'end;'], ['/*', '/*', '', '*/'], ['', '(', ';', ')'], ['', "'", '', ''], ['', '$a$', '', ''],
];
