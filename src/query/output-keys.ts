import type { Known, Statement } from '../model.ts';
import { nodeEnd, sourceSpan } from '../sql/span.ts';
import { walk } from '../sql/walk.ts';
import type { FuncCall, Node, SelectStmt } from '../sql/tree.ts';
import { isAggregateCall, isScalarCall } from './call.ts';
import { conditionLaws, literalText } from './condition-laws.ts';
import { conjuncts, peek } from './conditions.ts';
import { narrowed, type Place } from './expression.ts';
import { columnOf, idsIn, inputsOf, type Inputs } from './inputs.ts';
import { closure } from './closure.ts';
import { Ids } from './ids.ts';
import { factsOfRows, law, maybe, noteAt, perhaps, same, withLaws, withRows, type Law, type Note, type RowFacts } from './laws.ts';
import { minimalKeys } from './minimal-keys.ts';
import { strings } from './names.ts';
import { partsOf, plainText } from './parts.ts';
import { isUnknown, itemSpan, newId, type ScopeColumn, type Shape, type ShapeColumn } from './scope.ts';
import { withoutModifier } from './types.ts';

/** One column of a select list: what it is and what it was written as. */
export interface Output extends ShapeColumn {
  readonly column?: ScopeColumn;
  readonly node?: Node;
}

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

/** DISTINCT alone is a list of one empty node. */
const isDistinctOn = (distinct: readonly Node[]): boolean => distinct.some(item => Object.keys(item).length > 0);

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

/** A note at an item of a list. Its end is found by its tokens, which is dear. */
const itemNote = (row: number, statement: Statement, start: number, says: string): Note => ({ row, says, place: () => itemSpan(statement, start) });

/** LIMIT 1 leaves one row at most. */
export function limitedFacts(select: SelectStmt, facts: RowFacts): RowFacts {
  const count = select.limitCount;
  if (count === undefined || ('A_Const' in count && count.A_Const.isnull === true)) return facts;
  const rows = 'A_Const' in count && count.A_Const.ival !== undefined ? count.A_Const.ival.ival ?? 0 : undefined;
  if (rows === undefined) return withLaws(facts, [perhaps([], facts.rows)]);
  return rows <= 1 && select.limitOption !== 'LIMIT_OPTION_WITH_TIES' ? withLaws(facts, [law([], facts.rows)]) : facts;
}

interface Identified {
  readonly outputs: readonly Output[];
  readonly laws: readonly Law[];
  readonly solid: Ids;
}

/** Gives every output its identities: a column of this query keeps its own, anything else gets one, and what decides it. */
function identified(given: readonly Output[], place: Place): Identified {
  const { run, scope } = place;
  const isOwn = (column: ScopeColumn): boolean => scope.sources.some(({ columns, entries }) => columns.includes(column)
    || entries.some(entry => entry.columns !== columns && entry.columns.includes(column)));
  const laws: Law[] = [];
  const solid: number[] = [];
  const seen = new Map<string, Pure[]>();
  const outputs = given.map((output): Output => {
    const { node, column } = output;
    const literal = node === undefined ? undefined : literalText(node);
    const rest: { literals?: ReadonlySet<string>; fromOne?: true } = literal === undefined ? {} : { literals: new Set([literal]) };
    if (column !== undefined && isOwn(column)) return withIds(output, column.ids, column);
    const inputs = node === undefined ? undefined : inputsOf(node, place);
    const alike = inputs?.pure === true ? likeIt(inputs, seen) : undefined;
    const known = alike === undefined ? undefined : sameText(node!, alike);
    if (known !== undefined) return withIds(output, known, rest);
    const merged = node === undefined ? undefined : mergedBy(node, place);
    if (merged !== undefined) return withIds(output, [merged]);
    const ids = [newId(run)];
    if (node !== undefined && isNumbering(node)) rest.fromOne = true;
    alike?.push({ node: node!, ids });
    if (output.nullable === false) solid.push(...ids);
    if (node !== undefined && inputs !== undefined) laws.push(...expressionLaws(node, inputs, ids, output, place));
    return withIds(output, ids, rest);
  });
  return { outputs, laws, solid: Ids.of(solid) };
}

