/**
 * Seeded random histories for the oracles: small, dense, every kind of statement on few names, so that they meet each other. Most statements
 * are valid where they stand; some are refused, and a refusal is a fact to predict like any other. Unlike `history.ts` they need not look
 * like what people write.
 */
import { random } from './history.ts';

/** What a name is, as far as the generator follows it. It may be wrong after code that may not run: that is the point. */
type Kind = 'table' | 'view' | 'matview';

class Maker {
  private readonly next: () => number;
  /** Whether code may do what only the data, or an error at run time, decides. */
  private readonly doubt: boolean;
  /** By name; a matview knows whether it has a unique index and whether it is populated. */
  private readonly made = new Map<string, Kind>();
  private readonly indexes = new Map<string, string>();
  private readonly routines: string[] = [];
  private serial = 0;

  constructor(seed: number, doubt: boolean) {
    this.next = random(seed);
    this.doubt = doubt;
  }

  private upTo(limit: number): number {
    return Math.floor(this.next() * limit);
  }
  private chance(share: number): boolean {
    return this.next() < share;
  }
  private pick<T>(list: readonly T[]): T {
    return list[this.upTo(list.length)] as T;
  }
  private names(...kinds: readonly Kind[]): string[] {
    return [...this.made].filter(([, kind]) => kinds.includes(kind)).map(([name]) => name);
  }
  private fresh(prefix: string): string {
    // Few numbers, so that names come again.
    return `${prefix}${1 + this.upTo(5)}`;
  }
  private any(kinds: readonly Kind[], prefix: string): string {
    const names = this.names(...kinds);
    return names.length > 0 && this.chance(0.93) ? this.pick(names) : this.fresh(prefix);
  }
  private spelled(name: string): string {
    return this.chance(0.2) ? `public.${name}` : this.chance(0.1) ? `"${name}"` : name;
  }

  private query(): string {
    const source = this.any(['table', 'table', 'matview', 'view'], 't');
    return this.pick([
      `select id, k, v from ${source}`,
      `select id, k, v from ${source} where k > 1`,
      `select min(id) as id, k, max(v) as v from ${source} group by k`,
      `select a.id, a.k, b.v from ${source} a join ${this.any(['table', 'matview'], 't')} b on b.id = a.id`,
      `with w as (select * from ${source}) select id, k, v from w`,
      `select id, k, v from ${source} union all select id, k, v from ${this.any(['table', 'view'], 't')}`,
    ]);
  }

  /** One statement, without its semicolon. */
  statement(inCode: boolean): string {
    const kinds: (() => string)[] = [
      () => this.createTable(), () => this.createMatview(), () => this.createMatview(), () => this.createView(), () => this.createIndex(inCode), () => this.createIndex(inCode),
      () => this.refresh(), () => this.refresh(), () => this.drop(), () => this.drop(), () => this.rename(), () => this.alterTable(), () => this.grant(), () => this.comment(),
      () => this.write(), () => this.call(inCode),
      () => this.other(), () => this.other(),
      ...(inCode ? [] : [() => this.block(), () => this.block(), () => this.routine()]),
    ];
    return this.pick(kinds)();
  }

