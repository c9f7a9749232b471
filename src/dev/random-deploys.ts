/**
 * Seeded random histories of deploys as teams make them: re-creations, swaps by rename and by schema, shadows, views in front, changes of owners,
 * indexes and sources, refreshes in code and in triggers, each with steps left out by chance. They meet the rules that `random-history.ts` hardly
 * reaches, because several statements have to fit together.
 */
import { random } from './history.ts';

class Deploys {
  private readonly next: () => number;
  private serial = 0;

  constructor(seed: number) {
    this.next = random(seed + 7919);
  }

  private chance(share: number): boolean {
    return this.next() < share;
  }
  private pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)] as T;
  }
  /** The statements of a list, each with a chance to be forgotten. */
  private some(list: readonly string[], share = 0.6): string[] {
    return list.filter(() => this.chance(share));
  }
  private together(list: readonly string[], share = 0.6): string[] {
    return this.chance(share) ? ['begin', ...list, 'commit'] : [...list];
  }

  private live(): string {
    return this.pick(['daily', 'daily', 'weekly', 'monthly']);
  }
  private query(name: string): string {
    const source = name.startsWith('weekly') ? this.pick(['daily', 'daily', 't2']) : name.startsWith('monthly') ? 'src' : 't1';
    return this.pick([
      `select id, k, v from ${source}`, `select id, k, v from ${source}`, `select id, k, v from ${source} where k > 1`,
      `select min(id) as id, k, sum(v) as v from ${source} group by k`, `select id, k, v, 1 as one from ${source}`, `select k, id from ${source}`,
    ]);
  }
  /** What a live view has beside its rows, on the object of this name; the names of indexes carry a mark. */
  private belongings(name: string, mark: string, share: number): string[] {
    return this.some([
      `create unique index ${name}_${mark}_id on ${name} (id)`, `create index ${this.chance(0.3) ? 'if not exists ' : ''}${name}_${mark}_k on ${name} (k)`,
      `grant select on ${name} to reader`, `grant select (k) on ${name} to clerk`, `comment on materialized view ${name} is 'for the board'`,
      `comment on column ${name}.id is 'key'`, `alter materialized view ${name} set (fillfactor = 80)`, `alter materialized view ${name} alter column id set statistics 300`,
    ], share);
  }

  private readonly kinds: readonly (() => string[])[] = [
    // Recreate in place, whole or in parts.
    () => {
      const name = this.live();
      const mark = `n${++this.serial}`;
      return this.together([
        ...this.some([`alter materialized view ${name} rename to ${name}_before`], 0.1),
        `drop materialized view ${this.chance(0.2) ? 'if exists ' : ''}${name}${this.chance(0.6) ? ' cascade' : ''}`,
        `create materialized view ${name} as ${this.query(name)}${this.chance(0.15) ? ' with no data' : ''}`, ...this.belongings(name, mark, 0.6),
        ...this.some([`create or replace view ${name}_top as select id, k from ${name}`], 0.3),
      ], 0.4);
    },
    // Build beside, swap by renames.
    () => {
      const name = this.live();
      const mark = `n${++this.serial}`;
      const beside = [`create materialized view ${name}_next as ${this.query(name)}${this.chance(0.3) ? ' with no data' : ''}`, ...this.belongings(`${name}_next`, mark, 0.7)];
      const swap = [
        ...this.some([`drop materialized view if exists ${name}_old${this.chance(0.5) ? ' cascade' : ''}`], 0.4), `alter materialized view ${name} rename to ${name}_old`,
        ...this.some([`alter materialized view ${name}_next rename to ${name}`], 0.88),
        ...this.some([`create or replace view ${name}_top as select id, k from ${name}`], 0.5),
      ];
      return [...beside, ...this.some([`refresh materialized view ${name}_next`], 0.3), ...this.together(swap, 0.7),
        ...this.some([`drop materialized view ${name}_old${this.chance(0.4) ? ' cascade' : ''}`], 0.3)];
    },
    // Only one half, or an old generation that comes back.
    () => {
      const name = this.live();
      return this.pick([
        [`create materialized view ${name}_next as ${this.query(name)}`, ...this.belongings(`${name}_next`, `n${++this.serial}`, 0.7)],
        this.together([`alter materialized view ${name} rename to ${name}_old`, `alter materialized view ${name}_next rename to ${name}`]),
        this.together([`alter materialized view ${name} rename to ${name}_next`, `alter materialized view ${name}_old rename to ${name}`]),
        this.together([`alter materialized view ${name} rename to ${name}_tmp`, `alter materialized view ${name}_old rename to ${name}`, `alter materialized view ${name}_tmp rename to ${name}_old`]),
        [`drop materialized view if exists ${name}_old`], [`drop materialized view if exists ${name}_old cascade`], [`refresh materialized view ${name}_old with no data`],
      ]);
    },
    // Swap by schema.
    () => {
      const name = this.live();
      return [
        'create schema if not exists build', `create materialized view build.${name} as ${this.query(name)}`, ...this.some([`create unique index on build.${name} (id)`, `grant select on build.${name} to reader`]),
        'create schema if not exists attic', ...this.some([`drop materialized view if exists attic.${name} cascade`], 0.7),
        ...this.together([`alter materialized view ${name} set schema attic`, `alter materialized view build.${name} set schema public`], 0.7),
      ];
    },
    // A plain view in front, pointed to another version.
    () => {
      const version = `sales_v${2 + (++this.serial % 4)}`;
      return [
        `create materialized view ${version} as select id, k, v from t1`, ...this.some([`create unique index on ${version} (id)`], 0.7), `create or replace view sales as select * from ${version}`,
        ...this.some([`drop materialized view if exists ${this.pick(['sales_v2', 'sales_v3', 'sales_v4', 'sales_v5'])}`], 0.4),
      ];
    },
    // Another kind of object takes the name.
    () => {
      const name = this.live();
      return this.together([`drop materialized view ${name}${this.chance(0.6) ? ' cascade' : ''}`, this.pick([`create view ${name} as select id, k, v from t1`, `create table ${name} (id bigint primary key, k int, v numeric)`])]);
    },
    // A table is swapped beneath.
    () => this.together([
      ...this.some(['drop table if exists t1_old cascade'], 0.4), 'create table t1_new (like t1 including all)', 'alter table t1 rename to t1_old', 'alter table t1_new rename to t1',
      ...this.some(['create or replace view src as select id, k, v from t1'], 0.4), ...this.some(['refresh materialized view monthly'], 0.3),
    ]),
    // Owners and grants.
    () => this.some([
      `alter materialized view ${this.live()} owner to worker`, 'grant select on t1 to worker', 'revoke select on t1 from worker', 'grant select on t1, t2, src to worker', `alter materialized view ${this.live()} owner to postgres`,
      `grant select on daily to worker`, 'alter table t2 owner to worker',
    ], 0.5),
    // Sources change.
    () => this.pick([
      [`create or replace view src as select id, k, v from t1 where k > ${this.serial}`, ...this.some(['refresh materialized view concurrently monthly'], 0.3)],
      ['create or replace view src as select id, k, v, now() as seen from t1'], ['alter table t1 alter column v type double precision'], ['alter table t2 drop column v'], ['alter table t1 drop column v cascade'],
      ['alter table t1 drop column k'], ['alter table t1 enable row level security'], ['create policy few on t2 using (k in (select k from daily))', 'alter table t2 enable row level security'],
      ['drop view src'], ['drop view src cascade'], [`drop table t2${this.chance(0.5) ? ' cascade' : ''}`],
      [`alter table t1 drop constraint t1_pkey${this.chance(0.5) ? ' cascade' : ''}`], [`create function total() returns numeric begin atomic select sum(v) from ${this.live()}; end`],
    ]),
    // Indexes.
    () => {
      const name = this.live();
      return this.pick([
        [`drop index if exists ${name}_live_id`], [`drop index if exists ${name}_live_id`, `create unique index ${name}_live_id on ${name} ((abs(id)))`],
        [`drop index if exists ${name}_live_id`, `create unique index ${name}_again_id on ${name} (id)`], [`create unique index ${name}_part on ${name} (id) where k > 0`],
        ['begin', `create unique index concurrently ${name}_c${++this.serial} on ${name} (id)`, 'commit'], [`create index concurrently if not exists ${name}_cc on ${name} (k)`],
        ['begin', `drop index concurrently ${name}_live_id`, 'commit'], [`cluster ${name} using ${name}_live_id`], [`alter index ${name}_live_id rename to ${name}_old_id`],
      ]);
    },
    // Refreshes.
    () => {
      const [one, other] = [this.live(), this.live()];
      const way = (): string => (this.chance(0.6) ? 'concurrently ' : '');
      return this.pick([
        [`refresh materialized view ${way()}${one}`], this.together([`refresh materialized view ${way()}${one}`, `refresh materialized view ${way()}${other}`]),
        ['begin', `refresh materialized view ${way()}${one}`, this.pick(['update t1 set k = k', 'create table if not exists later (id int)', "comment on table t1 is 'x'", 'set local lock_timeout = 0', `alter table t2 add column x${++this.serial} int`]), 'commit'],
        ['begin', `alter table ${this.pick(['t1', 't2'])} add column y${++this.serial} int`, `refresh materialized view ${way()}${one}`, 'commit'], ['begin', `select count(*) from ${one}`, `refresh materialized view ${way()}${one}`, 'commit'],
        [`refresh materialized view ${one} with no data`, ...this.some([`refresh materialized view ${one}`], 0.5)], this.together([`refresh materialized view ${one} with no data`, `refresh materialized view ${one}`]),
        [`do $$ begin refresh materialized view ${way()}${one}; refresh materialized view ${way()}${other}; end $$`], [`refresh materialized view concurrently ${one} with no data`],
        ['refresh materialized view t1'], ['refresh materialized view src'], [`set lock_timeout = '${this.pick(['2s', '0', '500ms'])}'`, `refresh materialized view ${one}`], [`select count(*) from ${one}`],
        [`create materialized view if not exists ${one} as ${this.query(one)}`], [`drop view ${one}`], [`alter view ${one} rename to gone`], ['drop materialized view src'],
      ]);
    },
    // Code that refreshes later.
    () => {
      const [one, other] = [this.live(), this.live()];
      const way = this.chance(0.6) ? 'concurrently ' : '';
      const name = `job${1 + (++this.serial % 3)}`;
      return this.pick([
        [`create or replace function ${name}() returns void language plpgsql as $$ begin refresh materialized view ${way}${one}; refresh materialized view ${way}${other}; end $$`],
        [`create or replace function ${name}() returns void language plpgsql as $$ begin execute 'refresh materialized view ${way}public.${one}'; end $$`],
        [`create or replace function ${name}() returns void language sql as $$ refresh materialized view ${way}${one} $$`],
        [`create or replace function ${name}() returns void language plpgsql as $$ begin refresh materialized view ${one} with no data; end $$`],
        [`create or replace function ${name}t() returns trigger language plpgsql as $$ begin ${this.chance(0.5) ? `perform ${name}();` : `refresh materialized view ${way}${one};`} return null; end $$`, ...this.some([`create or replace trigger after_${name} after insert on ${this.pick(['t1', 't2'])} for each statement execute function ${name}t()`], 0.8)],
        [`drop function if exists ${name}()`],
      ]);
    },
    // A view over a function that reads a table, by names that a refresh finds or does not.
    () => {
      const table = this.pick(['t2', 'public.t2']);
      const body = `select v from ${table} where id = x`;
      const how = this.pick([
        `language sql stable as $$ ${body} $$`, `language sql stable set search_path = public as $$ ${body} $$`, `language sql stable return (${body})`,
        `language plpgsql stable as $$ begin return (${body}); end $$`, 'language sql immutable as $$ select x * 1.5 $$',
      ]);
      // A function that no row reaches refuses nothing.
      const rows = 'insert into t1 (id) select g from generate_series(1, 3) as g where not exists (select from t1)';
      return [rows, ...this.some([
        `create or replace function rate(x bigint) returns numeric ${how}`, 'create materialized view if not exists rated as select id, rate(id) as r from t1 with no data',
      ], 0.8)];
    },
    // A whole deploy in code.
    () => {
      const name = this.live();
      return [`do $$ begin drop materialized view if exists ${name} cascade; create materialized view ${name} as ${this.query(name)}; ${this.belongings(name, `n${++this.serial}`, 0.5).map(sql => `${sql};`).join(' ')} end $$`];
    },
  ];

  files(): Map<string, string> {
    const files = new Map<string, string>();
    const of = (list: readonly string[]): string => `${list.join(';\n')};\n`;
    const live = (name: string, source: string): string[] => [
      `create materialized view ${name} as select id, k, v from ${source}`, `create unique index ${name}_live_id on ${name} (id)`, ...this.belongings(name, 'first', 0.5), ...this.some([`create view ${name}_top as select id, k from ${name}`], 0.5),
    ];
    files.set('db/00.sql', of([
      'create role reader', 'create role clerk', 'create role worker', 'grant create, usage on schema public to worker', 'create table t1 (id bigint primary key, k int, v numeric)',
      'create table t2 (id bigint primary key, k int, v numeric)', 'insert into t1 select g, g % 3, g from generate_series(1, 5) g', 'insert into t2 select g, g % 3, g from generate_series(1, 5) g',
      'create view src as select id, k, v from t1', ...live('daily', 't1'), ...live('weekly', 'daily'), ...live('monthly', 'src'),
    ]));
    const count = 3 + Math.floor(this.next() * 5);
    for (let at = 1; at <= count; at += 1) {
      const parts = Array.from({ length: this.chance(0.25) ? 2 : 1 }, () => this.pick(this.kinds)());
      files.set(`db/${String(at).padStart(2, '0')}.sql`, of(parts.flat().length > 0 ? parts.flat() : ['select 1']));
    }
    return files;
  }
}

/** A random history of deploys for psql, the same for the same seed. */
export function randomDeploys(seed: number): Map<string, string> {
  return new Deploys(seed).files();
}
