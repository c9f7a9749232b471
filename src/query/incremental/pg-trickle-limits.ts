/** LIMIT, OFFSET and ORDER BY: steps 4, 5 and 9 of pg_trickle's decisions (facts §2.2). */
import type { Node, SelectStmt } from '../../sql/tree.ts';
import type { Inspected } from './inspected.ts';
import { evidenceAt, type Inlined, type Piece } from './pieces.ts';
import type { Findings } from './pg-trickle.ts';
import type { Bar, Ruling } from './rulings.ts';

/** pg_trickle.ivm_topk_max_limit (facts §2.2: what IMMEDIATE refuses). */
const mostImmediate = 1000;

/** The number of a constant; `all` for LIMIT ALL and NULL, undefined for anything else. */
function constant(node: Node | undefined): number | 'all' | undefined {
  if (node === undefined || !('A_Const' in node)) return undefined;
  if (node.A_Const.isnull === true) return 'all';
  return node.A_Const.ival === undefined ? undefined : node.A_Const.ival.ival ?? 0;
}

const limited = ({ limitCount }: SelectStmt): boolean => limitCount !== undefined && constant(limitCount) !== 'all';

/** ORDER BY with a constant LIMIT: pg_trickle keeps the first rows (facts §2.3). A LIMIT on a set operation is refused instead. */
export function isTopK({ root: { select, form } }: Inspected): boolean {
  return form === 'select' && limited(select) && (select.sortClause ?? []).length > 0;
}

/**
 * Refused in every mode (facts §2.2): LIMIT, OFFSET or FETCH without ORDER BY; OFFSET without LIMIT; limits that are no constants; a
 * LIMIT on a
 * set operation; LIMIT 0 since 0.83. Inside of a sub-query, a CTE or a view a LIMIT is FULL-only. ORDER BY alone is dropped with a
 * warning (§2.3).
 */
export function limitRulings(query: Inlined, minor: number): Findings {
  const rulings: Ruling[] = [];
  for (const piece of query.pieces)
    for (const block of piece.made.blocks) {
      const { select } = block;
      const at = select.limitCount ?? select.limitOffset;
      if (block.role === 'query' && piece.view === undefined) outermost(piece, select, block.form === 'set operation', minor, rulings);
      else if (at !== undefined && (limited(select) || select.limitOffset !== undefined))
        rulings.push(ruling(piece, at, 'nested-limit', 'incremental modes', 10,
          'a LIMIT inside of a sub-query, a CTE or a view has to be computed anew'));
    }
  return { rulings };
}

function outermost(piece: Piece, select: SelectStmt, isSet: boolean, minor: number, rulings: Ruling[]): void {
  const { limitCount, limitOffset, sortClause = [] } = select;
  const at = limitCount ?? limitOffset;
  const every = (node: object, code: string, says: string): void => void rulings.push(ruling(piece, node, code, 'every mode', 5, says));
  const [sort] = sortClause;
  if (at === undefined || (!limited(select) && limitOffset === undefined)) {
    if (sort !== undefined)
      rulings.push(ruling(piece, sort, 'order-by-dropped', 'nothing', 2,
        'ORDER BY without LIMIT is dropped with a warning: rows of a table have no order'));
    return;
  }
  const count = constant(limitCount);
  if (isSet) every(at, 'limit-on-set-operation', 'LIMIT on a set operation is refused in every mode');
  else if (sort === undefined) every(at, 'limit-without-order-by', 'LIMIT and OFFSET without ORDER BY are refused in every mode');
  else if (!limited(select)) every(at, 'offset-without-limit', 'OFFSET without LIMIT is refused in every mode');
  for (const node of [limitCount, limitOffset])
    if (node !== undefined && !('A_Const' in node) && !('TypeCast' in node))
      every(node, 'limit-not-constant', 'LIMIT and OFFSET have to be constants');
  if (count === 0 && limitCount !== undefined && minor >= 83) every(limitCount, 'limit-zero', 'LIMIT 0 is refused in every mode');
  if (typeof count === 'number' && count > mostImmediate && limitCount !== undefined)
    rulings.push(ruling(piece, limitCount, 'topk-too-large', 'IMMEDIATE', 9,
      `IMMEDIATE keeps ${mostImmediate} rows at most (pg_trickle.ivm_topk_max_limit)`));
}

function ruling(piece: Piece, node: object, code: string, bar: Bar, step: number, says: string): Ruling {
  return { code, bar, step, says, evidence: evidenceAt(piece, node, 'here') };
}
