import { maintained, mutable, steady, strange, unmaintained, unstableAggregates } from './pg-ivm-expressions.ts';
import { over, poolOf, type Dice, type Parts } from './pg-ivm-parts.ts';

type Fault = (parts: Parts, dice: Dice) => void;

const first =
  (parts: Parts): { readonly alias: string; readonly key: readonly string[]; readonly plain: readonly string[]; readonly links: readonly string[] } =>
  parts.sources[0] ?? { alias: 'c', key: ['id'], plain: ['name'], links: ['id'] };
/** A column of the first thing in FROM, as its query may name it. */
function column(parts: Parts, dice: Dice): string {
  if (parts.form === 'subquery' || parts.form === 'cte') return parts.targets.find(text => !text.endsWith('*')) ?? '1';
  const source = first(parts);
  return `${source.alias}.${dice.pick([...source.key, ...source.plain])}`;
}
const aliasOf = (parts: Parts): string => (parts.form === 'subquery' || parts.form === 'cte' ? 'none' : first(parts).alias);
const link = (parts: Parts, dice: Dice): string => (aliasOf(parts) === 'none' ? '1'
  : `${first(parts).alias}.${dice.pick(first(parts).links)}`);
const replaceFrom = (parts: Parts, dice: Dice, name: string): void => {
  const source = dice.pick(strange[name]!);
  const columns = [...source.key, ...source.plain].map(text => `x.${text}`);
  if (dice.chance(0.5) || parts.form === 'outer') {
    parts.from.push(`${source.sql} x`);
    parts.targets.push(...dice.some(columns, 1).map(text => `${text} as strange`));
    return;
  }
  parts.from = [`${source.sql} x`];
  parts.targets = dice.some(columns, 2);
  [parts.where, parts.group, parts.with, parts.sources] = [[], [], [], [source]];
};
const aggregate = (parts: Parts, dice: Dice, pool: Readonly<Record<string, readonly string[]>>): string =>
  over(dice.pick(poolOf(pool, aliasOf(parts))), aliasOf(parts));
const expression = (parts: Parts, dice: Dice): string => {
  const pool = poolOf(steady, aliasOf(parts));
  return pool.length === 0 ? '1 + 1' : over(dice.pick(pool), aliasOf(parts));
};

