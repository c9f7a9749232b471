import { once } from '../memo.ts';
import { isAggregateCall, isScalarCall } from './call.ts';
import { closure } from './closure.ts';
import { conditionLaws } from './condition-laws.ts';
import { conjuncts, peek } from './conditions.ts';
import type { Place } from './expression.ts';
import { nulledBySets, setsFacts } from './grouping-sets.ts';
import { Ids } from './ids.ts';
import { columnOf, idsIn, inputsOf } from './inputs.ts';
import { factsOfRows, itemNote, law, noteAt, perhaps, withLaws, withRows, type Law, type RowFacts } from './laws.ts';
import { minimalKeys } from './minimal-keys.ts';
import { strings } from './names.ts';
import { identified, idOf, isDistinctOn, isLossy, type Output } from './output-identities.ts';
import { partsOf, plainText } from './parts.ts';
import { newId, type Shape } from './scope.ts';
import { nodeEnd, sourceSpan } from '../sql/span.ts';
import type { FuncCall, Node, SelectStmt } from '../sql/tree.ts';
import { walk } from '../sql/walk.ts';

/** Calls of this query's own level: sub-selects are theirs. */
function callsOf(nodes: readonly (Node | undefined)[]): readonly FuncCall[] {
  const calls: FuncCall[] = [];
  for (const node of nodes) if (node !== undefined) for (const call of partsOf(node).calls) calls.push(call);
  return calls;
}

/**
 * Whether the query surely aggregates without GROUP BY, and so gives one row at most: HAVING, or a built-in aggregate of its own level. An
 * aggregate whose arguments name
 * columns of an outer query only belongs to that one.
 */
export function hasAggregate(select: SelectStmt, place: Place): boolean {
  if (select.havingClause !== undefined) return true;
  return callsOf(targets(select)).some(call => {
    if (!isAggregateCall(call, place)) return false;
    let columns = 0;
    let own = 0;
    for (const arg of call.args ?? []) {
      walk(arg, (kind, inner) => {
        if (kind !== 'ColumnRef') return;
        columns += 1;
        if (peek({ ColumnRef: inner } as Node, place.scope.sources) !== undefined) own += 1;
      });
    }
    return columns === 0 || own > 0;
  });
}

const targets = (select: SelectStmt): readonly (Node | undefined)[] =>
  (select.targetList ?? []).map(target => ('ResTarget' in target ? target.ResTarget.val : undefined));

/** What the rows of a select list are, step by step as Postgres makes them; every column has identities. */
export interface Listed {
  readonly facts: RowFacts;
  readonly outputs: readonly Output[];
}

/**
 * What decides the rows of a SELECT (measured, facts H): what FROM and WHERE prove, GROUP BY, windows, sets in the select list, DISTINCT,
 * LIMIT. `aggregates`: it surely aggregates without GROUP BY.
 */
export function listedFacts(select: SelectStmt, given: readonly Output[], source: RowFacts, place: Place, aggregates: boolean): Listed {
  const named = identified(given, place);
  const groups = select.groupClause ?? [];
  const outputs = place.scope.groupingSets ? nulledBySets(select, groups, named.outputs, place) : named.outputs;
  let facts = withLaws(source, named.laws, named.solid);
  if (groups.length > 0) facts = place.scope.groupingSets ? setsFacts(groups, outputs, facts, place)
    : groupFacts(groups, outputs, facts, place);
  else if (aggregates) {
    const row = newId(place.run);
    facts = withRows(withLaws(facts, [law([], [row])], Ids.of([row])), [row]);
  }
  if (groups.length > 0 || aggregates) facts = withLaws(facts, havingLaws(select, facts, place));
  let group: Ids | undefined;
  const grouped = facts;
  const ofGroup = (): Ids => (group ??= closure(grouped, grouped.rows));
  const laws: Law[] = [];
  const shown: number[] = [];
  for (const output of outputs) {
    laws.push(...aggregateLaws(output, grouped, ofGroup, place));
    shown.push(...output.ids ?? []);
  }
  facts = withLaws(facts, [...laws, law(facts.rows, shown), ...windowLaws(select, outputs, facts, place)]);
  facts = multiplied(select, outputs, facts, place);
  const distinct = select.distinctClause ?? [];
  if (distinct.length > 0) {
    const row = newId(place.run);
    const ids = isDistinctOn(distinct) ? distinct.map(item => idOf(item, outputs, place, 'order')) : outputs.map(output => output.ids![0]!);
    const back = isDistinctOn(distinct) ? facts.rows : outputs.flatMap(output => output.ids ?? []);
    const laws = [law(facts.rows, [row]), law([row], back), ...(ids.every(id => id !== undefined) ? [law(ids, [row])] : [])];
    facts = withRows(withLaws(facts, laws, Ids.of([row])), [row], itemNote(row, place.run.statement, outputs[0]?.start ?? 0, isDistinctOn(distinct)
      ? 'DISTINCT ON keeps a row for each of its own values, and several of them have the same %'
      : 'DISTINCT compares all columns, and rows that differ in others have the same %'));
  }
  return { facts: limitedFacts(select, facts), outputs };
}

