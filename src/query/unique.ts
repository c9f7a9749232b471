import type { Evidence, Span, Unique } from '../model.ts';
import { isExact } from './keys.ts';
import { closure, decidesRows } from './closure.ts';
import { Ids } from './ids.ts';
import type { Branch, Shape } from './scope.ts';
import { areApart } from './set-facts.ts';

/**
 * Whether a unique index over some columns of a result, given as positions, holds whatever rows the tables have. `no`: the constraints allow
 * rows that it forbids; rows with NULL in one of the columns it does not forbid. `spanOf`: the place of a column.
 */
export function uniqueIn(shape: Shape, positions: readonly number[], spanOf: (position: number) => Span): Unique {
  if (shape.open) return { is: 'unknown', why: [] };
  const ids = (list: readonly number[]): readonly number[] => list.flatMap(at => shape.columns[at]?.ids ?? []);
  const decides = (list: readonly number[]): boolean => decidesRows(shape.facts, ids(list), { assumed: Ids.of(ids(positions)) });
  const named = keyWords(shape, positions);
  if (decides(positions)) {
    const least = positions.length > mostColumns ? positions : positions.reduceRight((list: readonly number[], at) => {
      const less = list.filter(other => other !== at);
      return decides(less) ? less : list;
    }, positions);
    const words = keyWords(shape, least);
    if (least.length === 0) return { is: 'yes', why: positions.slice(0, 1).map(at => ({ span: spanOf(at),
      says: 'the query returns one row' })) };
    return { is: 'yes', why: least.map(at => ({ span: spanOf(at), says: `each row has its own ${words}` })) };
  }
  const why = repeats(shape, positions, named, spanOf);
  return why === undefined ? { is: 'unknown', why: [] } : { is: 'no', why };
}

const keyWords = (shape: Shape, positions: readonly number[]): string =>
  `(${positions.map(at => shape.columns[at]?.name ?? '?').join(', ')})`;

/** What shows that rows can repeat; undefined when it is not known. */
function repeats(shape: Shape, positions: readonly number[], named: string,
  spanOf: (position: number) => Span): readonly Evidence[] | undefined {
  if (positions.length === 0 || positions.some(at => shape.columns[at]?.ids === undefined)) return undefined;
  const { branches } = shape;
  if (branches !== undefined) {
    for (const branch of branches) {
      const why = repeatsInside(branch.shape, positions, named, branch.distinct);
      if (why !== undefined) return why;
    }
    return overlap(branches, positions, named, spanOf);
  }
  return repeatsInside(shape, positions, named, false);
}

function repeatsInside(shape: Shape, positions: readonly number[], named: string, distinct: boolean): readonly Evidence[] | undefined {
  const ids = positions.flatMap(at => shape.columns[at]?.ids ?? []);
  if (ids.length < positions.length || shape.branches !== undefined || shape.open) return undefined;
  const all = closure(shape.facts, ids, { possible: true });
  const missed = shape.facts.rows.filter(row => !all.has(row));
  if (missed.length === 0) return undefined;
  if (distinct && shape.columns.every(column => column.ids?.some(id => all.has(id)) === true)) return undefined;
  const notes = shape.facts.notes.filter(note => missed.includes(note.row));
  return notes.map(({ says, place }) => ({ span: place(), says: says.replace('%', () => named) }));
}

/** Which columns of a wider list would do alone is not looked for. */
const mostColumns = 64;

/** Every branch is held against every other; of more than these nothing is claimed. */
const mostBranches = 32;

/**
 * Whether two branches of UNION ALL can have the same values: one of them is a whole table, the other reads other tables, and nothing binds
 * the columns to constants.
 */
function overlap(branches: readonly Branch[], positions: readonly number[], named: string,
  spanOf: (position: number) => Span): readonly Evidence[] | undefined {
  if (branches.length > mostBranches) return undefined;
  for (const [at, free] of branches.entries()) {
    if (!free.wholeTable || !('length' in free.tables)) continue;
    const own = free.tables;
    for (const [index, other] of branches.entries()) {
      if (index === at || (free.distinct && other.distinct) || !('length' in other.tables) || other.tables.length === 0) continue;
      if (other.tables.some(table => own.includes(table))) continue;
      const fits = positions.every(position => {
        const [a, b] = [free.shape.columns[position], other.shape.columns[position]];
        return a?.ids !== undefined && b?.ids !== undefined && isExact(a, b) && !areApart(a, b) && isFree(free.shape, a.ids)
          && isFree(other.shape, b.ids);
      });
      if (fits) return positions.slice(0, 1).map(position => ({ span: spanOf(position),
        says: `two branches of UNION ALL can have the same ${named}` }));
    }
  }
  return undefined;
}

/** Whether nothing may leave one value of it. */
function isFree(shape: Shape, ids: readonly number[]): boolean {
  const all = closure(shape.facts, [], { possible: true });
  return !ids.some(id => all.has(id));
}
