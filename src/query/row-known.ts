import type { Node, SelectStmt } from '../sql/tree.ts';
import { conjuncts, equalitiesOf } from './conditions.ts';
import { tableKeys } from './keys.ts';
import type { Decided } from './row-order.ts';
import { isSelectable, isUnknown, type Entry, type Key, type Run, type Source } from './scope.ts';

type Link = readonly [number, number];

/** Everything that stands in FROM as a join: its conditions decide which values go together. */
function joinsOf(nodes: readonly Node[] | undefined): readonly { readonly quals: Node | undefined; readonly kind: string }[] {
  const found: { quals: Node | undefined; kind: string }[] = [];
  const todo = [...nodes ?? []];
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (!('JoinExpr' in node)) continue;
    const { larg, rarg, quals, jointype } = node.JoinExpr;
    found.push({ quals, kind: jointype ?? 'JOIN_INNER' });
    for (const side of [larg, rarg]) if (side !== undefined) todo.push(side);
  }
  return found;
}

/** What values decide in FROM and WHERE; `keys` are those of FROM and WHERE together. */
export function decidedIn(select: SelectStmt, sources: readonly Source[], keys: readonly Key[], run: Run): Decided {
  const links: Link[] = [];
  const both = (a: readonly number[], b: readonly number[]): void => a.forEach(x => b.forEach(y => links.push([x, y], [y, x])));
  const where = equalitiesOf(conjuncts(select.whereClause), sources);
  const fixed = new Set(where.fixed);
  for (const [a, b] of where.equalities) both(a.ids, b.ids);
  for (const { quals, kind } of joinsOf(select.fromClause)) {
    const on = equalitiesOf(conjuncts(quals), sources);
    for (const [a, b] of on.equalities) {
      if (kind === 'JOIN_INNER') both(a.ids, b.ids);
      if (kind === 'JOIN_LEFT' || kind === 'JOIN_RIGHT') linkOuter(a.ids, b.ids, kind, links);
    }
    if (kind === 'JOIN_INNER') on.fixed.forEach(id => fixed.add(id));
  }
  for (const column of sources.flatMap(source => source.columns)) if (column.ids.length > 1) both(column.ids, column.ids);
  const parts = sources.flatMap(source => source.entries.flatMap(entry => partOf(entry, run)));
  const from = (start: ReadonlySet<number>): ReadonlySet<number> => {
    const known = new Set([...start, ...fixed]);
    for (let before = -1; before < known.size;) {
      before = known.size;
      for (const [one, other] of links) if (known.has(one)) known.add(other);
      for (const part of parts) if (part.keys.some(key => key.every(id => known.has(id)))) part.columns.forEach(id => known.add(id));
    }
    return known;
  };
  const isClosed = sources.every(source => !source.open);
  return {
    from,
    isOneRow: ids => {
      const known = from(ids);
      return keys.some(key => key.every(id => known.has(id))) ? 'yes' : isClosed ? 'no' : 'unknown';
    },
  };
}

/** The condition of an outer join holds for the rows that match: the kept side decides the other one. Its columns came first on the left. */
function linkOuter(a: readonly number[], b: readonly number[], kind: string, links: Link[]): void {
  for (const x of a) for (const y of b) {
    const [left, right] = x < y ? [x, y] : [y, x];
    links.push(kind === 'JOIN_LEFT' ? [left, right] : [right, left]);
  }
}

/** The keys of one relation, whatever it is joined with. */
function partOf(entry: Entry, run: Run): readonly { readonly keys: readonly Key[]; readonly columns: readonly number[] }[] {
  const { relation } = entry;
  if (relation === undefined || !isSelectable(relation)) return [];
  const facts = relation.kind === 'table' ? undefined : run.viewFacts?.(relation).keys;
  const lists = relation.kind === 'table' ? tableKeys(relation, run.catalog, false) : facts === undefined || isUnknown(facts) ? [] : facts;
  const named = isUnknown(relation.columns) ? [] : relation.columns.map(column => column.name);
  // The alias may rename columns by place.
  const id = (name: string): number | undefined => entry.columns[named.indexOf(name)]?.ids[0];
  const keys = lists.map(list => list.map(id)).filter((key): key is number[] => key.every(item => item !== undefined));
  return keys.length === 0 ? [] : [{ keys, columns: entry.columns.flatMap(column => column.ids) }];
}
