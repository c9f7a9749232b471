import type { Node } from '../sql/tree.ts';
import { literalText } from './condition-laws.ts';
import { Ids } from './ids.ts';
import { factsOfRows, law, noteAt, perhaps, same, withLaws, withRows, type Law, type RowFacts } from './laws.ts';
import { minimalKeys } from './minimal-keys.ts';
import { newId, type Run, type Shape, type ShapeColumn } from './scope.ts';
import { isExact } from './keys.ts';

/** What a set operation makes of the identities of its columns. */
export interface Combined {
  readonly facts: RowFacts;
  readonly ids: readonly (readonly number[])[];
  readonly literals: readonly (ReadonlySet<string> | undefined)[];
}

type Operation = 'SETOP_UNION' | 'SETOP_INTERSECT' | 'SETOP_EXCEPT';

/** More branches than this are not told apart by their constants. */
const mostLiterals = 128;

/** So many keys of each branch are tried together. */
const most = 3;

/**
 * What decides the rows of a set operation (measured, facts H). Without ALL no two rows are equal. INTERSECT and EXCEPT keep rows of the left
 * branch with what holds for them. UNION ALL keeps the keys of its branches only together with a column that tells the branches apart.
 */
export function combinedFacts(operation: Operation, all: boolean, left: Shape, right: Shape, columns: readonly ShapeColumn[],
  run: Run): Combined {
  const union = operation === 'SETOP_UNION';
  const literals = left.columns.map((column, at) => (union ? either(column.literals, right.columns[at]?.literals) : column.literals));
  const row = newId(run);
  const own = columns.map(() => [newId(run)]);
  const shown = own.flat();
  const solid = (ids: readonly (readonly number[])[]): Ids => Ids.of(columns.flatMap((column, at) => (column.nullable === false ? ids[at]! : [])));
  if (!union && left.columns.every((_, at) => right.columns[at] !== undefined)) return { ...keptRows(all, left, columns, own, row,
    right), literals };
  const base = factsOfRows([row], [perhaps([], [row]), law([row], shown, { missingToo: true })], Ids.of([row]), {
    notes: [noteAt(row, 'the branches bring rows with the same %', run.statement.span)],
  });
  const laws: Law[] = all ? [] : [law(shown, [row])];
  const apart = left.columns.flatMap((column, at) => (areApart(column, right.columns[at]) ? [at] : []));
  if (apart.length > 0) {
    for (const a of keysOf(left)) for (const b of keysOf(right)) for (const at of apart) {
      laws.push(law([...new Set([at, ...a, ...b])].flatMap(position => own[position]!), [row]));
    }
  }
  return { facts: withLaws(base, laws, solid(own)), ids: own, literals };
}

const keysOf = (shape: Shape): readonly (readonly number[])[] =>
  minimalKeys(shape.facts, shape.columns.map(column => column.ids ?? [])).slice(0, most);

function either(a: ReadonlySet<string> | undefined, b: ReadonlySet<string> | undefined): ReadonlySet<string> | undefined {
  return a === undefined || b === undefined || a.size + b.size > mostLiterals ? undefined : new Set([...a, ...b]);
}

/** Whether the constants of a column in two branches are all different; of one kind, for '1' and 1 may be the same. */
export function areApart(a: ShapeColumn, b: ShapeColumn | undefined): boolean {
  if (a.literals === undefined || b?.literals === undefined || a.nullable !== false || b.nullable !== false) return false;
  const kinds = new Set([...a.literals, ...b.literals].map(text => text[0]));
  return kinds.size === 1 && [...a.literals].every(text => !b.literals!.has(text));
}

/** INTERSECT and EXCEPT: rows of the left branch. Its laws hold for columns that keep their type. */
function keptRows(all: boolean, left: Shape, columns: readonly ShapeColumn[], own: readonly (readonly number[])[], row: number,
  right: Shape): Omit<Combined, 'literals'> {
  const links = left.columns.flatMap((column, at) => (isExact(column, columns[at]!) && isExact(column, right.columns[at] ?? column)
    ? same(column.ids ?? [], own[at]!) : []));
  const shown = own.flat();
  const { facts } = left;
  const solid = Ids.of(columns.flatMap((column, at) => (column.nullable === false ? own[at]! : [])));
  const whole = withLaws(facts, [...links, law(facts.rows, shown), perhaps([], facts.rows)], solid);
  if (all) return { ids: own, facts: whole };
  return { ids: own, facts: withRows(withLaws(whole, [law(shown, [row]), law([row], shown), law(facts.rows, [row])], Ids.of([row])), [row]) };
}

/** Rows that are written out: which columns tell them apart, by constants whose texts are different values. */
export function valuesFacts(rows: readonly (readonly Node[])[], columns: number, nullable: readonly boolean[], run: Run): Combined {
  const row = newId(run);
  const ids = Array.from({ length: columns }, () => [newId(run)]);
  const cells = rows.map(cell => cell.map(item => literalText(item)));
  const laws: Law[] = [law([row], ids.flat(), { missingToo: true }), perhaps([], [row])];
  if (rows.length <= 1) laws.push(law([], [row]));
  const literals = ids.map((_, at) => {
    const texts = cells.map(cell => cell[at]);
    return texts.every(text => text !== undefined) && new Set(texts.map(text => text[0])).size === 1 ? new Set(texts) : undefined;
  });
  const plain = literals.flatMap((texts, at) => (texts === undefined ? [] : [at])).slice(0, 6);
  if (rows.length <= 1000) for (let mask = 1; mask < 2 ** plain.length; mask += 1) {
    const chosen = plain.filter((_, at) => (mask & (1 << at)) !== 0);
    const seen = new Set(cells.map(cell => JSON.stringify(chosen.map(at => cell[at]))));
    if (seen.size === rows.length) laws.push(law(chosen.flatMap(at => ids[at]!), [row]));
  }
  const solid = Ids.of([row, ...ids.flatMap((own, at) => (nullable[at] === true ? [] : own))]);
  return { ids, literals, facts: factsOfRows([row], laws, solid) };
}
