/** Incremental maintenance, for rules: what an engine says, in their words. */
import type { Catalog, CatalogObject, Effect, Eligibility, Engine, Evidence, Experiment, Matview, ObjectId, Obstacle, Read, Selectable,
  SqlFailure, Step, Table } from '../model.ts';
import { breaksWrites } from '../query/incremental/pg-ivm-hazards.ts';
import { failed, unproven } from './laboratory.ts';
import { madeAt } from './facts.ts';
import { qualified, quote } from './words.ts';

/** The engines as people write them. */
export const engineName: Readonly<Record<Engine, string>> = { pg_ivm: 'pg_ivm', pg_trickle: 'pg_trickle', timescaledb: 'TimescaleDB' };

/** The place of an obstacle in the query. */
export const placeOf = ({ evidence }: Obstacle): Evidence => evidence.at(-1)!;

/** Whether a hazard lets no write through, rather than giving other rows. */
export const stopsWrites = ({ code }: Obstacle): boolean => breaksWrites.has(code);

/** The first reason as the end of a sentence, with the number of the others. */
export function reasonText({ obstacles: [first, ...others] }: Pick<Eligibility, 'obstacles'>): string {
  const more = new Set(others.map(({ code }) => code).filter(code => code !== first?.code)).size;
  return `${first?.says ?? 'of its query'}${more === 0 ? '' : more === 1 ? ', and for one more reason' : `, and for ${more} more reasons`}`;
}

/** What leads to the first obstacle; the engine's own words stand at the place. */
export function reasonEvidence({ obstacles: [first] }: Pick<Eligibility, 'obstacles'>): readonly Evidence[] {
  if (first === undefined) return [];
  const place = placeOf(first);
  return [...first.evidence.slice(0, -1), { span: place.span, says: first.message ?? place.says }];
}

/** The relations that an engine keeps and whose query reads an object, directly. */
export function maintainedOver(id: ObjectId, engine: Engine,
  catalog: Catalog): readonly (Table & { readonly maintenance: NonNullable<Table['maintenance']> })[] {
  let found: Map<ObjectId, Table & { readonly maintenance: NonNullable<Table['maintenance']> }> | undefined;
  for (const { dependent } of catalog.dependants(id)) {
    const object = catalog.get(dependent);
    if (object?.kind === 'table' && object.maintenance?.engine === engine) (found ??= new Map()).set(dependent, { ...object, maintenance: object.maintenance });
  }
  return found === undefined ? [] : [...found.values()];
}

/** The relation that an effect puts into an engine's hands or changes there. */
export function maintainedBy(effect: Effect): Table | Matview | undefined {
  if (effect.kind === 'createImmv' || effect.kind === 'createStreamTable') return effect.table;
  if (effect.kind === 'createContinuousAggregate') return effect.matview;
  return effect.kind === 'changeMaintenance' ? effect.to : undefined;
}

/** Where a maintained relation was made, as evidence. */
export const maintainedSince = (table: Table): readonly Evidence[] => madeAt(table, `${quote(table.name)} is maintained from here on`);

/** Ways to write every row of a table as it is, each a list of statements of one transaction; the last one is the write. */
function idleWrites(table: Table): readonly (readonly string[])[] {
  const columns = 'unknown' in table.columns ? []
    : table.columns.filter(({ generated }) => generated === undefined).map(column => quote(column.name));
  const [first] = columns;
  const name = qualified(table.name);
  const listed = columns.join(', ');
  return [
    ...first === undefined ? [] : [[`UPDATE ${name} SET ${first} = ${first}`]], [`DELETE FROM ${name}`],
    ...first === undefined ? [] : [[
      `CREATE TABLE mvlint_rows AS SELECT ${listed} FROM ${name}`, `DELETE FROM ${name}`,
      `INSERT INTO ${name} (${listed}) OVERRIDING SYSTEM VALUE SELECT ${listed} FROM mvlint_rows`,
    ]],
  ];
}

/** After the step Postgres refuses a write to the table. Control: the same write, undone, goes through before it. */
export function stopsWritesTo(source: Table, step: Step): Experiment {
  return {
    at: 'before', isolation: 'copy',
    run: async lab => {
      await lab.fill(source.name, 3);
      const undone = async (write: readonly string[]): Promise<SqlFailure | undefined> => {
        let refused: SqlFailure | undefined;
        for (const sql of ['BEGIN', ...write]) {
          const answer = await lab.run(sql);
          if (failed(answer)) refused ??= answer;
        }
        await lab.run('ROLLBACK');
        return refused;
      };
      const possible: (readonly string[])[] = [];
      for (const write of idleWrites(source)) if (await undone(write) === undefined) possible.push(write);
      const answer = await lab.run(step.statement.sql);
      if (failed(answer)) return unproven(`Postgres refuses the statement: ${answer.message}.`);
      for (const write of possible) {
        const after = await undone(write);
        if (after !== undefined)
          return { kind: 'confirmed', says: `After the statement Postgres refuses ${write.at(-1)?.split(' ')[0] ?? ''} on ${quote(source.name)} with ${after.sqlstate}: ${after.message}.` };
      }
      if (possible.length === 0) return unproven(`No write to ${quote(source.name)} goes through before the statement either.`);
      return { kind: 'refuted', says: `After the statement writes to ${quote(source.name)} go through, as before it.` };
    },
  };
}

/** A relation that keeps the rows of a query: a materialized view, or a table that an engine maintains. */
export type Stored = Matview | (Table & { readonly maintenance: NonNullable<Table['maintenance']> });

export function isStored(object: CatalogObject | undefined): object is Stored {
  return object?.kind === 'matview' || (object?.kind === 'table' && object.maintenance !== undefined);
}

/** What its query reads. */
export const readsOf = (relation: Stored): readonly Read[] => (relation.maintenance?.query ?? (relation.kind === 'matview'
  ? relation.query : undefined))?.reads ?? [];

/** The columns without those that an engine keeps for itself. */
export function visibleColumns({ columns }: Selectable): Selectable['columns'] {
  return 'unknown' in columns ? columns : columns.filter(({ name }) => !/^__(?:ivm|pgt)_/.test(name));
}
