import type { LoopRange, Piece } from '../../sql/plpgsql.ts';
import type { Answer, Row } from './questions.ts';
import type { Value } from './values.ts';

/** Loops of more passes are not followed one by one. */
const mostPasses = 500;

/** One pass of a loop: what the loop's variables hold in it, and whether it surely comes. */
export interface Pass {
  readonly row: Row;
  readonly sure: boolean;
}

/** How a loop's range is read where it stands. */
export interface RangeReader {
  readonly value: (piece: Piece) => Value;
  readonly ask: (query: Piece) => Answer | undefined;
}

const passes = (values: readonly Value[]): readonly Pass[] => values.map(value => ({ row: new Map([['', value]]), sure: true }));

/** The passes of a loop that the history knows of; undefined when they cannot be told. */
export function passesOf(over: LoopRange, { value, ask }: RangeReader): readonly Pass[] | undefined {
  if (over.kind === 'array') {
    const list = value(over.expression);
    return list.is === 'list' && list.items.length <= mostPasses ? passes(list.items) : undefined;
  }
  if (over.kind === 'numbers') {
    const [from, to] = [value(over.from), value(over.to)];
    if (from.is !== 'number' || to.is !== 'number' || from.upTo !== undefined || to.upTo !== undefined) return undefined;
    const count = Math.floor(over.reverse ? from.value - to.value : to.value - from.value) + 1;
    if (count > mostPasses) return undefined;
    return passes(Array.from({ length: Math.max(0, count) }, (_, at) => ({ is: 'number', value: over.reverse ? from.value - at : from.value + at })));
  }
  const rows = ask(over.query)?.rows();
  if (rows === undefined || (!rows.complete && rows.sure.length === 0) || rows.sure.length + rows.perhaps.length > mostPasses) return undefined;
  // What else the database may hold, this history does not name: its passes change nothing that is known.
  return [...rows.sure.map(row => ({ row, sure: true })), ...rows.perhaps.map(row => ({ row, sure: false }))];
}
