import type { Experiment, Name } from '../model.ts';
import { failed, numberOf, unproven } from './laboratory.ts';
import { keyText, qualified } from './words.ts';

/**
 * Rows that the constraints allow break a unique index of the view: a refresh is refused with 23505, and the same refresh passes once the
 * index is gone. `index` and `keys`: the index and its columns.
 */
export function breaksUniqueIndex(matview: Name, index: Name, keys: readonly string[]): Experiment {
  const name = qualified(matview);
  return {
    at: 'after', isolation: 'copy',
    run: async lab => {
      await lab.fill(matview, 40);
      const refused = await lab.run(`REFRESH MATERIALIZED VIEW ${name}`);
      if (!failed(refused)) return unproven(`No two of the rows made up here have the same ${keyText(keys)}.`);
      if (refused.sqlstate !== '23505') return unproven(`The view could not be refreshed: ${refused.message}.`);
      const dropped = await lab.run(`DROP INDEX ${qualified(index)}`);
      const control = failed(dropped) ? dropped : await lab.run(`REFRESH MATERIALIZED VIEW ${name}`);
      if (failed(control)) return unproven(`Without the index the view cannot be refreshed either: ${control.message}.`);
      const lists = keys.length === 0 ? 'NULL' : keyText(keys);
      const repeated = await numberOf(lab, `SELECT count(*) FROM (SELECT 1 FROM ${name} GROUP BY ${lists} HAVING count(*) > 1) AS r`);
      const rows = await numberOf(lab, `SELECT count(*) FROM ${name}`);
      return { kind: 'confirmed', says: `A refresh fails with 23505: ${refused.message}.`, numbers: { rows: rows ?? 0, repeatedKeys: repeated ?? 0 } };
    },
  };
}
