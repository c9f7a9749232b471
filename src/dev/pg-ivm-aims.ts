import type { PgIvmCode, PgIvmHazard } from '../query/incremental/pg-ivm-obstacles.ts';
import { conditions, tables, type Source } from './pg-ivm-expressions.ts';
import { over, poolOf, print } from './pg-ivm-parts.ts';
import {
  keyed, numbered, parts, plain, changed, target, where, tail, from, source, counted, aggregate, ofOrders, outer, named, exists, type Aim,
} from './pg-ivm-shapes.ts';

/** What a query can be aimed at: a check of the extension, or what it takes and does wrong. */
export type Check = PgIvmCode | PgIvmHazard;

/** Queries for every check. What cannot be alone comes with what it cannot be without. */
export const aims: Readonly<Record<Check, Aim>> = {
  'not-one-query': tail('; select 1', '; select 2', '; table uniq', '; delete from scratch', '; select now()'),
  'not-a-select': dice => changed(dice, made => (made.verb = dice.pick(['explain', 'explain analyze', 'insert into scratch',
    'declare away cursor for']))),
  'select-into': dice => changed(dice, made => (made.into = dice.pick(['away', 'temp away', 'table away', 'unlogged away']))),
  'temporary-source': source(['id', 'v'], 'passing'),
  'modifying-cte': dice => changed(dice, made => {
    const writing = dice.pick(['delete from scratch', 'update scratch set v = 1', 'insert into scratch values (7, 7)']);
    made.with.push(`changing as (${writing} returning id)`);
    made.from.push('changing');
  }),
  parameter: where('1 = $1', '$1', `'a' = $1`, '$1 > 2'),
  'no-equality': dice => {
    const group = ['c.files', ...dice.some(['c.city', 'c.vip', 'c.born', 'c.feel'], dice.upTo(4))];
    return parts({
      from: ['customers c'], group, targets: [...group, ...dice.pick([['count(*)'], ['sum(c.id)'], ['min(c.name)', 'count(c.id)']])],
      where: dice.some(poolOf(conditions, 'c'), dice.upTo(2)).map(text => over(text, 'c')),
    });
  },
  'mutable-function': dice => (dice.chance(0.5) ? target('now() as m', 'random() as m', 'f_vol(1) as m', 'current_user as m')
    : where('now() is not null', 'random() < 2', 'f_stab(1) = 1', `current_date > date '2020-01-01'`))(dice),
  'group-by-without-aggregate': dice => changed(dice, made => {
    made.targets = made.targets.slice(0, 1 + dice.upTo(2)).filter(text => /^\w+\.\w+$/.test(text));
    made.group = [...made.targets];
  }),
  having: dice => changed(dice, made => made.tail.push(dice.pick(['having true', 'having 1 = 1', 'having 2 > 1'])),
    counted(dice, dice.chance(0.6), 'count(*)')),
  'order-by': tail('order by 1', 'order by 1 desc', 'order by 1 nulls first', 'order by 1, 2'),
  limit: tail('limit 10', 'offset 0', 'limit all', 'fetch first 3 rows only', 'limit null', 'limit 5 offset 1'),
  'distinct-on': dice => changed(dice, made => (made.distinct = 'distinct on (1)')),
  'window-function': target('row_number() over () as w', 'rank() over () as w', 'count(*) over () as w', 'sum(1) over () as w'),
  'grouping-sets': dice => changed(dice, made => (made.group = made.group.length === 0 ? ['()']
    : [`${dice.pick(['rollup', 'cube'])} (${made.group[0]!})`]),
    counted(dice, dice.chance(0.8), 'count(*)')),
  'set-operation': dice => changed(dice, made => made.tail.push(
    `${dice.pick(['union', 'union all', 'intersect', 'except'])} select ${made.targets.map(() => 'null').join(', ')}`)),
  'no-columns': dice => changed(dice, made => {
    if (dice.chance(0.5)) made.where.push(dice.pick(['exists (select from uniq)', 'exists (select from keyless nc where nc.a = 1)']));
    else made.targets = [];
  }),
  'row-lock': tail('for update', 'for share', 'for no key update skip locked', 'for key share nowait'),
  recursive: dice => {
    const inner = plain(dice);
    return parts({ recursive: true, with: [`r as (${print(named(inner, 'n'))})`], from: ['r'],
      targets: dice.some(inner.targets.map((_, at) => `r.n${at}`), 1 + dice.upTo(3)) });
  },
  'system-column': dice => changed(dice, made => {
    const { alias } = made.sources[0]!;
    if (dice.chance(0.6)) made.targets.push(`${alias}.${dice.pick(['ctid', 'tableoid'])} as hidden`);
    else made.where.push(`${alias}.${dice.pick(['tableoid > 0', `ctid > '(0,0)'`])}`);
  }),
  'no-btree-order': target(`'{}'::json as loose`, `point '(1,2)' as loose`, `box '(1,1),(0,0)' as loose`, `jsonpath '$.a' as loose`,
    `circle '<(0,0),1>' as loose`, `'1'::xid as loose`),
  'nested-distinct': dice => (dice.chance(0.5) ? from('(select distinct v from uniq) nd', '(select distinct b from keyless) nd')
    : exists('select distinct 1 from uniq nd', 'select distinct nd.v from uniq nd where nd.k = 1'))(dice),
  'nested-aggregate': dice => (dice.chance(0.5) ? from('(select count(*) as n from uniq) na',
    '(select max(v) as n from uniq group by k) na')
    : exists('select count(*) from uniq', 'select max(na.v) from uniq na group by na.k'))(dice),
  tablesample: dice => changed(dice, made => (made.from = [
    `${made.from[0]!} tablesample ${dice.pick(['system', 'bernoulli'])} (${dice.pick(['10', '50', '100'])})`])),
  'partitioned-table': source(['id', 'v'], 'parted'),
  partition: source(['id', 'v'], 'parted_1', 'child'),
  'inheritance-parent': source(['id', 'v'], 'parent', 'only parent'),
  'foreign-table': source(['id', 'v'], 'afar'),
  view: dice => (dice.chance(0.5) ? source(['id', 'name'], 'v_customers') : source(['id', 'amount'], 'mv_orders'))(dice),
  values: from('(values (1), (2)) vs(n)', '(values (1, 2)) vs(n, m)', `(values ('a')) vs`),
  'immv-source': source(['id', 'name'], 'kept'),
  'reserved-column-name': target('1 as __ivm_x', '2 as __ivm_count__', '3 as __ivm_', `'a' as __ivm_sum_a__`),
  'aggregate-in-expression': aggregate('count(*) + 1 as n', 'count(*)::text as n', 'coalesce(sum(1), 0) as n', 'abs(max(1)) as n'),
  'aggregate-filter': ofOrders('count(@) filter (where true)', 'id', 'qty', 'note', 'amount', 'due'),
  'aggregate-distinct': ofOrders('count(distinct @)', 'id', 'qty', 'note', 'amount', 'due'),
  'aggregate-order': dice => (dice.chance(0.5) ? ofOrders('max(@ order by 1)', 'id', 'qty', 'note', 'amount', 'due')
    : ofOrders('percentile_disc(0.5) within group (order by @)', 'id', 'qty', 'amount', 'due'))(dice),
  'aggregate-function': dice => ofOrders(dice.pick(['any_value(@)', 'array_agg(@)', 'stddev(@)', 'variance(@)', 'f_sum(@)', 'bit_or(@)']),
    'qty')(dice),
  'outer-join-with-subquery': dice => {
    const a = dice.pick(numbered);
    const inner = plain(dice, dice.pick(numbered.filter(({ sql }) => sql !== a.sql)));
    const key = inner.sources[0]!.key[0]!;
    const sub = `(select ${inner.sources[0]!.alias}.${key} as n from ${inner.from[0]!}) sub`;
    return parts({ from: [`${sub} ${dice.pick(['left', 'full'])} join ${a.sql} y on sub.n = y.${a.key[0]!}`],
      targets: ['sub.n', `y.${a.key[0]!}`, ...dice.some(a.plain, dice.upTo(3)).map(name => `y.${name} as y_${name}`)] });
  },
  'outer-join-with-aggregate': outer((made, dice) => {
    made.group = [...made.targets];
    made.targets.push(dice.pick(['count(*)', 'sum(1)', 'max(2)', 'count(1)']));
  }),
  'subquery-expression': dice => (dice.chance(0.5)
    ? target('(select 1) as sub', 'exists (select 1 from uniq) as sub', 'array(select 1) as sub')
    : where('1 in (select si.k from uniq si)', '2 = any (select si.k from uniq si)', '3 <> all (select si.k from uniq si)',
      'exists (select 1 from uniq) is true'))(dice),
  'exists-under-or-not': where('(exists (select 1 from uniq) or true)', 'not exists (select 1 from uniq xo where xo.k = 99)',
    '(1 = 2 or exists (select 1 from uniq xo))', 'not (exists (select 1 from uniq))'),
  'nested-exists': dice => (dice.chance(0.5) ? from('(select k from uniq ne where exists (select 1 from keyless)) nx')
    : exists('select 1 from uniq ne where exists (select 1 from keyless ne2 where ne2.a = 1)',
      'select 1 from uniq where exists (select 1 from keyless)'))(dice),
  'with-in-exists': exists('with w as (select 1) select * from w', 'with w as (select k from uniq) select 1 from w',
    'with w as (select 1 as n) select n from w where n = 1'),
  'exists-with-outer-join': outer((made, dice) => made.where.push(dice.pick(['exists (select 1 from uniq)',
    'exists (select 1 from uniq u where u.k = 1)', 'exists (select 1 from keyless)']))),
  'reserved-cte-name': dice => {
    const name = dice.pick(['__ivm_c', '__ivm_', '__ivm_old']);
    const inner = plain(dice);
    return parts({ with: [`${name} as (${print(named(inner, 'n'))})`], from: [`${name} t`],
      targets: dice.some(inner.targets.map((_, at) => `t.n${at}`), 1 + dice.upTo(3)) });
  },
  'unreferenced-cte': dice => changed(dice, made => made.with.push(dice.pick(['unused as (select 1)', 'unused as (select k from uniq)',
    'unused as materialized (select a from keyless)']))),
  'exists-column-not-selected': dice => {
    const made = plain(dice, dice.pick(numbered));
    const [{ alias, key }] = made.sources as [Source];
    made.targets = made.targets.filter(text => text !== `${alias}.${key[0]!}`);
    made.where.push(`exists (select 1 from uniq ec where ec.k = ${alias}.${key[0]!})`);
    return made;
  },
  'outer-join-condition': outer((made, dice) => {
    const [a, b] = made.on;
    made.from = made.from.map(text => text.replace(/ on .*$/, ` on ${dice.pick([`${a} = ${b} and ${b} > 0`, `${a} = ${b} and ${a} = ${b}`,
      `${a} is not distinct from ${b}`, `(${a} = ${b}) is true`])}`).replace('full join', 'left join'));
  }),
  'outer-join-column-not-selected': outer((made, dice) => {
    const left = dice.pick(made.on);
    made.targets = [...made.targets.filter(text => text !== left), '1 as one'];
  }),
  'outer-join-where': outer((made, dice) => {
    const name = dice.pick(made.targets);
    made.where.push(dice.pick([`${name} is null`, `coalesce(${name} is null, true)`, `(${name} is null) is not false`,
      `not (${name} is not null)`]));
  }),
  'outer-join-non-strict': outer((made, dice) => made.targets.push(`${dice.pick(['coalesce(1, 2)', 'row(1) is null', 'array[1, 2]',
    'greatest(1, 2)', 'f_imm(1)', 'nullif(1, 2)', '1 is null', 'case when true then 1 end'])} as loosely`)),
  'exists-with-aggregate': dice => changed(dice, made => made.where.push(dice.pick(['exists (select 1 from uniq)',
    'exists (select 1 from keyless)'])),
    counted(dice, dice.chance(0.6), dice.pick(['count(*)', 'sum(1)', 'max(2)']))),
  'group-key-not-selected': dice => changed(dice, made => made.targets.shift(),
    counted(dice, true, dice.pick(['count(*)', 'sum(1)', 'max(2)']))),
  'sequence-source': source(['last_value', 'log_cnt', 'is_called'], 'counter'),
  'no-collation': dice => {
    const more = dice.some(['i.line', 'i.order_id', 'i.price', 'o.qty', 'o.amount', 'o.due'], dice.upTo(5));
    const made = parts({ from: ['orders o', 'items i'], targets: ['o.note || i.sku as conflict', 'o.id', ...more] });
    if (dice.chance(0.5)) made.where.push(over(dice.pick(poolOf(conditions, 'o')), 'o'));
    return made;
  },
  'duplicate-column': target('1 as twin, 2 as twin', `'a' as twin, 'b' as twin`, '1 as twin, 1 as twin'),
  'record-column': target('row(1, 2) as pair', 'row(1) as pair', `row('a', 1) as pair`),
  'quoted-table-name': dice => {
    const [table, alias] = dice.pick([['"Mixed Case"', ''], ['"order"', ''], ['scratch', '"left"'], ['deferred', '"a b"'],
      ['"order"', '"user"'], ['other.away', '"x-y"']] as const);
    const name = alias === '' ? table : alias;
    const more = dice.some([`${name}.v`, `${name}.id + 1`, String(dice.upTo(9))], dice.upTo(3));
    return parts({ from: [`${table} ${alias}`.trim()], targets: [`${name}.id`, ...more], where: dice.chance(0.3) ? ['1 = 1'] : [] });
  },
  'quoted-column-name': outer((made, dice) => made.targets.push(`${dice.upTo(9)} as ${dice.pick(['"Upper"', '"a b"', '"select"'])}`)),
  'virtual-generated-column': source(['id', 'base', 'twice'], 'virtual_one'),
  'whole-row-value': dice => changed(dice, made => made.targets.push(`${made.sources[0]!.alias} as whole`),
    plain(dice, dice.pick(numbered))),
  'json-inside-value': dice => (dice.chance(0.4) ? target(`array['{}'::json] as files`)(dice)
    : changed(dice, made => made.targets.push(`c.${dice.pick(['files', 'folder'])}`), plain(dice, tables[1]))),
  'outer-join-over-cte': dice => {
    const a = dice.pick(numbered);
    const inner = plain(dice, dice.pick(numbered.filter(({ sql }) => sql !== a.sql)));
    const { alias, key } = inner.sources[0]!;
    return parts({ with: [`w as (select ${alias}.${key[0]!} as n from ${inner.from[0]!})`],
      from: [`${a.sql} y ${dice.pick(['left', 'right', 'full'])} join w on y.${a.key[0]!} = w.n`],
      targets: [`y.${a.key[0]!}`, 'w.n', ...dice.some(a.plain, dice.upTo(3)).map(name => `y.${name} as y_${name}`)] });
  },
  'outer-join-over-function': dice => {
    const a = dice.pick(numbered);
    const call = dice.pick(['generate_series(1, 2)', 'f_rows(1)', 'unnest(array[1, 2])']);
    return parts({ from: [`${a.sql} y left join ${call} g(n) on y.${a.key[0]!} = g.n`],
      targets: [`y.${a.key[0]!}`, 'g.n', ...dice.some(a.plain, dice.upTo(3)).map(name => `y.${name} as y_${name}`)] });
  },
  // A name inside of the LATERAL is taken for the column of the outermost query that has the same number: the first one of the first table.
  'lateral-in-exists': dice => changed(dice, made => made.where.push(dice.pick([
    'exists (select 1 from uniq le, lateral (select lo.id from other.away lo where lo.id = le.k) lx)',
    'exists (select 1 from uniq le, lateral (select lo.order_id from items lo where lo.order_id = le.k) lx)',
    'exists (select 1 from uniq le, lateral (select lo.a from keyless lo where lo.a = le.k) lx)',
  ])), plain(dice, dice.pick(keyed.filter(({ sql }) => !['items', 'other.away'].includes(sql))))),
  // A deferrable key makes no unique index, and so nothing that the rows could collide in.
  'set-returning-column': dice => changed(dice, made => made.targets.push(dice.pick(['generate_series(1, 2) as gs', 'f_rows(1) as gs',
    'unnest(array[1, 2]) as gs'])), plain(dice, dice.pick(keyed.filter(({ sql }) => sql !== 'deferred')))),
  'outer-join-of-one-table': dice => {
    const { sql, key: [key], plain: names } = dice.pick(keyed.filter(({ key }) => key.length === 1));
    const other = dice.pick(keyed.filter(one => one.sql !== sql && one.key.length === 1));
    const both = `${sql} y ${dice.pick(['left', 'full'])} join ${sql} y2 on y.${key!} = y2.${key!}`;
    const more = dice.some(names, dice.upTo(3)).map(name => `y.${name} as y_${name}`);
    return parts({ from: [`${both} left join ${other.sql} z on y.${key!} = z.${other.key[0]!}`],
      targets: [`y.${key!}`, `y2.${key!} as y2k`, `z.${other.key[0]!} as zk`, ...more] });
  },
  'outer-join-beside-join': outer((made, dice) => {
    made.from.push('keyless k');
    if (dice.chance(0.6)) made.targets.push(`k.${dice.pick(['a', 'b', 'c'])} as beside`);
  }),
  'table-read-twice': dice => {
    const { sql, links, key, plain: names } = dice.pick(numbered);
    return parts({ from: [`${sql} y join ${sql} y2 on y.${links[0]!} = y2.${links[1]!}`],
      targets: [`y.${key[0]!} as yk`, `y2.${key[0]!} as y2k`, ...dice.chance(0.6) ? [String(dice.upTo(50))] : [],
        ...dice.some(names, dice.upTo(4)).map(name => `y.${name} as y_${name}`)] });
  },
  'floating-point-sum': dice => {
    const [call, name] = [dice.pick(['sum', 'avg']), dice.pick(['c.score', 'c.weight', 'o.total'])];
    return changed(dice, made => {
      const { alias, plain: names } = made.sources[0]!;
      made.group = dice.chance(0.7) ? dice.some(names, 1 + dice.upTo(2)).map(text => `${alias}.${text}`) : [];
      made.targets = [...made.group, `${call}(${name})`];
    }, plain(dice, tables[name.startsWith('c') ? 0 : 2]));
  },
};