/** An output whose columns decide it. */
interface Pure {
  readonly node: Node;
  readonly ids: readonly number[];
}

/** The outputs that the same columns decide: only those can be the same expression, and few are. */
function likeIt(inputs: Inputs, seen: Map<string, Pure[]>): Pure[] {
  const key = idsIn(inputs).join();
  const alike = seen.get(key) ?? [];
  seen.set(key, alike);
  return alike;
}

/** The identities of an expression that is written alike. */
function sameText(node: Node, alike: readonly Pure[]): readonly number[] | undefined {
  const text = alike.length === 0 ? undefined : plainText(node);
  return text === undefined ? undefined : alike.find(other => plainText(other.node) === text)?.ids;
}

/** The output with its identities; those that it has already stay. */
function withIds(output: Output, ids: readonly number[], { literals, fromOne }: Pick<Output, 'literals' | 'fromOne'> = {}): Output {
  const { name, type, literal, nullable, taints, start, column, node } = output;
  const made: { -readonly [K in keyof Output]: Output[K] } = { name, type, literal, nullable, taints, start, ids: output.ids ?? ids };
  if (column !== undefined) made.column = column;
  if (node !== undefined) made.node = node;
  if (literals !== undefined) made.literals = literals;
  if (fromOne !== undefined) made.fromOne = fromOne;
  return made;
}

const isNumbering = (node: Node): boolean => 'FuncCall' in node && node.FuncCall.over !== undefined
  && ['row_number', 'pg_catalog.row_number'].includes(strings(node.FuncCall.funcname).join('.'));

/** `coalesce(a.id, b.id)` over FULL JOIN … ON a.id = b.id: what USING would have made of the two. */
function mergedBy(node: Node, { scope }: Place): number | undefined {
  if (!('CoalesceExpr' in node) || node.CoalesceExpr.args?.length !== 2) return undefined;
  const [a, b] = node.CoalesceExpr.args.map(arg => peek(arg, scope.sources)?.ids[0]);
  if (a === undefined || b === undefined) return undefined;
  return scope.sources.flatMap(source => source.facts.merges).find(({ of }) => of.includes(a) && of.includes(b))?.id;
}

/** What an expression of the select list and its columns say of each other. */
function expressionLaws(node: Node, inputs: Inputs, ids: readonly number[], output: Output, place: Place): readonly Law[] {
  const from = idsIn(inputs);
  if (isLossy(node)) return inputs.pure ? [law(from, ids, { everywhere: true })] : [];
  if (partsOf(node).calls.some(call => isAggregateCall(call, place) || call.over !== undefined)) return [];
  const inner = keptColumn(node, output, place);
  if (inner !== undefined) return same(inner.ids, ids, { everywhere: true });
  const back = inputs.whole ? [perhaps(ids, from)] : [perhaps([], ids), perhaps(ids, rowsOf(place))];
  // An index over a column that is always NULL forbids nothing.
  if (from.length === 0 && inputs.pure) return [law([], ids, { everywhere: true }), perhaps(ids, rowsOf(place))].slice(0,
    output.nullable === false ? 1 : 2);
  return inputs.pure ? [law(from, ids, { everywhere: true }), ...back] : back;
}

const rowsOf = (place: Place): readonly number[] => place.scope.sources.flatMap(source => source.facts.rows);

