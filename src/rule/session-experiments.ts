import type { Experiment, Name, Step } from '../model.ts';
import { canFailPrepared, canRewriteNulls, unlessBlind } from './controls.ts';
import { failed, numberOf, unproven } from './laboratory.ts';
import { qualified, quote } from './words.ts';

/** A prepared SELECT * fails with 0A000 after these steps, which begin with the one the experiment belongs to (facts D). */
export function failsPrepared(name: Name, steps: readonly Step[]): Experiment {
  return {
    at: 'before', isolation: 'copy',
    run: async lab => {
      const prepare = `PREPARE mvlint_all AS SELECT * FROM ${qualified(name)}`;
      for (const sql of [prepare, 'EXECUTE mvlint_all', ...steps.map(step => step.statement.sql)]) {
        const answer = await lab.run(sql);
        if (failed(answer)) return unproven(`Postgres refuses a statement here: ${answer.message}.`);
      }
      const answer = await lab.run('EXECUTE mvlint_all');
      if (!failed(answer)) return unlessBlind({ kind: 'refuted', says: 'The prepared statement still runs.' }, () => canFailPrepared(lab));
      return answer.sqlstate === '0A000' ? { kind: 'confirmed', says: `A prepared SELECT * answers 0A000: ${answer.message}.` }
        : unproven(`The prepared statement fails with ${answer.sqlstate} instead: ${answer.message}.`);
    },
  };
}

/** A role that row security shows no row of the table sees rows of the materialized view. Policies that show it some prove nothing. */
export function showsHiddenRows(table: Name, matview: Name): Experiment {
  const count = (name: Name): string => `SELECT count(*) FROM ${qualified(name)}`;
  return {
    at: 'after', isolation: 'copy',
    run: async lab => {
      await lab.fill(matview, 5);
      const schemas = [...new Set([table.schema, matview.schema])].map(schema => quote(schema));
      for (const sql of [
        `REFRESH MATERIALIZED VIEW ${qualified(matview)}`, 'CREATE ROLE mvlint_reader',
        `GRANT USAGE ON SCHEMA ${schemas.join(', ')} TO mvlint_reader`,
        `GRANT SELECT ON ${qualified(table)}, ${qualified(matview)} TO mvlint_reader`, 'SET ROLE mvlint_reader',
      ]) {
        const answer = await lab.run(sql);
        if (failed(answer)) return unproven(`Postgres refuses a statement of the experiment: ${answer.message}.`);
      }
      const [rows, copied] = [await numberOf(lab, count(table)), await numberOf(lab, count(matview))];
      if (rows === undefined || copied === undefined || copied === 0) return unproven('The view has no rows to compare.');
      if (rows > 0) return unproven('The policies show this role rows of the table.');
      const says = `A role that sees no row of ${quote(table)} sees ${copied} of ${quote(matview)}.`;
      return { kind: 'confirmed', says, numbers: { rows, copied } };
    },
  };
}

/** A concurrent refresh with nothing written in between gives the rows with NULL in a key a new version, and keeps the others. */
export function rewritesNullKeys(matview: Name, keys: readonly string[]): Experiment {
  const name = qualified(matview);
  const isNull = keys.map(key => `${quote(key)} IS NULL`).join(' OR ');
  return {
    at: 'after', isolation: 'copy',
    run: async lab => {
      await lab.fill(matview, 40);
      for (const sql of [
        `REFRESH MATERIALIZED VIEW ${name}`, `CREATE TABLE mvlint_seen AS SELECT xmin::text AS version FROM ${name}`,
        `REFRESH MATERIALIZED VIEW CONCURRENTLY ${name}`,
      ]) {
        const answer = await lab.run(sql);
        if (failed(answer)) return unproven(`The view could not be refreshed: ${answer.message}.`);
      }
      const rows = await numberOf(lab, `SELECT count(*) FROM ${name} WHERE ${isNull}`) ?? 0;
      const rewritten = await numberOf(lab,
        `SELECT count(*) FROM ${name} WHERE (${isNull}) AND xmin::text NOT IN (SELECT version FROM mvlint_seen)`);
      const numbers = { rows, rowsRewritten: rewritten ?? 0 };
      if (rows === 0) return { kind: 'unproven', says: 'No row has NULL there in this database.', numbers };
      const says = `A refresh with nothing written before it rewrites ${rewritten} of ${rows} rows with NULL there.`;
      if (rewritten === rows) return { kind: 'confirmed', says, numbers };
      return unlessBlind({ kind: rewritten === 0 ? 'refuted' : 'unproven', says, numbers }, () => canRewriteNulls(lab));
    },
  };
}
