/** The shape of a query's levels: set operations, grouping sets, CTEs, windows, LATERAL, locks, the list of outputs (facts §2.2). */
import type { CommonTableExpr, Node } from '../../sql/tree.ts';
import type { Block, Missing, RangeEntry } from './inspected.ts';
import { evidenceAt, isInFrom, isOutermost, type Inlined, type Piece } from './pieces.ts';
import type { Findings } from './pg-trickle.ts';
import type { Bar, Ruling } from './rulings.ts';

/** pg_trickle.max_grouping_set_branches, and how many sources differential joins take by default (facts §2.2). */
const mostBranches = 64;
const mostJoined = 8;

export function shapeRulings(query: Inlined, minor: number): Findings {
  const rulings: Ruling[] = [];
  const missing: Missing[] = [];
  outputs(query, rulings);
  for (const piece of query.pieces) for (const block of piece.made.blocks) ofBlock(piece, block, minor, rulings, missing);
  const tables = query.pieces.flatMap(({ made }) => made.blocks.filter(isInFrom)
    .flatMap(block => block.range.filter(entry => entry.relation?.kind === 'table')));
  const [first] = tables;
  if (tables.length > mostJoined && first !== undefined)
    rulings.push({ code: 'many-sources', bar: 'nothing', step: 12, evidence: evidenceAt(query.pieces[0]!, query.root.root.select,
      'the query'),
      says: `it reads ${tables.length} sources: past ${mostJoined} pg_trickle computes it anew at each refresh` });
  return { rulings, missing };
}

/** One column at least, each name once, and one relation somewhere (steps 3 and 13). */
function outputs(query: Inlined, rulings: Ruling[]): void {
  const [piece] = query.pieces;
  if (piece === undefined) return;
  const { root } = piece.made;
  const first = root.form === 'set operation' ? firstArm(root) : root;
  const names = new Map<string, number>();
  for (const { name, span } of first.targets) {
    names.set(name, (names.get(name) ?? 0) + 1);
    if (names.get(name) === 2)
      rulings.push({ code: 'duplicate-column', bar: 'every mode', step: 14, says: `the column name ${name} is put out twice`,
        evidence: [{ span, says: `${name} again` }] });
  }
  if (first.targets.length === 0 && !first.open && first.form === 'select')
    rulings.push(ruling(piece, root.select, 'no-columns', 'every mode', 3, 'it puts out no column'));
  const isKnown = query.missing.length === 0;
  if (isKnown && !query.pieces.some(({ made }) => made.blocks.some(block => block.range.some(entry => entry.kind === 'relation'))))
    rulings.push(ruling(piece, root.select, 'no-relation', 'every mode', 13,
      'it reads no relation, so there is nothing whose changes could be followed'));
}

function firstArm(block: Block): Block {
  let arm = block;
  while (arm.operands[0] !== undefined) arm = arm.operands[0];
  return arm;
}

function ofBlock(piece: Piece, block: Block, minor: number, rulings: Ruling[], missing: Missing[]): void {
  const { select } = block;
  const isTop = piece.view === undefined && isOutermost(block);
  if (block.form === 'set operation' && (select.op === 'SETOP_EXCEPT' || select.op === 'SETOP_INTERSECT'))
    rulings.push({ ...ruling(piece, select, 'set-operation', 'incremental modes', 12,
      `${select.op === 'SETOP_EXCEPT' ? 'EXCEPT' : 'INTERSECT'} is computed anew at each refresh`), message: 'DVM-81-1-SET' });
  const branches = (select.groupClause ?? []).reduce((product, item) => product * branchesOf(item), 1);
  if (branches > mostBranches)
    rulings.push(ruling(piece, select.groupClause?.[0] ?? select, 'grouping-sets', 'every mode', 2,
      `its grouping sets make ${branches} branches, and pg_trickle takes ${mostBranches}`));
  // Window functions of the select list are recomputed by partition; in a sub-query they are not (step 8).
  const [windowCall] = block.windowCalls;
  if (windowCall !== undefined && !isTop)
    rulings.push(ruling(piece, windowCall, 'nested-window', 'incremental modes', 8,
      'a window function beneath the outermost query is computed anew at each refresh'));
  for (const cte of block.ctes) searchOrCycle(piece, cte.node, rulings);
  const [lock] = select.lockingClause ?? [];
  if (lock !== undefined && isTop)
    rulings.push(ruling(piece, lock, 'row-lock', 'explicit modes', 6,
      'FOR UPDATE and FOR SHARE are refused in every mode that is asked for by name; AUTO computes anew'));
  else if (lock !== undefined) missing.push({ what: 'what pg_trickle says of FOR UPDATE in a sub-query', span: piece.made.spanOf(lock) });
  for (const entry of block.range) ofEntry(piece, block, entry, isTop, minor, rulings, missing);
}

