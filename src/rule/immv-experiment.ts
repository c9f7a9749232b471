import type { Experiment, Matview } from '../model.ts';
import { quoteLiteral } from '../sql/print.ts';
import { canRefuse, unlessBlind } from './controls.ts';
import { failed, unproven } from './laboratory.ts';
import { quote } from './words.ts';

/** What pg_ivm answers to a query that it does not take (measured on pg_ivm 1.16; the message names the reason). */
const featureNotSupported = '0A000';

/**
 * pg_ivm refuses to make an IMMV of a materialized view's query: the extension is created and asked. On a copy, because its library hooks into the
 * session. Control for a refutation: a query with UNION is refused there.
 */
export function refusesImmv({ name, query }: Matview): Experiment {
  const sql = `SELECT pgivm.create_immv('mvlint_immv', ${quoteLiteral(query.statement.sql.slice(query.start, query.end))})`;
  return {
    at: 'after', isolation: 'copy', extensions: ['pg_ivm'],
    run: async lab => {
      const made = await lab.run('CREATE EXTENSION IF NOT EXISTS pg_ivm');
      if (failed(made)) return unproven(`pg_ivm cannot be had here: ${made.message}.`);
      const answer = await lab.run(sql);
      if (failed(answer))
        return answer.sqlstate === featureNotSupported ? { kind: 'confirmed', says: `pg_ivm answers ${featureNotSupported}: ${answer.message}.` }
          : unproven(`pg_ivm answers ${answer.sqlstate} instead: ${answer.message}.`);
      return unlessBlind({ kind: 'refuted', says: `pg_ivm makes an IMMV of the query of ${quote(name)}.` }, () => canRefuse(lab, featureNotSupported, sql));
    },
  };
}
