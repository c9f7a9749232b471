import type { Evidence, Obstacle, Table } from '../../model.ts';
import type { RangeEntry } from './inspected.ts';
import { notSupported, obstacle, type PgIvmCode } from './pg-ivm-obstacles.ts';

/** Whether a table has a table beneath it (find_inheritance_children); asked from outside, because a table does not know its heirs. */
export type HasHeirs = (table: Table) => boolean;

/** What pg_ivm has against an item of FROM, in the order of its checks. */
export function sourceObstacles(entry: RangeEntry, hasHeirs: HasHeirs): readonly Obstacle[] {
  const found: Obstacle[] = [];
  const add = (code: PgIvmCode, what: string, says: string): void => {
    found.push(obstacle(code, says, entry.span, { message: notSupported(what), ...madeAt(entry) }));
  };
  if (entry.sampled) add('tablesample', 'TABLESAMPLE clause', `TABLESAMPLE reads a part of ${entry.name}`);
  if (entry.kind === 'values') add('values', 'VALUES', 'VALUES stands for rows of a table');
  const { relation } = entry;
  if (relation === undefined) return found;
  const name = relation.name.name;
  if (relation.kind === 'view' || relation.kind === 'matview') {
    add('view', 'VIEW or MATERIALIZED VIEW',
      `${name} is a ${relation.kind === 'view' ? 'view' : 'materialized view'}, and pg_ivm reads tables only`);
  }
  if (relation.kind !== 'table') return found;
  if (relation.partitioned) add('partitioned-table', 'partitioned table', `${name} is a partitioned table`);
  if (!relation.partitioned && relation.inherits.length > 0) add('partition', 'partitions',
    `${name} is a partition or inherits from another table`);
  if (!relation.partitioned && hasHeirs(relation)) add('inheritance-parent', 'inheritance parent', `other tables inherit from ${name}`);
  if (relation.foreign === true) add('foreign-table', 'foreign table', `${name} is a foreign table`);
  if (relation.maintenance?.engine === 'pg_ivm') add('immv-source', 'including IMMV in definition', `pg_ivm maintains ${name} itself`);
  return found;
}

function madeAt({ relation }: RangeEntry): { readonly before?: readonly Evidence[] } {
  return relation?.madeAt === undefined ? {} : { before: [{ span: relation.madeAt, says: `${relation.name.name} is made here` }] };
}