/** How many queries of a UNION ALL a part of GROUP BY becomes. Nested sets are summed up. */
function branchesOf(item: Node, depth = 0): number {
  if (!('GroupingSet' in item) || depth > 50) return 1;
  const { kind, content = [] } = item.GroupingSet;
  if (kind === 'GROUPING_SET_ROLLUP') return content.length + 1;
  if (kind === 'GROUPING_SET_CUBE') return 2 ** content.length;
  return kind === 'GROUPING_SET_SETS' ? content.reduce((sum, inner) => sum + branchesOf(inner, depth + 1), 0) : 1;
}

function searchOrCycle(piece: Piece, cte: CommonTableExpr, rulings: Ruling[]): void {
  const clause = cte.search_clause ?? cte.cycle_clause;
  if (clause !== undefined)
    rulings.push(ruling(piece, cte, 'search-or-cycle', 'incremental modes', 10,
      'SEARCH and CYCLE of a recursive CTE are computed anew at each refresh'));
  if (cte.cterecursive === true || isRecursive(cte))
    rulings.push(ruling(piece, cte, 'recursive-immediate', 'nothing', 9,
      'with IMMEDIATE pg_trickle warns of a recursive CTE: each write waits for the whole recursion'));
}

/** The raw tree does not mark which CTE recurs; one that names itself in a UNION does. */
function isRecursive(cte: CommonTableExpr): boolean {
  const query = cte.ctequery && 'SelectStmt' in cte.ctequery ? cte.ctequery.SelectStmt : undefined;
  return query?.op === 'SETOP_UNION' && JSON.stringify(query.rarg ?? {}).includes(`"relname":${JSON.stringify(cte.ctename ?? '')}`);
}

function ofEntry(piece: Piece, block: Block, entry: RangeEntry, isTop: boolean, minor: number, rulings: Ruling[],
  missing: Missing[]): void {
  if (entry.sampled && isTop)
    rulings.push(ruling(piece, entry.node, 'tablesample', 'explicit modes', 6,
      'TABLESAMPLE is refused in every mode that is asked for by name; AUTO computes anew'));
  else if (entry.sampled) missing.push({ what: 'what pg_trickle says of TABLESAMPLE in a sub-query', span: entry.span });
  if (entry.kind === 'sub-select' && entry.query?.form === 'values')
    rulings.push(ruling(piece, entry.node, 'values', 'incremental modes', 10, 'VALUES in FROM is computed anew at each refresh'));
  if (entry.kind === 'sub-select' && entry.lateral) lateral(piece, block, entry, isTop, rulings, missing);
  // LATERAL over a function is uncertain in the 0.8x line, and taken by 0.67 and by the fixtures of 0.108 (facts §2.6).
  if (entry.kind === 'function' && entry.lateral && minor >= 83 && minor < 108)
    missing.push({ what: 'whether this version of pg_trickle follows a set-returning function over columns', span: entry.span });
}

const readsRelation = (block: Block, all: readonly Block[]): boolean =>
  all.some(other => within(other, block) && other.range.some(entry => entry.kind === 'relation'));
function within(inner: Block, outer: Block): boolean {
  for (let next: Block | undefined = inner; next !== undefined; next = next.outer) if (next === outer) return true;
  return false;
}

/**
 * DVM-81-5: each row of the outer side has to be told by its primary key, kept in the output; IMMEDIATE refuses a body that reads tables.
 */
function lateral(piece: Piece, block: Block, entry: RangeEntry, isTop: boolean, rulings: Ruling[], missing: Missing[]): void {
  if (entry.query !== undefined && readsRelation(entry.query, piece.made.blocks))
    rulings.push({ ...ruling(piece, entry.node, 'lateral-immediate', 'IMMEDIATE', 9,
      'IMMEDIATE refuses a LATERAL sub-query that reads tables'), message: 'DVM-81-5-IMMEDIATE-LATERAL' });
  for (const outer of block.range.slice(0, block.range.indexOf(entry))) {
    if (outer.kind === 'join') continue;
    const table = outer.relation?.kind === 'table' ? outer.relation : undefined;
    if (table === undefined || !isTop) {
      missing.push({ what: 'whether the rows beside LATERAL are told by a primary key', span: outer.span });
      continue;
    }
    const key = table.constraints.find(({ kind }) => kind === 'primary key');
    const put = new Set(block.targets.flatMap(({ column }) => (column === undefined ? [] : column.ids)));
    const kept = key?.columns.every(name => outer.columns.some(column => column.name === name
      && column.ids.some(id => put.has(id)))) === true;
    if (kept) continue;
    if (table.inDoubt?.includes('constraint') === true) missing.push({ what: `the primary key of ${table.name.name}`, span: outer.span });
    else
      rulings.push({ ...ruling(piece, entry.node, 'lateral-identity', 'incremental modes', 12,
        key === undefined ? `LATERAL needs a primary key of ${table.name.name}, which has none`
          : `LATERAL needs the primary key of ${table.name.name} in the output`), message: 'DVM-81-5' });
  }
}

function ruling(piece: Piece, node: object, code: string, bar: Bar, step: number, says: string): Ruling {
  return { code, bar, step, says, evidence: evidenceAt(piece, node, 'here') };
}