/** LIMIT 1 leaves one row at most. */
export function limitedFacts(select: SelectStmt, facts: RowFacts): RowFacts {
  const count = select.limitCount;
  if (count === undefined || ('A_Const' in count && count.A_Const.isnull === true)) return facts;
  const rows = 'A_Const' in count && count.A_Const.ival !== undefined ? count.A_Const.ival.ival ?? 0 : undefined;
  if (rows === undefined) return withLaws(facts, [perhaps([], facts.rows)]);
  return rows <= 1 && select.limitOption !== 'LIMIT_OPTION_WITH_TIES' ? withLaws(facts, [law([], facts.rows)]) : facts;
}

/** `count(*) > 1` and its like leave groups of every kind; any other HAVING may leave one. */
function havingLaws(select: SelectStmt, facts: RowFacts, place: Place): readonly Law[] {
  if (select.havingClause === undefined) return [];
  const source = place.scope.sources.flatMap(item => item.facts.rows);
  const group = closure(facts, facts.rows, { possible: true });
  // A group of one row never counts more.
  const isSingle = source.every(row => group.has(row));
  if (isSingle) return [perhaps([], facts.rows)];
  return conjuncts(select.havingClause).flatMap(part => {
    if ('A_Expr' in part && part.A_Expr.kind === 'AEXPR_OP' && part.A_Expr.lexpr !== undefined && part.A_Expr.rexpr !== undefined
      && 'FuncCall' in part.A_Expr.lexpr && 'A_Const' in part.A_Expr.rexpr && /^[<>]=?$/.test(strings(part.A_Expr.name).join('.'))
      && strings(part.A_Expr.lexpr.FuncCall.funcname).join('.') === 'count') return [];
    return conditionLaws([part], place, facts.rows);
  });
}

/** GROUP BY: one row for each list of its values. */
function groupFacts(groups: readonly Node[], outputs: readonly Output[], facts: RowFacts, place: Place): RowFacts {
  const row = newId(place.run);
  const laws: Law[] = [];
  const ids = groups.flatMap((group): readonly number[] => {
    // A row of a GROUP BY list is its columns.
    const parts = 'RowExpr' in group ? group.RowExpr.args ?? [] : [group];
    return parts.map(part => {
      const known = idOf(part, outputs, place, 'group');
      if (known !== undefined) return known;
      const own = newId(place.run);
      const inputs = inputsOf(part, place);
      if (inputs.pure) laws.push(law(idsIn(inputs), [own]));
      laws.push(...(inputs.whole ? isLossy(part) ? [] : [perhaps([own], idsIn(inputs))] : [perhaps([], [own])]));
      return own;
    });
  });
  const start = groups.map(group => (Object.values(group)[0] as { location?: number }).location ?? 0)[0] ?? 0;
  return withRows(withLaws(facts, [...laws, law(ids, [row]), law([row], ids)], Ids.of([row])), [row],
    itemNote(row, place.run.statement, start, 'every group is a row, and several groups have the same %'));
}

/** Aggregates whose value says nothing of the group. */
const forgetting = new Set(['count', 'sum', 'avg']);

