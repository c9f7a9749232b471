import { conditions, steady, tables, type Source } from './pg-ivm-expressions.ts';
import { over, poolOf, type Dice, type Parts } from './pg-ivm-parts.ts';

/** A small query that has this against it and nothing else. */
export type Aim = (dice: Dice) => Parts;

/** Sources with a primary key whose columns need no quotes. */
export const keyed: readonly Source[] = tables.filter(({ sql }) => !sql.startsWith('"') && sql !== 'keyless' && sql !== 'uniq');
/** Those with several columns that are numbers. */
export const numbered = keyed.filter(({ links }) => links.length > 1);

/** The parts of a query that are not empty. */
export const parts = (given: Partial<Parts>): Parts => ({
  with: [], recursive: false, distinct: '', targets: [], from: [], sources: [], where: [], group: [], tail: [], form: 'aim', ...given,
});

/** A query of one table that the extension takes: its key and more, and conditions now and then. */
export function plain(dice: Dice, source: Source = dice.pick(keyed)): Parts {
  const { alias } = source;
  const names = [...source.key, ...dice.some(source.plain, 1 + dice.upTo(3))].map(name => `${alias}.${name}`);
  const more = dice.chance(0.4) ? dice.some(poolOf(steady, alias), 1).map(text => over(text, alias)) : [];
  const where = dice.chance(0.5) ? dice.some(poolOf(conditions, alias), 1).map(text => over(text, alias)) : [];
  return parts({ sources: [source], from: [`${source.sql} ${alias}`], targets: [...names, ...more], where });
}

/** A query after a change, by default the small one of one table. */
export const changed = (dice: Dice, change: (made: Parts) => void, made: Parts = plain(dice)): Parts => {
  change(made);
  return made;
};
/** One of the texts in the select list, in WHERE, behind everything, in FROM. */
export const target = (...texts: readonly string[]): Aim => dice => changed(dice, made => made.targets.push(dice.pick(texts)));
export const where = (...texts: readonly string[]): Aim => dice => changed(dice, made => made.where.push(dice.pick(texts)));
export const tail = (...texts: readonly string[]): Aim => dice => changed(dice, made => made.tail.push(dice.pick(texts)));
export const from = (...texts: readonly string[]): Aim => dice => changed(dice, made => made.from.push(dice.pick(texts)));

/** A source that is refused, by itself or beside a table, and which of its columns are taken. */
export const source = (columns: readonly string[], ...names: readonly string[]): Aim => dice => {
  const name = dice.pick(names);
  const taken = dice.some(columns, 1 + dice.upTo(columns.length)).map(text => `x.${text} as x_${text}`);
  return dice.chance(0.3) ? parts({ from: [`${name} x`], targets: [...taken, ...dice.chance(0.5) ? [String(dice.upTo(50))] : []] })
    : changed(dice, made => {
      made.from.push(`${name} x`);
      made.targets.push(...taken);
    });
};

/** One aggregate over one table; `groups`: by a column. */
export function counted(dice: Dice, groups: boolean, call: string): Parts {
  const made = plain(dice);
  const key = dice.pick(made.sources[0]!.key.concat(made.sources[0]!.plain));
  made.group = groups ? [`${made.sources[0]!.alias}.${key}`] : [];
  made.targets = [...made.group, call];
  return made;
}
/** One of the calls over one table. */
export const aggregate = (...calls: readonly string[]): Aim => dice => counted(dice, dice.chance(0.6), dice.pick(calls));
/** Calls over the columns of orders, `@` in their place. */
export const ofOrders = (call: string, ...columns: readonly string[]): Aim => dice => {
  const made = plain(dice, tables.find(({ sql }) => sql === 'orders'));
  made.group = dice.chance(0.6) ? [`o.${dice.pick(['qty', 'state', 'due', 'customer_id', 'note'])}`] : [];
  made.targets = [...made.group, call.replace('@', `o.${dice.pick(columns)}`)];
  return made;
};

/** An outer join by one equality whose columns are selected, with the key of both sides. */
export function joined(dice: Dice): Parts & { readonly on: readonly [string, string]; readonly sides: readonly [Source, Source] } {
  const [a, b] = dice.some([...new Map(keyed.map(one => [one.sql, one])).values()], 2) as [Source, Source];
  const on = [`${a.alias}.${dice.pick(a.links)}`, `${b.alias}.${dice.pick(b.links)}`] as const;
  const keys = [...a.key.map(name => `${a.alias}.${name}`), ...b.key.map(name => `${b.alias}.${name}`)];
  const more = dice.some(a.plain, dice.upTo(3)).map(name => `${a.alias}.${name}`);
  const kind = dice.pick(['left', 'left', 'right', 'full']);
  return { ...parts({ sources: [a, b], targets: [...new Set([...on, ...keys, ...more])],
    from: [`${a.sql} ${a.alias} ${kind} join ${b.sql} ${b.alias} on ${on[0]} = ${on[1]}`] }), on, sides: [a, b] };
}
/** An outer join after a change. */
export const outer = (change: (made: ReturnType<typeof joined>, dice: Dice) => void): Aim => dice => {
  const made = joined(dice);
  change(made, dice);
  return made;
};

/** The query with a name for each column, `n0` and so on, for what reads it as a CTE. */
export const named = (made: Parts, name: string): Parts =>
  ({ ...made, targets: made.targets.map((text, at) => `${text} as ${name}${at}`) });

/** An EXISTS in WHERE over one of the bodies. */
export const exists = (...bodies: readonly string[]): Aim => where(...bodies.map(body => `exists (${body})`));
