/** Expressions: sub-queries by where they stand, aggregates, operators (facts §2.2, §2.3). */
import type { FuncCall, Node, SubLink } from '../../sql/tree.ts';
import { strings } from '../names.ts';
import type { Block, Inspected, Missing } from './inspected.ts';
import { evidenceAt, type Inlined, type Piece } from './pieces.ts';
import type { Findings } from './pg-trickle.ts';
import type { Bar, Ruling } from './rulings.ts';

/** Aggregates that are computed anew (facts §2.2). */
const fullAggregates = new Set(['range_agg', 'range_intersect_agg']);
/** Operators of pgvector; those of built-in types that are written the same are not meant. */
const vectorOperators = new Set(['<->', '<=>', '<#>', '<+>']);
/** An OR with more arms than this that hold sub-queries makes too many branches of a UNION. */
const mostArms = 16;

/** Where an expression stands. */
interface Around {
  readonly part: 'select list' | 'WHERE' | 'elsewhere';
  /** Nothing but AND, OR and NOT stands above it. */
  readonly isCondition: boolean;
  readonly underOr: boolean;
  /** The innermost aggregate around it. */
  readonly aggregate?: string;
  readonly inCase: boolean;
}

export function nodeRulings(query: Inlined): Findings {
  const found: Found = { rulings: [], missing: [] };
  for (const piece of query.pieces) for (const block of piece.made.blocks) ofBlock(piece, block, found);
  return found;
}

interface Found {
  readonly rulings: Ruling[];
  readonly missing: Missing[];
}

function ofBlock(piece: Piece, block: Block, found: Found): void {
  const { select } = block;
  const start: Around = { part: 'select list', isCondition: false, underOr: false, inCase: false };
  for (const item of select.targetList ?? []) visit(item, start, piece, found, 0);
  if (select.whereClause !== undefined) visit(select.whereClause, { ...start, part: 'WHERE', isCondition: true }, piece, found, 0);
  const rest = [select.havingClause, ...select.groupClause ?? [], ...select.sortClause ?? [], ...joinConditions(block)];
  for (const node of rest) if (node !== undefined) visit(node, { ...start, part: 'elsewhere' }, piece, found, 0);
}

const joinConditions = (block: Block): readonly Node[] => block.range.flatMap(({ join }) => join?.on ?? []);

/** Steps into an expression, not into its sub-queries: those are blocks of their own. */
function visit(node: unknown, around: Around, piece: Piece, found: Found, depth: number): void {
  if (typeof node !== 'object' || node === null || depth > 2000) return;
  if (Array.isArray(node)) {
    for (const item of node) visit(item, around, piece, found, depth + 1);
    return;
  }
  const inner = node as Partial<Record<string, never>> & Node;
  if ('SelectStmt' in inner) return;
  if ('SubLink' in inner) {
    sublink(inner.SubLink, around, piece, found);
    visit(inner.SubLink.testexpr, { ...around, isCondition: false }, piece, found, depth + 1);
    return;
  }
  if ('BoolExpr' in inner) {
    const { boolop, args = [] } = inner.BoolExpr;
    const isOr = boolop === 'OR_EXPR';
    // Nothing is stepped through twice where no sub-query stands anywhere: conditions nest deeply.
    const arms = isOr && args.length > mostArms && piece.made.blocks.some(block => block.role === 'sublink')
      ? args.filter(arg => JSON.stringify(arg).includes('"SubLink"')).length : 0;
    if (arms > 0 && around.part === 'WHERE')
      add(piece, inner, found, 'or-branches', 'every mode', 2,
        `an OR of ${args.length} arms with sub-queries makes more than ${mostArms} branches`);
    for (const arg of args) visit(arg, { ...around, underOr: around.underOr || isOr }, piece, found, depth + 1);
    return;
  }
  if ('A_Expr' in inner) {
    const name = strings(inner.A_Expr.name).at(-1) ?? '';
    if (around.part === 'WHERE' && vectorOperators.has(name) && isVector(inner.A_Expr.lexpr, piece.made))
      add(piece, inner, found, 'vector-operator', 'incremental modes', 10,
        `the operator ${name} in WHERE is computed anew at each refresh`);
  }
  if ('FuncCall' in inner) {
    call(inner.FuncCall, around, piece, found, depth);
    return;
  }
  const inCase = around.inCase || 'CaseExpr' in inner;
  for (const part of Object.values(inner)) visit(part, { ...around, isCondition: false, inCase }, piece, found, depth + 1);
}

/** A type that mvlint does not have cannot be that of a built-in operator. */
function isVector(node: Node | undefined, made: Inspected): boolean {
  return node !== undefined && (made.typeOf(node)?.key ?? 'vector') === 'vector';
}

