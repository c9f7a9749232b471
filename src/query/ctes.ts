import type { CommonTableExpr, Node, RangeVar, WithClause } from '../sql/tree.ts';
import { placeIn, visit } from './expression.ts';
import { fromItems } from './from.ts';
import { strings } from './names.ts';
import { anyRows, law, oneRow, withLaws } from './laws.ts';
import { deeper, envWithin, newId, scopeOver, unionTaints, unknown, type CteList, type Env, type Run, type Shape, type ShapeColumn } from './scope.ts';
import { analyze, openShape, selectShape } from './select.ts';
import { summed } from './summary.ts';

/** The CTEs that a query with this WITH sees, the nearest first. */
export function withCtes(clause: WithClause | undefined, run: Run, env: Env): CteList | undefined {
  let list = env.ctes;
  if (clause === undefined) return list;
  const ctes = (clause.ctes ?? []).flatMap(node => ('CommonTableExpr' in node ? [node.CommonTableExpr] : []));
  // Under RECURSIVE a CTE may name a later one too: it is a CTE then, of columns that are not known yet.
  if (clause.recursive === true) for (const cte of [...ctes].reverse()) list = { name: cte.ctename ?? '', shape: openShape, node: cte, next: list };
  for (const cte of ctes) {
    const name = cte.ctename ?? '';
    const mark = run.lastId;
    const shape = cteShape(cte, clause.recursive === true, run, deeper(env, list));
    list = { name, ...summed(shape, mark, run.lastId), node: cte, next: list };
  }
  return list;
}

function cteShape(cte: CommonTableExpr, recursive: boolean, run: Run, env: Env): Shape {
  const query = cte.ctequery;
  if (query === undefined) return openShape;
  if (!('SelectStmt' in query)) return modifying(query, run, env);
  const select = query.SelectStmt;
  const own = recursive && select.op === 'SETOP_UNION' && select.larg !== undefined && select.rarg !== undefined
    ? recursiveShape(select.larg, select.rarg, strings(cte.aliascolnames), cte, run, select.withClause === undefined ? env
      : envWithin(env.outer, withCtes(select.withClause, run, env), env.depth, env.asksOrder), select.all === true)
    : resolve(analyze(query, run, env));
  const shape = renamed(own, strings(cte.aliascolnames));
  // SEARCH and CYCLE add columns; their types are not modelled.
  return cte.search_clause !== undefined || cte.cycle_clause !== undefined ? { ...shape, open: true, facts: anyRows(newId(run)) } : shape;
}

/** Literals of a CTE are text. */
const resolve = (shape: Shape): Shape => (shape.columns.every(column => !column.literal) ? shape
  : { ...shape, columns: shape.columns.map(column => ({ ...column, literal: false })) });
const renamed = (shape: Shape, names: readonly string[]): Shape => (names.length === 0 ? shape
  : { ...shape, columns: shape.columns.map((column, at) => (names[at] === undefined ? column : { ...column, name: names[at] })) });

/** The first arm decides names and types (transformWithClause; measured in the tests); what the second adds is looked at once. */
function recursiveShape(left: NonNullable<Parameters<typeof selectShape>[0]>, right: typeof left, names: readonly string[],
  cte: CommonTableExpr, run: Run, env: Env, all: boolean): Shape {
  const first = renamed(resolve(selectShape(left, run, env)), names);
  const row = newId(run);
  const columns = first.columns.map((column): ShapeColumn => {
    const { ids: _, literals: __, fromOne: ___, ...rest } = column;
    return { ...rest, ids: [newId(run)], nullable: unknown(`whether ${column.name} is NULL`) };
  });
  const open: Shape = { columns, open: first.open, facts: anyRows(row) };
  const second = selectShape(right, run, envWithin(env.outer, { name: cte.ctename ?? '', shape: open, node: cte, next: env.ctes }, env.depth, env.asksOrder));
  // UNION drops what was there before; UNION ALL proves nothing.
  const facts = all ? open.facts : withLaws(open.facts, [law(columns.flatMap(column => column.ids ?? []), [row])]);
  return { ...open, facts, rows: unionTaints(first.rows ?? [], second.rows ?? []), columns: columns.map((column, at) =>
    ({ ...column, taints: unionTaints(column.taints, second.columns[at]?.taints ?? []) })) };
}

/** INSERT, UPDATE, DELETE, MERGE in a CTE: a matview refuses them, a plain SELECT may hold them. The target counts as used whole. */
function modifying(query: Node, run: Run, env: Env): Shape {
  const inner = Object.values(query)[0] as {
    relation?: RangeVar; withClause?: WithClause; usingClause?: Node[]; fromClause?: Node[]; sourceRelation?: Node; selectStmt?: Node;
  };
  const below = deeper(env, withCtes(inner.withClause, run, env));
  if (inner.selectStmt !== undefined) analyze(inner.selectStmt, run, below);
  const from = [
    ...(inner.relation === undefined ? [] : [{ RangeVar: inner.relation } as Node]), ...(inner.usingClause ?? []),
      ...(inner.fromClause ?? []),
    ...(inner.sourceRelation === undefined ? [] : [inner.sourceRelation]),
  ];
  const sources = fromItems(from, run, below);
  for (const read of sources.flatMap(source => source.entries.flatMap(entry => entry.reads))) read.columns = undefined;
  const scope = scopeOver([{ columns: [], open: true, entries: sources.flatMap(source => source.entries), facts: oneRow }]);
  const place = placeIn(run, scope, below);
  const { relation: _, withClause: __, usingClause: ___, fromClause: ____, sourceRelation: _____, selectStmt: ______, ...rest } = inner;
  visit(rest, place);
  return openShape;
}
