import { once } from '../memo.ts';
import type { Catalog, Eligibility, Engine, Matview, Table, View } from '../model.ts';
import { normalOf } from '../query/normal.ts';
import { eligibilityOf, maintainedQuery, modeOf } from '../query/incremental/eligibility.ts';

/** Answers by what was asked; rules of one history ask the same of one catalog. */
const answersIn = once((_: Catalog) => new Map<string, Eligibility>());

/**
 * What an engine says of a relation's query in a catalog; undefined for a table that nobody maintains, and for a mode that pg_trickle
 * does not have.
 */
export function eligibilityIn(relation: View | Matview | Table, engine: Engine, catalog: Catalog): Eligibility | undefined {
  const { maintenance } = relation.kind === 'view' ? { maintenance: undefined } : relation;
  if (relation.kind === 'table' && maintenance === undefined) return undefined;
  const mode = maintenance?.engine === 'pg_trickle' ? modeOf(maintenance) : 'AUTO';
  if (mode === undefined) return undefined;
  const answers = answersIn(catalog);
  const query = maintenance?.query ?? ('query' in relation ? relation.query : undefined);
  const key = `${relation.id} ${engine} ${mode} ${query === undefined ? '' : normalOf(query)}`;
  const known = answers.get(key);
  if (known !== undefined) return known;
  const subject = relation.kind === 'table' || maintenance !== undefined ? maintainedQuery(relation as Table | Matview, maintenance!)
    : relation;
  const answer = eligibilityOf(subject, engine, catalog, mode);
  answers.set(key, answer);
  return answer;
}
