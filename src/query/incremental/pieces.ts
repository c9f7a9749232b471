import type { Catalog, Evidence, ObjectId, View } from '../../model.ts';
import { inspect, isNoQuery, type NoQuery } from './inspect.ts';
import type { Block, Inspected, Missing, RangeEntry, Subject } from './inspected.ts';

/** A query, or a plain view beneath it: some engines put the view's query in its place. */
export interface Piece {
  readonly made: Inspected;
  /** The plain view that it is the query of; absent for the query itself. */
  readonly view?: View;
  /** From the view that reads this one to the place in the query itself; empty for the query. */
  readonly way: readonly Evidence[];
}

/** The query with every plain view beneath it, each view once, and what is not known of them. */
export interface Inlined {
  readonly root: Inspected;
  readonly pieces: readonly Piece[];
  readonly missing: readonly Missing[];
}

/** Deeper chains of views are not followed: what stands beneath is not known. */
const deepest = 50;

/** Reads a query and the plain views beneath it. Never throws for what is written. */
export function inlined(subject: Subject, catalog: Catalog): Inlined | NoQuery {
  const root = inspect(subject, catalog);
  if (isNoQuery(root)) return root;
  const pieces: Piece[] = [{ made: root, way: [] }];
  const missing: Missing[] = [...root.missing];
  const seen = new Set<ObjectId>();
  for (let at = 0; at < pieces.length; at += 1) {
    const { made, way } = pieces[at]!;
    for (const entry of entriesOf(made)) {
      const { relation } = entry;
      if (relation?.kind !== 'view' || seen.has(relation.id)) continue;
      seen.add(relation.id);
      const inner = way.length >= deepest ? undefined : inspect(relation, catalog);
      const step: Evidence = { span: entry.span, says: `reads the view ${relation.name.name}` };
      if (inner === undefined || isNoQuery(inner)) {
        missing.push({ what: `the query of the view ${relation.name.name}`, span: (way.at(-1) ?? step).span });
        continue;
      }
      pieces.push({ made: inner, view: relation, way: [step, ...way] });
      const place = way.at(-1)?.span ?? entry.span;
      for (const { what } of inner.missing) missing.push({ what: `${what} (in the view ${relation.name.name})`, span: place });
    }
  }
  return { root, pieces, missing };
}

/** Every item of every FROM. */
export function* entriesOf(made: Inspected): Iterable<RangeEntry> {
  for (const block of made.blocks) yield* block.range;
}

/** The evidence of something in a piece: from there to the place in the query itself. */
export function evidenceAt({ made, way }: Piece, node: object, says: string): readonly [Evidence, ...Evidence[]] {
  return [{ span: made.spanOf(node), says }, ...way];
}

/** Whether a query is the outermost one, or an arm of it. */
export function isOutermost(block: Block): boolean {
  for (let next: Block | undefined = block; next !== undefined; next = next.outer) {
    if (next.role === 'query') return true;
    if (next.role !== 'set operand') return false;
  }
  return false;
}

/** Whether a query is reached through FROM alone, without WITH and without sub-queries in expressions. */
export function isInFrom(block: Block): boolean {
  for (let next: Block | undefined = block; next !== undefined; next = next.outer) if (next.role === 'CTE'
    || next.role === 'sublink') return false;
  return true;
}
