import type { Catalog, Eligibility, Engine, Maintenance, Matview, Table, View } from '../../model.ts';
import type { Subject } from './inspected.ts';
import { pgIvmEligibility } from './pg-ivm.ts';
import { pgTrickleEligibility, type Mode } from './pg-trickle.ts';
import { timescaleEligibility } from './timescaledb.ts';

/** Every engine, in the order in which answers are shown. */
export const engines: readonly Engine[] = ['pg_ivm', 'pg_trickle', 'timescaledb'];

/** What an engine says of a query; `mode` is pg_trickle's. Its version is the catalog's. */
export function eligibilityOf(subject: Subject, engine: Engine, catalog: Catalog, mode: Mode = 'AUTO'): Eligibility {
  if (engine === 'pg_ivm') return pgIvmEligibility(subject, catalog);
  return engine === 'pg_trickle' ? pgTrickleEligibility(subject, catalog, { mode }) : timescaleEligibility(subject, catalog);
}

const modes: readonly Mode[] = ['AUTO', 'DIFFERENTIAL', 'IMMEDIATE', 'FULL'];

/** The mode that a stream table was asked for; undefined where it is not known or no mode of pg_trickle. */
export function modeOf({ options }: Maintenance): Mode | undefined {
  const mode = options.get('refresh_mode');
  if (mode === undefined || mode === '') return 'AUTO';
  return typeof mode === 'string' ? modes.find(known => known === mode.toUpperCase()) : undefined;
}

/** The query of what an engine maintains, as a view bound to the relations that it was made over. */
export function maintainedQuery(relation: Table | Matview, { query }: Maintenance): View {
  const { id, name, owner, columns, grants } = relation;
  return { kind: 'view', id, name, owner, columns, grants, options: new Map(), query, ...(relation.madeAt === undefined ? {}
    : { madeAt: relation.madeAt }) };
}