/** An aggregate may be as good as its group: max(id) is one of the group's own. `ofGroup`: what is the same in all rows of a group. */
function aggregateLaws(output: Output, facts: RowFacts, ofGroup: () => Ids, place: Place): readonly Law[] {
  const { node, ids } = output;
  if (node === undefined || ids === undefined || !partsOf(node).calls.some(call => isAggregateCall(call, place))) return [];
  if (!('FuncCall' in node) || node.FuncCall.agg_filter !== undefined) return [perhaps(ids, facts.rows)];
  const { funcname, args } = node.FuncCall;
  const name = strings(funcname).at(-1) ?? '';
  if (forgetting.has(name) && node.FuncCall.agg_distinct !== true) return [];
  const column = columnOf(args?.[0], place);
  // With grouping sets one row stands in several groups.
  if (column === undefined || !(name === 'min' || name === 'max') || place.scope.groupingSets) return [perhaps(ids, facts.rows)];
  // The extreme is a value of one row of the group: what the value decides of the group's columns it decides there.
  const group = ofGroup();
  const decided = (possible: boolean): readonly number[] => [...closure(facts, column.ids, { possible })].filter(id => group.has(id));
  return [law(ids, decided(false), { weak: true }), perhaps(ids, decided(true))];
}

/** row_number() counts the rows of each partition; any other window may tell rows apart. */
function windowLaws(select: SelectStmt, outputs: readonly Output[], facts: RowFacts, place: Place): readonly Law[] {
  const counted = outputs.filter(({ node, ids }) => node !== undefined && ids !== undefined && partsOf(node).calls.some(call => call.over !== undefined));
  if (counted.length === 0) return [];
  const windows = new Map((select.windowClause ?? []).flatMap(item => ('WindowDef' in item
    ? [[item.WindowDef.name ?? '', item.WindowDef] as const] : [])));
  return counted.flatMap(({ node, ids }): readonly Law[] => {
    if (node === undefined || ids === undefined) return [];
    const maybe = [perhaps(ids, facts.rows)];
    if (!('FuncCall' in node) || strings(node.FuncCall.funcname).join('.') !== 'row_number') return maybe;
    const over = node.FuncCall.over;
    const named = windows.get(over?.name ?? over?.refname ?? '');
    if ((over?.name !== undefined || over?.refname !== undefined) && (named === undefined || named.refname !== undefined)) return maybe;
    const partition = over?.partitionClause ?? named?.partitionClause ?? [];
    const by = partition.map(item => columnOf(item, place)?.ids[0] ?? outputs.find(output => output.node !== undefined
      && plainText(output.node) === plainText(item))?.ids?.[0]);
    return by.every(id => id !== undefined) ? [law([...by, ...ids], facts.rows), ...maybe] : maybe;
  });
}

/** Sets in the select list stand beside each row, and give several (measured, facts H). */
function multiplied(select: SelectStmt, outputs: readonly Output[], facts: RowFacts, place: Place): RowFacts {
  const sets = [targets(select), select.sortClause, select.groupClause, select.distinctClause].flatMap(list =>
    (list === undefined ? [] : callsOf(list).filter(call => !isScalarCall(call, place))));
  const [first] = sets;
  if (first === undefined) return facts;
  const row = newId(place.run);
  const rows = [...facts.rows, row];
  const names = sets.map(call => strings(call.funcname).at(-1) ?? '');
  const surely = names.every(name => name === 'unnest' || name.endsWith('_to_table') || name.endsWith('_array_elements'));
  const series = outputs.find(({ node }) => sets.length === 1 && node !== undefined && 'FuncCall' in node && node.FuncCall === first
    && names[0] === 'generate_series');
  const shown = outputs.filter(({ node }) => node !== undefined && partsOf(node).calls.some(call => sets.includes(call)));
  // What was said of them as values of a row does not hold: they have a row of their own.
  const ids = new Set(shown.flatMap(output => output.ids ?? []));
  const laws = facts.laws.map(item => (item.to.some(id => ids.has(id)) && !item.possible ? law(item.from, item.to.filter(id => !ids.has(id)), item) : item))
    .filter(item => !(item.possible && item.from.some(id => ids.has(id))));
  const solid = Ids.of([...facts.solid].filter(id => !ids.has(id))).with([row]);
  const start = first.location ?? 0;
  return factsOfRows(rows, [...laws, law(rows, [...ids]), ...(series?.ids === undefined ? [] : [law([...facts.rows, ...series.ids], [row])]),
    ...(surely ? [] : [perhaps([], [row])])], solid, { ...facts, notes: [...facts.notes, noteAt(row,
    `${names[0] ?? ''}() gives several rows with the same %`, sourceSpan(place.run.statement, start, nodeEnd(place.run.statement.sql, start)))] });
}

/** The keys of a shape as column positions, minimal, the shortest first; none while nothing is proved. Computed once a shape. */
export const keysOfShape = once(({ open, facts, columns }: Shape): readonly (readonly number[])[] => (open ? [] : minimalKeys(facts, columns.map(column => column.ids ?? []))));
