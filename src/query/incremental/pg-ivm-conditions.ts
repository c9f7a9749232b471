import type { Obstacle, Span } from '../../model.ts';
import type { Node } from '../../sql/tree.ts';
import type { Block, ColumnMeaning, Inspected, Join, RangeEntry } from './inspected.ts';
import { notAllowed, obstacle, type PgIvmCode } from './pg-ivm-obstacles.ts';
import type { Walked } from './pg-ivm-walk.ts';
import { mentioned, nonNullable, nonStrictPart, usesByNode, type UsesByNode } from './strictness.ts';
import { eachPart } from './tree-walk.ts';

/**
 * What pg_ivm asks of the whole query behind its walk: the columns that EXISTS and outer joins need, and strict expressions beside an outer
 * join.
 */
export function conditionObstacles(query: Inspected, walked: Walked): readonly Obstacle[] {
  const made = [...existsObstacles(query, walked)];
  if (walked.outerJoins.length > 0) made.push(...outerJoinObstacles(query, walked.outerJoins));
  return made;
}

const forbid = (code: PgIvmCode, hint: string, says: string, span: Span): Obstacle =>
  obstacle(code, says, span, { message: notAllowed, hint });

/** A column as Postgres numbers it: the item of FROM and the position in it; whole rows have the position 0. */
function varOf(meaning: ColumnMeaning): string | undefined {
  if (meaning.is === 'unknown' || meaning.is === 'system') return undefined;
  const position = meaning.is === 'column' ? meaning.at + 1 : meaning.is === 'row' ? 0 : meaning.entry.columns.indexOf(meaning.column) + 1;
  return `${meaning.entry.block.range.indexOf(meaning.entry)}.${position}`;
}

/** The plain columns of the select list. */
function selected(query: Inspected): ReadonlySet<string> {
  return new Set(query.root.targets.flatMap(({ node, column }) => {
    const meaning = node !== undefined && 'ColumnRef' in node ? query.meaningOf(node.ColumnRef) : column === undefined ? undefined
      : query.columnMeaning(column);
    const name = meaning === undefined ? undefined : varOf(meaning);
    return name === undefined ? [] : [name];
  }));
}

function existsObstacles(query: Inspected, { exists }: Walked): readonly Obstacle[] {
  if (exists.length === 0) return [];
  // From PostgreSQL 18 on a column under GROUP BY is one of the grouping, not of its table.
  const listed = (query.root.select.groupClause ?? []).length > 0 && query.types.builtins.major >= 18 ? new Set<string>() : selected(query);
  const found: Obstacle[] = [];
  const seen = new Set<string>();
  // The extension takes every name from outside its own query for one of the outermost query: of a LATERAL inside of EXISTS too (measured).
  for (const inner of exists.flatMap(({ block }) => query.blocks.filter(candidate => isWithin(candidate, block)))) {
    const { withClause: _, larg: __, rarg: ___, ...own } = inner.select;
    eachPart(own, node => {
      if ('SelectStmt' in node) return false;
      if (!('fields' in node)) return undefined;
      const meaning = query.meaningOf(node);
      const name = meaning.is === 'unknown' || meaning.entry.block === inner ? undefined : varOf(meaning);
      if (name === undefined || listed.has(name) || seen.has(name)) return undefined;
      seen.add(name);
      found.push(forbid('exists-column-not-selected', 'targetlist must contain vars that are referred to in EXISTS subquery',
        `${textOf(query, node)} is used inside of EXISTS and is no plain column of the select list`, query.spanOf(node)));
      return undefined;
    });
  }
  return found;
}

function isWithin(block: Block, outer: Block): boolean {
  for (let at: Block | undefined = block; at !== undefined; at = at.outer) if (at === outer) return true;
  return false;
}

const textOf = (query: Inspected, node: object): string => {
  const fields = (node as { readonly fields?: readonly Node[] }).fields ?? [];
  const names = fields.flatMap(field => ('String' in field ? [field.String.sval ?? ''] : []));
  return names.length === 0 ? query.statement.sql.slice(0, 20) : names.join('.');
};

