/** ROLLUP, CUBE and GROUPING SETS: what they make of keys and NULLs. */
import type { Node, SelectStmt } from '../sql/tree.ts';
import { literalText } from './condition-laws.ts';
import { narrowed, type Place } from './expression.ts';
import { Ids } from './ids.ts';
import { columnOf } from './inputs.ts';
import { factsOfRows, itemNote, law, maybe, perhaps, type Law, type RowFacts } from './laws.ts';
import { idOf, isDistinctOn, type Output } from './output-identities.ts';
import { newId, type ScopeColumn } from './scope.ts';

/**
 * ROLLUP, CUBE and GROUPING SETS: columns are NULL where a set leaves them out, so nothing of the source holds. Where the sets differ and no
 * column is NULL itself, the NULLs tell the sets apart (measured, facts H).
 */
export function setsFacts(groups: readonly Node[], outputs: readonly Output[], facts: RowFacts, place: Place): RowFacts {
  const row = newId(place.run);
  const columns = new Map<number, boolean>();
  const key = (node: Node): number | undefined => {
    const id = idOf(node, outputs, place, 'group');
    const column = columnOf(node, place);
    if (id !== undefined) columns.set(id, column !== undefined
      && (column.nullable === false || column.ids.some(own => place.scope.strict.has(own))));
    return id;
  };
  const sets = groupingSets(groups, key);
  const laws: Law[] = [law([row], [...columns.keys()]), perhaps([...columns.keys()], [row])];
  const told = outputs.filter(({ node }) => node !== undefined && 'GroupingFunc' in node
    && (node.GroupingFunc.args ?? []).length >= columns.size);
  if (sets !== undefined && new Set(sets.map(set => [...new Set(set)].sort((a, b) => a - b).join())).size === sets.length) {
    if ([...columns.values()].every(Boolean)) laws.push(law([...columns.keys()], [row]));
    for (const output of told) laws.push(law([...columns.keys(), ...output.ids ?? []], [row]));
  }
  const solid = Ids.of([row, ...outputs.flatMap(output => (output.nullable === false ? output.ids ?? [] : []))]);
  return factsOfRows([row], [...facts.laws.map(maybe), ...laws], solid, {
    notes: [...facts.notes, itemNote(row, place.run.statement, 0, 'every grouping set makes rows of its own, several with the same %')],
  });
}

/**
 * What grouping sets say of the NULLs of what they group by: a set that leaves a column out makes rows where it is NULL (the total of
 * ROLLUP even over no rows), and a column of every set is what it was. Left out: what HAVING, LIMIT or DISTINCT ON may take away again.
 */
export function nulledBySets(select: SelectStmt, groups: readonly Node[], outputs: readonly Output[], place: Place): readonly Output[] {
  const meant = new Map<number, Set<ScopeColumn | undefined>>();
  const sets = groupingSets(groups, node => {
    const id = idOf(node, outputs, place, 'group');
    const column = columnOf(node, place) ?? outputs.find(output => output.ids?.[0] === id)?.column;
    if (id !== undefined) meant.set(id, (meant.get(id) ?? new Set()).add(column));
    return id;
  });
  if (sets === undefined) return outputs;
  const filtered = select.havingClause !== undefined || select.limitCount !== undefined || select.limitOffset !== undefined
    || isDistinctOn(select.distinctClause ?? []);
  return outputs.map(output => {
    const [id] = output.ids ?? [];
    const columns = id === undefined ? undefined : meant.get(id);
    // Two columns of one identity may stand in different sets.
    if (id === undefined || columns?.size !== 1 || !columns.has(output.column)) return output;
    if (output.node !== undefined && literalText(output.node) !== undefined) return output;
    if (!sets.every(set => set.includes(id))) return filtered ? output : { ...output, nullable: true };
    return output.column === undefined ? output : { ...output, nullable: narrowed(output.column, { ...place.scope, groupingSets: false }) };
  });
}

/** The sets as lists of identities; undefined when there are too many, or one of them is not of columns. */
function groupingSets(groups: readonly Node[], key: (node: Node) => number | undefined): readonly (readonly number[])[] | undefined {
  let all: readonly (readonly number[])[] = [[]];
  for (const group of groups) {
    const own = setsOf(group, key, 0);
    if (own === undefined || own.length * all.length > 64) return undefined;
    all = all.flatMap(set => own.map(other => [...set, ...other]));
  }
  return all;
}

function setsOf(node: Node, key: (node: Node) => number | undefined, depth: number): readonly (readonly number[])[] | undefined {
  if ('RowExpr' in node) {
    const ids = (node.RowExpr.args ?? []).map(key);
    return ids.every(id => id !== undefined) ? [ids] : undefined;
  }
  if (!('GroupingSet' in node)) {
    const id = key(node);
    return id === undefined ? undefined : [[id]];
  }
  const { kind, content } = node.GroupingSet;
  if (kind === 'GROUPING_SET_EMPTY') return [[]];
  const parts = depth > 20 ? [undefined] : (content ?? []).map(item => setsOf(item, key, depth + 1));
  if (!parts.every(part => part !== undefined)) return undefined;
  if (kind === 'GROUPING_SET_SETS') return parts.flat();
  const lists = parts.map(part => part.flat());
  if (kind === 'GROUPING_SET_ROLLUP') return [[], ...lists.map((_, at) => lists.slice(0, at + 1).flat())];
  if (kind !== 'GROUPING_SET_CUBE' || lists.length > 6) return undefined;
  return Array.from({ length: 2 ** lists.length }, (_, mask) => lists.filter((__, at) => (mask & (1 << at)) !== 0).flat());
}
