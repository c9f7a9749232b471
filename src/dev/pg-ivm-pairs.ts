import { aims, type Check } from './pg-ivm-aims.ts';
import type { Dice, Parts } from './pg-ivm-parts.ts';

/**
 * All checks, in the order in which queries are made for them. Left out, because not the query decides them: whether the name is free and
 * its schema there, and what filling it comes upon in the rows.
 */
export const checks = Object.keys(aims) as readonly Check[];

/**
 * Checks that never come alone, and what always comes with them. The extension tells its first reason only, so that what stands beside it is
 * mvlint's own account.
 */
export const neverAlone: Readonly<Partial<Record<Check, string>>> = {
  'outer-join-with-aggregate': 'an aggregate of the select list is no strict expression, and one elsewhere stands in HAVING or ORDER BY',
};

/** Checks beside which nothing else can be found: the text is not analysed. */
export const neverTogether: Readonly<Partial<Record<Check, string>>> = {
  'not-one-query': 'several statements, or none, are no query whose parts could be looked at',
  'not-a-select': 'of another statement the extension looks at the kind only',
};

/** Checks that can be met beside others. */
export const pairs: readonly Check[] = checks.filter(check => neverTogether[check] === undefined);

/** What can be put into any query, so that what it is aimed at does not stand alone. */
const besides: Readonly<Partial<Record<Check, (made: Parts, dice: Dice) => void>>> = {
  'mutable-function': made => made.where.push('now() is not null'),
  parameter: made => made.where.push('1 = $1'),
  'order-by': made => made.tail.push('order by 1'),
  limit: (made, dice) => made.tail.push(dice.pick(['limit 10', 'limit all', 'offset 0'])),
  'window-function': made => made.targets.push('row_number() over () as beside'),
  'reserved-column-name': made => made.targets.push('1 as __ivm_beside'),
  'record-column': made => made.targets.push('row(1, 2) as beside'),
  'duplicate-column': made => made.targets.push('1 as beside, 2 as beside'),
  'no-btree-order': made => made.targets.push(`'{}'::json as beside`),
  'subquery-expression': made => made.where.push('1 in (select be.k from uniq be)'),
  'exists-under-or-not': made => made.where.push('not exists (select 1 from uniq be where be.k = 99)'),
  'with-in-exists': made => made.where.push('exists (with w as (select 1) select * from w)'),
  'unreferenced-cte': made => made.with.push('beside as (select 1)'),
  values: made => made.from.push('(values (1)) be(n)'),
  view: made => made.from.push('v_customers be'),
  'partitioned-table': made => made.from.push('parted be'),
  'nested-aggregate': made => made.from.push('(select count(*) as n from keyless) be'),
};

/** A query that is aimed at one check; `together`: with another one beside it, the name of which is not told. */
export function aimed(check: Check, together: boolean, dice: Dice): Parts {
  const made = aims[check](dice);
  if (!together) return made;
  const other = dice.pick((Object.keys(besides) as Check[]).filter(name => name !== check && isFree(name, check, made)));
  besides[other]!(made, dice);
  return made;
}

/** Of these a further relation in FROM makes another case: no key is left, say. */
const keepsFrom: ReadonlySet<Check> = new Set<Check>(['set-returning-column', 'no-columns', 'outer-join-where', 'exists-with-aggregate']);
const inFrom: ReadonlySet<Check> = new Set<Check>(['values', 'view', 'partitioned-table', 'nested-aggregate']);
const inTargets: ReadonlySet<Check> = new Set<Check>(['window-function', 'reserved-column-name', 'record-column', 'duplicate-column',
  'no-btree-order']);

/** Whether what is put beside leaves the check itself in place, and a text that Postgres analyses. */
function isFree(other: Check, check: Check, { tail, targets, distinct }: Parts): boolean {
  if (keepsFrom.has(check) && inFrom.has(other)) return false;
  if (inTargets.has(other)) return distinct === '' && targets.length > 0 && check !== 'set-operation';
  if (other === 'order-by' || other === 'limit') return tail.length === 0 && targets.length > 0;
  return check !== 'set-operation' || inFrom.has(other);
}
