/** What pg_trickle reads: steps 7 and 11 of its decisions, and how it captures changes (facts §2.2, §2.5). */
import type { Missing } from './inspected.ts';
import { evidenceAt, isInFrom, type Inlined } from './pieces.ts';
import type { Findings } from './pg-trickle.ts';
import type { Ruling } from './rulings.ts';

/**
 * A materialized view as a source is FULL-only unless pg_trickle.matview_polling is on, which no migration shows; the check does not
 * look into
 * WITH. Row security on a source is FULL-only. A table without a primary key is hashed by content. Deliberately absent: foreign tables,
 * which
 * this catalog does not hold, so that the query is unknown.
 */
export function sourceRulings(query: Inlined): Findings {
  const rulings: Ruling[] = [];
  const missing: Missing[] = [];
  const keyless = new Set<number>();
  for (const piece of query.pieces)
    for (const block of piece.made.blocks)
      for (const entry of block.range) {
        const { relation } = entry;
        const place = (says: string): Ruling['evidence'] => evidenceAt(piece, entry.node, says);
        if (relation?.kind === 'matview' && relation.maintenance !== undefined)
          missing.push({ what: `what pg_trickle says of the continuous aggregate ${relation.name.name} as a source`,
            span: place('')[0].span });
        else if (relation?.kind === 'matview' && isInFrom(block))
          rulings.push({ code: 'matview-source', bar: 'incremental modes', step: 7, evidence: place('reads it here'),
            says: `${relation.name.name} is a materialized view: its changes are not followed unless pg_trickle.matview_polling is on` });
        if (relation?.kind !== 'table') continue;
        if (relation.inDoubt?.includes('row security') === true) missing.push({ what: `whether ${relation.name.name} has row security`,
          span: entry.span });
        else if (relation.rowSecurity)
          rulings.push({ code: 'row-security', bar: 'incremental modes', step: 11, evidence: place('reads it here'),
            says: `${relation.name.name} has row security, so that the query is computed anew at each refresh` });
        if (relation.constraints.some(({ kind }) => kind === 'primary key') || relation.inDoubt?.includes('constraint') === true
          || keyless.has(relation.id)) continue;
        keyless.add(relation.id);
        rulings.push({ code: 'no-primary-key', bar: 'nothing', step: 16, evidence: place('reads it here'),
          says: `${relation.name.name} has no primary key: pg_trickle warns, and tells its rows by a hash of their content` });
      }
  return { rulings, missing };
}
