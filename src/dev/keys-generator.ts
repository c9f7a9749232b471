import { random } from './history.ts';
import { links, tables, type ColumnType, type KnownColumn } from './keys-schema.ts';

interface Made {
  readonly sql: string;
  readonly columns: readonly KnownColumn[];
}

/** A column as it can be named in a query, and the table that it is of, if any. */
interface Seen extends KnownColumn {
  readonly ref: string;
  readonly table?: string;
  readonly alias: string;
}

/** Makes queries for the keys oracle: every shape that can keep, make or break a key. The same seed makes the same queries. */
export class KeysGenerator {
  readonly #next: () => number;
  #serial = 0;

  constructor(seed: number) {
    this.#next = random(seed);
  }

  query(): string {
    return this.#select(0).sql;
  }

  #chance(share: number): boolean {
    return this.#next() < share;
  }
  #upTo(limit: number): number {
    return Math.floor(this.#next() * limit);
  }
  #pick<T>(list: readonly T[]): T {
    return list[this.#upTo(list.length)] as T;
  }
  #some<T>(list: readonly T[], count: number): readonly T[] {
    const rest = [...list];
    return Array.from({ length: Math.min(count, rest.length) }, () => rest.splice(this.#upTo(rest.length), 1)[0] as T);
  }
  #name(letter: string): string {
    return `${letter}${(this.#serial += 1)}`;
  }

  #select(depth: number): Made {
    const kind = this.#next();
    if (depth < 2 && kind < 0.12) return this.#setOperation(depth);
    if (depth < 2 && kind < 0.18) return this.#withCte(depth);
    return this.#plain(depth);
  }

  #setOperation(depth: number): Made {
    const operation = this.#pick(['union', 'union all', 'union all', 'intersect', 'except', 'except all', 'intersect all']);
    const types = Array.from({ length: 1 + this.#upTo(3) }, () => this.#pick<ColumnType>(['integer', 'integer', 'text']));
    const marked = this.#chance(0.4);
    const branch = (at: number): string => {
      const made = this.#typed(types, depth + 1);
      return `select ${[...(marked ? [`'${'xyz'[at]}' as src`] : []),
        ...made.columns.map((column, index) => `${column.name} as c${index + 1}`)].join(', ')} from (${made.sql}) ${this.#name('b')}`;
    };
    const simple = (at: number): string => {
      const table = this.#pick(Object.keys(tables).filter(name => types.every(type => tables[name]!.some(column => column.type === type))));
      const columns = types.map(type => this.#pick(tables[table]!.filter(column => column.type === type)).name);
      return `select ${[...(marked ? [`'${'xyz'[at]}' as src`] : []), ...columns.map((name, index) => `${name} as c${index + 1}`)].join(
        ', ')} from ${table}`;
    };
    const arms = Array.from({ length: this.#chance(0.2) ? 3 : 2 }, (_, at) => (this.#chance(0.6) ? simple(at) : branch(at)));
    const columns = [...(marked ? [{ name: 'src', type: 'text' as const }] : []),
      ...types.map((type, index) => ({ name: `c${index + 1}`, type }))];
    return { sql: arms.join(` ${operation} `), columns };
  }

  /** A query with columns of these types. */
  #typed(types: readonly ColumnType[], depth: number): Made {
    for (let tries = 0; tries < 20; tries += 1) {
      const made = this.#plain(depth);
      const rest = [...made.columns];
      const found = types.map(type => {
        const at = rest.findIndex(column => column.type === type);
        return at < 0 ? undefined : rest.splice(at, 1)[0];
      });
      if (found.every(column => column !== undefined)) return { sql: made.sql, columns: found };
    }
    return { sql: `select ${types.map((type, at) => (type === 'text' ? `code as k${at}` : `id as k${at}`)).join(', ')} from region`,
      columns: types.map((type, at) => ({ name: `k${at}`, type })) };
  }

  #withCte(depth: number): Made {
    const inner = this.#select(depth + 1);
    const name = this.#name('w');
    const [a, b] = [this.#name('x'), this.#name('y')];
    const column = this.#pick(inner.columns);
    if (this.#chance(0.5)) return { sql: `with ${name} as (${inner.sql}) select * from ${name}`, columns: inner.columns };
    return {
      sql: `with ${name} as (${inner.sql}) select ${inner.columns.map(item => `${a}.${item.name}`).join(
        ', ')}, ${b}.${column.name} as other from ${name} ${a} join ${name} ${b} on ${a}.${column.name} = ${b}.${column.name}`,
      columns: [...inner.columns, { name: 'other', type: column.type }],
    };
  }

  /** FROM with its joins, and what can be named in it. */
  #from(depth: number): { readonly sql: string; readonly seen: readonly Seen[] } {
    const first = this.#item(depth);
    let { sql } = first;
    let seen: readonly Seen[] = first.seen;
    const joins = this.#pick([0, 0, 1, 1, 1, 2]);
    for (let at = 0; at < joins; at += 1) {
      const linked = this.#chance(0.75) ? this.#linked(seen) : undefined;
      if (linked !== undefined) {
        sql = `${sql} ${linked.sql}`;
        seen = [...seen, ...linked.seen];
        continue;
      }
      if (this.#chance(0.3)) {
        const lateral = this.#lateral(seen);
        if (lateral !== undefined) {
          sql = `${sql} ${lateral.sql}`;
          seen = [...seen, ...lateral.seen];
          continue;
        }
      }
      const other = this.#item(depth);
      const kind = this.#pick(['join', 'join', 'left join', 'right join', 'full join', 'cross join']);
      const condition = this.#joinCondition(seen, other.seen, kind);
      sql = kind === 'cross join' || condition === undefined ? `${sql} cross join ${other.sql}`
        : `${sql} ${kind} ${other.sql} on ${condition}`;
      seen = [...seen, ...other.seen];
    }
    return { sql, seen };
  }

  #item(depth: number): { readonly sql: string; readonly seen: readonly Seen[] } {
    const alias = this.#name('t');
    if (depth < 2 && this.#chance(0.2)) {
      const inner = this.#select(depth + 1);
      return { sql: `(${inner.sql}) ${alias}`, seen: inner.columns.map(column => ({ ...column, ref: `${alias}.${column.name}`, alias })) };
    }
    if (this.#chance(0.06)) {
      const [sql, columns] = this.#pick<readonly [string, readonly KnownColumn[]]>([
        [`generate_series(1, 3) ${alias}(g)`, [{ name: 'g', type: 'integer' }]],
        [`(values (1, 'a'), (2, 'b'), (3, 'a')) ${alias}(v, w)`, [{ name: 'v', type: 'integer' }, { name: 'w', type: 'text' }]],
        [`unnest(array[1, 1, 2]) with ordinality ${alias}(u, o)`, [{ name: 'u', type: 'integer' }]],
      ]);
      return { sql, seen: columns.map(column => ({ ...column, ref: `${alias}.${column.name}`, alias })) };
    }
    return this.#table(this.#pick(Object.keys(tables)), alias);
  }

  #table(table: string, alias: string): { readonly sql: string; readonly seen: readonly Seen[] } {
    return { sql: `${table} ${alias}`, seen: tables[table]!.map(column => ({ ...column, ref: `${alias}.${column.name}`, alias, table })) };
  }

  /** A join along a foreign key, from either end, perhaps only by a part of it. */
  #linked(seen: readonly Seen[]): { readonly sql: string; readonly seen: readonly Seen[] } | undefined {
    const from = this.#pick(seen);
    const found = links.flatMap(([a, x, b, y]) => [...(a === from.table ? [[x, b, y] as const] : []),
      ...(b === from.table ? [[y, a, x] as const] : [])]);
    if (found.length === 0) return undefined;
    const [mine, table, theirs] = this.#pick(found);
    const item = this.#table(table, this.#name('t'));
    const alias = item.seen[0]!.alias;
    const pairs = mine.map((name, at) => `${from.alias}.${name} = ${alias}.${theirs[at]!}`);
    const used = this.#chance(0.15) ? pairs.slice(0, 1) : pairs;
    const kind = this.#pick(['join', 'join', 'join', 'left join', 'left join', 'right join', 'full join']);
    const extra = this.#chance(0.15) && kind !== 'full join' ? ` and ${this.#condition(item.seen)}` : '';
    return { sql: `${kind} ${item.sql} on ${used.join(' and ')}${extra}`, seen: item.seen };
  }

  #lateral(seen: readonly Seen[]): { readonly sql: string; readonly seen: readonly Seen[] } | undefined {
    const alias = this.#name('l');
    const list = seen.filter(column => column.type === 'integer[]');
    if (list.length > 0 && this.#chance(0.5)) {
      const ordinal = this.#chance(0.5);
      const seenHere: readonly Seen[] = [{ name: 'u', type: 'integer', ref: `${alias}.u`, alias },
        ...(ordinal ? [{ name: 'o', type: 'integer' as const, ref: `${alias}.o`, alias }] : [])];
      return { sql: `cross join unnest(${list[0]!.ref})${ordinal ? ' with ordinality' : ''} ${alias}(u${ordinal ? ', o' : ''})`,
        seen: seenHere };
    }
    const table = this.#pick(['orders', 'line', 'memo', 'profile']);
    const inner = this.#table(table, this.#name('t'));
    const mine = this.#pick(inner.seen.filter(column => column.type === 'integer'));
    const theirs = seen.filter(column => column.type === 'integer');
    if (theirs.length === 0) return undefined;
    const shown = this.#some(inner.seen.filter(column => column.type !== 'integer[]'), 2);
    const tail = this.#pick(['', ` order by ${inner.seen[0]!.ref} limit 1`, ` order by ${inner.seen[0]!.ref} limit 1`, ' limit 2']);
    const kind = this.#pick(['left join lateral', 'cross join lateral']);
    return {
      sql: `${kind} (select ${shown.map(column => column.ref).join(', ')} from ${inner.sql} where ${mine.ref} = ${this.#pick(
        theirs).ref}${tail}) ${alias}${kind.startsWith('left') ? ' on true' : ''}`,
      seen: shown.map(column => ({ name: column.name, type: column.type, ref: `${alias}.${column.name}`, alias })),
    };
  }

  #joinCondition(left: readonly Seen[], right: readonly Seen[], kind: string): string | undefined {
    const pairs = left.flatMap(a => right.flatMap(b => (a.type === b.type && a.type !== 'integer[]' ? [[a, b] as const] : [])));
    if (pairs.length === 0) return undefined;
    const [a, b] = this.#pick(pairs);
    const operator = kind === 'full join' || this.#chance(0.85) ? '=' : this.#pick(['<', '>=', '<>']);
    return `${a.ref} ${operator} ${b.ref}`;
  }

  #condition(seen: readonly Seen[]): string {
    const usable = seen.filter(column => column.type !== 'integer[]');
    const column = this.#pick(usable.length === 0 ? seen : usable);
    const { ref, type } = column;
    if (type === 'integer[]') return `${ref} is not null`;
    if (type === 'boolean') return this.#pick([ref, `not ${ref}`, `${ref} = true`, `${ref} is true`]);
    const constant = type === 'text' ? this.#pick([`'a'`, `'b'`]) : this.#pick(['1', '2']);
    const same = usable.filter(other => other.type === type && other.ref !== ref);
    switch (this.#upTo(10)) {
      case 0: case 1: case 2: return `${ref} = ${constant}`;
      case 3: return `${ref} is not null`;
      case 4: return this.#chance(0.3) ? `${ref} is null` : `${ref} ${this.#pick(['>', '<=', '<>'])} ${constant}`;
      case 5: return `${ref} in (${constant}${this.#chance(0.6) ? `, ${type === 'text' ? `'c'` : '3'}` : ''})`;
      case 6: return same.length === 0 ? `${ref} = ${constant}` : `${ref} = ${this.#pick(same).ref}`;
      case 7: return `(${ref} = ${constant} or ${this.#pick(usable).ref} is not null)`;
      case 8: {
        const inner = this.#table(this.#pick(['orders', 'line', 'profile', 'memo']), this.#name('e'));
        const mate = inner.seen.filter(other => other.type === type);
        return mate.length === 0 ? `${ref} is not null`
          : `${this.#pick(['exists', 'not exists'])} (select from ${inner.sql} where ${this.#pick(mate).ref} = ${ref})`;
      }
      default: return type === 'text' ? `${ref} like 'a%'` : `${ref} between 1 and ${this.#pick(['1', '3'])}`;
    }
  }

  #plain(depth: number): Made {
    const from = this.#from(depth);
    const usable = from.seen.filter(column => column.type !== 'integer[]');
    const seen = usable.length === 0 ? from.seen : usable;
    const conditions = Array.from({ length: this.#pick([0, 0, 0, 1, 1, 2]) }, () => this.#condition(from.seen));
    const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
    const kind = this.#next();
    if (kind < 0.22) return this.#grouped(from.sql, where, seen);
    const outputs = this.#outputs(from.seen, seen);
    const list = outputs.map(([sql, column]) => `${sql} as ${column.name}`).join(', ');
    const columns = outputs.map(([, column]) => column);
    if (kind < 0.32) return { sql: `select distinct ${list} from ${from.sql}${where}`, columns };
    if (kind < 0.37) {
      const on = this.#some(columns.slice(0, 3), 1 + this.#upTo(2)).map(column => column.name);
      return { sql: `select distinct on (${on.join(', ')}) ${list} from ${from.sql}${where}`, columns };
    }
    if (kind < 0.45) {
      const by = this.#some(seen, this.#upTo(2)).map(column => column.ref);
      const window = this.#pick(['row_number()', 'row_number()', 'rank()']);
      const ranked = `select ${list}, ${window} over (${by.length === 0 ? ''
        : `partition by ${by.join(', ')} `}order by ${this.#pick(seen).ref}) as rn${by.map((ref, at) => `, ${ref} as p${at}`).join(
          '')} from ${from.sql}${where}`;
      const more: readonly KnownColumn[] = [...columns, { name: 'rn', type: 'integer' },
        ...by.map((ref, at) => ({ name: `p${at}`, type: seen.find(column => column.ref === ref)!.type }))];
      if (this.#chance(0.5)) return { sql: ranked, columns: more };
      return { sql: `select * from (${ranked}) ${this.#name('r')} where rn = 1`, columns: more };
    }
    const limit = this.#chance(0.05) ? ` limit ${this.#pick([1, 5])}` : '';
    return { sql: `select ${list} from ${from.sql}${where}${limit}`, columns };
  }

  #outputs(all: readonly Seen[], seen: readonly Seen[]): readonly (readonly [string, KnownColumn])[] {
    const made: (readonly [string, KnownColumn])[] = this.#some(seen, 1 + this.#upTo(4)).map(column => {
      const name = this.#name('c');
      if (this.#chance(0.12)) {
        if (column.type === 'text') return [this.#pick([`lower(${column.ref})`, `coalesce(${column.ref}, 'a')`, `${column.ref}::varchar`,
          `${column.ref} || 'x'`]), { name, type: 'text' }];
        if (column.type === 'integer') {
          const [sql, type] = this.#pick<readonly [string, ColumnType]>([[`${column.ref}::text`, 'text'], [`${column.ref} / 2`,
            'integer'], [`coalesce(${column.ref}, 0)`, 'integer'],
            [`abs(${column.ref})`, 'integer'], [`case when ${column.ref} > 2 then 1 else ${column.ref} end`, 'integer'],
              [`nullif(${column.ref}, 1)`, 'integer'], [`${column.ref}::bigint::int`, 'integer']]);
          return [sql, { name, type }];
        }
      }
      return [column.ref, { name, type: column.type }];
    });
    const list = all.find(column => column.type === 'integer[]');
    if (list !== undefined && this.#chance(0.3)) made.push([`unnest(${list.ref})`, { name: this.#name('s'), type: 'integer' }]);
    else if (this.#chance(0.04)) made.push(['generate_series(1, 2)', { name: this.#name('s'), type: 'integer' }]);
    if (this.#chance(0.06)) made.push([this.#pick([`'k'`, '1', `(select max(code) from region)`]), { name: this.#name('k'),
      type: 'text' }]);
    return made.map(([sql, column]) => [sql === '1' ? `'1'` : sql, column] as const);
  }

  #grouped(from: string, where: string, seen: readonly Seen[]): Made {
    const keys = this.#some(seen, 1 + this.#upTo(3));
    const items = keys.map(column => (this.#chance(0.1) && column.type === 'text' ? `lower(${column.ref})` : column.ref));
    const other = this.#pick(seen);
    const aggregates: (readonly [string, ColumnType])[] = [['count(*)::int', 'integer'],
      [`max(${other.type === 'boolean' ? `${other.ref}::text` : other.ref})`, other.type === 'boolean' ? 'text' : other.type],
      [`min(${other.type === 'boolean' ? `${other.ref}::text` : other.ref})`, other.type === 'boolean' ? 'text' : other.type],
        [`count(${other.ref})`, 'integer'], [`bool_or(${other.ref} is null)::text`, 'text']];
    const usable = aggregates.filter(([, type]) => type !== 'integer[]');
    const shownKeys = this.#chance(0.7) ? items : this.#some(items, items.length - 1);
    const [sql, type] = this.#pick(usable);
    const columns: KnownColumn[] = shownKeys.map((item, at) => ({ name: `g${at}`, type: keys[items.indexOf(item)]!.type }));
    const list = [...shownKeys.map((item, at) => `${item} as g${at}`), `${sql} as a`];
    const total = this.#next();
    if (total < 0.08) return { sql: `select ${sql} as a from ${from}${where}`, columns: [{ name: 'a', type }] };
    const by = total < 0.16 ? `rollup (${items.join(', ')})` : total < 0.2 ? `grouping sets ((${items.join(', ')}), (${items[0]!}))`
      : items.join(', ');
    const having = this.#chance(0.15) ? ' having count(*) > 1' : '';
    return { sql: `select ${list.join(', ')} from ${from}${where} group by ${by}${having}`, columns: [...columns, { name: 'a', type }] };
  }
}
