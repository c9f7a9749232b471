import { random } from './history.ts';

/** A query with a key that it has by the way it is made, whatever rows the constraints allow. */
export interface Constructed {
  readonly sql: string;
  readonly key: readonly string[];
  /** Every way of making that it went through. */
  readonly shapes: readonly string[];
}

interface Column {
  readonly name: string;
  readonly type: 'integer' | 'text';
  /** The relation and column that its values come from. */
  readonly of?: string;
  readonly notNull?: true;
}
interface Made extends Constructed {
  readonly columns: readonly Column[];
}

/** Relations with their columns (`!`: never NULL) and their keys. */
const relations: Readonly<Record<string, { readonly columns: string; readonly keys: readonly string[]; readonly where?: string }>> = {
  region: { columns: 'id! code:t! name:t', keys: ['id', 'code'] },
  customer: { columns: 'id! email:t region_id tier:t!', keys: ['id'] },
  'customer with an address': { columns: 'id! email:t! region_id tier:t!', keys: ['id', 'email'], where: 'customer where email is not null' },
  product: { columns: 'sku:t! edition! title:t! alias:t', keys: ['sku edition'] },
  'product with an alias': { columns: 'sku:t! edition! title:t! alias:t!', keys: ['sku edition', 'alias'], where: 'product where alias is not null' },
  orders: { columns: 'id! customer_id! status:t! qty ref:t!', keys: ['id', 'ref'] },
  'active orders': { columns: 'id! customer_id! status:t! qty ref:t!', keys: ['id', 'ref', 'customer_id'], where: 'orders where active' },
  line: { columns: 'order_id! n! sku:t! edition! qty', keys: ['order_id n'] },
  profile: { columns: 'customer_id! bio:t score', keys: ['customer_id'] },
  slot: { columns: 'a b c:t!', keys: ['a b'] },
  'only animal': { columns: 'id! name:t!', keys: ['id'] },
  dog: { columns: 'id! name:t! breed:t', keys: ['id'] },
  event: { columns: 'id! at! kind:t', keys: ['id at'] },
  event_low: { columns: 'id! at! kind:t', keys: ['id at'] },
  totals: { columns: 'customer_id! n! total', keys: ['customer_id'] },
  order_lines: { columns: 'id! n! sku:t! edition! status:t!', keys: ['id n'] },
  latest: { columns: 'customer_id! id! status:t!', keys: ['customer_id'] },
};
/** Columns that name one row of another relation. */
const links: Readonly<Record<string, readonly [string, string]>> = {
  'customer.region_id': ['region', 'id'], 'orders.customer_id': ['customer', 'id'], 'line.order_id': ['orders', 'id'], 'profile.customer_id': ['customer', 'id'],
  'totals.customer_id': ['profile', 'customer_id'], 'order_lines.id': ['orders', 'id'], 'latest.customer_id': ['totals', 'customer_id'], 'dog.id': ['only animal', 'id'],
  'slot.a': ['region', 'id'], 'customer.id': ['profile', 'customer_id'], 'orders.id': ['dog', 'id'],
};
/** Columns that many rows of another relation name. */
const many: readonly (readonly [string, string, string])[] = [['orders.id', 'line', 'order_id'], ['customer.id', 'orders', 'customer_id'], ['region.id', 'customer', 'region_id'],
  ['orders.id', 'order_lines', 'id'], ['only animal.id', 'event', 'id']];

const columnsOf = (name: string): readonly Column[] => relations[name]!.columns.split(' ').map(item => {
  const [, column = '', type, sure] = /^(\w+)(:t)?(!)?$/.exec(item)!;
  const table = relations[name]!.where?.split(' ')[0] ?? name;
  return { name: column, type: type === undefined ? 'integer' : 'text', of: `${table}.${column}`, ...(sure === undefined ? {} : { notNull: true as const }) };
});
const sourceOf = (name: string): string => relations[name]!.where ?? name;

/** Makes queries whose key is known by construction: a relation with a key, and up to four ways of making one query of another. */
export class KeyShapes {
  readonly #next: () => number;
  #serial = 0;

  constructor(seed: number) {
    this.#next = random(seed);
  }

