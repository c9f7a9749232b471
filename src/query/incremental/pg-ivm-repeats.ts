import type { Obstacle, Table } from '../../model.ts';
import { conjuncts } from '../conditions.ts';
import { strings } from '../names.ts';
import { isUnknown } from '../scope.ts';
import { tableOf, type Block, type ColumnMeaning, type Inspected, type RangeEntry } from './inspected.ts';
import { obstacle } from './pg-ivm-obstacles.ts';
import type { Walked } from './pg-ivm-walk.ts';
import { mentioned } from './strictness.ts';

/** How often the query reads each table, a CTE as often as it is named (it is put in its place). */
function readings(block: Block, found: Map<Table, RangeEntry[]>, depth: number): void {
  for (const entry of block.range) {
    const table = tableOf(entry);
    if (table !== undefined) found.set(table, [...found.get(table) ?? [], entry]);
    const inner = entry.query ?? entry.cte?.query;
    if (inner !== undefined && depth < 20 && [...found.values()].every(list => list.length < 50)) readings(inner, found, depth + 1);
  }
}

/**
 * A table that is read twice: an UPDATE of rows that are joined to rows of the same table leaves other rows than the query gives, and where
 * an outer join stands between the two beside a third relation, writes are refused (both measured).
 */
export function repeatHazards(query: Inspected, { outerJoins, exists }: Walked): readonly Obstacle[] {
  const read = new Map<Table, RangeEntry[]>();
  for (const { block } of [{ block: query.root }, ...exists]) readings(block, read, 0);
  const found: Obstacle[] = [];
  for (const [table, entries] of read) {
    const [first, second] = entries;
    // Rows that are joined by their own key are joined to themselves.
    const isSame = first !== undefined && entries.slice(1).every(entry => joinedByKey(query, table, first, entry));
    if (second !== undefined && !isSame) {
      found.push(obstacle('table-read-twice',
        `${table.name.name} is read twice, and an UPDATE of rows that belong together leaves rows that the query does not give`,
        second.span));
    }
  }
  if (query.root.range.filter(({ kind }) => kind !== 'join').length < 3) return found;
  for (const join of outerJoins.filter(({ kind }) => kind === 'left' || kind === 'full')) {
    const tables = sidesOf(query, join).map(tableOf);
    if (tables.length === 2 && tables[0] !== undefined && tables[0].id === tables[1]?.id) {
      found.push(obstacle('outer-join-of-one-table',
        `an outer join of ${tables[0].name.name} to itself stands beside another relation, and UPDATE and DELETE on it are refused`,
        join.entry.span));
    }
  }
  return found;
}

/** Whether two readings of a table agree in all columns of its primary key. */
function joinedByKey(query: Inspected, table: Table, a: RangeEntry, b: RangeEntry): boolean {
  const key = table.constraints.find(({ kind }) => kind === 'primary key')?.columns ?? [];
  const { root } = query;
  if (key.length === 0 || isUnknown(table.columns) || a.block !== root || b.block !== root) return false;
  const equal = new Set<string>();
  const pair = (one: ColumnMeaning, other: ColumnMeaning): void => {
    if (one.is !== 'column' || other.is !== 'column' || one.at !== other.at) return;
    if ((one.entry === a && other.entry === b) || (one.entry === b && other.entry === a)) equal.add(String(one.at));
  };
  const joins = root.range.flatMap(({ join }) => join ?? []);
  for (const part of [root.select.whereClause, ...joins.map(join => join.on)].flatMap(conjuncts)) {
    if (!('A_Expr' in part) || part.A_Expr.kind !== 'AEXPR_OP' || strings(part.A_Expr.name).at(-1) !== '=') continue;
    const { lexpr, rexpr } = part.A_Expr;
    if (lexpr !== undefined && 'ColumnRef' in lexpr && rexpr !== undefined && 'ColumnRef' in rexpr) pair(query.meaningOf(lexpr.ColumnRef),
      query.meaningOf(rexpr.ColumnRef));
  }
  for (const { left, right } of joins.flatMap(join => join.merged)) {
    if (left !== undefined && right !== undefined) pair(query.columnMeaning(left), query.columnMeaning(right));
  }
  const { columns } = table;
  return key.every(name => equal.has(String(columns.findIndex(column => column.name === name))));
}

/** The relations that the condition of a join names. */
function sidesOf(query: Inspected, join: Walked['outerJoins'][number]): readonly RangeEntry[] {
  const sides = new Set<RangeEntry>(join.on === undefined ? [] : mentioned(query, join.on));
  for (const { left, right } of join.merged) {
    for (const side of [left, right]) {
      const meaning = side === undefined ? undefined : query.columnMeaning(side);
      if (meaning !== undefined && meaning.is !== 'unknown') sides.add(meaning.entry);
    }
  }
  return [...sides];
}
