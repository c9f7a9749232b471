import type { Node } from '../sql/tree.ts';
import { conditionLaws } from './condition-laws.ts';
import { equalitiesOf, strictIds } from './conditions.ts';
import type { Place } from './expression.ts';
import { idsIn, inputsOf } from './inputs.ts';
import { isExact } from './keys.ts';
import { closure, decidesRows } from './closure.ts';
import { Ids } from './ids.ts';
import { extended, factsOfRows, law, maybe, perhaps, same, together, weakly, withLaws, type Law, type RowFacts } from './laws.ts';
import { newId, type ScopeColumn } from './scope.ts';

export type JoinKind = 'inner' | 'left' | 'right' | 'full';

/** A side of a join: `from` and `until` bound the identities that were given while it was read. */
export interface Side {
  readonly facts: RowFacts;
  readonly from: number;
  readonly until: number;
}

/** A column of USING: the two that are compared, and the identities of the one they become. */
export interface Merged {
  readonly left: ScopeColumn;
  readonly right: ScopeColumn;
  readonly ids: readonly number[];
}

const isOf = (side: Side) => (id: number): boolean => id > side.from && id <= side.until;

/**
 * What decides the rows of a join (measured, facts H): of many to one the many side's key, else a key of either side together. NULLs do
 * not join. Columns that only some rows have equate nothing in the others.
 */
export function joinFacts(kind: JoinKind, left: Side, right: Side, parts: readonly Node[], using: readonly Merged[],
  place: Place): RowFacts {
  const rows = left.facts.rows.concat(right.facts.rows);
  const compared = using.flatMap(({ left: a, right: b }) => (isExact(a, b) ? same(a.ids, b.ids, { everywhere: true })
    : [perhaps(a.ids, b.ids), perhaps(b.ids, a.ids)]));
  const on = conditionLaws(parts, place, rows).concat(compared);
  const strict = strictIds(parts, place.scope.sources).with(using.flatMap(({ left: a, right: b }) => a.ids.concat(b.ids)));
  if (kind === 'inner') {
    const merged = using.flatMap(({ left: a, ids }) => (ids.some(id => a.ids.includes(id)) ? [] : [...same(a.ids, ids).map(maybe)]));
    return withLaws(together(left.facts, right.facts), on.concat(merged), strict);
  }
  if (kind === 'full') return fullFacts(left, right, parts, on, strict, using, place);
  return kind === 'left' ? outerFacts(left, right, parts, on, strict, using, place)
    : outerFacts(right, left, parts, on, strict, using, place);
}

/** What of the kept side the condition asks for; undefined when it asks for more than columns. */
function askedOf(parts: readonly Node[], using: readonly Merged[], other: Side, place: Place): readonly number[] | undefined {
  const inputs = parts.map(part => inputsOf(part, place));
  if (!inputs.every(({ pure, whole }) => pure && whole)) return undefined;
  const ids = [...inputs.flatMap(idsIn), ...using.flatMap(({ left, right }) => [...left.ids, ...right.ids])];
  return [...new Set(ids.filter(id => !isOf(other)(id)))];
}

/** The law by which a row of `kept` meets one row of `other` at most, if there is one. */
function meetsOne(kept: Side, other: Side, parts: readonly Node[], on: readonly Law[], strict: Ids,
  using: readonly Merged[],
  place: Place): readonly Law[] {
  const { facts } = other;
  const probe = { rows: facts.rows, laws: [...facts.laws, ...on], solid: facts.solid.union(strict) };
  const asked = askedOf(parts, using, other, place);
  if (asked !== undefined && decidesRows(probe, asked)) return [law(asked, facts.rows), law(kept.facts.rows, facts.rows)];
  const all = closure(kept.facts, [...kept.facts.rows, ...asked ?? []]);
  return decidesRows(probe, [...all]) ? [law(kept.facts.rows, facts.rows)] : [];
}