  #upTo(limit: number): number {
    return Math.floor(this.#next() * limit);
  }
  #pick<T>(list: readonly T[]): T {
    return list[this.#upTo(list.length)] as T;
  }
  #name(letter: string): string {
    return `${letter}${(this.#serial += 1)}`;
  }

  query(): Constructed {
    let made = this.#relation();
    for (let depth = 1 + this.#upTo(4); depth > 0; depth -= 1) {
      const kinds = Object.entries(this.#ways);
      for (let tries = 0; tries < 20; tries += 1) {
        const [name, way] = this.#pick(kinds);
        const next = way(made);
        if (next === undefined) continue;
        made = { ...next, shapes: [...made.shapes, name] };
        break;
      }
    }
    return made;
  }

  /** Columns get names of their own, so that joins need no renaming. */
  #relation(): Made {
    const name = this.#pick(Object.keys(relations));
    const key = this.#pick(relations[name]!.keys).split(' ');
    const columns = columnsOf(name).map(column => ({ ...column, name: this.#name('c'), was: column.name }));
    const sql = `select ${columns.map(column => `${column.was} as ${column.name}`).join(', ')} from ${sourceOf(name)}`;
    return { sql, columns, key: key.map(item => columns.find(column => column.was === item)!.name), shapes: [relations[name]!.where === undefined ? 'relation' : 'relation under a condition'] };
  }

  /** The columns as a list, the key among them, some left out. */
  #kept({ columns, key }: Made): readonly Column[] {
    const kept = columns.filter(column => key.includes(column.name) || this.#next() < 0.8);
    return kept.length === 0 ? columns : kept;
  }

  readonly #ways: Readonly<Record<string, (made: Made) => Made | undefined>> = {
    'sub-select': made => this.#listed(made, `(${made.sql}) q`),
    'CTE': made => {
      const list = this.#kept(made);
      return { ...made, columns: list, sql: `with w as (${made.sql}) select ${list.map(({ name }) => name).join(', ')} from w` };
    },
    'renamed': made => {
      const names = new Map(made.columns.map(({ name }) => [name, this.#name('r')]));
      return { ...made, columns: made.columns.map(column => ({ ...column, name: names.get(column.name)! })), key: made.key.map(name => names.get(name)!),
        sql: `select ${made.columns.map(({ name }) => `${name} as ${names.get(name)!}`).join(', ')} from (${made.sql}) q` };
    },
    'cast': made => {
      const at = made.columns.findIndex(({ name, type }) => made.key.includes(name) && type === 'integer');
      if (at < 0) return undefined;
      const to = this.#pick(['text', 'bigint', 'numeric', 'varchar']);
      const columns = made.columns.map((column, index): Column => (index !== at ? column : { name: column.name, type: to === 'text' || to === 'varchar' ? 'text' : 'integer',
        ...(column.notNull === undefined ? {} : { notNull: true as const }) }));
      return { ...made, columns, sql: `select ${made.columns.map(({ name }, index) => (index === at ? `${name}::${to} as ${name}` : name)).join(', ')} from (${made.sql}) q` };
    },
    'filter': made => {
      const { name, type } = this.#pick(made.columns);
      const test = type === 'integer' ? this.#pick([`${name} > 1`, `${name} in (1, 2, 3)`, `${name} <> 2`]) : this.#pick([`${name} > 'A'`, `${name} is not null`, `${name} like '%a%' or ${name} <> 'b'`]);
      return this.#listed(made, `(${made.sql}) q where ${test}`);
    },
    'filter by EXISTS': made => {
      const column = made.columns.find(({ type }) => type === 'integer');
      if (column === undefined) return undefined;
      return this.#listed(made, `(${made.sql}) q where ${this.#pick(['exists', 'not exists'])} (select from orders o where o.customer_id = q.${column.name})`);
    },
    'filter by IN': made => {
      const column = made.columns.find(({ type }) => type === 'integer');
      return column && this.#listed(made, `(${made.sql}) q where ${column.name} in (select id from customer)`);
    },
    'part of the key fixed': made => {
      if (made.key.length < 2) return undefined;
      const fixed = made.columns.find(({ name, type }) => made.key.includes(name) && type === 'integer' );
      if (fixed === undefined) return undefined;
      return { ...this.#listed(made, `(${made.sql}) q where ${fixed.name} = 1`), key: made.key.filter(name => name !== fixed.name) };
    },
    'join of one row': made => this.#toOne(made, 'join'),
    'left join of one row': made => this.#toOne(made, 'left join'),
    'comma join of one row': made => this.#toOne(made, ','),
    'join USING': made => {
      const found = this.#linked(made);
      if (found === undefined) return undefined;
      const { column, target, on } = found;
      const [x] = [this.#name('x')];
      return { ...made, sql: `select q.*, t.${x} from (${made.sql}) q ${this.#pick(['join', 'left join'])} (select ${on} as ${column.name}, ${this.#other(target, on)} as ${x} from ${sourceOf(target)}) t using (${column.name})`,
        columns: [...made.columns, { name: x, type: columnsOf(target).find(({ name }) => name === this.#lastOther)!.type }] };
    },
    'join of many rows': made => this.#toMany(made, 'join'),
    'left join of many rows': made => this.#toMany(made, 'left join'),
    'cross join': made => {
      const [g] = [this.#name('g')];
      return { ...made, key: [...made.key, g], columns: [...made.columns, { name: g, type: 'integer', notNull: true }],
        sql: `select q.*, s.${g} from (${made.sql}) q cross join ${this.#pick([`generate_series(1, 3) s(${g})`, `(select id as ${g} from region) s`, `unnest(array['a', 'b']) with ordinality s(v, ${g})`])}` };
    },
    'full join USING': made => {
      const [key, ...others] = made.key;
      const column = made.columns.find(({ name }) => name === key);
      if (key === undefined || others.length > 0 || column?.type !== 'integer' || column.notNull === undefined) return undefined;
      const x = this.#name('x');
      return { ...made, columns: [column, { name: x, type: 'text' }], sql: `select ${key}, t.${x} from (${made.sql}) q full join (select id as ${key}, name as ${x} from region) t using (${key})` };
    },
    'full join': made => {
      const [key, ...others] = made.key;
      const column = made.columns.find(({ name }) => name === key);
      if (key === undefined || others.length > 0 || column?.type !== 'integer' || column.notNull === undefined) return undefined;
      const [x, y] = [this.#name('x'), this.#name('x')];
      return this.#next() < 0.5
        ? { ...made, columns: [{ name: key, type: 'integer' }, { name: y, type: 'integer' }], key: [key, y], sql: `select q.${key}, t.id as ${y} from (${made.sql}) q full join region t on t.id = q.${key}` }
        : { ...made, columns: [{ name: x, type: 'integer', notNull: true }], key: [x], sql: `select coalesce(q.${key}, t.id) as ${x} from (${made.sql}) q full join region t on t.id = q.${key}` };
    },
    'self join': made => {
      const list = made.columns.map(({ name }) => `a.${name}`).join(', ');
      if (made.key.length === 0 || made.key.some(name => made.columns.find(column => column.name === name)!.notNull === undefined)) return undefined;
      return { ...made, sql: `with w as (${made.sql}) select ${list} from w a join w b on ${made.key.map(name => `a.${name} = b.${name}`).join(' and ')}` };
    },
    'GROUP BY': made => this.#grouped(made, ''),
    'GROUP BY with HAVING': made => this.#grouped(made, ' having count(*) > 1'),
    'GROUP BY an expression': made => {
      const column = made.columns.find(({ type }) => type === 'text');
      const e = this.#name('e');
      return column && { ...made, key: [e], columns: [{ name: e, type: 'text' }, { name: 'n', type: 'integer', notNull: true }], sql: `select lower(${column.name}) as ${e}, count(*) as n from (${made.sql}) q group by ${this.#pick([`lower(${column.name})`, '1', e])}` };
    },
    'GROUP BY behind a join': made => {
      const found = this.#linked(made);
      if (found === undefined) return undefined;
      const { column, target, on } = found;
      return { ...made, key: [column.name], columns: [column, { name: 'n', type: 'integer', notNull: true }], sql: `select ${column.name}, count(*) as n from (${made.sql}) q join ${sourceOf(target).split(' ')[0] === 'only' ? sourceOf(target) : sourceOf(target).split(' ')[0]!} t on t.${on} = q.${column.name} group by ${column.name}` };
    },
    'ROLLUP with GROUPING': made => {
      const by = made.columns.filter(({ notNull }) => notNull === true).slice(0, 2);
      if (by.length < 2) return undefined;
      const [g, names] = [this.#name('g'), by.map(({ name }) => name)];
      return { ...made, key: [...names, g], columns: [...by.map(({ name, type }) => ({ name, type })), { name: g, type: 'integer' as const, notNull: true as const }],
        sql: `select ${names.join(', ')}, grouping(${names.join(', ')}) as ${g} from (${made.sql}) q group by ${this.#pick(['rollup', 'cube'])} (${names.join(', ')})` };
    },
    'one row': made => {
      const n = this.#name('n');
      return { ...made, key: [], columns: [{ name: n, type: 'integer', notNull: true }], sql: this.#pick([`select count(*)::int as ${n} from (${made.sql}) q`, `select ${made.columns[0]!.name} as ${n} from (${made.sql}) q limit 1`]) };
    },
    'DISTINCT': made => {
      const list = made.columns.filter(() => this.#next() < 0.6);
      return list.length === 0 ? undefined : { ...made, columns: list, key: list.map(({ name }) => name), sql: `select distinct ${list.map(({ name }) => name).join(', ')} from (${made.sql}) q` };
    },
    'DISTINCT ON': made => {
      const { name } = this.#pick(made.columns);
      return { ...made, key: [name], sql: `select distinct on (${name}) ${made.columns.map(column => column.name).join(', ')} from (${made.sql}) q order by ${name}${this.#next() < 0.5 ? '' : `, ${this.#pick(made.columns).name} desc`}` };
    },
    'row number': made => {
      const rn = this.#name('n');
      return { ...made, key: [rn], columns: [...made.columns, { name: rn, type: 'integer', notNull: true }], sql: `select *, row_number() over (${this.#pick(['', `order by ${this.#pick(made.columns).name}`])}) as ${rn} from (${made.sql}) q` };
    },
    'row number of a group': made => {
      const [rn, { name }] = [this.#name('n'), this.#pick(made.columns)];
      return { ...made, key: [name, rn], columns: [...made.columns, { name: rn, type: 'integer', notNull: true }],
        sql: `select *, row_number() over (partition by ${name} order by ${this.#pick(made.columns).name}) as ${rn} from (${made.sql}) q` };
    },
    'first of a group': made => {
      const [rn, { name }] = [this.#name('n'), this.#pick(made.columns)];
      return { ...made, key: [name], sql: `select ${made.columns.map(column => column.name).join(', ')} from (select *, row_number() over (partition by ${name} order by ${this.#pick(made.columns).name}) as ${rn} from (${made.sql}) q) r where ${rn} ${this.#pick(['= 1', '= 2', '<= 1', '< 2'])}` };
    },
    'UNION': made => this.#set(made, 'union', names => names),
    'INTERSECT': made => this.#set(made, 'intersect', names => names),
    'EXCEPT': made => this.#set(made, 'except', () => made.key),
    'EXCEPT ALL': made => this.#set(made, 'except all', () => made.key),
    'INTERSECT ALL': made => this.#set(made, 'intersect all', () => made.key),
    'UNION ALL with a mark': made => {
      const [m, names] = [this.#name('m'), made.columns.map(({ name }) => name).join(', ')];
      return { ...made, key: [m, ...made.key], columns: [{ name: m, type: 'text', notNull: true }, ...made.columns.map(({ name, type, notNull }) => ({ name, type, ...(notNull === undefined ? {} : { notNull }) }))],
        sql: `select 'x' as ${m}, ${names} from (${made.sql}) q union all select 'y', ${names} from (${made.sql}) q` };
    },
    'UNION ALL of disjoint parts': made => {
      const column = made.columns.find(({ name, type }) => type === 'text' && !made.key.includes(name));
      const names = made.columns.map(({ name }) => name).join(', ');
      return column && { ...made, key: [column.name, ...made.key], sql: `select ${names} from (${made.sql}) q where ${column.name} = 'a' union all select ${names} from (${made.sql}) q where ${column.name} = 'b'` };
    },
    'lateral first row': made => {
      const column = made.columns.find(({ type }) => type === 'integer');
      const x = this.#name('x');
      return column && { ...made, columns: [...made.columns, { name: x, type: 'text' }],
        sql: `select q.*, l.${x} from (${made.sql}) q ${this.#pick(['join', 'left join'])} lateral (select o.ref as ${x} from orders o where o.customer_id = q.${column.name} order by o.id limit 1) l on true` };
    },
    'lateral sum': made => {
      const column = made.columns.find(({ type }) => type === 'integer');
      const x = this.#name('x');
      return column && { ...made, columns: [...made.columns, { name: x, type: 'integer' }], sql: `select q.*, l.${x} from (${made.sql}) q, lateral (select sum(o.qty)::int as ${x} from orders o where o.customer_id = q.${column.name}) l` };
    },
    'join of groups': made => {
      const column = made.columns.find(({ type }) => type === 'integer');
      const x = this.#name('x');
      return column && { ...made, columns: [...made.columns, { name: x, type: 'integer' }],
        sql: `select q.*, g.${x} from (${made.sql}) q ${this.#pick(['join', 'left join'])} (select customer_id, count(*)::int as ${x} from orders group by customer_id) g on g.customer_id = q.${column.name}` };
    },
    'scalar sub-select': made => {
      const x = this.#name('x');
      return { ...made, columns: [...made.columns, { name: x, type: 'text' }], sql: `select *, (select max(code) from region) as ${x} from (${made.sql}) q` };
    },
    'ORDER BY and LIMIT': made => ({ ...made, sql: `select * from (${made.sql}) q order by ${made.columns[0]!.name} ${this.#pick(['limit 20', 'offset 1', 'limit 30 offset 1', ''])}` }),
    'window beside': made => {
      const x = this.#name('x');
      return { ...made, columns: [...made.columns, { name: x, type: 'integer' }], sql: `select *, ${this.#pick(['count(*) over ()', `rank() over (order by ${made.columns[0]!.name})`, `count(*) over (partition by ${made.columns[0]!.name})`])} as ${x} from (${made.sql}) q` };
    },
    'latest of a group': made => {
      const [by] = [this.#pick(made.columns)];
      const id = made.columns.find(({ name, type, notNull }) => made.key.length === 1 && name === made.key[0] && type === 'integer' && notNull === true);
      if (id === undefined || by.name === id.name) return undefined;
      return { ...made, key: [by.name], sql: `with w as (${made.sql}) select * from w where (${by.name}, ${id.name}) in (select ${by.name}, max(${id.name}) from w group by ${by.name})` };
    },
  };

  #lastOther = '';
  #other(target: string, on: string): string {
    this.#lastOther = this.#pick(columnsOf(target).filter(({ name }) => name !== on)).name;
    return this.#lastOther;
  }

  #listed(made: Made, from: string): Made {
    const list = this.#kept(made);
    return { ...made, columns: list, sql: `select ${list.map(({ name }) => name).join(', ')} from ${from}` };
  }

  #linked(made: Made): { readonly column: Column; readonly target: string; readonly on: string } | undefined {
    const found = made.columns.filter(({ of }) => of !== undefined && links[of] !== undefined);
    if (found.length === 0) return undefined;
    const column = this.#pick(found);
    const [target, on] = links[column.of!]!;
    return { column, target, on };
  }

  #toOne(made: Made, join: string): Made | undefined {
    const found = this.#linked(made);
    if (found === undefined) return undefined;
    const { column, target, on } = found;
    const columns = columnsOf(target).map(({ name, type, of }) => ({ name: this.#name('j'), type, of, was: name }));
    const shown = columns.filter(() => this.#next() < 0.5);
    const list = [...made.columns.map(({ name }) => `q.${name}`), ...shown.map(({ name, was }) => `t.${was} as ${name}`)].join(', ');
    return { ...made, columns: [...made.columns, ...shown.map(({ name, type, of }) => ({ name, type, ...(of === undefined ? {} : { of }) }))],
      sql: `select ${list} from (${made.sql}) q${join === ',' ? ', ' : ` ${join} `}${target} t ${join === ',' ? 'where' : 'on'} t.${on} = q.${column.name}` };
  }

  #toMany(made: Made, join: string): Made | undefined {
    const options = many.flatMap(([from, target, on]) => made.columns.filter(({ of }) => of === from).map(column => ({ column, target, on })));
    if (options.length === 0) return undefined;
    const { column, target, on } = this.#pick(options);
    const columns = columnsOf(target).map(({ name, type, of, notNull }) => ({ name: this.#name('j'), type, of, was: name, notNull }));
    const theirs = relations[target]!.keys[0]!.split(' ').map(name => columns.find(({ was }) => was === name)!.name);
    const list = [...made.columns.map(({ name }) => `q.${name}`), ...columns.map(({ name, was }) => `t.${was} as ${name}`)].join(', ');
    return { ...made, key: [...made.key, ...theirs], columns: [...made.columns, ...columns.map(({ name, type, of, notNull }) => ({ name, type, ...(of === undefined ? {} : { of }),
      ...(join === 'join' && notNull === true ? { notNull } : {}) }))], sql: `select ${list} from (${made.sql}) q ${join} ${target} t on t.${on} = q.${column.name}` };
  }

  #grouped(made: Made, having: string): Made {
    const by = made.columns.filter(() => this.#next() < 0.4);
    const list = by.length === 0 ? [made.columns[0]!] : by;
    const [names, n] = [list.map(({ name }) => name), this.#name('n')];
    return { ...made, key: names, columns: [...list, { name: n, type: 'integer', notNull: true }], sql: `select ${names.join(', ')}, ${this.#pick(['count(*)', 'count(*)::int'])} as ${n} from (${made.sql}) q group by ${names.join(', ')}${having}` };
  }

  #set(made: Made, operation: string, key: (names: readonly string[]) => readonly string[]): Made | undefined {
    const names = made.columns.map(({ name }) => name);
    const other = made.columns.map(({ type }) => (type === 'text' ? 'code' : 'id')).join(', ');
    // Bigint and numeric take integers in.
    return { ...made, key: key(names), columns: made.columns.map(({ name, type }) => ({ name, type })), sql: `select ${names.join(', ')} from (${made.sql}) q ${operation} select ${other} from region` };
  }
}
