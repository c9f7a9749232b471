import { walk } from '../sql/walk.ts';
import type { Node } from '../sql/tree.ts';
import { Ids } from './ids.ts';
import { isExact, isFixable } from './keys.ts';
import { strings } from './names.ts';
import type { ScopeColumn, Source } from './scope.ts';
import { comparisons } from './types.ts';

/** Two columns that a condition equates so that equal values are equal to a unique index too. */
export type Equality = readonly [ScopeColumn, ScopeColumn];

export interface Condition {
  readonly equalities: readonly Equality[];
  /** Identities that the condition binds to a constant. */
  readonly fixed: ReadonlySet<number>;
}

/** The column of these sources that a node names, without marking its use. */
export function peek(node: Node | undefined, sources: readonly Source[]): ScopeColumn | undefined {
  if (node === undefined || !('ColumnRef' in node)) return undefined;
  const { fields } = node.ColumnRef;
  const depth = fields?.length ?? 0;
  const name = wordOf(fields?.[depth - 1]);
  if (name === undefined) return undefined;
  if (depth === 1) {
    let found: ScopeColumn | undefined;
    for (const source of sources) for (const column of source.columns) {
      if (column.name !== name) continue;
      if (found !== undefined) return undefined;
      found = column;
    }
    return found;
  }
  const alias = wordOf(fields?.[depth - 2]);
  const schema = depth === 2 ? undefined : wordOf(fields?.[0]);
  if (alias === undefined || (depth > 2 && schema === undefined)) return undefined;
  for (const source of sources) for (const entry of source.entries) {
    if (entry.alias !== alias || (depth > 2 && entry.schema !== schema)) continue;
    for (const column of entry.columns) if (column.name === name) return column;
    return undefined;
  }
  return undefined;
}

/** The word of a name; undefined for `*` and what is no name. */
const wordOf = (field: Node | undefined): string | undefined => (field !== undefined && 'String' in field ? field.String.sval ?? '' : undefined);

/** The parts of a condition that must all hold. */
export function conjuncts(node: Node | undefined): readonly Node[] {
  const parts: Node[] = [];
  const todo = node === undefined ? [] : [node];
  for (let item = todo.pop(); item !== undefined; item = todo.pop()) {
    if ('BoolExpr' in item && item.BoolExpr.boolop === 'AND_EXPR') todo.push(...(item.BoolExpr.args ?? []));
    else parts.push(item);
  }
  return parts;
}

/** Equalities between two columns of these sources, and columns that a constant binds. */
export function equalitiesOf(parts: readonly Node[], sources: readonly Source[]): Condition {
  const equalities: Equality[] = [];
  const fixed = new Set<number>();
  for (const part of parts) {
    if (!('A_Expr' in part) || part.A_Expr.kind !== 'AEXPR_OP') continue;
    const { name, lexpr, rexpr } = part.A_Expr;
    if (strings(name).join('.') !== '=') continue;
    const left = peek(lexpr, sources);
    const right = peek(rexpr, sources);
    if (left !== undefined && right !== undefined && isExact(left, right)) equalities.push([left, right]);
    const bound = left !== undefined && isConstant(rexpr) ? left : right !== undefined && isConstant(lexpr) ? right : undefined;
    if (bound !== undefined && isFixable(bound)) bound.ids.forEach(id => fixed.add(id));
  }
  return { equalities, fixed };
}

const isConstant = (node: Node | undefined): boolean => node !== undefined && 'A_Const' in node && node.A_Const.isnull !== true;

const strictKinds = new Set(['AEXPR_IN', 'AEXPR_LIKE', 'AEXPR_ILIKE', 'AEXPR_BETWEEN', 'AEXPR_BETWEEN_SYM']);

/** Identities that the conjuncts prove not NULL: `IS NOT NULL` and comparisons, whose built-in operators are strict (measured, facts H). */
export function strictIds(parts: readonly Node[], sources: readonly Source[]): Ids {
  const ids: number[] = [];
  const add = (node: Node | undefined): void => {
    const column = peek(node, sources);
    if (column !== undefined) ids.push(...column.ids);
  };
  for (const part of parts) {
    if ('NullTest' in part && part.NullTest.nulltesttype === 'IS_NOT_NULL') add(part.NullTest.arg);
    if (!('A_Expr' in part)) continue;
    const { kind, name, lexpr, rexpr } = part.A_Expr;
    if (kind === 'AEXPR_OP' && comparisons.has(strings(name).join('.'))) {
      add(lexpr);
      add(rexpr);
    } else if (kind !== undefined && strictKinds.has(kind)) add(lexpr);
  }
  return Ids.of(ids);
}

/** Whether the nodes name a column of these sources anywhere, sub-selects included. They are looked through when somebody asks. */
export function mentionedBy(nodes: readonly Node[], sources: readonly Source[]): (column: ScopeColumn) => boolean {
  if (nodes.length === 0) return () => false;
  let known: Ids | undefined;
  return ({ ids }) => {
    known ??= mentionedIds(nodes, sources);
    return ids.some(id => known!.has(id));
  };
}

function mentionedIds(nodes: readonly Node[], sources: readonly Source[]): Ids {
  const ids: number[] = [];
  for (const node of nodes) {
    walk(node, (kind, inner) => {
      const column = kind === 'ColumnRef' ? peek({ ColumnRef: inner } as Node, sources) : undefined;
      if (column !== undefined) ids.push(...column.ids);
    });
  }
  return Ids.of(ids);
}