  private createTable(): string {
    const name = this.fresh('t');
    if (!this.made.has(name)) this.made.set(name, 'table');
    return `create table ${this.chance(0.3) ? 'if not exists ' : ''}${this.spelled(name)} (id bigint ${this.pick(['primary key', 'not null', 'unique'])}, k int, v numeric)`;
  }
  private createMatview(): string {
    const name = this.fresh('m');
    const text = `create materialized view ${this.chance(0.25) ? 'if not exists ' : ''}${this.spelled(name)} as ${this.query()}${this.chance(0.2) ? ' with no data' : ''}`;
    if (!this.made.has(name)) this.made.set(name, 'matview');
    return text;
  }
  private createView(): string {
    const name = this.fresh('v');
    let query = this.query();
    // A view over itself can be made and never be read.
    while (new RegExp(`\\b${name}\\b`).test(query)) query = this.query();
    const text = `create ${this.chance(0.5) ? 'or replace ' : ''}view ${name} as ${query}`;
    if (!this.made.has(name)) this.made.set(name, 'view');
    return text;
  }
  private createIndex(inCode: boolean): string {
    const on = this.any(['matview', 'matview', 'table'], 'm');
    // In a loop an index without a name is made once a pass.
    const name = inCode || this.chance(0.7) ? `i${1 + this.upTo(8)}` : '';
    if (name !== '') this.indexes.set(name, on);
    return `create ${this.chance(0.6) ? 'unique ' : ''}index ${name !== '' && this.chance(0.3) ? 'if not exists ' : ''}${name} on ${on} (${this.pick(['id', 'k', 'id, k', 'abs(id)'])})${this.chance(0.15) ? ' where k > 0' : ''}`;
  }
  private refresh(): string {
    return `refresh materialized view ${this.chance(0.4) ? 'concurrently ' : ''}${this.spelled(this.any(['matview'], 'm'))}${this.chance(0.1) ? ' with no data' : ''}`;
  }
  private drop(): string {
    const kind = this.pick<Kind | 'index'>(['table', 'view', 'matview', 'matview', 'index']);
    const name = kind === 'index' ? this.pick([...this.indexes.keys(), 'i9']) : this.any([kind], kind[0] ?? 't');
    const cascade = this.chance(0.35);
    if (kind === 'index') this.indexes.delete(name);
    else this.made.delete(name);
    return `drop ${kind === 'matview' ? 'materialized view' : kind} ${this.chance(0.4) ? 'if exists ' : ''}${name}${cascade ? ' cascade' : ''}`;
  }
  private rename(): string {
    const kind = this.pick<Kind>(['table', 'view', 'matview', 'matview']);
    const [from, to] = [this.any([kind], kind[0] ?? 't'), this.fresh(kind[0] ?? 't')];
    if (!this.made.has(to) && this.made.delete(from)) this.made.set(to, kind);
    return `alter ${kind === 'matview' ? 'materialized view' : kind} ${this.chance(0.2) ? 'if exists ' : ''}${from} rename to ${to}`;
  }
  private alterTable(): string {
    const table = this.any(['table'], 't');
    return this.pick([
      `alter table ${table} add column ${this.chance(0.4) ? 'if not exists ' : ''}x${this.upTo(3)} text`, `alter table ${table} drop column ${this.pick(['v', 'k', 'x0', 'x1'])}${this.chance(0.4) ? ' cascade' : ''}`,
      `alter table ${table} alter column v type double precision`, `alter table ${table} rename column ${this.pick(['v', 'x0'])} to ${this.pick(['v', 'w'])}`,
      `alter table ${table} add constraint c${this.upTo(4)} unique (id)`, `alter table ${table} alter column k set not null`,
      `alter materialized view ${this.any(['matview'], 'm')} rename column v to w`, `alter materialized view ${this.any(['matview'], 'm')} set (fillfactor = 70)`,
    ]);
  }
  private grant(): string {
    return `${this.pick(['grant select on {} to reader', 'grant all on {} to reader', 'revoke select on {} from reader', 'grant select (id) on {} to reader'])}`
      .replace('{}', this.any(['table', 'view', 'matview'], 'm'));
  }
  /** The rest of DDL, on names of its own and on those of the others. */
  private other(): string {
    const table = this.any(['table'], 't');
    const relation = this.any(['matview', 'view', 'table'], 'm');
    const kind = this.made.get(relation) === 'matview' ? 'materialized view' : this.made.get(relation) ?? 'table';
    const n = 1 + this.upTo(2);
    return this.pick([
      () => `create schema if not exists s${n}`, () => `alter ${kind} ${relation} set schema ${this.pick(['s1', 's2', 'public'])}`, () => `alter ${kind} s${n}.${relation} set schema public`,
      () => `create sequence ${this.chance(0.5) ? 'if not exists ' : ''}q${n}`, () => `drop sequence if exists q${n}`, () => `alter sequence if exists q${n} owned by ${table}.id`,
      () => `create type e${n} as enum ('a', 'b')`, () => `alter type e${n} add value if not exists 'c'`, () => `alter table ${table} add column e e${n}`, () => `drop type if exists e${n}${this.chance(0.5) ? ' cascade' : ''}`,
      () => `create domain d${n} as int check (value > 0)`, () => `alter table ${table} add column d d${n}`, () => `drop domain if exists d${n} cascade`, () => `alter type e${n} rename to e${3 - n}`,
      () => `create table l${n} (like ${table} including all)`, () => `create table i${n}0 (extra text) inherits (${table})`, () => `drop table if exists l${n}, i${n}0${this.chance(0.5) ? ' cascade' : ''}`,
      () => `create table p${n} (id bigint, k int, v numeric) partition by range (k)`, () => `create table p${n}a partition of p${n} for values from (0) to (10)`, () => `drop table if exists p${n} cascade`,
      () => `alter table p${n} detach partition p${n}a`, () => `create index on p${n} (id)`,
      () => `create table c${n} as select id, k from ${relation}`, () => `create temporary table x${n} as select 1 as one`, () => `drop table if exists c${n}`,
      () => `alter ${kind} ${relation} owner to reader`, () => `alter default privileges in schema public grant select on tables to reader`, () => `alter default privileges in schema public revoke select on tables from reader`,
      () => `alter table ${table} enable row level security`, () => `create policy y${n} on ${table} using (k > 0)`, () => `drop policy if exists y${n} on ${table}`,
      () => `alter table ${table} add column s bigserial`, () => `alter table ${table} add column g bigint generated always as identity`, () => `alter table ${table} alter column k drop not null`,
      () => `alter table ${table} add foreign key (id) references ${this.any(['table'], 't')} (id)`, () => `alter table ${table} drop constraint if exists c${this.upTo(4)}`, () => `alter table ${table} rename constraint c1 to c2`,
      () => `alter index if exists i${1 + this.upTo(8)} rename to i${1 + this.upTo(8)}`, () => `alter materialized view ${this.any(['matview'], 'm')} alter column id set statistics 200`, () => `cluster ${this.any(['matview'], 'm')} using i${1 + this.upTo(8)}`,
      () => `alter view ${this.any(['view'], 'v')} set (security_barrier = true)`, () => `comment on column ${relation}.id is 'key'`, () => `comment on table ${table} is null`, () => `truncate ${table}`,
      () => `create trigger r${n} after insert on ${table} for each row execute function touch()`, () => `drop trigger if exists r${n} on ${table}`, () => `alter table ${table} disable trigger all`,
      () => `reindex table ${table}`, () => `analyze ${relation}`, () => `create statistics on k, v from ${table}`, () => `alter table ${table} set (fillfactor = 80)`, () => `alter table ${table} reset (fillfactor)`,
      () => `alter table ${table} set unlogged`, () => `set search_path = ${this.pick(['public', 's1, public', 's2'])}`, () => 'reset search_path', () => `select set_config('search_path', '${this.pick(['public', 's1, public'])}', ${this.pick(['true', 'false'])})`,
      () => `set role reader`, () => 'reset role', () => `grant usage on schema s${n} to reader`, () => `drop schema if exists s${n}${this.chance(0.6) ? ' cascade' : ''}`, () => `alter schema s${n} rename to s${3 - n}`,
    ])();
  }
  private comment(): string {
    return `comment on materialized view ${this.any(['matview'], 'm')} is 'number ${this.upTo(100)}'`;
  }
  private write(): string {
    const table = this.any(['table', 'table', 'table', 'matview'], 't');
    return this.pick([`insert into ${table} (id, k) select g, g from generate_series(1, 3) g where not exists (select from ${table})`, `update ${table} set k = 2`, `delete from ${table} where k = 3`]);
  }
  private call(inCode: boolean): string {
    const name = this.routines.length > 0 ? this.pick(this.routines) : undefined;
    if (name === undefined) return this.refresh();
    return inCode ? `perform ${name}('m${1 + this.upTo(5)}')` : `select ${name}('m${1 + this.upTo(5)}')`;
  }