function call(node: FuncCall, around: Around, piece: Piece, found: Found, depth: number): void {
  const name = strings(node.funcname).at(-1) ?? '';
  const isAggregate = piece.made.blocks.some(block => block.aggregates.includes(node));
  if (isAggregate && fullAggregates.has(name))
    add(piece, node, found, 'aggregate', 'incremental modes', 10, `${name}() is computed anew at each refresh`);
  // CASE_IN_LIST_DVM_DRIFT_FULL_FALLBACK: accepted, then computed anew (facts §2.2, runtime fallbacks).
  if (isAggregate && (name === 'sum' || name === 'count') && JSON.stringify(node.args ?? []).match(/"CaseExpr".*"AEXPR_IN"/))
    add(piece, node, found, 'case-in-list', 'nothing', 12,
      `${name}() over CASE with an IN list is taken and computed anew at each refresh`);
  const inside: Around = { ...around, isCondition: false, ...(isAggregate ? { aggregate: name } : {}) };
  for (const part of Object.values(node)) visit(part, inside, piece, found, depth + 1);
}

function sublink(link: SubLink, around: Around, piece: Piece, found: Found): void {
  const { made } = piece;
  const select = link.subselect && 'SelectStmt' in link.subselect ? link.subselect.SelectStmt : undefined;
  const block = select === undefined ? undefined : made.blockOf(select);
  if (around.aggregate !== undefined && around.inCase)
    return add(piece, link, found, 'sub-query-in-aggregate', 'nothing', 12,
      `a sub-query in CASE inside of ${around.aggregate}() is taken and computed anew at each refresh`);
  switch (link.subLinkType) {
    case 'ALL_SUBLINK': return add(piece, link, found, 'all-sub-query', 'incremental modes', 10,
      'a comparison with ALL (SELECT …) is computed anew at each refresh');
    case 'ARRAY_SUBLINK': return add(piece, link, found, 'array-sub-query', 'incremental modes', 10,
      'ARRAY (SELECT …) is computed anew at each refresh');
    case 'EXPR_SUBLINK': return scalar(link, block, around, piece, found);
    case 'ANY_SUBLINK': case 'EXISTS_SUBLINK': {
      // AND, OR and NOT above it are taken apart (De Morgan, OR to UNION, three passes); of anything else no fact says whether it is.
      if (around.part !== 'WHERE' || (!around.isCondition && around.underOr) || !around.isCondition)
        found.missing.push({ what: 'whether pg_trickle takes EXISTS or IN apart where it stands', span: made.spanOf(link) });
      if (isRowTest(link) && block !== undefined && block.targets.some(({ node }) => canBeNull(node, made)))
        add(piece, link, found, 'row-in', 'incremental modes', 10,
          'NOT IN over several columns that can be NULL is computed anew at each refresh');
      return;
    }
    default: return;
  }
}

/** A column of a table that is known to take NULL. */
function canBeNull(node: Node | undefined, made: Inspected): boolean {
  const meaning = node !== undefined && 'ColumnRef' in node ? made.meaningOf(node.ColumnRef) : undefined;
  const relation = meaning?.is === 'column' ? meaning.entry.relation : undefined;
  if (meaning?.is !== 'column' || relation?.kind !== 'table' || 'unknown' in relation.columns) return false;
  return relation.columns.find(({ name }) => name === meaning.column.name)?.notNull === false;
}

const isRowTest = ({ testexpr, subLinkType }: SubLink): boolean => subLinkType === 'ANY_SUBLINK' && testexpr !== undefined
  && 'RowExpr' in testexpr;

/** Uncorrelated ones become a CROSS JOIN, correlated ones of the select list a LEFT JOIN; a correlated one in WHERE cannot be rewritten. */
function scalar(link: SubLink, block: Block | undefined, around: Around, piece: Piece, found: Found): void {
  if (around.part !== 'WHERE' || block === undefined || !isCorrelated(block, piece.made)) return;
  if (block.aggregates.length > 0)
    add(piece, link, found, 'correlated-aggregate', 'nothing', 12,
      'a correlated aggregate in WHERE is taken and computed anew at each refresh');
  else add(piece, link, found, 'correlated-sub-query', 'incremental modes', 10,
    'a correlated scalar sub-query in WHERE is computed anew at each refresh');
}

/** Whether a column named anywhere inside belongs to a query outside. */
function isCorrelated(block: Block, made: Inspected): boolean {
  let outside = false;
  const step = (node: unknown, depth: number): void => {
    if (outside || typeof node !== 'object' || node === null || depth > 2000) return;
    if (!Array.isArray(node) && 'ColumnRef' in node) {
      const meaning = made.meaningOf((node as { readonly ColumnRef: object }).ColumnRef);
      if (meaning.is !== 'unknown' && !isWithin(meaning.entry.block, block)) outside = true;
      return;
    }
    for (const part of Object.values(node)) step(part, depth + 1);
  };
  step(block.select, 0);
  return outside;
}

function isWithin(inner: Block, outer: Block): boolean {
  for (let next: Block | undefined = inner; next !== undefined; next = next.outer) if (next === outer) return true;
  return false;
}

function add(piece: Piece, node: object, found: Found, code: string, bar: Bar, step: number, says: string): void {
  found.rulings.push({ code, bar, step, says, evidence: evidenceAt(piece, node, 'here') });
}
