import { addFault, faultsFor } from './pg-ivm-faults.ts';
import { conditions, maintained, steady, tables, type Source } from './pg-ivm-expressions.ts';
import { aimed, checks, pairs } from './pg-ivm-pairs.ts';
import { Dice, over, poolOf, print, type Parts } from './pg-ivm-parts.ts';

/** Which part of the queries is aimed at one check, alone or with another one, all checks in turn. The rest is left to chance. */
const shares = { alone: 0.26, together: 0.22 };

/**
 * Makes queries for the pg_ivm oracle: shapes that the extension takes, and faults that are put into them, none, one or several. The same
 * seed makes the same queries. A share of them goes round all checks, alone and with another one.
 */
export class Generator {
  readonly #dice: Dice;
  #serial = 0;
  #alone = 0;
  #together = 0;

  constructor(seed: number) {
    this.#dice = new Dice(seed);
  }

  next(): string {
    const dice = this.#dice;
    this.#serial = 0;
    const purpose = dice.next();
    if (purpose < shares.alone) return print(aimed(checks[this.#alone++ % checks.length]!, false, dice));
    if (purpose < shares.alone + shares.together) return print(aimed(pairs[this.#together++ % pairs.length]!, true, dice));
    const roll = dice.next();
    const faults = roll < 0.72 ? 0 : roll < 0.9 ? 1 : roll < 0.97 ? 2 : 3;
    // A fault is to stand alone often: beside an outer join or an aggregate it seldom does.
    const parts = faults === 1 && dice.chance(0.6) ? this.#plain() : this.#shape();
    for (const name of dice.some(faultsFor(parts.form, dice), faults)) addFault(name, parts, dice);
    return print(parts);
  }

  /** A source under an alias of its own. */
  #source(given?: Source): Source {
    const one = given ?? this.#dice.pick(tables);
    const alias = this.#dice.chance(0.75) ? one.alias : `${one.alias}${(this.#serial += 1)}`;
    return { ...one, alias };
  }

  #columns(source: Source, most = 4): string[] {
    const dice = this.#dice;
    const keys = dice.chance(0.75) ? source.key : [];
    const names = [...keys, ...dice.some(source.plain, 1 + dice.upTo(most - 1))];
    return names.map(name => `${source.alias}.${name}`);
  }

  #expressions(source: Source): string[] {
    const dice = this.#dice;
    const pool = poolOf(steady, source.alias);
    return pool.length > 0 && dice.chance(0.6) ? dice.some(pool, 1 + dice.upTo(2)).map(text => over(text, source.alias)) : [];
  }

  #conditions(source: Source, share: number): string[] {
    const pool = poolOf(conditions, source.alias);
    return this.#dice.chance(share) ? this.#dice.some(pool, 1 + this.#dice.upTo(2)).map(text => over(text, source.alias)) : [];
  }

  #empty(form: string): Parts {
    return { with: [], recursive: false, distinct: '', targets: [], from: [], sources: [], where: [], group: [], tail: [], form };
  }

  #shape(): Parts {
    const roll = this.#dice.next();
    if (roll < 0.17) return this.#plain();
    if (roll < 0.3) return this.#inner();
    if (roll < 0.52) return this.#outer();
    if (roll < 0.72) return this.#aggregate();
    if (roll < 0.79) return { ...this.#plain(), distinct: 'distinct', form: 'distinct' };
    if (roll < 0.87) return this.#exists();
    if (roll < 0.94) return this.#subquery();
    return this.#cte();
  }

  #plain(): Parts {
    const source = this.#source();
    const star = this.#dice.chance(0.08) && !source.plain.includes('profile');
    return {
      ...this.#empty('plain'), sources: [source], from: [`${source.sql} ${source.alias}`], targets: star ? [`${source.alias}.*`]
        : [...this.#columns(source), ...this.#expressions(source)],
      where: this.#conditions(source, 0.5),
    };
  }

  #pair(): [Source, Source] {
    const [a, b] = [this.#source(), this.#source()];
    return a.alias === b.alias ? [a, { ...b, alias: `${b.alias}9` }] : [a, b];
  }

  #inner(): Parts {
    const dice = this.#dice;
    const [a, b] = this.#pair();
    const on = `${a.alias}.${dice.pick(a.links)} = ${b.alias}.${dice.pick(b.links)}`;
    const [left, right] = [`${a.sql} ${a.alias}`, `${b.sql} ${b.alias}`];
    const using = a.links.find(link => b.links.includes(link));
    const form = dice.upTo(5);
    const from = form === 0 ? [left, right] : form === 1 && using !== undefined ? [`${left} join ${right} using (${using})`]
      : form === 2 ? [`${left} cross join ${right}`] : form === 3
        ? [`${left}, lateral (select ${b.alias}.${dice.pick(b.plain)} as lat from ${right} where ${on}) l`]
        : [`${left} join ${right} on ${on}`];
    const inside = form === 3;
    const where = [...this.#conditions(a, 0.4), ...form === 0 ? [on] : []];
    return { ...this.#empty('inner'), sources: inside ? [a] : [a, b], from, where, targets: [...this.#columns(a, 3),
      ...this.#expressions(a), ...inside ? ['l.lat'] : this.#columns(b, 3)] };
  }

  /** An outer join: mostly by one equality whose columns are selected. */
  #outer(): Parts {
    const dice = this.#dice;
    const [a, b] = this.#pair();
    const kind = dice.pick(['left', 'left', 'left', 'right', 'full']);
    const [x, y] = [`${a.alias}.${dice.pick(a.links)}`, `${b.alias}.${dice.pick(b.links)}`];
    const sources = [a, b];
    const needed = [x, y];
    let from = `${a.sql} ${a.alias} ${kind} join ${b.sql} ${b.alias} on ${dice.chance(0.9) ? `${x} = ${y}` : `${y} = ${x} + 0`}`;
    if (dice.chance(0.25)) {
      const c = { ...this.#source(), alias: 'z' };
      const side = dice.pick([x, y]);
      const other = `z.${dice.pick(c.links)}`;
      from = `${from} ${dice.pick(['left', 'left', 'join', 'full'])} ${''}join ${c.sql} z on ${side} = ${other}`.replace('join join',
        'join');
      sources.push(c);
      needed.push(other);
    }
    const isWhole = dice.chance(0.85);
    const strictOnly = dice.chance(0.75);
    const extra = strictOnly ? sources.flatMap(source => (dice.chance(0.6) ? dice.some(source.plain, 1)
      .map(name => `${source.alias}.${name}`) : [])) : sources.flatMap(source => this.#expressions(source));
    const targets = [...isWhole ? needed : needed.slice(1), ...extra, ...dice.chance(0.3) ? a.key.map(name => `${a.alias}.${name}`) : []];
    return { ...this.#empty('outer'), sources, from: [from], targets, where: dice.chance(0.3) ? this.#conditions(dice.pick(sources), 1)
      : [] };
  }

  #aggregate(): Parts {
    const dice = this.#dice;
    const source = this.#source(dice.chance(0.8) ? dice.pick(tables.filter(({ alias }) => ['c', 'o', 'i'].includes(alias))) : undefined);
    const joined = dice.chance(0.25);
    const b = { ...this.#source(), alias: 'j' };
    const from = joined
      ? `${source.sql} ${source.alias} join ${b.sql} j on ${source.alias}.${dice.pick(source.links)} = j.${dice.pick(b.links)}`
      : `${source.sql} ${source.alias}`;
    const group = dice.chance(0.8) ? dice.some([...source.plain, ...source.key], 1 + dice.upTo(2)).map(name => `${source.alias}.${name}`)
      : [];
    if (group.length > 0 && dice.chance(0.15)) group.push(...dice.some(poolOf(steady, source.alias), 1)
      .map(text => over(text, source.alias)));
    const calls = dice.some(poolOf(maintained, source.alias), 1 + dice.upTo(3)).map(text => over(text, source.alias));
    return { ...this.#empty('aggregate'), sources: joined ? [source, b] : [source], from: [from], group, targets: [...group, ...calls],
      where: this.#conditions(source, 0.35) };
  }

  #exists(): Parts {
    const dice = this.#dice;
    const parts = this.#plain();
    const [a] = parts.sources;
    const b = { ...this.#source(), alias: 'e' };
    const link = `${a!.alias}.${dice.pick(a!.links)}`;
    if (dice.chance(0.9)) parts.targets.unshift(link);
    const inside = dice.chance(0.4) ? ` and ${over(dice.pick(poolOf(conditions, b.sql === 'customers' ? 'c' : '')), 'e')}` : '';
    const body =
      `exists (select ${dice.pick(['1', '*', `e.${dice.pick(b.links)}`])} from ${b.sql} e where e.${dice.pick(b.links)} = ${link}${inside})`;
    parts.where.push(body);
    if (dice.chance(0.2)) parts.where.push(`exists (select from_more.k from uniq from_more where from_more.k = ${link})`);
    return { ...parts, form: 'exists', distinct: dice.chance(0.12) ? 'distinct' : '' };
  }

  #subquery(): Parts {
    const inner = this.#dice.chance(0.7) ? this.#plain() : this.#inner();
    inner.targets = inner.targets.filter(text => !text.endsWith('*')).map((text, at) => `${text} as n${at}`);
    if (inner.targets.length === 0) inner.targets.push('1 as n0');
    const names = inner.targets.map((_, at) => `sub.n${at}`);
    const outside = this.#dice.chance(0.3) ? this.#source() : undefined;
    return {
      ...this.#empty('subquery'), sources: inner.sources, from: [`(${print(inner)}) sub`, ...outside === undefined ? []
        : [`${outside.sql} out_${outside.alias}`]],
      targets: this.#dice.chance(0.15) ? ['sub.*'] : this.#dice.some(names, 1 + this.#dice.upTo(names.length)),
    };
  }

  #cte(): Parts {
    const inner = this.#dice.chance(0.7) ? this.#plain() : this.#inner();
    inner.targets = inner.targets.filter(text => !text.endsWith('*')).map((text, at) => `${text} as n${at}`);
    if (inner.targets.length === 0) inner.targets.push('1 as n0');
    const names = inner.targets.map((_, at) => `n${at}`);
    const second = this.#dice.chance(0.35);
    const list = [`one as ${this.#dice.pick(['', '', 'materialized ', 'not materialized '])}(${print(inner)})`, ...second
      ? ['two as (select * from one)'] : []];
    return {
      ...this.#empty('cte'), with: list, sources: inner.sources, from: [second ? 'two t' : 'one t'],
        targets: this.#dice.some(names, 1 + this.#dice.upTo(names.length)).map(name => `t.${name}`),
    };
  }
}