/** The column that an expression shows without loss: another column of an outer query, a widening cast, coalesce() of what is never NULL. */
function keptColumn(node: Node, output: Output, place: Place): ScopeColumn | undefined {
  if ('ColumnRef' in node) return columnOf(node, place);
  if ('CoalesceExpr' in node) {
    const column = columnOf(node.CoalesceExpr.args?.[0], place);
    return column !== undefined && narrowed(column, place.scope) === false && isSameType(column, output) ? column : undefined;
  }
  if ('A_Expr' in node && strings(node.A_Expr.name).join('.') === '||') {
    const [column, other] = [columnOf(node.A_Expr.lexpr, place), node.A_Expr.rexpr];
    return column !== undefined && column.type === 'text' && other !== undefined && literalText(other)?.startsWith('s') === true ? column
      : undefined;
  }
  if (!('TypeCast' in node)) return undefined;
  const column = columnOf(node.TypeCast.arg, place);
  if (column === undefined || isUnknown(column.type) || isUnknown(output.type)) return undefined;
  const [from, to] = [withoutModifier(column.type), output.type];
  return from === to || (widening[from] ?? []).includes(to) ? column : undefined;
}

const isSameType = (a: { readonly type: Known<string> }, b: { readonly type: Known<string> }): boolean =>
  !isUnknown(a.type) && !isUnknown(b.type) && withoutModifier(a.type) === withoutModifier(b.type);

/** Casts that keep different values different (integers and their texts; no modifiers). */
const widening: Readonly<Record<string, readonly string[]>> = {
  smallint: ['integer', 'bigint', 'numeric', 'text', 'character varying'], integer: ['bigint', 'numeric', 'text', 'character varying'],
  bigint: ['numeric', 'text', 'character varying'], uuid: ['text', 'character varying'],
  text: ['character varying'], 'character varying': ['text'], date: ['timestamp without time zone'],
};

const lossyCalls = new Set(['date_trunc', 'lower', 'upper', 'date_part', 'extract', 'round', 'floor', 'ceil', 'ceiling', 'trunc',
  'length', 'abs', 'left']);

/** Whether different values surely become equal: rounding, and calls that forget. */
function isLossy(node: Node): boolean {
  if ('FuncCall' in node) {
    const { funcname, args, over } = node.FuncCall;
    return over === undefined && lossyCalls.has(strings(funcname).at(-1) ?? '')
      && (args ?? []).every(arg => 'ColumnRef' in arg || 'A_Const' in arg);
  }
  return false;
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

/** The identity that a GROUP BY or DISTINCT ON item has. GROUP BY means an input column first, DISTINCT ON an output name first. */
function idOf(node: Node, outputs: readonly Output[], place: Place, names: 'group' | 'order'): number | undefined {
  if ('A_Const' in node) return node.A_Const.ival === undefined ? undefined : outputs[(node.A_Const.ival.ival ?? 0) - 1]?.ids?.[0];
  const simple = 'ColumnRef' in node ? strings(node.ColumnRef.fields) : [];
  const byName = simple.length === 1 ? outputs.find(output => output.name === simple[0])?.ids?.[0] : undefined;
  if ('ColumnRef' in node) {
    if (names === 'order' && byName !== undefined) return byName;
    const column = columnOf(node, place);
    return column !== undefined ? column.ids[0] : place.scope.sources.some(source => source.open) ? undefined : byName;
  }
  const text = plainText(node);
  return text === undefined ? undefined : outputs.find(output => output.node !== undefined && plainText(output.node) === text)?.ids?.[0];
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

/**
 * ROLLUP, CUBE and GROUPING SETS: columns are NULL where a set leaves them out, so nothing of the source holds. Where the sets differ and no
 * column is NULL itself, the NULLs tell the sets apart (measured, facts H).
 */
function setsFacts(groups: readonly Node[], outputs: readonly Output[], facts: RowFacts, place: Place): RowFacts {
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
function nulledBySets(select: SelectStmt, groups: readonly Node[], outputs: readonly Output[], place: Place): readonly Output[] {
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
export function keysOfShape(shape: Shape): readonly (readonly number[])[] {
  const known = keysMemo.get(shape);
  if (known !== undefined) return known;
  const keys = shape.open ? [] : minimalKeys(shape.facts, shape.columns.map(column => column.ids ?? []));
  keysMemo.set(shape, keys);
  return keys;
}
const keysMemo = new WeakMap<Shape, readonly (readonly number[])[]>();