  // ── Code ──

  /** A condition: some the history decides, some only the data. */
  private condition(): string {
    const name = this.any(['matview', 'table'], 'm');
    return this.pick([
      ...(this.doubt ? [
        `exists (select 1 from flags where name = '${this.pick(['a', 'b', 'c'])}' and raised)`,
        `not (select bool_or(raised) from flags where name = '${this.pick(['a', 'b'])}')`, `exists (select 1 from pg_roles where rolname = 'reader')`,
        `exists (select from ${this.any(['matview', 'view'], 'm')})`,
      ] : []),
      `exists (select 1 from pg_matviews where matviewname = '${name}')`, `not exists (select from pg_matviews where schemaname = 'public' and matviewname = '${name}')`,
      `to_regclass('${name}') is not null`, `to_regclass('public.${name}') is null`,
      `exists (select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relname = '${name}' and c.relkind = '${this.pick(['m', 'r', 'v'])}')`,
      `exists (select 1 from information_schema.columns where table_name = '${name}' and column_name = '${this.pick(['v', 'x0', 'w'])}')`,
      `(select count(*) from pg_indexes where tablename = '${name}') ${this.pick(['> 0', '= 1'])}`,
      `(select ispopulated from pg_matviews where matviewname = '${name}')`,
      `exists (select 1 from pg_attribute a join pg_class c on c.oid = a.attrelid where c.relname = '${name}' and a.attname = '${this.pick(['v', 'x0', 'w'])}' and not a.attisdropped)`,
      `exists (select 1 from pg_constraint where conname = '${this.pick(['c1', 'c2', `${name}_pkey`])}')`, `exists (select 1 from pg_index where indrelid = to_regclass('${name}') and indisunique)`,
      `exists (select 1 from information_schema.table_constraints where table_name = '${name}' and constraint_type = 'PRIMARY KEY')`, "exists (select 1 from pg_enum where enumlabel = 'c')",
      "exists (select 1 from pg_policies where policyname = 'y1')", `exists (select 1 from information_schema.triggers where event_object_table = '${name}')`,
      `${this.condition2()} and exists (select 1 from pg_views where viewname = '${this.any(['view'], 'v')}')`,
    ]);
  }
  private condition2(): string {
    return this.pick(['true', "current_setting('server_version_num')::int >= 160000", ...(this.doubt ? ['exists (select from flags where raised)'] : [])]);
  }

