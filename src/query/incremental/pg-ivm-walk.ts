import type { Evidence, Obstacle, Span } from '../../model.ts';
import type { FuncCall, Node, SelectStmt, SubLink } from '../../sql/tree.ts';
import { groupingSets } from './grouping.ts';
import type { Block, FromNode, Inspected, Join, Target } from './inspected.ts';
import { aggregateObstacle } from './pg-ivm-aggregates.ts';
import { notAllowed, notSupported, obstacle, type PgIvmCode } from './pg-ivm-obstacles.ts';
import { sourceObstacles, type HasHeirs } from './pg-ivm-sources.ts';
import { orderObstacle } from './pg-ivm-types.ts';
import { eachPart, kindOf } from './tree-walk.ts';

/**
 * What the walk over a query found: what it refuses, in the order in which the extension meets it, and what the checks behind it ask for.
 */
export interface Walked {
  readonly obstacles: readonly Obstacle[];
  /** The outer joins of the query, in the order in which they are met. */
  readonly outerJoins: readonly Join[];
  /** The EXISTS that it accepts, with the place of each. */
  readonly exists: readonly { readonly node: SubLink; readonly block: Block; readonly span: Span }[];
}

/** check_ivm_restriction_walker (createas.c of the extension), which goes on where the extension stops at the first obstacle. */
export function walkQuery(query: Inspected, hasHeirs: HasHeirs): Walked {
  const walker = new Walker(query, hasHeirs);
  walker.block(query.root, 0);
  return walker;
}

const reserved = '__ivm_';

class Walker implements Walked {
  readonly obstacles: Obstacle[] = [];
  readonly outerJoins: Join[] = [];
  readonly exists: { node: SubLink; block: Block; span: Span }[] = [];
  readonly #query: Inspected;
  readonly #hasHeirs: HasHeirs;
  readonly #systemColumns = new Map<Block, object[]>();
  #hasAggregate = false;
  #hasSubquery = false;

  constructor(query: Inspected, hasHeirs: HasHeirs) {
    this.#query = query;
    this.#hasHeirs = hasHeirs;
    eachPart(query.root.select, node => {
      if (!('fields' in node)) return;
      const meaning = query.meaningOf(node);
      if (meaning.is !== 'system') return;
      const { block } = meaning.entry;
      this.#systemColumns.set(block, [...this.#systemColumns.get(block) ?? [], node]);
    });
  }

