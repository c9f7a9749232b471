import { random } from './history.ts';
import { ending, expressions, passing, type Cause } from './poison-causes.ts';
import { aggregates, chosenRows, keyShapes, layers, pickShapes, type Layer } from './poison-shapes.ts';

/** What a view was made to show, by the part of it that shows it. */
export interface Planted {
  readonly k: Cause;
  readonly a: Cause;
  readonly b: Cause;
  readonly rows: Cause;
  readonly key: Cause;
}

/** A view query of text columns `k`, `a` and `b`, and what it stands on. */
export interface Generated {
  readonly setup: readonly string[];
  readonly query: string;
  readonly indexes: readonly string[];
  /** Materialized views beneath it, refreshed before it. */
  readonly beneath: readonly string[];
  readonly depth: number;
  readonly planted: Planted;
}

type LayerKind = keyof typeof layers;
const layerKinds = Object.keys(layers) as readonly LayerKind[];
const unique: readonly string[] = ['create unique index on q (k)'];
const none: Planted = { k: 'steady', a: 'steady', b: 'steady', rows: 'steady', key: 'steady' };
const ofValues = (Object.keys(expressions) as Cause[]).filter(cause => cause !== 'steady');
/** Each kind of view comes in turn, so that every cause is planted often enough. */
const turns: readonly string[] = [...ofValues, 'order of an aggregate', 'pick by order', 'float sum', 'random rows', 'rows by order', 'rows by place', 'rows by clock', 'rows by day', 'NULL in a key',
  'steady', 'steady', 'order of an aggregate', 'pick by order', 'NULL in a key'];
/** The greatest of several is another one in each refresh. */
const growing: ReadonlySet<Cause> = new Set(['clock', 'sequence', 'transaction']);

/** Makes views by a seed: the same seed makes the same views. */
export class PoisonGenerator {
  readonly #random: () => number;
  #names = 0;
  #turn = 0;

