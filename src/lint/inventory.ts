import type { Catalog, Eligibility, Engine, Name } from '../model.ts';
import { eligibilityIn } from './eligibility.ts';

/** An engine's answer in short: the first obstacle, or the missing fact. */
export interface EngineInShort {
  readonly engine: Engine;
  readonly is: Eligibility['is'];
  readonly mode?: string;
  readonly says?: string;
}

const engines: readonly Engine[] = ['pg_ivm', 'pg_trickle', 'timescaledb'];

/** What the engines would say of a view of a database's catalog; none for a view that it does not hold, or that an engine keeps already. */
export function enginesOf(name: Name, catalog: Catalog): readonly EngineInShort[] {
  const found = catalog.find(name);
  const view = found.is === 'present' ? found.object : undefined;
  if (view?.kind !== 'matview' || view.maintenance !== undefined) return [];
  return engines.flatMap((engine): readonly EngineInShort[] => {
    const answer = eligibilityIn(view, engine, catalog);
    if (answer === undefined) return [];
    const says = answer.is === 'unknown' ? answer.because : answer.obstacles[0]?.says;
    return [{
      engine, is: answer.is, ...(answer.is === 'eligible' && answer.mode !== undefined ? { mode: answer.mode } : {}), ...(says === undefined ? {} : { says }),
    }];
  });
}
