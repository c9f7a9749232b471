import { random } from './history.ts';

/** The schema that the generated views stand on: committed rows with ties, views, and routines that are steady and that are not. */
export const schema: readonly string[] = [
  'create table items (id int primary key, grp int not null, at timestamptz not null, note text not null, f double precision not null, n numeric not null, d date not null)',
  `insert into items select g, g % 4, timestamptz '2024-03-01 00:00+00' + (g % 12) * interval '2 hours', 'note ' || g, 1.0 / g + g * 1000.1, g * 1.5, date '2024-03-01' + g % 5
    from generate_series(1, 60) g`,
  'create table parts (id int primary key, item_id int not null references items, label text not null)',
  "insert into parts select g, 1 + g % 60, 'part ' || g % 7 from generate_series(1, 120) g",
  'create sequence counter',
  'create view plain_items as select id, grp, at, note, f, n, d from items where id > 0',
  "create view past_items as select * from items where at < now()",
  "create function steady(x text) returns text language sql immutable as $$ select upper(x) || '!' $$",
  "create function steady_pl(x text) returns text language plpgsql as $$ declare y text := x; begin if length(x) > 3 then y := left(x, 200); end if; return y; end $$",
  'create function moment() returns text language sql stable as $$ select now()::text $$',
  "create function stamped(x text) returns text language plpgsql as $$ declare y text; begin y := clock_timestamp()::text; return x || y; end $$",
  "create function lucky(x text, salt double precision default random()) returns text language sql as $$ select x || salt $$",
  "create function ignored(x text) returns int language sql immutable as $$ select 1 $$",
];

/** A view query, with the helper views that it stands on, and the causes that its maker put in. */
export interface Generated {
  readonly setup: readonly string[];
  readonly query: string;
  readonly cause: string;
}

/** Text expressions over a row of items, by what makes them differ. */
const steady = ['id::text', 'grp::text', 'note', 'n::text', "(at at time zone 'UTC')::time::text", "to_char(n, '999.0')", "'x'", 'length(note)::text',
  "extract(epoch from at)::text", "date_trunc('hour', at, 'UTC') = at and true || ''", "(at < now())::text", '(now() is null)::text', "ignored(now()::text)::text",
  "steady(note)", "steady_pl(note)", "(id + ignored(random()::text))::text"].filter(text => !text.includes('and true'));
const origins: Readonly<Record<string, readonly string[]>> = {
  clock: ['now()::text', 'clock_timestamp()::text', 'current_timestamp::text', '(now() - at)::text', 'extract(epoch from clock_timestamp())::text', 'moment()', 'stamped(note)',
    'coalesce(nullif(at, at), clock_timestamp())::text', "'now'::text::timestamptz::text", "age(clock_timestamp(), at)::text", 'localtimestamp::text'],
  day: ['current_date::text', '(current_date - d)::text', "date_trunc('day', now())::date::text", 'now()::date::text'],
  random: ['random()::text', 'gen_random_uuid()::text', 'lucky(note)', '(random() * id)::text', "md5(random()::text)", '(random() < 0.5)::text'],
  sequence: ["nextval('counter')::text"],
  transaction: ['txid_current()::text'],
  session: ["date_trunc('day', at)::date::text", 'at::date::text', 'extract(hour from at)::text', "to_char(at, 'HH24')"],
  physical: ['ctid::text'],
};
/** What passes a taint on. */
const passing: readonly ((x: string) => string)[] = [
  x => `md5(${x})`, x => `('<' || ${x})`, x => `concat(${x}, note)`, x => `coalesce(${x}, 'none')`, x => `case when grp >= 0 then ${x} else 'none' end`,
  x => `upper(${x})`, x => `jsonb_build_object('a', ${x})::text`, x => `(array[${x}])[1]`, x => `(select ${x})`, x => `steady(${x})`, x => `steady_pl(${x})`,
  x => `format('%s', ${x})`, x => `(${x})::varchar::text`, x => `reverse(${x})`, x => `replace(${x}, 'note', 'text')`,
];
/** What ends it. */
const ending: readonly ((x: string) => string)[] = [
  x => `(${x} is null)::text`, x => `length(md5(${x}))::text`, x => `ignored(${x})::text`,
];
const rowChoices: Readonly<Record<string, readonly string[]>> = {
  steady: ['', 'where grp > 0', 'where at < now()', 'where exists (select 1 from parts p where p.item_id = items.id)', "where d < current_date", 'where id in (select item_id from parts)'],
  random: ['where random() < 0.5', 'tablesample bernoulli (50)', 'order by random() limit 9'],
  order: ['limit 9', 'order by at limit 9', 'order by grp desc offset 20'],
  total: ['order by at, id limit 9', 'order by id desc offset 5', 'order by at fetch first 9 rows with ties'],
};
const aggregates: Readonly<Record<string, readonly ((x: string) => string)[]>> = {
  steady: [x => `max(${x})`, x => `string_agg(${x}, ',' order by id)`, x => `min(${x}) || max(${x})`, x => `array_to_string(array_agg(${x} order by at, id), ',')`],
  counting: [x => `count(${x})::text`, () => 'count(*)::text', () => "(count(*) filter (where at < now()))::text", () => 'sum(n)::text'],
  order: [x => `string_agg(${x}, ',')`, x => `array_agg(${x} order by grp)::text`, x => `jsonb_agg(${x})::text`, () => 'sum(f)::text', x => `(array_agg(${x}))[1]`],
};