  private code(depth: number): string {
    const lines = Array.from({ length: 1 + this.upTo(3) }, () => this.line(depth));
    return lines.join(' ');
  }
  private line(depth: number): string {
    if (depth > 2 || this.chance(0.45)) return `${this.statement(true)};`;
    if (this.doubt && this.chance(0.2)) {
      const caught = this.pick(['others', 'undefined_table', 'duplicate_table or dependent_objects_still_exist', 'object_not_in_prerequisite_state']);
      return this.pick([
        () => `begin ${this.code(depth + 1)} exception when ${caught} then ${this.chance(0.5) ? 'null;' : this.code(depth + 1)} end;`,
        () => `for r in select name from flags where raised loop ${this.code(depth + 1)} end loop;`,
      ])();
    }
    return this.pick<() => string>([
      () => `if ${this.condition()} then ${this.code(depth + 1)}${this.chance(0.5) ? ` else ${this.code(depth + 1)}` : ''} end if;`,
      () => `if ${this.condition()} then ${this.code(depth + 1)} elsif ${this.condition()} then ${this.code(depth + 1)} end if;`,
      () => `execute '${this.statement(true).replace(/^perform/, 'select').replaceAll("'", "''")}';`,
      () => `execute format('drop materialized view if exists %I', '${this.any(['matview'], 'm')}');`,
      () => `execute 'refresh materialized view ' || quote_ident('${this.any(['matview'], 'm')}');`,
      () => `foreach n in array array['m1', 'm2', '${this.fresh('m')}'] loop if to_regclass(n) is not null then execute format('${this.pick(['refresh materialized view %I', "comment on materialized view %I is ''x''", 'drop materialized view %I cascade'])}', n); end if; end loop;`,
      () => `for r in select matviewname as name from pg_matviews where schemaname = 'public' order by 1 loop execute format('${this.pick(['refresh materialized view %I', 'grant select on %I to reader', 'drop materialized view if exists %I cascade'])}', r.name); end loop;`,
      () => `for i in 1..2 loop ${this.code(depth + 1)} ${this.chance(0.3) ? `exit when ${this.condition()};` : ''} end loop;`,
      () => `select matviewname into n from pg_matviews where matviewname = '${this.any(['matview'], 'm')}'; if found then ${this.code(depth + 1)} end if;`,
      () => `if ${this.condition()} then ${this.pick(['return;', "raise exception 'stop';", "raise notice 'on';"])} end if;`,
      () => `case when ${this.condition()} then ${this.code(depth + 1)} else ${this.code(depth + 1)} end case;`,
    ])();
  }

  private block(): string {
    return `do $$ declare n text; r record; begin ${this.code(0)} end $$`;
  }
  private routine(): string {
    const name = `f${++this.serial}`;
    const text = this.chance(0.7)
      ? `create function ${name}(target text default 'm1') returns void language plpgsql as $$ declare n text; r record; begin ${this.chance(0.4) ? "execute format('refresh materialized view %I', target);" : ''} ${this.code(1)} end $$`
      : `create function ${name}(target text) returns void language sql as $$ ${this.drop()}; $$`;
    this.routines.push(name);
    return text;
  }

  /** Files by path, as psql runs them. */
  files(): Map<string, string> {
    const files = new Map<string, string>();
    const flags = ['a', 'b', 'c'].map(name => `('${name}', ${this.chance(0.5)})`).join(', ');
    files.set('db/00.sql', `create role reader;\ngrant create, usage on schema public to reader;\ncreate function touch() returns trigger language plpgsql as $$ begin return new; end $$;\ncreate table flags (name text primary key, raised boolean not null);\ninsert into flags values ${flags};\n`
      + 'create table t1 (id bigint primary key, k int, v numeric);\ncreate table t2 (id bigint primary key, k int, v numeric);\n'
      + 'create materialized view m1 as select id, k, v from t1;\ncreate unique index m1_id on m1 (id);\n');
    for (const name of ['t1', 't2']) this.made.set(name, 'table');
    this.made.set('m1', 'matview');
    const count = 3 + this.upTo(4);
    for (let at = 1; at <= count; at += 1) {
      const statements = Array.from({ length: 2 + this.upTo(4) }, () => `${this.statement(false)};`);
      const text = statements.join('\n');
      files.set(`db/${String(at).padStart(2, '0')}.sql`, this.chance(0.3) ? `begin;\n${text}\ncommit;\n` : `${text}\n`);
    }
    return files;
  }
}

/** A random history for psql, the same for the same seed. `doubt` lets its code do what only the data decides. */
export function randomHistory(seed: number, doubt: boolean): Map<string, string> {
  return new Maker(seed, doubt).files();
}
