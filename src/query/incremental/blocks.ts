import type { Relation, Span } from '../../model.ts';
import type { CommonTableExpr, JoinExpr, Node, SelectStmt } from '../../sql/tree.ts';
import type { Inspection } from '../inspection.ts';
import type { Entry, ScopeColumn, Source } from '../scope.ts';
import { typeOfValue } from '../types.ts';
import type { Types } from '../sql-type.ts';
import type { Block, BlockRole, ColumnMeaning, Cte, FromNode, Join, JoinKind, RangeEntry, Target } from './inspected.ts';
import { eachPart, kindOf } from './tree-walk.ts';

type Open<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** What the queries of a tree are made of, by node. */
export interface Layout {
  readonly root: Block;
  readonly blocks: readonly Block[];
  readonly blockOf: ReadonlyMap<object, Block>;
  readonly meanings: ReadonlyMap<ScopeColumn, ColumnMeaning>;
  readonly entries: ReadonlyMap<Entry, RangeEntry>;
}

/** Puts the queries of a tree together from what its analysis noted. The tree is no deeper than the analysis went. */
export function layOut(root: SelectStmt, seen: Inspection, types: Types, spanOf: (node: object) => Span, itemSpan: (start: number) =>
  Span): Layout {
  return new Builder(seen, types, spanOf, itemSpan).layOut(root);
}

const joinKinds: Readonly<Record<string, JoinKind>> = { JOIN_INNER: 'inner', JOIN_LEFT: 'left', JOIN_RIGHT: 'right', JOIN_FULL: 'full' };
const isSetOperation = (select: SelectStmt): boolean => select.op !== undefined && select.op !== 'SETOP_NONE';

class Builder {
  readonly #seen: Inspection;
  readonly #types: Types;
  readonly #spanOf: (node: object) => Span;
  readonly #itemSpan: (start: number) => Span;
  readonly #blocks: Open<Block>[] = [];
  readonly #blockOf = new Map<object, Open<Block>>();
  readonly #meanings = new Map<ScopeColumn, ColumnMeaning>();
  readonly #entries = new Map<Entry, RangeEntry>();
  readonly #ctes = new Map<CommonTableExpr, Open<Cte>>();

  constructor(seen: Inspection, types: Types, spanOf: (node: object) => Span, itemSpan: (start: number) => Span) {
    this.#seen = seen;
    this.#types = types;
    this.#spanOf = spanOf;
    this.#itemSpan = itemSpan;
  }