/** What the extension refuses, or takes and breaks, by name; each changes the parts of a query. */
const faults: Readonly<Record<string, Fault>> = {
  mutableTarget: (parts, dice) => parts.targets.push(`${over(dice.pick(poolOf(mutable, aliasOf(parts))), aliasOf(parts))} as moving`),
  mutableWhere: (parts, dice) => parts.where.push(dice.pick(['now() is not null', 'random() < 2', `current_date > date '2020-01-01'`,
    'f_vol(1) = 1', 'f_stab(1) = 1', `clock_timestamp() > 'epoch'`])),
  mutableAggregate: (parts, dice) => parts.targets.push(over(dice.pick(unstableAggregates), aliasOf(parts)).replace('none.', '')),
  groupOnly: (parts, dice) => {
    const name = column(parts, dice);
    [parts.targets, parts.group] = [[name], [dice.pick([name, '1'])]];
  },
  having: (parts, dice) => {
    parts.tail.push(dice.pick(['having count(*) > 0', 'having true', 'having max(1) = 1']));
    if (parts.form !== 'aggregate') parts.targets = ['count(*)'];
  },
  orderBy: (parts, dice) => parts.tail.push(dice.pick(['order by 1', `order by ${parts.group[0] ?? column(parts, dice)}`,
    'order by 1 desc nulls last'])),
  limit: (parts, dice) => parts.tail.push(dice.pick(['limit 10', 'offset 0', 'limit all', 'fetch first 3 rows only', 'limit null',
    'limit 5 offset 1'])),
  distinctOn: (parts, dice) => (parts.distinct = `distinct on (${dice.pick(['1', column(parts, dice)])})`),
  distinct: parts => (parts.distinct = 'distinct'),
  window: (parts, dice) => parts.targets.push(dice.pick(['row_number() over ()', `rank() over (order by ${column(parts, dice)})`,
    'count(*) over ()', `sum(1) over (partition by ${column(parts, dice)})`])),
  windowClause: parts => parts.tail.push('window unused as (order by 1)'),
  groupingSets: (parts, dice) => {
    const names = parts.group.length > 0 ? parts.group : [column(parts, dice)];
    const list = names.join(', ');
    parts.targets = [...names, 'count(*)'];
    parts.group = [dice.pick([`rollup (${list})`, `cube (${list})`, `grouping sets ((${list}), ())`, '()', `grouping sets ((${list}))`,
      `grouping sets ((${names[0]}), (${names[0]}))`, `${list}, rollup (${names[0]})`])];
    if (parts.group[0] === '()') parts.targets = ['count(*)'];
    else if (dice.chance(0.2)) parts.targets.push(`grouping(${names[0]})`);
  },
  groupDistinct: parts => (parts.group = parts.group.length === 0 ? [] : [`distinct ${parts.group.join(', ')}`]),
  union: (parts, dice) =>
    parts.tail.push(`${dice.pick(['union', 'union all', 'intersect', 'except'])} select ${parts.targets.map(() => 'null').join(', ')}`),
  noColumns: parts => ([parts.targets, parts.distinct, parts.group] = [[], '', []]),
  lock: (parts, dice) => parts.tail.push(dice.pick(['for update', 'for share', 'for no key update skip locked'])),
  recursive: (parts, dice) => {
    parts.recursive = true;
    if (parts.with.length > 0) return;
    parts.with.push(dice.pick(['r as (select 1 as n)', 'r(n) as (select 1 union all select n + 1 from r where n < 3)']));
    parts.from.push('r');
  },
  system: (parts, dice) => {
    const alias = aliasOf(parts) === 'none' ? '' : `${aliasOf(parts)}.`;
    if (dice.chance(0.5)) parts.targets.push(`${alias}${dice.pick(['ctid', 'xmin', 'tableoid', 'cmin'])}`);
    else parts.where.push(`${alias}${dice.pick([`tableoid > 0`, `ctid > '(0,0)'`])}`);
  },
  unordered: (parts, dice) => {
    parts.targets.push(`${dice.pick([`'{}'::json`, `point '(1,2)'`, `box '(1,1),(0,0)'`, `'1'::xid`, `jsonpath '$.a'`, `circle '<(0,0),1>'`, `xml '<a/>'`, 'c.raw', 'c.loc'])} as loose`);
  },
  nestedDistinct: (parts, dice) => {
    if (dice.chance(0.5)) parts.from.push('(select distinct city from customers) nd');
    else parts.where.push(`exists (select distinct 1 from uniq nd where nd.k = 1)`);
  },
  nestedAggregate: (parts, dice) => {
    if (dice.chance(0.5)) parts.from.push('(select count(*) as n from customers) na');
    else parts.where.push(dice.pick(['exists (select count(*) from uniq)', 'exists (select max(na.v) from uniq na group by na.k)']));
  },
  tablesample: parts => parts.from.push('customers ts tablesample system (100)'),
  partitioned: (parts, dice) => replaceFrom(parts, dice, 'partitioned'),
  partition: (parts, dice) => replaceFrom(parts, dice, 'partition'),
  parent: (parts, dice) => replaceFrom(parts, dice, 'parent'),
  foreign: (parts, dice) => replaceFrom(parts, dice, 'foreign'),
  view: (parts, dice) => replaceFrom(parts, dice, 'view'),
  immv: (parts, dice) => replaceFrom(parts, dice, 'immv'),
  temporary: (parts, dice) => replaceFrom(parts, dice, 'temporary'),
  sequence: (parts, dice) => replaceFrom(parts, dice, 'sequence'),
  quoted: (parts, dice) => replaceFrom(parts, dice, 'quoted'),
  virtual: (parts, dice) => replaceFrom(parts, dice, 'virtual'),
  values: (parts, dice) => (dice.chance(0.8) ? parts.from.push('(values (1), (2)) vs(n)') : parts.tail.push('union values (1)')),
  reservedName: (parts, dice) => parts.targets.push(`1 as ${dice.pick(['__ivm_x', '__ivm_count__', '"__IVM_x"', '__ivm'])}`),
  reservedNameInside: parts => parts.from.push('(select 1 as __ivm_y) ri'),
  aggregateInside: (parts, dice) => {
    if (parts.form !== 'aggregate') [parts.targets, parts.group] = [[], []];
    parts.targets.push(`${dice.pick(['count(*) + 1', 'count(*)::text', 'coalesce(sum(1), 0)', 'max(1) = 2', 'case when count(*) > 1 then 1 end', 'abs(sum(1))', 'not (count(*) > 1)'])} as inside`);
  },
  filter: (parts, dice) => change(parts, dice, call => `${call} filter (where true)`),
  distinctArguments: (parts, dice) => change(parts, dice, call => call.replace('(', '(distinct ')),
  orderedArguments: (parts, dice) => change(parts, dice, call => call.replace(')', ' order by 1)')),
  within: (parts, dice) => parts.targets.push(`percentile_disc(0.5) within group (order by ${column(parts, dice)}) as half`),
  unmaintained: (parts, dice) => {
    if (parts.form !== 'aggregate') [parts.targets, parts.group] = [[], []];
    parts.targets.push(`${aggregate(parts, dice, unmaintained)} as odd`);
  },
  outerBeside: (parts, dice) => parts.from.push(dice.pick(['uniq ob1 left join keyless ob2 on ob1.k = ob2.a',
    'uniq ob1 full join keyless ob2 on ob1.k = ob2.a'])),
  outerOverSubquery: (parts, dice) => {
    parts.from.push(dice.pick([
      '(select k from uniq) os1 left join keyless os2 on os1.k = os2.a', 'keyless os2 left join (select k from uniq) os1 on os1.k = os2.a',
    ]));
    parts.targets.push('os1.k as osk', 'os2.a as osa');
  },
  outerAlone: (parts, dice) => {
    const [list, from, where] = dice.pick([
      ['oc as (select id from deferred)', 'scratch oa left join oc ob on oa.id = ob.id', ''],
      ['', 'scratch oa left join deferred ob on oa.id = ob.id, generate_series(1, 2) og', ''],
      ['', 'orders oa left join orders ob on oa.id = ob.id left join scratch oz on oa.id = oz.id', ''],
      ['', 'orders ob right join deferred oa on oa.id = ob.customer_id join keyless oz on oa.id = oz.a', 'oz'],
    ] as const);
    Object.assign(parts, { with: list === '' ? [] : [list], from: [from], where: [], group: [], sources: [], form: 'cte', distinct: '' });
    parts.targets = ['oa.id', 'ob.id as obid', ...where === 'oz' ? ['ob.customer_id', 'oz.a'] : from.includes('oz.id') ? ['oz.id as ozid'] : []];
    if (dice.chance(0.5)) parts.targets.push(`${dice.upTo(9)} as extra`);
  },
  badCondition: (parts, dice) => {
    parts.from = parts.from.map(text => text.replace(/ on (\S+) = (\S+)$/, (_, a: string, b: string) =>
      ` on ${dice.pick([`${a} > ${b}`, `${a} = ${b} and ${b} > 0`, 'true', `${a} = 1`, `${a} = ${a}`, `${a} is not distinct from ${b}`, `(${a} = ${b}) is true`])}`));
  },
  extraJoinColumn: (parts, dice) => parts.from.push(`uniq ej1 left join keyless ej2 using (${dice.pick(['k', 'v'])})`),
  usingOuter: (parts, dice) => {
    [parts.from, parts.where, parts.group, parts.sources, parts.form] =
      [[dice.pick(['deferred ua left join scratch ub using (id)', 'deferred ua full join scratch ub using (id)',
      'deferred ua right join scratch ub using (id)', 'deferred ua left join scratch ub using (id, v)',
      'deferred ua natural left join scratch ub', 'orders ua left join scratch ub using (id)'])], [], [], [], 'cte'];
    parts.targets = dice.pick([['ua.id', 'ub.id'], ['id'], ['id', 'ub.id'], ['ua.id'], ['ua.id', 'ub.id', 'ua.id + 1']]);
    parts.with = [];
  },
  notStrict: (parts, dice) =>
    parts.targets.push(`${dice.pick(['coalesce(1, 2)', `case when true then 1 end`, 'row(1) is null', 'array[1, 2]', 'greatest(1, 2)', 'f_imm(1)', 'f_strict(1)', 'nullif(1, 2)', '1 is null', 'true or false', 'not true', '1 in (1, 2)', '1 in (1)', '1 between 0 and 2', `'{1,2}'::int[]`, '1 + 1', '(array[1])[1]', `'x' || 'y'`])} as loosely`),
  sublinkIn: (parts, dice) =>
    parts.where.push(`${link(parts, dice)} ${dice.pick(['in', 'not in', '= any', '<> all'])} (select si.k from uniq si)`),
  scalar: (parts, dice) => (dice.chance(0.6) ? parts.targets.push('(select 1) as scalar') : parts.where.push('(select true)')),
  existsTarget: parts => parts.targets.push('exists (select 1 from uniq) as there'),
  existsElsewhere: (parts, dice) => parts.where.push(dice.pick(['exists (select 1 from uniq) = true', 'exists (select 1 from uniq) is true',
    'case when exists (select 1 from uniq) then true end', 'coalesce(exists (select 1 from uniq), true)'])),
  existsOn: parts => parts.from.push('uniq eo1 join keyless eo2 on exists (select 1 from uniq)'),
  existsOr: (parts, dice) => parts.where.push(dice.pick(['(exists (select 1 from uniq) or true)',
    'not exists (select 1 from uniq xo where xo.k = 99)', '(1 = 2 or not exists (select 1 from uniq xo where xo.k = 99))',
    '(exists (select 1 from uniq) and (true or 1 in (select 1)))'])),
  existsPlain: parts => parts.where.push('exists (select 1 from uniq ep where ep.k = 1)'),
  existsOuterColumn: (parts, dice) =>
    parts.where.push(`exists (select 1 from uniq ec where ec.k = ${link(parts, dice)}${dice.pick([' + 0', '', ''])})`),
  nestedExists: (parts, dice) => {
    if (dice.chance(0.5)) parts.from.push('(select k from uniq ne where exists (select 1 from keyless)) nx');
    else parts.where.push('exists (select 1 from uniq ne where exists (select 1 from keyless ne2 where ne2.a = ne.k))');
  },
  withInExists: parts => parts.where.push('exists (with w as (select 1) select * from w)'),
  lateralInExists: (parts, dice) => parts.where.push(dice.pick([
    'exists (select 1 from uniq le, lateral (select le.k) lx)',
    'exists (select 1 from uniq le, lateral (select lo.id from orders lo where lo.id = le.k) lx)',
  ])),
  cteName: parts => {
    parts.with.push('__ivm_c as (select 1 as n)');
    parts.from.push('__ivm_c');
  },
  unusedCte: (parts, dice) => parts.with.push(dice.pick(['unused as (select 1)',
    'unused as (select 1), unused2 as (select * from unused)'])),
  modifyingCte: parts => parts.with.push('changing as (delete from scratch returning id)'),
  parameter: parts => parts.where.push('1 = $1'),
  missingKey: (parts, dice) => {
    if (parts.group.length > 0) parts.group.push(expression(parts, dice));
    else if (parts.targets.length > 1) [parts.targets, parts.group, parts.form] = [[aggregate(parts, dice, maintained)],
      [column(parts, dice)], 'aggregate'];
  },
  groupByAlias: (parts, dice) => {
    if (parts.form !== 'aggregate') return;
    parts.targets.push(`${expression(parts, dice)} as aliased`);
    parts.group.push(dice.pick(['aliased', String(parts.targets.length)]));
  },
  duplicate: (parts, dice) => parts.targets.push(...dice.pick([['1 as twin', '2 as twin'], ['count(*) as count', 'count(1) as count']])),
  record: (parts, dice) => parts.targets.push(dice.pick(['row(1, 2) as pair', 'row(1) as pair'])),
  wholeRow: (parts, dice) => {
    if (aliasOf(parts) !== 'none') parts.targets.push(dice.pick([`${aliasOf(parts)} as whole`, `count(${aliasOf(parts)}) as whole`,
      `${aliasOf(parts)} is null as whole`]));
  },
  jsonInside: (parts, dice) => (parts.sources[0]?.sql === 'customers' && aliasOf(parts) !== 'none'
    ? parts.targets.push(`${aliasOf(parts)}.${dice.pick(['files', 'folder'])}`) : parts.targets.push(`array['{}'::json] as files`)),
  functionInFrom: (parts, dice) => parts.from.push(dice.pick(['generate_series(1, 2) gs', 'f_rows(1) fr', 'f_table(1) ft',
    'unnest(array[1, 2]) un', 'now() nw', 'f_vol(1) fv'])),
  setReturning: (parts, dice) => parts.targets.push(dice.pick(['generate_series(1, 2) as gs', 'f_rows(1) as fr',
    'unnest(array[1]) as un'])),
  collated: (parts, dice) => parts.targets.push(`${dice.pick([`('a' collate "C") || 'b'`, `('a' collate "C") < 'b'`])} as ordered`),
  collationConflict: parts => {
    parts.from.push('orders cc1', 'items cc2');
    parts.targets.push('cc1.note || cc2.sku as conflict');
  },
  lenientWhere: (parts, dice) => {
    const name = column(parts, dice);
    parts.where = [dice.pick([`${name} is null`, `${name} is distinct from null`, `coalesce(${name} is null, true)`,
      `(${name} is null) is not true`, `not (${name} is not null)`, `case when ${name} is null then true else true end`])];
  },
  quotedColumn: (parts, dice) => {
    const at = dice.upTo(parts.targets.length);
    if (!/\bas\b|\*$/.test(parts.targets[at] ?? '*')) parts.targets[at] =
      `${parts.targets[at]} as ${dice.pick(['"Upper"', '"a b"', '"select"', 'lower'])}`;
  },
  existsAggregate: (parts, dice) => {
    [parts.targets, parts.group, parts.where, parts.form] = [[aggregate(parts, dice, maintained)], [],
      ['exists (select 1 from uniq ea where ea.k = 1)'], 'aggregate'];
  },
  outerOverNamed: parts => {
    parts.from.push('(select k as on1 from uniq) os3');
  },
  changingCte: parts => {
    parts.with.push('changing as (update scratch set v = 1 returning id)');
    parts.from.push('changing');
  },
  unknownOperator: parts => parts.where.push('1 === 1'),
};