  constructor(seed: number) {
    this.#random = random(seed);
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!;
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  /** An expression of a cause, passed on up to five times and sometimes ended. */
  #expression(cause: Cause, mayEnd = true): readonly [string, Cause] {
    let text = this.#pick(expressions[cause] ?? expressions.steady!);
    for (let depth = Math.floor(this.#random() * 6); depth > 0; depth -= 1) text = this.#pick(passing)(text);
    return mayEnd && this.#chance(0.1) ? [this.#pick(ending)(text), 'steady'] : [text, cause];
  }

  next(): Generated {
    const turn = turns[this.#turn++ % turns.length] as Cause;
    const { query, planted, indexes } = this.#made(turn);
    // A key that can be NULL stays one only where nothing joins it to more.
    return this.around(query, planted, layerKinds.filter(kind => planted.key === 'steady' || layers[kind].keepsKey), indexes);
  }

  /** A query behind CTEs, sub-selects, views and routines, up to five deep. */
  around(query: string, planted: Planted, kinds: readonly LayerKind[] = layerKinds, indexes = unique): Generated {
    const setup: string[] = [];
    const beneath: string[] = [];
    const depth = Math.floor(this.#random() * 6);
    let text = query;
    for (let at = 0; at < depth; at += 1) text = this.#layer(text, kinds, setup, beneath);
    return { setup, query: text, planted, indexes, beneath, depth };
  }

  #layer(query: string, kinds: readonly LayerKind[], setup: string[], beneath: string[]): string {
    const name = `layer_${this.#names += 1}`;
    const layer: Layer = layers[this.#pick(kinds)];
    const made = layer.of(query, name);
    setup.push(...made.setup ?? []);
    if (made.refresh === true) beneath.push(name);
    return made.query;
  }

  #made(turn: Cause): Pick<Generated, 'query' | 'planted' | 'indexes'> {
    if (turn === 'NULL in a key') {
      const { query, indexes = unique } = this.#pick(keyShapes);
      const [b] = this.#expression('steady');
      return { query: query(b), indexes, planted: { ...none, key: turn } };
    }
    if (turn === 'pick by order') {
      const { query, k = 'steady', a = turn } = this.#pick(pickShapes);
      const [b, cause] = this.#expression(k === 'steady' && this.#chance(0.3) ? 'clock' : 'steady');
      return { query: query(b), indexes: unique, planted: { ...none, k, a, b: cause } };
    }
    if (turn === 'order of an aggregate' || turn === 'float sum') {
      const [x] = this.#expression('steady', false);
      const [y, b] = this.#expression(this.#chance(0.3) ? 'clock' : 'steady', false);
      const rows = this.#pick(['', 'where grp >= 0', 'where note is not null and id > 0']);
      return { query: `select grp::text as k, ${this.#pick(aggregates[turn]!)(this.#chance(0.5) ? 'note' : `(note || ${x})`)} as a, max(${y}) as b from items ${rows} group by grp`, indexes: unique,
        planted: { ...none, a: turn, b } };
    }
    const choice = chosenRows[turn];
    if (choice !== undefined) {
      const { from, rows, group = 'grp', single = false } = this.#pick(choice);
      const [a, cause] = from.endsWith('items') ? this.#expression(this.#pick(['steady', 'steady', 'clock', 'random', 'TimeZone'])) : ['id::text', 'steady' as const];
      if (!this.#chance(0.25) || single || rows.includes('order by') || rows.includes('limit') || rows.includes('offset') || !from.endsWith('items')) return { query: `select id::text as k, ${a} as a, 'x' as b from ${from} ${rows}`, indexes: unique,
        planted: { ...none, a: cause, rows: turn } };
      return { query: `select (${group})::text as k, count(*)::text as a, 'x' as b from ${from} ${rows} group by ${group}`, indexes: unique, planted: { ...none, a: turn, rows: turn } };
    }
    return this.#plain(turn);
  }

  #plain(turn: Cause): Pick<Generated, 'query' | 'planted' | 'indexes'> {
    const [a, causeA] = this.#expression(turn);
    const [b, causeB] = this.#expression(this.#chance(0.3) ? this.#pick(ofValues) : 'steady');
    const isPlace = /ctid|xmin|items|tableoid/.test(a + b);
    if ((turn === 'random' || turn === 'sequence') && this.#chance(0.12)) {
      const key = turn === 'random' ? this.#pick(['gen_random_uuid()', 'md5(random()::text || id)', 'uuidv7()']) : "nextval('counter')";
      return { query: `select (${key})::text as k, note as a, n::text as b from items`, indexes: unique, planted: { ...none, k: turn } };
    }
    if (turn === 'physical' && this.#chance(0.1)) return { query: `select ctid::text as k, note as a, n::text as b from items`, indexes: unique, planted: { ...none, k: turn } };
    if (this.#chance(0.25) && growing.has(causeA) && causeB === 'steady' && !isPlace) {
      return { query: `select grp::text as k, max(${a}) as a, string_agg(${b}, ',' order by id) as b from items group by grp`, indexes: unique, planted: { ...none, a: causeA } };
    }
    if (this.#chance(0.2) && !isPlace) {
      const [first, second] = [this.#pick(aggregates.steady!), this.#pick(aggregates.steady!)];
      return { query: `select grp::text as k, ${first(a)} as a, ${second(b)} as b from items group by grp`, indexes: unique, planted: { ...none, a: causeA, b: causeB } };
    }
    const rows = this.#pick(['', '', '', 'where grp > 0', 'where exists (select from parts p where p.item_id = items.id)', 'where id in (select item_id from parts)',
      'order by at, id limit 40', 'order by id desc offset 5', 'order by at fetch first 40 rows with ties']);
    const from = isPlace ? 'items' : this.#pick(['items', 'items', 'plain_items items', '(select * from items) items', 'items items join (select distinct item_id from parts) p on p.item_id = items.id']);
    const text = `select id::text as k, ${a} as a, ${b} as b from ${from} ${rows}`;
    return { query: text, indexes: unique, planted: { ...none, a: causeA, b: causeB } };
  }
}