/** LEFT JOIN; RIGHT JOIN with the sides changed. */
function outerFacts(kept: Side, other: Side, parts: readonly Node[], on: readonly Law[], strict: Ids,
  using: readonly Merged[], place: Place): RowFacts {
  const own = isOf(other);
  const sure = on.filter(item => !item.possible);
  const inside = sure.filter(item => item.from.every(own) && item.to.every(own));
  const before = withLaws(other.facts, inside, strict.within(other.from, other.until));
  const after = extended(before, other.from, other.until, sure, strict);
  // Where a compared column of the other side is not NULL the row is there, and the condition holds.
  const matched = sure.filter(item => item.from.some(own)).map(weakly);
  return factsOfRows(
    [...kept.facts.rows, ...other.facts.rows],
    [...kept.facts.laws, ...after.laws, ...matched, ...meetsOne(kept, other, parts, on, strict, using, place), ...on.map(maybe)],
    kept.facts.solid.union(after.solid),
    { notes: [...kept.facts.notes, ...other.facts.notes], sides: [...kept.facts.sides, ...after.sides] },
  );
}

function fullFacts(left: Side, right: Side, parts: readonly Node[], on: readonly Law[], strict: Ids,
  using: readonly Merged[],
  place: Place): RowFacts {
  const sides = [left, right] as const;
  const weak = sides.flatMap((side, at) => meetsOne(side, sides[1 - at]!, parts, on, strict, using, place)
    .map(item => (item.from.length === 0 ? maybe(item) : weakly(item))));
  const [a, b] = sides.map(side => extended(side.facts, side.from, side.until)) as [RowFacts, RowFacts];
  const rows = [...a.rows, ...b.rows];
  const merged = using.flatMap(({ ids }) => ids);
  // Every value of a USING column stands in one row where it is a key without NULLs on both sides.
  const keyed = parts.length === 0 && using.length > 0 && using.every(pair => isExact(pair.left, pair.right)) && sides.every((side, at) => {
    const ids = using.map(pair => (at === 0 ? pair.left : pair.right).ids[0]!);
    return ids.every(id => side.facts.solid.has(id)) && decidesRows(side.facts, ids);
  });
  const pairs = keyed || using.length > 0 ? [] : comparedPairs(parts, sides, place);
  const merges = pairs.map(of => ({ of, id: newId(place.run) }));
  const ids = merges.map(({ id }) => id);
  return factsOfRows(rows, [
    ...a.laws, ...b.laws, ...weak, ...on.map(maybe), ...(ids.length === 0 ? [] : [law(rows, ids), law(ids, rows)]), law(rows, merged), ...(keyed ? [law(merged, rows)] : []),
    perhaps(merged, rows), ...using.flatMap(pair => [...same(pair.left.ids, pair.ids), ...same(pair.right.ids, pair.ids)].map(maybe)),
  ], Ids.of(keyed ? merged : ids), { notes: [...a.notes, ...b.notes], merges, sides: [...a.sides, ...b.sides] });
}

/** The columns that ON equates, where it says no more and they are a key without NULLs on both sides: then coalesce() of each pair is one. */
function comparedPairs(parts: readonly Node[], sides: readonly [Side, Side], place: Place): readonly (readonly number[])[] {
  const { equalities } = equalitiesOf(parts, place.scope.sources);
  if (equalities.length === 0 || equalities.length !== parts.length) return [];
  const pairs = equalities.map(([a, b]) => (isOf(sides[0])(a.ids[0]!) ? [a.ids, b.ids] as const : [b.ids, a.ids] as const));
  const isKey = sides.every((side, at) => {
    const ids = pairs.map(pair => pair[at]!.find(isOf(side)));
    if (!ids.every(id => id !== undefined && side.facts.solid.has(id))) return false;
    return decidesRows(side.facts, ids as readonly number[]);
  });
  return isKey ? pairs.map(pair => pair.flat()) : [];
}