  #add(code: PgIvmCode, says: string, at: object | Span,
    rest: { readonly message?: string; readonly hint?: string; readonly before?: readonly Evidence[] } = {}): void {
    this.obstacles.push(obstacle(code, says, 'path' in at ? at as Span : this.#query.spanOf(at), rest));
  }

  #refuse(code: PgIvmCode, what: string, verb: 'is' | 'are', says: string, at: object | Span): void {
    this.#add(code, says, at, { message: notSupported(what, verb) });
  }

  #forbid(code: PgIvmCode, hint: string, says: string, at: object | Span): void {
    this.#add(code, says, at, { message: notAllowed, hint });
  }

  block(block: Block, depth: number): void {
    this.#clauses(block);
    const isNested = depth > 0;
    for (const node of (this.#systemColumns.get(block) ?? []).slice(0, 20)) {
      this.#refuse('system-column', 'system column', 'is', 'pg_ivm does not maintain system columns of its sources', node);
    }
    if (!isNested) for (const target of block.targets) this.#orderOf(target);
    const { distinctClause, groupClause } = block.select;
    if (isNested && distinctClause !== undefined) {
      this.#refuse('nested-distinct', 'DISTINCT clause in nested query', 'are', 'DISTINCT stands in a query inside the query',
        block.targets[0]?.span ?? block.select);
    }
    const aggregates = [...block.aggregates, ...block.groupings];
    if (isNested && aggregates[0] !== undefined) {
      this.#refuse('nested-aggregate', 'aggregate functions in nested query', 'are', 'an aggregate stands in a query inside the query',
        aggregates[0]);
    }
    if (aggregates.length > 0) this.#hasAggregate = true;
    for (const entry of block.range) {
      this.obstacles.push(...sourceObstacles(entry, this.#hasHeirs));
      if (entry.kind !== 'sub-select') continue;
      this.#hasSubquery = true;
      if (this.outerJoins.length > 0) this.#forbid('outer-join-with-subquery', 'subquery is not supported with outer join',
        'an outer join and a subquery in FROM stand in one query', entry.span);
      if (entry.query !== undefined) this.block(entry.query, depth + 1);
    }
    for (const target of block.targets) this.#target(target.name, target.node, target.span, block, depth);
    for (const group of groupClause ?? []) if (!this.#isOutput(group, block)) this.#expression(group, depth, false);
    for (const item of block.from) this.#join(item, block, depth);
    if (block.select.whereClause !== undefined) this.#expression(block.select.whereClause, depth, true);
    this.#ctes(block, depth);
    for (const entry of block.range) if (entry.kind === 'function' || entry.kind === 'table function') this.#expression(entry.node as Node,
      depth, false);
  }

  /** Clauses that rule a query out by being there. */
  #clauses(block: Block): void {
    const { select } = block;
    const { groupClause = [], havingClause, sortClause, limitCount, limitOffset, distinctClause, lockingClause, withClause } = select;
    const sets = groupingSets(select);
    if (sets.keys > 0 && block.aggregates.length + block.groupings.length === 0) {
      this.#refuse('group-by-without-aggregate', 'GROUP BY clause without aggregate', 'is', 'GROUP BY stands without an aggregate',
        groupClause);
    }
    if (havingClause !== undefined) this.#refuse('having', 'HAVING clause', 'is', 'HAVING stands in the query', havingClause);
    if (sortClause !== undefined) this.#refuse('order-by', 'ORDER BY clause', 'is', 'ORDER BY stands in the query', sortClause);
    if (limitCount !== undefined || limitOffset !== undefined) {
      this.#refuse('limit', 'LIMIT/OFFSET clause', 'is', 'LIMIT or OFFSET stands in the query', limitCount ?? limitOffset!);
    }
    if (isDistinctOn(select)) this.#refuse('distinct-on', 'DISTINCT ON', 'is', 'DISTINCT ON stands in the query', distinctClause!);
    for (const call of block.windowCalls.slice(0, 20)) this.#refuse('window-function', 'window functions', 'are',
      'a window function stands in the query', call);
    if (sets.isSeveral) this.#refuse('grouping-sets', 'GROUPING SETS, ROLLUP, or CUBE clauses', 'is',
      'GROUP BY asks for several grouping sets', groupClause);
    if (block.form === 'set operation') {
      this.#refuse('set-operation', 'UNION/INTERSECT/EXCEPT statements', 'are', 'UNION, INTERSECT or EXCEPT puts the query together',
        block.operands[1]?.targets[0]?.span ?? select);
    }
    // What a window orders by is put into the list too, used or not.
    const isOrdered = select.windowClause?.some(item => 'WindowDef' in item && (item.WindowDef.orderClause
      ?? item.WindowDef.partitionClause) !== undefined);
    if (block.form === 'select' && !block.open && block.targets.length === 0 && isOrdered !== true) this.#refuse('no-columns',
      'empty target list', 'is', 'the query puts out no column', select);
    if (lockingClause !== undefined && block.range.some(({ kind }) => kind === 'relation' || kind === 'sub-select')) {
      this.#refuse('row-lock', 'FOR UPDATE/SHARE clause', 'is', 'FOR UPDATE or FOR SHARE locks rows of the query', select);
    }
    if (withClause?.recursive === true) this.#refuse('recursive', 'recursive query', 'is', 'WITH RECURSIVE stands in the query',
      withClause);
  }

  #orderOf(target: Target): void {
    const found = orderObstacle(target, this.#query.types);
    if (found !== undefined) this.obstacles.push(found);
  }

  #target(name: string, node: Node | undefined, span: Span, block: Block, depth: number): void {
    if (name.startsWith(reserved)) this.#refuse('reserved-column-name', `column name ${name}`, 'is',
      `the column ${name} has a name that pg_ivm keeps for itself`, span);
    if (node === undefined) return;
    const isAggregate = 'FuncCall' in node && block.aggregates.includes(node.FuncCall);
    if (this.#hasAggregate && !isAggregate && this.#contains(node, block)) {
      this.#refuse('aggregate-in-expression', 'expression containing an aggregate in it', 'is',
        `the column ${name} computes with an aggregate`, span);
    }
    this.#expression(node, depth, false);
  }

  /** contain_aggs_of_level. */
  #contains(node: Node, block: Block): boolean {
    const own = new Set<object>([...block.aggregates, ...block.groupings]);
    if (own.size === 0) return false;
    let found = false;
    eachPart(node, part => {
      if (own.has(part)) found = true;
      return !found;
    });
    return found;
  }

  /** Whether GROUP BY names what the select list has already: then the extension has been there. */
  #isOutput(group: Node, block: Block): boolean {
    return 'A_Const' in group || ('ColumnRef' in group && block.targets.length > 0);
  }

  #join(item: FromNode, block: Block, depth: number): void {
    if ('entry' in item) return;
    const { join } = item;
    if (join.kind !== 'inner') {
      if (this.#hasSubquery) this.#forbid('outer-join-with-subquery', 'subquery is not supported with outer join',
        'an outer join and a subquery in FROM stand in one query', join.entry.span);
      if (this.#hasAggregate) this.#forbid('outer-join-with-aggregate', 'aggregate is not supported with outer join',
        'an outer join and an aggregate stand in one query', join.entry.span);
      this.outerJoins.push(join);
    }
    this.#join(join.left, block, depth);
    this.#join(join.right, block, depth);
    if (join.on !== undefined) this.#expression(join.on, depth, false);
  }

  #ctes(block: Block, depth: number): void {
    for (const cte of block.ctes) {
      if (cte.name.startsWith(reserved)) this.#refuse('reserved-cte-name', `WITH query name ${cte.name}`, 'is',
        `the CTE ${cte.name} has a name that pg_ivm keeps for itself`, cte.span);
      if (cte.references === 0) this.#refuse('unreferenced-cte', 'Ureferenced WITH query', 'is', `nothing reads the CTE ${cte.name}`,
        cte.span);
      if (cte.query !== undefined) this.block(cte.query, depth + 1);
    }
  }

  /** An expression, outside in. `mayExist`: an EXISTS here decides alone, or with AND, which rows there are. */
  #expression(root: Node, depth: number, mayExist: boolean): void {
    const allowed = new Set<object>(mayExist ? [root] : []);
    // An EXISTS under OR or NOT is told of once.
    const under = new Set<object>();
    eachPart(root, node => {
      const isAllowed = allowed.has(node);
      const kind = kindOf(node);
      if (kind === 'FuncCall' && this.#isAggregate(node)) {
        const found = aggregateObstacle((node as { FuncCall: FuncCall }).FuncCall, this.#query);
        if (found !== undefined) this.obstacles.push(found);
        return false;
      }
      if (kind === 'BoolExpr') {
        const { boolop, args = [] } = (node as { BoolExpr: { boolop?: string; args?: Node[] } }).BoolExpr;
        if (boolop === 'AND_EXPR') {
          if (isAllowed) args.forEach(arg => allowed.add(arg));
        } else if (hasSublink(node)) {
          this.#forbid('exists-under-or-not', 'OR or NOT conditions and EXISTS condition can not be used together',
            'a subquery stands under OR or NOT', node);
          eachPart(args, part => {
            if ('SubLink' in part) under.add(part);
          });
        }
        return undefined;
      }
      if (kind !== 'SubLink') return kind !== 'SelectStmt';
      const link = (node as { SubLink: SubLink }).SubLink;
      if (link.subLinkType !== 'EXISTS_SUBLINK' || !under.has(node)) this.#sublink(link, node, depth, isAllowed);
      return false;
    });
  }

  #isAggregate(node: object): boolean {
    const call = (node as { FuncCall: { over?: unknown } }).FuncCall;
    const resolved = this.#query.callOf(call)?.resolved;
    return call.over === undefined && resolved?.is === 'function' && resolved.signature.kind === 'aggregate';
  }

  #sublink(link: SubLink, node: object, depth: number, isAllowed: boolean): void {
    const select = link.subselect !== undefined && 'SelectStmt' in link.subselect ? link.subselect.SelectStmt : undefined;
    const inner = select === undefined ? undefined : this.#query.blockOf(select);
    const span = this.#query.spanOf(node);
    if (link.subLinkType !== 'EXISTS_SUBLINK' || !isAllowed) {
      this.#forbid('subquery-expression', 'sublink only supports subquery with EXISTS clause in WHERE clause',
        'a subquery stands where only EXISTS in WHERE, joined by AND, may', span);
    } else {
      if (depth > 0) this.#refuse('nested-exists', 'nested sublink', 'is', 'EXISTS stands in a query inside the query', span);
      if (inner !== undefined && inner.ctes.length > 0) this.#refuse('with-in-exists', 'CTE in EXIST clause', 'is',
        'WITH stands inside of EXISTS', span);
      if (this.outerJoins.length > 0) this.#forbid('exists-with-outer-join', 'subquery with outer join is not supported',
        'EXISTS stands in a query with an outer join', span);
      if (depth === 0 && inner !== undefined) this.exists.push({ node: link, block: inner, span });
    }
    if (inner !== undefined) this.block(inner, depth + 1);
  }
}

const isDistinctOn = ({ distinctClause }: SelectStmt): boolean => distinctClause?.some(item => Object.keys(item).length > 0) === true;

function hasSublink(node: object): boolean {
  let found = false;
  eachPart(node, part => {
    if ('SubLink' in part) found = true;
    return !found;
  });
  return found;
}
