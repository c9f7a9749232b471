import type { Obstacle, Span } from '../../model.ts';
import type { Node, SelectStmt } from '../../sql/tree.ts';
import { isComparable, partWithoutEquality } from './btree.ts';
import { isUndecided } from './collation.ts';
import type { Block, Inspected, Target } from './inspected.ts';
import { keyTargets } from './keys.ts';
import { notAllowed, notSupported, obstacle } from './pg-ivm-obstacles.ts';
import type { Walked } from './pg-ivm-walk.ts';
import { eachPart, kindOf } from './tree-walk.ts';

/** What Postgres itself refuses of a query that is to be a materialized view: parse analysis comes before all checks of pg_ivm. */
export function analysisObstacles(query: Inspected): readonly Obstacle[] {
  const found: Obstacle[] = [];
  const { select } = query.root;
  if (intoOf(select)) found.push(obstacle('select-into', 'SELECT INTO makes a table, not a view', query.spanOf(select),
    { message: 'SELECT ... INTO is not allowed here' }));
  eachPart(select, node => {
    if (kindOf(node) !== 'ParamRef') return;
    const number = (node as { ParamRef: { number?: number } }).ParamRef.number ?? 0;
    found.push(obstacle('parameter', `nothing gives $${number} a value`, query.spanOf(node),
      { message: `there is no parameter $${number}` }));
  });
  // GROUP BY and DISTINCT are looked at behind the expressions (measured).
  for (const block of query.blocks) found.push(...equalityObstacles(block, query));
  // What only a materialized view may not hold is looked for in the analysed query (transformCreateTableAsStmt).
  for (const cte of query.blocks.flatMap(block => block.ctes)) {
    if (cte.node.ctequery === undefined || 'SelectStmt' in cte.node.ctequery) continue;
    found.push(obstacle('modifying-cte', `the CTE ${cte.name} changes data`, cte.span,
      { message: 'materialized views must not use data-modifying statements in WITH' }));
  }
  for (const { relation, span } of query.blocks.flatMap(block => block.range)) {
    if (relation?.kind !== 'table' || relation.persistence !== 'temporary') continue;
    found.push(obstacle('temporary-source', `${relation.name.name} is a temporary table`, span,
      { message: 'materialized views must not use temporary tables or views' }));
  }
  return found;
}

function intoOf(select: SelectStmt): boolean {
  let at: SelectStmt | undefined = select;
  for (; at !== undefined; at = at.larg) if (at.intoClause !== undefined) return true;
  return false;
}

/** DISTINCT and GROUP BY over values that cannot be compared. */
function equalityObstacles(block: Block, query: Inspected): readonly Obstacle[] {
  const { distinctClause, groupClause = [] } = block.select;
  const distinct = distinctClause?.every(item => Object.keys(item).length === 0) === true ? block.targets : [];
  const grouped = groupClause.length === 0 ? [] : keyTargets(block, query).flatMap(target => target ?? []);
  return [...distinct, ...grouped].flatMap((target: Target) => {
    if (target.type === undefined) return [];
    // Of an array and of a row every part has to be comparable (measured: json[], a composite type with a json field).
    if (isComparable(target.type, query.types) && partWithoutEquality(target.type, query.types) === undefined) return [];
    return [obstacle('no-equality', `values of ${target.name} cannot be compared, they are of type ${target.type.printed}`, target.span,
      { message: `could not identify an equality operator for type ${target.type.printed}` })];
  }).slice(0, 1);
}

/** What the rewriting of the query refuses, behind the checks of its shape. */
export function rewriteObstacles(query: Inspected, { exists }: Walked): readonly Obstacle[] {
  const found: Obstacle[] = [];
  const [aggregate] = query.root.aggregates;
  const [first] = exists;
  if (first !== undefined && aggregate !== undefined) {
    found.push(obstacle('exists-with-aggregate', 'an aggregate and EXISTS stand in one query', first.span,
      { message: notAllowed, hint: 'aggregate function and EXISTS condition are not supported at the same time' }));
  }
  for (const [at, key] of keyTargets(query.root, query).entries()) {
    if (key !== undefined) continue;
    const node = (query.root.select.groupClause ?? [])[at];
    found.push(obstacle('group-key-not-selected', 'GROUP BY names what the select list does not hold', node === undefined
      ? query.statement.span : query.spanOf(node),
      { message: notSupported('GROUP BY expression not appearing in select list') }));
  }
  return found;
}

/** Columns that pg_ivm adds to the table, in order (measured, facts on pg_ivm §1.3). */
export function hiddenColumns(query: Inspected, names: readonly string[], exists: number): readonly string[] {
  const { root } = query;
  const hidden: string[] = [];
  for (let at = 0; at < exists; at += 1) hidden.push(`${prefix}exists_count_${at}__`);
  if (root.aggregates.length > 0) {
    for (const [at, { node, name }] of root.targets.entries()) {
      if (node === undefined || !('FuncCall' in node) || !root.aggregates.includes(node.FuncCall)) continue;
      const called = functionName(node);
      if (called === 'count') continue;
      const column = names[at] ?? name;
      hidden.push(`${prefix}count_${column}__`, ...(called === 'avg' ? [`${prefix}sum_${column}__`] : []));
    }
  }
  if (root.aggregates.length > 0 || root.select.distinctClause !== undefined) hidden.push(`${prefix}count__`);
  return hidden;
}
const prefix = '__ivm_';

function functionName(node: Node): string | undefined {
  const last = 'FuncCall' in node ? node.FuncCall.funcname?.at(-1) : undefined;
  return last !== undefined && 'String' in last ? last.String.sval : undefined;
}

/**
 * What the making of the table refuses: names that come twice, values that are no column's. `names`: the columns that the call names
 * itself.
 */
export function tableObstacles(query: Inspected, { exists }: Walked, names: readonly string[]): readonly Obstacle[] {
  const found: Obstacle[] = [];
  const { targets } = query.root;
  for (const target of targets) {
    if (!isUndecided(query, target)) continue;
    found.push(obstacle('no-collation', `the column ${target.name} is made of texts with different collations`, target.span,
      { message: `no collation was derived for column "${names[targets.indexOf(target)] ?? target.name}" with collatable type ${target.type?.printed ?? 'text'}` }));
  }
  const all = [...targets.map(({ name }, at) => names[at] ?? name), ...hiddenColumns(query, names, exists.length)];
  const repeated = new Map<string, number>();
  for (const [at, name] of all.entries()) {
    const before = repeated.get(name);
    if (before === undefined) repeated.set(name, at);
    else found.push(obstacle('duplicate-column', `two columns are named ${name}`, spanAt(query, targets[at] ?? targets[before]),
      { message: `column "${name}" specified more than once` }));
  }
  for (const { name, type, span } of targets) {
    if (type?.kind !== 'pseudo' || type.key === 'unknown') continue;
    found.push(obstacle('record-column', `the column ${name} is a row without a type`, span,
      { message: `column "${name}" has pseudo-type ${type.printed}` }));
  }
  return found;
}

const spanAt = (query: Inspected, target: Target | undefined): Span => target?.span ?? query.statement.span;