  layOut(root: SelectStmt): Layout {
    const top = this.#block(root, 'query', undefined);
    return { root: top, blocks: this.#blocks, blockOf: this.#blockOf, meanings: this.#meanings, entries: this.#entries };
  }

  #block(select: SelectStmt, role: BlockRole, outer: Block | undefined): Open<Block> {
    const isValues = (select.valuesLists?.length ?? 0) > 0;
    const block: Open<Block> = {
      select, role, ...(outer === undefined ? {} : { outer }), form: isSetOperation(select) ? 'set operation' : isValues ? 'values'
        : 'select',
      range: [], from: [], targets: [], ctes: [], operands: [], aggregates: [], groupings: [], windowCalls: [],
        open: this.#seen.selects.get(select)?.open ?? false,
    };
    this.#blocks.push(block);
    this.#blockOf.set(select, block);
    for (const item of select.withClause?.ctes ?? []) if ('CommonTableExpr' in item) this.#cte(item.CommonTableExpr, block);
    if (block.form === 'set operation') this.#operands(select, block);
    for (const item of select.fromClause ?? []) block.from.push(this.#from(item, block, false, false));
    if (block.form === 'values') block.range.push({ kind: 'values', block, name: '*VALUES*', span: this.#spanOf(select), node: select,
      columns: [], lateral: false, sampled: false });
    block.targets = this.#targets(select);
    const { withClause: _, larg: __, rarg: ___, fromClause: ____, ...own } = select;
    this.#inside(own, block);
    return block;
  }

  /** The arms of a chain: what has clauses of its own is an arm itself (transformSetOperationTree). The left side is walked in a loop. */
  #operands(select: SelectStmt, block: Open<Block>): void {
    const todo: SelectStmt[] = [select];
    for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
      const bare = at.sortClause === undefined && at.limitCount === undefined && at.limitOffset === undefined
        && at.lockingClause === undefined && at.withClause === undefined;
      if (isSetOperation(at) && (at === select || bare)) todo.push(...[at.rarg, at.larg].filter(arm => arm !== undefined));
      else {
        const query = this.#block(at, 'set operand', block);
        block.operands.push(query);
        block.range.push({ kind: 'sub-select', block, name: '', span: this.#spanOf(at), node: at, query, columns: [], lateral: false,
          sampled: false });
      }
    }
  }

  #cte(node: CommonTableExpr, block: Open<Block>): void {
    const query = node.ctequery !== undefined && 'SelectStmt' in node.ctequery ? node.ctequery.SelectStmt : undefined;
    const cte: Open<Cte> = { name: node.ctename ?? '', node, block, references: 0, span: this.#spanOf(node) };
    this.#ctes.set(node, cte);
    block.ctes.push(cte);
    if (query !== undefined) Object.assign(cte, { query: this.#block(query, 'CTE', block) });
    else if (node.ctequery !== undefined) this.#inside(node.ctequery, block);
  }

  #targets(select: SelectStmt): Target[] {
    return (this.#seen.selects.get(select)?.outputs ?? []).map(output => ({
      name: output.name, ...(output.node === undefined ? {} : { node: output.node }),
        ...(output.column === undefined ? {} : { column: output.column }),
      type: typeOfValue(output, this.#types), span: this.#itemSpan(output.start),
    }));
  }

  /** The queries inside expressions, in the order of the text. */
  #inside(part: unknown, block: Block): void {
    eachPart(part, node => {
      if (!('SelectStmt' in node)) return undefined;
      this.#block((node as { SelectStmt: SelectStmt }).SelectStmt, 'sublink', block);
      return false;
    });
  }

  #from(node: Node, block: Open<Block>, lateral: boolean, sampled: boolean): FromNode {
    if ('JoinExpr' in node) return this.#join(node, node.JoinExpr, block);
    if ('RangeTableSample' in node) {
      const { relation, ...rest } = node.RangeTableSample;
      const inner = relation === undefined ? this.#entry(node, block, { kind: 'unknown' }, undefined)
        : this.#from(relation, block, lateral, true);
      this.#inside(rest, block);
      return inner;
    }
    const item = this.#seen.items.get(node);
    if ('RangeSubselect' in node) {
      const { subquery, lateral: isLateral } = node.RangeSubselect;
      const query = subquery !== undefined && 'SelectStmt' in subquery ? this.#block(subquery.SelectStmt, 'sub-select', block) : undefined;
      return this.#entry(node, block, { kind: 'sub-select', lateral: isLateral === true, ...(query === undefined ? {} : { query }) }, item);
    }
    if ('RangeVar' in node) {
      const read = this.#seen.cteReads.has(node.RangeVar);
      const cteNode = this.#seen.cteReads.get(node.RangeVar);
      const cte = cteNode === undefined ? undefined : this.#ctes.get(cteNode);
      if (cte !== undefined && !isInside(block, cte)) cte.references += 1;
      const relation: Relation | undefined = item?.entries[0]?.relation;
      const kind = read ? 'CTE' : relation === undefined ? 'unknown' : 'relation';
      return this.#entry(node, block, { kind, sampled, ...(relation === undefined ? {} : { relation }),
        ...(cte === undefined ? {} : { cte }) }, item);
    }
    const kind = 'RangeFunction' in node ? 'function' : 'RangeTableFunc' in node || 'JsonTable' in node ? 'table function' : 'unknown';
    const made = this.#entry(node, block, { kind, lateral: true }, item);
    this.#inside(node, block);
    return made;
  }

  #entry(node: Node, block: Open<Block>, given: Partial<RangeEntry> & Pick<RangeEntry, 'kind'>, item: Source | undefined): FromNode {
    const own = item?.entries[0];
    const entry: RangeEntry = {
      block, name: own?.alias ?? '', span: this.#spanOf(node), node, columns: item?.columns ?? [], lateral: false, sampled: false, ...given,
    };
    block.range.push(entry);
    if (own !== undefined) this.#entries.set(own, entry);
    for (const [at, column] of [...own?.columns ?? []].entries()) this.#meanings.set(column, { is: 'column', entry, at, column });
    return { entry };
  }

  #join(node: Node, inner: JoinExpr, block: Open<Block>): FromNode {
    const empty: FromNode[] = [inner.larg, inner.rarg].map(side => (side === undefined
      ? this.#entry(node, block, { kind: 'unknown' }, undefined) : this.#from(side, block, false, false)));
    if (inner.quals !== undefined) this.#inside(inner.quals, block);
    const item = this.#seen.items.get(node);
    const noted = this.#seen.joins.get(inner);
    const kind = joinKinds[inner.jointype ?? 'JOIN_INNER'] ?? 'inner';
    const entry: { -readonly [K in keyof RangeEntry]: RangeEntry[K] } = {
      kind: 'join', block, name: inner.alias?.aliasname ?? '', span: this.#spanOf(node), node, columns: item?.columns ?? [], lateral: false,
        sampled: false,
    };
    const join: Join = {
      kind, node: inner, left: empty[0]!, right: empty[1]!, ...(inner.quals === undefined ? {} : { on: inner.quals }), merged: noted?.merged
        ?? [], entry,
    };
    entry.join = join;
    block.range.push(entry);
    for (const merged of join.merged) this.#meanings.set(merged.column, this.#mergedMeaning(merged, kind, entry));
    const own = inner.alias === undefined ? undefined : item?.entries[0];
    for (const [at, column] of [...own?.columns ?? []].entries()) {
      const before = noted?.columns[at];
      const known = before === undefined ? undefined : this.#meanings.get(before);
      if (known !== undefined && !this.#meanings.has(column)) this.#meanings.set(column, known);
    }
    for (const candidate of item?.entries ?? []) if (!this.#entries.has(candidate)) this.#entries.set(candidate, entry);
    return { join };
  }

  /** buildMergedJoinVar: the one side's own column where no conversion is needed and the join takes that side. */
  #mergedMeaning({ column, left, right }: Join['merged'][number], kind: JoinKind, entry: RangeEntry): ColumnMeaning {
    const side = kind === 'right' ? right : kind === 'full' ? undefined : left;
    const same = side !== undefined && side.type === column.type ? side
      : kind === 'inner' && right !== undefined && right.type === column.type ? right : undefined;
    const known = same === undefined ? undefined : this.#meanings.get(same);
    return known ?? { is: 'merged', entry, column, sides: [left, right].filter(item => item !== undefined) };
  }
}

/** Whether a query stands in the CTE itself: a recursive reference. */
function isInside(block: Block, cte: Pick<Cte, 'query' | 'node'>): boolean {
  const query = cte.node.ctequery !== undefined && 'SelectStmt' in cte.node.ctequery ? cte.node.ctequery.SelectStmt : undefined;
  for (let at: Block | undefined = block; at !== undefined; at = at.outer) if (at.select === query) return true;
  return false;
}

/** Assigns the aggregates and window calls of a tree to the query over whose rows they run (check_agglevels_and_constraints). */
export function assignCalls(layout: Layout, seen: Inspection, isAggregate: (call: object) => boolean): void {
  for (const block of layout.blocks as readonly Open<Block>[]) {
    const { withClause: _, larg: __, rarg: ___, ...own } = block.select;
    eachPart(own, node => {
      const kind = kindOf(node);
      if (kind === 'SelectStmt') return false;
      if (kind === 'GroupingFunc') block.groupings.push(node);
      if (kind !== 'FuncCall' && kind !== 'JsonArrayAgg' && kind !== 'JsonObjectAgg') return undefined;
      const inner = (node as Record<string, { over?: unknown; constructor?: unknown }>)[kind]!;
      const over = kind === 'FuncCall' ? inner.over : Object.hasOwn(inner, 'constructor') ? (inner.constructor as { over?: unknown }).over
        : undefined;
      if (over !== undefined) block.windowCalls.push(inner);
      else if (kind !== 'FuncCall' || isAggregate(inner)) (levelOf(inner, block, layout, seen).aggregates as object[]).push(inner);
      return undefined;
    });
  }
}

/** The innermost query whose column stands in the arguments; the query itself where there is none. */
function levelOf(call: object, block: Block, layout: Layout, seen: Inspection): Block {
  const around: Block[] = [];
  for (let at: Block | undefined = block; at !== undefined; at = at.outer) around.push(at);
  let nearest: number | undefined;
  eachPart(call, node => {
    const found = seen.columns.get(node);
    const entry = found?.is === 'column' ? entryOfMeaning(layout.meanings.get(found.column))
      : found?.is === 'row' || found?.is === 'system' ? layout.entries.get(found.entry) : undefined;
    const at = entry === undefined ? -1 : around.indexOf(entry.block);
    if (at >= 0 && (nearest === undefined || at < nearest)) nearest = at;
  });
  return around[nearest ?? 0]!;
}

const entryOfMeaning = (meaning: ColumnMeaning | undefined): RangeEntry | undefined =>
  (meaning === undefined || meaning.is === 'unknown' ? undefined : meaning.entry);