function outerJoinObstacles(query: Inspected, joins: readonly Join[]): readonly Obstacle[] {
  const uses = usesByNode(query);
  const found: Obstacle[] = [];
  for (const join of joins) {
    if (isSimpleEquality(query, uses, join)) continue;
    found.push(forbid('outer-join-condition', 'Only simple equijoin is supported with outer join',
      'the condition of the outer join is not one equality between two relations', join.entry.span));
  }
  const listed = selected(query);
  for (const [name, column] of joins.flatMap(join => conditionColumns(query, join))) {
    if (listed.has(name)) continue;
    found.push(forbid('outer-join-column-not-selected', 'targetlist must contain vars in the join condition with outer join',
      `${column.text} joins and is no plain column of the select list`, column.span));
  }
  const where = query.root.select.whereClause;
  const inWhere = where === undefined ? new Set<RangeEntry>() : mentioned(query, where);
  const proved = nonNullable(query, uses, where, true);
  const open = [...inWhere].find(entry => !proved.has(entry));
  if (open !== undefined) {
    found.push(forbid('outer-join-where', 'WHERE cannot contain non null-rejecting predicates with outer join',
      `WHERE holds for rows in which every column of ${open.name} is NULL`, query.spanOf(where!)));
  }
  for (const target of query.root.targets) {
    const part = target.node === undefined ? undefined : nonStrictPart(uses, target.node);
    if (part === undefined) continue;
    found.push(forbid('outer-join-non-strict', 'targetlist cannot contain non strict functions with outer join',
      `the column ${target.name} can have a value although what it is made of is NULL`, target.span));
  }
  return found;
}

/** The columns of the joining condition, as select lists are compared with. */
function conditionColumns(query: Inspected, join: Join): readonly (readonly [string, { readonly text: string; readonly span: Span }])[] {
  const found = new Map<string, { readonly text: string; readonly span: Span }>();
  const add = (meaning: ColumnMeaning | undefined, text: string, span: Span): void => {
    if (meaning?.is === 'merged') {
      for (const side of meaning.sides) add(query.columnMeaning(side), text, span);
      return;
    }
    const name = meaning === undefined || meaning.is === 'unknown' || meaning.entry.block !== query.root ? undefined : varOf(meaning);
    if (name !== undefined && !found.has(name)) found.set(name, { text, span });
  };
  eachPart(join.on, node => {
    if ('fields' in node) add(query.meaningOf(node), textOf(query, node), query.spanOf(node));
  });
  for (const { column, left, right } of join.merged) {
    for (const side of [left, right]) add(side === undefined ? undefined : query.columnMeaning(side), column.name, join.entry.span);
  }
  return [...found];
}

/** is_equijoin_condition: one binary operator that can be merged or hashed, each side of one relation, and not of the same. */
function isSimpleEquality(query: Inspected, uses: UsesByNode, join: Join): boolean {
  if (join.merged.length > 0) return join.merged.length === 1 && isPlain(query, join.merged[0]!);
  const { on } = join;
  if (on === undefined || !('A_Expr' in on) || on.A_Expr.kind !== 'AEXPR_OP' || on.A_Expr.lexpr === undefined
    || on.A_Expr.rexpr === undefined) return false;
  const [left, right] = [mentioned(query, on.A_Expr.lexpr), mentioned(query, on.A_Expr.rexpr)];
  if (left.size !== 1 || right.size !== 1 || [...left][0] === [...right][0]) return false;
  const [operator] = (uses.get(on) ?? []).filter(({ kind }) => kind === 'operator');
  return operator?.use?.kind === 'operator' && canMergeOrHash(operator.use.name, query);
}

/** Both sides of a USING column are columns of an item of FROM, not merged ones themselves. */
function isPlain(query: Inspected, { left, right }: Join['merged'][number]): boolean {
  return [left, right].every(side => side !== undefined && query.columnMeaning(side).is === 'column');
}

/**
 * Functions behind the built-in `=` whose operators can neither be merged nor hashed (pg_operator, compared with a server in the tests).
 */
const plainEquality = new Set(['xideqint4', 'box_eq', 'path_n_eq', 'circle_eq', 'lseg_eq', 'line_eq']);

function canMergeOrHash(name: string, query: Inspected): boolean {
  if (plainEquality.has(name)) return false;
  if (name === 'record_image_eq') return true;
  return query.types.builtins.operators('=').some(row => row.function === name);
}