/** Turns a maintained call of the select list into another; makes one where there is none. */
function change(parts: Parts, dice: Dice, edit: (call: string) => string): void {
  const at = parts.targets.findIndex(text => /^(sum|max|min|avg|count)\([^*]+\)$/.test(text));
  if (at >= 0) parts.targets[at] = edit(parts.targets[at]!);
  else {
    if (parts.form !== 'aggregate') [parts.targets, parts.group] = [[], []];
    parts.targets.push(edit(dice.pick(['sum(1)', 'max(2)', 'count(3)'])));
  }
}

/** Faults that belong to one form, which few others bring about. */
const ofForm: Readonly<Record<string, readonly string[]>> = {
  outer: ['badCondition', 'lenientWhere', 'notStrict', 'quotedColumn', 'outerOverNamed'], exists: ['existsOuterColumn', 'existsAggregate'],
    aggregate: ['quotedColumn', 'existsAggregate', 'unmaintained', 'distinctArguments'], cte: ['changingCte'],
};

/** The names of the faults to choose from: all, or those of the form. */
export const faultsFor = (form: string, dice: Dice): readonly string[] => (ofForm[form] !== undefined && dice.chance(0.35) ? ofForm[form]
  : Object.keys(faults));

export function addFault(name: string, parts: Parts, dice: Dice): void {
  faults[name]!(parts, dice);
}