/** Makes queries of columns `k`, `a` and `b`, all text, by a seed. */
export class DeterminismGenerator {
  readonly #random: () => number;
  #views = 0;

  constructor(seed: number) {
    this.#random = random(seed);
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!;
  }

  /** An expression of a cause, passed on and sometimes ended. */
  #expression(cause: string): string {
    let text = cause === 'steady' ? this.#pick(steady) : this.#pick(origins[cause] ?? steady);
    for (let depth = Math.floor(this.#random() * 4); depth > 0; depth -= 1) text = this.#pick(passing)(text);
    return this.#random() < 0.12 ? this.#pick(ending)(text) : text;
  }

  next(): Generated {
    const cause = this.#pick(['steady', 'steady', 'clock', 'clock', 'day', 'random', 'random', 'sequence', 'transaction', 'session', 'physical', 'rows', 'order']);
    const own = cause === 'rows' || cause === 'order' ? 'steady' : cause;
    const setup: string[] = [];
    const [a, b] = [this.#expression(own), this.#expression('steady')];
    const isGrouped = own !== 'physical' && this.#random() < (cause === 'order' ? 0.5 : 0.25);
    let query: string;
    if (isGrouped) {
      // The greatest of equal values is the same of whichever rows.
      const kind = cause === 'order' ? 'order' : cause === 'rows' ? 'counting' : this.#pick(['steady', 'counting']);
      const rows = cause === 'rows' ? this.#pick(['where random() < 0.5', 'tablesample bernoulli (50)']) : this.#pick(['', 'where at < now()']);
      query = `select grp::text as k, ${this.#pick(aggregates[kind]!)(a)} as a, ${this.#pick(aggregates['counting']!)(b)} as b from items ${rows} group by grp`;
    } else if (cause === 'order' && this.#random() < 0.6) {
      query = this.#pick([
        `select distinct on (grp) grp::text as k, note as a, ${b} as b from items order by grp, at`,
        `select id::text as k, row_number() over (order by at)::text as a, ${b} as b from items`,
        `select id::text as k, first_value(note) over (partition by grp order by d) as a, ${b} as b from items`,
        `select id::text as k, rank() over (order by at)::text as a, row_number() over (order by at, id)::text as b from items`,
        `select i.id::text as k, (select p.label || p.id from parts p where p.item_id = i.id limit 1) as a, 'x' as b from items i`,
        `select i.id::text as k, array(select p.id from parts p where p.item_id = i.id order by p.id)::text as a, 'x' as b from items i`,
        `select distinct on (grp) grp::text as k, note as a, id::text as b from items order by grp, at, id`,
      ]);
    } else {
      const rows = this.#pick(rowChoices[cause === 'rows' ? 'random' : cause === 'order' ? 'order' : this.#pick(['steady', 'steady', 'total'])]!);
      const from = rows.includes('items.id') || rows.startsWith('table') || own === 'physical' ? 'items' : this.#pick(['items', 'items', 'plain_items items', 'past_items items']);
      query = `select id::text as k, ${a} as a, ${b} as b from ${from} ${rows}`;
    }
    return { setup, query: this.#nested(query, setup), cause };
  }

  /** The query behind CTEs, sub-selects and views, up to four deep. */
  #nested(query: string, setup: string[]): string {
    let text = query;
    for (let depth = Math.floor(this.#random() * 5); depth > 0; depth -= 1) {
      const view = `nested_${this.#views += 1}`;
      const kind = this.#pick(['cte', 'sub', 'view', 'union', 'left']);
      if (kind === 'view') setup.push(`create view ${view} as ${text}`);
      text = kind === 'cte' ? `with q as (${text}) select k, a, b from q` : kind === 'sub' ? `select q.k, q.a, q.b from (${text}) q`
        : kind === 'view' ? `select k, a, b from ${view}` : kind === 'union' ? `select k, a, b from (${text}) q union all select 'none', 'none', 'none'`
          : `select q.k, q.a, q.b from (values (1)) one(x) left join (${text}) q on true`;
    }
    return text;
  }
}
